//! No call lost: a call gets the answer that the people at its ends would give, goes on until one of them hangs up, and
//! then ends at both ends.

use std::collections::BTreeSet;

use model::{Span, Time};

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "calls kept";

/// What the plan lets a call expect.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Somebody is there who answers.
    pub answer: bool,
    /// The caller acknowledges the answer.
    pub acknowledges: bool,
    /// A callee behaves against the rules.
    pub rude: bool,
}

/// What both ends of a call have seen.
#[derive(Clone, Debug)]
pub struct Truth {
    /// When it was dialled.
    pub at: Time,
    caller: u8,
    /// It was there when the servers began from cold.
    excused: bool,
    /// The servers began from cold after it: its last goodbyes may find nobody who knows of it.
    forgotten: bool,
    cancelled: bool,
    impatient: bool,
    answers: Vec<(Time, u16)>,
    connected: Vec<(Time, u8, bool)>,
    ended: Vec<(Time, u8, bool, bool)>,
    refused: Vec<(Time, &'static str, u16)>,
    /// Another host with an address of its own has taken over: what was on its way to the former one comes to nothing.
    moved: bool,
    /// Phones whose answer nobody acknowledged.
    unacknowledged: Vec<u8>,
}

/// How far apart two ends may see the same end of a call: the timers of a lost message.
const CROSSING: Span = Span::from_secs(5);

impl Truth {
    /// A call that phone `caller` dials.
    #[must_use]
    pub const fn new(at: Time, caller: u8) -> Self {
        Self {
            at,
            caller,
            excused: false,
            forgotten: false,
            cancelled: false,
            impatient: false,
            answers: Vec::new(),
            connected: Vec::new(),
            ended: Vec::new(),
            refused: Vec::new(),
            moved: false,
            unacknowledged: Vec::new(),
        }
    }

    /// The servers began from cold.
    pub fn cold_start(&mut self) {
        let talked = self.connected.iter().any(|(_, _, caller)| *caller) && self.ended.len() >= self.connected.len();
        let done = talked || self.answers.iter().any(|(_, status)| *status >= 300);
        self.excused |= !done;
        self.forgotten = true;
    }

    /// The connection of a phone has died with what was on its way. Whoever is rung or talks goes on, on whichever connection
    /// the phone comes back, though a request of the phone that was on its way comes to nothing (RFC 3261 8.1.3.1): so does a
    /// call that it is only making.
    pub fn connection_lost(&mut self, phone: u8) {
        if self.connected.len() < 2 && self.caller == phone {
            self.cold_start();
        }
        self.forgotten = true;
    }

    /// Another host with an address of its own has taken over. The call goes on, but a request of a phone that was on its way
    /// to the former one has come to nothing, and a phone that rang is rung anew, if it has answered meanwhile too.
    pub const fn moved(&mut self) {
        (self.moved, self.forgotten) = (true, true);
    }

    /// The caller has its final answer; 0 for none.
    pub fn answered(&mut self, now: Time, status: u16) {
        self.answers.push((now, status));
    }

    /// The caller has given up after waiting too long.
    #[must_use]
    pub const fn is_impatient(&self) -> bool {
        self.impatient
    }

    /// The caller has given up, out of impatience or as planned.
    pub fn cancelled(&mut self, impatient: bool) {
        self.cancelled |= !impatient;
        self.impatient |= impatient;
    }

    /// An end talks.
    pub fn connected(&mut self, now: Time, phone: u8, caller: bool) {
        self.connected.push((now, phone, caller));
    }

    /// An end is out of the call.
    pub fn ended(&mut self, now: Time, phone: u8, caller: bool, by_me: bool) {
        self.ended.push((now, phone, caller, by_me));
    }

    /// A request of an end was refused.
    pub fn refused(&mut self, now: Time, method: &'static str, status: u16) {
        self.refused.push((now, method, status));
    }

    /// An answer of a phone was not acknowledged for as long as it was repeated.
    pub fn unacknowledged(&mut self, phone: u8) {
        self.unacknowledged.push(phone);
    }

    /// Everything is over.
    ///
    /// # Errors
    /// If the call did not go as its people wanted.
    pub fn conclude(&self, expected: &Expected) -> Verdict {
        if self.excused {
            return Ok(());
        }
        self.check_answer(expected)?;
        self.check_ends(expected)?;
        self.check_acknowledged(expected)?;
        self.check_refusals(expected)
    }

    /// RFC 3261 13.2.2.4: every answer is acknowledged, also one that comes too late.
    fn check_acknowledged(&self, expected: &Expected) -> Verdict {
        match self.unacknowledged.first() {
            Some(phone) if expected.acknowledges && !self.forgotten => {
                Err(format!("the answer of phone {phone} was never acknowledged"))
            }
            _ => Ok(()),
        }
    }

