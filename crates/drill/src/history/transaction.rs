//! One request and its answers.

use super::{Event, LegKey, Message, Nanos, Rule};

/// A transaction as its peer sees it.
pub(super) struct Transaction {
    leg: LegKey,
    method: String,
    /// The dialog of the request lived when it was sent: established, and no BYE seen.
    in_live_dialog: bool,
    from_tag: String,
    cseq: u32,
    vias: usize,
    fingerprint: u64,
    /// The To tag: the request's, else that of the first answer beyond 100.
    tag: String,
    /// Status and fingerprint of every different provisional answer.
    provisional: Vec<(u16, u64)>,
    last: Option<(u16, u64)>,
    acknowledged: bool,
    repeated: bool,
    given_up: bool,
    last_at: Nanos,
}

impl Transaction {
    pub(super) fn new(event: &Event, in_live_dialog: bool) -> Self {
        let message = &event.message;
        Self {
            leg: (message.call_id.clone(), event.peer),
            method: message.method.clone(),
            in_live_dialog: in_live_dialog && !message.to_tag.is_empty(),
            from_tag: message.from_tag.clone(),
            cseq: message.cseq,
            vias: message.vias,
            fingerprint: message.fingerprint,
            tag: message.to_tag.clone(),
            provisional: Vec::new(),
            last: None,
            acknowledged: false,
            repeated: false,
            given_up: false,
            last_at: event.at,
        }
    }

    pub(super) const fn leg(&self) -> &LegKey {
        &self.leg
    }

    pub(super) const fn is_changed_by(&self, repeat: &Message) -> bool {
        self.fingerprint != repeat.fingerprint
    }

    /// Its request was sent again.
    pub(super) const fn again(&mut self) {
        self.repeated = true;
    }

    /// Its sender waits for an answer no longer.
    pub(super) const fn give_up(&mut self) {
        self.given_up = true;
    }

    /// A BYE that was sent once: nothing but this BYE can have ended its dialog from its sender's side.
    pub(super) fn is_first_bye(&self) -> bool {
        self.method == "BYE" && !self.repeated
    }

    /// RFC 3261 9.1: not before a provisional answer. A final one may be on its way meanwhile.
    pub(super) const fn may_be_cancelled(&self) -> bool {
        !self.provisional.is_empty() || self.last.is_some()
    }

    /// What is wrong with this answer of the server, given those before it, and whether its dialog lives now.
    pub(super) fn judge(&self, answer: &Message, status: u16, is_live: bool) -> Vec<Rule> {
        let mut broken = Vec::new();
        let echoed = answer.call_id == self.leg.0
            && answer.from_tag == self.from_tag
            && answer.cseq == self.cseq
            && answer.vias == self.vias;
        if !echoed {
            broken.push(Rule::NotEchoed);
        }
        if status > 100 {
            if answer.to_tag.is_empty() {
                broken.push(Rule::NoTag);
            } else if !self.tag.is_empty() && self.tag != answer.to_tag {
                broken.push(Rule::TagChanged);
            }
        }
        match self.last {
            Some(_) if status < 200 => broken.push(Rule::ProvisionalAfterFinal),
            Some((last, _)) if last != status => broken.push(Rule::SecondFinal),
            Some((_, fingerprint)) if fingerprint != answer.fingerprint => broken.push(Rule::FinalChanged),
            _ => {}
        }
        if self.method == "INVITE" && (200..300).contains(&status) && !answer.has_contact {
            broken.push(Rule::NoContact);
        }
        if status == 481 && self.in_live_dialog && is_live {
            broken.push(Rule::LiveDialogDenied);
        }
        broken
    }

    /// Notes an answer, and says whether it is a new one.
    pub(super) fn answered(&mut self, answer: &Message, status: u16) -> bool {
        if status > 100 && self.tag.is_empty() {
            self.tag.clone_from(&answer.to_tag);
        }
        let seen = (status, answer.fingerprint);
        if status >= 200 {
            let is_new = self.last != Some(seen);
            self.last.get_or_insert(seen);
            return is_new;
        }
        let is_new = !self.provisional.contains(&seen);
        if is_new {
            self.provisional.push(seen);
        }
        is_new
    }

    /// Notes an ACK, and says whether there was something to acknowledge.
    pub(super) const fn acknowledged(&mut self) -> bool {
        self.acknowledged = true;
        self.last.is_some()
    }

    /// When its request was seen.
    pub(super) const fn last_at(&self) -> Nanos {
        self.last_at
    }

    /// Nothing is owed any more.
    pub(super) fn is_complete(&self, by_server: bool) -> bool {
        (self.last.is_some() || self.given_up) && self.left_open(by_server).is_none()
    }

    /// What is missing at the end.
    pub(super) fn left_open(&self, by_server: bool) -> Option<Rule> {
        if by_server {
            let waits = self.method == "INVITE" && self.last.is_some() && !self.acknowledged;
            return waits.then_some(Rule::NeverAcknowledged);
        }
        (self.last.is_none() && !self.given_up).then_some(Rule::NeverAnswered)
    }
}
