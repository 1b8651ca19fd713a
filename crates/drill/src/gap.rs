//! The service gap: how long the server said nothing while somebody waited for an answer.
//!
//! An answer is owed for each INVITE, CANCEL and OPTIONS that has none yet: all three are answered at once,
//! the INVITE by 100. A gap is the longest silence of the server around a fault while an answer was owed,
//! counted from the fault at the earliest. It ends with the server's next message, whatever that is. So it
//! is never smaller than what a peer could notice, and on an idle server it is the time of an answer.

use std::collections::{BTreeMap, BTreeSet};

use model::hash64;

use crate::figures::percentile;
use crate::history::{Event, Message, Nanos, Start};
use crate::stalls::stood_still;

/// The Call-IDs of a prober begin like this.
pub const PROBE: &str = "probe-";

/// Messages may come to be known this much out of order: whoever reads many sockets, or stands still, tells them late. 1 s.
const LATEST: Nanos = 1_000_000_000;

/// Follows the silences of the server.
pub struct Gaps {
    /// What may still have something before it, by the time when it was there.
    recent: BTreeMap<(Nanos, u64), Said>,
    taken: u64,
    windows: Vec<Window>,
    /// The arrival of each request that has no answer.
    owed: BTreeMap<Request, Nanos>,
    /// Requests that had one: their repeats are owed nothing.
    answered: BTreeSet<Request>,
    last_of_server: Nanos,
    /// Probes that have no answer.
    probes: BTreeSet<Request>,
    record: Option<Record>,
}

/// Whether a message belongs to the prober.
#[must_use]
pub fn is_probe(message: &Message) -> bool {
    message.call_id.starts_with(PROBE)
}

/// Whether the server owes a request of this method an answer as soon as it has read it.
#[must_use]
pub fn is_answered_at_once(method: &str) -> bool {
    matches!(method, "INVITE" | "CANCEL" | "OPTIONS")
}

/// A hash over branch and method.
type Request = u64;

/// What counts here of a message.
enum Said {
    /// The server owes an answer to this request.
    Asked { request: Request, is_probe: bool },
    /// The server has said something: an answer to this request, if one was owed.
    Answered(Request),
}

/// Where to look for the gap of one fault.
struct Window {
    begin: Nanos,
    end: Nanos,
    longest: Nanos,
}

/// Silences and waits as they were, each with its begin and its end. Shorter silences than [`SHORTEST`] are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    silences: Vec<(Nanos, Nanos)>,
    waits: Vec<(Nanos, Nanos)>,
}

/// What is shorter is nothing to write down: 100 us.
pub const SHORTEST: Nanos = 100_000;

impl Record {
    /// The longest silence that began before `end`, counted from `begin` at the earliest and to its own end, however late that is.
    #[must_use]
    pub fn gap(&self, begin: Nanos, end: Nanos) -> Nanos {
        self.between(begin, end).map(|(from, to)| to - from).max().unwrap_or(0)
    }

    /// The same without the time in which the machine stood still.
    #[must_use]
    pub fn net_gap(&self, begin: Nanos, end: Nanos, stalls: &[(Nanos, Nanos)]) -> Nanos {
        let net = |(from, to): (Nanos, Nanos)| (to - from).saturating_sub(stood_still((from, to), stalls));
        self.between(begin, end).map(net).max().unwrap_or(0)
    }

    /// The silences that began before `end`, without what of them was before `begin`.
    fn between(&self, begin: Nanos, end: Nanos) -> impl Iterator<Item = (Nanos, Nanos)> {
        let begun = self.silences.iter().filter(move |(from, to)| *from < end && *to > begin);
        begun.map(move |&(from, to)| (from.max(begin), to))
    }

    /// The longest wait of one request for its first answer, of those that touch the time between two moments.
    #[must_use]
    pub fn longest_wait(&self, begin: Nanos, end: Nanos) -> Nanos {
        let touches = |(from, to): &&(Nanos, Nanos)| *to >= begin && *from < end;
        self.waits.iter().filter(touches).map(|(from, to)| to - from).max().unwrap_or(0)
    }

    /// What half of the requests that were answered after that moment waited no longer than; none if there was none.
    #[must_use]
    pub fn usual_wait(&self, begin: Nanos) -> Option<Nanos> {
        let waits = self.waits.iter().filter(|(_, to)| *to >= begin).map(|(from, to)| to - from);
        let waits: Vec<Nanos> = waits.collect();
        (!waits.is_empty()).then(|| percentile(&waits, 50))
    }

