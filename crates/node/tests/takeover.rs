//! A real pair of processes on one host, with an engine that counts datagrams: the primary is killed, switched over and
//! killed again while a client talks to it, and the count goes on as if nothing had been.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use model::{Alias, Epoch, Incarnation, Kind, RecordKey, Time, hash64};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{setsockopt, sockopt};
use node::channel::Channel;
use node::coordinator::{CoordinatorServer, Served};
use node::folder::Folder;
use node::identity::{Authority, HOST_LIFETIME, name_of};
use node::server::{Action, Door, FarSettings, Route, ServerSettings, Service};
use node::wire::{AgentRow, CallRow, ControlReply, ControlRequest, Opening, Page, Role, ServerReport};
use redundancy::change::Aliases;
use redundancy::hot_standby::{Engine, Output};
use redundancy::store::{Record, Store};

/// How many datagrams a client has sent.
struct Count(u64);

impl Record for Count {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
    fn decode(_: Kind, bytes: &[u8]) -> Option<(Self, usize)> {
        bytes.first_chunk().map(|count| (Self(u64::from_le_bytes(*count)), 8))
    }
    fn understands(_: Kind, bytes: &[u8]) -> bool {
        bytes.len() >= 8
    }
    fn deadline(&self) -> Time {
        Time::NEVER
    }
    fn aliases(&self) -> Aliases {
        Aliases::from_slice(&[Alias(1)])
    }
}

struct Answer {
    to: SocketAddr,
    text: String,
}

impl Output for Answer {
    fn record(&self) -> Option<RecordKey> {
        Some(self.datagram())
    }
    fn is_stream(&self) -> bool {
        false
    }
    fn may_repeat(&self) -> bool {
        true
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let _ = write!(out, "{} {}", self.to, self.text);
    }
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (to, text) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        Some(Self { to: to.parse().ok()?, text: text.into() })
    }
}

impl Answer {
    /// The record of the datagram that is answered: it is touched once, so nothing may keep its answer from being
    /// repeated.
    fn datagram(&self) -> RecordKey {
        RecordKey::new(Kind(2), hash64(format!("{} {}", self.to, self.text).as_bytes()))
    }
}

/// The record of a client's count.
fn counter(client: SocketAddr) -> RecordKey {
    RecordKey::new(Kind(1), hash64(client.to_string().as_bytes()))
}

#[derive(Default)]
struct Counter {
    store: Store<Count>,
    outputs: Vec<Answer>,
}

impl Engine for Counter {
    type Value = Count;
    type Input<'a> = (SocketAddr, &'a [u8]);
    type Output = Answer;

    fn handle(&mut self, _: Time, (from, text): (SocketAddr, &[u8])) {
        match text {
            b"panic" => panic!("as the input wants"),
            b"abort" => std::process::abort(),
            _ => {}
        }
        let count = self.store.get(counter(from)).map_or(0, |count| count.0) + 1;
        self.store.insert(counter(from), Count(count));
        let answer = Answer { to: from, text: format!("{count} {}", String::from_utf8_lossy(text)) };
        self.store.insert(answer.datagram(), Count(count));
        self.outputs.push(answer);
    }
    fn expire(&mut self, _: Time) {}
    fn begin(&mut self, _: Time, _: Epoch, _: u64) {}
    fn store(&self) -> &Store<Count> {
        &self.store
    }
    fn store_mut(&mut self) -> &mut Store<Count> {
        &mut self.store
    }
    fn outputs(&mut self) -> &mut Vec<Answer> {
        &mut self.outputs
    }
    fn abandon(&mut self, _: Time, _: &[RecordKey]) {}
    fn durable(_: Kind) -> bool {
        false
    }
}

