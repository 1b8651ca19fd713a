//! A phone that says what a test wants, well or badly formed, and waits for answers.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use sip::digest::{Challenge, Login, Secret};
use sip::{HeaderName, Message, Method, Outgoing};

/// Whoever waits this long for what should come at once has failed.
const TOO_LONG: Duration = Duration::from_secs(20);
/// Pause before a phone says something again to which it has heard nothing (RFC 3261 17.1.1.1).
const T1: Duration = Duration::from_millis(500);

/// A phone on a port of its own.
pub(crate) struct Phone {
    socket: UdpSocket,
    server: SocketAddr,
    said: u32,
    /// The extension that it proves to be.
    pub(crate) number: String,
    /// The host in its own address.
    pub(crate) domain: String,
    /// Its requests say where it is reached.
    pub(crate) has_contact: bool,
}

impl Phone {
    /// A phone that talks to `server`.
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self::from(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port"), server)
    }

    /// The same on a socket that is there already.
    pub(crate) fn from(socket: UdpSocket, server: SocketAddr) -> Self {
        socket.set_read_timeout(Some(TOO_LONG)).expect("a limit");
        Self { socket, server, said: 0, number: "1002".into(), domain: "127.0.0.1".into(), has_contact: true }
    }

    /// A request to `uri` by the extension `from`, with `more` header lines, each with its line end.
    pub(crate) fn request(&mut self, method: &str, uri: &str, from: &str, more: &str) -> String {
        self.said += 1;
        let contact = |here| if self.has_contact { format!("Contact: <sip:{from}@{here}>\r\n") } else { String::new() };
        let domain = &self.domain;
        let (said, here) = (self.said, self.socket.local_addr().expect("bound"));
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{here}-{said};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{from}@{domain}>;tag=t{said}\r\nTo: <{to}>\r\nCall-ID: {said}-{port}@phone\r\n\
             CSeq: {said} {method}\r\n{contact}{more}Content-Length: 0\r\n\r\n",
            to = if method == "REGISTER" { format!("sip:{from}@{domain}") } else { uri.to_owned() },
            port = here.port(),
            contact = contact(here),
        )
    }

    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) {
        self.socket.send_to(bytes.as_ref(), self.server).expect("sent");
    }

    /// The next message that comes.
    pub(crate) fn receive(&self) -> String {
        let mut room = vec![0; 65_536];
        let length = self.socket.recv(&mut room).expect("an answer in time");
        room.truncate(length);
        String::from_utf8(room).expect("text")
    }

    /// What has come, of a server that has ended.
    pub(crate) fn rest(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).expect("set");
        let mut room = [0; 2_048];
        let next =
            || self.socket.recv(&mut room).map(|length| String::from_utf8_lossy(&room[..length]).into_owned()).ok();
        std::iter::from_fn(next).collect()
    }

    /// The final status that this request gets.
    pub(crate) fn ask(&self, bytes: impl AsRef<[u8]>) -> u16 {
        self.send(bytes);
        loop {
            let status = status_of(&self.receive());
            if status >= 200 {
                return status;
            }
        }
    }

    /// Whether the server answers as it should.
    pub(crate) fn is_served(&mut self) -> bool {
        let options = self.request("OPTIONS", "sip:127.0.0.1", "1002", "");
        self.ask(options) == 200
    }

    /// Asks with a password, after the challenge; gives the status and the text of the final answer.
    pub(crate) fn prove(&mut self, method: &str, uri: &str, password: &str, more: &str) -> (u16, String) {
        let number = self.number.clone();
        let first = self.request(method, uri, &number, more);
        self.send(&first);
        let challenge = self.receive();
        let credentials = credentials(&challenge, &number, method, uri, password);
        self.acknowledge(&first, &challenge);
        let again = self.request(method, uri, &number, &format!("{credentials}{more}"));
        self.send(&again);
        loop {
            let answer = self.receive();
            let status = status_of(&answer);
            if status >= 200 {
                self.acknowledge(&again, &answer);
                return (status, answer);
            }
        }
    }

    /// Calls a queue where nobody is ready; gives the request once the call waits.
    pub(crate) fn wait_in(&mut self, queue: &str, password: &str) -> String {
        let number = self.number.clone();
        let first = self.request("INVITE", queue, &number, "");
        self.send(&first);
        let challenge = self.receive();
        self.acknowledge(&first, &challenge);
        let credentials = credentials(&challenge, &number, "INVITE", queue, password);
        let invite = self.request("INVITE", queue, &number, &credentials);
        self.send(&invite);
        while status_of(&self.receive()) != 182 {}
        invite
    }

    /// Hangs up on a call that still waits, which the server must know of: says so again, as phones do (RFC 3261 17.1.2.2), for a
    /// datagram may be lost where an address changes hosts.
    pub(crate) fn give_up(&self, invite: &str) {
        let cancel = invite.replacen("INVITE", "CANCEL", 1).replace(" INVITE\r\n", " CANCEL\r\n");
        self.socket.set_read_timeout(Some(T1)).expect("a limit");
        let mut room = [0; 2_048];
        for _ in 0..TOO_LONG.as_millis() / T1.as_millis() {
            self.send(&cancel);
            while let Ok(length) = self.socket.recv(&mut room) {
                match status_of(&String::from_utf8_lossy(&room[..length])) {
                    487 => return self.socket.set_read_timeout(Some(TOO_LONG)).expect("a limit"),
                    status => assert!(matches!(status, 182 | 200), "{status}"),
                }
            }
        }
        panic!("nobody ends the call");
    }

    /// Acknowledges the refusal of an INVITE, so that it is not repeated.
    fn acknowledge(&self, request: &str, answer: &str) {
        if request.starts_with("INVITE") {
            let to = |text: &str| text.lines().find(|line| line.starts_with("To:")).expect("a To").to_owned();
            let ack = request.replacen("INVITE", "ACK", 1).replace(" INVITE\r\n", " ACK\r\n");
            self.send(ack.replace(&to(request), &to(answer)));
        }
    }
}

