//! A small world around the engine: phones that say what a script tells them to, a Routing Server, a clock, and a
//! second engine that takes over wherever it is told to.

mod ladder;
mod moving;
mod noise;
mod phone;
mod routing;
mod script;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::net::SocketAddr;

use call::{Action, Carrier, ConnectionId, Engine, Input, ListenerId, Output, Settings, Value};
use model::{Epoch, Kind, RecordKey, Span, Time};
use redundancy::change::{Change, Changes};
use redundancy::hot_standby::{Engine as _, Output as _};
use redundancy::store::{Record, Store};

pub(crate) use script::{run, run_noisy};

use noise::Noise;
use phone::Phone;
use routing::RoutingServer;

/// When the primary is killed: after this many inputs.
pub(crate) type CrashAt = Option<usize>;

/// Everything around the engine.
pub(crate) struct World {
    settings: Settings,
    engine: Engine,
    /// The records as the backup has them.
    backup: Store<Value>,
    now: Time,
    epoch: u64,
    inputs: usize,
    crash_at: CrashAt,
    phones: Vec<Phone>,
    /// Where the server is.
    server: SocketAddr,
    has_own_addresses: bool,
    /// With addresses of their own, the host with which each transaction of a phone is.
    places: BTreeMap<(usize, String), SocketAddr>,
    /// Connections that were accepted so far.
    accepted: u64,
    routing: RoutingServer,
    ladder: String,
    /// Labels of names that the server drew, in the order in which they were first seen.
    labels: BTreeMap<String, usize>,
    /// What disturbs the wire, where it is disturbed.
    noise: Option<Noise>,
    /// Outputs on their way; the first one is being delivered.
    pending: VecDeque<Output>,
}

/// What the engine is given: an input, or the time.
enum Event<'a> {
    Input(Input<'a>),
    Time,
}

impl World {
    fn new(settings: Settings, crash_at: CrashAt) -> Self {
        let mut world = Self {
            engine: Engine::new(settings.clone()),
            settings,
            backup: Store::new(),
            now: Time::from_micros(1_000_000),
            epoch: 1,
            inputs: 0,
            crash_at,
            phones: Vec::new(),
            server: moving::host(0),
            has_own_addresses: false,
            places: BTreeMap::new(),
            routing: RoutingServer::default(),
            ladder: String::new(),
            labels: BTreeMap::new(),
            accepted: 0,
            noise: None,
            pending: VecDeque::new(),
        };
        world.engine.begin(world.now, Epoch(1), 1);
        world
    }

    fn note(&mut self, line: &str) {
        let millis = self.now.as_micros() / 1_000 - 1_000;
        writeln!(self.ladder, "{:>4}.{:03}  {}", millis / 1_000, millis % 1_000, line.trim_end()).expect("text");
    }

    fn feed(&mut self, input: Input<'_>) {
        self.step(&Event::Input(input));
    }

    /// One input, its checkpoint, perhaps a takeover, its outputs in order.
    fn step(&mut self, event: &Event<'_>) {
        match event {
            Event::Input(input) => self.engine.handle(self.now, input.clone()),
            Event::Time => self.engine.expire(self.now),
        }
        let outputs = std::mem::take(self.engine.outputs());
        self.checkpoint();
        self.inputs += 1;
        let crashes = self.crash_at == Some(self.inputs);
        if crashes {
            self.take_over();
        }
        let outermost = self.pending.is_empty();
        self.pending.extend(outputs);
        if outermost {
            while let Some(output) = self.pending.front().cloned() {
                self.check_output(&output);
                self.deliver(output.action);
                self.pending.pop_front();
            }
        }
        if crashes {
            self.routing_after_takeover();
        }
    }

    /// Writes the changed records down, lets the backup absorb them, and checks that both sides have the same.
    fn checkpoint(&mut self) {
        let mut bytes = Vec::new();
        self.engine.store_mut().drain(&mut bytes, |_, _| {});
        for change in Changes::new(&bytes) {
            let change = change.expect("whole changes");
            check_encoding(&change);
            self.backup.absorb(&change);
        }
        assert_eq!(self.backup.state_hash(), self.engine.store().state_hash(), "the backup has other records");
        assert_eq!(self.backup.deadline(), self.engine.store().deadline(), "the backup has another deadline");
    }

    fn take_over(&mut self) {
        self.engine = Engine::new(self.settings.clone());
        std::mem::swap(self.engine.store_mut(), &mut self.backup);
        self.backup = Store::new();
        let keys: Vec<RecordKey> = (1..=u8::MAX).flat_map(|kind| self.keys(Kind(kind))).collect();
        for key in keys {
            let mut bytes = Vec::new();
            self.engine.store().write_snapshot(key, &mut bytes);
            let change = Changes::new(&bytes).next().expect("one record").expect("whole");
            self.backup.absorb(&change);
        }
        self.epoch += 1;
        self.engine.begin(self.now, Epoch(self.epoch), self.epoch);
        self.checkpoint();
    }

