//! The service gap: how long the server said nothing while somebody waited for an answer.
//!
//! An answer is owed for each INVITE, CANCEL and OPTIONS that has none yet: all three are answered at once,
//! the INVITE by 100. A gap is the longest silence of the server around a fault while an answer was owed,
//! counted from the fault at the earliest. It ends with the server's next message, whatever that is. So it
//! is never smaller than what a peer could notice, and on an idle server it is the time of an answer.

use std::collections::{BTreeMap, BTreeSet};

use model::hash64;

use crate::history::{Event, Nanos, Start};

/// The Call-IDs of a prober begin like this.
pub const PROBE: &str = "probe-";

/// Follows the silences of the server.
pub struct Gaps {
    windows: Vec<Window>,
    /// The arrival of each request that has no answer.
    owed: BTreeMap<Request, Nanos>,
    /// Requests that had one: their repeats are owed nothing.
    answered: BTreeSet<Request>,
    last_of_server: Nanos,
    /// Probes that have no answer.
    probes: BTreeSet<Request>,
}

/// A hash over branch and method.
type Request = u64;

/// Where to look for the gap of one fault.
struct Window {
    begin: Nanos,
    end: Nanos,
    longest: Nanos,
    /// The longest that one request that was no probe waited.
    waited: Nanos,
}

impl Gaps {
    /// Gaps in these windows, in order of time: each begins with a fault, and ends where a silence is its doing no more.
    #[must_use]
    pub fn new(windows: &[(Nanos, Nanos)]) -> Self {
        let window = |&(begin, end): &(Nanos, Nanos)| Window { begin, end, longest: 0, waited: 0 };
        let windows = windows.iter().map(window).collect();
        Self { windows, owed: BTreeMap::new(), answered: BTreeSet::new(), last_of_server: 0, probes: BTreeSet::new() }
    }

    /// Looks for a gap in one more window.
    pub fn watch(&mut self, begin: Nanos, end: Nanos) {
        self.windows.push(Window { begin, end, longest: 0, waited: 0 });
    }

    /// The gap of each window so far, and the longest that one request had to wait for its first answer in it. Forgets
    /// them, and all probes.
    pub fn read(&mut self) -> Vec<(Nanos, Nanos)> {
        let read = self.windows.drain(..).map(|window| (window.longest, window.waited)).collect();
        let probes = std::mem::take(&mut self.probes);
        self.owed.retain(|request, _| !probes.contains(request));
        self.answered.clear();
        read
    }

    /// Takes the next message; says whether it belongs to the prober and to no call.
    pub fn take(&mut self, event: &Event) -> bool {
        let message = &event.message;
        let request = hash64(format!("{} {}", message.branch, message.method).as_bytes());
        let is_probe = message.call_id.starts_with(PROBE);
        match &message.start {
            Start::Request { method, .. } if !event.by_server => {
                let at_once = matches!(method.as_str(), "INVITE" | "CANCEL" | "OPTIONS");
                if at_once && !self.answered.contains(&request) {
                    self.owed.entry(request).or_insert(event.at);
                    if is_probe {
                        self.probes.insert(request);
                    }
                }
            }
            _ if event.by_server => {
                self.end_silence(event.at);
                if let Some(since) = self.owed.remove(&request) {
                    self.answered.insert(request);
                    if !self.probes.remove(&request) {
                        self.waited(since, event.at);
                    }
                }
            }
            _ => {}
        }
        is_probe
    }

    /// Two processors may stamp packets a little out of order.
    fn end_silence(&mut self, at: Nanos) {
        if let Some(&since) = self.owed.values().min() {
            let begin = self.last_of_server.max(since);
            for window in self.windows.iter_mut().filter(|window| window.begin < at && begin < window.end) {
                window.longest = window.longest.max(at.saturating_sub(begin.max(window.begin)));
            }
        }
        self.last_of_server = at;
    }

    fn waited(&mut self, since: Nanos, at: Nanos) {
        for window in self.windows.iter_mut().filter(|window| window.begin <= at && since < window.end) {
            window.waited = window.waited.max(at.saturating_sub(since));
        }
    }

    /// The gap of each fault, and how many probes never had an answer: datagrams that were lost.
    #[must_use]
    pub fn finish(self) -> (Vec<Nanos>, u64) {
        (self.windows.iter().map(|window| window.longest).collect(), self.probes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Message;

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
    fn what_happens_long_after_the_fault_is_not_its_doing() {
        assert_eq!(gap_of(&[(99, false, 1), (102, true, 1), (2_000, false, 2), (2_900, true, 2)]), (2, 0));
    }
}
