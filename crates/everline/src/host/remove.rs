//! `everline host remove`: takes a host out of the solution.
//!
//! In this order, each step of which can be done again: the host is ended if it lives, its member of etcd is taken out, then the
//! configuration is changed, with which the list of the certificates that count for nothing goes to all hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use node::authority;
use node::channel::Channel;
use node::configuration::{self, Document};
use node::coordinator::{change_members, note_gone};
use node::local;
use node::wire::{ToLca, Trouble};
use serde::Deserialize;
use serde_json::json;

use super::apply::set_base;
use super::{cannot_write, document, edit, member, newest, no_such_host};
use crate::config::Source;
use crate::control::Control;
use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::{self, Folder};
use crate::hosts::{self, Coordinator, Hosts};
use crate::output::{self, remark};
use crate::settings::Settings;

/// How long the host may take to end.
const END: Duration = Duration::from_secs(15);
/// A host is away that was not seen so many times.
pub(super) const AWAY: u32 = 10;
/// Pause between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// What the solution is without the host.
struct Plan {
    /// The hosts that are left, and what is where.
    hosts: Hosts,
    /// Members of etcd that go.
    go: Vec<String>,
    /// Hosts that get a member in the place of those.
    come: Vec<String>,
}

/// Takes the host `name` out, although it has sides of pairs if that is to be done by `force`.
///
/// # Errors
/// If this is not the authority's host, if the host is needed, or if a majority of the coordinator does not answer.
pub(crate) fn remove(folder: &Folder, control: &Control<'_>, name: &str, force: bool) -> Result<(), Failure> {
    let (here, kept) = member(folder)?;
    authority::read(folder)?;
    let shared = newest(folder, &here, kept);
    let settings = document::settings(&shared, &here)?;
    let Some(hosts) = &settings.hosts else { return Err(Failure::failed("the configuration names no hosts")) };
    if hosts.host(name).is_none() {
        let had_joined = authority::joined(folder, name).is_some();
        return if had_joined { finish(folder, control, &shared, hosts, name) } else { Err(no_such_host(name, hosts)) };
    }
    if name == hosts.authority || name == here {
        let what = format!("{name} has the authority, without which no host can join");
        return Err(refused(
            what,
            "copy data/authority.json, data/joined and, if there is one, data/revoked.json to another host, name that in [place] \
             authority, give `everline config apply`, and then this command there",
        ));
    }
    let alive = Alive::ask(control)?;
    let plan = without(hosts, name, settings.sip.standby, &alive.hosts)?;
    let holds = alive.holders.contains(name);
    if alive.hosts.contains(name) && holds && !force {
        let what = format!("{name} lives and holds a side of a pair; nothing was done");
        let help = format!(
            "place its applications elsewhere ([place]), give `everline config apply`, and restart the hosts; or say --force: {name} is \
             ended first, and its sides are placed on {}",
            listed(plan.hosts.sip.iter().chain(&plan.hosts.routing))
        );
        return Err(refused(what, &help));
    }
    if !alive.hosts.contains(name) {
        is_off(name, hosts, settings.sip.standby, force)?;
    }
    let (source, next) = edited(&shared, name, &plan, &settings, &here)?;
    if alive.hosts.contains(name) {
        end(folder, control, name)?;
    }
    let etcd = |hosts: &Hosts| hosts.etcd(folder, &settings.solution);
    block_on(change_members(&etcd(hosts), &hosts.peers_of(&plan.go), &hosts.peers_of(&plan.come)))?;
    patiently(|| block_on(note_gone(&etcd(&plan.hosts), &hosts.placed_on(name))))?;
    let moved = next.moves(Some(hosts));
    let has_moved_side = moved.iter().any(|application| !application.ends_with("-c"));
    let count = publish(folder, control, (shared.version, &source), (&names_of(&plan.hosts), moved), name)?;
    write_own(folder, &shared, &source.text, name)?;
    say(name, &plan, has_moved_side, count, shared.version + 1)
}

/// What a host has that nobody reaches is declared ended only by `force`: it may serve all the same.
///
/// # Errors
/// If it has a side of a pair, and nobody says that it is off.
pub(super) fn is_off(name: &str, hosts: &Hosts, standby: bool, force: bool) -> Result<(), Failure> {
    let has_side = hosts.on(name).iter().any(|application| standby || !application.ends_with("-b"));
    if force || !has_side {
        return Ok(());
    }
    let what = format!("nobody reaches {name}, and sides of pairs may still serve there; nothing was done");
    let help =
        format!("make sure that {name} is off, and say --force: others then serve without asking for it any more");
    Err(refused(what, &help))
}

