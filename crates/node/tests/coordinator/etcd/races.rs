//! Two hosts that change one entry while the members of etcd change their leader, and one of them dies.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use model::{Epoch, Incarnation};
use redundancy::coordinator::PairEntry;

use super::Host;
use super::members::Members;
use crate::conformance::{entry, insist, look, revision, try_swap};

/// Changes that each of the two makes.
const CHANGES: usize = 150;

/// Nothing takes longer than this, however slow the machine is.
const LONGEST: Duration = Duration::from_secs(60);

/// A change that was answered as done: the revision that was expected, and the one that it got.
type Done = (u64, u64);

pub(super) fn a_change_is_done_once_while_the_leader_changes() {
    let mut members = Members::start(3, &[]);
    let mut addresses = members.addresses();
    let hosts = [0, 1].map(|_| {
        addresses.rotate_left(1);
        Host::new(addresses.clone())
    });
    let mut done: Vec<Done> = std::thread::scope(|scope| {
        let (teller, changes) = mpsc::channel();
        let racers = [0, 1].map(|racer| {
            let (host, teller) = (&hosts[racer], teller.clone());
            scope.spawn(move || race(host, racer as u64, &teller))
        });
        for _ in 0..5 {
            wait_for(&changes, CHANGES / 5);
            members.hand_over();
        }
        let leader = members.leader();
        members.kill(leader);
        wait_for(&changes, CHANGES / 2);
        members.run(leader);
        racers.into_iter().flat_map(|racer| racer.join().unwrap()).collect()
    });
    done.sort_by_key(|(_, new)| *new);
    for pair in done.windows(2) {
        let [(_, before), (expected, new)] = pair else { unreachable!() };
        // One whose answer was lost may lie in between.
        assert!(before <= expected && expected < new, "{new} was made of {expected}, and so forgot {before}");
    }
}

pub(super) fn a_member_beside_no_primary_leads() {
    let members = Members::start(3, &[]);
    let leader = members.leader();
    let mut addresses = members.addresses();
    addresses.rotate_left(leader);
    let host = Host::with_seats(addresses, [&["sip-a", "routing-a"], &["sip-b", "routing-b"], &[]]);
    let primary = |pair: &str, application: &str| {
        let primary = Incarnation::new(application, 1);
        insist(&mut *host.connected(pair), &PairEntry { epoch: Epoch(1), in_sync: vec![primary.clone()], primary });
    };
    primary("sip", "sip-a");
    primary("routing", "routing-b");
    let third = (leader + 2) % 3;
    let end = Instant::now() + LONGEST;
    while members.leader() != third {
        assert!(Instant::now() < end, "it leads still, or the host of another primary does");
        std::thread::yield_now();
    }
}

/// Changes the entry as often as it takes, and gives what was done for certain.
fn race(host: &Host, racer: u64, teller: &Sender<()>) -> Vec<Done> {
    let mut member = host.connected("sip");
    let mut done = Vec::new();
    let mut now = look(&mut *member);
    for epoch in 0.. {
        if done.len() == CHANGES {
            break;
        }
        let expected = revision(&now);
        now = match try_swap(&mut *member, expected, entry(epoch * 2 + racer)) {
            Some((true, new)) => {
                done.push((expected.unwrap_or(0), revision(&new).unwrap()));
                teller.send(()).unwrap();
                new
            }
            Some((false, new)) => new,
            None => look(&mut *member),
        };
    }
    done
}

fn wait_for(changes: &Receiver<()>, count: usize) {
    (0..count).for_each(|_| changes.recv_timeout(LONGEST).unwrap());
}
