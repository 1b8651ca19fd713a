//! Mistakes that people make: what is said of each names its cause, and what is meant instead.

use crate::support::{assert_sure, error, model, solved};

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

#[test]
fn what_stands_behind_a_number_and_is_no_unit_is_said_to_be_none() {
    for (text, said) in [
        ("parameter a = 5 hrs", "x.avail:1:17: `hrs` is no unit; did you mean `h`?: units are ms, s, min, h"),
        ("parameter a = 5 H", "x.avail:1:17: `H` is no unit; did you mean `h`?"),
        ("parameter a = 10 FITs", "x.avail:1:18: `FITs` is no unit; did you mean `FIT`?"),
        ("parameter a = 2 yrs between 1 h and 3 h", "x.avail:1:17: `yrs` is no unit; did you mean `years`?"),
        ("let a = 1/(5 hrs)", "x.avail:1:14: `hrs` is no unit"),
        ("chain c { a -> b at 10 FITs\n b -> a at 1/h }", "x.avail:1:24: `FITs` is no unit"),
        ("tree t { event a fails at 10 FITs\n event b probability 0.1 }", "x.avail:1:30: `FITs` is no unit"),
        ("tree t { event a fails at 10 FITs }", "x.avail:1:30: `FITs` is no unit"),
        ("graph g { from a to b; a -> b fails at 10 FITs\n b -> c probability 0.1 }", "`FITs` is no unit"),
        ("rules r { x : 0..1 start 0; when x = 0 then x := 1 at 2 FITs\n up: x = 0 }", "`FITs` is no unit"),
        ("parameter a = 2,5 h", "x.avail:1:15: `2,5` has a comma in it: a decimal point is written `.`"),
        ("parameter a = 2 ~ uniform(low = 1,5, high = 3)", "x.avail:1:33: `1,5` has a comma in it"),
        ("chain c { a -> b at 2,5 per h }", "x.avail:1:21: `2,5` has a comma in it"),
        // These are other mistakes.
        ("parameter a = 5 paramter b = 2", "`paramter` begins no statement; did you mean `parameter`?"),
        ("tree t { event d probability 0.1 repaired at 1/h }", "`at` is not expected here: expected is `=`"),
    ] {
        let found = error(text);
        assert!(found.contains(said), "{text}\n{found}");
    }
}

#[test]
fn a_rate_that_is_missing_is_missed_behind_its_word() {
    for (text, said) in [
        ("chain c { a -> b at\n b -> a at 1/h }", "x.avail:1:20: no rate stands behind `at`: a rate is written"),
        ("chain c { a[1] -> a[2] at\n a[2] -> a[1] at 1/h }", "x.avail:1:26: no rate"),
        ("chain c { a -> b at }", "x.avail:1:20: no rate"),
        ("tree t { event a fails at\n event b probability 0.1 }", "x.avail:1:26: no rate"),
        ("tree t { event a fails at 1/h, repaired at\n top = a }", "x.avail:1:43: no rate"),
        ("rules r { x : 0..1 start 0\n when x = 0 then x := 1 at\n up: x = 0 }", "x.avail:2:27: no rate"),
    ] {
        let found = error(text);
        assert!(found.contains(said), "{text}\n{found}");
    }
    // A rate may stand in the line behind.
    let found = error("parameter r = 1/h\nchain c { a -> b at\n r\n b -> a at\n 2*r }\nmeasure unavailability of c");
    assert!(found.contains("does not say which states are up"), "{found}");
}

#[test]
fn a_name_that_would_mean_two_sets_of_states_is_refused() {
    let chain = |lines: &str| {
        let arcs = "a -> b at 1/h; b -> c at 1/h; c -> a at 3/h";
        error(&format!("chain c {{ up: a; {arcs}\n {lines} }}\nmeasure probability of down in c"))
    };
    let found = chain("label down: a");
    assert!(found.starts_with("x.avail:2:8: `down` is no label: it names the down states of a model"), "{found}");
    assert!(found.contains("or mark the states with `down:`"), "{found}");
    assert!(chain("label b: a, c").starts_with("x.avail:2:8: `b` is a state already"));
    assert!(chain("c -> up at 1/h; up -> a at 1/h").starts_with("x.avail:2:7: the state `up` is down"));
    let found = error("rules r { x : 0..1 start 0; when x = 0 then x := 1 at 1/h\n label up = x = 0; up: x = 0 }");
    assert!(found.starts_with("x.avail:2:8: `up` is no label"), "{found}");
    let found = chain("c -> down at 1/h; down -> a at 1/h");
    assert!(found.starts_with("x.avail:3:24: `down` is one state here, and all down states are called so"), "{found}");
    // One that is all of them means the same.
    let text = "chain c { up: up; up -> down at 1/h; down -> up at 3/h }\nmeasure d = probability of down in c";
    assert_sure("down", solved(&model(text, &[]))["d"], 0.25);
}

