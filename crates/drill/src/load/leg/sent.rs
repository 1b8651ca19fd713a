//! Requests that a leg has sent.

use model::Time;
use sip::Method;
use sip::transaction::{Action, ClientInvite, ClientRequest};

use super::super::wording::{self, Who};
use super::{Effects, Happening};

/// An INVITE that was sent.
pub(super) struct InviteOut {
    pub(super) tx: ClientInvite,
    pub(super) bytes: Vec<u8>,
    pub(super) branch: String,
    pub(super) seq: u32,
    pub(super) ack: Vec<u8>,
    /// It began the call; else it changes the session.
    pub(super) first: bool,
    pub(super) proven: bool,
    pub(super) cancel: Cancel,
}

pub(super) enum Cancel {
    No,
    /// As soon as a provisional answer came (RFC 3261 9.1).
    Wanted,
    Sent(ClientRequest, Vec<u8>),
}

/// Another request that was sent.
pub(super) struct RequestOut {
    pub(super) tx: ClientRequest,
    pub(super) bytes: Vec<u8>,
    pub(super) branch: String,
    /// It was sent more than once.
    pub(super) is_repeated: bool,
}

impl InviteOut {
    pub(super) fn send_cancel(&mut self, now: Time, who: &Who, fx: &mut Effects) {
        let bytes = wording::echo(Method::Cancel, &self.bytes, None);
        fx.out.push(bytes.clone());
        self.cancel = Cancel::Sent(ClientRequest::new(now, who.tcp), bytes);
    }

    pub(super) fn deadline(&self) -> Time {
        let own = if self.tx.is_open() { self.tx.deadline() } else { Time::NEVER };
        match &self.cancel {
            Cancel::Sent(tx, _) if tx.is_open() => own.min(tx.deadline()),
            _ => own,
        }
    }

    pub(super) fn expire(&mut self, now: Time, fx: &mut Effects) {
        if self.tx.is_open() {
            match self.tx.expire(now) {
                Action::Send => fx.out.push(self.bytes.clone()),
                Action::TimedOut => fx.happened.push(Happening::Silence("INVITE")),
                _ => {}
            }
        }
        if let Cancel::Sent(tx, bytes) = &mut self.cancel
            && tx.is_open()
        {
            match tx.expire(now) {
                Action::Send => fx.out.push(bytes.clone()),
                Action::TimedOut => fx.happened.push(Happening::Silence("CANCEL")),
                _ => {}
            }
        }
    }
}
