//! Who makes the faults.
//!
//! `local` needs no more than the control server and the process ids that it names; `rehearsal` has the hosts and links of a
//! rehearsal besides; `orders` has the local control agents of a real solution do it. What cannot be made is refused by name, and never counted as passed.

mod local;
mod orders;
mod process;
mod rehearsal;

use model::{Chance, Trouble};

pub use local::Local;
pub use orders::{ByOrder, Harm, Orders, Victim};
pub use rehearsal::Rehearsing;

use crate::history::Nanos;
use crate::plan::{Deed, HostName, Role, Target};
use crate::site::Site;
use crate::status::{Application, Status};

/// How the reason begins why a fault is never made on a real solution.
pub const IMPOSSIBLE: &str = "not possible on a real solution: ";

/// A fault that a real solution is never asked to bear.
fn not_possible(what: &str, remedy: &str) -> Trouble {
    Trouble::new(format!("{IMPOSSIBLE}{what}"), remedy)
}

/// A fault as it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Struck {
    /// The moment of the deed.
    pub at_ns: Nanos,
    /// Who was struck: applications with their hosts, hosts, links.
    pub victims: Vec<String>,
    /// The pair whose roles it changes, if it changes any.
    pub pair: Option<String>,
    /// What the status must not show any more before everything can be level again.
    pub stale: Vec<Stale>,
    /// The host whose clock is off, and by how many seconds it is ahead.
    pub moved: Option<(String, i64)>,
}

/// What a status shows that does not know of a fault yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stale {
    /// This process, which was killed.
    Process {
        /// Its host: another one may have a process of the same number.
        host: String,
        /// Its number.
        pid: u32,
    },
    /// This application as the primary.
    Primary(String),
}

impl Struck {
    /// Whether a status knows of the fault.
    #[must_use]
    pub fn is_known_to(&self, status: &Status) -> bool {
        !self.stale.iter().any(|stale| match stale {
            Stale::Process { host, pid } => {
                status.applications.iter().any(|one| one.pid == Some(*pid) && one.host == *host)
            }
            Stale::Primary(name) => {
                status.applications.iter().any(|one| one.name == *name && one.role.as_deref() == Some("primary"))
            }
        })
    }
}

impl Stale {
    /// The process of an application.
    fn process(one: &Application) -> Option<Self> {
        Some(Self::Process { host: one.host.clone(), pid: one.pid? })
    }
}

/// Something that makes faults and mends them.
pub trait Hands {
    /// Makes a fault.
    ///
    /// # Errors
    /// It cannot be made here; nothing is broken then.
    fn strike(&mut self, deed: &Deed, status: &Status, chance: &mut Chance) -> Result<Struck, Trouble>;

    /// Mends whatever is broken by these hands; what heals by itself is left alone.
    ///
    /// # Errors
    /// It cannot be mended.
    fn mend(&mut self) -> Result<(), Trouble>;
}

/// The host that a name means now.
fn host_of(name: &HostName, status: &Status) -> Result<String, Trouble> {
    match name {
        HostName::Named(name) => Ok(name.clone()),
        HostName::Of { pair, role } => Ok(side(pair, *role, status)?.host.clone()),
    }
}

fn side<'a>(pair: &str, role: Role, status: &'a Status) -> Result<&'a Application, Trouble> {
    status.in_role(pair, role.name()).ok_or_else(|| {
        Trouble::new(format!("{pair} has no {} now: {}", role.name(), status.summary()), "wait until it is level")
    })
}

/// The processes that targets mean now.
fn victims(targets: &[Target], status: &Status) -> Result<Vec<Application>, Trouble> {
    let beside = targets.iter().find_map(|target| match target {
        Target::Side { pair, role } => Some(side(pair, *role, status).map(|one| one.host.clone())),
        _ => None,
    });
    let usual = match beside {
        Some(host) => host?,
        None => status.in_role("sip", "primary").map(|one| one.host.clone()).unwrap_or_default(),
    };
    let mut found = Vec::new();
    for target in targets {
        match target {
            Target::Side { pair, role } => found.push(side(pair, *role, status)?.clone()),
            Target::Coordinator => found.extend(coordinator(status)?),
            Target::Application { name, host } => {
                let host = match host {
                    Some(host) => host_of(host, status)?,
                    None => usual.clone(),
                };
                let all = || status.applications.iter().filter(|one| one.name == *name);
                let one = all().find(|one| one.host == host).or_else(|| all().next());
                let missing =
                    || Trouble::new(format!("there is no application {target}"), "`everline status` lists them");
                found.push(one.ok_or_else(missing)?.clone());
            }
        }
    }
    Ok(found)
}

/// The members of the coordinator: those of etcd, else the control server that holds it.
fn coordinator(status: &Status) -> Result<Vec<Application>, Trouble> {
    let of = |name: &str| status.applications.iter().filter(|one| one.name == name).cloned().collect::<Vec<_>>();
    let members = of("etcd");
    let members = if members.is_empty() { of("control") } else { members };
    if members.is_empty() {
        return Err(Trouble::new("no member of the coordinator is known", "`everline status` lists the applications"));
    }
    Ok(members)
}

/// So many members of the coordinator, drawn.
fn taken(count: u8, status: &Status, chance: &mut Chance) -> Result<Vec<Application>, Trouble> {
    let mut members = coordinator(status)?;
    let (count, known) = (usize::from(count), members.len());
    if count > known {
        let what = format!("the coordinator has {known} members, {count} cannot be taken");
        return Err(Trouble::new(what, format!("take 1 to {known}")));
    }
    while members.len() > count {
        members.remove(chance.below(members.len() as u64) as usize);
    }
    Ok(members)
}

/// What was done to these; it changes the roles of a pair if one of them was a primary.
fn struck(at_ns: Nanos, victims: &[Application]) -> Struck {
    let pair = victims.iter().find(|one| one.role.as_deref() == Some("primary")).and_then(|one| one.pair.clone());
    Struck { at_ns, victims: victims.iter().map(named).collect(), pair, ..Struck::default() }
}

/// Has a pair change its roles, as planned.
fn switch_over(site: &dyn Site, pair: &str, status: &Status) -> Result<Struck, Trouble> {
    let primary = status.in_role(pair, "primary").cloned();
    let hosts = site.hosts();
    let host = primary.as_ref().map(|one| one.host.clone()).filter(|host| hosts.contains(host));
    let host = host.or_else(|| hosts.first().cloned()).unwrap_or_default();
    let at_ns = local::now();
    site.post(&host, &format!("/v1/pairs/{pair}/switchover"))?;
    let stale = primary.iter().map(|one| Stale::Primary(one.name.clone())).collect();
    Ok(Struck { pair: Some(pair.to_owned()), stale, ..struck(at_ns, primary.as_slice()) })
}

fn named(one: &Application) -> String {
    if one.host.is_empty() { one.name.clone() } else { format!("{} on {}", one.name, one.host) }
}
