//! The link between the two sides: ordered while it lasts; what its kernel has accepted outlives its writer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{Incarnation, Span, Time};
use redundancy::hot_standby::Stamp;

use super::streams::StreamNews;
use super::{Event, Pair, PairEvent, Service, Side, other};
use crate::kernel::Core;
use crate::plan::{Direction, Layout};

/// The links of a pair, and the cuts in the cable between the hosts.
#[derive(Debug, Default)]
pub(super) struct Links {
    next: u64,
    open: BTreeMap<u64, Link>,
    /// Until when frames from a side do not pass.
    cut_until: [Time; 2],
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Bytes on their way to each side.
    pub(super) pipes: [Pipe; 2],
    /// Which sides still hold it.
    held: [bool; 2],
    /// The last checkpoint that it accepted.
    pub(super) accepted: Stamp,
    /// Something of what it had accepted is gone.
    broken: bool,
    /// The last checkpoint that each side ever put on it, as the shell remembers it.
    put: [Option<Stamp>; 2],
}

/// What a socket on one host takes before its reader has read: octets, of which each frame takes so many more (the
/// usual `net.core.wmem_default`).
const ROOM: usize = 212_992;
const ROOM_OF_A_FRAME: usize = 1_024;

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    pub(super) frames: VecDeque<(Time, OnLink)>,
    /// How much of its room is taken.
    taken: usize,
    /// When the reader sees the end.
    pub(super) end: Option<Time>,
    last: Time,
}

/// One thing on the link.
#[derive(Clone, Debug)]
pub(super) enum OnLink {
    /// A message of the protocol.
    Protocol(Vec<u8>),
    /// News of a TCP connection, whose descriptor travels with it.
    Stream(StreamNews),
}

impl OnLink {
    fn room(&self) -> usize {
        match self {
            Self::Protocol(bytes) => ROOM_OF_A_FRAME + bytes.len(),
            Self::Stream(_) => ROOM_OF_A_FRAME,
        }
    }
}

/// What the reader of a link finds.
pub(super) enum Read {
    Frame(OnLink),
    End,
    Nothing,
}

impl Links {
    pub(super) fn get(&self, id: u64) -> Option<&Link> {
        self.open.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Link> {
        self.open.get_mut(&id)
    }

    fn open(&mut self) -> u64 {
        self.next += 1;
        let link = Link { held: [true; 2], ..Link::default() };
        self.open.insert(self.next, link);
        self.next
    }

    /// Cuts a direction; what is on its way gets through, what is sent later waits.
    pub(super) fn cut(&mut self, way: Direction, until: Time) {
        for from in [0, 1] {
            if way.covers(from) {
                self.cut_until[from] = self.cut_until[from].max(until);
            }
        }
    }

    /// TCP connections whose descriptors are on their way to a side.
    pub(super) fn streams_towards(&self, side: Side) -> BTreeSet<u64> {
        let frames = self.open.values().flat_map(|link| &link.pipes[side].frames);
        let handed = frames.filter_map(|(_, frame)| match frame {
            OnLink::Stream(StreamNews::Handed(number, _)) => Some(*number),
            _ => None,
        });
        handed.collect()
    }

    /// When something that `from` sends now after `delay` arrives.
    fn arrival(&self, from: Side, now: Time, delay: Span) -> Time {
        now.max(self.cut_until[from]) + delay
    }

    /// Both sides find the connection broken, and what was on its way is lost.
    pub(super) fn break_all(&mut self, at: Time) {
        for link in self.open.values_mut() {
            link.broken = true;
            for pipe in &mut link.pipes {
                pipe.frames.clear();
                pipe.taken = 0;
                pipe.end = Some(pipe.end.map_or(at, |end| end.min(at)));
            }
        }
    }

    /// The host of `side` has lost power: what it had not put on the wire is gone, and nobody says so.
    pub(super) fn silence(&mut self, side: Side, now: Time) {
        for link in self.open.values_mut() {
            link.held[side] = false;
            link.broken = true;
            let pipe = &mut link.pipes[other(side)];
            pipe.frames.retain(|(at, _)| *at <= now);
            pipe.end = pipe.end.filter(|end| *end <= now);
        }
    }

    /// The host of `side` is back and knows nothing of the old connections: it says so to whoever still holds one.
    pub(super) fn reset(&mut self, side: Side, at: Time) {
        for link in self.open.values_mut().filter(|link| !link.held[side]) {
            link.pipes[other(side)].end.get_or_insert(at);
        }
    }

    fn read(&mut self, id: u64, side: Side, now: Time, drain: bool) -> Read {
        let Some(link) = self.open.get_mut(&id) else { return Read::End };
        let pipe = &mut link.pipes[side];
        match (pipe.frames.front(), pipe.end) {
            (Some((at, _)), _) if *at <= now || drain => pipe.frames.pop_front().map_or(Read::Nothing, |(_, frame)| {
                pipe.taken -= frame.room();
                Read::Frame(frame)
            }),
            (None, Some(end)) if end <= now || drain => Read::End,
            _ => Read::Nothing,
        }
    }

    /// Whether the kernel takes something for the peer of `side`.
    fn has_room(&self, id: u64, side: Side) -> bool {
        self.open.get(&id).is_none_or(|link| link.pipes[other(side)].taken < ROOM)
    }

    /// When `side` finds something on the link.
    fn next_arrival(&self, id: u64, side: Side) -> Time {
        let pipe = self.open.get(&id).map(|link| &link.pipes[side]);
        pipe.map_or(Time::NEVER, |pipe| match pipe.frames.front() {
            Some((at, _)) => *at,
            None => pipe.end.unwrap_or(Time::NEVER),
        })
    }
}

impl<S: Service> Pair<S> {
    /// Whether anything passes between the two hosts at the moment.
    pub(super) fn hosts_are_apart(&self, now: Time) -> bool {
        self.plan.layout == Layout::TwoHosts && self.hosts.iter().any(|host| host.isolated_until > now || host.is_dark)
    }

