//! The link of a pair on two hosts: one TLS connection over each network that joins them, as one [`Bundle`].
//!
//! The backup dials, over every network at once; the primary attaches what belongs together. The link stands as long as one of
//! the connections does: whichever of them breaks, falls silent or gets stuck, the messages go on over another one, and the
//! side that dialled makes it anew.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use model::{Incarnation, Span, Time};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use redundancy::bundle::{Bundle, Effect, PathReport};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::channel::{ChannelError, MOST_WAITING};
use crate::identity::Keyring;
use crate::last_word::Key;
use crate::secure::SecureChannel;
use crate::server::packing::{Packer, Unpacker};

/// Time between heartbeats on each network: one that is stuck is left only when something is heard on another one meanwhile, and
/// that must be done well before the other side is suspected.
const HEARTBEAT: Span = Span::from_millis(20);
/// Pause before a network is tried again.
const RETRY: Span = Span::from_millis(50);
/// How long a connection may take to stand.
const CONNECT_PATIENCE: Span = Span::from_millis(500);

/// The first word on each connection of a link, said by who dialled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PathOpening {
    /// Who dials.
    pub(crate) from: Incarnation,
    /// Names the link: connections with the same number belong together. A later link of the same process has a greater one.
    pub(crate) link: u64,
    /// Which network this is, counted from 0.
    pub(crate) network: u8,
}

/// What follows.
#[derive(Debug, Serialize, Deserialize)]
struct PathFrame(ByteBuf);

/// How the other host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The name in its certificate.
    pub name: String,
    /// Over each network: from which address of this host, to which of the other one.
    pub networks: Vec<(SocketAddr, SocketAddr)>,
}

/// One connection.
#[derive(Debug)]
enum Path {
    /// There is none; who dials tries again then.
    Down {
        retry: Time,
    },
    /// It is being made, until then at the latest.
    Opening {
        channel: SecureChannel,
        until: Time,
    },
    Stands(SecureChannel),
}

/// The link to a side on another host. Its descriptor is readable when [`turn`](Self::turn) has something to do.
#[derive(Debug)]
pub(crate) struct Remote {
    me: Incarnation,
    /// Only who dials knows the way.
    route: Option<Route>,
    link: u64,
    bundle: Bundle,
    packer: Packer,
    unpacker: Unpacker,
    paths: Vec<Path>,
    epoll: Epoll,
    timer: TimerFd,
    came: VecDeque<Vec<u8>>,
    /// It has stood; once it stands no more, it is over.
    has_stood: bool,
    /// The connection that ended last did so without a word.
    was_cut: bool,
    /// The last word of the other side, if it has ended with one.
    last_word: Option<u64>,
    /// Connections have begun to stand, or have ended, since they were shown last.
    has_changed: bool,
}