/// The header line by which `username` answers a challenge.
fn credentials(challenge: &str, username: &str, method: &str, uri: &str, password: &str) -> String {
    let answer = Message::parse(challenge.as_bytes()).expect("a sound answer");
    assert_eq!(answer.status(), Some(401), "{challenge}");
    let challenge = Challenge::of(&answer, HeaderName::WwwAuthenticate).expect("one that can be met");
    let secret = Secret::Password(password);
    let login = Login { username, secret, method, uri, cnonce: "c", count: 1 };
    let mut out = Vec::new();
    let request = Outgoing::request(&mut out, Method::Options, uri);
    challenge.answer(login, request, HeaderName::Authorization).expect("an algorithm that is known").finish();
    let text = String::from_utf8(out).expect("text");
    let line = text.lines().find(|line| line.starts_with("Authorization:")).expect("credentials");
    format!("{line}\r\n")
}

/// The status of an answer.
pub(crate) fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {answer}"))
}

/// A TCP connection from one of this machine's own addresses.
pub(crate) struct Line(TcpStream);

impl Line {
    /// Connects from `127.0.0.last`.
    pub(crate) fn from(last: u8, server: SocketAddr) -> Self {
        let source = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0);
        let kind = nix::sys::socket::SockType::Stream;
        let flags = nix::sys::socket::SockFlag::SOCK_CLOEXEC;
        let socket =
            nix::sys::socket::socket(nix::sys::socket::AddressFamily::Inet, kind, flags, None).expect("a socket");
        let raw = std::os::fd::AsRawFd::as_raw_fd(&socket);
        nix::sys::socket::bind(raw, &nix::sys::socket::SockaddrStorage::from(source)).expect("bound");
        nix::sys::socket::connect(raw, &nix::sys::socket::SockaddrStorage::from(server)).expect("connected");
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(TOO_LONG)).expect("a limit");
        Self(stream)
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // A server that has enough closes before everything was sent.
        let _ = self.0.write_all(bytes.as_ref());
    }

    /// The status of the next answer; none if the connection ends without one.
    pub(crate) fn status(&mut self) -> Option<u16> {
        let mut text = Vec::new();
        let mut byte = [0];
        while !text.ends_with(b"\r\n\r\n") {
            match self.0.read(&mut byte) {
                Ok(1) => text.push(byte[0]),
                Ok(_) => return None,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("neither an answer nor the end: {error}"),
            }
        }
        Some(status_of(&String::from_utf8(text).expect("text")))
    }

    /// Whether the server has ended the connection, or does before it answers `question`.
    pub(crate) fn is_ended_before(&mut self, question: &str) -> bool {
        self.send(question);
        self.status().is_none()
    }
}

/// A request over TCP that claims a body of `length` bytes.
pub(crate) fn over_tcp(number: u32, length: usize) -> String {
    format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKtcp{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:1002@127.0.0.1>;tag=t\r\nTo: <sip:127.0.0.1>\r\nCall-ID: tcp{number}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}
