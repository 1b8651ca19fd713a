//! Plans as text: one setting or fault a line, so that a saved case can be read, and changed by hand.

use std::fmt::{self, Display};
use std::str::{FromStr, SplitWhitespace};

use model::{Span, Time};
use redundancy::hot_standby::Sabotage;

use super::{
    Act, CallPlan, Direction, Fault, Kind, Layout, Manner, Moment, PhonePlan, Plan, Point, Target, Who, World,
};
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

/// Words for the values of a small enumeration.
trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("?", |(word, _)| word)
    }

    fn read(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}

impl Word for Who {
    const WORDS: &'static [(&'static str, Self)] =
        &[("a", Self::A), ("b", Self::B), ("primary", Self::Primary), ("backup", Self::Backup)];
}

impl Word for Moment {
    const WORDS: &'static [(&'static str, Self)] = &[("before", Self::Before), ("after", Self::After)];
}

impl Word for Point {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("checkpoint", Self::Checkpoint),
        ("frame", Self::Frame),
        ("release", Self::Release),
        ("ask", Self::Ask),
        ("journal", Self::Journal),
        ("serve", Self::Serve),
    ];
}

impl Word for Direction {
    const WORDS: &'static [(&'static str, Self)] =
        &[("a-to-b", Self::AToB), ("b-to-a", Self::BToA), ("both", Self::Both)];
}

impl Word for World {
    const WORDS: &'static [(&'static str, Self)] = &[("toy", Self::Toy), ("calls", Self::Calls)];
}

impl Word for Manner {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("answers", Self::Answers),
        ("plays-first", Self::PlaysFirst),
        ("busy", Self::Busy),
        ("declines", Self::Declines),
        ("lets-ring", Self::LetsRing),
        ("answers-late", Self::AnswersLate),
        ("dead", Self::Dead),
        ("hangs-up-at-once", Self::HangsUpAtOnce),
    ];
}

impl Word for Layout {
    const WORDS: &'static [(&'static str, Self)] = &[("one-host", Self::OneHost), ("two-hosts", Self::TwoHosts)];
}

impl Word for Sabotage {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("release-early", Self::ReleaseEarly),
        ("solo-unasked", Self::SoloUnasked),
        ("take-over-unasked", Self::TakeOverUnasked),
        ("accept-old-epoch", Self::AcceptOldEpoch),
        ("admit-open", Self::AdmitOpen),
        ("forget-timer", Self::ForgetTimer),
        ("lose-snapshot-record", Self::LoseSnapshotRecord),
        ("forget-inputs", Self::ForgetInputs),
        ("forget-outputs", Self::ForgetOutputs),
    ];
}

/// The world with this name, `calls`.
#[must_use]
pub fn world_named(word: &str) -> Option<World> {
    World::read(word)
}

/// The broken rule with this name, `release-early`.
#[must_use]
pub fn sabotage_named(word: &str) -> Option<Sabotage> {
    Sabotage::read(word)
}

impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}", self.seed)?;
        writeln!(f, "world {}", self.world.word())?;
        writeln!(f, "sabotage {}", self.sabotage.word())?;
        writeln!(f, "layout {}", self.layout.word())?;
        writeln!(f, "clients {} {}", self.clients, if self.patient { "patient" } else { "repeating" })?;
        let Delay { least, most } = self.network.delay;
        writeln!(f, "network {} {} {least} {most}", self.network.loss, self.network.duplicates)?;
        writeln!(f, "stalls {}", self.stalls)?;
        for (name, delay) in [
            ("link", self.link),
            ("control", self.control),
            ("restart", self.restart),
            ("telling", self.telling),
            ("scheduler", self.scheduler),
        ] {
            writeln!(f, "{name} {} {}", delay.least, delay.most)?;
        }
        for (name, clock) in ["a", "b"].iter().zip(&self.clocks) {
            writeln!(f, "clock-{name} {} {} {}", clock.offset, clock.drift, clock.wall)?;
        }
        writeln!(f, "calm {}", self.calm.as_micros())?;
        self.phones.iter().try_for_each(|phone| writeln!(f, "{phone}"))?;
        self.calls.iter().try_for_each(|call| writeln!(f, "{call}"))?;
        self.faults.iter().try_for_each(|fault| writeln!(f, "fault {} {}", fault.at.as_micros(), fault.kind))?;
        self.signalled.iter().try_for_each(|kind| writeln!(f, "signalled {kind}"))
    }
}

