//! Erlang B, C and A against the reference file erlang-b-c-a, and capacity that fails against sums by hand.

mod reference;

use availability::capacity::{
    ErlangA, ErlangC, Levels, agents_for_answer_share, erlang_b, erlang_b_slope, fresh_traffic, servers_for_loss,
    traffic_for_loss,
};
use reference::{Case, number};

/// Arguments are rounded to binary64: in the worst case here, B(1000, 500) = 1.7e-86, that moves B by 500 roundings of
/// 1.1e-16, since d ln B / d ln a is n - a.
const TOLERANCE: f64 = 1e-13;

fn close(what: &str, value: f64, expected: f64) {
    let error = (value - expected).abs() / expected.abs();
    assert!(error <= TOLERANCE, "{what}: {value:e} for {expected:e}, off by {error:.1e}");
}

fn cases(group: &str) -> Vec<(String, Case)> {
    let all = reference::read("erlang-b-c-a");
    let group = all["expected"][group].as_object().expect("cases").clone();
    group.into_iter().collect()
}

/// The value of `name=...` in the name of a case; fractions such as 1/3 are divided.
fn argument(name: &str, key: &str) -> f64 {
    let start = name.find(&format!("{key}=")).unwrap_or_else(|| panic!("{name} has no {key}")) + key.len() + 1;
    let text: String = name[start..].chars().take_while(|c| c.is_ascii_digit() || "./".contains(*c)).collect();
    let parts: Vec<f64> = text.split('/').filter_map(|part| part.parse().ok()).collect();
    parts.iter().skip(1).fold(parts[0], |value, part| value / part)
}

#[test]
fn loss() {
    for (name, case) in cases("erlang_b") {
        let (n, a, expected) = (argument(&name, "n") as u64, argument(&name, "a"), number(&case["value"]));
        let value = if name.starts_with('d') { erlang_b_slope(n, a) } else { erlang_b(n, a) };
        close(&name, value.expect("valid"), expected);
    }
}

#[test]
fn the_recursion_gives_the_same() {
    for (n, a) in [(1_u32, 0.01), (3, 700.0), (40, 40.0), (300, 250.0)] {
        let inverse = (1..=n).fold(1.0, |inverse, k| 1.0 + f64::from(k) / a * inverse);
        close(&format!("{n} {a}"), erlang_b(u64::from(n), a).expect("valid"), 1.0 / inverse);
    }
}

#[test]
fn inverses_of_loss() {
    for (name, case) in cases("erlang_b_inverse") {
        let expected = number(&case["value"]);
        let value = if name.starts_with("a with") {
            let loss = name.rsplit('=').next().and_then(|text| text.parse().ok()).expect("a share");
            traffic_for_loss(argument(&name, "n") as u64, loss)
        } else if name.starts_with("extended") {
            fresh_traffic(200, 0.03, 0.7)
        } else {
            let loss = name.rsplit(' ').next().and_then(|text| text.parse().ok()).expect("a share");
            servers_for_loss(argument(&name, "a"), loss).map(|n| n as f64)
        };
        close(&name, value.expect("valid"), expected);
    }
}

#[test]
fn delay() {
    for (name, case) in cases("erlang_c") {
        let mu = argument(&name, "mu");
        let queue = ErlangC::new(argument(&name, "n") as u64, argument(&name, "a"), 1.0 / mu).expect("valid");
        let time = argument(&name, "T");
        for (key, value) in [
            ("P(wait)", queue.waiting_share()),
            ("mean wait", queue.mean_wait()),
            ("mean queue", queue.mean_queue()),
            ("P(wait <= T)", queue.answered_within(time)),
            ("P(wait > T)", queue.waiting_beyond(time)),
        ] {
            close(&format!("{name} {key}"), value, number(&case[key]["value"]));
        }
    }
}

#[test]
fn agents_for_a_service_level() {
    // pyworkforce's example of the reference file: 14 agents answer 88.8 % within 20 s; 13 do not reach 80 %.
    let needed = agents_for_answer_share(10.0, 3.0, 1.0 / 3.0, 0.8).expect("valid");
    let share = |n| ErlangC::new(n, 10.0, 3.0).expect("valid").answered_within(1.0 / 3.0);
    assert!(share(needed) >= 0.8 && share(needed - 1) < 0.8, "{needed}");
    assert_eq!(agents_for_answer_share(10.0, 3.0, 1.0 / 3.0, 0.888).expect("valid"), 14);
    assert!(ErlangC::new(10, 10.0, 3.0).is_err());
    assert!(agents_for_answer_share(10.0, 3.0, -1.0, 0.8).is_err());
}

