//! What a side begins with that was sent every record and not admitted, and how long one may take to begin (rule 15), checked step
//! by step.

use model::{Epoch, Incarnation, Kind, RecordKey, Span, Time};
use redundancy::change::{Aliases, Change, State};
use redundancy::coordinator::{PairEntry, Reply, Request, Versioned};
use redundancy::hot_standby::{Commit, Effect, Replica, RoleName, Settings, Stamp};

use super::mini::Mini;

/// When the link between the two is lost.
const LOST: Time = Time::from_micros(10_000_000);

fn replica(name: &str, peer: &str) -> Replica<Mini> {
    let me = Incarnation::new(name, 1);
    let mut replica = Replica::new(Mini::default(), Settings::new(me, Some(peer.into()), Commit::Published, 1));
    replica.coordinator_up();
    replica
}

fn entry(revision: u64, epoch: u64, primary: &str) -> Versioned {
    let primary = Incarnation::new(primary, 1);
    Versioned { revision, entry: PairEntry { epoch: Epoch(epoch), primary: primary.clone(), in_sync: vec![primary] } }
}

/// Passes frames between the two until they have nothing more to say; their other effects are what is returned.
fn talk(both: &mut [Replica<Mini>; 2]) -> Vec<Effect<super::mini::Said>> {
    let mut rest = Vec::new();
    loop {
        let mut frames = Vec::new();
        for (side, replica) in both.iter_mut().enumerate() {
            while replica.deadline() <= Time::ZERO {
                replica.tick(Time::ZERO);
            }
            for effect in replica.take_effects() {
                match effect {
                    Effect::Frame { bytes, .. } => frames.push((1 - side, bytes)),
                    other => rest.push(other),
                }
            }
        }
        if frames.is_empty() {
            return rest;
        }
        frames.iter().for_each(|(to, bytes)| both[*to].link_frame(Time::ZERO, bytes));
    }
}

/// A backup of epoch 1 that holds every record, counted to two, and was not admitted.
fn unadmitted() -> Replica<Mini> {
    let mut both = [replica("a", "b"), replica("b", "a")];
    for side in &mut both {
        side.coordinator_says(Time::ZERO, Reply::Entry(Some(entry(1, 1, "a"))));
    }
    both[0].cold_start(Time::ZERO, Time::ZERO, Epoch(0), std::iter::empty());
    talk(&mut both);
    both[1].link_up();
    talk(&mut both);
    for number in 1..=2 {
        both[0].input(Time::ZERO, number, Some(number), ());
        both[0].flush(Time::ZERO);
        talk(&mut both);
    }
    let [_, backup] = both;
    assert!(backup.status().complete && !backup.status().ready);
    assert_eq!(backup.status().sequence, 2);
    backup
}

/// The link is lost, the primary's end becomes known after `heard`, the coordinator can be asked after `asked`. Gives the
/// epoch that the backup asks for.
fn asks(backup: &mut Replica<Mini>, heard: Span, asked: Span) -> Option<Epoch> {
    backup.coordinator_down();
    backup.link_down(LOST);
    backup.ended(LOST + heard, &Incarnation::new("a", 1));
    backup.take_effects();
    backup.coordinator_up();
    backup.coordinator_says(LOST + asked, Reply::Entry(Some(entry(1, 1, "a"))));
    let begins = backup.status().complete;
    backup.take_effects().find_map(|effect| match effect {
        Effect::Ask(Request::CompareAndSwap { new, .. }) if begins => Some(new.epoch),
        _ => None,
    })
}

#[test]
fn the_newer_of_journal_and_held_record_counts() {
    for (stamp, stands) in [((1, 1), 2), ((1, 2), 2), ((1, 3), 9), ((0, 7), 2)] {
        let mut backup = unadmitted();
        assert_eq!(asks(&mut backup, Span::ZERO, Span::ZERO), Some(Epoch(2)));
        backup.coordinator_says(LOST, Reply::Swapped { done: true, now: Some(entry(2, 2, "b")) });
        let state = State { deadline: Time::NEVER, aliases: Aliases::new(), value: &[9] };
        let change = Change { key: RecordKey::new(Kind(1), 1), state: Some(state) };
        let stamp = Stamp { epoch: Epoch(stamp.0), sequence: stamp.1 };
        backup.cold_start(LOST, Time::ZERO, Epoch(1), std::iter::once((stamp, change)));
        assert_eq!(backup.engine_mut().counted(), stands, "{stamp:?}");
    }
}

#[test]
fn what_it_holds_is_too_old_if_the_primary_may_have_gone_on_for_a_second() {
    let (soon, late, long) = (Span::from_millis(900), Span::from_millis(1_000), Span::from_secs(3_600));
    assert_eq!(asks(&mut unadmitted(), soon, soon), Some(Epoch(2)));
    assert_eq!(asks(&mut unadmitted(), soon, long), Some(Epoch(2)), "nobody has served meanwhile");
    assert_eq!(asks(&mut unadmitted(), late, late), None);
}

#[test]
fn a_coordinator_that_has_forgotten_the_pair_is_not_asked_again_and_again() {
    let mut backup = unadmitted();
    assert_eq!(asks(&mut backup, Span::ZERO, Span::ZERO), Some(Epoch(2)));
    backup.coordinator_says(LOST, Reply::Swapped { done: false, now: None });
    assert!(backup.status().forgotten);
    backup.tick(LOST + Span::from_secs(1));
    assert!(!backup.take_effects().any(|effect| matches!(effect, Effect::Ask(_))));
}

/// How often it wants its journals read, and whether it waits for that.
fn reads(side: &mut Replica<Mini>) -> (usize, bool) {
    let wanted = side.take_effects().filter(|effect| matches!(effect, Effect::ReadJournals)).count();
    (wanted, side.awaits_journals())
}

#[test]
fn a_side_that_takes_long_to_begin_may_lose_its_turn_and_get_it_back() {
    let mut side = replica("a", "b");
    assert_eq!(reads(&mut side), (0, false));
    side.coordinator_says(LOST, Reply::Entry(Some(entry(1, 1, "a"))));
    assert_eq!(reads(&mut side), (1, true));
    side.coordinator_says(LOST, Reply::Entry(Some(entry(1, 1, "a"))));
    assert_eq!(reads(&mut side), (0, true), "it is told so once");
    // An operator promotes the other one meanwhile.
    side.coordinator_says(LOST, Reply::Entry(Some(entry(2, 3, "b"))));
    assert_eq!(reads(&mut side), (0, false));
    side.cold_start(LOST, Time::ZERO, Epoch(0), std::iter::empty());
    assert_eq!(side.status().role, RoleName::Starting, "it is not its turn");
    // That one ends.
    side.ended(LOST, &Incarnation::new("b", 1));
    side.coordinator_says(LOST, Reply::Swapped { done: true, now: Some(entry(3, 5, "a")) });
    assert_eq!(reads(&mut side), (1, true));
    side.cold_start(LOST, Time::ZERO, Epoch(0), std::iter::empty());
    assert_eq!((side.status().role, side.awaits_journals()), (RoleName::Primary, false));
}
