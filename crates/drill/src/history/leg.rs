//! One leg: the dialog between the server and one peer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Event, Nanos, Rule};

/// Steps of a ladder that are kept.
const MAX_STEPS: usize = 60;

/// In which state a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Begun, and nothing but 100 was heard.
    Trying,
    /// It waits in a queue: 182.
    Queued,
    /// A phone rings.
    Ringing,
    /// Answered, and the ACK is not there yet.
    AnsweredNotAcknowledged,
    /// Both ends talk.
    Talking,
    /// Both ends talk, and one of them is changing the session.
    ReinviteOpen,
    /// The caller or the server has given up, and the end is not there yet.
    BeingCancelled,
    /// BYE was sent, and not answered yet.
    BeingTornDown,
}

/// What both ends have sent each other.
#[derive(Default)]
pub(super) struct Leg {
    /// The peer began it: a caller.
    by_peer: bool,
    /// The status of the last provisional answer to the first INVITE.
    provisional: u16,
    established: bool,
    acknowledged: bool,
    cancelled: bool,
    /// A BYE was sent, and by the server.
    bye: bool,
    bye_by_server: bool,
    done: bool,
    /// The highest CSeq of the server's requests.
    cseq: u32,
    /// The branch of each INVITE, by sender (true: the server) and CSeq.
    invites: BTreeMap<(bool, u32), String>,
    /// The INVITEs without a final answer, in the same way.
    open: BTreeSet<(bool, u32)>,
    steps: Vec<(Nanos, bool, String)>,
    last_at: Nanos,
}

impl Leg {
    /// Writes the message on the ladder.
    pub(super) fn note(&mut self, event: &Event) {
        self.last_at = event.at;
        if self.steps.len() < MAX_STEPS {
            self.steps.push((event.at, event.by_server, event.message.label()));
        }
    }

    /// Established, and nobody has sent a BYE.
    pub(super) const fn is_live(&self) -> bool {
        self.established && !self.bye
    }

    /// The server has sent a BYE.
    pub(super) const fn ended_by_server(&self) -> bool {
        self.bye_by_server
    }

    /// Offered or talking, and nobody has begun to end it.
    pub(super) const fn is_busy(&self) -> bool {
        !self.done && !self.bye && !self.cancelled
    }

    /// Takes a new request, and says what is wrong with it if the server sent it.
    pub(super) fn request(&mut self, event: &Event) -> Vec<Rule> {
        let message = &event.message;
        let mut broken = Vec::new();
        if event.by_server && message.method != "CANCEL" {
            if message.cseq <= self.cseq {
                broken.push(Rule::CSeqNotRising);
            }
            self.cseq = self.cseq.max(message.cseq);
            if self.bye_by_server || self.established && self.done {
                broken.push(Rule::AfterBye);
            }
        }
        match message.method.as_str() {
            "INVITE" => {
                if event.by_server && self.open.iter().any(|(by_server, _)| *by_server) {
                    broken.push(Rule::SecondInvite);
                }
                self.invite(event);
            }
            "CANCEL" => self.cancelled = true,
            "BYE" => {
                self.bye = true;
                self.bye_by_server |= event.by_server;
            }
            _ => {}
        }
        broken
    }

    fn invite(&mut self, event: &Event) {
        let message = &event.message;
        if message.to_tag.is_empty() {
            // The first of a call, or the one that answers a challenge (RFC 3261 22.2).
            self.by_peer = !event.by_server;
            self.done = false;
            self.acknowledged = false;
            self.provisional = 0;
        }
        self.invites.insert((event.by_server, message.cseq), message.branch.clone());
        self.open.insert((event.by_server, message.cseq));
    }

    /// Takes an answer to a request that was seen.
    pub(super) fn response(&mut self, event: &Event, status: u16) {
        let message = &event.message;
        match message.method.as_str() {
            "INVITE" if status < 200 => self.provisional = status,
            "INVITE" => {
                self.open.remove(&(!event.by_server, message.cseq));
                if status < 300 {
                    self.established = true;
                } else if !self.established && self.open.is_empty() {
                    // The challenge of an INVITE may come again after the one that answers it.
                    self.done = true;
                }
            }
            "BYE" if status >= 200 => self.done = true,
            _ => {}
        }
    }

    /// Takes an ACK.
    pub(super) const fn acknowledged(&mut self, event: &Event) {
        if event.by_server != self.by_peer {
            self.acknowledged = true;
        }
    }

    /// The branch of the INVITE that one end sent with this CSeq.
    pub(super) fn branch_of_invite(&self, by_server: bool, cseq: u32) -> Option<&str> {
        self.invites.get(&(by_server, cseq)).map(String::as_str)
    }

    /// The state of a call; `None` if it is over. A caller's leg tells it, but for the ending: a server in the
    /// middle may have answered the caller's CANCEL or BYE while its own to the phone is still open.
    pub(super) fn standing(&self) -> Option<Standing> {
        if self.done {
            return None;
        }
        if self.bye {
            return Some(Standing::BeingTornDown);
        }
        if self.cancelled && !self.established {
            return Some(Standing::BeingCancelled);
        }
        self.by_peer.then(|| self.standing_of_caller())
    }

    fn standing_of_caller(&self) -> Standing {
        if self.established && !self.acknowledged {
            Standing::AnsweredNotAcknowledged
        } else if self.established && !self.open.is_empty() {
            Standing::ReinviteOpen
        } else if self.established {
            Standing::Talking
        } else {
            match self.provisional {
                0..=100 => Standing::Trying,
                182 => Standing::Queued,
                _ => Standing::Ringing,
            }
        }
    }

    /// What is missing at the end.
    pub(super) const fn left_open(&self) -> Option<Rule> {
        if self.established && !self.bye { Some(Rule::NeverEnded) } else { None }
    }

    /// When the last message was seen.
    pub(super) const fn last_at(&self) -> Nanos {
        self.last_at
    }

    /// The messages, one a line, with milliseconds since the first.
    pub(super) fn ladder(&self) -> Vec<String> {
        let first = self.steps.first().map_or(0, |(at, ..)| *at);
        let line = |(at, by_server, label): &(Nanos, bool, String)| {
            let millis = at.saturating_sub(first) as f64 / 1e6;
            let arrow = if *by_server { "<--" } else { "-->" };
            format!("{millis:10.3} ms  peer {arrow} server  {label}")
        };
        self.steps.iter().map(line).collect()
    }
}