    fn keys(&self, kind: Kind) -> Vec<RecordKey> {
        self.engine.store().keys(kind, None).collect()
    }

    fn check_output(&self, output: &Output) {
        let mut bytes = Vec::new();
        output.encode(&mut bytes);
        assert_eq!(Output::decode(&bytes).as_ref(), Some(output));
    }

    fn deliver(&mut self, action: Action) {
        match action {
            Action::Datagram { listener, to, bytes, .. } => {
                assert_eq!(listener, ListenerId(0));
                if !self.is_lost() {
                    self.arrive(to, &bytes);
                }
            }
            Action::Connect { connection, to } => self.connect(connection, to),
            Action::Stream { connection, bytes } => {
                let peer = self.phones.iter().find(|phone| phone.connection == Some(connection));
                let Some(address) = peer.map(|phone| phone.address) else { return };
                self.arrive(address, &bytes);
            }
            Action::Close { connection } => {
                if let Some(at) = self.phones.iter().position(|phone| phone.connection == Some(connection)) {
                    self.phones[at].connection = None;
                    let name = self.phones[at].name.clone();
                    self.note(&format!("{name:<7} <  (closed)"));
                }
            }
            Action::Mail(envelope) => self.mail_from_engine(envelope),
            Action::Redial => self.note("routing <  (dropped)"),
            Action::Log(event) => {
                let event = format!("{event:?}");
                assert!(!event.contains("1001"), "a telephone number in the log: {event}");
            }
        }
    }

    fn connect(&mut self, connection: ConnectionId, to: SocketAddr) {
        let phone = self.phones.iter_mut().find(|phone| phone.address == to && phone.carrier == Carrier::Tcp);
        match phone.filter(|phone| !phone.deaf) {
            Some(phone) => {
                phone.connection = Some(connection);
                let line = format!("{:<7} <  (connection opened)", phone.name);
                self.note(&line);
                self.feed(Input::Opened { connection });
            }
            None => {
                self.note(&format!("        <  (no connection to {to})"));
                self.feed(Input::Closed { connection });
            }
        }
    }

    /// Lets time pass; each deadline is handled at its moment.
    fn pass(&mut self, span: Span) {
        let until = self.now + span;
        loop {
            let deadline = self.engine.store().deadline();
            if deadline > until {
                break;
            }
            self.now = self.now.max(deadline);
            let epoch = self.epoch;
            self.step(&Event::Time);
            // Who has just taken over looks at the calls at once.
            let is_new = self.epoch > epoch;
            assert!(
                is_new || self.engine.store().deadline() > deadline || deadline < self.now,
                "a deadline at {deadline} was handled and stays"
            );
        }
        self.now = until;
    }

    /// What is left in the end, by kind.
    fn census(&mut self) -> String {
        const NAMES: [&str; 8] =
            ["calls", "registrations", "answers", "connections", "presence", "waiting", "routing", "letters"];
        let counts = (1..).zip(NAMES).map(|(kind, name)| (name, self.keys(Kind(kind)).len()));
        let present: Vec<String> = counts
            .filter(|(name, count)| *count > 0 && *name != "routing")
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        if present.is_empty() { "nothing".to_owned() } else { present.join(", ") }
    }
}

/// Whoever looks for the reason of a failure wants to see how far it came.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.ladder);
        }
    }
}

/// A record must be read as it was written.
fn check_encoding(change: &Change<'_>) {
    if let Some(state) = &change.state {
        let (value, known) = Value::decode(change.key.kind, state.value).expect("a readable record");
        assert_eq!(known, state.value.len());
        let mut again = Vec::new();
        value.encode(&mut again);
        assert_eq!(again, state.value, "a record changes when it is read and written");
        assert_eq!(value.deadline(), state.deadline);
        assert_eq!(value.aliases(), state.aliases);
        if change.key.kind == Kind(1) {
            check_older(change.key.kind, state.value);
        }
    }
}

/// A call of the version before, which ends before the field that was appended last, can be read (docs/decisions/0005).
fn check_older(kind: Kind, bytes: &[u8]) {
    // All octets of a number but its last one have the highest bit set.
    let number = 1 + bytes.iter().rev().skip(1).take_while(|octet| **octet >= 0x80).count();
    let older = &bytes[..bytes.len() - number];
    let (value, known) = Value::decode(kind, older).expect("a readable record of the version before");
    assert_eq!(known, older.len());
    let mut again = Vec::new();
    value.encode(&mut again);
    assert_eq!(&again[..older.len()], older);
}