impl Service for Counter {
    fn datagram(_: u8, source: SocketAddr, bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
        Some((source, bytes))
    }
    fn bytes(_: u64, _: &[u8]) -> Option<Self::Input<'_>> {
        None
    }
    fn accepted_number(_: Epoch, count: u64) -> u64 {
        count
    }
    fn opened<'a>(_: u64, _: Option<u8>, _: SocketAddr) -> Option<Self::Input<'a>> {
        None
    }
    fn closed<'a>(_: u64) -> Option<Self::Input<'a>> {
        None
    }
    fn partner<'a>(_: bool) -> Self::Input<'a> {
        (SocketAddr::from(([0; 4], 0)), &[])
    }
    fn mail(_: &[u8]) -> Option<Self::Input<'_>> {
        None
    }
    fn order<'a>(_: u64, _: &str, _: bool, _: Option<&str>) -> Option<Self::Input<'a>> {
        None
    }
    fn action(answer: Answer) -> Action {
        Action::Datagram { listener: 0, to: answer.to, bytes: answer.text.into_bytes() }
    }
    fn connections(&self) -> Vec<u64> {
        Vec::new()
    }
    fn calls(&mut self, _: Option<u64>, _: u32, _: &dyn Fn(Time) -> u64) -> Page<CallRow> {
        Page { rows: Vec::new(), next: None }
    }
    fn agents(&mut self, _: Option<u64>, _: u32, _: &dyn Fn(Time) -> u64) -> Page<AgentRow> {
        Page { rows: Vec::new(), next: None }
    }
}

/// Answers that the client's receive buffer holds while it is still sending, though half of them are repeated by a successor.
const BURST: u64 = 200;
/// Octets of the client's receive buffer, of which the kernel makes twice as many; each answer takes 768 of them.
const ROOM: usize = 200_000;

const ROLE: &str = "EVERLINE_TEST_SERVER";

/// Not a test: the body of the server processes, which are this program run again.
#[test]
fn server_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let parts: Vec<&str> = role.split('|').collect();
    let [application, run, peer, dir, port, far] = parts[..] else { panic!("{role}") };
    let port = port.parse().expect("a port");
    let settings = ServerSettings {
        me: Incarnation::new(application, run.parse().expect("a number")),
        pair: "count".into(),
        peers: vec![peer.into()],
        folder: Folder::new(dir),
        doors: vec![Door::Udp(door(far == "far", application, port))],
        far: (far == "far").then(|| far_settings(Path::new(dir), application, port)),
        addresses: Vec::new(),
        calls: Vec::new(),
        is_called: false,
    };
    node::server::run(settings, Counter::default()).expect("runs");
}

/// Where a side listens while it serves: two hosts have an address each.
fn door(far: bool, application: &str, port: u16) -> SocketAddr {
    let last = if far && application == NAMES[1] { 2 } else { 1 };
    ([127, 0, 0, last], port).into()
}

/// Addresses of two hosts on two networks of the loopback, as if they were far from each other. They are nobody else's, and the
/// port is none that the kernel gives away.
fn far_settings(dir: &Path, application: &str, port: u16) -> FarSettings {
    let me = NAMES.iter().position(|name| *name == application).expect("one of the two");
    let [high, low] = port.to_be_bytes();
    let address =
        |network: u8, side: usize, port| SocketAddr::from(([127, high, low, 10 * network + side as u8], port));
    FarSettings {
        identity: identity(dir, me),
        networks: ["a", "b"].map(str::to_owned).into(),
        listen: [1, 2].map(|network| address(network, me, LINKS)).into(),
        spares: Vec::new(),
        routes: vec![(
            NAMES[1 - me].into(),
            Route {
                name: name_of(NAMES[1 - me], SOLUTION),
                networks: [1, 2].map(|network| (address(network, me, 0), address(network, 1 - me, LINKS))).into(),
            },
        )],
    }
}

fn identity(dir: &Path, side: usize) -> PathBuf {
    dir.join(format!("identity-{side}.json"))
}

const SOLUTION: &str = "count";
/// Where a side waits for the other one.
const LINKS: u16 = 7701;

struct Pair {
    dir: PathBuf,
    port: u16,
    far: bool,
    runs: [u64; 2],
    children: [Option<Child>; 2],
}

const NAMES: [&str; 2] = ["count-a", "count-b"];

impl Pair {
    fn start(&mut self, side: usize) {
        self.runs[side] += 1;
        let (name, peer) = (NAMES[side], NAMES[1 - side]);
        let far = if self.far { "far" } else { "near" };
        let role = format!("{name}|{}|{peer}|{}|{}|{far}", self.runs[side], self.dir.display(), self.port);
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "server_process", "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        self.children[side] = Some(child);
    }

