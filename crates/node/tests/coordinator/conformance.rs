//! What every coordinator must do, as one test that each implementation runs.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use model::{Epoch, Incarnation};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use node::client::Event;
use node::coordinator::Coordinator;
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};

/// Nothing takes longer than this, in milliseconds, however slow the machine is.
const LONGEST: u16 = 60_000;
/// How long nobody may be let in by somebody who must not be asked: many attempts to connect.
const SHUT_OUT: Duration = Duration::from_secs(1);
/// Changes of the leader while a change is asked for.
const LEADERS: u64 = 5;

/// What a site was asked to do has happened, or why that means nothing to it.
pub(crate) type Played<T = ()> = Result<T, &'static str>;

/// A coordinator under test, the ways to it, and what can happen to it.
pub(crate) trait Site {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// A new connection of a member of `pair`.
    fn connect(&self, pair: &str) -> Box<dyn Coordinator>;

    /// Ends the coordinator and starts it again on what it has kept; with several members it may go on without one of them.
    fn restart(&mut self);

    /// Fills it, so that it takes no change.
    fn fill(&mut self) -> Played;

    /// Makes room in one that is full.
    fn make_room(&mut self);

    /// Changes the entry of `pair`, which stands as `now`, many times, and forgets all that was before the last change. Who has
    /// connected is cut off before he has heard of that one. Gives what stands there then.
    fn compact(&mut self, pair: &str, now: Versioned) -> Played<Versioned>;

    /// Has somebody else decide from now on, in the midst of what is asked.
    fn change_leader(&mut self) -> Played;

    /// Puts somebody in its place who knows nothing of its entries, and was called.
    fn impostor(&mut self) -> Played;

    /// Sends that one away: it is in its own place again.
    fn dismiss(&mut self);
}

/// Checks the whole contract on a site that holds nothing yet.
pub(crate) fn conformance(site: &mut dyn Site) {
    an_entry_is_created_once(site);
    of_two_who_expect_the_same_one_succeeds(site);
    who_watches_is_told_each_change(site);
    answers_come_in_the_order_of_the_requests(site);
    a_full_one_refuses_changes_until_there_is_room(site);
    a_watch_misses_nothing_although_old_changes_are_forgotten(site);
    a_change_is_done_once_while_the_leader_changes(site);
    an_impostor_is_not_asked(site);
    what_was_done_survives_a_restart(site);
}

/// A case that means nothing to a site.
fn passed_over(site: &dyn Site, case: &str, why: &str) {
    eprintln!("not checked of {}: {case}: {why}", site.name());
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

fn a_full_one_refuses_changes_until_there_is_room(site: &mut dyn Site) {
    let mut member = connected(site, "room");
    let (done, first) = swap(&mut *member, None, entry(1));
    assert!(done);
    if let Err(why) = site.fill() {
        return passed_over(site, "a full one refuses changes until there is room", why);
    }
    assert!(member.send(Request::CompareAndSwap { expected: revision(&first), new: entry(2) }));
    assert_eq!(event(&mut *member), Event::Disconnected);
    assert_eq!(event(&mut *member), Event::Connected);
    assert_eq!(ask(&mut *member, Request::Watch), Reply::Entry(first), "it was not done, and reads go on");
    site.make_room();
    assert_eq!(insist(&mut *member, &entry(2)).entry, entry(2));
}

fn a_watch_misses_nothing_although_old_changes_are_forgotten(site: &mut dyn Site) {
    let mut watcher = connected(site, "compaction");
    assert_eq!(ask(&mut *watcher, Request::Watch), Reply::Entry(None));
    let (done, first) = swap(&mut *connected(site, "compaction"), None, entry(1));
    assert!(done);
    assert_eq!(hear(&mut *watcher), first);
    let mut told = first.expect("it was created");
    let newest = match site.compact("compaction", told.clone()) {
        Ok(newest) => newest,
        Err(why) => return passed_over(site, "a watch misses nothing although old changes are forgotten", why),
    };
    assert!(newest.revision > told.revision);
    while told != newest {
        let now = hear(&mut *watcher).expect("the entry is there");
        assert!(now.revision >= told.revision, "never an older one: {now:?} after {told:?}");
        told = now;
    }
}

fn a_change_is_done_once_while_the_leader_changes(site: &mut dyn Site) {
    let mut now: Option<Versioned> = None;
    for round in 1..=LEADERS {
        let expected = revision(&now);
        let mut racers = [connected(site, "leader"), connected(site, "leader")];
        for (who, racer) in (1..).zip(&mut racers) {
            assert!(racer.send(Request::CompareAndSwap { expected, new: entry(round * 10 + who) }));
        }
        if let Err(why) = site.change_leader() {
            return passed_over(site, "a change is done once while the leader changes", why);
        }
        let answers = racers.each_mut().map(|racer| answer(&mut **racer));
        let done: Vec<_> = answers.iter().flatten().filter(|(done, _)| *done).map(|(_, now)| now).collect();
        let stands = look(&mut *site.connect("leader"));
        assert!(done.len() <= 1, "of two who expect the same one is done: {answers:?}");
        assert!(done.iter().all(|now| **now == stands), "what was done stands: {answers:?}, but {stands:?}");
        // What has become of one whose answer was lost is unknown.
        let may_be_lost = done.is_empty() && answers.iter().any(Option::is_none);
        let is_new = revision(&stands) > expected;
        assert!(is_new || may_be_lost && revision(&stands) == expected, "{answers:?} to {expected:?}, but {stands:?}");
        now = stands;
    }
    assert_eq!(insist(&mut *connected(site, "leader"), &entry(9_999)).entry, entry(9_999));
}

fn an_impostor_is_not_asked(site: &mut dyn Site) {
    let mut member = connected(site, "impostor");
    let (done, first) = swap(&mut *member, None, entry(1));
    assert!(done);
    if let Err(why) = site.impostor() {
        return passed_over(site, "an impostor is not asked", why);
    }
    assert_eq!(event(&mut *member), Event::Disconnected);
    let end = Instant::now() + SHUT_OUT;
    while Instant::now() < end {
        assert_eq!(member.poll(), None, "it has not connected");
        std::thread::sleep(Duration::from_millis(20));
    }
    site.dismiss();
    assert_eq!(look(&mut *member), first);
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
    if member.send(Request::CompareAndSwap { expected, new }) { answer(member) } else { None }
}

/// The answer to a compare-and-swap that was sent; none if the connection is lost before it.
fn answer(member: &mut dyn Coordinator) -> Option<(bool, Option<Versioned>)> {
    loop {
        match event(member) {
            Event::Message(Reply::Swapped { done, now }) => return Some((done, now)),
            Event::Message(Reply::Entry(_)) => {}
            Event::Connected | Event::Disconnected => return None,
        }
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
