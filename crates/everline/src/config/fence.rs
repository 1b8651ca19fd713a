//! `[fence]`: how it is made certain that a host has ended.

use super::problem::{Problem, Problems};
use super::section::{At, Key, Section};
use crate::settings::Fence;

pub(super) const FENCE: &[Key] = &[
    Key { name: "program", allowed: "the absolute path of a program, the same on every host" },
    Key { name: "timeout", allowed: "1 to 600 seconds" },
    Key { name: "after", allowed: "5 to 3600 seconds" },
];

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
    let value = Fence {
        program: program.map(|program| program.value.to_owned()),
        timeout: seconds("timeout", 1..601, usual.timeout, problems),
        after: seconds("after", 5..3_601, usual.after, problems),
    };
    At { value, span: section.span.clone() }
}

/// What is noted where there is one host only.
pub(super) fn without_hosts(fence: &At<Fence>) -> Problem {
    let problem = Problem::warning(fence.span.clone(), "[fence]", "there is no [[host]] that could be fenced");
    problem.allowed("means nothing on one host").help("`everline up --hosts 3` rehearses it")
}
