//! Several hosts: what can go wrong there does so in a few seeds, and what must not be noticed is not.

use model::{Span, Time};
use redundancy::hot_standby::Sabotage;
use sim::outcome::{self, Outcome};
use sim::plan::{Direction, Fault, Ill, Kind, Layout, Plan, Reach, World};

/// Seeds in which everything must have happened.
const SEEDS: u64 = 250;

/// What stands on a ladder when it happens.
const HAPPENS: [&str; 20] = [
    "link over network 0",
    "link over network 1",
    "network 0 is Silent",
    "network 0 is Stuck",
    "network 1 is Stuck",
    "both cut for",
    "a-to-b cut for",
    "carries-beats for",
    "carries-short for",
    "slows",
    "loses",
    "isolated for",
    "host stands still",
    "ends: PowerLost",
    "will lead in",
    "asks the member on h",
    "compacts",
    "loses its coordinator",
    "Suspects",
    "retires: Superseded",
];

#[test]
fn everything_happens_in_a_few_seeds() {
    let ladders: String = (0..SEEDS)
        .map(|seed| outcome::run(&Plan::draw_world(World::ToyHosts, seed, Sabotage::None), true).ladder)
        .collect();
    let missing: Vec<&str> = HAPPENS.into_iter().filter(|what| !ladders.contains(what)).collect();
    assert_eq!(missing, [""; 0]);
}

const fn millis(millis: u64) -> Span {
    Span::from_millis(millis)
}

/// Runs a plan in which nothing else goes wrong.
fn run(faults: &[(u64, Kind)]) -> Outcome {
    let mut plan = Plan { world: World::ToyHosts, clients: 6, ..Plan::quiet(1, Layout::ThreeHosts) };
    plan.calm = Time::ZERO + Span::from_secs(3);
    plan.faults = faults.iter().map(|(at, kind)| Fault { at: Time::ZERO + millis(*at), kind: *kind }).collect();
    let outcome = outcome::run(&plan, true);
    assert_eq!(outcome.violation, None, "{}", outcome.ladder);
    outcome
}

const fn net(network: Option<u8>, hosts: [u8; 2], way: Direction, ill: Ill, span: Span) -> Kind {
    Kind::Net(Reach { network, hosts, way }, ill, span)
}

#[test]
fn whatever_one_network_does_the_other_one_carries_the_link() {
    let ills = [Ill::Cut, Ill::Loses(500), Ill::Slows(millis(120)), Ill::CarriesBeats, Ill::CarriesShort];
    for ill in ills {
        for way in [Direction::AToB, Direction::BToA, Direction::Both] {
            for network in [0, 1] {
                let outcome = run(&[(1_000, net(Some(network), [0, 1], way, ill, millis(900)))]);
                assert_eq!(outcome.takeovers, 1, "network {network} {way:?} {ill:?}\n{}", outcome.ladder);
            }
        }
    }
}

#[test]
fn the_loss_of_the_whole_coordinator_changes_nothing() {
    let away = |host| (1_000, Kind::MemberDown(host, millis(900)));
    let outcome = run(&[away(0), away(1), away(2)]);
    assert_eq!((outcome.takeovers, outcome.cold_starts), (1, 1), "{}", outcome.ladder);
}

/// When the first line after `from` stands on the ladder that has one of these words.
fn when(outcome: &Outcome, from: f64, words: &[&str]) -> f64 {
    let lines = outcome.ladder.lines().filter(|line| words.iter().any(|word| line.contains(word)));
    let times = lines.filter_map(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    times.into_iter().find(|at| *at >= from).unwrap_or_else(|| panic!("no {words:?} in\n{}", outcome.ladder))
}

/// The bound that the product states for the loss of a host. One of the hosts has the leader of the coordinator's members, and
/// another one is elected meanwhile.
#[test]
fn the_backup_serves_soon_after_its_primary_has_lost_its_host() {
    let mut elections = 0;
    for fault in [Kind::Power(0, millis(900)), Kind::Freeze(0, millis(900))] {
        let outcome = run(&[(1_000, fault)]);
        assert_eq!(outcome.takeovers, 2, "{}", outcome.ladder);
        let gap = when(&outcome, 1.0, &["serves e2"]) - 1.0;
        assert!(gap < 0.250, "{gap}\n{}", outcome.ladder);
        elections += usize::from(outcome.ladder.contains("will lead in"));
    }
    assert_eq!(elections, 2, "the scene is not the one that was meant");
}
