//! The loop of one server process: waits, takes inputs in, writes one checkpoint for each turn, carries out effects.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use management::Detection;
use model::{Incarnation, Span, Time};
use network::address::VirtualAddress;
use nix::sys::eventfd::{EfdFlags, EventFd};
use redundancy::hot_standby::{Commit, Replica, RoleName, Settings};

use super::addresses::Addresses;
use super::alarms::Alarms;
use super::closing::Closing;
use super::durable;
use super::far::{Far, FarSettings};
use super::hindrance::Hindrance;
use super::holding::Holding;
use super::intake::Intake;
use super::link::{Door, Link, Peer};
use super::mail::Mail;
use super::notes::{Note, Notes};
use super::noticing::Noticing;
use super::orphans::Orphans;
use super::poll::{Poll, Ready};
use super::ring::Ring;
use super::service::Service;
use super::token::Token;
use super::ways::Ways;
use crate::channel::Channel;
use crate::client::Event;
use crate::clock;
use crate::coordinator::{Coordinator, EmbeddedCoordinator};
use crate::folder::Folder;
use crate::journal::Recorder;
use crate::lca::{LcaLink, News};
use crate::local;
use crate::pulse::Pulse;
use crate::wire::{Role, ServerReport, Trouble};

/// The loop turns at least this often, so that the LCA sees its pulse: it counts three missed beats of 50 ms as a hang.
const LONGEST_TURN: Span = Span::from_millis(25);

/// A backup on the primary's host sleeps this long between two looks at its link, unless its bell is rung: what lies there
/// is safe (rule 16), and waking it for each checkpoint would cost more than everything else it does.
const LAZY_TURN: Span = Span::from_millis(5);

/// How a server process runs.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// This run of this process.
    pub me: Incarnation,
    /// The pair, `sip`.
    pub pair: String,
    /// The applications that may be the other side; none without a standby.
    pub peers: Vec<String>,
    /// Where they are, if not on this host.
    pub far: Option<FarSettings>,
    /// The contact centre.
    pub folder: Folder,
    /// Addresses that whoever serves takes.
    pub addresses: Vec<VirtualAddress>,
    /// Where it listens for phones; empty for a server that has none.
    pub doors: Vec<Door>,
    /// Applications of the pair that it calls for its mail.
    pub calls: Vec<String>,
    /// Another pair calls it for its mail.
    pub is_called: bool,
}

impl ServerSettings {
    /// True if this address passes from host to host.
    pub(super) fn is_virtual(&self, address: IpAddr) -> bool {
        self.addresses.iter().any(|one| one.address == address)
    }
}

/// Why the loop ended.
#[derive(Debug)]
pub(super) enum End {
    /// It was asked to.
    Asked,
    /// This incarnation is over; the next one joins the pair.
    Retired,
    /// It cannot serve.
    Failed(Trouble),
}

/// One server process.
pub(super) struct Shell<S: Service> {
    pub(super) settings: ServerSettings,
    pub(super) replica: Replica<S>,
    pub(super) poll: Poll,
    pub(super) intake: Intake,
    pub(super) addresses: Addresses,
    pub(super) hindrance: Hindrance,
    pub(super) ways: Ways,
    pub(super) orphans: Orphans,
    pub(super) ring: Ring,
    pub(super) link: Option<Link>,
    /// The link is in the poll set, for writing too if it says so.
    pub(super) link_watched: Option<bool>,
    /// The other side rings it.
    pub(super) bell: Arc<OwnedFd>,
    /// The way to the other side, if that is on another host; there is no `link` then.
    pub(super) far: Option<Far>,
    /// The other side of a link that was hung up: its ring holds what it had read.
    pub(super) former_peer: Option<Peer>,
    pub(super) mail: Mail,
    /// What mail comes from; waited for together with the intake, for a letter is an input like any other.
    pub(super) mail_poll: Poll,
    pub(super) journal: Recorder,
    pub(super) pulse: Pulse,
    pub(super) pulse_descriptor: Arc<OwnedFd>,
    pub(super) lca: LcaLink,
    pub(super) coordinator: EmbeddedCoordinator,
    pub(super) door: UnixListener,
    /// Connections that have not said yet what they are for.
    pub(super) callers: BTreeMap<u64, Channel>,
    /// Connections of the control server.
    pub(super) controls: BTreeMap<u64, Channel>,
    pub(super) connections: u64,
    /// Orders that wait for their answer: which connection wants it.
    pub(super) orders: BTreeMap<u64, u64>,
    pub(super) now: Time,
    /// The intake is in the poll set.
    pub(super) reading: bool,
    /// When pair time was noted last.
    pub(super) time_noted: Time,
    /// When the calls are to be counted next.
    pub(super) count_calls: Time,
    pub(super) notes: Notes,
    pub(super) holding: Holding,
    pub(super) alarms: Alarms,
    pub(super) noticing: Noticing,
    /// Lines for the log about a takeover: they are written when its first outputs have left, as each takes a moment.
    pub(super) later: Vec<String>,
    /// It was asked to end, and has something to say before.
    pub(super) closing: Option<Closing>,
    /// An operator has decided that this side is to serve, whoever else may (rule 15).
    pub(super) is_promoted: bool,
    pub(super) end: Option<End>,
}

