//! What goes wrong is noticed, counted and told, and a primary that is at a limit hands over.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;
use rustix::param::page_size;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::Value;

use crate::support::{Running, is_measured};

/// How long a primary has no backup before it says so.
const ALONE: Duration = Duration::from_secs(15);

/// What was noticed of one thing, as soon as `wanted` says that it is as it should be.
fn noticed(running: &Running, name: &str, about: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    running.ask("status --json", |status| {
        let mut all = status["detections"].as_array()?.iter();
        all.find(|one| one["name"] == name && one["about"] == about && wanted(one)).cloned()
    })
}

/// The members of the pair `sip` that serve and that could take over, once the pair is level.
fn level(running: &Running) -> (String, String) {
    running.ask("status --json", |status| {
        let rows: Vec<&Value> = status["applications"].as_array()?.iter().filter(|one| one["pair"] == "sip").collect();
        let ready = |role: &str| rows.iter().find(|one| one["role"] == role && one["ready"] == true);
        let (primary, backup) = (ready("primary").filter(|one| one["level"] == true)?, ready("backup")?);
        Some((primary["name"].as_str()?.to_owned(), backup["name"].as_str()?.to_owned()))
    })
}

#[test]
fn a_process_that_ends_and_one_that_hangs_are_counted_with_their_times() {
    let running = Running::new();
    let (primary, backup) = level(&running);
    running.signal(&backup, Signal::SIGKILL);
    let ended = noticed(&running, "exit", &backup, |one| one["on"] == false);
    assert_eq!((&ended["count"], &ended["application"]), (&1.into(), &"lca".into()), "{ended}");
    let times = ["last_ms", "max_ms", "lasted_ms"].map(|key| ended[key].as_f64().expect(key));
    assert!(times[0] == times[1] && times[2] > 0.0, "{ended}");
    assert!(ended["last_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{ended}");
    level(&running);
    running.signal(&primary, Signal::SIGSTOP);
    let hung = noticed(&running, "hang", &primary, |one| one["on"] == false);
    assert!(is_measured(&hung, 150.0), "{hung}");
    let shown = running.place.run("status").out;
    assert!(shown.contains(&format!("noticed exit of {backup} once: after ")), "{shown}");
    assert!(shown.contains(&format!("noticed hang of {primary} once: after ")), "{shown}");
    // Whoever asks is another process than the one that counts.
    running.signal("control", Signal::SIGKILL);
    assert_eq!(noticed(&running, "exit", &backup, |_| true)["count"], 1);
    noticed(&running, "exit", "control", |_| true);
}

/// For a while an application may map little more memory than it has mapped.
fn has_little_memory(running: &Running, application: &str) {
    let pid = running.pids()[application];
    let mapped = fs::read_to_string(format!("/proc/{pid}/statm")).expect("it lives");
    let pages: u64 = mapped.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a count of pages");
    let usual = getrlimit(Resource::As);
    let limit = |current| {
        let limit = Rlimit { current, maximum: usual.maximum };
        prlimit(Pid::from_raw(pid), Resource::As, limit).map(drop)
    };
    // It has mapped 85 % of that: this is told, and it can go on.
    limit(Some(pages * page_size() as u64 * 100 / 85)).expect("its limit is lowered");
    let much = noticed(running, "memory", application, |one| one["on"] == true);
    // Whoever has noticed something else before has looked at this too, and looks every second.
    assert!(is_measured(&much, 1_000.0), "{much}");
    let shown = running.place.run("status").out;
    assert!(shown.contains(" MiB of memory that it may: raise the limit"), "{shown}");
    limit(usual.current).expect("its limit is as before");
    let over = noticed(running, "memory", application, |one| one["on"] == false);
    assert!(over["lasted_ms"].as_f64() >= Some(1_000.0), "until the next look: {over}");
}

#[test]
fn a_pair_whose_backup_cannot_come_back_says_so() {
    let running = Running::new();
    let (primary, backup) = level(&running);
    let journal = running.place.path().join(format!("data/{backup}.journal"));
    // A folder in the place of a file: no run of it can start.
    fs::rename(&journal, journal.with_extension("aside")).expect("moved away");
    fs::create_dir(&journal).expect("made");
    running.signal(&backup, Signal::SIGKILL);
    // No sooner; it is asked for as often as it takes from then on.
    sleep(ALONE);
    let missed = noticed(&running, "backup", "sip", |one| one["on"] == true);
    assert!(is_measured(&missed, 15_000.0) && missed["count"] == 1, "{missed}");
    assert_eq!(missed["application"], primary.as_str(), "the primary misses it: {missed}");
    let shown = running.place.run("status").out;
    assert!(shown.contains(&format!("{primary}: has no backup that could take over")), "{shown}");
    assert!(shown.contains("noticed backup of sip once: after "), "{shown}");
    assert!(running.logs().contains("noticed what=backup by="), "{}", running.logs());
}

#[test]
fn a_primary_with_nearly_no_descriptors_or_memory_left_says_so_and_hands_over() {
    let running = Running::new();
    let (primary, backup) = level(&running);
    let pid = running.pids()[&primary];
    let open = fs::read_dir(format!("/proc/{pid}/fd")).expect("it lives").count() as u64;
    let limit = |room: u64| {
        // What this process may have at most, its children may as well; nobody can raise that for them.
        let limit = Rlimit { current: Some(open + room), maximum: getrlimit(Resource::Nofile).maximum };
        prlimit(Pid::from_raw(pid), Resource::Nofile, limit).map(drop)
    };
    // Room for a tenth more: that is told, and no more.
    limit(open / 10).expect("its limit is lowered");
    let few = noticed(&running, "descriptors", &primary, |one| one["on"] == true);
    assert!(is_measured(&few, 0.0), "{few}");
    assert_eq!(level(&running), (primary.clone(), backup.clone()));
    let shown = running.place.run("status").out;
    assert!(shown.contains(&format!("{primary}: it has ")) && shown.contains("LimitNOFILE="), "{shown}");
    has_little_memory(&running, &primary);
    assert_eq!(level(&running), (primary.clone(), backup.clone()));
    limit(1).expect("its limit is lowered again");
    running.ask("status --json", |status| {
        let mut rows = status["applications"].as_array()?.iter();
        rows.find(|one| one["name"] == *backup && one["role"] == "primary" && one["ready"] == true).map(drop)
    });
    limit(10 * open).expect("its limit is raised");
    noticed(&running, "descriptors", &primary, |one| one["on"] == false);
}