    fn check_answer(&self, expected: &Expected) -> Verdict {
        match self.answers.as_slice() {
            [] => Err("the caller got no final answer".to_owned()),
            // His CANCEL may have gone to the former host.
            [(_, 0)] if self.moved && (self.cancelled || self.impatient) => Ok(()),
            [(_, 0)] => Err("the caller gave up waiting for any final answer".to_owned()),
            [(_, status)] if expected.answer && !self.cancelled && *status >= 300 => {
                let waited = if self.impatient { " after waiting too long" } else { "" };
                Err(format!("the caller got {status}{waited} although somebody was there to answer"))
            }
            [_] => Ok(()),
            several => Err(format!("the caller got several final answers: {several:?}")),
        }
    }

    fn hung_up(&self, caller: bool) -> bool {
        self.ended.iter().any(|(_, _, end, by_me)| *end == caller && *by_me)
    }

    fn check_ends(&self, expected: &Expected) -> Verdict {
        let caller_talked = self.connected.iter().any(|(_, _, caller)| *caller);
        let others = self.connected.iter().filter(|(_, _, caller)| !*caller).map(|(_, phone, _)| *phone);
        let callees: BTreeSet<u8> =
            others.chain(self.ended.iter().filter(|(_, _, caller, _)| !*caller).map(|(_, phone, ..)| *phone)).collect();
        if !expected.acknowledges || expected.rude {
            return Ok(());
        }
        if caller_talked && callees.is_empty() && !self.hung_up(true) && !self.hung_up(false) {
            return Err("the caller talks to nobody".to_owned());
        }
        // A phone that was rung anew has been in no conversation before.
        let talked =
            |at: &Time, phone: &u8| self.connected.iter().any(|(since, other, _)| other == phone && since <= at);
        let counts = |at: &Time, phone: &u8| !self.moved || talked(at, phone);
        let by_server = |caller: bool| {
            self.ended.iter().any(|(at, phone, end, by_me)| *end == caller && !*by_me && counts(at, phone))
        };
        if by_server(true) && !self.hung_up(false) {
            return Err("the caller was hung up on although no callee had hung up".to_owned());
        }
        if caller_talked && callees.len() == 1 && by_server(false) && !self.hung_up(true) {
            return Err("the callee was hung up on although the caller had not hung up".to_owned());
        }
        for (_, phone, caller) in &self.connected {
            if !self.ended.iter().any(|(_, other, end, _)| other == phone && end == caller) {
                return Err(format!("phone {phone} never got to know that the call is over"));
            }
        }
        Ok(())
    }

    fn check_refusals(&self, expected: &Expected) -> Verdict {
        for (at, method, status) in &self.refused {
            // Two ends that hang up at once cross each other.
            let crossing = self.ended.iter().any(|(ended, ..)| *ended <= *at + CROSSING && *at <= *ended + CROSSING);
            // RFC 3261 14.2: a re-INVITE that overtakes the ACK before it is refused with 500, to be tried again.
            let overtook = *method == "INVITE" && *status == 500;
            let tolerated =
                self.forgotten || crossing && matches!(status, 480 | 481 | 487) || overtook || !expected.acknowledges;
            if !tolerated {
                return Err(format!("a {method} of phone {} or its peer was refused with {status}", self.caller));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WILLING: Expected = Expected { answer: true, acknowledges: true, rude: false };

    fn talked() -> Truth {
        let mut truth = Truth::new(Time::ZERO, 0);
        truth.answered(Time::ZERO, 200);
        truth.connected(Time::ZERO, 0, true);
        truth.connected(Time::ZERO, 1, false);
        truth
    }

    #[test]
    fn it_notices_calls_that_go_wrong() {
        let mut good = talked();
        good.ended(Time::ZERO, 0, true, true);
        let half = good.clone();
        good.ended(Time::ZERO, 1, false, false);
        good.conclude(&WILLING).unwrap();
        half.conclude(&WILLING).unwrap_err();
        let mut late = good.clone();
        late.unacknowledged(2);
        late.conclude(&WILLING).unwrap_err();
        late.conclude(&Expected { acknowledges: false, ..WILLING }).unwrap();

        let mut cut = talked();
        cut.ended(Time::ZERO, 0, true, false);
        cut.ended(Time::ZERO, 1, false, false);
        cut.conclude(&WILLING).unwrap_err();

        let mut refused = Truth::new(Time::ZERO, 0);
        refused.conclude(&WILLING).unwrap_err();
        refused.answered(Time::ZERO, 480);
        refused.conclude(&WILLING).unwrap_err();
        refused.conclude(&Expected { answer: false, ..WILLING }).unwrap();
        refused.answered(Time::ZERO, 200);
        refused.conclude(&Expected { answer: false, ..WILLING }).unwrap_err();
    }
}
