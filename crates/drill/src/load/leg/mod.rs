//! One end of a call at a phone: its dialog and its transactions, with the timers of RFC 3261.
//!
//! A leg knows the rules of SIP and nothing of what the call is for: it takes messages, deadlines and orders, puts what is to be
//! sent into `out`, and tells its [`super::call::Call`] what has happened.

mod received;
mod sent;

use model::{Span, Time};
use sip::build::AnswerHead;
use sip::transaction::timer::Repeat;
use sip::transaction::{Action, ClientInvite, ClientRequest, ServerInvite, ServerRequest};
use sip::{Answer, Dialog, Message, Method};

use received::{InviteIn, RequestIn};
use sent::{Cancel, InviteOut, RequestOut};

use super::wording::{self, Invitation, Who};

/// What a leg has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// A provisional answer to the first INVITE.
    Provisional(u16),
    /// The first INVITE was answered by 2xx.
    Answered,
    /// The first INVITE was refused.
    Refused(u16),
    /// The ACK of our 2xx is there.
    Acknowledged,
    /// Nobody acknowledged our 2xx.
    NeverAcknowledged,
    /// The other side changes the session.
    Changed,
    /// Our change of the session has this outcome.
    ChangeDone(u16),
    /// The other side has ended the call.
    Bye,
    /// Our BYE has this outcome; true: it had been sent more than once.
    ByeDone(u16, bool),
    /// The other side does not want an answer any more.
    Cancelled,
    /// A request of ours had no answer at all.
    Silence(&'static str),
}

/// What a leg sends, and what it tells.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) out: Vec<Vec<u8>>,
    pub(super) happened: Vec<Happening>,
}

/// One end of a call.
pub(super) struct Leg {
    pub(super) phone: usize,
    pub(super) call_id: String,
    tag: String,
    call: u64,
    drawn: u32,
    pub(super) dialog: Option<Dialog>,
    invites_out: Vec<InviteOut>,
    requests_out: Vec<RequestOut>,
    invites_in: Vec<InviteIn>,
    requests_in: Vec<RequestIn>,
    /// A BYE was sent or came in.
    pub(super) ends: bool,
}

impl Leg {
    fn new(phone: usize, call: u64, call_id: String, tag: String) -> Self {
        Self {
            phone,
            call_id,
            tag,
            call,
            drawn: 0,
            dialog: None,
            invites_out: Vec::new(),
            requests_out: Vec::new(),
            invites_in: Vec::new(),
            requests_in: Vec::new(),
            ends: false,
        }
    }

    /// Begins a call.
    pub(super) fn call(
        now: Time,
        who: &Who,
        phone: usize,
        call: u64,
        call_id: String,
        to: &str,
        fx: &mut Effects,
    ) -> Self {
        let mut leg = Self::new(phone, call, call_id, format!("c{call}"));
        leg.send_first(now, who, to, None, fx);
        leg
    }

    /// Takes a call that is offered.
    pub(super) fn offered(
        now: Time,
        who: &Who,
        phone: usize,
        call: u64,
        invite: &Message<'_>,
        source: std::net::SocketAddr,
        fx: &mut Effects,
    ) -> Self {
        let mut leg = Self::new(phone, call, invite.call_id().to_owned(), format!("e{call}-{phone}"));
        leg.dialog = Some(Dialog::callee(invite, &leg.tag));
        leg.take_invite(now, who, invite, source, true, fx);
        leg
    }

    fn branch(&mut self) -> String {
        self.drawn += 1;
        format!("z9hG4bK{}-{}-{}", self.call_id.replace('@', "."), self.tag, self.drawn)
    }

