//! The kernel of a host: what outlives the processes on it.

use std::collections::{BTreeMap, VecDeque};

use model::{Incarnation, Time};

use super::streams::Socket;
use crate::kernel::Clock;

/// Datagrams that a receive buffer holds; the next one is dropped, as a kernel does.
const BUFFER: usize = 4_096;

/// A host.
#[derive(Debug)]
pub(super) struct Host<D> {
    pub(super) clock: Clock,
    /// Received and not read.
    pub(super) socket: VecDeque<D>,
    /// Read and perhaps not covered by a checkpoint.
    pub(super) ring: Ring<D>,
    /// TCP connections, by the numbers of the world.
    pub(super) sockets: BTreeMap<u64, Socket>,
    /// Without power.
    pub(super) is_dark: bool,
    /// Cut off from everything until then.
    pub(super) isolated_until: Time,
    /// It stands still until then.
    pub(super) frozen_until: Time,
    /// Its kernel has the address of the pair, and answers for it.
    pub(super) has_address: bool,
}

/// The input ring in shared memory.
#[derive(Debug)]
pub(super) struct Ring<D> {
    /// Number and content of each.
    inputs: VecDeque<(u64, D)>,
    last: u64,
    /// The last input that was freed.
    freed: u64,
    /// Who had which input in hand when it was last written.
    in_hand: Option<(Incarnation, u64)>,
}

impl<D> Host<D> {
    pub(super) fn new(clock: Clock) -> Self {
        let ring = Ring { inputs: VecDeque::new(), last: 0, freed: 0, in_hand: None };
        let (socket, sockets) = (VecDeque::new(), BTreeMap::new());
        let (isolated_until, frozen_until) = (Time::ZERO, Time::ZERO);
        Self { clock, socket, ring, sockets, is_dark: false, isolated_until, frozen_until, has_address: false }
    }

    /// A datagram arrives; false if there is no room.
    pub(super) fn receive(&mut self, datagram: D) -> bool {
        let room = self.socket.len() < BUFFER && !self.is_dark;
        if room {
            self.socket.push_back(datagram);
        }
        room
    }

    /// Receives up to `most` datagrams straight into the ring, so that none is in the memory of a process alone.
    pub(super) fn receive_into_ring(&mut self, most: usize) -> Vec<(u64, D)>
    where
        D: Clone,
    {
        let count = self.socket.len().min(most);
        let ring = &mut self.ring;
        self.socket.drain(..count).map(|datagram| (ring.push(datagram.clone()), datagram)).collect()
    }

    /// Power is lost: nothing in memory remains.
    pub(super) fn goes_dark(&mut self) {
        self.socket.clear();
        self.ring.clear();
        self.sockets.clear();
        self.has_address = false;
        self.is_dark = true;
    }
}

impl<D> Ring<D> {
    /// Nobody will ask for what it holds.
    pub(super) fn clear(&mut self) {
        self.inputs.clear();
        self.freed = 0;
        self.in_hand = None;
    }
}

impl<D: Clone> Ring<D> {
    /// Receives a datagram into the ring and says its number.
    pub(super) fn push(&mut self, datagram: D) -> u64 {
        self.last += 1;
        self.inputs.push_back((self.last, datagram));
        self.last
    }

    /// The successor of a primary on another host numbers on from `mark`; what an earlier process read here is stale.
    pub(super) fn begin_behind(&mut self, mark: u64) {
        self.clear();
        if mark < u64::MAX {
            self.last = self.last.max(mark);
        }
    }

    /// Inputs behind `mark`, oldest first.
    pub(super) fn behind(&self, mark: u64) -> Vec<(u64, D)> {
        self.inputs.iter().filter(|(number, _)| *number > mark).cloned().collect()
    }

    /// Inputs up to `mark` are no longer needed.
    pub(super) fn free(&mut self, mark: u64) {
        while self.inputs.front().is_some_and(|(number, _)| *number <= mark) {
            self.freed = self.inputs.pop_front().map_or(self.freed, |(number, _)| number);
        }
    }

    pub(super) const fn freed(&self) -> u64 {
        self.freed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    pub(super) fn take_in_hand(&mut self, who: &Incarnation, number: u64) {
        self.in_hand = Some((who.clone(), number));
    }

    pub(super) fn put_down(&mut self) {
        self.in_hand = None;
    }

    /// The input that `who` had in hand when it ended.
    pub(super) fn in_hand_of(&self, who: &Incarnation) -> Option<&D> {
        let (holder, number) = self.in_hand.as_ref()?;
        let (_, datagram) = self.inputs.iter().find(|(one, _)| one == number)?;
        (holder == who).then_some(datagram)
    }
}
