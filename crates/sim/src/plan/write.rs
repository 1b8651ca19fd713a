//! Writes plans as text: one setting or fault a line, so that a saved case can be read, and changed by hand.

use std::fmt::{self, Display};

use model::{Span, Time};

use super::word::Word;
use super::{Act, CallPlan, Ill, Kind, PhonePlan, Plan, Reach, Says, Target};
use crate::kernel::Delay;

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
        write!(f, " leaves {} {}", maybe(leaves), if self.stream { "tcp" } else { "udp" })?;
        write_talk(f, self.says, self.reliable)
    }
}

impl Display for CallPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {} from {} to {}", self.at.as_micros(), self.from, self.to)?;
        write!(f, " cancels {} talks {} holds {}", maybe(self.cancels), maybe(self.talks), maybe(self.holds))?;
        let acknowledges = if self.acknowledges { "acknowledges" } else { "acknowledges-nothing" };
        write!(f, " {acknowledges} {}", if self.stutters { "stutters" } else { "speaks-once" })?;
        write_talk(f, self.says, self.reliable)
    }
}

/// What most telephones and calls lack stands at the end of their line.
fn write_talk(f: &mut fmt::Formatter<'_>, says: Option<Says>, reliable: bool) -> fmt::Result {
    if let Some(Says { method, after }) = says {
        write!(f, " says {} {}", method.word(), after.as_micros())?;
    }
    if reliable { write!(f, " reliable") } else { Ok(()) }
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

/// The name of a host.
fn name(host: u8) -> String {
    format!("h{}", host + 1)
}

impl Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = self.network.map_or_else(|| "each".to_owned(), |network| network.to_string());
        let [one, other] = self.hosts.map(name);
        write!(f, "{network} {one} {other} {}", self.way.word())
    }
}

impl Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => write!(f, "cut"),
            Self::Loses(of_thousand) => write!(f, "loses {of_thousand}"),
            Self::Slows(span) => write!(f, "slows {}", span.as_micros()),
            Self::CarriesBeats => write!(f, "carries-beats"),
            Self::CarriesShort => write!(f, "carries-short"),
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
            Self::Dismissal(pair) => write!(f, "dismissal {pair}"),
            Self::Switchover(pair) => write!(f, "switchover {pair}"),
            Self::Poison(client) => write!(f, "poison {client}"),
            Self::Abort(client) => write!(f, "abort {client}"),
            Self::Storm(loss, span) => write!(f, "storm {loss} {}", span.as_micros()),
            Self::PhoneCut(phone, way, span) => write!(f, "phone-cut {phone} {} {}", way.word(), span.as_micros()),
            Self::ControlCut(target, way, span) => {
                write!(f, "control-cut {target} {} {}", way.word(), span.as_micros())
            }
            Self::MailBreak => write!(f, "mail-break"),
            Self::MailCut(way, span) => write!(f, "mail-cut {} {}", way.word(), span.as_micros()),
            Self::Net(reach, ill, span) => write!(f, "net {reach} {ill} {}", span.as_micros()),
            Self::Power(host, span) => write!(f, "power {} {}", name(*host), span.as_micros()),
            Self::Freeze(host, span) => write!(f, "freeze {} {}", name(*host), span.as_micros()),
            Self::MemberDown(host, span) => write!(f, "member-down {} {}", name(*host), span.as_micros()),
            Self::Compaction => write!(f, "compaction"),
            Self::AccessCut(corner, host, way, span) => {
                write!(f, "access-cut {corner} {} {} {}", name(*host), way.word(), span.as_micros())
            }
        }
    }
}
