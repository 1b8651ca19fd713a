//! Lets the hosts and links of a rehearsal fail, and repairs them.
//!
//! The net itself remembers how it is, and any process may change it. What a host runs is started again by the `up` that has
//! started it, which looks now and then.

use std::path::PathBuf;

use model::{Span, Trouble};
use network::rehearsal::{Change, Conditions, Network, Place, Rehearsal, Stretch, join};
use rustix::process::geteuid;
use serde_json::{Value, json};

use super::{again, folders, id};
use crate::cli::{Between, LinkCommand, Listing};
use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::Folder;
use crate::lock::Lock;
use crate::output;
use crate::processes;

/// Takes a host's power.
///
/// # Errors
/// If there is no such host, or no rehearsal.
pub(crate) fn fail(folder: &Folder, host: &str) -> Result<(), Failure> {
    let (net, number) = host_of(folder, host)?;
    // Dark first: nobody hears the kernel take leave of the connections of a process that dies.
    net.fail(number)?;
    net.kill(Place::Host(number))?;
    folders::lose_addresses(folder, &net, Place::Host(number))?;
    output::result(&format!("{host} has lost its power; `everline host repair {host}` gives it back\n"))
}

/// Gives a host its power back.
///
/// # Errors
/// As [`fail`].
pub(crate) fn repair(folder: &Folder, host: &str) -> Result<(), Failure> {
    let (net, number) = host_of(folder, host)?;
    net.free_disks()?;
    let had_none = net.conditions()?.failed().any(|failed| failed == number);
    net.repair(number)?;
    let order = start_order(&folders::of_host(folder, Place::Host(number)));
    files::replace(&order, b"").map_err(|error| Trouble::of_file("write", &order, &error))?;
    let has = if had_none { "has power again and" } else { "had power; if it was stopped it" };
    output::result(&format!("{host} {has} starts\n"))
}

/// By this file `up` is asked to start a host, though that was stopped in order.
pub(super) fn start_order(host: &Folder) -> PathBuf {
    host.path().join("run/start")
}

/// Does something with links.
///
/// # Errors
/// If there are no such links, a figure is out of range, or there is no rehearsal.
pub(crate) fn link(folder: &Folder, command: &LinkCommand) -> Result<(), Failure> {
    let net = find(folder)?;
    match command {
        LinkCommand::Cut(between) => net.change(&stretch(between)?, Change::Cut)?,
        LinkCommand::Delay { between, millis } => {
            net.change(&stretch(between)?, Change::Delay(Span::from_millis(*millis)))?;
        }
        LinkCommand::Loss { between, percent } => net.change(&stretch(between)?, Change::Loss(*percent))?,
        LinkCommand::BlackHole { between, octets } => net.change(&stretch(between)?, Change::BlackHole(*octets))?,
        LinkCommand::Repair { ends } => match &ends[..] {
            [from, to] => {
                let between = Between { from: from.clone(), to: to.clone(), one_way: false, networks: Vec::new() };
                net.change(&stretch(&between)?, Change::Repair)?;
            }
            _ => {
                net.repair_links()?;
                net.free_disks()?;
            }
        },
        LinkCommand::List(_) => {}
    }
    let conditions = net.conditions()?;
    let text = match command {
        LinkCommand::List(Listing { json: true }) => format!("{}\n", for_programs(&conditions)),
        _ => for_people(&conditions),
    };
    output::result(&text)
}

/// How the links are, those that are not whole.
fn for_people(conditions: &Conditions) -> String {
    let mut lines: Vec<String> =
        conditions.failed().map(|host| format!("{}: without power\n", Place::Host(host))).collect();
    for (link, condition) in conditions.links() {
        let mut said = Vec::new();
        if condition.is_cut {
            said.push("cut".to_owned());
        }
        if condition.delay > Span::ZERO {
            said.push(format!("delayed by {} ms", condition.delay.as_micros() / 1_000));
        }
        if condition.loss > 0 {
            said.push(format!("loses {} %", f64::from(condition.loss) / 100.0));
        }
        said.extend(condition.largest.map(|octets| format!("swallows packets of more than {octets} octets")));
        lines.push(format!("{} -> {} in network {}: {}\n", link.from, link.to, link.network, said.join(", ")));
    }
    if lines.is_empty() { "all hosts have power, all links are whole\n".to_owned() } else { lines.concat() }
}

