//! Chains of many states in a row, against their closed forms.

use availability::Certain;

use crate::support::{error, model, solved};

/// A queue as rules: arrivals at one rate, services at another, at most so many in it.
fn queue(most: u32, arrives: &str, served: &str, up: &str) -> String {
    format!(
        "rules q {{ s : 0..{most} start 0
        when s < {most} then s := s + 1 at {arrives} per hour
        when s > 0 then s := s - 1 at {served} per hour
        up: {up} }}
        measure unavailability of q"
    )
}

fn only(text: &str) -> Certain {
    *solved(&model(text, &[])).values().next().expect("a measure")
}

#[track_caller]
fn assert_near(what: &str, found: Certain, expected: f64) {
    let error = (found.value / expected - 1.0).abs();
    assert!(error < 1e-12 && error <= found.relative_error + 1e-14, "{what}: {found:?} instead of {expected:e}");
    assert!(found.relative_error < 1e-10, "{what}: {found:?}");
}

#[test]
fn a_long_queue_has_its_geometric_probabilities() {
    for (most, arrives, served) in [(5_000, 1.0_f64, 1.5_f64), (3_500, 9.0, 10.0), (20_000, 1.0, 2.0)] {
        let text = queue(most, &arrives.to_string(), &served.to_string(), "s < 30");
        // What is cut off is below 1e-150.
        assert_near(&text, only(&text), (arrives / served).powi(30));
    }
    // All are alike probable.
    let text = queue(20_000, "1", "1", "s < 6000");
    assert_near(&text, only(&text), 14_001.0 / 20_001.0);
}

#[test]
fn a_hundred_servers_let_as_many_wait_as_erlang_says() {
    let text = queue(4_000, "90", "min(s, 100)", "s < 100").replace("per hour", "* clock");
    let text = format!("parameter clock = 1 per hour\n{text}\nmeasure waiting = erlang_c(100, 90)");
    let found = solved(&model(&text, &[]));
    assert_near(&text, found["unavailability of q"], found["waiting"].value);
}

#[test]
fn a_long_queue_beside_a_server_that_fails_is_solved() {
    let text = "rules q { s : 0..2000 start 0; works : bool start true
        when s < 2000 then s := s + 1 at 1 per hour
        [serve] when s > 0 and works then s := s - 1 at 3 per hour
        when works then works := false at 1 per 8 h
        when not works then works := true at 1 per hour
        reward served: [serve] 1 }
        measure served = reward served of q";
    // Who comes is served, since it is never full.
    assert_near(text, only(text), 1.0);
}

#[test]
fn a_chain_of_many_states_written_in_a_loop_is_solved() {
    let text = "chain c {
        for i in 0..19999 { s[i] -> s[i+1] at 1 per hour; s[i+1] -> s[i] at 2 per hour; reward served: s[i+1] -> s[i] = 1 }
        down: s[30] }
        measure unavailability of c
        measure served = reward served of c";
    let found = solved(&model(text, &[]));
    assert_near("P(s[30])", found["unavailability of c"], 2.0_f64.powi(-31));
    assert_near("served", found["served"], 1.0);
}

/// Thirteen states wide, so that it is iterated first, which leaves few digits.
#[test]
fn what_iteration_does_not_prove_is_eliminated() {
    let text = queue(330, "1", "1.5", "s < 30").replace(
        "up:",
        "t : 0..12 start 0
        when t < 12 then t := t + 1 at 1 per hour
        when t > 0 then t := t - 1 at 1.5 per hour
        up:",
    );
    assert_near(&text, only(&text), (2.0_f64 / 3.0).powi(30));
}

#[test]
fn only_a_chain_that_is_reducible_is_called_so() {
    let found = error(&queue(5_000, "1", "1.5", "s < 30").replace("s > 0", "s > 0 and s != 4000"));
    assert!(found.contains("the chain is reducible: from state 's=4000' no way leads back to 's=0'"), "{found}");
}
