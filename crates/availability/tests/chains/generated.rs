//! Chains that are generated from rules.

use std::collections::BTreeMap;

use availability::Error;
use availability::chain::generator::{Binary, Expression, Limits, Module, Outcome, Rule, Rules, Space, Variable};
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
        ]
        .into_iter()
        .skip(if n == 8 { 6 } else { 0 })
        {
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
    let limits = Limits { states: 5000, bytes: 1 << 20, ..Limits::default() };
    let error = Space::explore(&rules, &parameters, limits).err().expect("a refusal");
    assert!(error.what.starts_with("the state space outgrows its limit of 5000 states or 1 MiB"), "{error}");
    let names: BTreeMap<_, _> = [("left", 0), ("crew", 1)].into();
    assert!(names.keys().all(|name| error.what.contains(&format!("{name}="))), "{error}");
    // Memory alone: what lists take is counted as they have it, and before they have it.
    for (bytes, said) in [(1 << 20, "1 MiB: "), (2 << 20, "2 MiB: "), (0, "0 MiB: 0 states (0 MiB) after 0 of them")] {
        let limits = Limits { bytes, ..Limits::default() };
        let error = Space::explore(&rules, &parameters, limits).err().expect("a refusal");
        let taken = format!("states ({} MiB)", (bytes >> 20).saturating_sub(1));
        assert!(error.what.contains(said) && error.what.contains(&taken) && error.what.contains("left="), "{error}");
        assert!(error.remedy.ends_with(", or allow more memory"), "{error}");
    }
}

/// Two pumps that are switched together: the action `swap` needs both, its rate is the product of theirs.
#[test]
fn modules_with_the_same_action_move_together() {
    let (variable, number) = (Expression::Variable, Expression::Number);
    let pump = |index: usize, rate: f64| Module {
        name: format!("pump{index}"),
        rules: vec![
            Rule {
                name: "swap".into(),
                place: None,
                action: Some("swap".into()),
                guard: Expression::binary(Binary::Equal, variable(index), number(index as f64)),
                outcomes: vec![Outcome { rate: number(rate), effects: vec![(index, number(1.0 - index as f64))] }],
            },
            Rule {
                name: "back".into(),
                place: None,
                action: None,
                guard: Expression::binary(Binary::Equal, variable(index), number(1.0 - index as f64)),
                outcomes: vec![Outcome { rate: number(5.0), effects: vec![(index, number(index as f64))] }],
            },
        ],
    };
    let declare = |index: i64| Variable { name: format!("p{index}"), low: 0, high: 1, initial: index, words: vec![] };
    let mut rules = Rules {
        variables: vec![declare(0), declare(1)],
        modules: vec![pump(0, 2.0), pump(1, 3.0)],
        ..Rules::default()
    };
    let space = Space::explore(&rules, &[], Limits::default()).expect("a space");
    // From (0, 1) both swap to (1, 0) at rate 6; from there each comes back by itself.
    assert_eq!(space.states(), 4);
    assert_eq!(space.describe(1), "p0=1, p1=0");
    assert_eq!(space.arcs().row(0).collect::<Vec<_>>(), [(1, 6.0)]);
    rules.modules[1].rules[0].outcomes[0].effects = vec![(0, number(1.0))];
    let what = Space::explore(&rules, &[], Limits::default()).err().expect("a refusal").what;
    assert_eq!(what, "action 'swap': variable 'p0' would be set twice at once");
}
