//! The INVITE client transaction (RFC 3261 17.1.1, RFC 6026 7.2).

use model::{Span, Time};
use serde::{Deserialize, Serialize};

use super::timer::{Repeat, TIMER_B, TIMER_D, TIMER_M, unless_reliable};
use super::{Action, Class};

/// An INVITE that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInvite {
    state: State,
    reliable: bool,
    /// Timer A.
    repeat: Repeat,
    /// Timer B, D or M.
    end: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
    /// Given up, but an answer may be on its way yet: who gives it must hear an ACK and a BYE (RFC 3261 13.2.2.4).
    GivenUp,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Response(Class),
    TimerA,
    /// Timer B, D or M, whichever the state has.
    End,
    TransportError,
}

impl ClientInvite {
    /// The transaction of an INVITE that is sent now.
    #[must_use]
    pub fn new(now: Time, reliable: bool) -> Self {
        let repeat = if reliable { Repeat::NEVER } else { Repeat::begin(now) };
        Self { state: State::Calling, reliable, repeat, end: now + TIMER_B }
    }

    /// When something is due.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.repeat.at().min(self.end)
    }

    /// True before the first response: a CANCEL must wait until then (RFC 3261 9.1).
    #[must_use]
    pub fn is_calling(&self) -> bool {
        self.state == State::Calling
    }

    /// True until a final response came.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// True after a 2xx came.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.state == State::Accepted
    }

    /// True while it lingers for repeated or late responses only.
    #[must_use]
    pub fn is_lingering(&self) -> bool {
        matches!(self.state, State::Completed | State::Accepted | State::GivenUp)
    }

    /// True once it can be forgotten.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    /// Takes in a response.
    pub fn respond(&mut self, now: Time, status: u16) -> Action {
        self.on(now, Event::Response(Class::of(status)))
    }

    /// The transport could not deliver the request.
    pub fn fail(&mut self, now: Time) -> Action {
        self.on(now, Event::TransportError)
    }

    /// The connection that it was sent on is gone, and with it what was on its way there, in either direction. Until something
    /// is heard again, on whichever connection, it is repeated as on a transport that loses messages (RFC 3261 18.4 leaves it to
    /// the owner to fail; who gives a call up because its connection broke loses it, see RFC 5626 4.4).
    pub fn flow_lost(&mut self, now: Time) -> Action {
        if !self.is_open() {
            return Action::Nothing;
        }
        (self.reliable, self.repeat) = (false, Repeat::begin(now));
        Action::Send
    }

    /// False once it is repeated for want of a connection that carries it.
    #[must_use]
    pub const fn is_reliable(&self) -> bool {
        self.reliable
    }

    /// Gives up waiting for a final response at `end`: the wait after a CANCEL (RFC 3261 9.1), or Timer C.
    pub fn end_at(&mut self, end: Time) {
        if self.state == State::Proceeding {
            self.end = end;
        }
    }

    /// Sends it no more: what it was for is over. An answer may be on its way, and is taken as before.
    pub const fn repeat_no_more(&mut self) {
        self.repeat = Repeat::NEVER;
    }

    /// Does what is due at `now`.
    pub fn expire(&mut self, now: Time) -> Action {
        if self.end <= now {
            self.on(now, Event::End)
        } else if self.repeat.at() <= now {
            self.on(now, Event::TimerA)
        } else {
            Action::Nothing
        }
    }

    fn on(&mut self, now: Time, event: Event) -> Action {
        let Some((next, action)) = step(self.state, event) else { return Action::Nothing };
        if event == Event::TimerA {
            self.repeat.again(now, Span::from_micros(u64::MAX));
        }
        if next != self.state {
            self.enter(now, next);
        } else if matches!(event, Event::Response(_)) {
            self.repeat = Repeat::NEVER;
        }
        action
    }

    fn enter(&mut self, now: Time, state: State) {
        self.state = state;
        self.repeat = Repeat::NEVER;
        self.end = match state {
            State::Completed => now + unless_reliable(self.reliable, TIMER_D),
            State::Accepted | State::GivenUp => now + TIMER_M,
            State::Calling | State::Proceeding | State::Terminated => Time::NEVER,
        };
    }
}

