//! Requests that were sent, and what is kept of them to repeat, acknowledge and cancel.

mod request;

use model::Time;
use serde::{Deserialize, Serialize};
use sip::transaction::timer::TIMER_B;
use sip::transaction::{Action, ClientInvite, ClientRequest};
use sip::{HeaderName, Message, Method, Outgoing};

use super::desk::Desk;
use super::pair::End;
use super::party::description;
use crate::hop::Hop;
use crate::limits::MAX_ANSWERS;
use crate::token::{Kind, Token};
pub(crate) use request::{Purpose, RequestOut};

/// What an INVITE was sent for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// To reach a callee: its number is that of the leg.
    Fork {
        /// The extension that rings.
        extension: Box<str>,
        /// See [`super::pair::Side::follow`].
        follow: bool,
    },
    /// Within a dialog, on behalf of the INVITE with this number that came from the other end.
    Within { pair: u32, to: End, invite_in: u32 },
    /// Within a dialog, to tell a party where the call is now.
    Refresh { pair: u32, to: End },
}

/// How far the cancelling of an INVITE is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Cancel {
    No,
    /// As soon as a provisional response came (RFC 3261 9.1); with this Reason value.
    Wanted(Box<str>),
    Sent {
        tx: ClientRequest,
        #[serde(with = "serde_bytes")]
        request: Box<[u8]>,
    },
    /// Answered, or given up.
    Done,
}

/// The ACK of one answer, to be sent again when the answer comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ack {
    /// The To tag of the answer.
    tag: Box<str>,
    hop: Hop,
    #[serde(with = "serde_bytes")]
    request: Box<[u8]>,
}

/// An INVITE that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InviteOut {
    pub(crate) part: u32,
    chance: u64,
    pub(crate) role: Role,
    pub(crate) tx: ClientInvite,
    pub(crate) hop: Hop,
    pub(crate) seq: u32,
    /// Kept to be sent again, and as the pattern of ACK and CANCEL; empty once nothing needs it.
    #[serde(with = "serde_bytes")]
    request: Box<[u8]>,
    cancel: Cancel,
    acks: Vec<Ack>,
}

impl InviteOut {
    /// Sends an INVITE.
    pub(crate) fn send(desk: &mut Desk<'_>, branch: Token, role: Role, hop: Hop, seq: u32, request: Vec<u8>) -> Self {
        let invite = Self {
            part: branch.part,
            chance: branch.chance,
            role,
            tx: ClientInvite::new(desk.now, hop.is_reliable()),
            hop,
            seq,
            request: request.as_slice().into(),
            cancel: Cancel::No,
            acks: Vec::new(),
        };
        desk.request(hop, request);
        invite
    }

    /// The same, and it is repeated, as there may be no connection that carries it yet.
    pub(crate) fn send_anew(
        desk: &mut Desk<'_>,
        branch: Token,
        role: Role,
        hop: Hop,
        seq: u32,
        request: Vec<u8>,
    ) -> Self {
        let mut invite = Self::send(desk, branch, role, hop, seq, request);
        if hop.is_reliable() {
            invite.tx.flow_lost(desk.now);
        }
        invite
    }

    /// What is needed to ring like this once more.
    pub(crate) fn anew(&self) -> Option<(Vec<u8>, Role, Hop)> {
        (!self.request.is_empty()).then(|| (self.request.to_vec(), self.role.clone(), self.hop))
    }

    /// True if it went to this end of its pair.
    pub(crate) fn goes_to(&self, end: End) -> bool {
        match self.role {
            Role::Fork { .. } => end == End::Callee,
            Role::Within { to, .. } | Role::Refresh { to, .. } => end == to,
        }
    }

    /// True if an answer to it was acknowledged.
    pub(crate) const fn is_acknowledged(&self) -> bool {
        !self.acks.is_empty()
    }

    /// Sends all its ACKs again.
    pub(crate) fn repeat_acks(&self, desk: &mut Desk<'_>) {
        self.acks.iter().for_each(|ack| desk.request(ack.hop, ack.request.to_vec()));
    }

    /// The session description that it brings.
    pub(crate) fn description(&self) -> Box<[u8]> {
        Message::parse(&self.request).map_or_else(|_| Box::default(), |request| description(&request))
    }

    /// Sends CANCEL from another address than the INVITE, whose answers are not heard here. Unlike RFC 3261 9.1 it waits for no
    /// provisional response, which has gone to the former address if there was one; by now the INVITE is not overtaken.
    pub(crate) fn take_back(&mut self, desk: &mut Desk<'_>) {
        match &mut self.cancel {
            Cancel::Sent { tx, request } => {
                if tx.flow_lost(desk.now) == Action::Send {
                    desk.request(self.hop, request.to_vec());
                }
            }
            _ => {
                self.cancel = Cancel::Wanted(Box::default());
                self.send_wanted_cancel(desk);
            }
        }
        self.tx.fail(desk.now);
    }

    /// True if a branch is that of this INVITE (and of its CANCEL).
    pub(crate) const fn is(&self, branch: Token) -> bool {
        self.part == branch.part && self.chance == branch.chance
    }