impl<S: Service> Shell<S> {
    /// A server that is about to look for its role.
    pub(super) fn new(settings: ServerSettings, engine: S, seed: u64) -> Result<Self, Trouble> {
        let name = settings.me.application.clone();
        let mut alarms = Alarms::default();
        let journal = durable::open(&settings, &mut alarms)?;
        // What is written to another host is safe when that host says so (rules 4 and 16).
        let commit = if settings.far.is_some() { Commit::Acknowledged } else { Commit::Published };
        let replica_settings = Settings::new(settings.me.clone(), settings.peers.clone(), commit, seed);
        let build = || -> io::Result<Self> {
            let (pulse, pulse_descriptor) = Pulse::create()?;
            let pulse_descriptor = Arc::new(pulse_descriptor);
            pulse.hold()?;
            pulse.watch_crashes()?;
            let lca = LcaLink::new(settings.folder.socket("lca"), settings.me.clone(), Arc::clone(&pulse_descriptor))?;
            let coordinator = EmbeddedCoordinator::new(settings.folder.socket("coordinator"), settings.pair.clone())?;
            let door = local::listen(&settings.folder.socket(&name))?;
            let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
            let poll = Poll::new()?;
            poll.add(&bell, Token::Bell, false)?;
            poll.add(&lca, Token::Lca, false)?;
            poll.add(&coordinator, Token::Coordinator, false)?;
            poll.add(&door, Token::Door, false)?;
            Ok(Self {
                replica: Replica::new(engine, replica_settings),
                poll,
                intake: Intake::new()?,
                addresses: Addresses::new(settings.addresses.clone(), clock::now())?,
                hindrance: Hindrance::default(),
                ways: Ways::default(),
                orphans: Orphans::default(),
                ring: Ring::create()?,
                link: None,
                link_watched: None,
                far: None,
                bell: Arc::new(bell.into()),
                former_peer: None,
                mail: Mail::Off,
                mail_poll: Poll::new()?,
                journal,
                pulse,
                pulse_descriptor,
                lca,
                coordinator,
                door,
                callers: BTreeMap::new(),
                controls: BTreeMap::new(),
                connections: 0,
                orders: BTreeMap::new(),
                now: clock::now(),
                reading: false,
                time_noted: Time::ZERO,
                count_calls: Time::ZERO,
                notes: Notes::default(),
                holding: Holding::default(),
                alarms,
                noticing: Noticing::default(),
                later: Vec::new(),
                closing: None,
                is_promoted: false,
                end: None,
                settings,
            })
        };
        let mut shell = build().map_err(|error| {
            Trouble::new(
                format!("{name} cannot start: {error}"),
                "see the limits of the process and the folder's rights",
            )
        })?;
        if let Some(far) = &shell.settings.far {
            shell.far = Some(Far::open(far, &shell.settings.me, &shell.poll)?);
        }
        Ok(shell)
    }

    /// Turns until the end.
    pub(super) fn run(&mut self) -> End {
        let mut ready = Vec::new();
        loop {
            self.turn(&mut ready);
            if let Some(end) = self.end.take() {
                std::mem::take(&mut self.addresses).leave();
                return end;
            }
        }
    }

    fn turn(&mut self, ready: &mut Vec<Ready>) {
        self.watch_intake();
        self.watch_link();
        let due = self.replica.deadline().min(self.addresses.deadline());
        let longest = if self.orphans.is_empty() { self.longest_turn() } else { Span::ZERO };
        let patience = due.since(clock::now()).min(longest);
        self.poll.wait(patience, ready);
        self.now = clock::now();
        self.pulse.beat();
        for event in ready.drain(..) {
            self.dispatch(event);
        }
        if self.is_lazy() {
            self.hear_link();
        }
        if self.replica.deadline() <= self.now {
            self.replica.tick(self.now);
        }
        self.begin_if_free();
        self.finish_turn();
        self.open_mail();
        self.intake.settle_streams();
        self.later.drain(..).for_each(|line| tracing::info!("{line}"));
        self.close();
        self.heed_ways();
        self.addresses.look_after(self.now, self.replica.status().undecided);
        self.heed_hindrance();
        self.orphans.tell();
        self.note_pair_time();
        self.notes.tell(self.now);
        self.report();
    }

    /// Writes the turn's checkpoint and carries out what may be.
    pub(super) fn finish_turn(&mut self) {
        self.replica.flush(self.now);
        self.carry_out();
        self.send_datagrams();
        self.ring.free(self.replica.mark());
    }

    /// Sends what was released by UDP in this turn.
    pub(super) fn send_datagrams(&mut self) {
        let refused = self.intake.send();
        if refused > 0 {
            self.notes.take(self.now, &Note::refused_by_kernel(refused));
        }
    }

