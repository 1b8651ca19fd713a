//! Faults of a real solution of several hosts: the local control agent of each host is told what to do, and undoes it in time by
//! itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::{Chance, Trouble};

use super::local::now;
use super::{Hands, Stale, Struck, host_of, named, not_possible, struck, switch_over, taken, victims};
use crate::plan::{Deed, HostName};
use crate::site::Site;
use crate::status::{Application, Status};

/// So long a host may need at most until it is there again.
const RETURN: Duration = Duration::from_secs(10);

/// An application that is to be struck, and its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Victim {
    /// Its name.
    pub application: String,
    /// The process; not known of a local control agent.
    pub pid: Option<u32>,
}

/// What a local control agent is to do on its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Kill these.
    Kill(Vec<Victim>),
    /// Stop these with the processes that they have started, for so long.
    Freeze(Vec<Victim>, Duration),
    /// End everything at once, for so long.
    Fail(Duration),
    /// Undo what is not undone yet.
    Repair,
}

/// The way to the local control agents.
pub trait Orders: Send + Sync {
    /// Gives orders to hosts, all at once and only if each of them would be carried out.
    ///
    /// # Errors
    /// A host cannot be reached, or refuses.
    fn give(&self, orders: &[(String, Harm)]) -> Result<(), Trouble>;
}

/// Hands that have others do it.
pub struct ByOrder {
    site: Arc<dyn Site>,
    orders: Box<dyn Orders>,
    /// A host that cannot be reached for so long is fenced.
    fenced_after: Option<Duration>,
    /// Hosts on which something may not be undone yet.
    struck: BTreeSet<String>,
}

impl ByOrder {
    /// Hands that give orders by these ways.
    #[must_use]
    pub fn new(site: Arc<dyn Site>, orders: Box<dyn Orders>, fenced_after: Option<Duration>) -> Self {
        Self { site, orders, fenced_after, struck: BTreeSet::new() }
    }

    fn each(&self, victims: &[Application], harm: impl Fn(Vec<Victim>) -> Harm) -> Result<Struck, Trouble> {
        let mut hosts: BTreeMap<&str, Vec<Victim>> = BTreeMap::new();
        for one in victims {
            if one.pid.is_none() && one.name != "lca" {
                return Err(Trouble::new(format!("the process of {} is not known", named(one)), "wait until it runs"));
            }
            let victim = Victim { application: one.name.clone(), pid: one.pid };
            hosts.entry(&one.host).or_default().push(victim);
        }
        let orders: Vec<_> = hosts.into_iter().map(|(host, all)| (host.to_owned(), harm(all))).collect();
        let at_ns = now();
        self.orders.give(&orders)?;
        Ok(struck(at_ns, victims))
    }

    fn freeze(&mut self, victims: &[Application], span: Duration) -> Result<Struck, Trouble> {
        self.struck.extend(victims.iter().map(|one| one.host.clone()));
        self.each(victims, |all| Harm::Freeze(all, span))
    }

    fn power_off(&mut self, name: &HostName, span: Duration, status: &Status) -> Result<Struck, Trouble> {
        let host = host_of(name, status)?;
        let there = || status.applications.iter().filter(|one| one.host == host);
        if there().next().is_none() {
            return Err(Trouble::new(format!("there is no host {host}"), "`everline host list` lists the hosts"));
        }
        if let Some(after) = self.fenced_after.filter(|after| span + RETURN >= *after) {
            let what = format!("{host} would be fenced: [fence] after says {} s", after.as_secs());
            let help = format!("end it for less than {} s", after.saturating_sub(RETURN).as_secs());
            return Err(Trouble::new(what, help));
        }
        let serves = there().find(|one| one.pair.is_some() && one.role.as_deref() == Some("primary"));
        let pair = serves.and_then(|one| one.pair.clone());
        // The agent itself lives on, to start everything again.
        let stale = there().filter(|one| one.name != "lca").filter_map(Stale::process).collect();
        self.struck.insert(host.clone());
        let at_ns = now();
        self.orders.give(&[(host.clone(), Harm::Fail(span))])?;
        Ok(Struck { at_ns, victims: vec![host], pair, stale, moved: None })
    }
}

impl Hands for ByOrder {
    fn strike(&mut self, deed: &Deed, status: &Status, chance: &mut Chance) -> Result<Struck, Trouble> {
        let rehearse = "rehearse it: `everline up --hosts 3`";
        match deed {
            Deed::Nothing(_) => Ok(Struck { at_ns: now(), ..Struck::default() }),
            Deed::Kill(targets) => {
                let victims = victims(targets, status)?;
                let made = self.each(&victims, Harm::Kill)?;
                Ok(Struck { stale: victims.iter().filter_map(Stale::process).collect(), ..made })
            }
            Deed::Freeze(target, span) => {
                let victims = victims(std::slice::from_ref(target), status)?;
                self.freeze(&victims, *span)
            }
            Deed::TakeCoordinator(count, span) => {
                let members = taken(*count, status, chance)?;
                self.freeze(&members, *span)
            }
            Deed::Switchover(pair) => switch_over(self.site.as_ref(), pair, status),
            Deed::PowerOff(host, span) => self.power_off(host, *span, status),
            Deed::Repair => {
                let at_ns = now();
                self.mend()?;
                Ok(Struck { at_ns, ..Struck::default() })
            }
            Deed::Cut(..) | Deed::CutOff(..) | Deed::Loss(..) | Deed::Delay(..) | Deed::BlackHole(..) => {
                Err(not_possible(
                    "a link that a drill has cut stays so if the drill or an agent dies, and then nobody reaches the host",
                    rehearse,
                ))
            }
            Deed::StealAddress(_) => {
                Err(not_possible("no other machine is there that could take the address", rehearse))
            }
            Deed::FillDisk(..) => Err(not_possible("the disk of a host is not the solution's alone", rehearse)),
            Deed::MoveClock(..) => Err(not_possible("all processes of a host go by its clock", rehearse)),
        }
    }

