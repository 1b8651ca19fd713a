//! What a measurement was taken on and with.

use std::fs;
use std::process::Command;

use serde::Serialize;

use crate::process::{find_program, root};

/// The machine and the versions of everything that took part.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_mib: u64,
    kernel: String,
    /// Each session is a group of its own to the scheduler (sched(7)): see the README, "When the machine is busy".
    autogroups: bool,
    system: String,
    everline: String,
    sipp: String,
    baresip: String,
    kamailio: String,
}

impl Machine {
    /// Asks this machine.
    pub(crate) fn here() -> Self {
        let field = |file: &str, key: &str, separator: char| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_once(separator).map_or("", |(_, value)| value).trim().trim_matches('"').to_owned()
        };
        let memory = field("/proc/meminfo", "MemTotal", ':');
        let memory_kib: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        let said = |program: &str, args: &[&str], mark: &str| {
            let Some(path) = find_program(program) else { return String::new() };
            let output = Command::new(path).args(args).current_dir(root()).output();
            let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.lines().find(|line| line.contains(mark)).unwrap_or_default().trim().to_owned()
        };
        Self {
            processor: field("/proc/cpuinfo", "model name", ':'),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory_kib / 1_024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            autogroups: fs::read_to_string("/proc/sys/kernel/sched_autogroup_enabled").is_ok_and(|on| on.trim() == "1"),
            system: field("/etc/os-release", "PRETTY_NAME", '='),
            everline: said("git", &["describe", "--always", "--dirty"], ""),
            sipp: said("sipp", &["-v"], "SIPp v"),
            baresip: said("baresip", &["-h"], "baresip v"),
            kamailio: said("kamailio", &["-v"], "version"),
        }
    }

    /// One line for the head of a table.
    pub(crate) fn summary(&self) -> String {
        let Self { processor, cores, memory_mib, kernel, system, everline, .. } = self;
        let autogroups = if self.autogroups { "on" } else { "off" };
        format!(
            "{processor}, {cores} cores, {memory_mib} MiB, Linux {kernel} (scheduler autogroups {autogroups}), {system}; \
             everline {everline}"
        )
    }
}
