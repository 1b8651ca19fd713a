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
        if by_party(&survived) != by_party(&ladder) {
            panic!("a takeover after input {crash_at} of {inputs} shows:\n{survived}");
        }
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
    };
}

scripts! {
    basic_call,
    register,
}
