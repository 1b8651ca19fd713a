//! The connection between the two pairs: the SIP Server's primary calls both sides of the Routing Server and talks to
//! the one that serves.

use model::{Span, Time};

use super::services::{Mail, Routing, Sip};
use super::world::{Event, World};
use crate::kernel::{Actor, Core};
use crate::pair::{Pair, Side};
use crate::plan::Direction;

/// Pause before a connection is tried again.
const AGAIN: Span = Span::from_millis(20);

/// The connection, as it stands.
#[derive(Debug, Default)]
pub(super) struct Line {
    ends: Option<Ends>,
    /// Which side of the Routing Server said last that it serves.
    serving: Side,
    /// A try is planned.
    planned: bool,
    /// Until when nothing passes: from the SIP Server, and from the Routing Server.
    cut_until: [Time; 2],
}

/// Both ends: side and run of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    sip: (Side, u64),
    routing: (Side, u64),
    /// When the last letter arrives at each.
    last: [Time; 2],
}

impl Line {
    /// True if both servers can talk.
    pub(super) const fn stands(&self) -> bool {
        self.ends.is_some()
    }
}

impl World {
    /// Tries to connect the two servers soon.
    pub(super) fn plan_mail(&mut self) {
        if !std::mem::replace(&mut self.line.planned, true) {
            let after = Span::from_micros(200 + self.core.chances.hosts.below(10_000));
            self.core.at(self.core.now + after, Event::ConnectMail);
        }
    }

    /// A side of the Routing Server serves now.
    pub(super) fn routing_serves(&mut self, side: Side) {
        self.line.serving = side;
        self.plan_mail();
    }

    pub(super) fn connect_mail(&mut self) {
        self.line.planned = false;
        let sip = [0, 1].into_iter().find_map(|side| self.sip.open_run(side).map(|run| (side, run)));
        let wanted = [self.line.serving, crate::pair::other(self.line.serving)];
        let routing = wanted.into_iter().find_map(|side| self.routing.open_run(side).map(|run| (side, run)));
        let (Some(sip), Some(routing)) = (sip, routing) else { return };
        if self.line.ends.is_some_and(|ends| ends.sip == sip && ends.routing == routing) {
            return;
        }
        let reachable =
            self.sip.is_reachable(self.core.now, sip.0) && self.routing.is_reachable(self.core.now, routing.0);
        if !reachable && sip.0 != routing.0 {
            self.line.planned = true;
            return self.core.at(self.core.now + AGAIN, Event::ConnectMail);
        }
        self.break_mail();
        let now = self.core.now;
        self.core
            .trace
            .mark(now, Actor::World, 0x3a11, || format!("sip side {} talks to routing side {}", sip.0, routing.0));
        self.line.ends = Some(Ends { sip, routing, last: [now, now] });
        tell(&mut self.sip, &mut self.core, sip, now, Mail::Up);
        tell(&mut self.routing, &mut self.core, routing, now, Mail::Up);
    }

    /// The connection ends; what is on its way arrives before.
    pub(super) fn break_mail(&mut self) {
        let Some(ends) = self.line.ends.take() else { return };
        tell(&mut self.sip, &mut self.core, ends.sip, ends.last[0], Mail::Down);
        tell(&mut self.routing, &mut self.core, ends.routing, ends.last[1], Mail::Down);
        self.plan_mail();
    }

    /// The connection breaks, and what is on its way is lost; each server finds it broken.
    pub(super) fn lose_mail(&mut self) {
        let now = self.core.now;
        if let Some(ends) = &mut self.line.ends {
            self.sip.lose(now, ends.sip.0, ends.sip.1);
            self.routing.lose(now, ends.routing.0, ends.routing.1);
            ends.last = [now, now];
        }
        self.break_mail();
    }

    /// Cuts the way between the two servers; what is on its way gets through, what is sent later waits.
    pub(super) fn cut_mail(&mut self, way: Direction, until: Time) {
        for from in [0, 1] {
            if way.covers(from) {
                self.line.cut_until[from] = self.line.cut_until[from].max(until);
            }
        }
    }

    /// When a letter that leaves now arrives; `from` is 0 for the SIP Server.
    fn letter_arrives(&mut self, from: usize) -> Time {
        self.core.now.max(self.line.cut_until[from]) + self.plan.link.draw(&mut self.core.chances.link)
    }

    /// A side does not serve any more.
    pub(super) fn sip_leaves(&mut self, side: Side) {
        if self.line.ends.is_some_and(|ends| ends.sip.0 == side) {
            self.break_mail();
        }
    }

    pub(super) fn routing_leaves(&mut self, side: Side) {
        if self.line.ends.is_some_and(|ends| ends.routing.0 == side) {
            self.break_mail();
        }
    }

    pub(super) fn mail_to_routing(&mut self, from: Side, letter: redundancy::mailbox::Envelope<model::route::News>) {
        let at = self.letter_arrives(0);
        let Some(ends) = self.line.ends.as_mut().filter(|ends| ends.sip.0 == from) else { return };
        ends.last[1] = ends.last[1].max(at);
        let (to, at) = (ends.routing, ends.last[1]);
        tell(&mut self.routing, &mut self.core, to, at, Mail::Letter(letter));
    }

    pub(super) fn mail_to_sip(&mut self, from: Side, letter: redundancy::mailbox::Envelope<model::route::Order>) {
        let at = self.letter_arrives(1);
        let Some(ends) = self.line.ends.as_mut().filter(|ends| ends.routing.0 == from) else { return };
        ends.last[0] = ends.last[0].max(at);
        let (to, at) = (ends.sip, ends.last[0]);
        tell(&mut self.sip, &mut self.core, to, at, Mail::Letter(letter));
    }
}

fn tell<S: crate::pair::Service>(
    pair: &mut Pair<S>,
    core: &mut Core<Event>,
    (side, run): (Side, u64),
    at: Time,
    mail: S::Aside,
) {
    pair.tell(core, side, run, at, mail);
}

/// The pairs of this world.
pub(super) type SipPair = Pair<Sip>;
/// The pairs of this world.
pub(super) type RoutingPair = Pair<Routing>;
