//! Intervals, sample sizes and posteriors against the reference files interval-estimates and two-state-availability-ci.

mod reference;

use availability::estimate::special::{Tail, chi_square_quantile, f_quantile};
use availability::estimate::{
    Confidence, CoverageBelief, Exposure, Injections, Interval, RateBelief, Sides, availability, injections_needed,
    time_needed,
};
use reference::{Case, number};

/// Quantiles are good to 1e-13; a level such as 0.95 is rounded to binary64, which moves a quantile by less than that.
const TOLERANCE: f64 = 1e-13;

fn close(what: &str, value: f64, expected: f64) {
    let error = (value - expected).abs() / expected.abs();
    assert!(error <= TOLERANCE, "{what}: {value:e} for {expected:e}, off by {error:.1e}");
}

/// The numbers within a text, in order: the names of the reference cases carry their arguments.
fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !(c.is_ascii_digit() || "e.-".contains(c)))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .filter_map(|word| word.trim_end_matches(['.', '-', 'e']).parse().ok())
        .collect()
}

fn cases(file: &str, group: &str) -> Vec<(String, Case)> {
    let all = reference::read(file);
    let group = if group.is_empty() { &all["expected"] } else { &all["expected"][group] };
    group.as_object().expect("cases").iter().map(|(name, case)| (name.clone(), case.clone())).collect()
}

fn confidence(level: f64, sides: Sides) -> Confidence {
    Confidence::new(level, sides).expect("a level of the reference")
}

fn ends(name: &str, case: &Case, keys: [&str; 3], interval: Interval) {
    for (key, value) in keys.into_iter().zip([interval.point, interval.lower, interval.upper]) {
        if let Some(expected) = case.get(key) {
            close(&format!("{name} {key}"), value, number(&expected["value"]));
        }
    }
}

#[test]
fn mean_times_between_failures() {
    for (name, case) in cases("interval-estimates", "mtbf time-truncated") {
        let &[time, failures, level] = &numbers(&name)[..] else { panic!("{name}") };
        let exposure = Exposure::until_time(time, failures as u64).expect("valid");
        ends(&name, &case, ["point", "lower", "upper"], exposure.mean_time(confidence(level, Sides::Both)));
        let lower = exposure.mean_time(confidence(level, Sides::Lower));
        ends(&name, &case, ["", "one-sided lower", ""], lower);
        assert_eq!(lower.upper, f64::INFINITY);
    }
}

#[test]
fn times_without_a_failure() {
    for (name, case) in cases("interval-estimates", "zero failures") {
        let (expected, values) = (number(&case["value"]), numbers(&name));
        if name.starts_with("factor") {
            let lower =
                Exposure::until_time(1.0, 0).expect("valid").mean_time(confidence(values[0], Sides::Lower)).lower;
            close(&name, lower, expected);
        } else {
            close(&name, time_needed(values[0], values[1] / 100.0, 0).expect("valid"), expected);
        }
    }
}

#[test]
fn chi_square_quantiles() {
    for (name, case) in cases("interval-estimates", "quantiles") {
        let &[_, p, degrees] = &numbers(&name)[..] else { panic!("{name}") };
        close(&name, chi_square_quantile(degrees, Tail::Lower(p)), number(&case["value"]));
    }
}

#[test]
fn bounds_of_coverage() {
    for (name, case) in cases("interval-estimates", "clopper-pearson") {
        let &[injected, missed, level] = &numbers(&name)[..] else { panic!("{name}") };
        let injections = Injections::new(injected as u64, missed as u64).expect("valid");
        let two = injections.fixed(confidence(level, Sides::Both));
        ends(&name, &case, ["", "two-sided lower", "two-sided upper"], two.covered);
        let one = injections.fixed(confidence(level, Sides::Lower));
        ends(&name, &case, ["", "one-sided lower bound of c", ""], one.covered);
        ends(&name, &case, ["", "", "one-sided upper bound of 1-c"], one.missed);
        assert_eq!(one.covered.upper, 1.0);
    }
}

#[test]
fn numbers_of_injections() {
    for (name, case) in cases("interval-estimates", "sample size") {
        let &[coverage, level, missed] = &numbers(&name)[..] else { panic!("{name}") };
        // 1 - 0.999 in binary64 is 0.001 up to 1e-16, far less than one injection in 77,535 turns on.
        let needed = injections_needed(1.0 - coverage, level / 100.0, missed as u64).expect("valid");
        assert_eq!(needed as f64, number(&case["value"]), "{name}");
    }
}

#[test]
fn posteriors() {
    for (name, case) in cases("interval-estimates", "bayes") {
        let (expected, values) = (number(&case["value"]), numbers(&name));
        let p = values[values.len() - 1];
        if name.contains("rate") {
            let &[events, time, p] = &values[..] else { panic!("{name}") };
            let belief = RateBelief::JEFFREYS.updated(events as u64, time).expect("valid");
            close(&name, belief.quantile(Tail::Lower(p)), expected);
        } else {
            let injections = Injections::new(values[1] as u64, values[2] as u64).expect("valid");
            close(&name, CoverageBelief::JEFFREYS.updated(injections).missed_quantile(Tail::Lower(p)), expected);
        }
    }
}

#[test]
fn availability_from_cycles() {
    for (name, case) in cases("two-state-availability-ci", "") {
        let n = numbers(&name)[0] as u64;
        let per_cycle = |time: f64| Exposure::until_event(time * n as f64, n).expect("valid");
        let (up, down) = (per_cycle(999.0), per_cycle(1.0));
        let both = availability(&up, &down, confidence(0.95, Sides::Both)).expect("valid");
        ends(&name, &case, ["", "lower 95 % limit of A", "upper 95 % limit of A"], both.available);
        ends(&name, &case, ["", "lower 95 % limit of U", "upper 95 % limit of U"], both.unavailable);
        close(&name, both.unavailable.point, 0.001);
        let one = availability(&up, &down, confidence(0.95, Sides::Lower)).expect("valid");
        ends(&name, &case, ["", "one-sided lower 95 % limit of A", ""], one.available);
        let degrees = 2.0 * n as f64;
        let key = format!("F(0.975; {degrees}, {degrees})");
        close(&key, f_quantile(degrees, degrees, Tail::Lower(0.975)), number(&case[&key]["value"]));
    }
}
