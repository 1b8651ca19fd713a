//! A log as spells up and down of each component, and what is estimated from them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Record, records};
use crate::estimate::{
    Availability, Confidence, Ending, Exposure, FailureTimes, TestResult, availability, laplace_trend, power_law_trend,
};
use crate::{Error, Place};

/// Nanoseconds of an hour.
const HOUR: f64 = 3.6e12;

/// A log that was checked from end to end.
#[derive(Clone, Debug, PartialEq)]
pub struct EventLog {
    /// The components, by name.
    pub histories: Vec<History>,
    /// Whether a `*` began an observation. It stands for the components that the log names: others are not in `histories`.
    pub by_star: bool,
}

/// What one component did while it was observed. Several histories of components that are alike may be pooled.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Its name.
    pub component: String,
    /// Its times up and down, in order.
    pub spells: Vec<Spell>,
}

/// A time up or down without a break.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell {
    /// Whether it was up.
    pub up: bool,
    /// How long, in hours.
    pub hours: f64,
    /// Whether its beginning was seen: a failure or a repair, and not the beginning of the observation.
    pub begun: bool,
    /// Whether its end was seen.
    pub ended: bool,
}

impl EventLog {
    /// Reads and checks a log; `file` names it in errors.
    ///
    /// # Errors
    /// As [`records`]; and at the line where it shows that something is missing or out of order: an instant before the one
    /// above, a component that fails while it is down, an event of a component that is not observed, an observation that
    /// never ends.
    pub fn read(file: &str, text: &str) -> Result<Self, Error> {
        let records = records(file, text)?;
        let at_line = |line: u32, what: String, remedy: &str| {
            Error::new(what, remedy).at(Place { file: file.to_owned(), line, column: 1 })
        };
        for pair in records.windows(2) {
            if pair[1].at < pair[0].at {
                let what = format!("this event is earlier than that of line {}", pair[0].line);
                return Err(at_line(pair[1].line, what, "sort the lines by time; mind summer time and zones"));
            }
        }
        let mut components: BTreeMap<&str, Observed> = records
            .iter()
            .filter(|record| record.component != "*")
            .map(|record| (record.component.as_str(), Observed::default()))
            .collect();
        if components.is_empty() {
            return Err(at_line(
                records[0].line,
                "only * stands in this log".to_owned(),
                "name the components that were observed",
            ));
        }
        for (index, record) in records.iter().enumerate() {
            let wrong = |(what, remedy): (String, &str)| at_line(record.line, what, remedy);
            if record.component == "*" {
                if !matches!(record.event, Event::Begin { .. } | Event::End) {
                    return Err(wrong((
                        "all components at once".to_owned(),
                        "* may begin and end; failures name their component",
                    )));
                }
                if record.event == Event::End {
                    // What has ended by a line of its own stays so.
                    let observed: Vec<_> = components.iter_mut().filter(|(_, one)| one.state.is_some()).collect();
                    if observed.is_empty() {
                        return Err(wrong((
                            "nothing is observed at this time".to_owned(),
                            "add a begin above, or take this end away",
                        )));
                    }
                    for (name, observed) in observed {
                        observed.take(name, record).map_err(wrong)?;
                    }
                    continue;
                }
                let alone = beside(&records, index);
                for (name, observed) in components.iter_mut().filter(|(name, _)| !alone.contains(*name)) {
                    observed.take(name, record).map_err(wrong)?;
                }
            } else if let Some(observed) = components.get_mut(record.component.as_str()) {
                observed.take(&record.component, record).map_err(wrong)?;
            }
        }
        let mut histories = Vec::new();
        for (name, observed) in components {
            if let Some((_, since)) = observed.state {
                let what = format!("{name} is observed since this line, and no line ends that");
                return Err(at_line(since.line, what, "add an end with the time until which you know its state"));
            }
            histories.push(History { component: name.to_owned(), spells: observed.spells });
        }
        let by_star = records.iter().any(|record| record.component == "*" && record.event != Event::End);
        Ok(Self { histories, by_star })
    }
}