/// RFC 3261 figure 5 as corrected by RFC 6026 figure 1 (7.2): one arm for each cell.
const fn step(state: State, event: Event) -> Option<(State, Action)> {
    use Class::{Failure, Provisional, Success};
    Some(match (state, event) {
        // 17.1.1.2: "If the client transaction is in the Calling state"
        (State::Calling, Event::TimerA) => (State::Calling, Action::Send),
        // Runs there only after `flow_lost`: the other side then says again what it said.
        (State::Proceeding, Event::TimerA) => (State::Proceeding, Action::Send),
        (State::Calling | State::Proceeding, Event::TransportError) => (State::Terminated, Action::Failed),
        (State::Calling | State::Proceeding, Event::Response(Provisional)) => (State::Proceeding, Action::Pass),
        (State::Calling | State::Proceeding, Event::Response(Failure)) => {
            (State::Completed, Action::AcknowledgeAndPass)
        }
        // RFC 6026 7.2: a 2xx leads to Accepted, where each further one is passed on.
        (State::Calling | State::Proceeding | State::Accepted, Event::Response(Success)) => {
            (State::Accepted, Action::Pass)
        }
        // Timer B, or the limit that the owner set by `end_at`. The figure ends here; see `GivenUp`.
        (State::Calling | State::Proceeding, Event::End) => (State::GivenUp, Action::TimedOut),
        (State::GivenUp, Event::Response(Success)) => (State::Accepted, Action::Pass),
        (State::Completed, Event::Response(Failure)) => (State::Completed, Action::Acknowledge),
        (State::Completed, Event::TransportError) => (State::Terminated, Action::Failed),
        // Timers D and M
        (State::Completed | State::Accepted | State::GivenUp, Event::End) => (State::Terminated, Action::Nothing),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::timer::T1;
    use super::*;

    const STATES: [State; 6] =
        [State::Calling, State::Proceeding, State::Completed, State::Accepted, State::Terminated, State::GivenUp];

    const EVENTS: [(Event, &str); 6] = [
        (Event::Response(Class::Provisional), "1xx"),
        (Event::Response(Class::Success), "2xx"),
        (Event::Response(Class::Failure), "300-699"),
        (Event::TimerA, "Timer A"),
        (Event::End, "Timer B/D/M"),
        (Event::TransportError, "transport error"),
    ];

    /// RFC 3261 figure 5 with RFC 6026 7.2, written out, what comes late, and Timer A after a flow was lost: each cell that is not listed is ignored.
    const TABLE: &str = "
        Calling     1xx              Proceeding  Pass
        Calling     2xx              Accepted    Pass
        Calling     300-699          Completed   AcknowledgeAndPass
        Calling     Timer A          Calling     Send
        Calling     Timer B/D/M      GivenUp     TimedOut
        Calling     transport error  Terminated  Failed
        Proceeding  1xx              Proceeding  Pass
        Proceeding  2xx              Accepted    Pass
        Proceeding  300-699          Completed   AcknowledgeAndPass
        Proceeding  Timer A          Proceeding  Send
        Proceeding  Timer B/D/M      GivenUp     TimedOut
        Proceeding  transport error  Terminated  Failed
        Completed   300-699          Completed   Acknowledge
        Completed   Timer B/D/M      Terminated  Nothing
        Completed   transport error  Terminated  Failed
        Accepted    2xx              Accepted    Pass
        Accepted    Timer B/D/M      Terminated  Nothing
        GivenUp     2xx              Accepted    Pass
        GivenUp     Timer B/D/M      Terminated  Nothing
    ";

    #[test]
    fn every_cell_of_the_table() {
        super::super::tests::check_table(TABLE, &STATES, &EVENTS, step);
    }

    #[test]
    fn over_udp_it_repeats_with_doubling_pauses_until_timer_b() {
        let mut invite = ClientInvite::new(Time::ZERO, false);
        let mut sent = Vec::new();
        loop {
            let now = invite.deadline();
            match invite.expire(now) {
                Action::Send => sent.push(now.as_micros() / 1000),
                action => break assert_eq!((action, now), (Action::TimedOut, Time::ZERO + TIMER_B)),
            }
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500], "RFC 3261 17.1.1.2");
    }

    #[test]
    fn over_tcp_nothing_repeats_and_timer_d_is_zero() {
        let mut invite = ClientInvite::new(Time::ZERO, true);
        assert_eq!(invite.deadline(), Time::ZERO + TIMER_B);
        assert_eq!(invite.respond(Time::from_micros(5), 486), Action::AcknowledgeAndPass);
        assert_eq!(invite.deadline(), Time::from_micros(5), "RFC 3261 17.1.1.2: zero for reliable transports");
    }

    #[test]
    fn who_has_lost_its_flow_repeats_until_something_is_heard() {
        for rings in [false, true] {
            let mut invite = ClientInvite::new(Time::ZERO, true);
            if rings {
                invite.respond(Time::ZERO, 180);
            }
            assert_eq!(invite.flow_lost(Time::ZERO), Action::Send);
            assert_eq!(invite.expire(Time::ZERO + T1), Action::Send);
            assert_eq!(invite.deadline(), Time::ZERO + T1.times(3));
            assert_eq!(invite.respond(Time::ZERO + T1, 180), Action::Pass);
            assert_eq!(invite.deadline(), Time::NEVER);
            invite.respond(Time::ZERO + T1, 486);
            assert_eq!(invite.deadline(), Time::ZERO + T1 + TIMER_D, "the refusal may be repeated");
            assert_eq!(invite.flow_lost(Time::ZERO + T1), Action::Nothing);
        }
    }

    #[test]
    fn after_a_provisional_it_waits_without_limit_unless_told_so() {
        let mut invite = ClientInvite::new(Time::ZERO, false);
        invite.end_at(Time::from_micros(9));
        assert_eq!(invite.end, Time::ZERO + TIMER_B, "before a provisional Timer B holds");
        invite.respond(Time::ZERO, 180);
        assert_eq!(invite.deadline(), Time::NEVER);
        invite.end_at(Time::from_micros(9));
        assert_eq!(invite.expire(Time::from_micros(9)), Action::TimedOut);
    }
}
