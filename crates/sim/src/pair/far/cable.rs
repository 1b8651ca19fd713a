//! One TCP connection between the two hosts, over one network: ordered while it lasts.

use std::collections::BTreeMap;

use model::Time;

use super::Link;
use crate::hosts::Parcel;
use crate::kernel::Core;
use crate::pair::{Event, Pair, PairEvent, Service, Side, other};

/// All connections.
#[derive(Debug, Default)]
pub(in crate::pair) struct Cables {
    counted: u64,
    open: BTreeMap<u64, Cable>,
}

/// A connection.
#[derive(Debug)]
struct Cable {
    link: Link,
    network: usize,
    dialler: Side,
    ends: [End; 2],
    /// The other host has taken the call.
    is_taken: bool,
}

/// One end of it.
#[derive(Debug, Default)]
struct End {
    /// The run of the process that holds it.
    run: Option<u64>,
    inbox: BTreeMap<(Time, u64), Item>,
    counted: u64,
    /// When the last thing on it arrives.
    last: Time,
    /// When the last thing arrives that heartbeats may overtake.
    withheld: Time,
}

/// What goes over it.
#[derive(Debug)]
pub(super) enum Item {
    /// The other side has answered the call.
    Answer,
    /// The first word of who has dialled.
    Opening,
    /// A packet of a bundle.
    Packet(Vec<u8>),
    /// The other side has closed it, or knows nothing of it.
    End,
}

/// The first octet of a packet that is a heartbeat.
const BEAT: u8 = 3;
/// What TLS adds, about, in octets.
const OVERHEAD: usize = 40;

impl Item {
    fn parcel(&self) -> Parcel {
        match self {
            Self::Packet(bytes) => Parcel { is_beat: bytes.first() == Some(&BEAT), length: OVERHEAD + bytes.len() },
            // A certificate is long.
            Self::Answer => Parcel { is_beat: true, length: 2_000 },
            Self::Opening | Self::End => Parcel { is_beat: true, length: OVERHEAD },
        }
    }
}

impl End {
    fn arrives(&mut self, at: Time, item: Item, may_be_overtaken: bool) -> Time {
        let at = at.max(self.last);
        let at = match &item {
            Item::Packet(_) if may_be_overtaken => at.max(self.withheld),
            _ => at,
        };
        if may_be_overtaken {
            self.withheld = at;
        } else {
            self.last = at;
        }
        self.counted += 1;
        self.inbox.insert((at, self.counted), item);
        at
    }
}

impl Cables {
    /// The link and the network of a connection.
    pub(super) fn purpose(&self, id: u64) -> Option<(Link, usize)> {
        self.open.get(&id).map(|cable| (cable.link, cable.network))
    }

    /// The next thing that has arrived at a side.
    pub(super) fn read(&mut self, id: u64, side: Side, now: Time) -> Option<Item> {
        let Some(cable) = self.open.get_mut(&id) else { return Some(Item::End) };
        let entry = cable.ends[side].inbox.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// When the next thing arrives at a side on one of these connections.
    pub(in crate::pair) fn next_arrival(&self, ids: &[u64], side: Side) -> Time {
        let first = |id: &u64| self.open.get(id)?.ends[side].inbox.keys().next().map(|(at, _)| *at);
        ids.iter().filter_map(first).min().unwrap_or(Time::NEVER)
    }
}

impl<S: Service> Pair<S> {
    /// Calls the other host over a network.
    pub(super) fn call_over<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        link: Link,
        network: usize,
    ) -> u64 {
        self.cables.counted += 1;
        let id = self.cables.counted;
        let mut cable = Cable { link, network, dialler: side, ends: Default::default(), is_taken: false };
        cable.ends[side].run = self.process(side).map(|process| process.me.run);
        self.cables.open.insert(id, cable);
        let at = self.arrival(core, side, network, Item::Opening.parcel());
        self.plan_event(core, at, Event::Calls(id));
        id
    }

    fn arrival<E>(&self, core: &mut Core<E>, from: Side, network: usize, parcel: Parcel) -> Time {
        let delay = self.plan.link.draw(&mut core.chances.link);
        let chance = (delay, &mut core.chances.link);
        self.networks.arrival(network, (from, other(from)), core.now, parcel, chance)
    }

    /// A call reaches the other host: its kernel takes it for a process that listens, and else refuses it.
    pub(in crate::pair) fn is_called_over<E: From<PairEvent>>(&mut self, core: &mut Core<E>, id: u64) {
        let Some(cable) = self.cables.open.get_mut(&id) else { return };
        let side = other(cable.dialler);
        if cable.ends[cable.dialler].run.is_none() {
            self.cables.open.remove(&id);
            return;
        }
        let host = &self.hosts[side];
        if host.frozen_until > core.now {
            let at = host.frozen_until;
            return self.plan_event(core, at, Event::Calls(id));
        }
        if host.is_dark {
            return;
        }
        cable.is_taken = true;
        match &mut self.applications[side].process {
            Some(process) => {
                cable.ends[side].run = Some(process.me.run);
                process.far.guests.insert(id, false);
                self.wake(core, side, core.now);
            }
            None => self.refuse_on_cable(core, other(side), id),
        }
    }

    /// Who holds one end is told that nobody holds the other one.
    fn refuse_on_cable<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, id: u64) {
        let Some(network) = self.cables.open.get(&id).map(|cable| cable.network) else { return };
        let at = self.arrival(core, other(side), network, Item::End.parcel());
        let Some(cable) = self.cables.open.get_mut(&id) else { return };
        // A reset overtakes what has not been read, which is lost.
        let end = &mut cable.ends[side];
        end.inbox.retain(|(arrival, _), _| *arrival <= at);
        end.last = at;
        let at = end.arrives(at, Item::End, false);
        self.wake(core, side, at);
    }

    /// Writes to a connection.
    pub(super) fn put_on_cable<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, id: u64, item: Item) {
        let peer = other(side);
        let Some(cable) = self.cables.open.get(&id) else { return };
        if cable.ends[peer].run.is_none() {
            if cable.is_taken && !self.hosts[peer].is_dark {
                self.refuse_on_cable(core, side, id);
            }
            return;
        }
        let (network, parcel) = (cable.network, item.parcel());
        let withheld = !parcel.is_beat && self.networks.withholds(network, (side, peer), core.now);
        let at = self.arrival(core, side, network, parcel);
        let Some(cable) = self.cables.open.get_mut(&id) else { return };
        let at = cable.ends[peer].arrives(at, item, withheld);
        self.wake(core, peer, at);
    }

    /// A side lets go of a connection; `told`: its kernel says so to the other one.
    pub(in crate::pair) fn close_cable<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        id: u64,
        told: bool,
    ) {
        let Some(cable) = self.cables.open.get_mut(&id) else { return };
        cable.ends[side].run = None;
        let unread = !std::mem::take(&mut cable.ends[side].inbox).is_empty();
        match cable.ends[other(side)].run {
            None if cable.is_taken => drop(self.cables.open.remove(&id)),
            Some(_) if told && unread => self.refuse_on_cable(core, other(side), id),
            Some(_) if told => self.put_on_cable(core, side, id, Item::End),
            _ => {}
        }
    }
}