/// The components that the `* begin` at this index leaves alone, since a line of their own begins them: one at the same instant
/// above it, or their first one below it and above the next line of `*`.
fn beside(records: &[Record], index: usize) -> BTreeSet<&str> {
    let begins = |record: &Record| matches!(record.event, Event::Begin { .. });
    let own = |record: &&Record| record.component != "*";
    let (above, below) = (&records[..index], &records[index + 1..]);
    let at_once = above.iter().rev().take_while(own).take_while(|record| record.at == records[index].at);
    let mut names: BTreeSet<&str> =
        at_once.filter(|record| begins(record)).map(|record| record.component.as_str()).collect();
    let mut seen = BTreeSet::new();
    for record in below.iter().take_while(own) {
        if seen.insert(record.component.as_str()) && begins(record) {
            names.insert(&record.component);
        }
    }
    names
}

/// A component while its log is read.
#[derive(Default)]
struct Observed {
    /// Up or down, and since when; `None` if it is not observed.
    state: Option<(bool, Since)>,
    spells: Vec<Spell>,
}

#[derive(Clone, Copy)]
struct Since {
    at: i64,
    line: u32,
    begun: bool,
}

impl Observed {
    fn take(&mut self, name: &str, record: &Record) -> Result<(), (String, &'static str)> {
        let now = |begun| Since { at: record.at, line: record.line, begun };
        let next = match (record.event, self.state) {
            (Event::Begin { up }, None) => Some((up, now(false))),
            (Event::Begin { .. }, Some((_, since))) => {
                let what = format!("{name} is observed already, since line {}", since.line);
                return Err((what, "end an observation before the next begins"));
            }
            (_, None) => {
                return Err((
                    format!("{name} is not observed at this time"),
                    "add a begin before its first event, or for * at the top",
                ));
            }
            (Event::Down, Some((true, _))) => Some((false, now(true))),
            (Event::Up, Some((false, _))) => Some((true, now(true))),
            (Event::End, Some(_)) => None,
            (Event::Down | Event::Up, Some((up, since))) => {
                let is = if up { "up" } else { "down" };
                let what = format!("{name} is {is} already, since line {}: an event is missing between", since.line);
                let remedy =
                    "find out when it changed, or end the observation and begin it anew where its state is known";
                return Err((what, remedy));
            }
        };
        if let Some((up, since)) = self.state {
            // Observed until it failed: a time down without a length is none.
            let until_failure = record.event == Event::End && since.begun && !up;
            if record.at > since.at {
                let hours = (record.at - since.at) as f64 / HOUR;
                self.spells.push(Spell { up, hours, begun: since.begun, ended: record.event != Event::End });
            } else if !until_failure {
                return Err((
                    format!("{name} changes at the instant of line {}", since.line),
                    "give instants with more digits",
                ));
            }
        }
        self.state = next;
        Ok(())
    }
}

/// Spells up (or down) of several components as one exposure.
fn exposure(histories: &[History], up: bool) -> Result<Exposure, Error> {
    let spells: Vec<&Spell> =
        histories.iter().flat_map(|history| &history.spells).filter(|spell| spell.up == up).collect();
    let time = spells.iter().map(|spell| spell.hours).sum();
    let ended = spells.iter().filter(|spell| spell.ended).count() as u64;
    let which = if up { "time up" } else { "time down" };
    let cut_off = spells.iter().any(|spell| !spell.ended);
    let exposure =
        if cut_off || ended == 0 { Exposure::until_time(time, ended) } else { Exposure::until_event(time, ended) };
    exposure.map_err(|_| Error::new(format!("the log has no {which}"), "observe for longer"))
}

impl History {
    /// Failures in the hours up of these components, taken for alike.
    ///
    /// The last failure ended them if nothing is up where the observation ends, else a time did. A time fixed before may have
    /// found everything down by chance: the interval holds the true rate at least as often as it says then, too (sampled by the
    /// tests).
    ///
    /// # Errors
    /// If none was ever up.
    pub fn failures(histories: &[Self]) -> Result<Exposure, Error> {
        exposure(histories, true)
    }