    /// The kernel has tried to connect `side` with its peer.
    pub(super) fn dialled<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64, to: &Incarnation) {
        let peer = other(side);
        let reachable = self.process_of(to).is_some()
            && !self.hosts_are_apart(core.now)
            && self.links.cut_until.iter().all(|until| *until <= core.now);
        let Some(process) = self.run_mut(side, run) else { return };
        if process.dialling.take_if(|one| one == to).is_none() {
            return;
        }
        if reachable && process.link.is_none() {
            let id = self.links.open();
            if let Some(process) = self.run_mut(side, run) {
                process.link = Some(id);
                process.answered = true;
            }
            if let Some(process) = &mut self.applications[peer].process {
                process.incoming.push_back(id);
            }
            self.wake(core, peer, core.now);
        } else {
            process.failed_to_dial = true;
        }
        self.wake(core, side, core.now);
    }

    /// Lets the process hold one of the links that wait, and refuses the others.
    pub(super) fn accept_links<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        while let Some(process) = &mut self.applications[side].process
            && let Some(id) = process.incoming.pop_front()
        {
            if process.link.is_none() {
                process.link = Some(id);
            } else {
                self.close_link(core, side, id);
            }
        }
    }

    /// Puts a frame on the link.
    pub(super) fn put_on_link<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, id: u64, frame: OnLink) {
        let arrival = self.links.arrival(side, core.now, self.plan.link.draw(&mut core.chances.link));
        let peer = other(side);
        let Some(link) = self.links.get_mut(id) else { return };
        if !link.held[peer] {
            return;
        }
        let pipe = &mut link.pipes[peer];
        pipe.last = pipe.last.max(arrival);
        pipe.taken += frame.room();
        pipe.frames.push_back((pipe.last, frame));
        let at = pipe.last;
        self.wake(core, peer, at);
    }

    /// One side lets go of a link; the other one reads to the end and then sees it.
    pub(super) fn close_link<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, id: u64) {
        let arrival = self.links.arrival(side, core.now, self.plan.link.draw(&mut core.chances.link));
        let peer = other(side);
        let Some(link) = self.links.get_mut(id) else { return };
        link.held[side] = false;
        // Descriptors that travelled here are closed with what was not read.
        let Pipe { frames: unread, taken, .. } = &mut link.pipes[side];
        *taken = 0;
        let unread = std::mem::take(unread);
        if link.held[peer] {
            let pipe = &mut link.pipes[peer];
            pipe.last = pipe.last.max(arrival);
            let end = *pipe.end.get_or_insert(pipe.last);
            self.wake(core, peer, end);
        } else {
            self.links.open.remove(&id);
        }
        if unread.iter().any(|(_, frame)| matches!(frame, OnLink::Stream(_))) {
            self.reap_streams();
        }
    }

    /// The next thing on the link of `side`; with `drain`, whatever its kernel holds.
    pub(super) fn read_link<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, drain: bool) -> Read {
        let Some(id) = self.applications[side].process.as_ref().and_then(|process| process.link) else {
            return Read::Nothing;
        };
        let was_full = !self.links.has_room(id, other(side));
        let read = self.links.read(id, side, core.now, drain);
        if was_full && self.links.has_room(id, other(side)) {
            self.wake(core, other(side), core.now);
        }
        let Some(process) = &mut self.applications[side].process else { return read };
        if matches!(read, Read::End) {
            process.link = None;
            process.unaccepted.clear();
            if let Some(link) = self.links.get_mut(id) {
                process.promised = if link.broken { Stamp::default() } else { link.accepted };
                link.held[side] = false;
                if !link.held[other(side)] {
                    self.links.open.remove(&id);
                }
            }
        }
        read
    }

    /// When the link of `side` has something to read.
    pub(super) fn link_arrival(&self, side: Side) -> Time {
        let id = self.applications[side].process.as_ref().and_then(|process| process.link);
        id.map_or(Time::NEVER, |id| self.links.next_arrival(id, side))
    }

    /// The link takes bytes again.
    pub(super) fn accepts<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, run: u64) {
        if let Some(process) = self.run_mut(side, run) {
            process.stalled_until = Time::ZERO;
            self.wake(core, side, core.now);
        }
    }

    /// Gives a frame to the kernel, which takes it now or a little later; it is `published` when it has.
    pub(super) fn write_frame<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        frame: OnLink,
        checkpoint: Option<Stamp>,
    ) {
        let one_host = self.plan.layout == Layout::OneHost;
        let stalls = one_host && core.chances.link.happens(u64::from(self.plan.stalls), 1_000);
        let Some(process) = &mut self.applications[side].process else { return };
        let Some(link) = process.link.and_then(|id| self.links.get_mut(id)) else { return };
        link.put[side] = checkpoint.or(link.put[side]);
        process.unaccepted.push_back((frame, checkpoint.map(|one| one.sequence)));
        if stalls && process.stalled_until <= core.now {
            let until = core.now + Span::from_micros(10 + core.chances.link.below(20_000));
            process.stalled_until = until;
            let run = process.me.run;
            self.plan_event(core, until, Event::Accepts(side, run));
        }
        self.write_out(core, side);
    }

    /// Writes what the link accepts at the moment. As the shell does, whatever moved, it tells the last checkpoint that
    /// was ever put on the link once nothing waits: that one may be of an epoch long past.
    pub(super) fn write_out<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) {
        while let Some(process) = &mut self.applications[side].process
            && process.stalled_until <= core.now
            && let Some(id) = process.link
            && (self.plan.layout == Layout::TwoHosts || self.links.has_room(id, side))
            && let Some((frame, sequence)) = process.unaccepted.pop_front()
        {
            // Before a new epoch begins on a link, it has accepted every checkpoint of the one before.
            if let Some(link) = self.links.get_mut(id)
                && let Some((sequence, last)) = sequence.zip(link.put[side])
            {
                link.accepted = Stamp { sequence, ..last };
            }
            self.put_on_link(core, side, id, frame);
        }
        if let Some(process) = &mut self.applications[side].process
            && process.unaccepted.is_empty()
            && let Some(checkpoint) = process.link.and_then(|id| self.links.get(id)).and_then(|link| link.put[side])
        {
            process.replica.published(checkpoint);
        }
    }
}
