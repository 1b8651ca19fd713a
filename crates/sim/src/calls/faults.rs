//! How faults hit a world of calls.

use super::world::World;
use crate::kernel::Actor;
use crate::plan::{Kind, Target, Who};

impl World {
    /// What the plan says for the moment at which a trap gives its signal.
    pub(super) fn signal(&mut self) {
        for kind in std::mem::take(&mut self.plan.signalled) {
            self.suffer(kind);
        }
    }

    pub(super) fn suffer(&mut self, kind: Kind) {
        match kind {
            Kind::Storm(loss, span) => self.network.storm = (loss, self.core.now + span),
            Kind::PhoneCut(phone, way, span) => {
                let text = || format!("phone {phone} cut {way:?} for {span}");
                self.core.trace.mark(self.core.now, Actor::World, 0x9c, text);
                self.network.cut(phone, way, self.core.now + span);
            }
            Kind::MailBreak => self.lose_mail(),
            Kind::MailCut(way, span) => {
                let text = || format!("mail cut {way:?} for {span}");
                self.core.trace.mark(self.core.now, Actor::World, 0x3c, text);
                self.cut_mail(way, self.core.now + span);
            }
            Kind::Poison(_) | Kind::Abort(_) => {}
            // What hits a host or the control server hits both pairs.
            Kind::AccessCut(corner, host, way, span) => {
                let text =
                    || format!("corner {corner} of the access network cut off from h{} {way:?} for {span}", host + 1);
                self.core.trace.mark(self.core.now, Actor::World, 0xacc, text);
                self.network.access.cut(corner, host, way, self.core.now + span);
            }
            Kind::HostCrash(..)
            | Kind::Isolate(..)
            | Kind::AgentsDown(_)
            | Kind::ControlCrash(_)
            | Kind::Net(..)
            | Kind::Power(..)
            | Kind::Freeze(..)
            | Kind::MemberDown(..)
            | Kind::Compaction => {
                let kind = self.with_side(kind);
                self.sip.suffer(&mut self.core, &kind);
                self.routing.suffer(&mut self.core, &kind);
            }
            Kind::Strike(Target { pair: 1, .. }, _)
            | Kind::Trap(Target { pair: 1, .. }, ..)
            | Kind::ControlBreak(Target { pair: 1, .. }, _)
            | Kind::ControlCut(Target { pair: 1, .. }, ..)
            | Kind::ClockJump(Target { pair: 1, .. }, _)
            | Kind::WallForward(Target { pair: 1, .. }, _)
            | Kind::WallBack(Target { pair: 1, .. }, _)
            | Kind::LinkBreak(1)
            | Kind::LinkCut(1, ..)
            | Kind::Dismissal(1)
            | Kind::Switchover(1) => self.routing.suffer(&mut self.core, &kind),
            _ => self.sip.suffer(&mut self.core, &kind),
        }
    }

    /// The fault with the host that is meant, whoever serves there.
    fn with_side(&self, kind: Kind) -> Kind {
        let fixed = |target: Target| {
            let side = if target.pair == 0 { self.sip.resolve(target.who) } else { self.routing.resolve(target.who) };
            Target { who: if side == 0 { Who::A } else { Who::B }, ..target }
        };
        match kind {
            Kind::HostCrash(target, span) => Kind::HostCrash(fixed(target), span),
            Kind::Isolate(target, span) => Kind::Isolate(fixed(target), span),
            other => other,
        }
    }
}
