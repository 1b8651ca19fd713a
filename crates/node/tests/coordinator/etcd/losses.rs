//! What is lost and comes back: a connection, room, the cluster, its members.

use node::client::Event;
use node::coordinator::Coordinator;
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};

use super::Host;
use super::gate::Gate;
use super::members::Members;
use crate::conformance::{ask, entry, event, revision, swap};

/// Changes the entry, however often the connection is lost meanwhile, and gives what stands there then.
pub(crate) fn insist(member: &mut dyn Coordinator, new: &PairEntry) -> Versioned {
    loop {
        let now = look(member);
        if let Some(now) = &now
            && now.entry == *new
        {
            return now.clone();
        }
        // What it gives is seen by the next look.
        try_swap(member, revision(&now), new.clone());
    }
}

/// The entry as it stands, however often the connection is lost meanwhile.
pub(crate) fn look(member: &mut dyn Coordinator) -> Option<Versioned> {
    loop {
        // Without a connection it is not sent, and there will be one.
        member.send(Request::Watch);
        loop {
            match event(member) {
                Event::Message(Reply::Entry(now)) => return now,
                Event::Message(Reply::Swapped { .. }) => {}
                Event::Connected => break,
                Event::Disconnected => {}
            }
        }
    }
}

/// The answer to a compare-and-swap; none if the connection is lost before it.
pub(crate) fn try_swap(
    member: &mut dyn Coordinator,
    expected: Option<u64>,
    new: PairEntry,
) -> Option<(bool, Option<Versioned>)> {
    if !member.send(Request::CompareAndSwap { expected, new }) {
        return None;
    }
    loop {
        match event(member) {
            Event::Message(Reply::Swapped { done, now }) => return Some((done, now)),
            Event::Message(Reply::Entry(_)) => {}
            Event::Connected | Event::Disconnected => return None,
        }
    }
}

pub(super) fn a_watch_that_was_cut_misses_nothing_after_a_compaction() {
    let members = Members::start(1, &[]);
    let etcd = &members.addresses()[0];
    let gate = Gate::to(etcd);
    let (far, near) = (Host::new(vec![gate.address()]), Host::new(vec![etcd.clone()]));
    let (mut watcher, mut writer) = (far.connected("sip"), near.connected("sip"));
    assert_eq!(ask(&mut *watcher, Request::Watch), Reply::Entry(None));
    let mut last = swap(&mut *writer, None, entry(1)).1;
    assert_eq!(hear(&mut *watcher), last);
    gate.turn(None);
    gate.wait_for(1);
    for epoch in 2..=20 {
        last = swap(&mut *writer, revision(&last), entry(epoch)).1;
    }
    let newest = revision(&last).unwrap();
    members.must(&["compact", &newest.to_string()]);
    gate.turn(Some(etcd));
    let mut told = 1;
    while told < 20 {
        let Some(now) = hear(&mut *watcher) else { panic!("the entry is there") };
        assert!(now.entry.epoch.0 >= told, "never an older one");
        told = now.entry.epoch.0;
    }
}

/// The next entry that a watcher hears of; it asks anew when its connection comes back.
fn hear(watcher: &mut dyn Coordinator) -> Option<Versioned> {
    loop {
        match event(watcher) {
            Event::Message(Reply::Entry(now)) => return now,
            Event::Connected => assert!(watcher.send(Request::Watch)),
            Event::Message(Reply::Swapped { .. }) | Event::Disconnected => {}
        }
    }
}

pub(super) fn a_full_one_refuses_changes_until_there_is_room() {
    let members = Members::start(1, &["--quota-backend-bytes=1048576"]);
    let host = Host::new(members.addresses());
    let mut member = host.connected("sip");
    let (done, first) = swap(&mut *member, None, entry(1));
    assert!(done);
    let lump = "x".repeat(100_000);
    let full = std::iter::repeat_with(|| members.ctl(&["put", "lump"], &lump)).find(|(done, _)| !done).unwrap();
    assert!(full.1.contains("space exceeded"), "{}", full.1);
    assert!(host.note().is_some_and(|note| note.contains("NOSPACE") && note.contains("alarm disarm")));

    assert!(member.send(Request::CompareAndSwap { expected: revision(&first), new: entry(2) }));
    assert_eq!(event(&mut *member), Event::Disconnected);
    assert_eq!(event(&mut *member), Event::Connected);
    assert_eq!(ask(&mut *member, Request::Watch), Reply::Entry(first.clone()), "it was not done, and reads go on");

    members.must(&["del", "lump"]);
    let said = members.must(&["get", "none", "--write-out=json"]);
    let now: serde_json::Value = serde_json::from_str(&said).unwrap();
    members.must(&["compact", &now["header"]["revision"].to_string()]);
    members.must(&["defrag"]);
    members.must(&["alarm", "disarm"]);
    assert_eq!(host.note(), None);
    assert_eq!(insist(&mut *member, &entry(2)).entry, entry(2));
}

pub(super) fn another_cluster_at_the_same_place_is_not_asked() {
    let (right, wrong) = (Members::start(1, &[]), Members::start(1, &[]));
    let gate = Gate::to(&right.addresses()[0]);
    let mut host = Host::new(vec![gate.address()]);
    let mut member = host.connected("sip");
    let (_, first) = swap(&mut *member, None, entry(1));
    gate.turn(Some(&wrong.addresses()[0]));
    assert_eq!(event(&mut *member), Event::Disconnected);
    gate.wait_for(3);
    // The file remembers it as well.
    host.stop();
    host.start();
    gate.turn(Some(&wrong.addresses()[0]));
    gate.wait_for(3);
    assert_eq!(member.poll(), None, "it has not connected");
    assert_eq!(wrong.must(&["get", "--prefix", "/everline"]), "");
    gate.turn(Some(&right.addresses()[0]));
    assert_eq!(look(&mut *member), first);
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
    let missed = |note: &String| note.starts_with("no member of etcd can be asked");
    let note = std::iter::repeat_with(|| host.note()).flatten().find(missed).expect("a note");
    assert!(members.addresses().iter().all(|address| note.contains(address)), "{note}");
    (0..3).for_each(|number| members.run(number));
    assert_eq!(event(&mut *idle), Event::Connected);
    // One member after the other is there again, until there is nothing to say.
    std::iter::from_fn(|| host.note()).for_each(drop);
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