    fn kill(&mut self, side: usize) {
        let mut child = self.children[side].take().expect("it runs");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }

    fn report(&self, side: usize) -> Option<ServerReport> {
        match self.ask(side, &ControlRequest::Status)? {
            ControlReply::Status(report) => Some(report),
            other => panic!("{other:?}"),
        }
    }

    fn ask(&self, side: usize, request: &ControlRequest) -> Option<ControlReply> {
        let path = self.dir.join("run").join(format!("{}.sock", NAMES[side]));
        let mut channel = Channel::new(node::local::connect(&path).ok()?);
        channel.send(&Opening::Control).ok()?;
        channel.send(request).ok()?;
        loop {
            poll(&mut [PollFd::new(channel.as_fd(), PollFlags::POLLIN)], PollTimeout::from(1000u16)).expect("poll");
            if let Some((reply, _)) = channel.receive().ok()? {
                return Some(reply);
            }
        }
    }

    /// Waits until both sides are level, and says which one is primary.
    fn level(&self) -> usize {
        loop {
            let reports = [self.report(0), self.report(1)];
            if let [Some(a), Some(b)] = &reports
                && a.level
                && b.level
            {
                return usize::from(b.role == Some(Role::Primary));
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn coordinator(dir: &Path) {
    let (mut server, _) =
        CoordinatorServer::open(&dir.join("data/coordinator.journal"), &dir.join("run/coordinator.sock"))
            .expect("opens");
    std::thread::spawn(move || {
        loop {
            let _ = poll(&mut [PollFd::new(server.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE);
            server.serve();
        }
    });
}

/// Sends one datagram and expects its answer, once, with the next count. Nothing is ever sent twice.
fn count(client: &UdpSocket, expected: u64) {
    let text = format!("datagram {expected}");
    client.send(text.as_bytes()).expect("sent");
    let mut room = [0; 100];
    loop {
        let length = client.recv(&mut room).unwrap_or_else(|error| panic!("no answer to {text}: {error}"));
        let answer = String::from_utf8_lossy(&room[..length]).into_owned();
        if answer == format!("{expected} {text}") {
            return;
        }
        // A successor may repeat the answer before, byte for byte, because it cannot know whether it had left.
        let (count, _) = answer.split_once(' ').expect("a count and a text");
        assert!(count.parse::<u64>().expect("a number") < expected, "the count is broken: {answer}");
    }
}

/// Sends many datagrams, with `strike` in their midst, and expects the answer to each: not one is lost or counted twice.
fn burst(client: &UdpSocket, before: u64, size: u64, strike: impl FnOnce()) {
    let mut strike = Some(strike);
    for number in 1..=size {
        client.send(format!("burst {number}").as_bytes()).expect("sent");
        if number == size / 2 {
            strike.take().into_iter().for_each(|strike| strike());
        }
    }
    let mut room = [0; 100];
    let mut answered = std::collections::BTreeMap::new();
    while (answered.len() as u64) < size {
        let length = client.recv(&mut room).unwrap_or_else(|error| panic!("{} of {size}: {error}", answered.len()));
        let answer = String::from_utf8_lossy(&room[..length]).into_owned();
        let Some((count, text)) = answer.split_once(" burst ") else { continue };
        let (count, text): (u64, u64) = (count.parse().expect("a count"), text.parse().expect("a number"));
        assert_eq!(count, before + text, "counted twice or out of order");
        answered.insert(text, count);
    }
}

/// A pair in `folder` with its coordinator, and a client of it.
fn started(folder: &Path) -> (Pair, UdpSocket) {
    started_as(folder, false)
}

/// The same, with the two sides on different hosts for all that they know.
fn started_far(folder: &Path) -> (Pair, UdpSocket) {
    let authority = Authority::create(SOLUTION, SystemTime::now()).expect("issues");
    for (side, name) in NAMES.iter().enumerate() {
        let issued = authority.issue(name, &[], SystemTime::now(), HOST_LIFETIME).expect("issued");
        std::fs::write(identity(folder, side), serde_json::to_vec(&issued).expect("text")).expect("written");
    }
    started_as(folder, true)
}

fn started_as(folder: &Path, far: bool) -> (Pair, UdpSocket) {
    let dir = folder.to_owned();
    std::fs::create_dir_all(dir.join("run")).expect("made");
    std::fs::create_dir_all(dir.join("data")).expect("made");
    coordinator(&dir);
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let mut pair = Pair { dir, port, far, runs: [0, 0], children: [None, None] };
    pair.start(0);
    pair.start(1);
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.connect(("127.0.0.1", port)).expect("loopback");
    client.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    setsockopt(&client, sockopt::RcvBuf, &ROOM).expect("a buffer");
    (pair, client)
}

/// Rule 12: a panic is caught, and of an abort the successor knows which input was in hand.
#[test]
fn an_input_that_the_engine_dies_of_costs_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut pair, client) = started(folder.path());
    let mut sent = 0;
    let mut go_on = |client: &UdpSocket| {
        (0..20).for_each(|_| {
            sent += 1;
            count(client, sent);
        });
    };
    let primary = pair.level();
    go_on(&client);
    client.send(b"panic").expect("sent");
    go_on(&client);
    assert_eq!(pair.level(), primary, "a panic ends no process");
    client.send(b"abort").expect("sent");
    go_on(&client);
    let status = pair.children[primary].as_mut().expect("it ran").wait().expect("ended");
    assert_eq!(status.signal(), Some(libc::SIGABRT));
    pair.start(primary);
    let successor = pair.level();
    assert_ne!(successor, primary);
    client.send(b"abort").expect("sent");
    client.send(b"panic").expect("sent");
    go_on(&client);
    assert_eq!(pair.level(), successor, "it is refused from now on");
    pair.kill(successor);
    client.send(b"abort").expect("sent");
    go_on(&client);
}

#[test]
fn the_count_goes_on_through_kills_and_switchovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut pair, client) = started(folder.path());
    let mut sent = 0;
    for round in 0..6 {
        let primary = pair.level();
        for _ in 0..50 {
            sent += 1;
            count(&client, sent);
        }
        if round % 3 == 2 {
            let reply = pair.ask(primary, &ControlRequest::Switchover { request: round });
            assert_eq!(reply, Some(ControlReply::Done));
        } else {
            burst(&client, sent, BURST, || pair.kill(primary));
            sent += BURST;
            pair.start(primary);
        }
        for _ in 0..50 {
            sent += 1;
            count(&client, sent);
        }
    }
    assert_eq!(sent, 600 + 4 * BURST);
}

/// Sends a datagram again and again to whoever serves, as a phone does, until it is answered; gives the count.
fn count_by_repeating(client: &UdpSocket, servers: &[SocketAddr], text: &str) -> u64 {
    let mut room = [0; 100];
    // Some minutes; each try takes as long as the limit.
    for _ in 0..2_000 {
        for server in servers {
            client.send_to(text.as_bytes(), server).expect("sent");
        }
        while let Ok(length) = client.recv(&mut room) {
            let answer = String::from_utf8_lossy(&room[..length]).into_owned();
            let (count, said) = answer.split_once(' ').expect("a count and a text");
            if said == text {
                return count.parse().expect("a number");
            }
        }
    }
    panic!("no answer to {text}");
}

/// What was answered is never forgotten, whichever host goes.
#[test]
fn a_side_on_another_host_knows_all_that_was_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut pair, near) = started_far(folder.path());
    let port = near.peer_addr().expect("connected").port();
    let servers = NAMES.map(|name| door(true, name, port));
    // One that is connected would be told by the kernel that nobody listens, and would not wait.
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.set_read_timeout(Some(Duration::from_millis(100))).expect("a limit");
    let mut last = 0;
    for round in 0..6 {
        let primary = pair.level();
        for number in 0..50 {
            let count = count_by_repeating(&client, &servers, &format!("datagram {round} {number}"));
            assert!(count > last, "{count} after {last}");
            last = count;
        }
        if round % 3 == 2 {
            let reply = pair.ask(primary, &ControlRequest::Switchover { request: round });
            assert_eq!(reply, Some(ControlReply::Done));
        } else {
            pair.kill(primary);
            let count = count_by_repeating(&client, &servers, &format!("takeover {round}"));
            assert!(count > last, "{count} after {last}");
            last = count;
            pair.start(primary);
        }
        let successor = pair.level();
        assert_ne!(successor, primary);
    }
}
