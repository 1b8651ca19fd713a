//! Lines of the engine for the log. Of those that anybody on the network can provoke only some are written, so that a
//! flood of bad messages neither fills the disk nor hides what else there is to read.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Span, Time};

use crate::clock;

/// Lines of one kind that are written in one [`WINDOW`]; the others are counted.
const MOST: u32 = 10;

/// The count of a kind begins anew after this time.
const WINDOW: Span = Span::from_secs(10);

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub text: String,
    /// An operator should see it; otherwise only who looks closer (`EVERLINE_LOG=debug`).
    pub is_warning: bool,
    /// Names its kind, if anybody on the network can provoke any number of them.
    pub provoked: Option<&'static str>,
}

impl Note {
    /// Datagrams could not be sent; their senders repeat themselves.
    pub(super) fn refused_by_kernel(count: usize) -> Self {
        let text = format!("{count} datagrams were lost: the kernel has no room or no way for them");
        Self { text, is_warning: true, provoked: Some("datagrams that the kernel did not take") }
    }

    /// A connection at one of the doors for other hosts is closed: anybody who reaches this host can make any number of them.
    pub(super) fn refused_guest(from: IpAddr, why: &dyn fmt::Display) -> Self {
        let text = format!("a connection from {from} is refused: {why}");
        Self { text, is_warning: true, provoked: Some("connections that were refused") }
    }

    /// A line for who looks closer; it is not written out while nobody does, since every call has some.
    #[must_use]
    pub fn quiet(what: &impl fmt::Debug) -> Self {
        let text = if tracing::enabled!(tracing::Level::DEBUG) { format!("{what:?}") } else { String::new() };
        Self { text, is_warning: false, provoked: None }
    }
}

/// How often lines of each kind came lately.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<&'static str, Count>);

#[derive(Debug)]
struct Count {
    since: Time,
    came: u32,
}

impl Notes {
    /// Writes a note, unless too many of its kind came.
    pub(super) fn take(&mut self, now: Time, note: &Note) {
        if note.provoked.is_some_and(|kind| !self.is_welcome(now, kind)) {
            return;
        }
        if note.is_warning {
            tracing::warn!("{}", note.text);
        } else {
            tracing::debug!("{}", note.text);
        }
    }

    /// Says how many lines were left out, once a kind's time is over.
    pub(super) fn tell(&mut self, now: Time) {
        self.0.retain(|kind, count| {
            let is_over = count.since + WINDOW <= now;
            if is_over && let Some(more) = count.left_out() {
                tracing::warn!("{kind}: {more} more lines were left out");
            }
            !is_over
        });
    }

    fn is_welcome(&mut self, now: Time, kind: &'static str) -> bool {
        self.tell(now);
        let count = self.0.entry(kind).or_insert(Count { since: now, came: 0 });
        count.came = count.came.saturating_add(1);
        count.came <= MOST
    }
}

/// The lines of a door whose guests are served beside each other, about those who are refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<Mutex<Notes>>);

impl Refusals {
    /// Begins to say now and then how many lines were left out.
    pub(crate) fn begin() -> Self {
        let all = Self::default();
        let told = all.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_micros(WINDOW.as_micros())).await;
                told.notes().tell(clock::now());
            }
        });
        all
    }

    /// Writes that one is refused, unless too many are.
    pub(crate) fn take(&self, from: IpAddr, why: &dyn fmt::Display) {
        self.notes().take(clock::now(), &Note::refused_guest(from, why));
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Count {
    fn left_out(&self) -> Option<u32> {
        self.came.checked_sub(MOST).filter(|more| *more > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_flood_some_lines_are_written_and_the_others_counted() {
        let mut notes = Notes::default();
        let began = Time::from_micros(1);
        let written = (0..1_000).filter(|_| notes.is_welcome(began, "malformed")).count();
        assert_eq!((written, notes.0["malformed"].left_out()), (10, Some(990)));
        assert!(notes.is_welcome(began, "stray"), "each kind has its own share");
        notes.tell(began + Span::from_secs(9));
        assert!(!notes.is_welcome(began, "malformed"), "its time is not over");
        assert!(notes.is_welcome(began + WINDOW, "malformed"), "a new time has begun");
        notes.tell(began + WINDOW + WINDOW);
        assert!(notes.0.is_empty(), "nothing is kept for those who went quiet");
    }

    #[test]
    fn who_is_refused_at_a_door_does_not_fill_the_log() {
        let note = Note::refused_guest(IpAddr::from([10, 0, 0, 9]), &"it shows no certificate");
        assert_eq!(note.text, "a connection from 10.0.0.9 is refused: it shows no certificate");
        let refusals = Refusals::default();
        (0..1_000).for_each(|_| refusals.take(IpAddr::from([10, 0, 0, 9]), &"it shows no certificate"));
        let left_out = refusals.notes().0.values().map(Count::left_out).collect::<Vec<_>>();
        assert_eq!(left_out, [Some(990)]);
    }
}
