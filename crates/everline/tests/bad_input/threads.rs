//! One thread of a server stops, and only that one: the local control agent names it and ends the process, and calls go on.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd as _;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::Value;

use crate::Test;
use crate::phone::Phone;
use crate::stopped::stop;
use crate::support::{Place, Running, is_measured};

pub(crate) const TESTS: &[Test] = &[
    ("threads::one_that_stops_is_named_and_its_server_ended (needs the right to trace)", of_servers),
    ("threads::one_that_stops_in_the_control_server_is_named (needs the right to trace)", of_the_control_server),
    ("threads::one_that_stops_in_a_server_without_a_backup_is_told (needs the right to trace)", alone),
];

/// A process that is not ended for this long, in milliseconds, will not be.
const TOO_LONG: u16 = 30_000;
/// What is counted of a helper thread: nobody looks at it for 200 ms, and the look after that and eleven more are 25 ms apart.
const HELPER: f64 = 475.0;
/// The same of a serving thread: six looks after the one that has seen it come round.
const SERVING: f64 = 150.0;

/// Stops a thread of an application, and waits until the next run of that serves beside all others.
fn is_noticed(running: &Running, application: &str, thread: &str) {
    // `life` stands for the serving thread where no calls are served; the first thread has the name of the program.
    let (about, said, at_least) = match thread {
        "life" => (application.to_owned(), "serving thread".to_owned(), SERVING),
        "everline" => (format!("http of {application}"), "thread http".to_owned(), HELPER),
        helper => (format!("{helper} of {application}"), format!("thread {helper}"), HELPER),
    };
    let pid = running.pids()[application];
    let process = pidfd_open(Pid::from_raw(pid).expect("a process"), PidfdFlags::empty()).expect("it lives");
    stop(pid, thread);
    let ended = poll(&mut [PollFd::new(process.as_fd(), PollFlags::POLLIN)], PollTimeout::from(TOO_LONG));
    assert_eq!(ended, Ok(1), "{application} goes on without its {said}: {}", running.logs());
    let is_told = |status: &Value| {
        let mut noticed = status["detections"].as_array()?.iter();
        let noticed = noticed.find(|one| one["name"] == "hang" && one["about"] == *about && one["on"] == false)?;
        let mut applications = status["applications"].as_array()?.iter();
        applications.all(|one| one["ready"] == true).then(|| noticed.clone())
    };
    // The one who answers may be the one who was ended.
    let answers = || {
        let answer = running.place.run("status --json");
        (answer.code == Some(0)).then_some(())
    };
    assert!((0..2_000).any(|_| answers().is_some()), "{}", running.logs());
    let noticed = running.ask("status --json", is_told);
    assert!(is_measured(&noticed, at_least), "{noticed}");
    let said = format!("{application} is killed: it hangs: its {said} has not come round");
    assert!(running.logs().contains(&said), "{said}? {}", running.logs());
}

/// The primary of a pair.
fn primary(running: &Running, pair: &str) -> String {
    running.ask("status --json", |status| {
        let mut applications = status["applications"].as_array()?.iter();
        let found = applications.find(|one| one["pair"] == pair && one["role"] == "primary")?;
        Some(found["name"].as_str()?.to_owned())
    })
}

fn of_servers() {
    let running = Running::new();
    let mut phone = Phone::new(running.address("udp"));
    let mut caller = Phone::new(running.address("udp"));
    let call = caller.wait_in("sip:9000@127.0.0.1", "long enough");
    for (pair, thread) in
        [("sip", "recorder"), ("sip", "journal"), ("sip", "log"), ("sip", "witness"), ("routing", "recorder")]
    {
        is_noticed(&running, &primary(&running, pair), thread);
        assert!(phone.is_served(), "after {thread} of {pair}");
    }
    caller.give_up(&call);
}

fn of_the_control_server() {
    let running = Running::new();
    let mut caller = Phone::new(running.address("udp"));
    let call = caller.wait_in("sip:9000@127.0.0.1", "long enough");
    let before = running.living();
    for thread in ["everline", "journal", "life"] {
        is_noticed(&running, "control", thread);
    }
    let others = |mut pids: BTreeMap<String, i32>| pids.remove("control").map(|_| pids);
    assert_eq!(others(running.living()), others(before), "nobody else was ended");
    caller.give_up(&call);
}

fn alone() {
    let place = Place::new();
    place.configure("");
    let path = place.path().join("everline.toml");
    let usual = fs::read_to_string(&path).expect("text");
    fs::write(&path, usual.replace("[sip]\n", "[sip]\nstandby = false\n")).expect("written");
    let running = Running::up(place);
    let mut caller = Phone::new(running.address("udp"));
    let call = caller.wait_in("sip:9000@127.0.0.1", "long enough");
    let before = running.living();
    stop(before["sip-a"], "recorder");
    running.ask("status --json", |status| {
        let mut applications = status["applications"].as_array()?.iter();
        let note = applications.find(|one| one["name"] == "sip-a")?["note"].as_str()?;
        note.contains("its thread recorder has stopped").then_some(())
    });
    caller.give_up(&call);
    assert_eq!(running.living(), before, "nobody was ended");
}
