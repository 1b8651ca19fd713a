//! What every coordinator must do, as one test that each implementation runs.

use std::os::fd::AsFd;

use model::{Epoch, Incarnation};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use node::client::Event;
use node::coordinator::Coordinator;
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};

/// Nothing takes longer than this, in milliseconds, however slow the machine is.
const LONGEST: u16 = 60_000;

/// A coordinator under test, and the ways to it.
pub(crate) trait Site {
    /// A new connection of a member of `pair`.
    fn connect(&self, pair: &str) -> Box<dyn Coordinator>;

    /// Ends the coordinator and starts it again on what it has kept.
    fn restart(&mut self);
}

/// Checks the whole contract on a site that holds nothing yet.
pub(crate) fn conformance(site: &mut dyn Site) {
    an_entry_is_created_once(site);
    of_two_who_expect_the_same_one_succeeds(site);
    who_watches_is_told_each_change(site);
    answers_come_in_the_order_of_the_requests(site);
    what_was_done_survives_a_restart(site);
}

fn an_entry_is_created_once(site: &dyn Site) {
    let mut member = connected(site, "creation");
    assert_eq!(ask(&mut *member, Request::Watch), Reply::Entry(None));
    let (done, first) = swap(&mut *member, None, entry(1));
    assert!(done);
    assert_eq!(first.as_ref().map(|versioned| &versioned.entry), Some(&entry(1)));
    assert_eq!(message(&mut *member), Reply::Entry(first.clone()), "who watches is told its own change as well");
    assert_eq!(swap(&mut *member, None, entry(2)), (false, first));
    assert_eq!(ask(&mut *connected(site, "another pair"), Request::Watch), Reply::Entry(None));
}

fn of_two_who_expect_the_same_one_succeeds(site: &dyn Site) {
    let (mut one, mut other) = (connected(site, "race"), connected(site, "race"));
    let mut expected = None;
    for epoch in 0..50 {
        let request = |who| Request::CompareAndSwap { expected, new: entry(epoch * 10 + who) };
        assert!(one.send(request(1)) && other.send(request(2)));
        let (first, second) = (swapped(&mut *one), swapped(&mut *other));
        assert_ne!(first.0, second.0, "exactly one is done");
        let winner = if first.0 { &first } else { &second };
        let revision = winner.1.as_ref().map(|versioned| versioned.revision);
        assert!(revision > expected, "revisions grow: {revision:?} after {expected:?}");
        assert_eq!(winner.1.as_ref().map(|now| now.entry.epoch.0), Some(epoch * 10 + if first.0 { 1 } else { 2 }));
        expected = revision;
    }
    let old = expected.map(|revision| revision - 1);
    assert!(!swap(&mut *one, old, entry(9_999)).0, "a revision that is over is not expected by accident");
}

fn who_watches_is_told_each_change(site: &dyn Site) {
    let mut writer = connected(site, "watch");
    let mut watchers = [connected(site, "watch"), connected(site, "watch")];
    for watcher in &mut watchers {
        assert_eq!(ask(&mut **watcher, Request::Watch), Reply::Entry(None));
    }
    let mut last = None;
    for epoch in 1..=20 {
        let (done, now) =
            swap(&mut *writer, last.as_ref().map(|versioned: &Versioned| versioned.revision), entry(epoch));
        assert!(done);
        last = now;
    }
    for watcher in &mut watchers {
        let mut revision = 0;
        loop {
            let Reply::Entry(Some(told)) = message(&mut **watcher) else { panic!("only entries were asked for") };
            assert!(told.revision > revision, "in the order of the revisions");
            revision = told.revision;
            if Some(&told) == last.as_ref() {
                break;
            }
        }
    }
}

fn answers_come_in_the_order_of_the_requests(site: &dyn Site) {
    let mut member = connected(site, "order");
    for epoch in 1..=20 {
        // Only the first one expects what is there.
        assert!(member.send(Request::CompareAndSwap { expected: None, new: entry(epoch) }));
    }
    assert!(member.send(Request::Watch));
    let outcomes: Vec<bool> = (0..20).map(|_| swapped(&mut *member).0).collect();
    assert!(outcomes[0] && !outcomes[1..].contains(&true), "{outcomes:?}");
    assert!(matches!(message(&mut *member), Reply::Entry(Some(now)) if now.entry == entry(1)));
}

fn what_was_done_survives_a_restart(site: &mut dyn Site) {
    let mut member = connected(site, "restart");
    let (_, first) = swap(&mut *member, None, entry(1));
    let (done, second) = swap(&mut *member, revision(&first), entry(2));
    assert!(done);
    site.restart();
    assert_eq!(event(&mut *member), Event::Disconnected);
    assert_eq!(event(&mut *member), Event::Connected);
    assert_eq!(ask(&mut *member, Request::Watch), Reply::Entry(second.clone()));
    assert!(!swap(&mut *member, revision(&first), entry(3)).0);
    let (done, third) = swap(&mut *member, revision(&second), entry(3));
    assert!(done && revision(&third) > revision(&second));
}

pub(crate) fn entry(epoch: u64) -> PairEntry {
    let primary = Incarnation::new("sip-a", epoch);
    PairEntry { epoch: Epoch(epoch), in_sync: vec![primary.clone(), Incarnation::new("sip-b", 1)], primary }
}

pub(crate) fn revision(versioned: &Option<Versioned>) -> Option<u64> {
    versioned.as_ref().map(|versioned| versioned.revision)
}

pub(crate) fn connected(site: &dyn Site, pair: &str) -> Box<dyn Coordinator> {
    let mut member = site.connect(pair);
    assert_eq!(event(&mut *member), Event::Connected);
    member
}

pub(crate) fn ask(member: &mut dyn Coordinator, request: Request) -> Reply {
    assert!(member.send(request));
    message(member)
}

pub(crate) fn swap(member: &mut dyn Coordinator, expected: Option<u64>, new: PairEntry) -> (bool, Option<Versioned>) {
    assert!(member.send(Request::CompareAndSwap { expected, new }));
    swapped(member)
}

/// The answer to a compare-and-swap; what a watch tells meanwhile is passed over.
fn swapped(member: &mut dyn Coordinator) -> (bool, Option<Versioned>) {
    loop {
        if let Reply::Swapped { done, now } = message(member) {
            return (done, now);
        }
    }
}

fn message(member: &mut dyn Coordinator) -> Reply {
    match event(member) {
        Event::Message(reply) => reply,
        other => panic!("the connection should stand, but: {other:?}"),
    }
}

pub(crate) fn event(member: &mut dyn Coordinator) -> Event<Reply> {
    loop {
        if let Some(event) = member.poll() {
            return event;
        }
        let happened = poll(&mut [PollFd::new(member.as_fd(), PollFlags::POLLIN)], PollTimeout::from(LONGEST)).unwrap();
        assert!(happened > 0, "nothing has happened for {LONGEST} ms");
    }
}