    /// The silences that were at least so long.
    #[must_use]
    pub fn silences(&self, least: Nanos) -> Vec<(Nanos, Nanos)> {
        self.silences.iter().filter(|(from, to)| to - from >= least).copied().collect()
    }
}

impl Gaps {
    /// Gaps in these windows, in order of time: each begins with a fault, and ends where a silence is its doing no more.
    #[must_use]
    pub fn new(windows: &[(Nanos, Nanos)]) -> Self {
        let window = |&(begin, end): &(Nanos, Nanos)| Window { begin, end, longest: 0 };
        let windows = windows.iter().map(window).collect();
        Self {
            recent: BTreeMap::new(),
            taken: 0,
            windows,
            owed: BTreeMap::new(),
            answered: BTreeSet::new(),
            last_of_server: 0,
            probes: BTreeSet::new(),
            record: None,
        }
    }

    /// Writes down every silence and every wait from now on.
    pub fn record(&mut self) {
        self.settle(Nanos::MAX);
        self.record = Some(Record::default());
    }

    /// Writes nothing down any more, and gives what was; a silence that goes on has lasted until `now`. Forgets all probes.
    pub fn take_record(&mut self, now: Nanos) -> Record {
        self.settle(Nanos::MAX);
        if let Some(begin) = self.silent_since() {
            self.note_silence(begin, now);
        }
        let probes = std::mem::take(&mut self.probes);
        self.owed.retain(|request, _| !probes.contains(request));
        self.answered.clear();
        self.record.take().unwrap_or_default()
    }

    /// Takes a message; those of the last second may come in any order. Says whether it belongs to the prober and to no call.
    pub fn take(&mut self, event: &Event) -> bool {
        let message = &event.message;
        let request = hash64(format!("{} {}", message.branch, message.method).as_bytes());
        let is_probe = is_probe(message);
        let said = match &message.start {
            _ if event.by_server => Said::Answered(request),
            Start::Request { method, .. } if is_answered_at_once(method) => Said::Asked { request, is_probe },
            _ => return is_probe,
        };
        self.taken += 1;
        self.recent.insert((event.at, self.taken), said);
        let newest = self.recent.last_key_value().map_or(0, |((at, _), _)| *at);
        self.settle(newest.saturating_sub(LATEST));
        is_probe
    }

    /// Counts what was there before that moment.
    fn settle(&mut self, before: Nanos) {
        while let Some(first) = self.recent.first_entry().filter(|first| first.key().0 < before) {
            let ((at, _), said) = first.remove_entry();
            match said {
                Said::Asked { request, is_probe } => self.asked(at, request, is_probe),
                Said::Answered(request) => self.answered(at, request),
            }
        }
    }

    fn asked(&mut self, at: Nanos, request: Request, is_probe: bool) {
        if !self.answered.contains(&request) {
            self.owed.entry(request).or_insert(at);
            if is_probe {
                self.probes.insert(request);
            }
        }
    }

    fn answered(&mut self, at: Nanos, request: Request) {
        self.end_silence(at);
        if let Some(since) = self.owed.remove(&request) {
            self.answered.insert(request);
            if !self.probes.remove(&request) {
                self.waited(since, at);
            }
        }
    }

    /// When the server last said something, or somebody began to wait after that; none if nobody waits.
    fn silent_since(&self) -> Option<Nanos> {
        self.owed.values().min().map(|since| self.last_of_server.max(*since))
    }

    /// Writes a silence down that has lasted until `at`.
    fn note_silence(&mut self, begin: Nanos, at: Nanos) {
        if let Some(record) = self.record.as_mut().filter(|_| at.saturating_sub(begin) >= SHORTEST) {
            record.silences.push((begin, at));
        }
    }

    fn end_silence(&mut self, at: Nanos) {
        if let Some(begin) = self.silent_since() {
            self.note_silence(begin, at);
            for window in self.windows.iter_mut().filter(|window| window.begin < at && begin < window.end) {
                window.longest = window.longest.max(at.saturating_sub(begin.max(window.begin)));
            }
        }
        self.last_of_server = at;
    }

