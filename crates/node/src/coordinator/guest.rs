//! What one connection has asked of an outside coordinator and was told, as a value: in which order it hears what.
//!
//! The requests of a connection are carried out one after the other. The changes of entries come by another way than the
//! answers, and may overtake them or fall behind; here they are put in order, by revision.

use std::collections::{BTreeMap, VecDeque};

use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};

use super::store::{self, LONGEST_NAME, MOST_PAIRS};
use crate::wire::{CoordinatorReply, CoordinatorRequest};

/// Requests of one connection that wait at most.
const MOST_ASKED: usize = 64;

/// An entry, or that there is none, as it stood at some revision of the coordinator's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The revision of the entry; where there is none, that of the whole store when it was looked for.
    pub(super) revision: u64,
    /// The entry.
    pub(super) entry: Option<PairEntry>,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// To `Watch`.
    Entry(Seen),
    /// To `CompareAndSwap`: whether it was done, and what stands there after it.
    Swapped(bool, Seen),
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Guest {
    /// Requests in their order; the first one is being carried out.
    asked: VecDeque<CoordinatorRequest>,
    watched: BTreeMap<String, Watched>,
}

/// An entry that the connection watches.
#[derive(Debug, Default)]
struct Watched {
    /// The newest that was told.
    told: Option<Seen>,
    /// What has come since, and is told after the answer that is on its way.
    held: Option<Seen>,
}

impl Guest {
    /// Takes in a request; gives it back if it is to be carried out now.
    ///
    /// # Errors
    /// If it asks too much; says what, for people.
    pub(super) fn ask(&mut self, request: CoordinatorRequest) -> Result<Option<CoordinatorRequest>, String> {
        let is_too_large = match &request.request {
            Request::Watch => request.pair.len() > LONGEST_NAME,
            Request::CompareAndSwap { new, .. } => store::is_too_large(&request.pair, new),
        };
        if is_too_large {
            return Err("it asks for an entry that would be too large".to_owned());
        }
        if self.asked.len() >= MOST_ASKED || self.watched.len() >= MOST_PAIRS {
            return Err(format!(
                "it has more than {MOST_ASKED} requests waiting, or watches more than {MOST_PAIRS} pairs"
            ));
        }
        if request.request == Request::Watch {
            // From now on, not from the answer on: a change in between would be told to nobody.
            self.watched.entry(request.pair.clone()).or_default();
        }
        self.asked.push_back(request);
        Ok(self.asked.front().filter(|_| self.asked.len() == 1).cloned())
    }

    /// The request that is being carried out has this answer. Gives what the connection is told, in order, and the request
    /// that is to be carried out next.
    pub(super) fn answered(&mut self, answer: Answer) -> (Vec<CoordinatorReply>, Option<CoordinatorRequest>) {
        let Some(CoordinatorRequest { pair, .. }) = self.asked.pop_front() else { return (Vec::new(), None) };
        let mut replies = Vec::new();
        let seen = match answer {
            Answer::Entry(seen) => {
                // It is answered even if nothing is newer than what was told.
                let told = self.watched.get_mut(&pair).and_then(|watched| watched.told.take());
                newest(told, Some(seen))
            }
            Answer::Swapped(done, now) => {
                replies.push(Reply::Swapped { done, now: now.clone().into() });
                Some(now)
            }
        };
        if let (Some(watched), Some(seen)) = (self.watched.get_mut(&pair), seen) {
            watched.hold(seen);
            replies.extend(watched.release());
        }
        let replies = replies.into_iter().map(|reply| CoordinatorReply { pair: pair.clone(), reply }).collect();
        (replies, self.asked.front().cloned())
    }

    /// The entry of a pair has changed. Gives what the connection is told of it now.
    pub(super) fn changed(&mut self, pair: &str, now: &Versioned) -> Option<CoordinatorReply> {
        let watched = self.watched.get_mut(pair)?;
        watched.hold(now.clone().into());
        // The answer that is on its way may be about this change, and comes first.
        let reply = if self.asked.iter().any(|asked| asked.pair == pair) { None } else { watched.release() };
        reply.map(|reply| CoordinatorReply { pair: pair.to_owned(), reply })
    }
}

impl Watched {
    fn hold(&mut self, seen: Seen) {
        self.held = newest(self.held.take(), Some(seen));
    }

    /// What is held, if it is newer than what was told.
    fn release(&mut self) -> Option<Reply> {
        let held = self.held.take()?;
        if self.told.as_ref().is_some_and(|told| told.revision >= held.revision) {
            return None;
        }
        self.told = Some(held.clone());
        Some(Reply::Entry(held.into()))
    }
}

/// The one with the higher revision.
fn newest(one: Option<Seen>, other: Option<Seen>) -> Option<Seen> {
    [one, other].into_iter().flatten().max_by_key(|seen| seen.revision)
}

