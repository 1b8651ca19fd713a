//! Queue order kept: whoever waits longest is served first, through every takeover of either server.

use std::collections::{BTreeMap, BTreeSet};

use model::route::{CallNumber, News};
use model::{Epoch, Time};
use redundancy::mailbox::Envelope;
use routing::Event;

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "queue order";

/// Who waits since when, and who was told to wait.
#[derive(Debug, Default)]
pub struct QueueOrder {
    since: BTreeMap<CallNumber, Time>,
    /// Callers that the Routing Server knows to wait, with nobody ringing for them.
    waiting: BTreeSet<CallNumber>,
    /// The latest epoch that was heard of: what a superseded server still says counts no more.
    epoch: Epoch,
}

impl QueueOrder {
    /// The SIP Server tells something.
    pub fn sip_says(&mut self, letter: &Envelope<News>) {
        if let Envelope::Message { message: News::Waiting { call, since, .. }, .. } = letter {
            self.since.entry(*call).or_insert(*since);
        }
    }

    /// What a server knew before it was succeeded is not known here: its last words may be lost.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }

    /// The Routing Server has decided.
    ///
    /// # Errors
    /// If somebody who waits longer is passed over.
    pub fn decided(&mut self, epoch: Epoch, event: &Event) -> Verdict {
        if epoch < self.epoch {
            return Ok(());
        }
        self.epoch = epoch;
        match event {
            Event::Queued { call } | Event::Unanswered { call, .. } | Event::OfferLost { call, .. } => {
                self.waiting.insert(*call);
            }
            Event::Offered { call, .. } => {
                self.waiting.remove(call);
                let place = |call: &CallNumber| self.since.get(call).map(|since| (*since, *call));
                let Some(mine) = place(call) else { return Ok(()) };
                if let Some(other) = self.waiting.iter().find(|other| place(other).is_some_and(|theirs| theirs < mine))
                {
                    return Err(format!("call {:x} is offered before call {:x}, which waits longer", call.0, other.0));
                }
            }
            Event::Connected { call, .. }
            | Event::Left { call }
            | Event::CallerLost { call }
            | Event::Refused { call, .. } => {
                self.waiting.remove(call);
            }
            // Callers that it was not told of again are no more.
            Event::HeardAll { .. } => self.waiting.clear(),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::route::OfferNumber;

    #[test]
    fn it_notices_a_caller_who_is_passed_over() {
        let mut checker = QueueOrder::default();
        for number in [1, 2] {
            let call = CallNumber(number);
            let message =
                News::Waiting { call, queue: "9000".to_owned(), since: Time::from_micros(number), offer: None };
            checker.sip_says(&Envelope::Message { stream: 1, number, message });
            checker.decided(Epoch(1), &Event::Queued { call }).unwrap();
        }
        let offer = |call| Event::Offered { call: CallNumber(call), offer: OfferNumber(9), agent: "anna".to_owned() };
        checker.decided(Epoch(1), &offer(2)).unwrap_err();
        checker.decided(Epoch(1), &offer(1)).unwrap();
    }
}
