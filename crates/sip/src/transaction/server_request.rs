//! The non-INVITE server transaction (RFC 3261 17.2.2).

use model::Time;
use serde::{Deserialize, Serialize};

use super::timer::{TIMER_J, unless_reliable};
use super::{Action, Class};

/// A request other than INVITE and ACK that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRequest {
    state: State,
    reliable: bool,
    /// Timer J.
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
    /// The request came again.
    Request,
    /// The owner wants to send a provisional response.
    Provisional,
    /// The owner wants to send a final response.
    Final,
    TimerJ,
}

impl ServerRequest {
    /// The transaction of a request that just came.
    #[must_use]
    pub const fn new(reliable: bool) -> Self {
        Self { state: State::Trying, reliable, end: Time::NEVER }
    }

    /// When something is due.
    #[must_use]
    pub const fn deadline(&self) -> Time {
        self.end
    }

    /// True until a final response was sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// True while it lingers for repeated requests only.
    #[must_use]
    pub fn is_lingering(&self) -> bool {
        self.state == State::Completed
    }

    /// True once it can be forgotten.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    /// Takes in the request that came again.
    pub fn request(&mut self, now: Time) -> Action {
        self.on(now, Event::Request)
    }

    /// Notes that a response with this status is to be sent; it is to be sent only on [`Action::Send`].
    pub fn respond(&mut self, now: Time, status: u16) -> Action {
        self.on(now, if Class::of(status) == Class::Provisional { Event::Provisional } else { Event::Final })
    }

    /// Does what is due at `now`.
    pub fn expire(&mut self, now: Time) -> Action {
        if self.end <= now { self.on(now, Event::TimerJ) } else { Action::Nothing }
    }

    fn on(&mut self, now: Time, event: Event) -> Action {
        let Some((next, action)) = step(self.state, event) else { return Action::Nothing };
        if next != self.state {
            self.state = next;
            self.end = match next {
                State::Completed => now + unless_reliable(self.reliable, TIMER_J),
                State::Trying | State::Proceeding | State::Terminated => Time::NEVER,
            };
        }
        action
    }
}

/// RFC 3261 figure 8: one arm for each cell.
const fn step(state: State, event: Event) -> Option<(State, Action)> {
    Some(match (state, event) {
        (State::Trying | State::Proceeding, Event::Provisional) => (State::Proceeding, Action::Send),
        (State::Trying | State::Proceeding, Event::Final) => (State::Completed, Action::Send),
        (State::Proceeding, Event::Request) => (State::Proceeding, Action::Send),
        (State::Completed, Event::Request) => (State::Completed, Action::Send),
        (State::Completed, Event::TimerJ) => (State::Terminated, Action::Nothing),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 4] = [State::Trying, State::Proceeding, State::Completed, State::Terminated];

    const EVENTS: [(Event, &str); 4] = [
        (Event::Request, "request"),
        (Event::Provisional, "send 1xx"),
        (Event::Final, "send 200-699"),
        (Event::TimerJ, "Timer J"),
    ];

    /// RFC 3261 figure 8, written out: each cell that is not listed is ignored.
    const TABLE: &str = "
        Trying      send 1xx         Proceeding  Send
        Trying      send 200-699     Completed   Send
        Proceeding  request          Proceeding  Send
        Proceeding  send 1xx         Proceeding  Send
        Proceeding  send 200-699     Completed   Send
        Completed   request          Completed   Send
        Completed   Timer J          Terminated  Nothing
    ";

    #[test]
    fn every_cell_of_the_table() {
        super::super::tests::check_table(TABLE, &STATES, &EVENTS, step);
    }

    #[test]
    fn the_answer_is_kept_for_timer_j_over_udp_only() {
        for (reliable, kept) in [(false, TIMER_J), (true, model::Span::ZERO)] {
            let mut request = ServerRequest::new(reliable);
            assert_eq!(request.respond(Time::ZERO, 200), Action::Send);
            assert_eq!(request.deadline(), Time::ZERO + kept);
            assert_eq!(request.respond(Time::ZERO, 500), Action::Nothing, "one final response");
            request.expire(request.deadline());
            assert!(request.is_terminated());
        }
    }
}
