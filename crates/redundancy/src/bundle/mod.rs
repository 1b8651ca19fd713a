//! Several paths that act as one link: each message arrives once and in order as long as one of the paths carries it.
//!
//! Two hosts of a pair are joined by two networks or more. A bundle numbers the messages of its owner, sends them on one
//! path, keeps them until the other side has them, and sends them again on another path when the first one breaks, falls
//! silent, or brings nothing forward although its heartbeats pass. The receiver passes over what it has. A path is an
//! ordered stream, such as a TLS connection, that may end or stall at any moment and lose its end.
//!
//! The driving contract: tell what happens ([`Bundle::connected`], [`Bundle::broken`], [`Bundle::receive`],
//! [`Bundle::send`]), call [`Bundle::tick`] at [`Bundle::deadline`] and [`Bundle::flush`] at the end of each turn, and carry
//! out [`Bundle::take_effects`] in order. Both sides live as long as the link does: a side that was restarted begins another
//! bundle, and whoever makes the connections sees to it that two bundles never mix ([`Door`]).

mod door;
mod packet;
mod path;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use model::{Span, Time};

pub use door::{Door, Purpose};
pub use packet::Malformed;
use packet::Packet;
use path::{Path, RECOVERY, RoundTrip};

#[cfg(feature = "sabotage")]
use crate::hot_standby::Sabotage;
use crate::hot_standby::sabotaged;

/// One thing for the owner to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write this packet to the path.
    Write {
        /// The path.
        path: usize,
        /// The packet.
        packet: Vec<u8>,
    },
    /// A message of the other side.
    Deliver(Vec<u8>),
    /// End the path with what waits in it, and connect it anew; there is no call of [`Bundle::broken`] for it.
    Reset {
        /// The path.
        path: usize,
        /// What is wrong with it.
        why: Fault,
    },
    /// Messages go over this path from now on.
    Chosen(usize),
}

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is heard on it, not even heartbeats.
    Silent,
    /// Heartbeats may pass, but what was sent on it does not arrive.
    Stuck,
}

/// The other side takes nothing, on no path: more octets wait for it than may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side takes too little: more than {0} octets wait for it")]
pub struct Full(pub usize);

/// How a path stands, for people and alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathReport {
    /// It is connected.
    pub stands: bool,
    /// Messages go over it.
    pub is_chosen: bool,
    /// It has shown that it carries long packets too.
    pub is_trusted: bool,
    /// The way there and back, if it was measured.
    pub round_trip: Option<Span>,
    /// When anything was heard on it last, while it stands.
    pub heard: Option<Time>,
}

/// A message that the other side may not have.
#[derive(Clone, Debug)]
struct Kept {
    number: u64,
    bytes: Arc<[u8]>,
    since: Time,
}

/// One side of a link over several paths.
#[derive(Clone, Debug)]
pub struct Bundle {
    heartbeat: Span,
    /// Octets that may wait for the other side.
    room: usize,
    paths: Vec<Option<Path>>,
    /// What was last known of the way of each path, for when it comes back.
    round_trips: Vec<RoundTrip>,
    chosen: Option<usize>,
    kept: VecDeque<Kept>,
    waiting: usize,
    /// The number of the last message that was sent.
    sent: u64,
    /// The other side has every message up to this one.
    confirmed: u64,
    /// This side has every message up to this one.
    heard: u64,
    /// When it was last looked what is due.
    looked: Time,
    effects: Vec<Effect>,
    #[cfg(feature = "sabotage")]
    broken: Sabotage,
}

impl Bundle {
    /// A bundle of so many paths, none of which stands; it beats on each of them every `heartbeat`, and keeps at most
    /// `room` octets for the other side.
    #[must_use]
    pub fn new(paths: usize, heartbeat: Span, room: usize) -> Self {
        Self {
            heartbeat,
            room,
            paths: vec![None; paths],
            round_trips: vec![RoundTrip::default(); paths],
            chosen: None,
            kept: VecDeque::new(),
            waiting: 0,
            sent: 0,
            confirmed: 0,
            heard: 0,
            looked: Time::ZERO,
            effects: Vec::new(),
            #[cfg(feature = "sabotage")]
            broken: Sabotage::None,
        }
    }

    /// Breaks a rule on purpose, so that a simulation can prove that its checkers bite.
    #[cfg(feature = "sabotage")]
    pub const fn break_rule(&mut self, rule: Sabotage) {
        self.broken = rule;
    }

    #[cfg(feature = "sabotage")]
    fn breaks(&self, rule: Sabotage) -> bool {
        self.broken == rule
    }

