//! TCP connections: kept by the kernel of a host, held by both sides of a pair, finished by whoever serves.
//!
//! As the shell does it: the descriptor of each connection goes to the backup with the news of it, the backup counts
//! along what the primary writes, and at a takeover asks the kernel how much of that it really took.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use model::{Span, Time};

use super::link::OnLink;
use super::process::OutputOf;
use super::{News, Pair, PairEvent, Process, Service, Side, other};
use crate::kernel::Core;
use crate::plan::Layout;

/// A connection as the kernel of a host knows it.
#[derive(Debug)]
pub(super) struct Socket {
    /// The number that the server has given it; none while it waits to be accepted.
    number: Option<u64>,
    peer: SocketAddr,
    /// Bytes that the peer has sent and nobody has read.
    inbox: VecDeque<Vec<u8>>,
    /// The peer has closed it, or it could not be made.
    ended: bool,
    /// It stands.
    open: bool,
    /// Bytes that were ever written to it.
    written: u64,
    /// Which sides hold a descriptor of it.
    holders: [bool; 2],
}

/// A connection as a process knows it.
#[derive(Clone, Debug)]
pub(super) struct Account {
    socket: u64,
    remote: SocketAddr,
    accepted: bool,
    open: bool,
    /// Bytes that were ever to be written.
    queued: u64,
    /// The last of them: all that the kernel may not have taken.
    tail: Vec<u8>,
    closes: bool,
    /// Until when the kernel takes nothing.
    full_until: Time,
}

/// What a primary tells its backup of a connection.
#[derive(Clone, Debug)]
pub(super) enum StreamNews {
    /// It is there, and this is its account; the descriptor travels with it.
    Handed(u64, Account),
    /// It stands now.
    Established(u64),
    /// It is closed.
    Gone(u64),
}

/// What an output does to a connection.
#[derive(Debug)]
pub enum StreamAction {
    /// Opens one to this address.
    Connect(u64, SocketAddr),
    /// Writes to it.
    Write(u64, Vec<u8>),
    /// Closes it when everything before is written.
    Close(u64),
}

/// The most that a backup keeps of a connection before it asks the kernel what has left.
const PRUNE_ABOVE: usize = 4_096;

impl Account {
    fn new(socket: u64, remote: SocketAddr, accepted: bool) -> Self {
        let (queued, tail, full_until) = (0, Vec::new(), Time::ZERO);
        Self { socket, remote, accepted, open: accepted, queued, tail, closes: false, full_until }
    }

    fn queue(&mut self, bytes: &[u8]) {
        self.queued += bytes.len() as u64;
        self.tail.extend_from_slice(bytes);
    }

    /// Forgets what the kernel has taken.
    fn forget_written(&mut self, written: u64) {
        let first_kept = self.queued - self.tail.len() as u64;
        let done = (written.saturating_sub(first_kept) as usize).min(self.tail.len());
        self.tail.drain(..done);
    }
}

/// What comes from the network.
impl<S: Service> Pair<S> {
    /// A peer connects to the host of a side.
    pub fn stream_opens<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, socket: u64, peer: SocketAddr) {
        let host = self.host_of(side);
        let new = Socket {
            number: None,
            peer,
            inbox: VecDeque::new(),
            ended: false,
            open: true,
            written: 0,
            holders: [false; 2],
        };
        self.hosts[host].sockets.insert(socket, new);
        self.wake_readers(core, host);
    }

    /// Bytes come on a connection; `None`: its peer has closed it.
    pub fn stream_brings<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        socket: u64,
        bytes: Option<Vec<u8>>,
    ) {
        let host = self.host_of(side);
        let Some(known) = self.hosts[host].sockets.get_mut(&socket) else { return };
        match bytes {
            Some(bytes) => known.inbox.push_back(bytes),
            None => known.ended = true,
        }
        self.wake_readers(core, host);
    }

    /// A connection that the server wanted stands, or cannot be made.
    pub fn stream_stands<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, socket: u64, made: bool) {
        let host = self.host_of(side);
        let Some(known) = self.hosts[host].sockets.get_mut(&socket) else { return };
        known.open = made;
        known.ended = !made;
        self.wake_readers(core, host);
    }

    fn wake_readers<E: From<PairEvent>>(&mut self, core: &mut Core<E>, host: usize) {
        for side in [0, 1] {
            if self.host_of(side) == host {
                self.wake(core, side, core.now);
            }
        }
    }
}

