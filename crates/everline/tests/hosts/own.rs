//! Hosts that serve at addresses of their own: calls follow the primary to another one.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use network::rehearsal::{Network, Place as At, virtual_addresses};
use sip::{Dialog, HeaderName, Message, Method};

use super::Solution;
use super::support::Place;

/// Where Everline listens on each host.
const SIP: u16 = 5_060;
/// How long something may take that must come: more than a takeover, and than the repetitions of what is lost.
const PATIENCE: Duration = Duration::from_secs(40);

/// Two phones over UDP that talk, two that ring, two of which one speaks over TCP, and one that waits: each is known by its address.
const PHONES: [(u32, u16, &str); 8] = [
    (2001, 5_071, ""),
    (2002, 5_072, ""),
    (2003, 5_073, ""),
    (2004, 5_074, ""),
    (2005, 5_075, ""),
    (2006, 5_076, ";transport=tcp"),
    (2007, 5_077, ""),
    (2008, 5_078, ""),
];

fn here() -> IpAddr {
    At::Phones.ipv4(Network::Access).into()
}

fn address_of(host: &str) -> SocketAddr {
    let number = host.trim_start_matches('h').parse().expect("a number");
    SocketAddr::from((At::Host(number).ipv4(Network::Access), SIP))
}

fn configuration() -> String {
    let phone = |(number, port, way): &(u32, u16, &str)| {
        format!("[[extension]]\nnumber = \"{number}\"\ncontact = \"sip:{number}@{}:{port}{way}\"\n", here())
    };
    PHONES.iter().map(phone).collect()
}

/// How a phone speaks.
enum Wire {
    Udp(UdpSocket),
    /// Connections that Everline has opened, each with what has come on it and is not whole.
    Tcp(TcpListener, Vec<(TcpStream, Vec<u8>)>),
}

/// A phone.
struct Phone {
    number: u32,
    port: u16,
    wire: Wire,
    /// The dialog of its call.
    dialog: Option<Dialog>,
    sent: u32,
}

/// What came, and from where.
struct Heard {
    text: String,
    from: SocketAddr,
}

impl Heard {
    fn message(&self) -> Message<'_> {
        Message::parse(self.text.as_bytes()).expect("a message")
    }

    /// Where it says that Everline is.
    fn place(&self) -> Option<IpAddr> {
        self.message().contact().ok()??.uri().as_sip()?.host().address()
    }
}

impl Phone {
    fn new(solution: &Solution, number: u32) -> Self {
        let (_, port, way) = PHONES.into_iter().find(|phone| phone.0 == number).expect("one of them");
        let at = SocketAddr::from(([0, 0, 0, 0], port));
        let wire = solution.net.inside(At::Phones, || match way {
            "" => Wire::Udp(UdpSocket::bind(at).expect("a port")),
            _ => Wire::Tcp(TcpListener::bind(at).expect("a port"), Vec::new()),
        });
        let wire = wire.expect("there");
        match &wire {
            Wire::Udp(socket) => socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a limit"),
            Wire::Tcp(listener, _) => listener.set_nonblocking(true).expect("set"),
        }
        Self { number, port, wire, dialog: None, sent: 0 }
    }

    fn contact(&self) -> String {
        let way = if matches!(self.wire, Wire::Tcp(..)) { ";transport=tcp" } else { "" };
        format!("<sip:{}@{}:{}{way}>", self.number, here(), self.port)
    }

    fn via(&mut self) -> String {
        self.sent += 1;
        let way = if matches!(self.wire, Wire::Tcp(..)) { "TCP" } else { "UDP" };
        format!("SIP/2.0/{way} {}:{};branch=z9hG4bKp{}x{};rport", here(), self.port, self.number, self.sent)
    }

    fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        match &mut self.wire {
            Wire::Udp(socket) => drop(socket.send_to(bytes, to).expect("sent")),
            Wire::Tcp(_, streams) => {
                let stream =
                    streams.iter_mut().rev().find(|(stream, _)| stream.peer_addr().is_ok_and(|it| it.ip() == to.ip()));
                stream.expect("a connection with that host").0.write_all(bytes).expect("sent");
            }
        }
    }

    /// What has come, if anything; waits a moment for it.
    fn hear(&mut self) -> Option<Heard> {
        let mut room = [0; 4_096];
        match &mut self.wire {
            Wire::Udp(socket) => {
                let (length, from) = socket.recv_from(&mut room).ok()?;
                Some(Heard { text: String::from_utf8_lossy(&room[..length]).into_owned(), from })
            }
            Wire::Tcp(listener, streams) => {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a limit");
                    streams.push((stream, Vec::new()));
                }
                streams.iter_mut().find_map(|(stream, held)| {
                    if let Ok(length) = stream.read(&mut room) {
                        held.extend_from_slice(&room[..length]);
                    }
                    let text = whole(held)?;
                    Some(Heard { text, from: stream.peer_addr().ok()? })
                })
            }
        }
    }

    /// Waits for what is wanted. Whatever else comes is answered with 200, as far as it asks for an answer.
    fn until(&mut self, what: &str, wanted: impl Fn(&Message<'_>) -> bool) -> Heard {
        let begun = Instant::now();
        let mut others = Vec::new();
        while begun.elapsed() < PATIENCE {
            let Some(heard) = self.hear() else { continue };
            if wanted(&heard.message()) {
                return heard;
            }
            let method = heard.message().method();
            if heard.message().is_request() && method != Method::Ack && method != Method::Invite {
                self.answer(&heard, 200);
            }
            others.push(heard.text.lines().next().unwrap_or_default().to_owned());
        }
        panic!("{} waits in vain for {what}, and has heard {others:#?}", self.number);
    }

    fn until_status(&mut self, status: u16, method: Method<'static>) -> Heard {
        self.until(&format!("{status} to {method}"), |it| it.status() == Some(status) && it.cseq().method == method)
    }

    fn until_asked(&mut self, method: Method<'static>) -> Heard {
        self.until(method.as_str(), |it| it.is_request() && it.method() == method)
    }

    /// Answers a request.
    fn answer(&mut self, asked: &Heard, status: u16) {
        let contact = self.contact();
        let message = asked.message();
        let mut bytes = Vec::new();
        let answer = sip::Answer::new(status).tag(&format!("t{}", self.number)).to(&message, asked.from, &mut bytes);
        let invited = message.method() == Method::Invite && status > 100;
        if invited || message.method() == Method::Update {
            let answer = answer
                .header(HeaderName::Contact, &contact)
                .header(HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE");
            if invited && status == 200 { answer.body("application/sdp", b"v=0\r\n") } else { answer.finish() }
        } else {
            answer.finish();
        }
        self.send(asked.from, &bytes);
        if invited && message.to().tag().is_none() && status < 300 {
            self.dialog = Some(Dialog::callee(&message, &format!("t{}", self.number)));
        }
    }

    /// Calls a number at a host.
    fn call(&mut self, number: u32, at: SocketAddr) {
        let (via, contact, me) = (self.via(), self.contact(), self.number);
        let text = format!(
            "INVITE sip:{number}@everline.internal SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\n\
             From: <sip:{me}@everline.internal>;tag=f{me}\r\nTo: <sip:{number}@everline.internal>\r\nCall-ID: call{me}\r\n\
             CSeq: 1 INVITE\r\nContact: {contact}\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
        );
        self.send(at, text.as_bytes());
    }

    /// Says something in its dialog, where that leads.
    fn say(&mut self, method: Method<'_>, seq: Option<u32>) {
        let (via, contact) = (self.via(), self.contact());
        let dialog = self.dialog.as_mut().expect("a call");
        let seq = seq.unwrap_or_else(|| dialog.next_seq());
        let to = dialog.next_hop().and_then(|uri| Some(SocketAddr::new(uri.host().address()?, uri.port()?)));
        let mut bytes = Vec::new();
        dialog
            .request(method, seq, via.as_bytes(), &mut bytes)
            .number(HeaderName::MaxForwards, 70)
            .header(HeaderName::Contact, contact)
            .finish();
        self.send(to.expect("an address"), &bytes);
    }

    /// The answer to its call has come.
    fn is_answered(&mut self) -> Heard {
        let answer = self.until_status(200, Method::Invite);
        self.dialog = Some(Dialog::caller(&answer.message()));
        self.say(Method::Ack, Some(1));
        answer
    }

    /// It is told, one way or the other, that its call is at this host now.
    fn is_told(&mut self, host: &str) {
        let told = self.until("UPDATE or INVITE", |it| {
            it.is_request() && matches!(it.method(), Method::Update | Method::Invite) && it.to().tag().is_some()
        });
        assert_eq!(told.place(), Some(address_of(host).ip()), "{}", told.text);
        self.dialog.as_mut().expect("a call").refresh(&told.message());
        self.answer(&told, 200);
    }
}

/// The first whole message of a connection.
fn whole(held: &mut Vec<u8>) -> Option<String> {
    let head = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&held[..head]).into_owned();
    let length = text.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let end = head + length.and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
    (held.len() >= end).then(|| String::from_utf8_lossy(&held.drain(..end).collect::<Vec<_>>()).into_owned())
}

