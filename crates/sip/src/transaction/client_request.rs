//! The non-INVITE client transaction (RFC 3261 17.1.2).

use model::Time;
use serde::{Deserialize, Serialize};

use super::timer::{Repeat, T2, TIMER_F, TIMER_K, unless_reliable};
use super::{Action, Class};

/// A request other than INVITE and ACK that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRequest {
    state: State,
    reliable: bool,
    /// Timer E.
    repeat: Repeat,
    /// Timer F or K.
    end: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Provisional,
    Final,
    TimerE,
    /// Timer F or K, whichever the state has.
    End,
    TransportError,
}

impl ClientRequest {
    /// The transaction of a request that is sent now.
    #[must_use]
    pub fn new(now: Time, reliable: bool) -> Self {
        let repeat = if reliable { Repeat::NEVER } else { Repeat::begin(now) };
        Self { state: State::Trying, reliable, repeat, end: now + TIMER_F }
    }

    /// When something is due.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.repeat.at().min(self.end)
    }

    /// True until a final response came.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// True while it lingers for repeated responses only.
    #[must_use]
    pub fn is_lingering(&self) -> bool {
        self.state == State::Completed
    }

    /// True once it can be forgotten.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    /// Takes in a response.
    pub fn respond(&mut self, now: Time, status: u16) -> Action {
        self.on(now, if Class::of(status) == Class::Provisional { Event::Provisional } else { Event::Final })
    }

    /// The transport could not deliver the request.
    pub fn fail(&mut self, now: Time) -> Action {
        self.on(now, Event::TransportError)
    }

    /// The connection that it was sent on is gone: see [`super::ClientInvite::flow_lost`].
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

    /// Does what is due at `now`.
    pub fn expire(&mut self, now: Time) -> Action {
        if self.end <= now {
            self.on(now, Event::End)
        } else if self.repeat.at() <= now {
            self.on(now, Event::TimerE)
        } else {
            Action::Nothing
        }
    }

    fn on(&mut self, now: Time, event: Event) -> Action {
        let Some((next, action)) = step(self.state, event) else { return Action::Nothing };
        if event == Event::TimerE {
            // 17.1.2.2: the pause doubles up to T2, and is T2 from the first provisional response on.
            self.repeat.again(now, T2);
            if self.state == State::Proceeding {
                self.repeat.stretch(now, T2);
            }
        }
        if next != self.state {
            self.enter(now, next);
        }
        action
    }

    fn enter(&mut self, now: Time, state: State) {
        self.state = state;
        match state {
            State::Trying | State::Proceeding => {}
            State::Completed => {
                self.repeat = Repeat::NEVER;
                self.end = now + unless_reliable(self.reliable, TIMER_K);
            }
            State::Terminated => (self.repeat, self.end) = (Repeat::NEVER, Time::NEVER),
        }
    }
}

/// RFC 3261 figure 6: one arm for each cell.
const fn step(state: State, event: Event) -> Option<(State, Action)> {
    Some(match (state, event) {
        (State::Trying, Event::TimerE) => (State::Trying, Action::Send),
        (State::Proceeding, Event::TimerE) => (State::Proceeding, Action::Send),
        (State::Trying | State::Proceeding, Event::Provisional) => (State::Proceeding, Action::Pass),
        (State::Trying | State::Proceeding, Event::Final) => (State::Completed, Action::Pass),
        // Timer F
        (State::Trying | State::Proceeding, Event::End) => (State::Terminated, Action::TimedOut),
        (State::Trying | State::Proceeding, Event::TransportError) => (State::Terminated, Action::Failed),
        // Timer K
        (State::Completed, Event::End) => (State::Terminated, Action::Nothing),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 4] = [State::Trying, State::Proceeding, State::Completed, State::Terminated];

    const EVENTS: [(Event, &str); 5] = [
        (Event::Provisional, "1xx"),
        (Event::Final, "200-699"),
        (Event::TimerE, "Timer E"),
        (Event::End, "Timer F/K"),
        (Event::TransportError, "transport error"),
    ];

    /// RFC 3261 figure 6, written out: each cell that is not listed is ignored.
    const TABLE: &str = "
        Trying      1xx              Proceeding  Pass
        Trying      200-699          Completed   Pass
        Trying      Timer E          Trying      Send
        Trying      Timer F/K        Terminated  TimedOut
        Trying      transport error  Terminated  Failed
        Proceeding  1xx              Proceeding  Pass
        Proceeding  200-699          Completed   Pass
        Proceeding  Timer E          Proceeding  Send
        Proceeding  Timer F/K        Terminated  TimedOut
        Proceeding  transport error  Terminated  Failed
        Completed   Timer F/K        Terminated  Nothing
    ";

    #[test]
    fn every_cell_of_the_table() {
        super::super::tests::check_table(TABLE, &STATES, &EVENTS, step);
    }

    #[test]
    fn who_has_lost_its_flow_repeats() {
        let mut request = ClientRequest::new(Time::ZERO, true);
        assert_eq!(request.flow_lost(Time::ZERO), Action::Send);
        assert_eq!(repetitions(&mut request)[..3], [500, 1_500, 3_500]);
        assert_eq!(request.flow_lost(Time::ZERO), Action::Nothing, "it is over");
    }

    fn repetitions(request: &mut ClientRequest) -> Vec<u64> {
        let mut sent = Vec::new();
        while request.is_open() {
            let now = request.deadline();
            if request.expire(now) == Action::Send {
                sent.push(now.as_micros() / 1000);
            }
        }
        sent
    }

    #[test]
    fn over_udp_it_repeats_up_to_every_t2_until_timer_f() {
        let sent = repetitions(&mut ClientRequest::new(Time::ZERO, false));
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500], "17.1.2.2");
    }

    #[test]
    fn a_provisional_response_stretches_the_pauses_to_t2() {
        let mut request = ClientRequest::new(Time::ZERO, false);
        request.respond(Time::from_micros(1), 100);
        assert_eq!(repetitions(&mut request)[..3], [500, 4_500, 8_500], "RFC 3261 17.1.2.2");
    }

    #[test]
    fn over_tcp_nothing_repeats_and_timer_k_is_zero() {
        let mut request = ClientRequest::new(Time::ZERO, true);
        assert_eq!(request.deadline(), Time::ZERO + TIMER_F);
        request.respond(Time::from_micros(7), 200);
        assert_eq!(request.deadline(), Time::from_micros(7));
        assert_eq!(request.expire(Time::from_micros(7)), Action::Nothing);
        assert!(request.is_terminated());
    }
}