/// What the process of a side does with connections.
impl<S: Service> Pair<S> {
    /// Accepts what waits, and reads a piece of each connection into the ring.
    pub(super) fn take_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let host = self.host_of(side);
        if self.hosts[host].sockets.is_empty() || !self.process(side)?.replica.accepts_inputs() {
            return Some(());
        }
        self.accept_streams(core, side)?;
        self.read_streams(core, side)?;
        self.flush_streams(core, side)
    }

    fn accept_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let host = self.host_of(side);
        let waiting = |(id, socket): (&u64, &Socket)| socket.number.is_none().then_some((*id, socket.peer));
        let waiting: Vec<(u64, SocketAddr)> = self.hosts[host].sockets.iter().filter_map(waiting).collect();
        for (id, peer) in waiting {
            let process = self.applications[side].process.as_mut()?;
            process.accepted += 1;
            let number = S::accepted_number(process.replica.status().epoch, process.accepted);
            let account = Account::new(id, peer, true);
            process.streams.insert(number, account.clone());
            let socket = self.hosts[host].sockets.get_mut(&id)?;
            socket.number = Some(number);
            socket.holders[side] = true;
            self.tell_link(core, side, StreamNews::Handed(number, account));
            self.stream_is_open(core, side, number);
        }
        Some(())
    }

    /// Tells the engine of a connection that stands.
    fn stream_is_open<E>(&mut self, core: &Core<E>, side: Side, number: u64) {
        let local = self.hosts[self.host_of(side)].clock.local(core.now);
        if let Some(process) = &mut self.applications[side].process
            && let Some(account) = process.streams.get(&number)
        {
            let (accepted, remote) = (account.accepted, account.remote);
            S::stream_opened(&mut process.replica, local, number, accepted.then_some(remote));
        }
    }

    fn read_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let host = self.host_of(side);
        let known: Vec<(u64, u64, bool)> = self
            .process(side)?
            .streams
            .iter()
            .map(|(number, account)| (*number, account.socket, account.open))
            .collect();
        for (number, id, open) in known {
            let Some(socket) = self.hosts[host].sockets.get_mut(&id) else { continue };
            if !open && socket.open {
                self.applications[side].process.as_mut()?.streams.get_mut(&number)?.open = true;
                self.tell_link(core, side, StreamNews::Established(number));
                self.stream_is_open(core, side, number);
                continue;
            }
            let (input, ended) = match socket.inbox.pop_front() {
                Some(bytes) => (S::stream_bytes(number, bytes), false),
                None if socket.ended => (S::stream_end(number), true),
                None => continue,
            };
            if let Some(input) = input {
                let mark = self.hosts[host].ring.push(input.clone());
                self.feed(core, side, mark, &input)?;
            }
            if ended {
                self.close_stream(core, side, number);
            }
        }
        Some(())
    }

    /// Lets go of a connection, and tells the backup so.
    fn close_stream<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: u64) {
        let Some(process) = &mut self.applications[side].process else { return };
        if let Some(account) = process.streams.remove(&number) {
            self.tell_link(core, side, StreamNews::Gone(number));
            let host = self.host_of(side);
            if self.hosts[host].sockets.remove(&account.socket).is_some() {
                self.news.push(News::StreamClosed(account.socket));
            }
        }
    }

    /// Carries out what a released output does to a connection; gives back what is none.
    pub(super) fn act_on_stream<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        output: OutputOf<S>,
    ) -> Option<OutputOf<S>> {
        match S::stream_action(&output) {
            None => return Some(output),
            Some(StreamAction::Connect(number, to)) => self.connect_stream(core, side, number, to),
            Some(StreamAction::Write(number, bytes)) => {
                if let Some(process) = &mut self.applications[side].process
                    && let Some(account) = process.streams.get_mut(&number)
                {
                    account.queue(&bytes);
                    self.flush_stream(core, side, number);
                }
            }
            Some(StreamAction::Close(number)) => {
                if let Some(process) = &mut self.applications[side].process
                    && let Some(account) = process.streams.get_mut(&number)
                {
                    account.closes = true;
                    self.flush_stream(core, side, number);
                }
            }
        }
        None
    }

    fn connect_stream<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: u64, to: SocketAddr) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        if process.streams.contains_key(&number) {
            return;
        }
        // Numbers of connections that the server opens are apart from those that the world opens.
        let id = number | 1 << 62;
        let account = Account::new(id, to, false);
        process.streams.insert(number, account.clone());
        let mut holders = [false; 2];
        holders[side] = true;
        let socket = Socket {
            number: Some(number),
            peer: to,
            inbox: VecDeque::new(),
            ended: false,
            open: false,
            written: 0,
            holders,
        };
        self.hosts[host].sockets.insert(id, socket);
        self.tell_link(core, side, StreamNews::Handed(number, account));
        self.news.push(News::StreamWanted(side, id, to));
    }

    /// Writes what the kernel takes.
    fn flush_stream<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: u64) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        let Some(account) = process.streams.get_mut(&number).filter(|account| account.open) else { return };
        let Some(socket) = self.hosts[host].sockets.get_mut(&account.socket) else { return };
        if account.full_until > core.now {
            return;
        }
        let length = account.tail.len();
        let full = length > 1 && core.chances.link.happens(u64::from(self.plan.stalls), 1_000);
        let taken = if full { core.chances.link.below(length as u64) as usize } else { length };
        let bytes: Vec<u8> = account.tail.drain(..taken).collect();
        let (id, closes) = (account.socket, account.closes);
        if !bytes.is_empty() {
            socket.written += bytes.len() as u64;
            self.news.push(News::StreamBytes(side, id, bytes));
        }
        if full {
            let until = core.now + Span::from_micros(50 + core.chances.link.below(3_000));
            if let Some(account) =
                self.applications[side].process.as_mut().and_then(|process| process.streams.get_mut(&number))
            {
                account.full_until = until;
            }
            self.wake(core, side, until);
        } else if closes {
            self.close_stream(core, side, number);
        }
    }

    fn flush_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let waiting =
            |(number, account): (&u64, &Account)| (account.closes || !account.tail.is_empty()).then_some(*number);
        let waiting: Vec<u64> = self.process(side)?.streams.iter().filter_map(waiting).collect();
        for number in waiting {
            self.flush_stream(core, side, number);
        }
        Some(())
    }
}

