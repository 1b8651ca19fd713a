//! Mistakes that people make: what is said of each names its cause, and what is meant instead.

use crate::support::error;

const DUPLEX: &str = "parameter a = 1 per hour\nchain d {\n  up: u\n  u -> f at a\n  f -> u at 2*a\n}\n";

#[test]
fn a_measure_without_its_time_is_asked_for_the_time() {
    let tree = "tree t { event e fails at a; event g fails at a; top = e or g }\n";
    for (line, said) in [
        ("reliability of d", "9: `reliability` needs a time: as in `reliability of d at 1000 h`"),
        ("unreliability of d", "9: `unreliability` needs a time: as in `unreliability of d at 1000 h`"),
        ("unreliability of t", "9: `unreliability` needs a time: as in `unreliability of t at 1000 h`"),
        ("time of f in d", "9: `time of` needs an end: as in `time of S in M over 5 h`"),
        ("criticality of e in t", "down: ask at a time, `criticality of e in t at 1000 h`, or say how it is repaired"),
        ("probability of e in t", "down: ask at a time, `probability of e in t at 1000 h`, or"),
        ("unavailability of t", "down: ask at a time, `unavailability of t at 1000 h`, or"),
        ("downtime of t", "down: ask at a time, `unreliability of t at 1000 h`, or"),
        ("frequency of top in t", "down: ask at a time, `unreliability of t at 1000 h`, or"),
        ("frequency of top in t at 5 h", "31: `frequency` cannot have `at` here"),
    ] {
        let found = error(&format!("{DUPLEX}{tree}measure {line}"));
        assert!(found.starts_with("x.avail:8:") && found.contains(said), "{line}\n{found}");
    }
}