impl From<Versioned> for Seen {
    fn from(Versioned { revision, entry }: Versioned) -> Self {
        Self { revision, entry: Some(entry) }
    }
}

impl From<Seen> for Option<Versioned> {
    fn from(Seen { revision, entry }: Seen) -> Self {
        entry.map(|entry| Versioned { revision, entry })
    }
}

#[cfg(test)]
mod tests {
    use model::{Epoch, Incarnation};

    use super::*;

    fn versioned(revision: u64) -> Versioned {
        let primary = Incarnation::new("sip-a", revision);
        Versioned { revision, entry: PairEntry { epoch: Epoch(revision), in_sync: vec![primary.clone()], primary } }
    }

    fn request(request: Request) -> CoordinatorRequest {
        CoordinatorRequest { pair: "sip".into(), request }
    }

    fn swap(expected: u64) -> CoordinatorRequest {
        request(Request::CompareAndSwap { expected: Some(expected), new: versioned(expected + 1).entry })
    }

    fn entry(revision: u64) -> CoordinatorReply {
        CoordinatorReply { pair: "sip".into(), reply: Reply::Entry(Some(versioned(revision))) }
    }

    fn swapped(done: bool, revision: u64) -> CoordinatorReply {
        CoordinatorReply { pair: "sip".into(), reply: Reply::Swapped { done, now: Some(versioned(revision)) } }
    }

    /// A connection that watches and was told revision 5.
    fn watching() -> Guest {
        let mut guest = Guest::default();
        assert_eq!(guest.ask(request(Request::Watch)), Ok(Some(request(Request::Watch))));
        assert_eq!(guest.answered(Answer::Entry(versioned(5).into())), (vec![entry(5)], None));
        guest
    }

    #[test]
    fn nothing_older_is_told_after_something_newer() {
        let mut guest = watching();
        assert_eq!(guest.changed("sip", &versioned(7)), Some(entry(7)));
        assert_eq!(guest.changed("sip", &versioned(6)), None);
        assert_eq!(guest.changed("sip", &versioned(7)), None);
        assert_eq!(guest.changed("routing", &versioned(8)), None, "nobody watches that one");
    }

    #[test]
    fn a_change_before_the_answer_to_a_watch_is_not_lost() {
        let mut guest = Guest::default();
        guest.ask(request(Request::Watch)).unwrap();
        assert_eq!(guest.changed("sip", &versioned(6)), None);
        assert_eq!(guest.answered(Answer::Entry(versioned(5).into())).0, [entry(6)]);
    }

    #[test]
    fn a_second_watch_is_answered_though_nothing_has_changed_and_never_by_something_older() {
        let mut guest = watching();
        guest.ask(request(Request::Watch)).unwrap();
        assert_eq!(guest.answered(Answer::Entry(versioned(5).into())).0, [entry(5)]);
        assert_eq!(guest.changed("sip", &versioned(7)), Some(entry(7)));
        guest.ask(request(Request::Watch)).unwrap();
        assert_eq!(guest.answered(Answer::Entry(versioned(6).into())).0, [entry(7)]);
    }

    #[test]
    fn an_absence_is_told_and_what_comes_after_it() {
        let mut guest = Guest::default();
        guest.ask(request(Request::Watch)).unwrap();
        let none = CoordinatorReply { pair: "sip".into(), reply: Reply::Entry(None) };
        assert_eq!(guest.answered(Answer::Entry(Seen { revision: 5, entry: None })).0, [none]);
        assert_eq!(guest.changed("sip", &versioned(6)), Some(entry(6)));
    }

    #[test]
    fn the_answer_to_a_swap_comes_before_its_change_whichever_way_was_quicker() {
        let mut guest = watching();
        guest.ask(swap(5)).unwrap();
        assert_eq!(guest.changed("sip", &versioned(6)), None);
        let answer = Answer::Swapped(true, versioned(6).into());
        assert_eq!(guest.answered(answer), (vec![swapped(true, 6), entry(6)], None));
        assert_eq!(guest.changed("sip", &versioned(6)), None, "told already");
        guest.ask(swap(5)).unwrap();
        assert_eq!(guest.answered(Answer::Swapped(false, versioned(6).into())).0, [swapped(false, 6)]);
    }

    #[test]
    fn requests_are_carried_out_one_after_the_other_and_not_without_bound() {
        let mut guest = Guest::default();
        assert_eq!(guest.ask(swap(1)), Ok(Some(swap(1))));
        assert_eq!(guest.ask(swap(2)), Ok(None));
        let answer = Answer::Swapped(true, versioned(2).into());
        assert_eq!(guest.answered(answer), (vec![swapped(true, 2)], Some(swap(2))), "it does not watch");
        for _ in 1..MOST_ASKED {
            guest.ask(swap(3)).unwrap();
        }
        guest.ask(swap(3)).unwrap_err();
    }
}