/// Both sides of the pair.
impl<S: Service> Pair<S> {
    fn tell_link<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, news: StreamNews) {
        self.write_frame(core, side, OnLink::Stream(news), None);
    }

    /// Gives a joining backup the descriptors and accounts of everything that stands.
    pub(super) fn hand_over_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let local = self.hosts[self.host_of(side)].clock.local(core.now);
        self.applications[side].process.as_mut()?.replica.flush(local);
        self.carry(core, side)?;
        for (number, account) in self.process(side)?.streams.clone() {
            self.tell_link(core, side, StreamNews::Handed(number, account));
        }
        Some(())
    }

    /// The backup hears of a connection.
    pub(super) fn hear_of_stream(&mut self, side: Side, news: StreamNews) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        match news {
            StreamNews::Handed(number, mut account) => {
                let Some(socket) = self.hosts[host].sockets.get_mut(&account.socket) else { return };
                socket.holders[side] = true;
                if let Some(early) = process.early.remove(&number) {
                    account.queue(&early);
                }
                account.full_until = Time::ZERO;
                process.stale.remove(&number);
                process.streams.insert(number, account);
            }
            StreamNews::Established(number) => {
                if let Some(account) = process.streams.get_mut(&number) {
                    account.open = true;
                }
            }
            StreamNews::Gone(number) => {
                process.early.remove(&number);
                process.streams.remove(&number);
            }
        }
    }

    /// A backup is taken on anew: connections of an earlier link that the primary does not know are nobody's.
    pub(super) fn forget_stale_streams(&mut self, side: Side) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        let stale = std::mem::take(&mut process.stale);
        for account in stale.iter().filter_map(|number| process.streams.remove(number)) {
            if let Some(socket) = self.hosts[host].sockets.get_mut(&account.socket) {
                socket.holders[side] = false;
            }
        }
        if !stale.is_empty() {
            self.reap_streams();
        }
    }

    /// The backup counts along what the primary writes.
    pub(super) fn shadow(&mut self, side: Side, output: &OutputOf<S>) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        let Some(StreamAction::Write(number, bytes)) = S::stream_action(output) else { return };
        let Some(account) = process.streams.get_mut(&number) else {
            process.early.entry(number).or_default().extend_from_slice(&bytes);
            return;
        };
        account.queue(&bytes);
        if account.tail.len() > PRUNE_ABOVE
            && let Some(socket) = self.hosts[host].sockets.get(&account.socket)
        {
            account.forget_written(socket.written);
        }
    }

    /// Takes the predecessor's place: what the kernel has taken need not be written again.
    pub(super) fn succeed_in_streams(&mut self, side: Side) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        for account in process.streams.values_mut() {
            if let Some(socket) = self.hosts[host].sockets.get(&account.socket) {
                account.forget_written(socket.written);
            }
        }
    }

    /// From cold: what a predecessor had read of the connections that this side holds is gone, so their streams make no
    /// sense any more. Their peers come back (RFC 5626).
    pub(super) fn begin_streams_anew<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let numbers: Vec<u64> = self.process(side)?.streams.keys().copied().collect();
        for number in numbers {
            self.close_stream(core, side, number);
        }
        self.reconcile_streams(core, side)
    }

    /// Makes the records' connections and the descriptors agree: either may have been on its way.
    pub(super) fn reconcile_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let host = self.host_of(side);
        let local = self.hosts[host].clock.local(core.now);
        let process = self.applications[side].process.as_mut()?;
        let sockets = &self.hosts[host].sockets;
        process.streams.retain(|_, account| sockets.contains_key(&account.socket));
        let known = S::connections(process.replica.engine());
        for number in known.iter().filter(|number| !process.streams.contains_key(number)) {
            S::stream_closed(&mut process.replica, local, *number);
        }
        let unknown: Vec<u64> = process
            .streams
            .iter()
            .filter(|(number, account)| account.open && !known.contains(number))
            .map(|(number, _)| *number)
            .collect();
        for number in unknown {
            self.stream_is_open(core, side, number);
        }
        Some(())
    }

    /// The kernel closes connections that nobody holds.
    pub(super) fn reap_streams(&mut self) {
        let travelling = [0, 1].map(|side| self.links.streams_towards(side));
        let news = &mut self.news;
        for host in &mut self.hosts {
            host.sockets.retain(|id, socket| {
                let Some(number) = socket.number else { return true };
                let held = socket.holders.contains(&true) || travelling.iter().any(|some| some.contains(&number));
                if !held {
                    news.push(News::StreamClosed(*id));
                }
                held
            });
        }
    }

    /// A process of this side is no more: connections that nobody else holds are closed by the kernel. Says which of them
    /// the other side could have held: `unsent` are those of which it was not told yet.
    pub(super) fn drop_streams(&mut self, side: Side, unsent: &BTreeSet<u64>) -> Vec<u64> {
        let host = self.host_of(side);
        let one_host = self.plan.layout == Layout::OneHost;
        let travelling = self.links.streams_towards(other(side));
        let news = &mut self.news;
        let mut lost = Vec::new();
        self.hosts[host].sockets.retain(|id, socket| {
            socket.holders[side] = false;
            let Some(number) = socket.number else { return true };
            let held = one_host && (socket.holders.contains(&true) || travelling.contains(&number));
            if !held {
                news.push(News::StreamClosed(*id));
                if one_host && !unsent.contains(&number) {
                    lost.push(number);
                }
            }
            held
        });
        lost
    }
}

/// The connections of which a process has not told its peer yet.
pub(super) fn unsent<S: Service>(process: &Process<S>) -> BTreeSet<u64> {
    let handed = |(frame, _): &(OnLink, Option<u64>)| match frame {
        OnLink::Stream(StreamNews::Handed(number, _)) => Some(*number),
        _ => None,
    };
    process.unaccepted.iter().filter_map(handed).collect()
}