/// Gives all hosts the configuration with the list of certificates that count for nothing, in the place of that version; gives how many of
/// the host's own are on it. The certificates of those that `remain` count, and the applications that have `moved` are counted anew.
pub(super) fn publish(
    folder: &Folder,
    control: &Control<'_>,
    (over, source): (u64, &Source),
    (remain, moved): (&[String], BTreeSet<String>),
    name: &str,
) -> Result<usize, Failure> {
    // Until the list counts, the host's certificate would be good for another one.
    let shut = authority::shut(folder)?;
    let revoked = shut.revoke(&authority::read(folder)?, remain, SystemTime::now())?;
    let Source { text, files, variables } = source;
    let order = json!({
        "over": over, "text": text, "files": files, "variables": variables, "revoked": revoked, "moved": moved
    });
    let is_done = || {
        let kept = configuration::kept(folder).ok().flatten();
        kept.is_some_and(|kept| {
            kept.version == over + 1 && kept.text == *text && kept.revoked.as_ref() == Some(&revoked)
        })
    };
    patiently(|| match control.post_body("/v1/configuration", &order) {
        // Its outcome was not known, and it was done.
        Err(_) if is_done() => Ok(()),
        done => done.map(drop),
    })?;
    Ok(shut.forget(name, SystemTime::now())?)
}

/// Takes the certificates of a host back that the configuration does not name any more: somebody has changed that by hand, or an earlier
/// command was broken off.
fn finish(folder: &Folder, control: &Control<'_>, shared: &Document, hosts: &Hosts, name: &str) -> Result<(), Failure> {
    let Document { text, files, variables, .. } = shared.clone();
    let source = Source { text, files, variables };
    let count = publish(folder, control, (shared.version, &source), (&names_of(hosts), BTreeSet::new()), name)?;
    write_own(folder, shared, &source.text, name)?;
    output::result(&format!("{name} was no host of this solution any more; {}\n", taken_back(count)))
}

/// Does it again for a while: a coordinator whose members change has no leader for a moment.
pub(super) fn patiently<T>(mut work: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
    let begun = Instant::now();
    loop {
        match work() {
            Err(_) if begun.elapsed() < END => sleep(LOOK),
            done => return done,
        }
    }
}

/// The names of all hosts.
pub(super) fn names_of(hosts: &Hosts) -> Vec<String> {
    hosts.all.iter().map(|host| host.name.clone()).collect()
}

/// Does what the coordinator is asked for.
pub(super) fn block_on(work: impl Future<Output = Result<(), Trouble>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("cannot begin: {error}")))?;
    Ok(runtime.block_on(work)?)
}

