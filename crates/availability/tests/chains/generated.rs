//! Chains that are generated from rules.

use std::collections::BTreeMap;

use availability::Error;
use availability::chain::generator::{Limits, Space};
use availability::chain::{Chain, Measure};
use serde_json::Value;

use crate::reference::{near, read, value};
use crate::rules::rules;

/// The workstation cluster with `n` stations on each side.
pub(crate) fn cluster(file: &Value, n: u32) -> Result<Space, Error> {
    let (rules, parameters) = rules(file, &[("N", f64::from(n)), ("k", f64::from(3 * n / 4))]);
    Space::explore(&rules, &parameters, Limits::default())
}

fn counts(space: &Space, expected: &Value, states: &str) {
    assert_eq!(space.states().to_string(), expected[states]["value"].as_str().expect("a count"));
}

#[test]
fn the_workstation_cluster_has_its_states_and_measures() {
    let file = read("workstation-cluster");
    for n in [2, 4, 8] {
        let expected = &file["expected"][format!("N={n}")];
        let space = cluster(&file, n).expect("a space");
        counts(&space, expected, "states");
        assert_eq!(space.arcs().count().to_string(), expected["transitions"]["value"].as_str().expect("a count"));
        let chain: Chain<f64> = space.chain(&parameters(&file)).expect("a chain");
        let not_premium = chain.label("premium").expect("a label").complement(space.states());
        let below = chain.label("below_minimum").expect("a label").clone();
        let working = chain.rewards("percentage working").expect("rewards").clone();
        let repairs = chain.rewards("repairs").expect("rewards").clone();
        for (key, measure) in [
            ("U = P(not premium)", Measure::unavailability(not_premium.clone())),
            ("P(below minimum)", Measure::unavailability(below.clone())),
            ("mean percentage of working stations", Measure::reward_rate(working)),
            ("repairs finished per hour", Measure::reward_rate(repairs)),
            ("flow minimum -> below minimum", Measure::failure_frequency(below.clone())),
            ("flow premium -> not premium", Measure::failure_frequency(not_premium.clone())),
            ("MTTF to below minimum", Measure::time_to(below)),
            ("MTTF to not premium", Measure::time_to(not_premium)),
        ] {
            let got = chain.certain(&measure).expect("a number");
            // 15 rates such as 1/500 rounded to binary64.
            near(&format!("N={n} {key}"), got.value, value(&expected[key]), 5e-15);
        }
    }
}

fn parameters(file: &Value) -> Vec<f64> {
    rules(file, &[("N", 1.0), ("k", 1.0), ("max_skips", 2.0)]).1
}

#[test]
fn the_embedded_controller_goes_down_for_its_causes() {
    let file = read("embedded-control");
    for skips in [2, 8] {
        let expected = &file["expected"][format!("max_skips={skips}")];
        let (rules, values) = rules(&file, &[("max_skips", f64::from(skips))]);
        let space = Space::explore(&rules, &values, Limits::default()).expect("a space");
        counts(&space, expected, "states");
        if let Some(loops) = expected.get("self-loops") {
            assert_eq!(space.self_loops().to_string(), loops["value"].as_str().expect("a count"));
        }
        let chain: Chain<f64> = space.chain(&values).expect("a chain");
        let down = chain.label("down").expect("a label").clone();
        for cause in ["sensors", "actuators", "io", "main"] {
            let states = chain.label(&format!("cause_{cause}")).expect("a label").clone();
            let got = chain.evaluate(&Measure::first_cause(down.clone(), states)).expect("a number");
            let key = format!("P(first down cause: {cause})");
            near(&key, got, value(&expected[&key]), 5e-14);
        }
        for (key, label) in [("up", "up"), ("in danger", "danger")] {
            let states = chain.label(label).expect("a label").clone();
            let got = chain.evaluate(&Measure::time_before(down.clone(), states)).expect("a number");
            let key = format!("mean time {key} before first down");
            near(&key, got / 3600.0, value(&expected[&key]), 5e-14);
        }
    }
}

#[test]
fn a_space_beyond_its_limit_is_refused_before_it_is_built() {
    let file = read("workstation-cluster");
    let (rules, parameters) = rules(&file, &[("N", 1e6), ("k", 1.0)]);
    let limits = Limits { states: 5000, bytes: 1 << 20 };
    let error = Space::explore(&rules, &parameters, limits).err().expect("a refusal");
    assert!(error.what.starts_with("the state space outgrows its limit of 5000 states or 1 MiB"), "{error}");
    let names: BTreeMap<_, _> = [("left", 0), ("crew", 1)].into();
    assert!(names.keys().all(|name| error.what.contains(&format!("{name}="))), "{error}");
}
