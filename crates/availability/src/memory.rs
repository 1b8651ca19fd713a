//! How much memory there is for a solution, by what the system says about it.

/// What bounds the memory of a calculation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The caller, or a default that is the same everywhere.
    Given,
    /// The limit of the address space of the process: `ulimit -v`.
    AddressSpace,
    /// The limit of a control group that the process is in: `memory.max`.
    ControlGroup,
    /// What the machine has left.
    Machine,
}

impl Bound {
    /// Where a limit comes from, to stand behind it.
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Given => "",
            Self::AddressSpace => " (a sixth of what `ulimit -v` leaves this process)",
            Self::ControlGroup => " (a sixth of what memory.max leaves this control group)",
            Self::Machine => " (a sixth of the memory that is left)",
        }
    }

    /// How there can be more.
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::Given => "allow more memory",
            Self::AddressSpace => "raise `ulimit -v`",
            Self::ControlGroup => "raise memory.max of the control group",
            Self::Machine => "use a machine with more memory",
        }
    }
}

/// Memory that a process can still have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// So many bytes.
    pub bytes: usize,
    /// What says that there are no more.
    pub bound: Bound,
}

/// Where the control groups of version 2 are.
const GROUPS: &str = "/sys/fs/cgroup";
/// With less no model could be solved, however small it is.
const LEAST: usize = 16 << 20;

impl Memory {
    /// What is left to the process that reads these files of Linux: the least of its address space (`ulimit -v`), of the
    /// control groups that it is in (version 2) and of the memory of the machine, each without what is taken of it. Nothing
    /// where no file says anything; `read` gives the text of a file, if it can be read.
    #[must_use]
    pub fn left(read: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let text = |path: &str| read(path).unwrap_or_default();
        let of_group = |folder: String| {
            let file = |name: &str| text(&format!("{folder}/{name}"));
            in_group(&file("memory.max"), &file("memory.current"), &file("memory.stat"))
        };
        let bounds = [
            (address_space(&text("/proc/self/limits"), &text("/proc/self/status")), Bound::AddressSpace),
            (groups(&text("/proc/self/cgroup")).into_iter().filter_map(of_group).min(), Bound::ControlGroup),
            (kibibytes(&text("/proc/meminfo"), "MemAvailable:"), Bound::Machine),
        ];
        let known = bounds.into_iter().filter_map(|(bytes, bound)| Some((bytes?, bound)));
        let (bytes, bound) = known.min_by_key(|(bytes, _)| *bytes)?;
        Some(Self { bytes: usize::try_from(bytes).unwrap_or(usize::MAX), bound })
    }

    /// What states and arcs, or the nodes of a diagram, may take of it: a sixth.
    pub(crate) fn share(self) -> usize {
        (self.bytes / 6).max(LEAST)
    }
}

/// What is left of an address space.
fn address_space(limits: &str, status: &str) -> Option<u64> {
    // The first of two numbers is the one that holds; `unlimited` is none.
    let limit: u64 = first_word(limits, "Max address space")?.parse().ok()?;
    Some(limit.saturating_sub(kibibytes(status, "VmSize:").unwrap_or(0)))
}

/// What is left of a control group: pages of files are given back when they are needed.
fn in_group(max: &str, current: &str, stat: &str) -> Option<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let pages = |name| first_word(stat, name).and_then(number).unwrap_or(0);
    let taken = number(current).unwrap_or(0).saturating_sub(pages("inactive_file ") + pages("active_file "));
    Some(number(max)?.saturating_sub(taken))
}

/// The folders of a control group and of those around it, whose limits hold as well.
fn groups(own: &str) -> Vec<String> {
    let Some(path) = own.lines().find_map(|line| line.strip_prefix("0::/")) else { return Vec::new() };
    let mut folders = vec![GROUPS.to_owned()];
    for name in path.split('/').filter(|name| !name.is_empty()) {
        folders.push(format!("{}/{name}", folders[folders.len() - 1]));
    }
    folders
}

/// Bytes of a line `NAME 123 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    first_word(text, name)?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The first word behind the name that begins a line.
fn first_word<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
        Max data size             unlimited            unlimited            bytes     \n\
        Max address space         512000000            unlimited            bytes     \n";
    const STATUS: &str = "Name:\teverline\nVmPeak:\t   20000 kB\nVmSize:\t   10000 kB\n";
    const MEMORY: &str = "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:     300000 kB\n";

    #[test]
    fn an_address_space_has_left_what_is_not_taken() {
        assert_eq!(address_space(LIMITS, STATUS), Some(512_000_000 - 10_000 * 1024));
        assert_eq!(address_space(LIMITS, ""), Some(512_000_000));
        assert_eq!(address_space(LIMITS, "VmSize: 999999999 kB"), Some(0));
        assert_eq!(address_space(&LIMITS.replace("512000000", "unlimited"), STATUS), None);
        assert_eq!((address_space("", STATUS), kibibytes(MEMORY, "MemAvailable:")), (None, Some(300_000 * 1024)));
    }

    #[test]
    fn pages_of_files_are_no_memory_that_a_group_has_taken() {
        let stat = "anon 700\nfile 250\ninactive_file 200\nactive_file 50\n";
        assert_eq!(in_group("1000\n", "900\n", stat), Some(350));
        assert_eq!(in_group("1000\n", "", ""), Some(1000));
        assert_eq!(in_group("max\n", "900\n", stat), None);
        assert_eq!(in_group("", "", ""), None);
    }

    #[test]
    fn the_limits_of_all_groups_around_hold() {
        let folders = ["/sys/fs/cgroup", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup/a.slice/b.service"];
        assert_eq!(groups("0::/a.slice/b.service\n"), folders);
        assert_eq!(groups("12:memory:/a\n0::/\n"), folders[..1]);
        assert!(groups("12:memory:/a\n").is_empty());
    }

    #[test]
    fn the_least_bound_counts_and_is_named() {
        let files = |limits: &'static str, max: &'static str| {
            move |path: &str| {
                Some(match path {
                    "/proc/self/limits" => limits.to_owned(),
                    "/proc/self/status" => STATUS.to_owned(),
                    "/proc/self/cgroup" => "0::/a\n".to_owned(),
                    "/proc/meminfo" => MEMORY.to_owned(),
                    "/sys/fs/cgroup/a/memory.max" => max.to_owned(),
                    _ => return None,
                })
            }
        };
        let left = |limits, max| Memory::left(&files(limits, max)).map(|memory| (memory.bytes, memory.bound));
        assert_eq!(left(LIMITS, "max"), Some((300_000 * 1024, Bound::Machine)));
        assert_eq!(left(LIMITS, "90000000"), Some((90_000_000, Bound::ControlGroup)));
        let narrow = "Max address space 20000000 20000000 bytes";
        assert_eq!(left(narrow, "90000000"), Some((9_760_000, Bound::AddressSpace)));
        assert_eq!(Memory::left(&|_| None), None);
        let memory = Memory { bytes: 600 << 20, bound: Bound::Machine };
        assert_eq!((memory.share(), Memory { bytes: 0, ..memory }.share()), (100 << 20, LEAST));
    }
}