    pub(crate) const fn is_fork(&self) -> bool {
        matches!(self.role, Role::Fork { .. })
    }

    /// True if it was sent on behalf of the INVITE with this number.
    pub(crate) const fn is_for(&self, part: u32) -> bool {
        matches!(self.role, Role::Within { invite_in, .. } if invite_in == part)
    }

    /// True if an answer came.
    pub(crate) fn is_accepted(&self) -> bool {
        self.tx.is_accepted()
    }

    /// The extension that rings, for the INVITE to a callee.
    pub(crate) const fn extension(&self) -> Option<&str> {
        match &self.role {
            Role::Fork { extension, .. } => Some(extension),
            Role::Within { .. } | Role::Refresh { .. } => None,
        }
    }

    /// The moment when something is due beyond lingering.
    pub(crate) fn deadline(&self) -> Time {
        let own = if self.tx.is_lingering() { Time::NEVER } else { self.tx.deadline() };
        match &self.cancel {
            Cancel::Sent { tx, .. } if !tx.is_lingering() => own.min(tx.deadline()),
            _ => own,
        }
    }

    /// Forgets what has lingered long enough. True if there is nothing left.
    pub(crate) fn sweep(&mut self, now: Time) -> bool {
        if let Cancel::Sent { tx, .. } = &self.cancel
            && (tx.is_terminated() || (tx.is_lingering() && tx.deadline() <= now))
        {
            self.cancel = Cancel::Done;
        }
        let cancels = matches!(self.cancel, Cancel::Sent { .. });
        !cancels && (self.tx.is_terminated() || (self.tx.is_lingering() && self.tx.deadline() <= now))
    }

    /// Until when the last of it lingers; [`Time::ZERO`] if nothing does. Nothing is swept out before the CANCEL is
    /// answered, so until then its own timers are what is due.
    pub(crate) fn linger(&self) -> Time {
        let own = if self.tx.is_lingering() { self.tx.deadline() } else { Time::ZERO };
        match &self.cancel {
            Cancel::Sent { tx, .. } if tx.is_lingering() => own.max(tx.deadline()),
            Cancel::Sent { .. } => Time::ZERO,
            Cancel::No | Cancel::Wanted(_) | Cancel::Done => own,
        }
    }

