//! The transactions of a phone (RFC 3261 17): repetition until there is an answer, answers to repetitions.

use model::{Span, Time};
use sip::{Message, Method};

use super::{Job, Phone, T1, T2, TIMEOUT};

/// Pause before a lost connection is made anew.
const RECONNECT: Span = Span::from_millis(100);

/// A request that was sent.
#[derive(Clone, Debug)]
pub(super) struct ClientTransaction {
    pub(super) number: u64,
    branch: String,
    method: &'static str,
    bytes: Vec<u8>,
    pause: Span,
    state: Progress,
    /// The leg that it belongs to; none for a registration.
    pub(super) leg: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// No answer yet.
    Calling,
    /// A provisional answer.
    Proceeding,
    /// A final answer, or given up.
    Done,
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub(super) struct ServerTransaction {
    branch: String,
    method: String,
    response: Vec<u8>,
}

impl ClientTransaction {
    pub(super) const fn is_done(&self) -> bool {
        matches!(self.state, Progress::Done)
    }

    pub(super) const fn method(&self) -> &'static str {
        self.method
    }

    pub(super) fn is_proceeding(&self) -> bool {
        self.state == Progress::Proceeding
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Phone {
    /// Sends a request and repeats it until it is answered.
    pub(super) fn request(
        &mut self,
        now: Time,
        method: &'static str,
        branch: String,
        bytes: Vec<u8>,
        leg: Option<u64>,
    ) {
        let number = self.draw();
        self.outbox.push(bytes.clone());
        // RFC 3261 17.1.1.2: nothing is repeated on a reliable transport.
        if !self.is_on_stream() {
            self.plan_job(now + T1, Job::Repeat(number));
        }
        self.plan_job(now + TIMEOUT, Job::GiveUp(number));
        let state = Progress::Calling;
        self.clients.push(ClientTransaction { number, branch, method, bytes, pause: T1, state, leg });
    }

    pub(super) fn repeat_request(&mut self, now: Time, number: u64) {
        let Some(client) = self.clients.iter_mut().find(|client| client.number == number) else { return };
        let is_invite = client.method == "INVITE";
        if client.is_done() || (is_invite && client.state == Progress::Proceeding) {
            return;
        }
        client.pause = client.pause.times(2);
        if !is_invite {
            client.pause = client.pause.min(T2);
        }
        let (pause, bytes) = (client.pause, client.bytes.clone());
        self.outbox.push(bytes);
        self.plan_job(now + pause, Job::Repeat(number));
    }

    /// The connection is gone, and with it every request that was not answered on it (RFC 3261 17.1.4); the phone
    /// registers again on a new one soon (RFC 5626 4.4).
    pub(in crate::calls) fn loses_connection(&mut self, now: Time, connection: u64) {
        if self.connection != Some(connection) {
            return;
        }
        self.connection = None;
        let open: Vec<u64> =
            self.clients.iter().filter(|client| !client.is_done()).map(|client| client.number).collect();
        for number in open {
            if let Some(client) = self.clients.iter_mut().find(|client| client.number == number) {
                client.state = Progress::Done;
                let client = client.clone();
                if client.method != "REGISTER" {
                    self.unanswered(now, &client);
                }
            }
        }
        if !self.is_trunk {
            self.plan_job(now + RECONNECT, Job::Register);
        }
    }

    /// Timer B or F: nobody answers.
    pub(super) fn give_up_request(&mut self, now: Time, number: u64) {
        let Some(client) = self.clients.iter_mut().find(|client| client.number == number) else { return };
        let is_invite = client.method == "INVITE";
        if client.is_done() || (is_invite && client.state == Progress::Proceeding) {
            return;
        }
        client.state = Progress::Done;
        let client = client.clone();
        self.unanswered(now, &client);
    }

    /// Takes notice of a response: the transaction that it belongs to, if it is the first one of its kind there.
    pub(super) fn answered(&mut self, response: &Message<'_>) -> Option<ClientTransaction> {
        let branch = response.top_via().branch()?;
        let method = response.cseq().method;
        let client = self.clients.iter_mut().find(|client| {
            client.branch == branch && client.method == method.as_str() && client.state != Progress::Done
        })?;
        client.state = if response.status()? < 200 { Progress::Proceeding } else { Progress::Done };
        Some(client.clone())
    }

    /// The transaction of a response, whatever its state.
    pub(super) fn transaction_of(&self, response: &Message<'_>) -> Option<&ClientTransaction> {
        let branch = response.top_via().branch()?;
        let method = response.cseq().method;
        self.clients.iter().find(|client| client.branch == branch && client.method == method.as_str())
    }

    /// The INVITE of a leg that is under way.
    pub(super) fn open_invite(&self, leg: u64) -> Option<&ClientTransaction> {
        self.clients.iter().find(|client| client.leg == Some(leg) && client.method == "INVITE" && !client.is_done())
    }

    /// Repeats the last response to a request that comes again; false if it is a new one.
    pub(super) fn repeats_response(&mut self, request: &Message<'_>) -> bool {
        let Some(known) = self.servers.iter().find(|known| known.is_for(request)) else { return false };
        if !known.response.is_empty() {
            self.outbox.push(known.response.clone());
        }
        true
    }

    /// Sends a response, and keeps it for repetitions of the request.
    pub(super) fn send_response(&mut self, request: &Message<'_>, response: Vec<u8>) {
        self.outbox.push(response.clone());
        if let Some(known) = self.servers.iter_mut().find(|known| known.is_for(request)) {
            known.response = response;
            return;
        }
        let branch = request.top_via().branch().unwrap_or_default().to_owned();
        let method = request.method().as_str().to_owned();
        self.servers.push(ServerTransaction { branch, method, response });
    }
}

impl ServerTransaction {
    fn is_for(&self, request: &Message<'_>) -> bool {
        request.top_via().branch() == Some(&self.branch) && request.method() == Method::from_name(&self.method)
    }
}
