//! The coordinator that stands on etcd: the conformance test, and what only it can meet.

mod book;
mod certificates;
mod gate;
mod losses;
mod members;
mod races;
mod stand_in;

use std::path::PathBuf;

use node::coordinator::{Coordinator, EmbeddedCoordinator, EtcdServer, EtcdSettings, member, member::TlsFiles};
use redundancy::coordinator::Versioned;
use tempfile::TempDir;

use self::gate::Gate;
use self::members::{Members, SMALL};
use crate::Test;
use crate::conformance::{self, Played, Site, entry, swap};
use crate::serving::Serving;

pub(crate) const TESTS: &[Test] = &[
    ("etcd::one_member_keeps_the_contract", one_member_keeps_the_contract),
    (
        "etcd::three_members_keep_the_contract_without_their_leader",
        three_members_keep_the_contract_without_their_leader,
    ),
    (
        "etcd::with_certificates_the_contract_is_kept_and_without_nobody_comes_in",
        with_certificates_the_contract_is_kept_and_without_nobody_comes_in,
    ),
    ("etcd::a_change_is_done_once_while_the_leader_changes", races::a_change_is_done_once_while_the_leader_changes),
    ("etcd::a_full_one_says_so_until_there_is_room", losses::a_full_one_says_so_until_there_is_room),
    ("etcd::another_cluster_at_the_same_place_is_not_asked", losses::another_cluster_at_the_same_place_is_not_asked),
    ("etcd::all_members_may_go_and_come_back", losses::all_members_may_go_and_come_back),
    ("etcd::a_member_that_stands_still_is_left", losses::a_member_that_stands_still_is_left),
    ("etcd::a_member_beside_no_primary_leads", races::a_member_beside_no_primary_leads),
    ("etcd::of_two_changes_of_one_version_one_is_made", book::of_two_changes_of_one_version_one_is_made),
    ("etcd::a_minority_changes_nothing_and_says_so", book::a_minority_changes_nothing_and_says_so),
    ("etcd::many_changes_do_not_fill_it", book::many_changes_do_not_fill_it),
    ("etcd::a_place_where_nobody_answers_is_passed_over", losses::a_place_where_nobody_answers_is_passed_over),
];

/// These need no etcd.
pub(crate) const ON_A_STAND_IN: &[Test] =
    &[("etcd::one_that_is_too_old_is_named_with_its_version", losses::one_that_is_too_old_is_named_with_its_version)];

/// Changes that a watcher does not hear of before they are forgotten.
const FORGOTTEN: usize = 20;

/// What these tests lack on this machine.
pub(crate) fn missing() -> Option<String> {
    if let Err(trouble) = member::installed() {
        return Some(trouble.to_string());
    }
    let ctl = std::process::Command::new("etcdctl").arg("version").env("ETCDCTL_API", "3").output();
    ctl.err().map(|error| format!("cannot run `etcdctl`: {error} (install it: apt-get install etcd-client)"))
}

/// The control server of one host, as far as it is a coordinator.
pub(crate) struct Host {
    folder: TempDir,
    addresses: Vec<String>,
    seats: Vec<Vec<String>>,
    tls: Option<TlsFiles>,
    serving: Option<Serving>,
}

impl Host {
    /// A host that asks etcd at these addresses.
    pub(crate) fn new(addresses: Vec<String>) -> Self {
        Self::with_tls(addresses, None)
    }

    fn with_tls(addresses: Vec<String>, tls: Option<TlsFiles>) -> Self {
        Self::of(addresses, Vec::new(), tls)
    }

    /// The same, if these applications may run where the members are.
    pub(crate) fn with_seats(addresses: Vec<String>, seats: [&[&str]; 3]) -> Self {
        let seats = seats.map(|seat| seat.iter().map(ToString::to_string).collect());
        Self::of(addresses, seats.into(), None)
    }

    fn of(addresses: Vec<String>, seats: Vec<Vec<String>>, tls: Option<TlsFiles>) -> Self {
        let mut host = Self { folder: tempfile::tempdir().unwrap(), addresses, seats, tls, serving: None };
        host.start();
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&mut self) {
        let settings = EtcdSettings {
            addresses: self.addresses.clone(),
            seats: self.seats.clone(),
            hosts: Vec::new(),
            solution: "centre".into(),
            cluster: self.path("coordinator.cluster"),
            tls: self.tls.clone(),
        };
        let server = EtcdServer::open(&settings, &self.path("sock")).unwrap();
        self.serving = Some(Serving::start(Box::new(server)));
    }

    pub(crate) fn stop(&mut self) {
        self.serving = None;
    }

