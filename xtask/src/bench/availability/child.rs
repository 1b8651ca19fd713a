//! One measured process: bounded in time and memory, and what it printed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::lab::child::Guard;
use crate::process::bound;

/// What a process may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) time: Duration,
    /// Of its address space, of which the memory in use is a part.
    pub(super) gib: u64,
}

/// What a process has printed: one line of JSON.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Printed {
    /// Seconds by step.
    pub(super) steps: BTreeMap<String, f64>,
    /// By name, with all digits.
    pub(super) values: BTreeMap<String, String>,
    /// Proven bounds of the relative errors, of those values that have one.
    pub(super) bounds: BTreeMap<String, f64>,
    pub(super) used: Used,
}

/// What a process has taken from its start on, where the kernel tells.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Used {
    /// The most memory.
    pub(super) peak_kib: Option<u64>,
    /// Seconds that its first thread had a processor.
    pub(super) ran_s: Option<f64>,
    /// Seconds that this thread waited for one.
    pub(super) waited_s: Option<f64>,
}

impl Used {
    /// The share of the time in which it could have run that it had to wait.
    pub(super) fn waiting(&self) -> Option<f64> {
        let (ran, waited) = (self.ran_s?, self.waited_s?);
        (ran + waited > 0.0).then(|| waited / (ran + waited))
    }
}

/// Runs a program to its end; the inner error says why there is no number.
pub(super) fn measure(words: &[String], limits: Limits, folder: &Path) -> Result<Result<Printed, String>> {
    let (out, err) = (folder.join("stdout"), folder.join("stderr"));
    let mut command = bound("prlimit", "KILL", None);
    command.arg(format!("--as={}", limits.gib << 30)).args(words);
    command.stdout(File::create(&out)?).stderr(File::create(&err)?);
    let ended = Guard::start(&words[0], &mut command)?.wait(limits.time)?;
    let said = |file| fs::read_to_string(file).with_context(|| format!("{} cannot be read", out.display()));
    Ok(judge(ended, limits, &said(&out)?, &said(&err)?))
}

/// The last line of the output, or why there is none.
fn judge(ended: Option<ExitStatus>, limits: Limits, out: &str, err: &str) -> Result<Printed, String> {
    let Some(status) = ended else { return Err(format!("no number within {} s", limits.time.as_secs())) };
    if status.success()
        && let Some(Ok(printed)) = out.lines().last().map(serde_json::from_str)
    {
        return Ok(printed);
    }
    let lacks_memory = ["bad_alloc", "MemoryError", "memory allocation", "Unable to allocate"];
    if lacks_memory.iter().any(|sign| err.contains(sign)) {
        return Err(format!("no number within {} GiB", limits.gib));
    }
    let last = err.lines().map(str::trim).rfind(|line| !line.is_empty());
    let how = status.signal().map_or_else(|| status.to_string(), |signal| format!("signal {signal}"));
    Err(last.map_or_else(|| how.clone(), |line| format!("{how}: {line}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { time: Duration::from_secs(7), gib: 2 };

    #[test]
    fn the_last_line_counts() {
        let out = "WARN something\n{\"steps\":{\"solve\":0.5},\"values\":{\"U\":\"1e-9\"},\"bounds\":{},\"used\":{\"peak_kib\":7}}\n";
        let printed = judge(Some(ExitStatus::from_raw(0)), LIMITS, out, "").expect("a number");
        assert_eq!(
            (printed.values["U"].as_str(), printed.steps["solve"], printed.used.peak_kib),
            ("1e-9", 0.5, Some(7))
        );
    }

    #[test]
    fn waiting_is_a_share_of_the_time_that_could_be_used() {
        let used = Used { peak_kib: None, ran_s: Some(3.0), waited_s: Some(1.0) };
        assert_eq!(used.waiting(), Some(0.25));
        assert_eq!(Used::default().waiting(), None);
    }

    #[test]
    fn why_there_is_no_number_is_said() {
        let reason = |status, out, err| judge(status, LIMITS, out, err).expect_err("no number");
        assert_eq!(reason(None, "", ""), "no number within 7 s");
        let aborted = Some(ExitStatus::from_raw(6));
        assert_eq!(reason(aborted, "", "terminate: std::bad_alloc\n"), "no number within 2 GiB");
        assert_eq!(reason(aborted, "", "a\nb \n\n"), "signal 6: b");
        assert_eq!(reason(Some(ExitStatus::from_raw(0)), "nonsense", ""), "exit status: 0");
    }

    #[test]
    fn a_process_is_ended_at_its_limit() {
        let folder = std::env::temp_dir().join(format!("xtask-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let words = ["sleep", "600"].map(str::to_owned);
        let limits = Limits { time: Duration::from_millis(50), ..LIMITS };
        let outcome = measure(&words, limits, &folder).expect("it starts");
        fs::remove_dir_all(&folder).expect("it is there");
        assert_eq!(outcome.expect_err("no number"), "no number within 0 s");
    }
}
