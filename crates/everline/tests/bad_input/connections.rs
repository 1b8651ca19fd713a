//! TCP connections in great number: bounded, and no hindrance to anybody else.

use std::process::Command;

use call::limits::MAX_SILENT_PER_SOURCE;

use crate::Test;
use crate::phone::{Line, Phone, over_tcp};
use crate::support::{Place, Running};

pub(crate) const TESTS: &[Test] = &[
    ("connections::a_thousand_half_open_ones_leave_room_for_others", half_open),
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