/// A span that may be missing, as a word.
fn maybe(span: Option<Span>) -> String {
    span.map_or_else(|| "never".to_owned(), |span| span.as_micros().to_string())
}

impl Display for PhonePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "phone {} {} rings {}", self.number, self.manner.word(), self.rings.as_micros())?;
        write!(f, " acts {} talks {} holds {}", self.acts.as_micros(), maybe(self.talks), maybe(self.holds))?;
        let leaves = self.leaves.map(|at| at.since(Time::ZERO));
        write!(f, " leaves {} {}", maybe(leaves), if self.stream { "tcp" } else { "udp" })
    }
}

impl Display for CallPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {} from {} to {}", self.at.as_micros(), self.from, self.to)?;
        write!(f, " cancels {} talks {} holds {}", maybe(self.cancels), maybe(self.talks), maybe(self.holds))?;
        let acknowledges = if self.acknowledges { "acknowledges" } else { "acknowledges-nothing" };
        write!(f, " {acknowledges} {}", if self.stutters { "stutters" } else { "speaks-once" })
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pair, self.who.word())
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => write!(f, "kill"),
            Self::Pause(span) => write!(f, "pause {}", span.as_micros()),
            Self::Signal => write!(f, "signal"),
        }
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strike(target, act) => write!(f, "strike {target} {act}"),
            Self::Trap(target, moment, point, count, act) => {
                write!(f, "trap {target} {} {} {count} {act}", moment.word(), point.word())
            }
            Self::ControlCrash(span) => write!(f, "control-crash {}", span.as_micros()),
            Self::ControlBreak(target, span) => write!(f, "control-break {target} {}", span.as_micros()),
            Self::LinkBreak(pair) => write!(f, "link-break {pair}"),
            Self::LinkCut(pair, way, span) => write!(f, "link-cut {pair} {} {}", way.word(), span.as_micros()),
            Self::HostCrash(target, span) => write!(f, "host-crash {target} {}", span.as_micros()),
            Self::Isolate(target, span) => write!(f, "isolate {target} {}", span.as_micros()),
            Self::AgentsDown(span) => write!(f, "agents-down {}", span.as_micros()),
            Self::ClockJump(target, span) => write!(f, "clock-jump {target} {}", span.as_micros()),
            Self::WallForward(target, span) => write!(f, "wall-forward {target} {}", span.as_micros()),
            Self::WallBack(target, span) => write!(f, "wall-back {target} {}", span.as_micros()),
            Self::Switchover(pair) => write!(f, "switchover {pair}"),
            Self::Poison(client) => write!(f, "poison {client}"),
            Self::Abort(client) => write!(f, "abort {client}"),
            Self::Storm(loss, span) => write!(f, "storm {loss} {}", span.as_micros()),
        }
    }
}

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
            "switchover" => Kind::Switchover(self.number()?),
            "poison" => Kind::Poison(self.number()?),
            "abort" => Kind::Abort(self.number()?),
            "storm" => Kind::Storm(self.number()?, self.span()?),
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

    fn phone(&mut self) -> Option<PhonePlan> {
        Some(PhonePlan {
            number: self.number()?,
            manner: self.word()?,
            rings: Span::from_micros(self.number_named("rings")?),
            acts: Span::from_micros(self.number_named("acts")?),
            talks: self.maybe_named("talks")?,
            holds: self.maybe_named("holds")?,
            leaves: self.maybe_named("leaves")?.map(|span| Time::ZERO + span),
            stream: self.0.next()? == "tcp",
        })
    }

    fn call(&mut self) -> Option<CallPlan> {
        Some(CallPlan {
            at: Time::from_micros(self.number()?),
            from: self.number_named("from")?,
            to: self.number_named("to")?,
            cancels: self.maybe_named("cancels")?,
            talks: self.maybe_named("talks")?,
            holds: self.maybe_named("holds")?,
            acknowledges: self.0.next()? == "acknowledges",
            stutters: self.0.next()? == "stutters",
        })
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
    use super::*;

    #[test]
    fn every_drawn_plan_survives_being_written_and_read() {
        for seed in 0..200 {
            let world = if seed % 2 == 0 { World::Toy } else { World::Calls };
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