/// The same as JSON.
fn for_programs(conditions: &Conditions) -> Value {
    let failed: Vec<String> = conditions.failed().map(|host| Place::Host(host).to_string()).collect();
    let links = conditions.links().map(|(link, condition)| {
        json!({
            "from": link.from.to_string(),
            "to": link.to.to_string(),
            "network": link.network.to_string(),
            "cut": condition.is_cut,
            "delay_ms": condition.delay.as_micros() / 1_000,
            "loss_percent": f64::from(condition.loss) / 100.0,
            "largest_packet": condition.largest,
        })
    });
    let links: Vec<Value> = links.collect();
    json!({ "without_power": failed, "links": links })
}

fn stretch(between: &Between) -> Result<Stretch, Failure> {
    let place = |text: &str| text.parse::<Place>().map_err(wrong);
    let network = |text: &String| text.parse::<Network>().map_err(wrong);
    Ok(Stretch {
        from: place(&between.from)?,
        to: place(&between.to)?,
        one_way: between.one_way,
        networks: between.networks.iter().map(network).collect::<Result<_, _>>()?,
    })
}

fn host_of(folder: &Folder, host: &str) -> Result<(Rehearsal, u8), Failure> {
    let net = find(folder)?;
    match host.parse() {
        Ok(Place::Host(number)) if net.places().any(|place| place == Place::Host(number)) => Ok((net, number)),
        _ => {
            let hosts = net.places().filter(|place| matches!(place, Place::Host(_)));
            let hosts = hosts.map(|place| place.to_string()).collect::<Vec<_>>().join(", ");
            let what = format!("there is no host `{host}` in this rehearsal");
            Err(Failure::new(Kind::Wrong, what).help(format!("name one of {hosts}")))
        }
    }
}

/// The net of this folder's rehearsal, which runs.
pub(super) fn find(folder: &Folder) -> Result<Rehearsal, Failure> {
    let absent = || {
        let what = format!("no rehearsal runs in {}", folder.path().display());
        Failure::new(Kind::Absent, what).help("`everline up --hosts 3` starts one; --dir names another folder")
    };
    let holder = Lock::holder(&folder.lock("up")).ok_or_else(absent)?;
    if let Some(pid) = holder.filter(|_| !geteuid().is_root()) {
        return Err(again(&mut join(pid.cast_unsigned(), processes::program().as_os_str())));
    }
    Ok(Rehearsal::find(&id(folder))?)
}

fn wrong(trouble: Trouble) -> Failure {
    Failure::new(Kind::Wrong, trouble.what).help(trouble.remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_the_same_as_people() {
        let mut conditions = Conditions::default();
        assert_eq!(for_people(&conditions), "all hosts have power, all links are whole\n");
        assert_eq!(for_programs(&conditions), json!({ "without_power": [], "links": [] }));

        let stretch =
            Stretch { from: Place::Host(1), to: Place::Phones, one_way: true, networks: vec![Network::Access] };
        for change in [Change::Delay(Span::from_millis(20)), Change::Loss(2.5), Change::BlackHole(1_000)] {
            conditions.change(&stretch, change).expect("a link");
        }
        conditions.set_failed(2, true);
        let said = "h2: without power\nh1 -> phones in network access: delayed by 20 ms, loses 2.5 %, swallows packets of more \
                    than 1000 octets\n";
        assert_eq!(for_people(&conditions), said);
        let link = json!({
            "from": "h1", "to": "phones", "network": "access",
            "cut": false, "delay_ms": 20, "loss_percent": 2.5, "largest_packet": 1_000,
        });
        assert_eq!(for_programs(&conditions), json!({ "without_power": ["h2"], "links": [link] }));
    }
}