    /// The same by what was decided before: to observe until so many failures, the last of which ended it for all, or until a
    /// time.
    ///
    /// # Errors
    /// As [`Self::failures`]; and if a failure is said to have ended the observation while something was still up when it ended,
    /// and nothing failed at that instant.
    pub fn failures_until(histories: &[Self], ending: Ending) -> Result<Exposure, Error> {
        let found = Self::failures(histories)?;
        let failed_last = |history: &Self| history.spells.last().is_some_and(|spell| spell.up && spell.ended);
        if ending == Ending::Event && found.ending != ending && !histories.iter().any(failed_last) {
            let names: Vec<&str> = histories.iter().map(|history| history.component.as_str()).collect();
            return Err(Error::new(
                format!("no failure ended the observation of {}", names.join(", ")),
                "end the log at the instant of its last failure and pool what it ended, or say that a time did",
            ));
        }
        Exposure::new(found.time, found.events, ending)
    }

    /// Whether nothing was seen to happen to it.
    #[must_use]
    pub fn is_eventless(&self) -> bool {
        self.spells.iter().all(|spell| !spell.begun && !spell.ended)
    }

    /// Repairs in the hours down. A time down that had not ended when the observation did is among the hours and has no repair
    /// (censored on the right), and the exposure is one that ended at a time.
    ///
    /// # Errors
    /// If none was ever down.
    pub fn repairs(histories: &[Self]) -> Result<Exposure, Error> {
        exposure(histories, false)
    }

    /// How many times down had not ended when the observation did.
    #[must_use]
    pub fn still_down(histories: &[Self]) -> usize {
        let spells = histories.iter().flat_map(|history| &history.spells);
        spells.filter(|spell| !spell.up && !spell.ended).count()
    }

    /// The availability with its interval, as [`availability`] has it.
    ///
    /// # Errors
    /// If none failed, or none was repaired.
    pub fn availability(histories: &[Self], confidence: Confidence) -> Result<Availability, Error> {
        availability(&Self::failures(histories)?, &Self::repairs(histories)?, confidence)
    }

    /// The complete times up (or down), whose beginning and end were seen: what tests of the law of times take.
    #[must_use]
    pub fn complete_hours(histories: &[Self], up: bool) -> Vec<f64> {
        let spells = histories.iter().flat_map(|history| &history.spells);
        spells.filter(|spell| spell.up == up && spell.begun && spell.ended).map(|spell| spell.hours).collect()
    }

    /// Whether failures become more or less frequent: the Laplace test over the operating hours of each component.
    ///
    /// # Errors
    /// If none failed.
    pub fn trend(histories: &[Self]) -> Result<TestResult, Error> {
        Self::trend_by(histories, laplace_trend)
    }

    /// The same by the power-law test, which is the better one against wear-out.
    ///
    /// # Errors
    /// If none failed.
    pub fn power_law_trend(histories: &[Self]) -> Result<TestResult, Error> {
        Self::trend_by(histories, power_law_trend)
    }

    fn trend_by(
        histories: &[Self],
        test: fn(&[FailureTimes]) -> Result<TestResult, Error>,
    ) -> Result<TestResult, Error> {
        let clocks: Vec<(Vec<f64>, f64)> = histories.iter().map(Self::operating_clock).collect();
        let units: Vec<FailureTimes> = clocks
            .iter()
            .filter(|(instants, _)| !instants.is_empty())
            .map(|(instants, end)| {
                // An observation that a failure ended, the component not up again since, is ended by it.
                let end = (instants.last() != Some(end)).then_some(*end);
                FailureTimes { instants, end }
            })
            .filter(|unit| unit.end.is_some() || unit.instants.len() > 1)
            .collect();
        test(&units)
    }

    /// Hours up until each failure, and all hours up.
    fn operating_clock(&self) -> (Vec<f64>, f64) {
        let (mut clock, mut instants) = (0.0, Vec::new());
        for spell in self.spells.iter().filter(|spell| spell.up) {
            clock += spell.hours;
            if spell.ended {
                instants.push(clock);
            }
        }
        (instants, clock)
    }
}
