//! Faults by process id and by the control server.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::{Chance, Trouble};
use rustix::process::Signal;

use super::process::Process;
use super::{Hands, Stale, Struck, named, not_possible, struck, switch_over, taken, victims};
use crate::history::Nanos;
use crate::plan::{Deed, Target};
use crate::site::Site;
use crate::status::{Application, Status};

/// kill -9 takes effect at once; later than this it never will.
const DEATH_LIMIT: Duration = Duration::from_secs(10);

/// Hands on this machine.
pub struct Local {
    site: Arc<dyn Site>,
    /// What was stopped, to be woken.
    stopped: Vec<Process>,
}

/// The system clock, which the logs of the servers go by.
pub(super) fn now() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Nanos)
}

/// What stands still with an application: a member of etcd is a process of the one that keeps it; what a local control agent has
/// started are servers of their own.
fn stood_still(one: &Application) -> Result<Vec<Process>, Trouble> {
    if one.name == "etcd" { Process::with_children(one) } else { Process::of(one).map(|process| vec![process]) }
}

impl Local {
    /// Hands that give orders by this way.
    #[must_use]
    pub fn new(site: Arc<dyn Site>) -> Self {
        Self { site, stopped: Vec::new() }
    }

    /// The applications that targets mean, whose processes are all on hosts that are reached from here.
    fn victims(&self, targets: &[Target], status: &Status) -> Result<Vec<Application>, Trouble> {
        self.within_reach(victims(targets, status)?)
    }

    /// Elsewhere a process may have the same number as one that has nothing to do with it here.
    fn within_reach(&self, victims: Vec<Application>) -> Result<Vec<Application>, Trouble> {
        let hosts = self.site.hosts();
        // Where there is one host only, the site has no name for it.
        let is_here = |host: &String| hosts.iter().any(|here| here.is_empty() || here == host);
        match victims.iter().find(|one| !is_here(&one.host)) {
            None => Ok(victims),
            Some(one) => {
                let (here, there) = (hosts.join(", "), &one.host);
                let what = format!("{} runs on another host: processes are struck on {here} only", named(one));
                Err(Trouble::new(what, format!("run the drill on {there}, or rehearse with `everline up --hosts 3`")))
            }
        }
    }

    fn kill(&self, targets: &[Target], status: &Status) -> Result<Struck, Trouble> {
        let victims = self.victims(targets, status)?;
        let processes = victims.iter().map(Process::of).collect::<Result<Vec<_>, _>>()?;
        let at_ns = now();
        for process in &processes {
            process.signal(Signal::KILL)?;
        }
        if let Some((_, victim)) = processes.iter().zip(&victims).find(|(process, _)| !process.ends(DEATH_LIMIT)) {
            return Err(Trouble::new(format!("{} survived kill -9", named(victim)), "look at the system's log"));
        }
        let stale = victims.iter().filter_map(Stale::process).collect();
        Ok(Struck { stale, ..struck(at_ns, &victims) })
    }

    fn freeze(&mut self, victims: &[Application], processes: Vec<Process>) -> Result<Struck, Trouble> {
        let at_ns = now();
        // Whatever was stopped is woken again, even if another one could not be.
        for process in processes {
            process.signal(Signal::STOP)?;
            self.stopped.push(process);
        }
        Ok(struck(at_ns, victims))
    }
}

impl Hands for Local {
    fn strike(&mut self, deed: &Deed, status: &Status, chance: &mut Chance) -> Result<Struck, Trouble> {
        match deed {
            Deed::Nothing(_) => Ok(Struck { at_ns: now(), ..Struck::default() }),
            Deed::Kill(targets) => self.kill(targets, status),
            Deed::Freeze(target, _) => {
                let victims = self.victims(std::slice::from_ref(target), status)?;
                let processes = victims.iter().map(stood_still).collect::<Result<Vec<_>, _>>()?;
                self.freeze(&victims, processes.into_iter().flatten().collect())
            }
            Deed::TakeCoordinator(count, _) => {
                let members = self.within_reach(taken(*count, status, chance)?)?;
                let processes = members.iter().map(Process::with_children).collect::<Result<Vec<_>, _>>()?;
                self.freeze(&members, processes.into_iter().flatten().collect())
            }
            Deed::Switchover(pair) => switch_over(self.site.as_ref(), pair, status),
            Deed::Repair => {
                let at_ns = now();
                self.mend()?;
                Ok(Struck { at_ns, ..Struck::default() })
            }
            Deed::PowerOff(..)
            | Deed::Cut(..)
            | Deed::CutOff(..)
            | Deed::Loss(..)
            | Deed::Delay(..)
            | Deed::BlackHole(..) => {
                Err(not_possible("hosts and links fail in a rehearsal only", "drill one: `everline up --hosts 3`"))
            }
            Deed::StealAddress(_) => {
                Err(not_possible("an address is stolen in a rehearsal only", "drill one: `everline up --hosts 3`"))
            }
            Deed::FillDisk(..) => Err(not_possible(
                "the disk of a host is not filled: it is not the solution's alone",
                "give it a disk of its own, and fill that by hand",
            )),
            Deed::MoveClock(..) => Err(not_possible(
                "the clock of a host is not moved: all processes of the machine go by it",
                "move it by hand on a machine that does nothing else",
            )),
        }
    }

    fn mend(&mut self) -> Result<(), Trouble> {
        for process in self.stopped.drain(..) {
            // It may have been killed meanwhile, as one that hangs is: then there is nobody to wake.
            drop(process.signal(Signal::CONT));
        }
        Ok(())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // A drill that ends early leaves nothing frozen behind.
        drop(self.mend());
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::plan::Plan;

    struct OnlyHere;

    impl Site for OnlyHere {
        fn hosts(&self) -> Vec<String> {
            vec!["h1".into()]
        }

        fn get(&self, _host: &str, path: &str) -> Result<String, Trouble> {
            Err(Trouble::new(path, "nobody is asked"))
        }

        fn post(&self, _host: &str, path: &str) -> Result<(), Trouble> {
            Err(Trouble::new(path, "nobody is asked"))
        }

        fn logs(&self, _host: &str) -> Option<PathBuf> {
            None
        }
    }

    #[test]
    fn a_process_of_another_host_is_not_looked_for_here() {
        // The number is that of this process: it would die.
        let text = format!(
            r#"{{"applications": [{{"name": "sip-b", "pair": "sip", "role": "backup", "state": "started", "host": "h2",
                "pid": {0}}}, {{"name": "etcd", "pair": null, "role": null, "state": "started", "host": "h2", "pid": {0}}}]}}"#,
            std::process::id()
        );
        let status: Status = serde_json::from_str(&text).expect("the text follows the interface");
        let mut hands = Local::new(Arc::new(OnlyHere));
        for step in ["kill sip.backup", "freeze sip.backup", "kill etcd", "freeze etcd", "take coordinator 1"] {
            let plan = Plan::parse("test", step).expect("a step");
            let refused = hands.strike(&plan.steps[0].deed, &status, &mut Chance::new(1)).expect_err("elsewhere");
            assert!(refused.what.contains("runs on another host"), "{step}: {refused}");
        }
    }
}