/// Of those who probe all hosts by OPTIONS, which one answers: as a carrier sees it.
fn answering(solution: &Solution) -> Vec<String> {
    let prober = solution.net.inside(At::Phones, || UdpSocket::bind("0.0.0.0:0").expect("a port")).expect("there");
    prober.set_read_timeout(Some(Duration::from_millis(300))).expect("a limit");
    let port = prober.local_addr().expect("bound").port();
    let mut found = Vec::new();
    for host in ["h1", "h2", "h3"] {
        let server = address_of(host);
        let asked = format!(
            "OPTIONS sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {}:{port};branch=z9hG4bK{host}{port};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:carrier@{server}>;tag=1\r\nTo: <sip:{server}>\r\nCall-ID: {host}{port}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n",
            here()
        );
        prober.send_to(asked.as_bytes(), server).expect("sent");
        let mut room = [0; 2_048];
        if let Ok((length, from)) = prober.recv_from(&mut room)
            && from == server
        {
            let answer = String::from_utf8_lossy(&room[..length]).into_owned();
            assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
            found.push(host.to_owned());
        }
    }
    found
}

/// A host dies with calls that talk, ring and wait: they go on at the other one, over UDP and TCP.
pub(super) fn calls_follow_the_primary() {
    let place = Place::new();
    let solution = Solution::with(place, &configuration(), "--own-addresses", virtual_addresses(1).0.into());
    let (host, epoch) = solution.level();
    assert_eq!(answering(&solution), [host.as_str()], "whoever probes the hosts finds the one that serves");
    let server = address_of(&host);
    let mut phones = PHONES.map(|(number, ..)| Phone::new(&solution, number));
    let [talker, listener, ringer, rung, streamer, stream, waiter, registers] = &mut phones;
    // Two talk, and two of whom one is reached by a connection.
    for (caller, callee) in [(&mut *talker, &mut *listener), (&mut *streamer, &mut *stream)] {
        caller.call(callee.number, server);
        let invite = callee.until_asked(Method::Invite);
        callee.answer(&invite, 180);
        callee.answer(&invite, 200);
        caller.is_answered();
        callee.until_asked(Method::Ack);
    }
    ringer.call(rung.number, server);
    let invite = rung.until_asked(Method::Invite);
    rung.answer(&invite, 180);
    ringer.until_status(180, Method::Invite);
    waiter.call(9_000, server);
    waiter.until_status(182, Method::Invite);

    solution.play(&format!("host fail {host}"));
    let other = solution.ask(|sides| {
        let primary = sides.get("primary").filter(|side| side["epoch"].as_u64() > Some(epoch))?;
        Some(super::text(primary, "host"))
    });
    assert_ne!(other, host);
    let now = address_of(&other);
    for phone in [&mut *talker, &mut *listener, &mut *streamer, &mut *stream] {
        phone.is_told(&other);
    }
    // A goodbye goes to the new host, from either side.
    talker.say(Method::Bye, None);
    talker.until_status(200, Method::Bye);
    let bye = listener.until_asked(Method::Bye);
    listener.answer(&bye, 200);
    stream.say(Method::Bye, None);
    stream.until_status(200, Method::Bye);
    let bye = streamer.until_asked(Method::Bye);
    streamer.answer(&bye, 200);
    // The phone that rang is rung anew.
    let anew = rung.until("another INVITE", |it| {
        it.is_request() && it.method() == Method::Invite && it.call_id() != invite.message().call_id()
    });
    assert_eq!(anew.place(), Some(now.ip()), "{}", anew.text);
    rung.answer(&anew, 180);
    rung.answer(&anew, 200);
    let answer = ringer.is_answered();
    assert_eq!(answer.place(), Some(now.ip()), "{}", answer.text);
    rung.until_asked(Method::Ack);
    rung.say(Method::Bye, None);
    rung.until_status(200, Method::Bye);
    let bye = ringer.until_asked(Method::Bye);
    ringer.answer(&bye, 200);
    // Who waits is asked whether he still does, at the new host.
    let asked = waiter.until_asked(Method::Options);
    assert_eq!(asked.from, now);
    // A phone with two registrars goes to the other one.
    let (via, contact) = (registers.via(), registers.contact());
    let register = format!(
        "REGISTER sip:everline.internal SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <sip:1002@everline.internal>;tag=r\r\n\
         To: <sip:1002@everline.internal>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\nContact: {contact}\r\nContent-Length: 0\r\n\r\n"
    );
    registers.send(now, register.as_bytes());
    registers.until_status(401, Method::Register);
    assert_eq!(answering(&solution), [other.as_str()]);

    // The host that returns has the backup, and does not answer.
    solution.play(&format!("host repair {host}"));
    assert_eq!(solution.level(), (other.clone(), epoch + 1));
    assert_eq!(answering(&solution), [other.as_str()]);
}