#[test]
fn abandonment() {
    for (name, case) in cases("erlang_a") {
        let mu = if name.contains("mu=") { argument(&name, "mu") } else { 1.0 };
        let (lambda, theta) = (argument(&name, "lambda"), argument(&name, "theta"));
        let queue = ErlangA::new(argument(&name, "n") as u64, lambda, mu, theta).expect("valid");
        let time = if name.contains("T=") { argument(&name, "T") } else { 0.0 };
        for (key, value) in [
            ("P(wait)", queue.waiting_share()),
            ("P(abandon)", queue.abandoning_share()),
            ("mean queue", queue.mean_queue()),
            ("mean wait (all callers)", queue.mean_wait()),
            ("occupancy", queue.occupancy()),
            ("P(served within T)", queue.served_within(time)),
            ("P(still waiting at T)", queue.still_waiting(time)),
        ] {
            if let Some(expected) = case.get(key) {
                close(&format!("{name} {key}"), value, number(&expected["value"]));
            }
        }
    }
}

#[test]
fn nearly_all_callers_wait_under_overload() {
    // 20 Erlang for 10 agents, patience of 100 holding times: P(no wait) is tiny and still has its digits. By 1/B and the
    // product of the queue's ratios, in logarithms.
    let queue = ErlangA::new(10, 20.0, 1.0, 0.01).expect("valid");
    let mut log_weight = 0.0_f64;
    let weights = (1..6000).map(|j| {
        log_weight += (20.0 / (10.0 + 0.01 * f64::from(j))).ln();
        (log_weight - 380.0).exp()
    });
    let all: f64 = weights.sum();
    let b = erlang_b(10, 20.0).expect("valid");
    let expected = (1.0 / b - 1.0) * (-380.0_f64).exp() / all;
    let free = queue.served_within(0.0);
    assert!((free / expected - 1.0).abs() < 1e-10, "{free:e} {expected:e}");
    assert!(ErlangA::new(10, 1e9, 1.0, 1e-9).is_err());
    assert!(ErlangA::new(10, f64::NAN, 1.0, 1.0).is_err());
}

#[test]
fn levels_of_independent_units_are_binomial() {
    let (failure, repair) = (1e-4, 0.5);
    let levels = Levels::of_units(5, failure, repair, 5).expect("valid");
    let (up, down) = (repair / (failure + repair), failure / (failure + repair));
    for (k, choose) in [1.0, 5.0, 10.0, 10.0, 5.0, 1.0].into_iter().enumerate() {
        let at_least = levels.at_least(k);
        let at = levels.at_least(k + 1).lower - at_least.lower;
        let expected = choose * up.powi(k as i32) * down.powi(5 - k as i32);
        assert!((at - expected).abs() < 3e-16, "{k}");
        assert!((at_least.lower + at_least.upper - 1.0).abs() < 1e-15);
    }
    close("none", levels.at_least(1).lower, down.powi(5));
    close("missing", levels.missing_share(), down);
    close("minutes", levels.minutes_below(1), down.powi(5) * 525_600.0);
    // One port each, by hand: refused shares of Erlang B, all if nothing is up.
    let two = Levels::new(vec![0.01, 0.09, 0.9]).expect("valid");
    close("refused", two.refused_share(1, 1.0).expect("valid"), 0.01 + 0.09 * 0.5 + 0.9 * 0.2);
}

#[test]
fn one_crew_makes_many_failures_wait() {
    // Two units, one crew: 1, 2r, 2r^2 with r = 0.01.
    let levels = Levels::of_units(2, 0.01, 1.0, 1).expect("valid");
    close("both down", levels.at_least(1).lower, 2e-4 / 1.0202);
    let many = Levels::of_units(100_000, 0.01, 1.0, 100_000).expect("valid");
    close("many", many.missing_share(), 0.01 / 1.01);
    assert!(Levels::new(vec![0.5, 0.6]).is_err());
    assert!(Levels::new(vec![-0.1, 1.1]).is_err());
    assert!(Levels::of_units(2, 0.0, 1.0, 1).is_err());
}
