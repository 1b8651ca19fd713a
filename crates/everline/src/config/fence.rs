//! `[fence]`: how it is made certain that a host has ended, and what one does that reaches nobody.

use std::ops::RangeInclusive;

use super::problem::{Problem, Problems};
use super::section::{At, Key, Section};
use super::sections::noted;
use crate::settings::Fence;

pub(super) const FENCE: &[Key] = &[
    Key { name: "program", allowed: "the absolute path of a program, the same on every host" },
    Key { name: "timeout", allowed: "1 to 600 seconds" },
    Key { name: "after", allowed: "5 to 3600 seconds" },
    Key { name: "isolated", allowed: "\"keep\", or a time from 10s to 24h: \"90s\", \"5m\", \"2h\"" },
];

/// Seconds after which an isolated host may stop: shorter than a coordinator may need that starts, nobody means it.
const ISOLATED: RangeInclusive<u32> = 10..=24 * 3_600;

/// What the section says.
pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> At<Fence> {
    let usual = Fence::default();
    let program = section.text("program", problems);
    if let Some(bad) = program.as_ref().filter(|program| !program.value.starts_with('/')) {
        problems.add(section.error("program", bad.span.clone(), "this is not an absolute path"));
    }
    let seconds = |key, range, usual, problems: &mut Problems| {
        section.number(key, range, problems).map_or(usual, |seconds: At<u32>| seconds.value)
    };
    let isolated = section.text("isolated", problems);
    let isolated =
        isolated.and_then(|text| noted(section, "isolated", &text.span, patience(text.value), problems)).flatten();
    let value = Fence {
        isolated,
        program: program.map(|program| program.value.to_owned()),
        timeout: seconds("timeout", 1..601, usual.timeout, problems),
        after: seconds("after", 5..3_601, usual.after, problems),
    };
    At { value, span: section.span.clone() }
}

/// How long an isolated host goes on, in seconds.
fn patience(text: &str) -> Result<Option<u32>, String> {
    if text == "keep" {
        return Ok(None);
    }
    let units = [("s", 1), ("m", 60), ("h", 3_600)];
    let number = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (number, seconds) = number.ok_or("this is neither \"keep\" nor a time")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<u32>().ok().filter(|_| is_number).ok_or("this is not a time")?;
    let all = number.checked_mul(seconds).filter(|all| ISOLATED.contains(all));
    Ok(Some(all.ok_or("out of range")?))
}

/// What is noted where there is one host only.
pub(super) fn without_hosts(fence: &At<Fence>) -> Problem {
    let problem = Problem::warning(fence.span.clone(), "[fence]", "there is no [[host]] that could be fenced");
    problem.allowed("means nothing on one host").help("`everline up --hosts 3` rehearses it")
}