    /// Whoever was cut off may know another holder of an address: he is told when a way out of this host has come back, or this side
    /// knows again that it serves.
    fn heed_ways(&mut self) {
        let here = [self.coordinator.is_connected(), !self.replica.status().undecided];
        let networks = self.far.iter().flat_map(Far::stand);
        if self.ways.see(self.now, here.into_iter().chain(networks)) {
            self.addresses.healed(self.now);
        }
    }

    fn longest_turn(&self) -> Span {
        if self.is_lazy() { LAZY_TURN } else { LONGEST_TURN }
    }

    /// True if the link is looked at now and then instead of waking this process.
    pub(super) fn is_lazy(&self) -> bool {
        let status = self.replica.status();
        let stands = self.link.as_ref().is_some_and(|link| !link.is_broken);
        stands && status.role == RoleName::Backup && status.level
    }

    fn dispatch(&mut self, event: Ready) {
        let Some(token) = Token::decode(event.token) else { return };
        match token {
            Token::Lca => self.hear_lca(),
            Token::Coordinator => self.hear_coordinator(),
            Token::Door => self.answer_door(),
            Token::Caller(number) => self.hear_caller(number),
            Token::Control(number) => self.hear_control(number),
            Token::Link => self.hear_link(),
            Token::FarDoor(network) => self.answer_far_door(network),
            Token::FarGuest(number) => self.hear_far_guest(number),
            Token::FarLink => self.hear_far(),
            Token::Bell => self.answer_bell(),
            Token::Witness => self.peer_has_ended(),
            Token::Intake => self.take_in(),
            Token::Listener(number) if self.accepts_inputs() => self.read_listener(number),
            Token::Mail if self.accepts_inputs() => self.take_mail(),
            Token::Listener(_) | Token::Mail | Token::MailDoor | Token::Guest | Token::Partner(_) => {}
        }
    }

    fn hear_lca(&mut self) {
        while let Some(news) = self.lca.poll() {
            match news {
                News::Stop => self.asked_to_end(),
                News::HandOver => match self.replica.switch_over(self.now) {
                    Ok(()) => tracing::info!("hands over to the backup, as the local control agent asks"),
                    Err(why) => tracing::info!("cannot hand over to the backup yet: {why}"),
                },
                News::Ended(who) => {
                    // What the link of a dead writer still holds comes first.
                    self.read_link();
                    self.learn_end(&who);
                }
            }
        }
    }

    fn hear_coordinator(&mut self) {
        while let Some(event) = self.coordinator.poll() {
            match event {
                Event::Connected => self.replica.coordinator_up(),
                Event::Disconnected => self.replica.coordinator_down(),
                Event::Message(reply) => self.replica.coordinator_says(self.now, reply),
            }
        }
    }

    /// Waits for inputs only while they can be taken in.
    fn watch_intake(&mut self) {
        let wanted = self.accepts_inputs() && !self.ring.is_full();
        if wanted != self.reading {
            self.reading = wanted;
            if wanted {
                let _ = self.poll.add(&self.intake.poll, Token::Intake, false);
                let _ = self.poll.add(&self.mail_poll, Token::Mail, false);
                self.watch_datagrams();
            } else {
                self.poll.remove(&self.intake.poll);
                self.poll.remove(&self.mail_poll);
                self.intake.datagrams().for_each(|(_, socket)| self.poll.remove(socket));
            }
        }
    }

    /// Waits for datagrams, which come without the detour through the set of all other sockets.
    pub(super) fn watch_datagrams(&self) {
        self.intake.datagrams().for_each(|(number, socket)| {
            let _ = self.poll.add(socket, Token::Listener(number), false);
        });
    }

    fn report(&mut self) {
        let of_disk = self.journal.trouble().map(|trouble| (Detection::Disk, trouble));
        let of_addresses = self.addresses.troubles().map(|trouble| (Detection::Address, trouble));
        let hindrance = self.hindrance.troubles().map(|trouble| (Detection::Address, trouble));
        let troubles = of_disk.into_iter().chain(of_addresses).chain(hindrance);
        self.alarms.see(self.now, &self.replica.status(), !self.settings.peers.is_empty(), troubles);
        self.notice();
        if let Some(connections) = self.far.as_mut().and_then(Far::connections) {
            self.lca.connections(connections);
        }
        // Whoever knows its part has started, also where its host keeps it from serving.
        if self.replica.status().ready {
            self.lca.ready();
        }
        self.lca.report(self.server_report());
    }

    pub(super) fn server_report(&self) -> ServerReport {
        let status = self.replica.status();
        ServerReport {
            role: match status.role {
                RoleName::Primary => Some(Role::Primary),
                RoleName::Backup => Some(Role::Backup),
                RoleName::Starting | RoleName::Retired => None,
            },
            epoch: status.epoch,
            ready: status.ready && self.hindrance.is_none(),
            lag: status.lag,
            records: status.records,
            state_hash: status.state_hash,
            level: status.level,
            note: self.alarms.note().or_else(|| self.far_note()),
            hold: None,
        }
    }
}
