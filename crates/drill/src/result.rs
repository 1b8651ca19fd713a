//! What a drill has found, as it is written down: `docs/drill-result.md` describes each field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::figures::percentile;
use crate::hands::IMPOSSIBLE;
use crate::history::{Breach, Nanos, Rule};
use crate::load::{Counts, LostCall, Stage};
use crate::machine::Machine;
use crate::site::Noted;

/// Names the form of the file; another form gets another name.
pub const SCHEMA: &str = "everline-drill-1";

/// A whole drill.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of Everline.
    pub everline: String,
    /// The command that repeats it.
    pub command: String,
    /// Where it ran: `this host`, `a rehearsal of 3 hosts`, `real`.
    pub place: String,
    /// What it ran on.
    pub machine: Machine,
    /// Decides all draws.
    pub seed: u64,
    /// The plan.
    pub plan: PlanText,
    /// When it began, in nanoseconds since 1970.
    pub begun_ns: Nanos,
    /// When it ended.
    pub ended_ns: Nanos,
    /// Why it ended before its plan did, if it did.
    pub ended_early: Option<String>,
    /// The counts of the whole load.
    pub load: Counts,
    /// What the phones went through.
    pub phones: Phones,
    /// Every run, in order.
    pub runs: Vec<Run>,
    /// The runs of each step together, in the order of the plan.
    pub steps: Vec<Sum>,
    /// Every lost call.
    pub lost: Vec<LostCall>,
    /// Every caller of a queue whose turn was taken.
    pub overtaken: Vec<Turn>,
    /// How often each rule of SIP was broken, and the first breaches.
    pub wrong_sip: WrongSip,
    /// Every promise that was broken.
    pub broken: Vec<String>,
}

impl Report {
    /// Whether the drill came to its end, every promise was kept, and no step went without any fault that could have been made.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        self.broken.is_empty() && self.ended_early.is_none() && !self.steps.iter().any(Sum::is_unmade)
    }

    /// How many faults were not made, and why; `None` if all were.
    #[must_use]
    pub fn not_made(&self) -> Option<String> {
        let refused: Vec<&Sum> = self.steps.iter().filter(|sum| !sum.not_done.is_empty()).collect();
        let count: u64 = refused.iter().map(|sum| sum.missing()).sum();
        let reasons: Vec<String> =
            refused.iter().map(|sum| format!("{}: {}", sum.step, sum.not_done.join(", "))).collect();
        let noun = if count == 1 { "fault was" } else { "faults were" };
        (count > 0).then(|| format!("{count} {noun} not made: {}", reasons.join("; ")))
    }
}

/// A plan as it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlanText {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Calls a second.
    pub rate: u32,
}

/// What the phones went through.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Phones {
    /// How many registered.
    pub count: usize,
    /// How often one lost its connection and came back on another.
    pub comebacks: u64,
    /// Connections that stood while nothing came on them any more, and that a phone gave up after a second without an answer.
    pub silent_connections: u64,
    /// Registrations that had a refusal or no answer.
    pub failed_registrations: u64,
    /// Registrations whose connection ended before they were answered, so that the phone said them again on another one.
    #[serde(default)]
    pub cut_registrations: u64,
}

/// A caller of a queue whose turn was taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// The run in which it came to light.
    pub run: u32,
    /// The number of the queue.
    pub queue: String,
    /// The call that waited.
    pub call: u64,
    /// The later call that was served.
    pub by: u64,
}

/// Breaches of SIP.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WrongSip {
    /// How many of each rule.
    pub counts: BTreeMap<Rule, u64>,
    /// The first of them, with what was said on their legs.
    pub examples: Vec<Breach>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Every check was right.
    Passed,
    /// A check was wrong.
    Broken,
    /// The fault could not be made.
    NotDone,
}

