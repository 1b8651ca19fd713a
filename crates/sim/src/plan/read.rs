//! Reads plans from text.

use std::fmt::{self, Display};
use std::str::{FromStr, SplitWhitespace};

use model::{Span, Time};

use super::word::Word;
use super::{Act, CallPlan, Fault, Ill, Kind, Layout, PhonePlan, Plan, Reach, Says, Target};
use crate::hosts::{HOSTS, NETWORKS};
use crate::kernel::Delay;

/// A plan that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadPlan {
    /// The line.
    pub line: String,
}

impl Display for BadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this line of the plan cannot be read: {}", self.line)
    }
}

impl std::error::Error for BadPlan {}

/// The words of one line.
struct Words<'a>(SplitWhitespace<'a>);

impl Words<'_> {
    fn number<T: FromStr>(&mut self) -> Option<T> {
        self.0.next()?.parse().ok()
    }

    fn span(&mut self) -> Option<Span> {
        self.number().map(Span::from_micros)
    }

    fn word<T: Word>(&mut self) -> Option<T> {
        T::read(self.0.next()?)
    }

    fn delay(&mut self) -> Option<Delay> {
        Some(Delay { least: self.number()?, most: self.number()? })
    }

    fn target(&mut self) -> Option<Target> {
        Some(Target { pair: self.number()?, who: self.word()? })
    }

    fn act(&mut self) -> Option<Act> {
        match self.0.next()? {
            "kill" => Some(Act::Kill),
            "pause" => Some(Act::Pause(self.span()?)),
            "signal" => Some(Act::Signal),
            _ => None,
        }
    }

    /// A host by its name, `h1`.
    fn host(&mut self) -> Option<u8> {
        let number: u8 = self.0.next()?.strip_prefix('h')?.parse().ok()?;
        number.checked_sub(1).filter(|host| usize::from(*host) < HOSTS)
    }

    fn reach(&mut self) -> Option<Reach> {
        let network = match self.0.next()? {
            "each" => None,
            number => Some(number.parse().ok().filter(|network| usize::from(*network) < NETWORKS)?),
        };
        Some(Reach { network, hosts: [self.host()?, self.host()?], way: self.word()? })
    }

    fn ill(&mut self) -> Option<Ill> {
        Some(match self.0.next()? {
            "cut" => Ill::Cut,
            "loses" => Ill::Loses(self.number()?),
            "slows" => Ill::Slows(self.span()?),
            "carries-beats" => Ill::CarriesBeats,
            "carries-short" => Ill::CarriesShort,
            _ => return None,
        })
    }

    fn kind(&mut self) -> Option<Kind> {
        Some(match self.0.next()? {
            "strike" => Kind::Strike(self.target()?, self.act()?),
            "trap" => Kind::Trap(self.target()?, self.word()?, self.word()?, self.number()?, self.act()?),
            "control-crash" => Kind::ControlCrash(self.span()?),
            "control-break" => Kind::ControlBreak(self.target()?, self.span()?),
            "link-break" => Kind::LinkBreak(self.number()?),
            "link-cut" => Kind::LinkCut(self.number()?, self.word()?, self.span()?),
            "host-crash" => Kind::HostCrash(self.target()?, self.span()?),
            "isolate" => Kind::Isolate(self.target()?, self.span()?),
            "agents-down" => Kind::AgentsDown(self.span()?),
            "clock-jump" => Kind::ClockJump(self.target()?, self.span()?),
            "wall-forward" => Kind::WallForward(self.target()?, self.span()?),
            "wall-back" => Kind::WallBack(self.target()?, self.span()?),
            "dismissal" => Kind::Dismissal(self.number()?),
            "switchover" => Kind::Switchover(self.number()?),
            "poison" => Kind::Poison(self.number()?),
            "abort" => Kind::Abort(self.number()?),
            "storm" => Kind::Storm(self.number()?, self.span()?),
            "phone-cut" => Kind::PhoneCut(self.number()?, self.word()?, self.span()?),
            "control-cut" => Kind::ControlCut(self.target()?, self.word()?, self.span()?),
            "mail-break" => Kind::MailBreak,
            "mail-cut" => Kind::MailCut(self.word()?, self.span()?),
            "net" => Kind::Net(self.reach()?, self.ill()?, self.span()?),
            "power" => Kind::Power(self.host()?, self.span()?),
            "freeze" => Kind::Freeze(self.host()?, self.span()?),
            "member-down" => Kind::MemberDown(self.host()?, self.span()?),
            "compaction" => Kind::Compaction,
            "access-cut" => Kind::AccessCut(self.number()?, self.host()?, self.word()?, self.span()?),
            _ => return None,
        })
    }

    /// A word that must stand here, and one more behind it.
    fn named(&mut self, name: &str) -> Option<&str> {
        if self.0.next()? == name { self.0.next() } else { None }
    }

    fn number_named<T: FromStr>(&mut self, name: &str) -> Option<T> {
        self.named(name)?.parse().ok()
    }

    fn maybe_named(&mut self, name: &str) -> Option<Option<Span>> {
        match self.named(name)? {
            "never" => Some(None),
            micros => micros.parse().ok().map(|micros| Some(Span::from_micros(micros))),
        }
    }

    /// What may stand at the end of the line of a telephone or a call.
    fn talk(&mut self) -> Option<(Option<Says>, bool)> {
        let (mut says, mut reliable) = (None, false);
        while let Some(word) = self.0.next() {
            match word {
                "says" => says = Some(Says { method: self.word()?, after: self.span()? }),
                "reliable" => reliable = true,
                _ => return None,
            }
        }
        Some((says, reliable))
    }

    fn phone(&mut self) -> Option<PhonePlan> {
        let mut phone = PhonePlan {
            number: self.number()?,
            manner: self.word()?,
            rings: Span::from_micros(self.number_named("rings")?),
            acts: Span::from_micros(self.number_named("acts")?),
            talks: self.maybe_named("talks")?,
            holds: self.maybe_named("holds")?,
            leaves: self.maybe_named("leaves")?.map(|span| Time::ZERO + span),
            stream: self.0.next()? == "tcp",
            says: None,
            reliable: false,
        };
        (phone.says, phone.reliable) = self.talk()?;
        Some(phone)
    }

    fn call(&mut self) -> Option<CallPlan> {
        let mut call = CallPlan {
            at: Time::from_micros(self.number()?),
            from: self.number_named("from")?,
            to: self.number_named("to")?,
            cancels: self.maybe_named("cancels")?,
            talks: self.maybe_named("talks")?,
            holds: self.maybe_named("holds")?,
            acknowledges: self.0.next()? == "acknowledges",
            stutters: self.0.next()? == "stutters",
            says: None,
            reliable: false,
        };
        (call.says, call.reliable) = self.talk()?;
        Some(call)
    }

    /// Reads one line into the plan.
    fn apply(&mut self, plan: &mut Plan) -> Option<()> {
        match self.0.next()? {
            "seed" => plan.seed = self.number()?,
            "world" => plan.world = self.word()?,
            "phone" => plan.phones.push(self.phone()?),
            "call" => plan.calls.push(self.call()?),
            "signalled" => plan.signalled.push(self.kind()?),
            "sabotage" => plan.sabotage = self.word()?,
            "layout" => plan.layout = self.word()?,
            "clients" => {
                plan.clients = self.number()?;
                plan.patient = self.0.next()? == "patient";
            }
            "network" => {
                plan.network.loss = self.number()?;
                plan.network.duplicates = self.number()?;
                plan.network.delay = self.delay()?;
            }
            "stalls" => plan.stalls = self.number()?,
            "link" => plan.link = self.delay()?,
            "control" => plan.control = self.delay()?,
            "restart" => plan.restart = self.delay()?,
            "telling" => plan.telling = self.delay()?,
            "scheduler" => plan.scheduler = self.delay()?,
            "clock-a" => self.clock(plan, 0)?,
            "clock-b" => self.clock(plan, 1)?,
            "calm" => plan.calm = Time::from_micros(self.number()?),
            "fault" => {
                let at = Time::from_micros(self.number()?);
                plan.faults.push(Fault { at, kind: self.kind()? });
            }
            _ => return None,
        }
        self.0.next().is_none().then_some(())
    }

    fn clock(&mut self, plan: &mut Plan, which: usize) -> Option<()> {
        let clock = &mut plan.clocks[which];
        clock.offset = self.number()?;
        clock.drift = self.number()?;
        clock.wall = self.number()?;
        Some(())
    }
}

impl FromStr for Plan {
    type Err = BadPlan;

    fn from_str(text: &str) -> Result<Self, BadPlan> {
        let mut plan = Self::quiet(0, Layout::OneHost);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let read = Words(line.split_whitespace()).apply(&mut plan);
            read.ok_or_else(|| BadPlan { line: line.to_owned() })?;
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use redundancy::hot_standby::Sabotage;

    use super::*;
    use crate::plan::World;

    #[test]
    fn every_drawn_plan_survives_being_written_and_read() {
        for seed in 0..200 {
            let world =
                [World::Toy, World::Calls, World::ToyHosts, World::Hosts, World::OwnAddresses][seed as usize % 5];
            let plan = Plan::draw_world(world, seed, Sabotage::None);
            assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan));
        }
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let broken = "seed 1\nfault 5 strike 0 primary tickle\n".parse::<Plan>();
        assert_eq!(broken, Err(BadPlan { line: "fault 5 strike 0 primary tickle".to_owned() }));
    }
}
