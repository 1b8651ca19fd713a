//! The INVITE server transaction (RFC 3261 17.2.1, RFC 6026 7.1).

use model::Time;
use serde::{Deserialize, Serialize};

use super::timer::{Repeat, T2, TIMER_H, TIMER_I, TIMER_L, unless_reliable};
use super::{Action, Class};

/// An INVITE that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInvite {
    state: State,
    reliable: bool,
    /// Timer G.
    repeat: Repeat,
    /// Timer H, I or L.
    end: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The INVITE came again.
    Invite,
    Ack,
    /// The owner wants to send this response.
    Response(Class),
    TimerG,
    /// Timer H, I or L, whichever the state has.
    End,
}

impl ServerInvite {
    /// The transaction of an INVITE that just came.
    #[must_use]
    pub const fn new(reliable: bool) -> Self {
        Self { state: State::Proceeding, reliable, repeat: Repeat::NEVER, end: Time::NEVER }
    }

    /// When something is due.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.repeat.at().min(self.end)
    }

    /// True until a final response was sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Proceeding
    }

    /// True after a 2xx was sent.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.state == State::Accepted
    }

    /// True while it lingers for repeated messages only.
    #[must_use]
    pub fn is_lingering(&self) -> bool {
        matches!(self.state, State::Accepted | State::Confirmed)
    }

    /// True once it can be forgotten.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    /// Takes in the INVITE that came again.
    pub fn invite(&mut self, now: Time) -> Action {
        self.on(now, Event::Invite)
    }

    /// Takes in an ACK.
    pub fn ack(&mut self, now: Time) -> Action {
        self.on(now, Event::Ack)
    }

    /// Notes that a response with this status is to be sent; it is to be sent only on [`Action::Send`].
    pub fn respond(&mut self, now: Time, status: u16) -> Action {
        self.on(now, Event::Response(Class::of(status)))
    }

    /// The connection that it came on is gone, and perhaps what was answered with it: the last response is to be sent again, a
    /// refusal until its ACK (RFC 3261 18.2.2 opens a new connection for it).
    pub fn flow_lost(&mut self, now: Time) -> Action {
        match self.state {
            State::Proceeding => Action::Send,
            State::Completed => {
                (self.reliable, self.repeat) = (false, Repeat::begin(now));
                Action::Send
            }
            State::Accepted | State::Confirmed | State::Terminated => Action::Nothing,
        }
    }

    /// Does what is due at `now`.
    pub fn expire(&mut self, now: Time) -> Action {
        if self.end <= now {
            self.on(now, Event::End)
        } else if self.repeat.at() <= now {
            self.on(now, Event::TimerG)
        } else {
            Action::Nothing
        }
    }

    fn on(&mut self, now: Time, event: Event) -> Action {
        let Some((next, action)) = step(self.state, event) else { return Action::Nothing };
        if event == Event::TimerG {
            self.repeat.again(now, T2);
        }
        if next != self.state {
            self.enter(now, next);
        }
        action
    }

    fn enter(&mut self, now: Time, state: State) {
        self.state = state;
        self.repeat = if state == State::Completed && !self.reliable { Repeat::begin(now) } else { Repeat::NEVER };
        self.end = match state {
            State::Completed => now + TIMER_H,
            State::Confirmed => now + unless_reliable(self.reliable, TIMER_I),
            State::Accepted => now + TIMER_L,
            State::Proceeding | State::Terminated => Time::NEVER,
        };
    }
}