/// One fault and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Its number, from 1.
    pub run: u32,
    /// The step as the plan has it.
    pub step: String,
    /// The line of the step.
    pub line: usize,
    /// The kind of fault.
    pub kind: String,
    /// How it ended.
    pub ending: Ending,
    /// Why the fault could not be made.
    pub not_done: Option<String>,
    /// The moment of the deed.
    pub at_ns: Nanos,
    /// What was struck.
    pub victims: Vec<String>,
    /// From the deed until the other side took its primary for gone, in microseconds.
    pub detection_us: Option<u64>,
    /// From the deed until the other side served.
    pub takeover_us: Option<u64>,
    /// The longest silence of the solution while somebody waited for an answer, of those that began between the fault and its repair
    /// (without one, within 1.5 s), to its end.
    pub gap_us: Option<u64>,
    /// The same where the time in which the machine itself stood still does not count; none where that was not watched.
    #[serde(default)]
    pub net_gap_us: Option<u64>,
    /// The longest that one request waited for its first answer, its repetitions included.
    pub longest_wait_us: Option<u64>,
    /// What half of the requests waited no longer than for their first answer, from the fault to the end of the run.
    #[serde(default)]
    pub usual_wait_us: Option<u64>,
    /// What half of the answers of the SIP Server's primary waited no longer than for its backup, at the end of a `nothing` or `delay`.
    #[serde(default)]
    pub hold_us: Option<u64>,
    /// The way to the backup and back at that moment, as the link measures it.
    #[serde(default)]
    pub round_trip_us: Option<u64>,
    /// When it was mended.
    pub mended_ns: Option<Nanos>,
    /// The longest silence while it was mended.
    pub gap_of_repair_us: Option<u64>,
    /// From the deed, or from the repair where there was one, until everything was level again.
    pub level_after_us: Option<u64>,
    /// Calls in each state at the moment of the deed.
    pub standing: BTreeMap<Stage, u64>,
    /// Calls that were lost and whose last run this was, by state.
    pub lost: BTreeMap<Stage, u64>,
    /// Messages that no RFC allows, which came up in this run.
    pub wrong_sip: u64,
    /// Callers of a queue whose turn was taken.
    pub overtaken: u64,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Every silence of the solution of 10 ms and more while somebody waited for an answer.
    pub silences: Vec<Silence>,
    /// Times in which the machine itself stood still, on one of its processors, from the deed on.
    #[serde(default)]
    pub stalls: Vec<Silence>,
    /// What the servers noted of changes of roles.
    pub noted: Vec<Noted>,
}

/// A time in which nobody had an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its begin, in nanoseconds since 1970.
    pub from_ns: Nanos,
    /// Its end: the first answer.
    pub to_ns: Nanos,
}

/// Something that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it was right.
    pub ok: bool,
    /// What was found, in words.
    pub said: String,
}

/// The distribution of a time, in microseconds; values that occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// How many there are.
    pub count: usize,
    /// Half of them are no longer.
    pub p50: u64,
    /// Of a hundred 99 are no longer; of fewer than a hundred the longest.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl Spread {
    /// That of these values, if there are any.
    #[must_use]
    pub fn of(values: &[u64]) -> Option<Self> {
        let part = |part| percentile(values, part);
        (!values.is_empty()).then(|| Self { count: values.len(), p50: part(50), p99: part(99), max: part(100) })
    }
}

/// The runs of one step together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sum {
    /// The step as the plan has it.
    pub step: String,
    /// The kind of fault.
    pub kind: String,
    /// Faults that the plan has of it.
    #[serde(default)]
    pub planned: u64,
    /// Faults that were made.
    pub injected: u64,
    /// Those of them after which every check was right.
    pub covered: u64,
    /// Faults that could not be made, and why.
    pub not_done: Vec<String>,
    /// Calls that stood when they were made.
    pub touched: u64,
    /// Calls that were lost by them, by state.
    pub lost: BTreeMap<Stage, u64>,
    /// Messages that no RFC allows.
    pub wrong_sip: u64,
    /// Callers of a queue whose turn was taken.
    pub overtaken: u64,
    /// From the deed until the other side took its primary for gone.
    pub detection_us: Option<Spread>,
    /// From the deed until the other side served.
    pub takeover_us: Option<Spread>,
    /// The service gap.
    pub gap_us: Option<Spread>,
    /// The same without the time in which the machine itself stood still: the promise is about this, where it is known of each run.
    #[serde(default)]
    pub net_gap_us: Option<Spread>,
    /// The longest wait of one request.
    pub longest_wait_us: Option<Spread>,
    /// The usual wait of one request in each run.
    #[serde(default)]
    pub usual_wait_us: Option<Spread>,
    /// How long half of the answers were held.
    #[serde(default)]
    pub hold_us: Option<Spread>,
    /// By how much that was longer than the way there and back.
    #[serde(default)]
    pub beyond_round_trip_us: Option<Spread>,
    /// Until everything was level again.
    pub level_after_us: Option<Spread>,
    /// The longest gap that is promised (p99); none: nothing is promised about it.
    pub gap_promise_us: Option<u64>,
    /// Where no gap at all is promised: the gaps are longer than those of the steps in which nothing was done, by more than chance and a
    /// millisecond.
    #[serde(default)]
    pub exceeds_idle: bool,
}

impl Sum {
    /// The gap that the promise is about.
    #[must_use]
    pub fn promised_gap(&self) -> Option<Spread> {
        self.net_gap_us.filter(|net| self.gap_us.is_some_and(|gap| gap.count == net.count)).or(self.gap_us)
    }

    /// Faults that were not made, as they were refused.
    fn missing(&self) -> u64 {
        // A result of an older version does not say what was planned.
        self.planned.saturating_sub(self.injected).max(self.not_done.len() as u64)
    }

    /// Whether none was made, though where the drill ran that is possible.
    #[must_use]
    pub fn is_unmade(&self) -> bool {
        self.injected == 0 && self.not_done.iter().any(|why| !why.contains(IMPOSSIBLE))
    }
}