    /// What the owner has to do, in order.
    pub fn take_effects(&mut self) -> std::vec::Drain<'_, Effect> {
        self.effects.drain(..)
    }

    /// A path stands (again); nothing was said on it.
    pub fn connected(&mut self, now: Time, path: usize) {
        let Some(round_trip) = self.round_trips.get(path) else { return };
        self.paths[path] = Some(Path::new(now, *round_trip, self.confirmed));
        self.beat(now, path);
        self.choose(now);
    }

    /// A path has ended.
    pub fn broken(&mut self, now: Time, path: usize) {
        self.forget(path);
        self.choose(now);
    }

    /// Sends a message, at once or as soon as a path stands.
    ///
    /// # Errors
    /// If more waits than may; the message was not taken, and the link is of no more use.
    pub fn send(&mut self, now: Time, bytes: &[u8]) -> Result<(), Full> {
        if self.waiting + bytes.len() > self.room {
            return Err(Full(self.room));
        }
        self.sent += 1;
        self.waiting += bytes.len();
        self.kept.push_back(Kept { number: self.sent, bytes: bytes.into(), since: now });
        self.write_kept(now);
        Ok(())
    }

    /// A packet came on a path.
    ///
    /// # Errors
    /// If it is none: the path is to be ended, and [`Bundle::broken`] called.
    pub fn receive(&mut self, now: Time, path: usize, packet: &[u8]) -> Result<(), Malformed> {
        let packet = Packet::decode(packet)?;
        if packet.confirms() > self.sent {
            return Err(Malformed);
        }
        let delivers_twice = sabotaged!(self, DeliverTwice);
        let Some(Some(standing)) = self.paths.get_mut(path) else { return Ok(()) };
        standing.heard = now;
        match packet {
            Packet::Message { number, bytes, .. } => {
                standing.owes = true;
                match number.checked_sub(self.heard) {
                    Some(1) => {
                        self.heard = number;
                        self.effects.push(Effect::Deliver(bytes.to_vec()));
                    }
                    // It was sent again, and is confirmed again.
                    None | Some(0) => {
                        if delivers_twice {
                            self.effects.push(Effect::Deliver(bytes.to_vec()));
                        }
                    }
                    // A path is an ordered stream that begins with what was not confirmed.
                    Some(_) => return Err(Malformed),
                }
            }
            Packet::Confirm { .. } => {}
            Packet::Beat { said, echo, .. } => {
                standing.hears_beat(now, said, echo);
                self.round_trips[path] = standing.round_trip;
            }
        }
        standing.hears_confirmation(now, packet.confirms());
        self.confirmed = self.confirmed.max(packet.confirms());
        while let Some(kept) = self.kept.pop_front_if(|kept| kept.number <= self.confirmed) {
            self.waiting -= kept.bytes.len();
        }
        self.choose(now);
        Ok(())
    }

    /// Octets of a packet came on a path that is not whole yet: it is slow, but not silent.
    pub fn stirs(&mut self, now: Time, path: usize) {
        if let Some(Some(standing)) = self.paths.get_mut(path) {
            standing.heard = now;
        }
    }

    /// Ends a turn: confirms what came in it.
    pub fn flush(&mut self) {
        let confirms = self.heard;
        for (path, standing) in self.paths.iter_mut().enumerate() {
            let Some(standing) = standing.as_mut().filter(|standing| standing.owes) else { continue };
            standing.owes = false;
            self.effects.push(Effect::Write { path, packet: Packet::Confirm { confirms }.encode(0) });
        }
    }

    /// When [`Bundle::tick`] is to be called at the latest.
    #[must_use]
    pub fn deadline(&self) -> Time {
        let of_path = |(number, path): (usize, &Option<Path>)| {
            let path = path.as_ref()?;
            // Once a look has shown that there is no better one, another look shows nothing new.
            let stuck = Some(self.stuck_at(number, path)).filter(|at| *at > self.looked).unwrap_or(Time::NEVER);
            Some(path.beat.min(stuck).min(self.useless_at(number, path)).min(path.silence_ends(self.heartbeat)))
        };
        self.paths.iter().enumerate().filter_map(of_path).min().unwrap_or(Time::NEVER)
    }

    /// Does what is due at `now`: beats, and gives up paths that bring nothing forward.
    pub fn tick(&mut self, now: Time) {
        self.looked = now;
        for path in 0..self.paths.len() {
            let Some(standing) = &self.paths[path] else { continue };
            let fault = if standing.silence_ends(self.heartbeat) <= now {
                Some(Fault::Silent)
            } else {
                (self.useless_at(path, standing) <= now).then_some(Fault::Stuck)
            };
            match fault {
                Some(why) => {
                    self.forget(path);
                    self.effects.push(Effect::Reset { path, why });
                }
                None if standing.beat <= now => self.beat(now, path),
                None => {}
            }
        }
        self.choose(now);
    }

    /// How each path stands.
    pub fn reports(&self) -> impl Iterator<Item = PathReport> {
        self.paths.iter().enumerate().map(|(number, path)| PathReport {
            stands: path.is_some(),
            is_chosen: self.chosen == Some(number),
            is_trusted: path.as_ref().is_some_and(|path| path.is_trusted),
            round_trip: self.round_trips[number].smoothed(),
            heard: path.as_ref().map(|path| path.heard),
        })
    }

    /// How long the oldest message has waited that the other side may not have.
    #[must_use]
    pub fn lag(&self, now: Time) -> Span {
        self.kept.front().map_or(Span::ZERO, |kept| now.since(kept.since))
    }

    /// Octets that wait for the other side.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// True if so much waits for the other side that whoever can should give less to say: half of what may.
    #[must_use]
    pub const fn is_crowded(&self) -> bool {
        self.waiting * 2 > self.room
    }

    /// True if no path stands.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.paths.iter().all(Option::is_none)
    }

    /// When a path is no longer preferred although it is heard: it brings nothing forward, and the other side has been heard on
    /// another one meanwhile. Without that the other side may be what is slow.
    fn stuck_at(&self, number: usize, path: &Path) -> Time {
        if sabotaged!(self, TrustBeats) {
            return Time::NEVER;
        }
        let others =
            self.paths.iter().enumerate().filter(|(other, _)| *other != number).filter_map(|(_, other)| other.as_ref());
        let lives = others.map(|other| other.heard).any(|heard| heard > path.waits_since());
        if lives { path.patience_ends() } else { Time::NEVER }
    }

    /// When it is ended and made anew: later, as the way may only have become longer. That shows on this very path, and a
    /// new one would begin slowly, as every stream does.
    fn useless_at(&self, number: usize, path: &Path) -> Time {
        let stuck = self.stuck_at(number, path);
        if stuck < Time::NEVER { stuck + RECOVERY } else { stuck }
    }

    fn beat(&mut self, now: Time, path: usize) {
        let Some(standing) = &mut self.paths[path] else { return };
        let (echo, length) = standing.beats(now, self.heartbeat);
        let beat = Packet::Beat { confirms: self.heard, said: now, echo };
        self.effects.push(Effect::Write { path, packet: beat.encode(length) });
    }

    fn forget(&mut self, path: usize) {
        if let Some(standing) = self.paths.get_mut(path) {
            *standing = None;
        }
        self.chosen.take_if(|chosen| *chosen == path);
    }

    /// Stays with the path that messages go over as long as it stands and is not stuck; else takes one that has shown what it
    /// carries and is not stuck, the shortest first, and any other only if there is none.
    fn choose(&mut self, now: Time) {
        let doubts = |path: usize, standing: &Path| (!standing.is_trusted, self.stuck_at(path, standing) <= now);
        let worth = |(path, standing): (usize, &Option<Path>)| {
            let standing = standing.as_ref()?;
            let way = standing.round_trip.smoothed().unwrap_or(Span::from_secs(1));
            Some((doubts(path, standing), way, path))
        };
        let Some((fewest, _, best)) = self.paths.iter().enumerate().filter_map(worth).min() else { return };
        let stays = |chosen: usize| self.paths[chosen].as_ref().is_some_and(|path| doubts(chosen, path) <= fewest);
        if self.chosen.is_some_and(stays) {
            return;
        }
        self.chosen = Some(best);
        self.effects.push(Effect::Chosen(best));
        // Whatever was written to it before arrives as long as it stands, so it goes on where it stopped.
        self.write_kept(now);
    }

    /// Writes to the chosen path what was not written to it yet.
    fn write_kept(&mut self, now: Time) {
        let Some(path) = self.chosen else { return };
        let Some(standing) = &mut self.paths[path] else { return };
        let begin = self.kept.partition_point(|kept| kept.number <= standing.written);
        for kept in self.kept.range(begin..) {
            standing.wrote(now, kept.number, kept.bytes.len());
            standing.owes = false;
            let message = Packet::Message { confirms: self.heard, number: kept.number, bytes: &kept.bytes };
            self.effects.push(Effect::Write { path, packet: message.encode(0) });
        }
    }
}
