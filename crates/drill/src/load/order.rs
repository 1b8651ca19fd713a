//! Whether the callers of a queue are served in their order.
//!
//! Only what is certain is judged: a caller was surely before another one if the server had answered the first before the
//! second called at all. Offers of one moment may reach the phones in another order, and one that a fault took with it is
//! sent again by its timer, after T1, 2 T1 and so on; so a caller counts as overtaken if a later one was offered to an agent, and
//! he himself was not within T2 from then (RFC 3261 17.1.1.2). A caller who was offered once has had his turn: what becomes of
//! him after an agent's refusal is not judged.

use std::collections::BTreeMap;

use model::{Span, Time};
use serde::{Deserialize, Serialize};
use sip::transaction::timer::T2;

/// A caller whose turn was taken by another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overtaken {
    /// The number of the queue.
    pub queue: String,
    /// The call that waits.
    pub call: u64,
    /// The later call that was served.
    pub by: u64,
}

/// A caller who waits.
#[derive(Clone, Copy, Debug)]
struct Visit {
    /// When the server was known to have heard of him.
    heard: Time,
    /// When somebody who came later was served, and who.
    overtaken: Option<(Time, u64)>,
}

/// The callers of one queue, as their phones know them.
#[derive(Clone, Debug, Default)]
pub struct Order {
    waiting: BTreeMap<u64, Visit>,
}

/// The longest pause between two copies of an offer that is on its way.
const PATIENCE: Span = T2;

impl Order {
    /// The server has heard of a caller.
    pub fn heard(&mut self, now: Time, call: u64) {
        self.waiting.entry(call).or_insert(Visit { heard: now, overtaken: None });
    }

    /// A caller who called at `begun` is offered to an agent.
    pub fn offered(&mut self, now: Time, call: u64, begun: Time) {
        self.waiting.remove(&call);
        for visit in self.waiting.values_mut().filter(|visit| visit.heard < begun) {
            visit.overtaken.get_or_insert((now, call));
        }
    }

    /// A caller does not wait any more.
    pub fn left(&mut self, call: u64) {
        self.waiting.remove(&call);
    }

    /// Who was overtaken for certain: the call, and by which one. Each is told once.
    pub fn certain(&mut self, now: Time) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        self.waiting.retain(|call, visit| match visit.overtaken {
            Some((at, by)) if now.since(at) > PATIENCE => {
                found.push((*call, by));
                false
            }
            _ => true,
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::ZERO + Span::from_millis(millis)
    }

    /// Two callers: the first was heard at 10 ms, the second called at 20 ms.
    fn two() -> Order {
        let mut order = Order::default();
        order.heard(at(10), 1);
        order.heard(at(25), 2);
        order
    }

    #[test]
    fn a_caller_who_is_overtaken_is_found() {
        let mut order = two();
        order.offered(at(100), 2, at(20));
        assert!(order.certain(at(4_000)).is_empty(), "his own offer may be on its way");
        assert_eq!(order.certain(at(4_101)), [(1, 2)]);
        assert!(order.certain(at(9_000)).is_empty(), "it is told once");
    }

    #[test]
    fn offers_of_one_moment_may_arrive_in_another_order() {
        let mut order = two();
        order.offered(at(100), 2, at(20));
        order.offered(at(3_600), 1, at(1));
        assert!(order.certain(at(60_000)).is_empty());
    }

    #[test]
    fn nothing_is_said_of_callers_whose_order_nobody_knows() {
        let mut order = two();
        order.offered(at(100), 2, at(5));
        assert!(order.certain(at(60_000)).is_empty(), "the second called before the first was heard");
    }

    #[test]
    fn who_leaves_is_not_overtaken() {
        let mut order = two();
        order.offered(at(100), 2, at(20));
        order.left(1);
        assert!(order.certain(at(60_000)).is_empty());
    }
}