    /// What people are told next of the coordinator, or that there is nothing to tell any more.
    pub(crate) fn note(&self) -> Option<String> {
        self.serving.as_ref().expect("it serves").note()
    }

    /// The next thing of that kind that people are told.
    pub(crate) fn note_that(&self, wanted: impl Fn(&str) -> bool) -> String {
        std::iter::repeat_with(|| self.note()).flatten().find(|note| wanted(note)).expect("a note")
    }

    /// Waits until there is nothing to tell any more.
    pub(crate) fn is_quiet(&self) {
        while self.note().is_some() {}
    }

    /// A member of `pair` on this host.
    pub(crate) fn connect(&self, pair: &str) -> Box<dyn Coordinator> {
        Box::new(EmbeddedCoordinator::new(self.path("sock"), pair).unwrap())
    }

    /// The same, when it has connected.
    pub(crate) fn connected(&self, pair: &str) -> Box<dyn Coordinator> {
        let mut member = self.connect(pair);
        assert_eq!(conformance::event(&mut *member), node::client::Event::Connected);
        member
    }
}

/// A host and its etcd, between which there is a gate to each member.
struct OnEtcd {
    name: &'static str,
    host: Host,
    members: Members,
    gates: Vec<Gate>,
    /// What becomes of etcd when the coordinator is restarted.
    restart: fn(&mut Members),
    /// Who stands in the place of the members.
    impostor: Option<Members>,
}

impl OnEtcd {
    fn new(name: &'static str, members: Members, restart: fn(&mut Members)) -> Self {
        let gates: Vec<Gate> = members.addresses().iter().map(|address| Gate::to(address)).collect();
        let host = Host::with_tls(gates.iter().map(Gate::address).collect(), members.tls());
        Self { name, host, members, gates, restart, impostor: None }
    }

    /// Has the gates lead to the members again.
    fn open(&self) {
        self.gates.iter().zip(self.members.addresses()).for_each(|(gate, address)| gate.turn(Some(&address)));
    }

    /// Has them lead there, or nowhere, until so many have come to each.
    fn turn(&self, target: Option<&str>, callers: usize) {
        self.gates.iter().for_each(|gate| gate.turn(target));
        self.gates.iter().for_each(|gate| gate.wait_for(callers));
    }
}

impl Site for OnEtcd {
    fn name(&self) -> &'static str {
        self.name
    }

    fn connect(&self, pair: &str) -> Box<dyn Coordinator> {
        self.host.connect(pair)
    }

    fn restart(&mut self) {
        self.host.stop();
        (self.restart)(&mut self.members);
        self.host.start();
    }

    fn fill(&mut self) -> Played {
        self.members.fill();
        Ok(())
    }

    fn make_room(&mut self) {
        self.members.make_room();
    }

    fn compact(&mut self, pair: &str, mut now: Versioned) -> Played<Versioned> {
        let near = Host::with_tls(self.members.addresses(), self.members.tls());
        let mut writer = near.connected(pair);
        self.turn(None, 1);
        for _ in 0..FORGOTTEN {
            let (done, new) = swap(&mut *writer, Some(now.revision), entry(now.entry.epoch.0 + 1));
            assert!(done);
            now = new.expect("it stands there");
        }
        self.members.must(&["compact", &now.revision.to_string()]);
        self.open();
        Ok(now)
    }

    fn change_leader(&mut self) -> Played {
        if self.gates.len() == 1 {
            return Err("no other member can lead");
        }
        self.members.hand_over();
        Ok(())
    }

    fn impostor(&mut self) -> Played {
        let others = self.members.others();
        self.turn(Some(&others.addresses()[0]), 3);
        self.impostor = Some(others);
        Ok(())
    }

    fn dismiss(&mut self) {
        self.open();
        self.impostor = None;
    }
}

fn one_member_keeps_the_contract() {
    conformance::conformance(&mut OnEtcd::new("etcd with one member", Members::start(1, SMALL), start_again));
}

fn start_again(members: &mut Members) {
    members.kill(0);
    members.run(0);
}

fn with_certificates_the_contract_is_kept_and_without_nobody_comes_in() {
    let mut site = OnEtcd::new("etcd with certificates", Members::with_tls(SMALL), start_again);
    conformance::conformance(&mut site);
    let (let_in, said) = site.members.stranger(&["get", "key"]);
    assert!(!let_in, "etcdctl has no certificate: {said}");
}

fn three_members_keep_the_contract_without_their_leader() {
    let without_leader = |members: &mut Members| members.kill(members.leader());
    conformance::conformance(&mut OnEtcd::new("etcd with three members", Members::start(3, SMALL), without_leader));
}
