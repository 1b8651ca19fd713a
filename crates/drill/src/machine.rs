//! What a drill ran on.

use std::fs;

use serde::{Deserialize, Serialize};

/// A machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Its processor.
    pub processor: String,
    /// How many cores it has.
    pub cores: usize,
    /// Its memory.
    pub memory_mib: u64,
    /// The version of Linux.
    pub kernel: String,
    /// The distribution.
    pub system: String,
}

impl Machine {
    /// Asks this one.
    #[must_use]
    pub fn here() -> Self {
        let field = |file: &str, key: &str, separator: char| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_once(separator).map_or("", |(_, value)| value).trim().trim_matches('"').to_owned()
        };
        let memory = field("/proc/meminfo", "MemTotal", ':');
        let memory_kib: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
        Self {
            processor: field("/proc/cpuinfo", "model name", ':'),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_mib: memory_kib / 1_024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            system: field("/etc/os-release", "PRETTY_NAME", '='),
        }
    }

    /// One line.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { processor, cores, memory_mib, kernel, system } = self;
        format!("{processor}, {cores} cores, {memory_mib} MiB, Linux {kernel}, {system}")
    }
}
