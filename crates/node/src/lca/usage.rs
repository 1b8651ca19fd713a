//! What a process uses of what it may use (`proc(5)`, `cgroups(7)`).

use std::fs;
use std::path::{Path, PathBuf};

use management::limits::Use;
use rustix::param::page_size;

/// Files and sockets that the process has open (`RLIMIT_NOFILE`).
pub(super) fn descriptors(pid: u32) -> Use {
    let folder = format!("/proc/{pid}/fd");
    // Since Linux 6.2 the size of the folder is their number; before that they have to be counted.
    let told = fs::metadata(&folder).map_or(0, |about| about.len());
    let counted = || fs::read_dir(&folder).map_or(0, |all| all.count() as u64);
    let used = if told > 0 { told } else { counted() };
    Use { used, most: limit(pid, "Max open files") }
}

/// The memory that it has mapped, in octets (`RLIMIT_AS`).
pub(super) fn memory(pid: u32) -> Use {
    let most = limit(pid, "Max address space");
    let pages = || read(&format!("/proc/{pid}/statm"))?.split(' ').next()?.parse::<u64>().ok();
    let used = if most > 0 { pages().unwrap_or_default() * page_size() as u64 } else { 0 };
    Use { used, most }
}

/// The memory of the control group of this process, or of that one above it which has the least room, in octets. What can be
/// given back at once does not count: most of it is what was read and written.
pub(super) fn memory_of_group() -> Use {
    let root = Path::new("/sys/fs/cgroup");
    let ours = read("/proc/self/cgroup").and_then(|text| group(root, &text));
    let groups = ours.iter().flat_map(|ours| ours.ancestors().take_while(|one| one.starts_with(root)));
    groups.map(in_group).max_by_key(|one| one.percent()).unwrap_or_default()
}

/// The memory of this host, in octets.
pub(super) fn memory_of_host() -> Use {
    let text = read("/proc/meminfo").unwrap_or_default();
    let of = |name: &str| field(&text, name).unwrap_or_default() << 10;
    let most = of("MemTotal:");
    Use { used: most.saturating_sub(of("MemAvailable:")), most }
}

/// The folder of the control group that stands in `/proc/self/cgroup`, version 2.
fn group(root: &Path, text: &str) -> Option<PathBuf> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(root.join(path))
}

fn in_group(group: &Path) -> Use {
    let read = |file: &str| fs::read_to_string(group.join(file)).unwrap_or_default();
    // "max" is no number, and no limit.
    let Ok(most) = read("memory.max").trim().parse() else { return Use::default() };
    let all: u64 = read("memory.current").trim().parse().unwrap_or_default();
    Use { used: all.saturating_sub(field(&read("memory.stat"), "inactive_file ").unwrap_or_default()), most }
}

/// The soft limit of this name; zero if there is none.
fn limit(pid: u32, name: &str) -> u64 {
    read(&format!("/proc/{pid}/limits")).and_then(|text| field(&text, name)).unwrap_or_default()
}

/// The first number behind a name at the begin of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use nix::sys::resource::{Resource, getrlimit};

    use super::*;

    #[test]
    fn what_this_process_has_open_is_counted() {
        let pid = std::process::id();
        let before = descriptors(pid);
        let held: Vec<_> = (0..100).map(|_| File::open("/dev/null").unwrap()).collect();
        let now = descriptors(pid);
        // Other tests open and close files meanwhile.
        assert!(before.used > 0 && now.used >= 100, "{before:?} {now:?} {}", held.len());
        assert_eq!(now.most, getrlimit(Resource::RLIMIT_NOFILE).unwrap().0);
        assert_eq!(descriptors(0), Use::default(), "there is no such process");
    }

    #[test]
    fn the_memory_of_a_host_is_known_and_no_limit_is_none() {
        let host = memory_of_host();
        assert!(host.most > host.used && host.used > 0, "{host:?}");
        assert_eq!(
            field("Max address space         unlimited            unlimited            bytes", "Max address space"),
            None
        );
        assert_eq!(
            field("a 1\nMax open files            1024                 4096   files", "Max open files"),
            Some(1_024)
        );
    }

    #[test]
    fn what_a_group_can_give_back_does_not_count() {
        let root = tempfile::tempdir().unwrap();
        let ours = group(root.path(), "0::/system.slice/everline.service\n").unwrap();
        assert!(ours.ends_with("system.slice/everline.service"));
        fs::create_dir_all(&ours).unwrap();
        assert_eq!(in_group(&ours), Use::default());
        for (file, text) in [("max", "1000\n"), ("current", "900\n"), ("stat", "anon 100\ninactive_file 300\n")] {
            fs::write(ours.join(format!("memory.{file}")), text).unwrap();
        }
        assert_eq!(in_group(&ours), Use { used: 600, most: 1_000 });
        fs::write(ours.join("memory.max"), "max\n").unwrap();
        assert_eq!(in_group(&ours), Use::default());
    }
}
