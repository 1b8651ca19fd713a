//! A rehearsal is made, found again and torn down.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Stdio};

use network::rehearsal::{Change, Id, Network, Place, Rehearsal, Stretch};

use crate::Test;
use crate::net::{H1, H2, Net};

pub(crate) const TESTS: &[Test] = &[
    ("standing::torn_down_it_leaves_nothing_behind", nothing_left),
    ("standing::what_a_killed_predecessor_left_is_cleaned_up", predecessor),
    ("standing::another_process_finds_it", found),
    ("standing::two_of_them_do_not_collide", two),
    ("standing::what_cannot_be_made_is_explained", refused),
];

/// The names of everything that a rehearsal has on this machine.
fn traces(id: &Id) -> Vec<String> {
    let listed = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let mut names = [listed("/run/netns"), listed("/run/everline-rehearsals")].concat();
    names.retain(|name| name.starts_with(&format!("everline-{id}-")) || name.starts_with(&format!("{id}.")));
    names.sort();
    names
}

/// A process that lives in a place until it is killed.
fn resident(net: &Rehearsal, place: Place) -> Child {
    let mut command = net.command(place, "sleep");
    let child = command.arg("infinity").stdin(Stdio::null()).spawn().expect("started");
    let home = fs::metadata(format!("/proc/{}/ns/net", std::process::id())).expect("ours");
    let is_inside = || {
        let now = fs::metadata(format!("/proc/{}/ns/net", child.id())).expect("its");
        (now.ino() != home.ino()).then_some(())
    };
    crate::net::until("the process is inside", is_inside);
    child
}

fn nothing_left() {
    let id: Id = "nothing".parse().expect("a name");
    let net = Rehearsal::make(&id, 2).expect("made");
    let namespaces =
        ["carriers", "h1", "h2", "phones", "stranger", "switch"].map(|place| format!("everline-nothing-{place}"));
    assert_eq!(traces(&id), [&namespaces[..], &["nothing.json".to_owned()]].concat());
    let mut sleeper = resident(&net, H2);
    Rehearsal::tear_down(&id).expect("torn down");
    assert_eq!(traces(&id), Vec::<String>::new());
    assert!(!sleeper.wait().expect("ended").success(), "it was killed");
    Rehearsal::tear_down(&id).expect("nothing to do");
    assert!(Rehearsal::find(&id).expect_err("gone").what.contains("no rehearsal `nothing`"));
    assert!(net.inside(H1, || ()).expect_err("gone").what.contains("no namespace everline-nothing-h1"));
}

fn predecessor() {
    let id: Id = "pre".parse().expect("a name");
    let net = Rehearsal::make(&id, 3).expect("made");
    let mut sleeper = resident(&net, Place::Host(3));
    net.fail(1).expect("failed");
    // It was killed before it had cleaned up, and before one of the names had got its namespace.
    fs::write("/run/netns/everline-pre-h9", "").expect("written");
    let net = Net::new("pre", 2);
    assert!(!sleeper.wait().expect("ended").success(), "it was killed");
    assert!(!traces(&net.id).iter().any(|name| name.contains("h3") || name.contains("h9")));
    net.way(H1, H2, Network::A).passes();
}

fn found() {
    let net = Net::new("found", 2);
    let same = Rehearsal::find(&net.id).expect("found");
    assert_eq!(same, *net);
    let cut = Stretch { from: H1, to: Place::Phones, one_way: true, networks: Vec::new() };
    same.change(&cut, Change::Cut).expect("cut");
    assert_eq!(net.conditions().expect("known").links().count(), 1);
}

fn two() {
    let (one, other) = (Net::new("two1", 1), Net::new("two2", 1));
    one.way(H1, Place::Phones, Network::Access).passes();
    other.way(H1, Place::Phones, Network::Access).passes();
    drop(one);
    other.way(Place::Phones, H1, Network::Access).passes();
}

fn refused() {
    let id: Id = "refused".parse().expect("a name");
    for hosts in [0, 13] {
        assert!(Rehearsal::make(&id, hosts).expect_err("not that many").remedy.contains("1 to 12"));
    }
    let net = Net::new("refused", 1);
    let link = Stretch { from: H1, to: H2, one_way: false, networks: Vec::new() };
    assert!(net.change(&link, Change::Cut).expect_err("no h2").remedy.contains("h1, phones, carriers, stranger"));
}