    fn send_first(&mut self, now: Time, who: &Who, to: &str, refused: Option<&[u8]>, fx: &mut Effects) {
        let branch = self.branch();
        let seq = self.invites_out.len() as u32 + 1;
        let (call_id, tag, call) = (&self.call_id, &self.tag, self.call);
        let bytes = wording::invite(who, &Invitation { to, call_id, tag, seq, branch: &branch, call, refused });
        self.send_invite(now, who, bytes, branch, seq, true, refused.is_some(), fx);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one value")]
    fn send_invite(
        &mut self,
        now: Time,
        who: &Who,
        bytes: Vec<u8>,
        branch: String,
        seq: u32,
        first: bool,
        proven: bool,
        fx: &mut Effects,
    ) {
        fx.out.push(bytes.clone());
        let (tx, ack) = (ClientInvite::new(now, who.tcp), Vec::new());
        self.invites_out.push(InviteOut { tx, bytes, branch, seq, ack, first, proven, cancel: Cancel::No });
    }

    /// Gives up the first INVITE.
    pub(super) fn cancel(&mut self, now: Time, who: &Who, fx: &mut Effects) {
        let Some(invite) = self.invites_out.iter_mut().rfind(|invite| invite.first && invite.tx.is_open()) else {
            return;
        };
        if invite.tx.is_calling() {
            invite.cancel = Cancel::Wanted;
        } else if !matches!(invite.cancel, Cancel::Sent(..)) {
            invite.send_cancel(now, who, fx);
        }
    }

    /// Answers the offer with this status.
    pub(super) fn answer(&mut self, now: Time, who: &Who, status: u16, fx: &mut Effects) {
        let (tag, call) = (self.tag.clone(), self.call);
        if let Some(invite) = self.invites_in.iter_mut().find(|invite| invite.first) {
            invite.respond(now, who, status, &tag, call, fx);
        }
    }

    /// Whether the offer waits for an answer.
    pub(super) fn waits_for_answer(&self) -> bool {
        self.invites_in.iter().any(|invite| invite.first && invite.tx.is_open())
    }

    /// Ends the call.
    pub(super) fn bye(&mut self, now: Time, who: &Who, fx: &mut Effects) {
        let branch = self.branch();
        let Some(dialog) = &mut self.dialog else { return };
        let seq = dialog.next_seq();
        let bytes = wording::inside(who, dialog, Method::Bye, seq, &branch, None);
        fx.out.push(bytes.clone());
        self.requests_out.push(RequestOut { tx: ClientRequest::new(now, who.tcp), bytes, branch, is_repeated: false });
        self.ends = true;
    }

    /// Changes the session: `sendonly` holds, `sendrecv` takes back.
    pub(super) fn change(&mut self, now: Time, who: &Who, direction: &str, fx: &mut Effects) {
        // RFC 3261 14.1: not while another INVITE is open, in either direction.
        let is_open = self.invites_out.iter().any(|invite| invite.tx.is_open()) || self.waits_for_ack();
        let branch = self.branch();
        let call = self.call;
        let Some(dialog) = self.dialog.as_mut().filter(|_| !is_open && !self.ends) else { return };
        let seq = dialog.next_seq();
        let bytes = wording::inside(who, dialog, Method::Invite, seq, &branch, Some((call, direction)));
        self.send_invite(now, who, bytes, branch, seq, false, true, fx);
    }

    fn waits_for_ack(&self) -> bool {
        self.invites_in.iter().any(|invite| invite.give_up < Time::NEVER)
    }

    /// Takes an answer to a request of ours.
    pub(super) fn response(&mut self, now: Time, who: &Who, to: &str, response: &Message<'_>, fx: &mut Effects) {
        let Some(branch) = response.top_via().branch() else { return };
        let status = response.status().unwrap_or_default();
        match response.method() {
            Method::Invite => self.response_to_invite(now, who, to, response, status, fx),
            Method::Cancel => {
                let invite = self.invites_out.iter_mut().find(|invite| invite.branch == branch);
                if let Some(InviteOut { cancel: Cancel::Sent(tx, _), .. }) = invite {
                    tx.respond(now, status);
                }
            }
            _ => {
                if let Some(request) = self.requests_out.iter_mut().find(|request| request.branch == branch)
                    && request.tx.respond(now, status) == Action::Pass
                    && status >= 200
                {
                    fx.happened.push(Happening::ByeDone(status, request.is_repeated));
                }
            }
        }
    }

    fn response_to_invite(
        &mut self,
        now: Time,
        who: &Who,
        to: &str,
        response: &Message<'_>,
        status: u16,
        fx: &mut Effects,
    ) {
        let branch = response.top_via().branch();
        let ack_branch = self.branch();
        let Some(invite) = self.invites_out.iter_mut().find(|invite| Some(invite.branch.as_str()) == branch) else {
            return;
        };
        match invite.tx.respond(now, status) {
            Action::Pass if status < 200 => {
                if matches!(invite.cancel, Cancel::Wanted) {
                    invite.send_cancel(now, who, fx);
                }
                if invite.first {
                    fx.happened.push(Happening::Provisional(status));
                }
            }
            Action::Pass => {
                let is_new = invite.ack.is_empty();
                let dialog = self.dialog.get_or_insert_with(|| Dialog::caller(response));
                if is_new {
                    dialog.refresh(response);
                    invite.ack = wording::inside(who, dialog, Method::Ack, invite.seq, &ack_branch, None);
                }
                fx.out.push(invite.ack.clone());
                if is_new {
                    fx.happened.push(if invite.first { Happening::Answered } else { Happening::ChangeDone(status) });
                }
            }
            Action::AcknowledgeAndPass => {
                invite.ack = wording::echo(Method::Ack, &invite.bytes, Some(response));
                fx.out.push(invite.ack.clone());
                let (first, is_challenge) = (invite.first, matches!(status, 401 | 407) && !invite.proven);
                if first && is_challenge && matches!(invite.cancel, Cancel::No) {
                    self.send_first(now, who, to, Some(response.bytes()), fx);
                } else {
                    fx.happened.push(if first { Happening::Refused(status) } else { Happening::ChangeDone(status) });
                }
            }
            Action::Acknowledge => fx.out.push(invite.ack.clone()),
            _ => {}
        }
    }

    /// Takes a request of the other side.
    pub(super) fn request(
        &mut self,
        now: Time,
        who: &Who,
        request: &Message<'_>,
        source: std::net::SocketAddr,
        fx: &mut Effects,
    ) {
        match request.method() {
            Method::Invite => self.take_invite(now, who, request, source, false, fx),
            Method::Ack => self.take_ack(now, request, fx),
            Method::Cancel => self.take_cancel(now, who, request, source, fx),
            method => self.take_other(now, who, request, source, method == Method::Bye, fx),
        }
    }

    fn take_invite(
        &mut self,
        now: Time,
        who: &Who,
        request: &Message<'_>,
        source: std::net::SocketAddr,
        first: bool,
        fx: &mut Effects,
    ) {
        let branch = request.top_via().branch().unwrap_or_default();
        if let Some(known) = self.invites_in.iter_mut().find(|invite| invite.branch == branch) {
            if known.tx.invite(now) == Action::Send {
                fx.out.push(known.last.clone());
            }
            return;
        }
        let mut invite = InviteIn {
            tx: ServerInvite::new(who.tcp),
            head: AnswerHead::of(request, source),
            branch: branch.to_owned(),
            seq: request.cseq().number,
            last: Vec::new(),
            repeat: Repeat::NEVER,
            give_up: Time::NEVER,
            first,
        };
        let (tag, call) = (self.tag.clone(), self.call);
        if first {
            invite.respond(now, who, 180, &tag, call, fx);
        } else {
            if let Some(dialog) = &mut self.dialog {
                // That a number came out of order shows in the history.
                let _ = dialog.take(request.cseq().number);
                dialog.refresh(request);
            }
            let glare = self.invites_out.iter().any(|invite| invite.tx.is_open());
            // RFC 3261 14.2: one of two changes that meet is refused.
            invite.respond(now, who, if glare { 491 } else { 200 }, &tag, call, fx);
            fx.happened.push(Happening::Changed);
        }
        self.invites_in.push(invite);
    }

    fn take_ack(&mut self, now: Time, ack: &Message<'_>, fx: &mut Effects) {
        let seq = ack.cseq().number;
        let Some(invite) = self.invites_in.iter_mut().find(|invite| invite.seq == seq) else { return };
        invite.tx.ack(now);
        if invite.give_up < Time::NEVER {
            (invite.repeat, invite.give_up) = (Repeat::NEVER, Time::NEVER);
            if invite.first {
                fx.happened.push(Happening::Acknowledged);
            }
        }
    }

    fn take_cancel(
        &mut self,
        now: Time,
        who: &Who,
        cancel: &Message<'_>,
        source: std::net::SocketAddr,
        fx: &mut Effects,
    ) {
        let branch = cancel.top_via().branch().unwrap_or_default();
        let (tag, call) = (self.tag.clone(), self.call);
        let mut reply = Vec::with_capacity(400);
        let known = self.invites_in.iter_mut().find(|invite| invite.branch == branch);
        Answer::new(if known.is_some() { 200 } else { 481 }).tag(&tag).to(cancel, source, &mut reply).finish();
        fx.out.push(reply);
        if let Some(invite) = known
            && invite.tx.is_open()
        {
            invite.respond(now, who, 487, &tag, call, fx);
            fx.happened.push(Happening::Cancelled);
        }
    }

    fn take_other(
        &mut self,
        now: Time,
        who: &Who,
        request: &Message<'_>,
        source: std::net::SocketAddr,
        is_bye: bool,
        fx: &mut Effects,
    ) {
        let branch = request.top_via().branch().unwrap_or_default();
        if let Some(known) = self.requests_in.iter_mut().find(|known| known.branch == branch) {
            if known.tx.request(now) == Action::Send {
                fx.out.push(known.reply.clone());
            }
            return;
        }
        if let Some(dialog) = &mut self.dialog {
            let _ = dialog.take(request.cseq().number);
        }
        let mut reply = Vec::with_capacity(400);
        Answer::new(200).tag(&self.tag).to(request, source, &mut reply).finish();
        let mut tx = ServerRequest::new(who.tcp);
        tx.respond(now, 200);
        fx.out.push(reply.clone());
        self.requests_in.push(RequestIn { tx, branch: branch.to_owned(), reply });
        if is_bye {
            self.ends = true;
            fx.happened.push(Happening::Bye);
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Time {
        let invites = self.invites_out.iter().map(InviteOut::deadline);
        let requests = self
            .requests_out
            .iter()
            .map(|request| if request.tx.is_open() { request.tx.deadline() } else { Time::NEVER });
        let offers = self.invites_in.iter().map(InviteIn::deadline);
        invites.chain(requests).chain(offers).min().unwrap_or(Time::NEVER)
    }

    /// Does what is due.
    pub(super) fn expire(&mut self, now: Time, fx: &mut Effects) {
        for invite in &mut self.invites_out {
            invite.expire(now, fx);
        }
        for request in self.requests_out.iter_mut().filter(|request| request.tx.is_open()) {
            match request.tx.expire(now) {
                Action::Send => {
                    request.is_repeated = true;
                    fx.out.push(request.bytes.clone());
                }
                Action::TimedOut => fx.happened.push(Happening::Silence("BYE")),
                _ => {}
            }
        }
        for invite in &mut self.invites_in {
            invite.expire(now, fx);
        }
    }

    /// Sends again what nobody has answered: the connection that carried it is gone, and another one is there.
    pub(super) fn send_again(&mut self, fx: &mut Effects) {
        for invite in &self.invites_out {
            if invite.tx.is_open() {
                fx.out.push(invite.bytes.clone());
            }
            if let Cancel::Sent(tx, bytes) = &invite.cancel
                && tx.is_open()
            {
                fx.out.push(bytes.clone());
            }
        }
        for request in self.requests_out.iter_mut().filter(|request| request.tx.is_open()) {
            request.is_repeated = true;
            fx.out.push(request.bytes.clone());
        }
        for invite in &self.invites_in {
            // A provisional answer tells that the phone rings; a 2xx waits for its ACK.
            if (invite.tx.is_open() || invite.give_up < Time::NEVER) && !invite.last.is_empty() {
                fx.out.push(invite.last.clone());
            }
        }
    }
}

/// How long a leg that is over is kept for repeats that are late: T1 times 64 (RFC 3261 17.2.2).
pub(super) const LINGERS: Span = Span::from_secs(33);
