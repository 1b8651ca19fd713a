//! Faults on this host, by order of a drill that runs here or elsewhere. Each is undone in time, though the drill has died.

use std::process;

use model::{Span, Time};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Agent;
use crate::clock;
use crate::lca::supervised::Supervised;
use crate::wire::{FromLca, Harm, Trouble, Victim};

/// No fault lasts longer.
const LONGEST: Span = Span::from_secs(600);
/// Whoever has asked for a fault that strikes the way of the answer has had it by then.
const FAREWELL: Span = Span::from_millis(100);
/// The name of the agent among the victims.
const AGENT: &str = "lca";

/// What a drill has done, and is not undone.
#[derive(Debug, Default)]
pub(super) struct Harms {
    /// Stopped processes, and when each is woken.
    frozen: Vec<(Supervised, Time)>,
    /// What is done as soon as this guest has gone, or that time has come: its answer has left.
    awaited: Option<(u64, Time, Harm)>,
}

impl Harms {
    /// When something is due by itself.
    pub(super) fn deadline(&self) -> Option<Time> {
        let awaited = self.awaited.iter().map(|(_, due, _)| *due);
        self.frozen.iter().map(|(_, due)| *due).chain(awaited).min()
    }
}

impl Agent {
    /// Does what a drill asks for, if it may; the guest is told why not.
    pub(super) fn harm(&mut self, guest: u64, harm: Harm) {
        let done = if self.settings.may_harm { self.strike(guest, harm) } else { Err(not_allowed()) };
        if let Err(trouble) = &done {
            tracing::warn!("a drill is refused: {trouble}");
        }
        self.hub.send(guest, &FromLca::Harmed(done.err()));
    }

    fn strike(&mut self, guest: u64, harm: Harm) -> Result<(), Trouble> {
        match harm {
            Harm::Ask(victims) => self.check(&victims),
            Harm::Kill(victims) => {
                self.check(&victims)?;
                if victims.iter().any(|victim| victim.application == AGENT) {
                    self.harms.awaited = Some((guest, clock::now() + FAREWELL, Harm::Kill(victims)));
                } else {
                    self.kill_all(&victims);
                }
                Ok(())
            }
            Harm::Freeze(victims, millis) => {
                let until = until(millis)?;
                self.check(&victims)?;
                victims.iter().try_for_each(|victim| self.freeze(victim, until))
            }
            Harm::Fail(millis) => {
                until(millis)?;
                self.harms.awaited = Some((guest, clock::now() + FAREWELL, Harm::Fail(millis)));
                Ok(())
            }
            Harm::Repair => {
                self.harms.awaited = None;
                self.harms.frozen.drain(..).for_each(|(process, _)| process.wake());
                self.host.repair(clock::now());
                Ok(())
            }
        }
    }

    /// Wakes whom it is time to wake, and does what waits for its guest to go.
    pub(super) fn heed_harms(&mut self) {
        let now = clock::now();
        self.harms.frozen.retain(|(process, due)| {
            let stays = now < *due;
            if !stays {
                tracing::info!("process {} is woken: a drill has stopped it", process.pid());
                process.wake();
            }
            stays
        });
        let guest_of = |(guest, ..): &(u64, Time, Harm)| *guest;
        let has_gone = self.harms.awaited.as_ref().map(guest_of).is_some_and(|guest| self.hub.note(guest).is_none());
        let Some((_, _, harm)) = self.harms.awaited.take_if(|(_, due, _)| has_gone || *due <= now) else { return };
        match harm {
            Harm::Fail(millis) => {
                tracing::error!("a drill ends everything on this host for {millis} ms");
                self.host.fail(now + Span::from_millis(millis));
            }
            Harm::Kill(victims) => {
                self.kill_all(&victims);
                tracing::error!("a drill kills this agent");
                // It does not return from there.
                let _ = kill(Pid::this(), Signal::SIGKILL);
            }
            Harm::Ask(_) | Harm::Freeze(..) | Harm::Repair => {}
        }
    }

    /// An earlier agent may have ended before it could wake what a drill had stopped.
    pub(super) fn wake_found(&self) {
        if self.settings.may_harm {
            self.applications.iter().filter_map(|one| one.process.as_ref()).for_each(|process| {
                process.children().iter().for_each(Supervised::wake);
                process.wake();
            });
        }
    }

    /// Whether each of them runs as the process that is named.
    fn check(&self, victims: &[Victim]) -> Result<(), Trouble> {
        victims.iter().try_for_each(|victim| {
            let is_agent = victim.application == AGENT && victim.pid.is_none_or(|pid| pid == process::id());
            let is_there = self.process_of(victim).is_some_and(|process| victim.pid == Some(process.pid()));
            let Victim { application, pid } = victim;
            let what = || format!("{application} does not run here as process {} any more", pid.unwrap_or_default());
            let changed = || Trouble::new(what(), "drill again when everything is level");
            (is_agent || is_there).then_some(()).ok_or_else(changed)
        })
    }

    fn process_of(&self, victim: &Victim) -> Option<&Supervised> {
        self.applications.iter().find(|one| one.name == victim.application)?.process.as_ref()
    }

    fn kill_all(&self, victims: &[Victim]) {
        for victim in victims {
            tracing::warn!("{} is killed by order of a drill", victim.application);
            self.process_of(victim).into_iter().for_each(Supervised::kill);
        }
    }

    /// Stops a process and its children, which are woken in any case.
    fn freeze(&mut self, victim: &Victim, until: Time) -> Result<(), Trouble> {
        let Some(process) = self.process_of(victim) else {
            return Err(Trouble::new(
                format!(
                    "not possible on a real solution: {} cannot be stopped by itself, as nobody would wake it",
                    victim.application
                ),
                "kill it",
            ));
        };
        let refused = |error: std::io::Error| {
            Trouble::new(format!("{} cannot be stopped: {error}", victim.application), "look at the system's log")
        };
        // A descriptor of its own: a copy of the one that is waited on would keep that alive. Nobody else has the number of a
        // process of which leave was not taken.
        let own = Supervised::open(process.pid()).map_err(refused)?;
        let all: Vec<_> = std::iter::once(own).chain(process.children()).collect();
        tracing::warn!("{} is stopped by order of a drill", victim.application);
        for process in all {
            process.freeze().map_err(refused)?;
            self.harms.frozen.push((process, until));
        }
        Ok(())
    }
}

/// When a fault that begins now ends.
fn until(millis: u64) -> Result<Time, Trouble> {
    let span = Span::from_millis(millis);
    if span > LONGEST {
        let what = format!("a fault of {span} is too long");
        return Err(Trouble::new(what, format!("a fault lasts {LONGEST} at most")));
    }
    Ok(clock::now() + span)
}

fn not_allowed() -> Trouble {
    Trouble::new(
        "this host does not allow drills",
        "write `allow = true` under [drill], give `everline config apply`, and restart each host",
    )
}