impl Remote {
    /// Dials over every network of `route`; `link` is greater than that of any link before.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(crate) fn dial(me: Incarnation, route: Route, link: u64, keys: &mut Keyring, now: Time) -> io::Result<Self> {
        let networks = route.networks.len();
        let mut remote = Self::new(me, Some(route), link, networks)?;
        remote.connect(keys, now);
        remote.arm(now);
        Ok(remote)
    }

    /// Takes the first connection of a link that another side has dialled over so many `networks`.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(crate) fn accept(
        me: Incarnation,
        networks: usize,
        opening: &PathOpening,
        channel: SecureChannel,
        now: Time,
    ) -> io::Result<Self> {
        let mut remote = Self::new(me, None, opening.link, networks)?;
        remote.attach(opening, channel, now);
        Ok(remote)
    }

    fn new(me: Incarnation, route: Option<Route>, link: u64, networks: usize) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        let retry = if route.is_some() { Time::ZERO } else { Time::NEVER };
        let paths = (0..networks).map(|_| Path::Down { retry }).collect();
        let bundle = Bundle::new(networks, HEARTBEAT, MOST_WAITING);
        Ok(Self {
            me,
            route,
            link,
            bundle,
            packer: Packer::new()?,
            unpacker: Unpacker::new(MOST_WAITING)?,
            paths,
            epoll,
            timer,
            came: VecDeque::new(),
            has_stood: false,
            was_cut: false,
            last_word: None,
            has_changed: false,
        })
    }

    /// Takes another connection of this link.
    pub(crate) fn attach(&mut self, opening: &PathOpening, channel: SecureChannel, now: Time) {
        let number = usize::from(opening.network);
        if number >= self.paths.len() || self.epoll.add(&channel, EpollEvent::new(EpollFlags::EPOLLIN, 0)).is_err() {
            return;
        }
        if matches!(self.paths[number], Path::Stands(_)) {
            self.bundle.broken(now, number);
            self.drop_path(number, now);
        }
        self.paths[number] = Path::Stands(channel);
        (self.has_stood, self.has_changed) = (true, true);
        self.bundle.connected(now, number);
        self.carry_out(now);
        self.arm(now);
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If too much waits for the other side.
    pub(crate) fn send(&mut self, message: &[u8], now: Time) -> Result<(), ChannelError> {
        let packed = self.packer.pack(message)?;
        self.bundle.send(now, &packed).map_err(|_| ChannelError::Full)?;
        self.carry_out(now);
        self.arm(now);
        Ok(())
    }

    /// Does what there is to do, and makes anew what is broken.
    pub(crate) fn turn(&mut self, keys: &mut Keyring, now: Time) {
        // Read, so that it does not wake anybody again; it holds nothing.
        let _ = self.timer.wait();
        for number in 0..self.paths.len() {
            self.work(number, keys.identity().solution.clone().as_str(), now);
        }
        if self.bundle.deadline() <= now {
            self.bundle.tick(now);
        }
        self.bundle.flush();
        self.carry_out(now);
        self.connect(keys, now);
        self.arm(now);
    }

    /// The next message of the other side.
    pub(crate) fn receive(&mut self) -> Option<Vec<u8>> {
        self.came.pop_front()
    }

    /// True while it stands.
    pub(crate) fn is_up(&self) -> bool {
        !self.bundle.is_down()
    }

    /// True once it has stood and stands no more, or could not be made over any network.
    pub(crate) fn is_over(&self, now: Time) -> bool {
        let fails = |path: &Path| match path {
            Path::Down { .. } => true,
            Path::Opening { until, .. } => *until <= now,
            Path::Stands(_) => false,
        };
        let has_ended = self.last_word.is_some() || !self.is_up();
        has_ended
            && self.came.is_empty()
            && (self.last_word.is_some() || self.has_stood || self.paths.iter().all(fails))
    }

    /// True if it is over as it is when the process at the other end was killed: the kernel there has closed what was left.
    pub(crate) fn was_cut(&self) -> bool {
        self.has_stood && self.was_cut
    }

    /// The revision of the last word of the other side, which has certainly ended then.
    pub(crate) const fn last_word(&self) -> Option<u64> {
        self.last_word
    }

    /// True if so much waits for the other side that no more inputs are to be taken in.
    pub(crate) const fn is_crowded(&self) -> bool {
        self.bundle.is_crowded()
    }

    /// How each network stands, in the order of the route.
    pub(crate) fn reports(&self) -> impl Iterator<Item = PathReport> + '_ {
        self.bundle.reports()
    }

    /// The connections that stand, each with what a last word on it is signed with, if others do than when they were asked for last.
    pub(crate) fn connections(&mut self) -> Option<Vec<(Arc<OwnedFd>, Key)>> {
        let copy = |path: &mut Path| match path {
            Path::Stands(channel) => {
                Some((Arc::new(channel.as_fd().try_clone_to_owned().ok()?), channel.last_word_key()?))
            }
            Path::Down { .. } | Path::Opening { .. } => None,
        };
        std::mem::take(&mut self.has_changed).then(|| self.paths.iter_mut().filter_map(copy).collect())
    }

    /// Ends it for both sides.
    pub(crate) fn shut(&mut self) {
        for path in &mut self.paths {
            if let Path::Stands(channel) | Path::Opening { channel, .. } = path {
                channel.shut();
            }
        }
    }

    /// Reads and writes one connection.
    fn work(&mut self, number: usize, solution: &str, now: Time) {
        let Some(path) = self.paths.get_mut(number) else { return };
        let done = match path {
            Path::Down { .. } => return,
            Path::Opening { until, .. } if *until <= now => Err(ChannelError::Ended),
            Path::Opening { channel, .. } => stands(channel, solution),
            Path::Stands(channel) => channel.flush().map(|()| true),
        };
        match done {
            Ok(false) => {}
            Ok(true) => {
                if let Path::Opening { .. } = path
                    && let Path::Opening { channel, .. } = std::mem::replace(path, Path::Down { retry: Time::NEVER })
                {
                    *path = Path::Stands(channel);
                    (self.has_stood, self.has_changed) = (true, true);
                    self.bundle.connected(now, number);
                    self.carry_out(now);
                }
                self.read(number, now);
            }
            Err(error) => self.fails(number, &error, now),
        }
        self.watch(number);
    }

    fn read(&mut self, number: usize, now: Time) {
        while let Some(Path::Stands(channel)) = self.paths.get_mut(number) {
            match channel.receive::<PathFrame>() {
                Ok(None) => return,
                Ok(Some(PathFrame(packet))) => {
                    if self.bundle.receive(now, number, &packet).is_err() {
                        return self.fails(number, &ChannelError::Ended, now);
                    }
                    self.carry_out(now);
                }
                Err(error) => return self.fails(number, &error, now),
            }
        }
    }

    fn carry_out(&mut self, now: Time) {
        loop {
            let effects: Vec<_> = self.bundle.take_effects().collect();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Write { path, packet } => self.write(path, packet, now),
                    Effect::Deliver(packed) => match self.unpacker.unpack(&packed) {
                        Ok(message) => self.came.push_back(message),
                        Err(error) => {
                            tracing::error!("the link to the other side makes no sense: {error}");
                            self.shut();
                        }
                    },
                    Effect::Reset { path, why } => {
                        tracing::warn!(network = path, ?why, "the link over this network is made anew");
                        self.was_cut = false;
                        self.drop_path(path, now);
                    }
                    Effect::Chosen(path) => tracing::info!(network = path, "the link goes over this network"),
                }
            }
        }
    }

    fn write(&mut self, number: usize, packet: Vec<u8>, now: Time) {
        let Some(Path::Stands(channel)) = self.paths.get_mut(number) else { return };
        match channel.send(&PathFrame(ByteBuf::from(packet))) {
            Ok(()) => self.watch(number),
            Err(error) => self.fails(number, &error, now),
        }
    }

    /// Begins to connect where it is time to.
    fn connect(&mut self, keys: &mut Keyring, now: Time) {
        let Some(route) = self.route.clone() else { return };
        // A link that is over is over: what stood on both sides has begun anew by now.
        if self.has_stood && self.bundle.is_down() {
            return;
        }
        for (number, (from, to)) in route.networks.iter().enumerate() {
            let due = matches!(self.paths[number], Path::Down { retry } if retry <= now);
            if !due {
                continue;
            }
            let opening = PathOpening { from: self.me.clone(), link: self.link, network: number as u8 };
            let made = SecureChannel::connect(*from, *to, keys.client(), &route.name).and_then(|mut channel| {
                channel.send(&opening).map_err(io::Error::other)?;
                let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
                self.epoll.add(&channel, EpollEvent::new(flags, 0))?;
                Ok(channel)
            });
            self.paths[number] = match made {
                Ok(channel) => Path::Opening { channel, until: now + CONNECT_PATIENCE },
                Err(_) => Path::Down { retry: now + RETRY },
            };
        }
    }

    fn fails(&mut self, number: usize, error: &ChannelError, now: Time) {
        self.was_cut = is_cut(error);
        if let Some(Path::Stands(channel)) = self.paths.get_mut(number) {
            self.last_word = self.last_word.or(channel.last_word());
        }
        if !error.is_end() && self.last_word.is_none() {
            tracing::warn!(network = number, "the link over this network broke: {error}");
        }
        self.drop_path(number, now);
        self.bundle.broken(now, number);
        self.carry_out(now);
    }

    fn drop_path(&mut self, number: usize, now: Time) {
        let retry = if self.route.is_some() { now + RETRY } else { Time::NEVER };
        if let Some(path) = self.paths.get_mut(number) {
            if let Path::Stands(channel) | Path::Opening { channel, .. } = path {
                // The kernel would take it out of the set with its last descriptor, which is not the one here.
                let _ = self.epoll.delete(channel);
            }
            *path = Path::Down { retry };
            self.has_changed = true;
        }
    }

    /// Waits for a connection to take more, if something waits for that.
    fn watch(&self, number: usize) {
        let Some(Path::Stands(channel) | Path::Opening { channel, .. }) = self.paths.get(number) else { return };
        let out = if channel.is_waiting() { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
        let _ = self.epoll.modify(channel, &mut EpollEvent::new(EpollFlags::EPOLLIN | out, 0));
    }

    /// Wakes the owner when something is due.
    fn arm(&self, now: Time) {
        let of_path = |path: &Path| match path {
            Path::Down { .. } if self.has_stood && self.bundle.is_down() => Time::NEVER,
            Path::Down { retry } => *retry,
            Path::Opening { until, .. } => *until,
            Path::Stands(_) => Time::NEVER,
        };
        let due = self.paths.iter().map(of_path).fold(self.bundle.deadline(), Time::min);
        if due < Time::NEVER {
            let after = std::time::Duration::from_micros(due.since(now).as_micros().max(1));
            let _ = self.timer.set(Expiration::OneShot(TimeSpec::from(after)), TimerSetTimeFlags::empty());
        }
    }
}

/// The kernel of the other host has ended the connection, and not the process there, which says goodbye.
fn is_cut(error: &ChannelError) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error, ChannelError::Io(error) if matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe))
}

/// True once the host at the other end has proved to be one of ours.
fn stands(channel: &mut SecureChannel, solution: &str) -> Result<bool, ChannelError> {
    if !channel.shakes_hands()? {
        return Ok(false);
    }
    match channel.peer(solution) {
        Some(Err(trouble)) => Err(io::Error::other(trouble.to_string()).into()),
        peer => Ok(peer.is_some()),
    }
}

impl AsFd for Remote {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

#[cfg(test)]
mod tests;
