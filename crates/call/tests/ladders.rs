//! Scripts of calls, each with the ladder of messages that must come of it: once undisturbed, and once more for every
//! input after which the primary could be killed.

mod world;

use std::collections::BTreeMap;

/// The lines of a ladder by who speaks or hears them: between different parties nobody can tell the order.
fn by_party(ladder: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut parties: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in ladder.lines() {
        let party = line.split_whitespace().nth(1).unwrap_or_default();
        parties.entry(party).or_default().push(line);
    }
    parties
}

fn check(name: &str, script: &str) {
    let (ladder, inputs) = world::run(script, None);
    insta::assert_snapshot!(name, ladder);
    for crash_at in 1..=inputs {
        let (survived, _) = world::run(script, Some(crash_at));
        let (expected, found) = (by_party(&ladder), by_party(&survived));
        for (party, lines) in &expected {
            let other = found.get(party).map_or(&[][..], Vec::as_slice);
            let differs = lines.iter().zip(other).find(|(left, right)| left != right);
            assert!(
                lines.as_slice() == other,
                "a takeover after input {crash_at} of {inputs} shows to {party}: {differs:#?} ({} lines, then {})",
                lines.len(),
                other.len()
            );
        }
        assert_eq!(expected.len(), found.len(), "a takeover after input {crash_at} brings in somebody else");
    }
}

/// Seeds with which each script runs on a bad line.
const SEEDS: u64 = 40;

/// Nothing may panic, and nothing may be left behind for ever, whatever comes.
fn check_noisy(script: &str) {
    for seed in 0..SEEDS {
        world::run_noisy(script, seed, Some(seed as usize * 3));
    }
}

macro_rules! scripts {
    ($($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), include_str!(concat!("scripts/", stringify!($name), ".txt")));
            }
        )*

        #[test]
        fn every_script_on_a_bad_line() {
            $(check_noisy(include_str!(concat!("scripts/", stringify!($name), ".txt")));)*
        }
    };
}

scripts! {
    agents,
    basic_call,
    caller_proves,
    cancel,
    challenged,
    closing,
    crossing,
    day_and_night,
    doubt,
    early_dialogs,
    expires,
    flows,
    fork,
    identity,
    inside,
    late_answer,
    loops,
    moved,
    moved_early,
    moved_tcp,
    options,
    probe,
    no_contact,
    queue,
    queue_stale_offer,
    queue_without_routing,
    register,
    registrar,
    reinvite,
    reliable,
    repeats,
    tcp,
    trunk,
    unanswered,
}
