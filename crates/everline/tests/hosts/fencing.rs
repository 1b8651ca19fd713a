//! A host that nobody reaches is ended by a program, or ends its servers itself.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use network::address::{VirtualAddress, held};
use network::rehearsal::{Network, virtual_addresses};
use node::coordinator::{EtcdSettings, FenceBook};
use node::folder::Folder;
use node::identity::tls_files;
use serde_json::Value;

use super::{At, Place, Solution, text};

/// Takes the power of the host that it is told, once it works.
const PROGRAM: &str = "#!/bin/sh
cd \"$(dirname \"$0\")\" || exit 1
echo \"$1 by $EVERLINE_BY for $EVERLINE_IN_DOUBT\" >> fenced
if ! [ -e works ]; then
    echo 'the power switch is silent' >&2
    exit 1
fi
exec everline --dir . host fail \"$1\"
";

/// What the control servers of these hosts have to say.
pub(crate) fn alarms(status: &Value) -> Vec<String> {
    let rows = status["applications"].as_array().into_iter().flatten();
    rows.filter(|row| row["name"] == "control").map(|row| text(row, "note")).collect()
}

/// Announces in the coordinator that a host is to be fenced; gives the objection.
fn objection(solution: &Solution, host: &str) -> String {
    let folder = Folder::new(solution.running.place.path().join("hosts/h3"));
    let book = FenceBook::new(EtcdSettings {
        addresses: vec!["10.77.1.3:7703".into()],
        seats: Vec::new(),
        hosts: Vec::new(),
        solution: "everline".into(),
        cluster: folder.cluster(),
        tls: Some(tls_files(&folder)),
    });
    let announced = async {
        let page = book.read().await.expect("a majority");
        assert!(book.change(&page, &page.fences.announced("h9", host)).await.expect("known"), "nobody else writes");
        loop {
            let fences = book.read().await.expect("a majority").fences;
            if fences.attempt.is_none() {
                return fences.objection.expect("a reason");
            }
        }
    };
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(announced)
    };
    solution.net.inside(At::Host(3), ask).expect("there")
}

/// One side is gone already when the other one is cut off from everybody: nobody can say whether it serves.
pub(crate) fn a_lost_host_is_fenced() {
    let place = Place::new();
    let program = place.path().join("fence");
    let everline = env!("CARGO_BIN_EXE_everline");
    fs::write(&program, PROGRAM.replace("exec everline", &format!("exec {everline}"))).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("its mode");
    let solution = Solution::at(place, &format!("[fence]\nprogram = \"{}\"\nafter = 5\n", program.display()));
    let folder = solution.running.place.path().to_owned();
    let (first, epoch) = solution.level();
    let second = if first == "h1" { "h2" } else { "h1" };
    let objection = objection(&solution, &first);
    assert!(
        [&format!("{first} says that it lives"), &format!(" reaches {first}")]
            .iter()
            .any(|why| objection.contains(*why))
    );
    assert!(!folder.join("fenced").exists(), "nobody is fenced who is reached");
    // In this order no spare can join in between.
    for other in ["h3", "phones", "carriers"] {
        solution.play(&format!("link cut {first} {other}"));
    }
    solution.play(&format!("host fail {second}"));
    solution.play(&format!("link cut {first} {second}"));
    solution.play(&format!("host repair {second}"));

    // A program that fails makes nothing certain: it is an alarm, and nothing changes.
    let h3 = format!("status --json --dir {}", folder.join("hosts/h3").display());
    let alarm = solution
        .running
        .ask(&h3, |status| alarms(status).into_iter().find(|alarm| alarm.contains("the power switch is silent")));
    assert!(alarm.contains(&format!("on {first} still serves")) && alarm.contains("everline promote"), "{alarm}");
    solution.ask(|sides| (!sides.contains_key("primary")).then_some(()));

    fs::write(folder.join("works"), "").expect("written");
    let serves = |sides: &std::collections::BTreeMap<String, Value>| {
        let primary = sides.get("primary").filter(|side| side["ready"] == true)?;
        Some((text(primary, "host"), primary["epoch"].as_u64().unwrap_or_default()))
    };
    let (host, now) = solution.ask(serves);
    assert!(host != first && now > epoch, "{host} serves in epoch {now} after {epoch}");
    solution.is_reached();
    let fenced = fs::read_to_string(folder.join("fenced")).expect("it ran");
    assert!(fenced.lines().all(|line| line.starts_with(&format!("{first} by ")) && line.contains(" for ")), "{fenced}");
    assert!(!fenced.contains(&format!(" by {first} ")), "{fenced}");
    assert!(fenced.contains("sip-") && fenced.contains('#'), "{fenced}");

    // It comes back as a new run.
    solution.play("link repair");
    solution.play(&format!("host repair {first}"));
    assert_eq!(solution.level().1, now, "whoever returns finds that it was superseded");
    solution.is_reached();
}

/// The host of the primary is cut off from everybody.
pub(crate) fn an_isolated_host_stops() {
    let solution = Solution::at(Place::new(), "[fence]\nisolated = \"10s\"\n");
    let (first, epoch) = solution.level();
    let second = if first == "h1" { "h2" } else { "h1" };
    let has_address = || {
        let address = format!("{}/24@{}", virtual_addresses(1).0, Network::Access);
        let address: VirtualAddress = address.parse().expect("an address");
        let at: At = first.parse().expect("a host");
        solution.net.inside(at, || held(&[address]).expect("told").len() == 1).expect("there")
    };
    assert!(has_address(), "it serves");
    for other in [second, "h3"] {
        solution.play(&format!("link cut {first} {other}"));
    }
    solution.ask(|sides| sides.get("primary").is_some_and(|side| side["host"] == second).then_some(()));
    let there = format!("status --json --dir {}", solution.running.place.path().join("hosts").join(&first).display());
    let states = |status: &Value| {
        let rows = status["applications"].as_array()?.iter();
        let here = rows.filter(|row| row["host"] == first.as_str()).map(|row| (text(row, "name"), row.clone()));
        Some(here.collect::<std::collections::BTreeMap<_, _>>())
    };
    let stopped = solution.running.ask(&there, |status| {
        let rows = states(status)?;
        let servers = rows.values().filter(|row| !row["pair"].is_null());
        servers.clone().all(|row| row["state"] == "stopped").then(|| servers.cloned().collect::<Vec<_>>())
    });
    assert!(stopped.len() == 2, "{stopped:?}");
    for row in stopped {
        assert!(row["trouble"].to_string().contains("neither a majority of the coordinator nor another host"), "{row}");
    }
    assert!(!has_address(), "it is given up");
    solution.is_reached();

    solution.play("link repair");
    let (primary, now) = solution.level();
    assert!(primary == second && now == epoch + 1, "{primary} serves in epoch {now}, and {first} is its backup");
}