#[test]
fn a_range_with_its_ends_the_wrong_way_round_is_said_to_be_so() {
    let found = error("parameter a = 5 h between 10 h and 3 h");
    let said = "x.avail:1:27: the ends of this range are the wrong way round: write `between 3 h and 10 h`";
    assert!(found.starts_with(said), "{found}");
}

#[test]
fn what_has_no_value_is_told_with_its_cause() {
    for (text, said) in [
        ("measure a = ln(-1)", "x.avail:1:9: `a` has no value: in it is the logarithm of -1: ask for the parts"),
        ("measure a = ln(0)", "`a` is infinite: in it is the logarithm of 0"),
        ("measure a = 2*sqrt(-1)", "`a` has no value: in it is the square root of -1"),
        ("measure a = 1e200*1e200", "in it is a number larger than 1e308"),
        ("measure a = 1e200*1e200 - exp(1000)", "in it is a number larger than 1e308"),
        ("measure a = (-2)^0.5", "`a` has no value: in it is -2 to the power 0.5"),
        ("parameter x = 1\nmeasure a = ln(1 - 3*x)", "x.avail:2:9: `a` has no value: in it is the logarithm of -2"),
        ("parameter x = 1\nmeasure a = 3/(x - 1)", "`a` is infinite: in it is 3 divided by 0"),
        ("parameter x = 1\nmeasure a = if(x > 2, ln(x), sqrt(-x))", "in it is the square root of -1"),
        ("parameter a = sqrt(-1)", "x.avail:1:15: this is no number: in it is the square root of -1"),
        ("chain c { a -> b at ln(-1)/(1 h) }", "x.avail:1:21: the rate from `a` to `b` is NaN"),
    ] {
        let found = error(text);
        assert!(found.contains(said), "{text}\n{found}");
    }
    // What is not needed may have no value.
    let found = solved(&model("measure a = if(1 > 2, ln(-1), 5)", &[]));
    assert_sure("a", found["a"], 5.0);
}

#[test]
fn what_a_chain_lacks_is_told_at_its_state_with_the_measure_that_asks() {
    let chain = |lines: &str, measure: &str| {
        error(&format!("chain c {{ up: a\n a -> b at 1/h\n {lines} }}\nmeasure states of c\nmeasure m = {measure}"))
    };
    let found = chain("", "1 + unavailability of c");
    let said = "x.avail:2:7: state 'b' is absorbing: no arc with a positive rate leaves it (asked by `m`): a steady";
    assert!(found.starts_with(said), "{found}");
    let found = chain("b -> a at 2/h; for k in 1..2 { x[k] -> a at 1/h }", "unavailability of c");
    assert!(found.starts_with("x.avail:3:33: state 'x[1]' cannot be reached from 'a' (asked by `m`)"), "{found}");
    let found = chain("b -> d at 2/h; d -> b at 2/h; a -> f at 1/h; f -> a at 1/h", "time to f in c");
    assert!(found.starts_with("x.avail:2:7: from state 'b' the end of the passage is never reached (asked"), "{found}");
}

#[test]
fn a_count_without_its_words_is_given_them() {
    let events = "for i in 1..3 { event e[i] probability 0.1 }";
    for (logic, said) in [
        ("2 of (e[1], e[2], e[3])", "x.avail:2:8: `2 of` counts nothing: write `at least 2 of a, b, c`"),
        ("2 of e[*]", "x.avail:2:8: `2 of` counts nothing"),
        ("e[1] and (2 of e[*])", "x.avail:2:18: `2 of` counts nothing"),
        ("2 out of e[*]", "x.avail:2:8: `2 out` counts nothing: write `at least 2 of a, b, c`"),
        ("2oo3(e[1], e[2], e[3])", "x.avail:2:8: `2 oo3` counts nothing"),
    ] {
        let found = error(&format!("tree t {{ {events}\n top = {logic} }}"));
        assert!(found.starts_with(said), "{logic}\n{found}");
    }
    let found = error("blocks b { for i in 1..3 { block e[i] probability 0.1 }\n works = 2 of e[*] }");
    assert!(found.starts_with("x.avail:2:10: `2 of` counts nothing"), "{found}");
    let found = error("tree t { event d = 0.01 }");
    assert!(found.starts_with("x.avail:1:18: `=` does not say how `d` fails: write `event d prob"), "{found}");
    assert!(found.contains("; a gate has no `event` before it"), "{found}");
}
