//! The network between the telephones and the hosts. It has corners, as switches make them: what is cut off from a host is
//! one corner of it, while another one still reaches it.

use model::{Chance, Time};

use crate::checkers::Verdict;
use crate::checkers::address::{self, Holders};
use crate::pair::Side;
use crate::plan::Direction;

/// Corners of the access network.
pub const CORNERS: usize = 2;

/// In which corner this telephone is.
#[must_use]
pub const fn corner_of(phone: u8) -> usize {
    phone as usize % CORNERS
}

/// The access network.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The host of which side the address leads each telephone to.
    routes: Vec<Side>,
    holders: Holders,
    /// Until when nothing passes: from each corner to the host of each side, and back.
    cut_until: [[[Time; 2]; 2]; CORNERS],
}

impl Access {
    /// A network with so many telephones.
    #[must_use]
    pub fn new(phones: usize) -> Self {
        Self { routes: vec![0; phones], ..Self::default() }
    }

    /// Where the address leads a telephone.
    #[must_use]
    pub fn route(&self, phone: u8) -> Side {
        self.routes[usize::from(phone)]
    }

    /// A telephone hears that the host of a side has the address: whoever says so last is believed.
    pub fn hears(&mut self, phone: u8, side: Side) {
        self.routes[usize::from(phone)] = side;
    }

    /// Every corner asks again who has the address; `answers` says which hosts have it and answer at all. Who was known before
    /// is asked first, and of several that answer anyone may be the first.
    ///
    /// # Errors
    /// If both hosts of the `holders` have had it for too long.
    pub fn resolve(&mut self, now: Time, chance: &mut Chance, holders: [bool; 2], answers: [bool; 2]) -> Verdict {
        for phone in 0..self.routes.len() as u8 {
            let hears = |side: Side| answers[side] && self.joins(phone, side, now);
            let first = chance.below(2) as usize;
            let found = [self.route(phone), first, 1 - first].into_iter().find(|side| hears(*side));
            if let Some(side) = found {
                self.hears(phone, side);
            }
        }
        self.holders.seen(now, holders)
    }

    /// Everything is at rest.
    ///
    /// # Errors
    /// If the address is not where it belongs.
    pub fn at_rest(&self, holders: [bool; 2], serving: Option<Side>) -> Verdict {
        serving.map_or(Ok(()), |serving| address::at_rest(holders, serving, &self.routes))
    }

    /// Cuts the way from a corner to a host, back, or both.
    pub fn cut(&mut self, corner: u8, host: u8, way: Direction, until: Time) {
        let Some(cuts) = self.cut_until.get_mut(usize::from(corner)).and_then(|hosts| hosts.get_mut(usize::from(host)))
        else {
            return;
        };
        for (from, cut) in cuts.iter_mut().enumerate() {
            if way.covers(from) {
                *cut = until.max(*cut);
            }
        }
    }

    /// When something passes between the corner of a telephone and the host of a side: to it (0) or from it (1).
    #[must_use]
    pub fn passes(&self, phone: u8, side: Side, way: usize, now: Time) -> Time {
        self.cut_until[corner_of(phone)][side][way].max(now)
    }

    /// True if the corner of a telephone and the host of a side reach each other, both ways.
    #[must_use]
    pub fn joins(&self, phone: u8, side: Side, now: Time) -> bool {
        [0, 1].iter().all(|way| self.passes(phone, side, *way, now) == now)
    }
}
