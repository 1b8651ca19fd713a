//! The end of everything while callers wait, telephones ring and people talk: each of them is told.

use std::net::{Ipv4Addr, UdpSocket};

use crate::Test;
use crate::phone::{Phone, status_of};
use crate::support::Running;

pub(crate) const TESTS: &[Test] = &[("ending::whoever_waits_rings_or_talks_is_told_once", told)];

fn header<'m>(message: &'m str, name: &str) -> &'m str {
    message.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {message}"))
}

/// An answer to `request`, of a phone that is reached at `contact`.
fn answer(request: &str, status: &str, contact: &str) -> String {
    let copied = ["Via:", "From:", "Call-ID:", "CSeq:", "To:"].map(|name| header(request, name)).join("\r\n");
    format!("SIP/2.0 {status}\r\n{copied};tag=callee\r\nContact: <{contact}>\r\nContent-Length: 0\r\n\r\n")
}

/// What came, by its first word and, of an answer, its status.
fn words(messages: &[String]) -> Vec<&str> {
    messages.iter().map(|message| message.split(' ').find(|word| !word.starts_with("SIP/")).expect("a word")).collect()
}

fn told() {
    let sockets = [(); 5].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"));
    let addresses = sockets.each_ref().map(|socket| socket.local_addr().expect("bound"));
    let trunk = |place: usize| format!("[[trunk]]\nname = \"trunk{place}\"\naddress = \"{}\"\n", addresses[place]);
    let contacts = [3, 4].map(|place: usize| format!("sip:200{place}@{}", addresses[place]));
    let device =
        |place: usize| format!("[[extension]]\nnumber = \"200{place}\"\ncontact = \"{}\"\n", contacts[place - 3]);
    let mut running = Running::with(&[trunk(0), trunk(1), trunk(2), device(3), device(4)].concat());
    let server = running.address("udp");
    let [mut waiter, mut ringer, mut talker, rung, talked] = sockets.map(|socket| Phone::from(socket, server));

    let invite = waiter.request("INVITE", "sip:9000@127.0.0.1", "5550100", "");
    waiter.send(invite);
    while status_of(&waiter.receive()) != 182 {}
    let invite = ringer.request("INVITE", "sip:2003@127.0.0.1", "5550101", "");
    ringer.send(invite);
    rung.send(answer(&rung.receive(), "180 Ringing", &contacts[0]));
    while status_of(&ringer.receive()) != 180 {}
    let invite = talker.request("INVITE", "sip:2004@127.0.0.1", "5550102", "");
    talker.send(&invite);
    talked.send(answer(&talked.receive(), "200 OK", &contacts[1]));
    let answered = loop {
        let answer = talker.receive();
        if status_of(&answer) == 200 {
            break answer;
        }
    };
    let ack = invite.replacen("INVITE", "ACK", 1).replace(" INVITE\r\n", " ACK\r\n");
    talker.send(ack.replace(header(&ack, "To:"), header(&answered, "To:")).replacen("z9hG4bK", "z9hG4bKack", 1));
    assert!(talked.receive().starts_with("ACK "));

    let stop = running.place.run("stop");
    assert_eq!((stop.code, stop.out.as_str()), (Some(0), "stopped; 3 calls were cut off\n"), "{}", stop.err);
    assert_eq!(running.end().0.code(), Some(0));
    let waited = waiter.rest();
    assert_eq!(words(&waited), ["503"]);
    assert!(waited[0].contains("Retry-After: "), "{waited:?}");
    assert_eq!(words(&ringer.rest()), ["503"]);
    assert_eq!(words(&rung.rest()), ["CANCEL"]);
    assert_eq!([words(&talker.rest()), words(&talked.rest())], [["BYE"], ["BYE"]]);
}
