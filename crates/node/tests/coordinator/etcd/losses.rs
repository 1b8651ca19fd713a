//! What is lost and comes back: a connection, room, the cluster, its members.

use node::client::Event;
use redundancy::coordinator::Request;

use super::gate::Gate;
use super::members::{Members, SMALL};
use super::{Host, stand_in};
use crate::conformance::{entry, event, insist, look, revision, swap};

/// The common part of it is one of the cases of the contract.
pub(super) fn a_full_one_says_so_until_there_is_room() {
    let members = Members::start(1, SMALL);
    let host = Host::new(members.addresses());
    assert!(swap(&mut *host.connected("sip"), None, entry(1)).0);
    members.fill();
    let note = host.note_that(|note| note.contains("NOSPACE"));
    assert!(note.contains("nor take over from a host that is gone") && note.contains("alarm disarm"), "{note}");
    members.make_room();
    host.is_quiet();
}

/// The common part of it is one of the cases of the contract.
pub(super) fn another_cluster_at_the_same_place_is_not_asked() {
    let right = Members::start(1, &[]);
    let wrong = right.others();
    let gate = Gate::to(&right.addresses()[0]);
    let mut host = Host::new(vec![gate.address()]);
    let mut member = host.connected("sip");
    let (_, first) = swap(&mut *member, None, entry(1));
    gate.turn(Some(&wrong.addresses()[0]));
    assert_eq!(event(&mut *member), Event::Disconnected);
    is_told_of_another_cluster(&host, &gate);
    // The file remembers it as well.
    host.stop();
    host.start();
    is_told_of_another_cluster(&host, &gate);
    assert_eq!(member.poll(), None, "it has not connected");
    assert_eq!(wrong.must(&["get", "--prefix", "/everline"]), "");
    gate.turn(Some(&right.addresses()[0]));
    assert_eq!(look(&mut *member), first);
    host.is_quiet();
}

/// People are told why nobody is asked, and what to do about that and nothing else.
fn is_told_of_another_cluster(host: &Host, gate: &Gate) {
    let at = format!("; etcd at {} cannot be the coordinator: it belongs to the cluster ", gate.address());
    let note = host.note_that(|note| note.starts_with("no member of etcd can be asked: ") && note.contains(&at));
    assert!(note.contains("but the entries of this solution are in "), "{note}");
    assert!(note.contains("(look at the addresses of etcd; "), "{note}");
    assert!(note.contains("coordinator.cluster") && !note.contains("a majority of"), "{note}");
}

/// The same of one that is too old, until it is gone.
pub(super) fn one_that_is_too_old_is_named_with_its_version() {
    let gate = Gate::to(&stand_in::of_version("3.3.27"));
    let host = Host::new(vec![gate.address()]);
    let why = "it is etcd 3.3.27, and Everline needs 3.4 or newer (install a newer one; the data can stay)";
    let end = format!("; etcd at {} cannot be the coordinator: {why}", gate.address());
    host.note_that(|note| note.starts_with("no member of etcd can be asked: ") && note.ends_with(&end));
    assert_eq!(host.connect("sip").poll(), None, "nobody listens");
    gate.turn(None);
    host.note_that(|note| note.contains("a majority of") && !note.contains("3.3.27"));
}

pub(super) fn all_members_may_go_and_come_back() {
    let mut members = Members::start(3, &[]);
    let host = Host::new(members.addresses());
    let (mut idle, mut waiting) = (host.connected("sip"), host.connected("sip"));
    let (_, first) = swap(&mut *waiting, None, entry(1));
    (0..3).for_each(|number| members.kill(number));
    assert!(waiting.send(Request::CompareAndSwap { expected: revision(&first), new: entry(2) }));
    assert_eq!(event(&mut *waiting), Event::Disconnected);
    assert_eq!(event(&mut *idle), Event::Disconnected, "nobody can be asked any more");
    // Before that it may say that it lacks some of them, or no more that it did when it began.
    let note = host.note_that(|note| note.starts_with("no member of etcd can be asked"));
    assert!(members.addresses().iter().all(|address| note.contains(address)), "{note}");
    (0..3).for_each(|number| members.run(number));
    assert_eq!(event(&mut *idle), Event::Connected);
    // One member after the other is there again, until there is nothing to say.
    host.is_quiet();
    assert_eq!(insist(&mut *waiting, &entry(3)).entry, entry(3));
    assert_eq!(look(&mut *idle).map(|now| now.entry), Some(entry(3)));
}

pub(super) fn a_member_that_stands_still_is_left() {
    let members = Members::start(3, &[]);
    let host = Host::new(members.addresses());
    let (mut watcher, mut writer) = (host.connected("sip"), host.connected("sip"));
    insist(&mut *writer, &entry(1));
    assert!(look(&mut *watcher).is_some());
    // The first one is the one that is asked.
    members.freeze(0, true);
    assert_eq!(insist(&mut *writer, &entry(2)).entry, entry(2));
    assert_eq!(look(&mut *watcher).map(|now| now.entry), Some(entry(2)));
    members.freeze(0, false);
}

pub(super) fn a_place_where_nobody_answers_is_passed_over() {
    let members = Members::start(1, &[]);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        listener.local_addr().unwrap()
    };
    let mut addresses = vec![silent.local_addr().unwrap().to_string(), closed.to_string()];
    addresses.extend(members.addresses());
    let host = Host::new(addresses);
    let mut member = host.connected("sip");
    assert!(swap(&mut *member, None, entry(1)).0);
}