/// Who lives, as the control server sees it.
pub(super) struct Alive {
    /// Hosts whose local control agent answers.
    pub(super) hosts: BTreeSet<String>,
    /// Hosts with a side of a pair that runs.
    holders: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Status {
    applications: Vec<Application>,
}

#[derive(Deserialize)]
struct Application {
    name: String,
    host: String,
    pair: Option<String>,
    pid: Option<u32>,
    state: String,
}

impl Alive {
    pub(super) fn ask(control: &Control<'_>) -> Result<Self, Failure> {
        let answer = control.get("/v1/status")?;
        let Status { applications } = serde_json::from_str(&answer)
            .map_err(|error| Failure::failed(format!("the control server answers something unexpected: {error}")))?;
        let those = |wanted: &dyn Fn(&Application) -> bool| {
            applications.iter().filter(|one| wanted(one)).map(|one| one.host.clone()).collect()
        };
        Ok(Self {
            hosts: those(&|one| one.name == "lca" && one.state == "started"),
            holders: those(&|one| one.pair.is_some() && one.pid.is_some()),
        })
    }
}

/// The hosts without one of them: its sides go to hosts that have none, its member of etcd to one that has none, if there is one.
fn without(hosts: &Hosts, name: &str, standby: bool, alive: &BTreeSet<String>) -> Result<Plan, Failure> {
    let mut left = Hosts { all: hosts.all.iter().filter(|host| host.name != name).cloned().collect(), ..hosts.clone() };
    left.spares.retain(|spare| spare != name);
    let names: Vec<String> = left.all.iter().map(|host| host.name.clone()).collect();
    for (pair, sides) in [("sip", &mut left.sip), ("routing", &mut left.routing)] {
        if !standby {
            if sides[0] == name {
                sides[0].clone_from(&names[0]);
            }
            sides[1] = sides[0].clone();
            continue;
        }
        for side in 0..2 {
            if sides[side] != name {
                continue;
            }
            let all = || left.spares.iter().chain(&names).filter(|host| !sides.contains(host));
            let free = all().find(|host| alive.contains(*host)).or_else(|| all().next()).cloned();
            sides[side] = free.ok_or_else(|| {
                let what = format!("no host would be left for a side of the pair {pair}");
                refused(what, "let another host join first: a pair needs two")
            })?;
        }
    }
    left.spares.retain(|spare| !left.sip.iter().chain(&left.routing).any(|host| host == spare));
    let Coordinator::Members(members) = &hosts.coordinator else {
        return Ok(Plan { hosts: left, go: Vec::new(), come: Vec::new() });
    };
    if !members.iter().any(|member| member == name) {
        return Ok(Plan { hosts: left, go: Vec::new(), come: Vec::new() });
    }
    let mut stay: Vec<String> = members.iter().filter(|member| *member != name).cloned().collect();
    let there = stay.iter().filter(|member| alive.contains(*member)).count();
    // What etcd must agree to is a majority of what there was.
    if stay.is_empty() || there < members.len() / 2 + 1 {
        let what = format!(
            "no majority of the coordinator would be left: of its members {} {there} can be reached besides",
            members.join(", ")
        );
        let help = if stay.is_empty() {
            format!("replace that machine under its name (`everline host token {name} --again`)")
        } else {
            "bring the other hosts back first".to_owned()
        };
        return Err(refused(what, &help));
    }
    let come: Vec<String> =
        names.iter().filter(|host| alive.contains(*host) && !stay.contains(host)).take(1).cloned().collect();
    stay.extend(come.iter().cloned());
    let mut go = vec![name.to_owned()];
    // An even number survives no more losses than one less, and the last one is the usual one of two.
    if stay.len().is_multiple_of(2) {
        go.push(stay.remove(0));
    }
    left.coordinator = Coordinator::Members(stay);
    Ok(Plan { hosts: left, go, come })
}

/// The next configuration, which says what was planned and nothing else.
fn edited(
    shared: &Document,
    name: &str,
    plan: &Plan,
    settings: &Settings,
    here: &str,
) -> Result<(Source, Hosts), Failure> {
    let by_hand = |why: String| {
        let help = format!(
            "take its [[host]] out of everline.toml by hand and give `everline config apply`; its certificate ends in a month ({name})"
        );
        refused(format!("the configuration cannot be changed by this command: {why}"), &help)
    };
    let text = edit::without(&shared.text, name, &plan.hosts, settings.sip.standby);
    let text = text.ok_or_else(|| by_hand(format!("no [[host]] with the name {name} is found in its text")))?;
    let source = Source { text, files: shared.files.clone(), variables: shared.variables.clone() };
    let next = document::settings(&document::version(shared.version + 1, here, source.clone()), here);
    let next = next.map_err(|failure| by_hand(failure.what().to_owned()))?;
    let same = |one: &Hosts| Hosts { version: None, spares: Vec::new(), moved: BTreeMap::new(), ..one.clone() };
    match next.hosts {
        Some(hosts) if same(&hosts) == same(&plan.hosts) => Ok((source, hosts)),
        _ => Err(by_hand("it would mean something else then".into())),
    }
}

/// Ends everything on a host, in order, and waits for it.
fn end(folder: &Folder, control: &Control<'_>, name: &str) -> Result<(), Failure> {
    remark(&format!("Ending {name} ..."));
    let asked = local::connect(&folder.socket(&hosts::agent_of(name))).map_err(|error| error.to_string());
    let mut channel = Channel::new(asked.map_err(|why| Failure::failed(format!("{name} cannot be ended: {why}")))?);
    channel.send(&ToLca::StopAll).map_err(|error| Failure::failed(format!("{name} cannot be ended: {error}")))?;
    let begun = Instant::now();
    let mut away = 0;
    // One that is late to answer has not ended.
    while away < AWAY {
        sleep(LOOK);
        away = if Alive::ask(control)?.hosts.contains(name) { 0 } else { away + 1 };
        if begun.elapsed() > END {
            let what = format!("{name} has not ended within {} s", END.as_secs());
            return Err(Failure::failed(what).help("end it there by `everline stop`, and give this command again"));
        }
    }
    Ok(())
}

/// Keeps `everline.toml` of this host in step, if it is what all hosts had.
fn write_own(folder: &Folder, before: &Document, text: &str, name: &str) -> Result<(), Failure> {
    let path = folder::configuration(folder);
    if std::fs::read_to_string(&path).is_ok_and(|own| own == before.text) {
        files::replace(&path, text.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
        return set_base(folder, before.version + 1);
    }
    remark(&format!(
        "{} is not what all hosts had, and still names {name}: `everline config show` prints what counts",
        path.display()
    ));
    Ok(())
}

fn say(name: &str, plan: &Plan, moved: bool, certificates: usize, version: u64) -> Result<(), Failure> {
    output::result(&format!(
        "{name} is no host of this solution any more: version {version} of the configuration has no such host; {}\n",
        taken_back(certificates)
    ))?;
    if let Coordinator::Members(members) = &plan.hosts.coordinator
        && !plan.go.is_empty()
    {
        remark(&format!("The coordinator is on {} from now on.", members.join(", ")));
    }
    for host in &plan.come {
        remark(&format!("Restart {host} first: its member of the coordinator begins then."));
    }
    if moved {
        remark("A side moves: the calls of the other one end when its host is restarted. Do that in a quiet hour.");
    }
    remark(
        "It counts on each host from its next `everline host run`: restart them one after the other, the one with the backups first.",
    );
    Ok(())
}

fn taken_back(certificates: usize) -> String {
    match certificates {
        0 => "no certificate of it is known here: if it has one, that counts until its end, 30 days at most".to_owned(),
        count => format!("taken back: {}", output::count(count, "certificate")),
    }
}

/// Each name once.
fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: BTreeSet<&str> = names.map(String::as_str).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn refused(what: String, help: &str) -> Failure {
    Failure::new(Kind::Failed, what).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::tests::three;

    fn all(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn members(plan: &Plan) -> Vec<&str> {
        match &plan.hosts.coordinator {
            Coordinator::Members(members) => members.iter().map(String::as_str).collect(),
            Coordinator::Existing { .. } => Vec::new(),
        }
    }

    #[test]
    fn of_three_hosts_two_are_left_with_one_member_of_the_coordinator() {
        let plan = without(&three("h1"), "h3", true, &all(&["h1", "h2", "h3"])).expect("possible");
        assert_eq!((members(&plan), plan.go.clone()), (vec!["h2"], vec!["h3".to_owned(), "h1".to_owned()]));
        assert_eq!((plan.hosts.all.len(), plan.hosts.spares.len(), plan.come.len()), (2, 0, 0));
        // The sides of one that is lost go to the spare's host.
        let plan = without(&three("h1"), "h2", true, &all(&["h1", "h3"])).expect("possible");
        assert_eq!(plan.hosts.sip, ["h1", "h3"]);
        assert_eq!((members(&plan), plan.hosts.spares.len()), (vec!["h3"], 0));
    }

    #[test]
    fn another_host_gets_the_member_where_there_is_one() {
        let mut four = three("h1");
        four.all.push(hosts::Host { name: "h4".into(), ..four.all[2].clone() });
        let alive = all(&["h1", "h2", "h4"]);
        let plan = without(&four, "h3", true, &alive).expect("possible");
        assert_eq!((members(&plan), plan.come.clone()), (vec!["h1", "h2", "h4"], vec!["h4".to_owned()]));
        let plan = without(&four, "h4", true, &alive).expect("possible");
        assert_eq!((members(&plan), plan.go.len()), (vec!["h1", "h2", "h3"], 0));
    }

    #[test]
    fn what_a_host_has_that_nobody_reaches_is_declared_ended_by_force_only() {
        let mut four = three("h1");
        four.all.push(hosts::Host { name: "h4".into(), ..four.all[2].clone() });
        for name in ["h2", "h3"] {
            let told = is_off(name, &four, true, false).expect_err("refused");
            assert!(told.what().starts_with(&format!("nobody reaches {name}, and sides of pairs may")), "{told:?}");
            assert!(told.remedy().is_some_and(|remedy| remedy.contains("say --force")), "{told:?}");
            is_off(name, &four, true, true).expect("forced");
        }
        is_off("h4", &four, true, false).expect("it has no side");
        four.spares.clear();
        is_off("h3", &four, true, false).expect("it has no side any more");
        is_off("h2", &four, false, false).expect("its sides are never used");
    }

    #[test]
    fn what_the_others_need_stays() {
        let refused = |hosts: &Hosts, name, alive: &[&str]| {
            let outcome = without(hosts, name, true, &all(alive)).map(|_| ());
            outcome.expect_err("refused").what().to_owned()
        };
        let told = refused(&three("h1"), "h3", &["h1", "h3"]);
        assert!(told.contains("no majority of the coordinator would be left"), "{told}");
        let mut two = three("h1");
        two.all.pop();
        (two.spares, two.coordinator) = (Vec::new(), Coordinator::Members(vec!["h1".into()]));
        assert_eq!(refused(&two, "h2", &["h1", "h2"]), "no host would be left for a side of the pair sip");
    }
}
