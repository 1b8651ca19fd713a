//! Bad messages: each gets the status that the RFC says, and the next caller is served.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use crate::Test;
use crate::phone::{Line, Phone, over_tcp, status_of};
use crate::support::Running;

pub(crate) const TESTS: &[Test] = &[
    ("messages::malformed_ones_are_answered_or_dropped_and_the_log_stays_short", malformed),
    ("messages::a_wrong_password_is_asked_again_and_the_log_stays_short", wrong_password),
    ("messages::an_unknown_number_is_not_found", unknown_number),
    ("messages::numbers_are_kept_from_whoever_has_no_password", numbers_are_kept),
    ("messages::the_caller_behind_a_full_queue_is_refused", full_queue),
    ("messages::the_largest_are_taken_and_larger_ones_refused", large),
    ("messages::a_thousand_vias_are_refused", vias),
    ("messages::a_stream_of_garbage_is_ended", garbage_stream),
];

/// Lines of the logs with these words, once there is one: whoever writes them lets everybody else go first.
fn lines(running: &Running, words: &str) -> usize {
    let begun = Instant::now();
    loop {
        let written = running.logs().lines().filter(|line| line.contains(words)).count();
        if written > 0 || begun.elapsed() > Duration::from_secs(20) {
            return written;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn malformed() {
    let running = Running::new();
    let before = running.living();
    let mut phone = Phone::new(running.address("udp"));
    let good = phone.request("OPTIONS", "sip:127.0.0.1", "1002", "");
    let without = |name: &str| {
        let keeps = |line: &&str| !line.starts_with(name);
        good.split_inclusive("\r\n").filter(keeps).collect::<String>()
    };
    for (status, bytes) in [
        (400, without("Call-ID")),
        (400, without("CSeq")),
        (400, good.replace("CSeq: 1 OPTIONS", "CSeq: 1 INVITE")),
        (400, good.replace("Content-Length: 0", "Content-Length: 999")),
        (400, good.replace("Max-Forwards: 70", "Max-Forwards: many")),
        (505, good.replace("sip:127.0.0.1 SIP/2.0", "sip:127.0.0.1 SIP/7.0")),
        (416, good.replace("OPTIONS sip:127.0.0.1", "OPTIONS gopher:127.0.0.1")),
        (501, good.replace("OPTIONS", "FROBNICATE")),
        (481, good.replace("OPTIONS", "BYE")),
    ] {
        assert_eq!(phone.ask(&bytes), status, "{bytes}");
    }
    // Nobody waits for an answer to these, and none comes: the next thing that comes is the answer to a good request.
    for noise in
        [&b"\0\xff\xfe noise"[..], b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"", b"\r\n\r\n", b"ACK"]
    {
        phone.send(noise);
    }
    assert!(phone.is_served());
    for _ in 0..2_000 {
        phone.send(without("CSeq"));
        assert_eq!(status_of(&phone.receive()), 400);
    }
    let written = lines(&running, "malformed message from 127.0.0.1");
    assert!((1..50).contains(&written), "{written} lines of 2,000");
    assert!(phone.is_served());
    assert_eq!(running.living(), before, "no process was replaced");
}

fn wrong_password() {
    let running = Running::new();
    let mut phone = Phone::new(running.address("udp"));
    for guess in 0..200 {
        let (status, answer) = phone.prove("REGISTER", "sip:127.0.0.1", &format!("guess {guess}"), "");
        assert_eq!(status, 401);
        assert!(answer.contains("WWW-Authenticate: Digest") && !answer.contains("stale"), "{answer}");
    }
    assert_eq!(phone.prove("INVITE", "sip:9000@127.0.0.1", "not it", "").0, 401);
    let written = lines(&running, "wrong password from 127.0.0.1");
    assert!((1..50).contains(&written), "{written} lines of 201");
    assert!(!running.logs().contains("1002"), "no telephone number stands in a log");
    // Malformed credentials are said to be so.
    let half = phone.request(
        "REGISTER",
        "sip:127.0.0.1",
        "1002",
        "Authorization: Digest username=\"1002\", realm=\"127.0.0.1\"\r\n",
    );
    assert_eq!(phone.ask(half), 400);
    assert_eq!(phone.prove("REGISTER", "sip:127.0.0.1", "long enough", "").0, 200);
}

fn unknown_number() {
    let running = Running::new();
    let mut phone = Phone::new(running.address("udp"));
    assert_eq!(phone.prove("INVITE", "sip:7777@127.0.0.1", "long enough", "").0, 404);
    assert_eq!(phone.prove("OPTIONS", "sip:7777@127.0.0.1", "long enough", "").0, 404);
    assert_eq!(phone.prove("OPTIONS", "sip:1002@127.0.0.1", "long enough", "").0, 480, "nobody has registered there");
}

/// Whoever has no password learns of no number whether there is an extension.
fn numbers_are_kept() {
    let running = Running::new();
    let mut phone = Phone::new(running.address("udp"));
    let mut answers = |number: &str, more: &str| {
        ["REGISTER", "INVITE", "OPTIONS", "MESSAGE"].map(|method| {
            let from =
                if method == "REGISTER" { "sip:127.0.0.1".to_owned() } else { format!("sip:{number}@127.0.0.1") };
            let request = phone.request(method, &from, number, more);
            phone.ask(request)
        })
    };
    let guess = |number| {
        format!(
            "Authorization: Digest username=\"{number}\", realm=\"127.0.0.1\", nonce=\"n\", uri=\"sip:127.0.0.1\", \
             response=\"r\", qop=auth, nc=00000001, cnonce=\"c\"\r\n"
        )
    };
    // A phone, a device with a fixed contact, a queue, and nobody.
    for number in ["1002", "1001", "9000", "7777"] {
        assert_eq!(answers(number, ""), [401, 401, 401, 405], "{number}");
        assert_eq!(answers(number, &guess(number))[..1], answers("1002", &guess("1002"))[..1], "{number}");
    }
}

fn full_queue() {
    let caller = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = caller.local_addr().expect("bound");
    let running = Running::with(&format!(
        "[[queue]]\nnumber = \"9001\"\nagents = []\ncapacity = 2\n[[trunk]]\nname = \"carrier\"\naddress = \"{address}\"\n"
    ));
    let mut phone = Phone::from(caller, running.address("udp"));
    for _ in 0..2 {
        let invite = phone.request("INVITE", "sip:9001@127.0.0.1", "5550100", "");
        phone.send(invite);
        while status_of(&phone.receive()) != 182 {}
    }
    let invite = phone.request("INVITE", "sip:9001@127.0.0.1", "5550100", "");
    assert_eq!(phone.ask(invite), 486);
}

fn large() {
    let running = Running::new();
    let mut phone = Phone::new(running.address("udp"));
    // The most that fits into one datagram over IPv4 (RFC 768, RFC 791).
    let head =
        phone.request("OPTIONS", "sip:127.0.0.1", "1002", "").replace("Content-Length: 0", "Content-Length: 60000");
    let mut datagram = head.into_bytes();
    datagram.resize(65_507, b'x');
    assert_eq!(phone.ask(datagram), 200);

    let body = "x".repeat(65_535);
    let mut line = Line::from(1, running.address("tcp"));
    let room = 65_535 - over_tcp(1, 60_000).len();
    line.send(over_tcp(1, room));
    line.send(&body[..room]);
    assert_eq!(line.status(), Some(200), "64 KiB with its head");
    let mut line = Line::from(1, running.address("tcp"));
    line.send(over_tcp(3, 0).replace("Max-Forwards: 70", &format!("Max-Forwards: 70\r\nSubject: {}", &body[..60_000])));
    assert_eq!(line.status(), Some(200), "nearly all of it head");
    for length in [room + 1, 1 << 20, 1 << 40] {
        let mut line = Line::from(1, running.address("tcp"));
        line.send(over_tcp(2, length));
        assert_eq!(
            (line.status(), line.status()),
            (Some(513), None),
            "{length} bytes: refused before they come, and ended"
        );
    }
    assert!(phone.is_served());
}

fn vias() {
    let running = Running::new();
    let mut phone = Phone::new(running.address("udp"));
    let with = |phone: &mut Phone, count: usize| {
        let vias = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK0\r\n".repeat(count);
        phone.request("OPTIONS", "sip:127.0.0.1", "1002", &vias)
    };
    let many = with(&mut phone, 1_000);
    assert_eq!(phone.ask(many), 513);
    let in_one_line = format!("Via: {}SIP/2.0/UDP h\r\n", "SIP/2.0/UDP h,".repeat(1_000));
    let in_one_line = phone.request("OPTIONS", "sip:127.0.0.1", "1002", &in_one_line);
    assert_eq!(phone.ask(in_one_line), 513);
    let some = with(&mut phone, 69);
    phone.send(some);
    let answer = phone.receive();
    assert_eq!((status_of(&answer), answer.matches("Via:").count()), (200, 70), "every hop is on the way back");
}

fn garbage_stream() {
    let running = Running::new();
    let tcp = running.address("tcp");
    let good = over_tcp(1, 0);
    // Noise that begins like no message ends at once; what might become one ends at the bound of its head.
    for garbage in
        ["\u{16}\u{3}\u{1} TLS", "\0", &"x".repeat(100_000), &format!("OPTIONS {}", "a: b\r\n".repeat(20_000))]
    {
        let mut line = Line::from(1, tcp);
        line.send(garbage);
        let first = line.status();
        assert!(matches!(first, None | Some(400 | 513)), "{first:?}");
        assert!(first.is_none() || line.status().is_none(), "it is not ended");
    }
    let mut line = Line::from(1, tcp);
    for _ in 0..3 {
        line.send(&good);
        assert_eq!(line.status(), Some(200));
    }
    // A request that can be cut but not read costs its sender nothing else.
    line.send(good.replace("CSeq: 1 OPTIONS", "CSeq: x"));
    assert_eq!(line.status(), Some(400));
    line.send(&good);
    assert_eq!(line.status(), Some(200));
}
