//! A phone: how it registers and keeps its connection (RFC 3261 10.2, RFC 5626).

use model::{Chance, Span, Time};
use sip::Message;
use sip::transaction::{Action, ClientRequest};

use super::wording::{self, Registering, Who};

/// A registration is refreshed after so long, in milliseconds: least and most. Sooner than need be, so that there always are
/// some on their way.
const REFRESH: (u64, u64) = (15_000, 30_000);
/// When all are to be refreshed, each is after so long.
const RENEWAL: (u64, u64) = (0, 1_000);
/// One that failed is tried again after so long (RFC 5626 4.5: some time drawn, so that not all come at once).
const RETRY: (u64, u64) = (300, 1_500);
/// A connection that has ended is opened anew after so long.
const RECONNECT: (u64, u64) = (50, 300);
/// A phone asks whether its connection lives this often, and gives it up without an answer in that time. RFC 5626 4.4.1 allows a
/// ping every two minutes over TCP; an impatient phone finds losses sooner.
const PING: Span = Span::from_secs(2);
const PONG_LIMIT: Span = Span::from_secs(1);

/// What a phone wants of its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Send(Vec<u8>),
    Connect,
    Close,
    /// It waits for no answer to the REGISTER of this branch any more: the connection that it went by has ended.
    GiveUp(String),
}

/// How its connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// It has none, and opens one at this moment.
    Down(Time),
    Opening(Time),
    /// Up; the next ping, and when the last one is given up.
    Up(Time, Time),
}

/// A phone that registers, or a carrier's, which does not.
pub(super) struct Phone {
    pub(super) who: Who,
    /// The id of the agent at this phone.
    pub(super) agent: Option<String>,
    registers: bool,
    says: Registering,
    line: Line,
    call_id: String,
    seq: u32,
    tx: Option<(ClientRequest, Vec<u8>, String)>,
    proven: bool,
    next: Time,
    /// Registered, as far as the phone knows.
    pub(super) registered: bool,
    /// How often it had to register after it had lost its connection.
    pub(super) comebacks: u64,
    /// How often its connection stood and nothing came on it any more.
    pub(super) silences: u64,
    /// REGISTERs that had no answer or a refusal.
    pub(super) failures: u64,
    /// REGISTERs whose connection ended before they had an answer.
    pub(super) cut: u64,
    chance: Chance,
}

fn drawn(chance: &mut Chance, (least, most): (u64, u64)) -> Span {
    Span::from_millis(least + chance.below(most - least))
}