    /// True if a CANCEL was sent or is to be sent.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel != Cancel::No
    }

    /// True if the telephone rings or is about to, for all that is known: if it was told to stop, it has not confirmed so.
    pub(crate) fn may_ring(&self) -> bool {
        self.tx.is_open()
    }

    /// True while it, or its CANCEL, has no final answer.
    pub(crate) fn is_busy(&self) -> bool {
        self.tx.is_open() || matches!(&self.cancel, Cancel::Sent { tx, .. } if tx.is_open())
    }

    /// Sends it again, and its CANCEL, if there is no answer.
    pub(crate) fn say_again(&self, desk: &mut Desk<'_>) {
        if self.tx.is_open() {
            desk.request(self.hop, self.request.to_vec());
        }
        if let Cancel::Sent { tx, request } = &self.cancel
            && tx.is_open()
        {
            desk.request(self.hop, request.to_vec());
        }
    }

    /// The connection that it went on has ended.
    pub(crate) fn flow_lost(&mut self, desk: &mut Desk<'_>) {
        if self.tx.flow_lost(desk.now) == Action::Send {
            desk.request(self.hop, self.request.to_vec());
        }
        if let Cancel::Sent { tx, request } = &mut self.cancel
            && tx.flow_lost(desk.now) == Action::Send
        {
            desk.request(self.hop, request.to_vec());
        }
    }

    /// Does what is due: sends again, and tells if it was given up.
    pub(crate) fn expire(&mut self, desk: &mut Desk<'_>) -> Action {
        if let Cancel::Sent { tx, request } = &mut self.cancel
            && tx.deadline() <= desk.now
            && tx.expire(desk.now) == Action::Send
        {
            desk.request(self.hop, request.to_vec());
        }
        if self.tx.deadline() > desk.now {
            return Action::Nothing;
        }
        let action = self.tx.expire(desk.now);
        match action {
            Action::Send => desk.request(self.hop, self.request.to_vec()),
            Action::TimedOut => self.request = Box::default(),
            _ => {}
        }
        action
    }

    /// Takes in a response to the INVITE or to its CANCEL, acknowledges a refusal, and tells whether the response
    /// has a meaning for the call.
    pub(crate) fn respond(&mut self, desk: &mut Desk<'_>, response: &Message<'_>) -> Action {
        let status = response.status().unwrap_or_default();
        if response.method() == Method::Cancel {
            if let Cancel::Sent { tx, .. } = &mut self.cancel {
                tx.respond(desk.now, status);
            }
            return Action::Nothing;
        }
        let action = self.tx.respond(desk.now, status);
        match action {
            Action::AcknowledgeAndPass => self.acknowledge_refusal(desk, response),
            Action::Acknowledge => self.repeat_ack(desk, response.to().tag().unwrap_or_default()),
            Action::Pass if status >= 200 => self.request = Box::default(),
            Action::Pass => self.send_wanted_cancel(desk),
            _ => {}
        }
        action
    }

    /// Takes the INVITE back: at once, or as soon as the other side has said anything (RFC 3261 9.1).
    pub(crate) fn cancel(&mut self, desk: &mut Desk<'_>, reason: &str) {
        if self.tx.is_open() && self.cancel == Cancel::No {
            self.cancel = Cancel::Wanted(reason.into());
            if !self.tx.is_calling() {
                self.send_wanted_cancel(desk);
            }
        }
    }

    /// Nobody waits for an answer any more: one that comes late is declined.
    pub(crate) fn give_up(&mut self) {
        if matches!(self.cancel, Cancel::No | Cancel::Wanted(_)) {
            self.cancel = Cancel::Done;
        }
    }

    fn send_wanted_cancel(&mut self, desk: &mut Desk<'_>) {
        let Cancel::Wanted(reason) = &self.cancel else { return };
        let Ok(invite) = Message::parse(&self.request) else { return };
        let mut bytes = Vec::with_capacity(512);
        let request = like(&invite, Method::Cancel, invite.value(HeaderName::To), &mut bytes);
        let request = if reason.is_empty() { request } else { request.header(HeaderName::Reason, &**reason) };
        request.finish();
        let tx = ClientRequest::new(desk.now, self.hop.is_reliable());
        self.tx.end_at(desk.after(TIMER_B));
        self.cancel = Cancel::Sent { tx, request: bytes.as_slice().into() };
        desk.request(self.hop, bytes);
    }

    fn acknowledge_refusal(&mut self, desk: &mut Desk<'_>, response: &Message<'_>) {
        let mut bytes = Vec::with_capacity(512);
        if let Ok(invite) = Message::parse(&self.request) {
            like(&invite, Method::Ack, response.value(HeaderName::To), &mut bytes).finish();
        }
        self.request = Box::default();
        self.acknowledge(desk, response.to().tag().unwrap_or_default(), self.hop, bytes);
    }

    /// Sends the ACK of an answer and keeps it for the answer's repetitions.
    pub(crate) fn acknowledge(&mut self, desk: &mut Desk<'_>, tag: &str, hop: Hop, request: Vec<u8>) {
        if self.takes_answers() && !(hop.is_reliable() && self.tx.is_terminated()) {
            self.acks.push(Ack { tag: tag.into(), hop, request: request.as_slice().into() });
        }
        desk.request(hop, request);
    }

    /// True until as many answers were acknowledged as are remembered.
    pub(crate) fn takes_answers(&self) -> bool {
        self.acks.len() < MAX_ANSWERS
    }

    /// True if the answer with this tag was acknowledged.
    pub(crate) fn has_acknowledged(&self, tag: &str) -> bool {
        self.acks.iter().any(|ack| *ack.tag == *tag)
    }

    /// Sends the ACK of the answer with this tag again.
    pub(crate) fn repeat_ack(&self, desk: &mut Desk<'_>, tag: &str) {
        if let Some(ack) = self.acks.iter().find(|ack| *ack.tag == *tag) {
            desk.request(ack.hop, ack.request.to_vec());
        }
    }
}

/// Writes a request that goes the way of `invite` in its transaction: its ACK (RFC 3261 17.1.1.3) or CANCEL (9.1).
fn like<'b>(invite: &Message<'_>, method: Method<'_>, to: Option<&[u8]>, out: &'b mut Vec<u8>) -> Outgoing<'b> {
    let uri = invite.request_uri().map_or("", |uri| uri.as_str());
    Outgoing::request(out, method, uri)
        .header(HeaderName::Via, invite.value(HeaderName::Via).unwrap_or_default())
        .number(HeaderName::MaxForwards, 70)
        .copy_all(invite, HeaderName::Route)
        .header(HeaderName::From, invite.value(HeaderName::From).unwrap_or_default())
        .header(HeaderName::To, to.unwrap_or_default())
        .header(HeaderName::CallId, invite.call_id())
        .format(HeaderName::CSeq, format_args!("{} {method}", invite.cseq().number))
}

/// Writes `request` once more, with these header values in the place of its own.
pub(crate) fn anew(request: &Message<'_>, value: impl Fn(HeaderName<'_>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(request.bytes().len() + 64);
    let uri = request.request_uri().map_or("", |uri| uri.as_str());
    let mut out = Outgoing::request(&mut bytes, request.method(), uri);
    for header in request.headers().filter(|header| header.name != HeaderName::ContentLength) {
        out = match value(header.name) {
            Some(value) => out.header(header.name, value),
            None => out.copy(header),
        };
    }
    out.body("", request.body());
    bytes
}

impl Token {
    /// A new branch of `call`.
    pub(crate) fn branch(desk: &mut Desk<'_>, call: u64, part: u32) -> Self {
        Self::draw(Kind::Branch, call, part, desk.draw)
    }
}