    fn mend(&mut self) -> Result<(), Trouble> {
        for host in std::mem::take(&mut self.struck) {
            // One that cannot be reached does it by itself, in time.
            drop(self.orders.give(&[(host, Harm::Repair)]));
        }
        Ok(())
    }
}

impl Drop for ByOrder {
    fn drop(&mut self) {
        // A drill that ends early does not let others wait for the end of a fault.
        drop(self.mend());
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Mutex;

    use super::*;
    use crate::plan::Plan;

    struct Asked;

    impl Site for Asked {
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

    type Said = Vec<Vec<(String, Harm)>>;
    type Given = Arc<Mutex<Said>>;

    struct Noted(Given);

    impl Orders for Noted {
        fn give(&self, orders: &[(String, Harm)]) -> Result<(), Trouble> {
            self.0.lock().expect("whole").push(orders.to_vec());
            Ok(())
        }
    }

    fn status() -> Status {
        let text = r#"{"applications": [
            {"name": "sip-a", "pair": "sip", "role": "primary", "state": "started", "host": "h1", "pid": 7},
            {"name": "sip-b", "pair": "sip", "role": "backup", "state": "started", "host": "h2", "pid": 7},
            {"name": "etcd", "pair": null, "role": null, "state": "started", "host": "h2", "pid": 8},
            {"name": "lca", "pair": null, "role": null, "state": "started", "host": "h2", "pid": 9}]}"#;
        serde_json::from_str(text).expect("the text follows the interface")
    }

    /// What a step does: the orders, and what was struck.
    fn step(text: &str, fenced_after: Option<Duration>) -> (Said, Result<Struck, Trouble>) {
        let given = Given::default();
        let mut hands = ByOrder::new(Arc::new(Asked), Box::new(Noted(Arc::clone(&given))), fenced_after);
        let plan = Plan::parse("test", text).expect("a step");
        let struck = hands.strike(&plan.steps[0].deed, &status(), &mut Chance::new(1));
        drop(hands);
        let given = given.lock().expect("whole").clone();
        (given, struck)
    }

    fn victim(application: &str, pid: u32) -> Vec<Victim> {
        vec![Victim { application: application.into(), pid: Some(pid) }]
    }

    #[test]
    fn each_host_is_told_of_its_own_victims() {
        let (given, struck) = step("kill sip.primary + sip.backup", None);
        let kill = |host: &str, name| (host.to_owned(), Harm::Kill(victim(name, 7)));
        assert_eq!(given, [vec![kill("h1", "sip-a"), kill("h2", "sip-b")]]);
        let struck = struck.expect("done");
        assert_eq!(struck.pair.as_deref(), Some("sip"));
        assert_eq!(struck.stale.len(), 2, "two processes of one number");
        // One of them is known to be gone by a status that has the other one still.
        let mut now = status();
        now.applications.retain(|one| one.host != "h1");
        assert!(!struck.is_known_to(&now));
        now.applications.retain(|one| one.name != "sip-b");
        assert!(struck.is_known_to(&now));
    }

    #[test]
    fn what_lasts_is_undone_by_whoever_made_it_and_asked_for_when_the_drill_ends() {
        let span = Duration::from_secs(2);
        let repair = |host: &str| vec![(host.to_owned(), Harm::Repair)];
        let (given, _) = step("take coordinator 1 2s", None);
        assert_eq!(given, [vec![("h2".into(), Harm::Freeze(victim("etcd", 8), span))], repair("h2")]);
        let (given, struck) = step("power off h2 2s", None);
        assert_eq!(given, [vec![("h2".into(), Harm::Fail(span))], repair("h2")]);
        let struck = struck.expect("done");
        assert_eq!((struck.pair, struck.stale.len()), (None, 2), "the agent lives on");
    }

    #[test]
    fn what_cannot_be_undone_is_not_done() {
        for text in [
            "cut h1 h2 1s",
            "cut off h1 1s",
            "loss 5% h1 h2 1s",
            "steal address 1s",
            "fill disk h1 1s",
            "clock h1 +1h 1s",
        ] {
            let (given, struck) = step(text, None);
            let refused = struck.expect_err("refused");
            assert!(refused.what.starts_with("not possible on a real solution: "), "{text}: {refused}");
            assert!(given.is_empty(), "{text}: {given:?}");
        }
        let fenced = step("power off h2 25s", Some(Duration::from_secs(30))).1.expect_err("refused");
        assert_eq!(fenced.what, "h2 would be fenced: [fence] after says 30 s");
        assert!(step("power off h2 5s", Some(Duration::from_secs(30))).1.is_ok());
        assert!(step("power off h9 5s", None).1.expect_err("refused").what.contains("no host h9"));
    }
}