/// RFC 3261 figure 7 as corrected by RFC 6026 figure 2 (7.1): one arm for each cell.
const fn step(state: State, event: Event) -> Option<(State, Action)> {
    use Class::{Failure, Provisional, Success};
    Some(match (state, event) {
        (State::Proceeding, Event::Invite) => (State::Proceeding, Action::Send),
        (State::Proceeding, Event::Response(Provisional)) => (State::Proceeding, Action::Send),
        (State::Proceeding, Event::Response(Success)) => (State::Accepted, Action::Send),
        (State::Proceeding, Event::Response(Failure)) => (State::Completed, Action::Send),
        // RFC 6026 7.1: the owner repeats its 2xx by itself; repeated INVITEs are absorbed, ACKs passed on.
        (State::Accepted, Event::Response(Success)) => (State::Accepted, Action::Send),
        (State::Accepted, Event::Ack) => (State::Accepted, Action::Pass),
        (State::Completed, Event::Invite | Event::TimerG) => (State::Completed, Action::Send),
        (State::Completed, Event::Ack) => (State::Confirmed, Action::Nothing),
        // Timer H
        (State::Completed, Event::End) => (State::Terminated, Action::TimedOut),
        // Timers I and L
        (State::Confirmed | State::Accepted, Event::End) => (State::Terminated, Action::Nothing),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] =
        [State::Proceeding, State::Accepted, State::Completed, State::Confirmed, State::Terminated];

    const EVENTS: [(Event, &str); 7] = [
        (Event::Invite, "INVITE"),
        (Event::Ack, "ACK"),
        (Event::Response(Class::Provisional), "send 1xx"),
        (Event::Response(Class::Success), "send 2xx"),
        (Event::Response(Class::Failure), "send 300-699"),
        (Event::TimerG, "Timer G"),
        (Event::End, "Timer H/I/L"),
    ];

    /// RFC 3261 figure 7 with RFC 6026 7.1, written out: each cell that is not listed is ignored.
    const TABLE: &str = "
        Proceeding  INVITE           Proceeding  Send
        Proceeding  send 1xx         Proceeding  Send
        Proceeding  send 2xx         Accepted    Send
        Proceeding  send 300-699     Completed   Send
        Accepted    ACK              Accepted    Pass
        Accepted    send 2xx         Accepted    Send
        Accepted    Timer H/I/L      Terminated  Nothing
        Completed   INVITE           Completed   Send
        Completed   ACK              Confirmed   Nothing
        Completed   Timer G          Completed   Send
        Completed   Timer H/I/L      Terminated  TimedOut
        Confirmed   Timer H/I/L      Terminated  Nothing
    ";

    #[test]
    fn every_cell_of_the_table() {
        super::super::tests::check_table(TABLE, &STATES, &EVENTS, step);
    }

    #[test]
    fn over_udp_a_refusal_repeats_until_its_ack() {
        let mut invite = ServerInvite::new(false);
        assert_eq!(invite.respond(Time::ZERO, 486), Action::Send);
        let mut sent = Vec::new();
        while invite.deadline() < Time::ZERO + TIMER_H {
            let now = invite.deadline();
            assert_eq!(invite.expire(now), Action::Send);
            sent.push(now.as_micros() / 1000);
        }
        assert_eq!(sent[..5], [500, 1_500, 3_500, 7_500, 11_500], "RFC 3261 17.2.1: doubling up to T2");
        assert_eq!(invite.ack(Time::from_micros(9)), Action::Nothing);
        assert_eq!(invite.deadline(), Time::from_micros(9) + TIMER_I);
    }

    #[test]
    fn over_tcp_a_refusal_is_sent_once_and_waits_for_its_ack_all_the_same() {
        let mut invite = ServerInvite::new(true);
        invite.respond(Time::ZERO, 486);
        assert_eq!(invite.deadline(), Time::ZERO + TIMER_H);
        assert_eq!(invite.expire(Time::ZERO + TIMER_H), Action::TimedOut);
    }

    #[test]
    fn a_refusal_whose_connection_is_lost_repeats() {
        let mut invite = ServerInvite::new(true);
        assert_eq!(invite.flow_lost(Time::ZERO), Action::Send);
        assert_eq!(invite.deadline(), Time::NEVER, "what is provisional needs no answer");
        invite.respond(Time::ZERO, 486);
        assert_eq!(invite.flow_lost(Time::ZERO), Action::Send);
        assert_eq!(invite.expire(Time::from_micros(500_000)), Action::Send);
        invite.ack(Time::from_micros(500_000));
        assert_eq!(invite.flow_lost(Time::from_micros(500_000)), Action::Nothing);
    }
}