impl Phone {
    /// A phone; `alone`: it takes all other contacts of its extension away first.
    pub(super) fn new(who: Who, agent: Option<String>, registers: bool, alone: bool, mut chance: Chance) -> Self {
        let line = if who.tcp { Line::Down(Time::ZERO) } else { Line::Up(Time::NEVER, Time::NEVER) };
        // Not all at once: a solution that starts is not drilled yet.
        let next = if registers { Time::ZERO + drawn(&mut chance, (1, 2_000)) } else { Time::NEVER };
        let call_id = format!("r{:016x}@drill", chance.next_u64());
        let (tx, proven, registered) = (None, false, !registers);
        Self {
            who,
            agent,
            registers,
            says: if alone { Registering::Alone } else { Registering::Here },
            line,
            call_id,
            seq: 0,
            tx,
            proven,
            next,
            registered,
            comebacks: 0,
            silences: 0,
            failures: 0,
            cut: 0,
            chance,
        }
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self.line, Line::Up(..))
    }

    pub(super) fn deadline(&self) -> Time {
        let line = match self.line {
            Line::Down(at) | Line::Opening(at) => at,
            Line::Up(ping, limit) => ping.min(limit),
        };
        let tx = self.tx.as_ref().filter(|(tx, ..)| tx.is_open()).map_or(Time::NEVER, |(tx, ..)| tx.deadline());
        let next = if self.is_up() { self.next } else { Time::NEVER };
        line.min(tx).min(next)
    }

    /// Does what is due.
    pub(super) fn expire(&mut self, now: Time, wishes: &mut Vec<Wish>) {
        match self.line {
            Line::Down(at) if at <= now => {
                self.line = Line::Opening(now + Span::from_secs(2));
                wishes.push(Wish::Connect);
            }
            Line::Opening(at) if at <= now => {
                wishes.push(Wish::Close);
                self.closed(now, wishes);
            }
            Line::Up(_, limit) if limit <= now => {
                self.silences += 1;
                wishes.push(Wish::Close);
                self.closed(now, wishes);
            }
            Line::Up(ping, _) if ping <= now => {
                wishes.push(Wish::Send(b"\r\n\r\n".to_vec()));
                self.line = Line::Up(now + PING, now + PONG_LIMIT);
            }
            _ => {}
        }
        self.expire_registration(now, wishes);
    }

    fn expire_registration(&mut self, now: Time, wishes: &mut Vec<Wish>) {
        if let Some((tx, bytes, _)) = &mut self.tx
            && tx.is_open()
        {
            match tx.expire(now) {
                Action::Send => wishes.push(Wish::Send(bytes.clone())),
                Action::TimedOut => self.failed(now),
                _ => {}
            }
        }
        if self.next <= now && self.is_up() && self.registers {
            self.proven = false;
            self.register(now, None, wishes);
        }
    }

    fn register(&mut self, now: Time, refused: Option<&[u8]>, wishes: &mut Vec<Wish>) {
        self.seq += 1;
        self.next = Time::NEVER;
        let branch = format!("z9hG4bK{}-{}", self.call_id.replace('@', "."), self.seq);
        let bytes = wording::register(&self.who, &self.call_id, self.seq, &branch, self.says, refused);
        wishes.push(Wish::Send(bytes.clone()));
        self.tx = Some((ClientRequest::new(now, self.who.tcp), bytes, branch));
    }

    fn failed(&mut self, now: Time) {
        self.registered = false;
        self.failures += 1;
        self.tx = None;
        self.next = now + drawn(&mut self.chance, RETRY);
    }

    /// Takes the answer to a REGISTER.
    pub(super) fn response(&mut self, now: Time, response: &Message<'_>, wishes: &mut Vec<Wish>) {
        let status = response.status().unwrap_or_default();
        let Some((tx, _, branch)) = &mut self.tx else { return };
        if response.top_via().branch() != Some(branch.as_str())
            || tx.respond(now, status) != Action::Pass
            || status < 200
        {
            return;
        }
        match status {
            401 | 407 if !self.proven => {
                self.proven = true;
                self.register(now, Some(response.bytes()), wishes);
            }
            200..300 if self.says == Registering::Alone => {
                self.says = Registering::Here;
                self.proven = false;
                self.register(now, None, wishes);
            }
            200..300 if self.says == Registering::Gone => {
                self.registered = false;
                self.next = Time::NEVER;
            }
            200..300 => {
                self.registered = true;
                self.next = now + drawn(&mut self.chance, REFRESH);
            }
            _ => self.failed(now),
        }
    }

    /// It refreshes its registration soon, if it has one.
    pub(super) fn renew(&mut self, now: Time) {
        if self.registers && self.registered && self.next != Time::NEVER {
            self.next = self.next.min(now + drawn(&mut self.chance, RENEWAL));
        }
    }

    /// It takes its leave: who comes after it must not find its contact.
    pub(super) fn leave(&mut self, now: Time) {
        if self.registers {
            self.says = Registering::Gone;
            self.tx = None;
            self.next = now;
        }
    }

    /// Its connection is open: it registers anew on it (RFC 5626 4.4.1).
    pub(super) fn connected(&mut self, now: Time) {
        self.line = Line::Up(now + PING, Time::NEVER);
        if self.registers {
            self.comebacks += u64::from(self.seq > 0);
            self.next = now;
        }
    }

    /// Its connection has ended.
    pub(super) fn closed(&mut self, now: Time, wishes: &mut Vec<Wish>) {
        if self.who.tcp {
            self.line = Line::Down(now + drawn(&mut self.chance, RECONNECT));
            if let Some((_, _, branch)) = self.tx.take().filter(|(tx, ..)| tx.is_open()) {
                self.cut += 1;
                wishes.push(Wish::GiveUp(branch));
            }
        }
    }

    /// Something was heard on its connection.
    pub(super) const fn heard(&mut self) {
        if let Line::Up(ping, _) = self.line {
            self.line = Line::Up(ping, Time::NEVER);
        }
    }
}
