//! TCP connections in great number: bounded, and no hindrance to anybody else.

use std::process::Command;

use call::limits::MAX_SILENT_PER_SOURCE;

use crate::Test;
use crate::phone::{Line, Phone, over_tcp};
use crate::support::{Place, Running};

pub(crate) const TESTS: &[Test] = &[
    ("connections::a_thousand_half_open_ones_leave_room_for_others", half_open),
    ("connections::many_unfinished_messages_at_once_leave_the_pair_whole", unfinished),
    ("connections::a_backup_that_cannot_take_one_is_replaced", deaf_backup),
    ("connections::more_than_there_are_descriptors_leave_calls_alone", few_descriptors),
];

fn half_open() {
    let running = Running::new();
    let (tcp, mut phone) = (running.address("tcp"), Phone::new(running.address("udp")));
    let mut lines: Vec<Line> = (0..1_000)
        .map(|number| {
            let mut line = Line::from(1, tcp);
            if number % 2 == 0 {
                line.send("OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP ");
            }
            line
        })
        .collect();
    let mut other = Line::from(2, tcp);
    other.send(over_tcp(1, 0));
    assert_eq!(other.status(), Some(200), "another address is not to blame");
    assert!(phone.is_served());
    assert_eq!(running.place.run("calls").code, Some(0));
    // The rest of the half messages: whoever was let in is answered.
    let rest = "127.0.0.1;branch=z9hG4bKhalf\r\nMax-Forwards: 70\r\nFrom: <sip:1002@127.0.0.1>;tag=t\r\n\
                To: <sip:127.0.0.1>\r\nCall-ID: half\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    let whole = over_tcp(1, 0);
    let ended = |(number, line): (usize, &mut Line)| line.is_ended_before(if number % 2 == 0 { rest } else { &whole });
    let ended = lines.iter_mut().enumerate().map(ended).filter(|ended| *ended).count();
    assert_eq!(1_000 - ended, MAX_SILENT_PER_SOURCE);
    // They have spoken, so others of the same address may come.
    assert!(!Line::from(1, tcp).is_ended_before(&whole));
}

/// What they have sent stands in the records, and so in a checkpoint that is longer than one frame of the link.
fn unfinished() {
    let running = Running::new();
    let (tcp, mut phone) = (running.address("tcp"), Phone::new(running.address("udp")));
    let most = u8::try_from(MAX_SILENT_PER_SOURCE).unwrap_or(u8::MAX);
    let mut lines: Vec<Line> = (0..120).map(|number| Line::from(1 + number / most.min(60), tcp)).collect();
    for (number, line) in (1..).zip(&mut lines) {
        line.send(format!("{}{}", over_tcp(number, 64_000), "x".repeat(60_000)));
    }
    assert!(phone.is_served());
    lines.iter_mut().for_each(|line| line.send("x".repeat(4_000)));
    let answers: Vec<_> = lines.iter_mut().map(Line::status).collect();
    assert_eq!(answers, vec![Some(200); 120]);
    assert!(!running.logs().contains("without a backup"), "{}", running.logs());
}

/// A descriptor that is on its way to the backup is lost there, and the words around it.
fn deaf_backup() {
    let running = Running::new();
    let backup = |status: &serde_json::Value| {
        let mut applications = status["applications"].as_array()?.iter();
        applications.find(|one| one["pair"] == "sip" && one["level"] == true && one["role"] == "backup")?["pid"]
            .as_u64()
    };
    let before = running.ask("status --json", backup);
    let is_open = |number: &u32| std::fs::symlink_metadata(format!("/proc/{before}/fd/{number}")).is_ok();
    let free = (0..).find(|number| !is_open(number)).expect("a number");
    let limit = Command::new("prlimit").arg(format!("--pid={before}")).arg(format!("--nofile={free}:")).status();
    assert!(limit.is_ok_and(|status| status.success()), "prlimit (util-linux) is needed");
    // A descriptor that was about to be closed may have left room for one more.
    let _lines: Vec<Line> = (0..4).map(|_| Line::from(1, running.address("tcp"))).collect();
    let after = running.ask("status --json", |status| backup(status).filter(|pid| *pid != before));
    assert_ne!(before, after);
    let mut phone = Phone::new(running.address("udp"));
    assert!((0..1_000).all(|_| phone.is_served()));
}

fn few_descriptors() {
    let place = Place::new();
    place.configure("");
    let mut limited = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_everline");
    limited.args(["-c", "ulimit -n 260 && exec \"$@\"", "sh", program]);
    limited.env("EVERLINE_DIR", place.path()).current_dir(place.path());
    let running = Running::by(place, limited);
    let (tcp, mut phone) = (running.address("tcp"), Phone::new(running.address("udp")));
    let whole = over_tcp(1, 0);
    let mut lines: Vec<Line> = (0..600u16).map(|number| Line::from(1 + (number % 5) as u8, tcp)).collect();
    let served = lines.iter_mut().map(|line| !line.is_ended_before(&whole)).filter(|served| *served).count();
    assert!((1..260).contains(&served), "{served} of 600");
    assert!(phone.is_served());
    assert_eq!(running.place.run("status").code, Some(0));
    assert!(running.logs().contains("`ulimit -n`"), "{}", running.logs());
    drop(lines);
    // The room is there again as soon as the ends were read.
    while Line::from(1, tcp).is_ended_before(&whole) {}
    assert!(phone.is_served());
}