    fn waited(&mut self, since: Nanos, at: Nanos) {
        if let Some(record) = self.record.as_mut() {
            record.waits.push((since, at.max(since)));
        }
    }

    /// The gap of each fault, and how many probes never had an answer: datagrams that were lost.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Nanos>, u64) {
        self.settle(Nanos::MAX);
        (self.windows.iter().map(|window| window.longest).collect(), self.probes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    fn event(at_ms: u64, by_server: bool, number: u32) -> Event {
        let start = if by_server { "SIP/2.0 200 OK" } else { "OPTIONS sip:a SIP/2.0" };
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{number}\r\nFrom: <sip:f@a>;tag=f\r\nTo: <sip:t@b>;tag=t\r\n\
             Call-ID: probe-{number}\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let message = Message::parse(text.as_bytes()).expect("the message is whole");
        Event { at: at_ms * MS, by_server, peer: ([127, 0, 0, 5], 1).into(), message }
    }

    fn gap_of(events: &[(u64, bool, u32)]) -> (Nanos, u64) {
        let mut gaps = Gaps::new(&[(100 * MS, 151 * MS)]);
        for (at, by_server, number) in events {
            gaps.take(&event(*at, *by_server, *number));
        }
        let (gaps, unanswered) = gaps.finish();
        (gaps[0] / MS, unanswered)
    }

    #[test]
    fn a_gap_is_counted_from_the_fault_if_somebody_waited_then() {
        assert_eq!(gap_of(&[(90, false, 1), (130, true, 1)]), (30, 0));
    }

    #[test]
    fn a_gap_is_counted_from_the_first_request_after_the_fault_else() {
        assert_eq!(gap_of(&[(90, false, 1), (95, true, 1), (120, false, 2), (130, true, 2)]), (10, 0));
    }

    #[test]
    fn the_longest_silence_counts_and_a_lost_probe_is_told() {
        assert_eq!(
            gap_of(&[(99, false, 1), (102, true, 1), (103, false, 2), (123, false, 3), (143, true, 3)]),
            (40, 1)
        );
    }

    #[test]
    fn what_is_written_down_tells_the_gap_of_any_window() {
        let mut gaps = Gaps::new(&[]);
        gaps.record();
        for (at, by_server, number) in
            [(99, false, 1), (102, true, 1), (103, false, 2), (123, false, 3), (143, true, 3)]
        {
            gaps.take(&event(at, by_server, number));
        }
        let record = gaps.take_record(143 * MS);
        assert_eq!(record.gap(0, 200 * MS), 40 * MS);
        assert_eq!(record.gap(110 * MS, 200 * MS), 33 * MS, "counted from the fault");
        assert_eq!(record.gap(0, 102 * MS), 3 * MS);
        assert_eq!(record.gap(0, 104 * MS), 40 * MS, "counted to its end");
        assert_eq!(record.net_gap(110 * MS, 200 * MS, &[(105 * MS, 120 * MS), (141 * MS, 180 * MS)]), 21 * MS);
        assert_eq!(record.silences(10 * MS), [(103 * MS, 143 * MS)]);
        assert_eq!(record.longest_wait(0, 200 * MS), 0, "probes do not count");
        assert_eq!(gaps.take_record(200 * MS), Record::default());
    }

    #[test]
    fn a_silence_that_goes_on_counts_as_far_as_it_is_known() {
        let mut gaps = Gaps::new(&[]);
        gaps.record();
        for (at, by_server, number) in [(99, false, 1), (102, true, 1), (103, false, 2)] {
            gaps.take(&event(at, by_server, number));
        }
        let record = gaps.take_record(163 * MS);
        assert_eq!((record.gap(0, 104 * MS), record.gap(0, 103 * MS)), (60 * MS, 3 * MS));
        assert_eq!(record.net_gap(0, 104 * MS, &[(150 * MS, 170 * MS)]), 47 * MS);
    }

    #[test]
    fn who_reads_late_does_not_make_a_silence_longer() {
        // Two sockets were read one after the other.
        assert_eq!(gap_of(&[(103, false, 1), (113, false, 2), (116, true, 2), (110, true, 1)]), (7, 0));
    }

    #[test]
    fn what_happens_long_after_the_fault_is_not_its_doing() {
        assert_eq!(gap_of(&[(99, false, 1), (102, true, 1), (2_000, false, 2), (2_900, true, 2)]), (2, 0));
    }
}
