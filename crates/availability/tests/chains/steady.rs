//! Steady state, first passages and their derivatives.

use std::collections::BTreeMap;

use availability::chain::{Chain, Measure, States};
use availability::{Dual, Scalar};
use serde_json::Value;

use crate::reference::{chain, near, parameters, rate, read, value};

/// Parameters rounded to binary64 move measures by some 1e-16; `1 - c` for c = 0.99 by 6e-15 (trap 9 of the reference).
const ROUNDED: f64 = 1e-14;

#[test]
fn the_twelve_chains_of_the_cluster_have_their_unavailabilities_and_frequencies() {
    let file = read("sip-websphere");
    let names = parameters(&file);
    let models = file["model"]["ctmcs"].as_object().expect("chains");
    assert_eq!(models.len(), 12);
    for (name, model) in models {
        let chain = chain(model, &names);
        let down = chain.label("down").expect("a label").clone();
        let expected = &file["expected"]["sub-models"][name];
        for (what, measure) in [
            ("U", Measure::unavailability(down.clone())),
            ("failure frequency", Measure::failure_frequency(down.clone())),
            ("mean down time", Measure::down_spell(down.clone())),
        ] {
            let got = chain.certain(&measure).expect("a number");
            near(&format!("{name} {what}"), got.value, value(&expected[what]), ROUNDED);
            assert!(got.relative_error < 1e-13, "{name} {what}: {got:?}");
        }
    }
}

fn duplex(file: &Value, changes: &[(&str, f64)]) -> Chain<f64> {
    let mut names = parameters(file);
    changes.iter().for_each(|&(name, value)| _ = names.insert(name.to_owned(), value));
    chain(&file["model"], &names)
}

#[test]
fn a_duplex_with_coverage_and_delay_has_its_closed_form() {
    let file = read("duplex-coverage-delay");
    let expected = &file["expected"];
    let model = duplex(&file, &[]);
    let down = model.label("down").expect("a label").clone();
    let get = |measure| model.evaluate(&measure).expect("a number");
    near("U", get(Measure::unavailability(down.clone())), value(&expected["unavailability"]), ROUNDED);
    near(
        "frequency",
        get(Measure::failure_frequency(down.clone())),
        value(&expected["system_down_frequency"]),
        ROUNDED,
    );
    let between = value(&expected["mean_time_between_down_events"]);
    near("MTBF", get(Measure::time_between_failures(down.clone())), between, ROUNDED);
    near("spell", get(Measure::down_spell(down.clone())), value(&expected["mean_down_spell"]), ROUNDED);
    for (name, p) in model.states().iter().zip(model.steady_state().expect("a steady state")) {
        near(name, p, value(&expected[format!("p_{name}")]), ROUNDED);
    }
    // With c = 1 the state `reboot` is drawn but never entered.
    for c in ["0.9", "0.95", "0.99", "1"] {
        for (seconds, delta) in [("1", 3600.0), ("10", 360.0), ("60", 60.0)] {
            let model = duplex(&file, &[("c", c.parse().expect("a number")), ("delta", delta)]);
            let key = format!("U(c={c},detection={seconds}s)");
            let got = model.evaluate(&Measure::unavailability(down.clone())).expect("a number");
            near(&key, got, value(&expected["sweep"][&key]), ROUNDED);
        }
    }
}

/// The derivative of a measure by a parameter, from the derivatives by the rates and of the rates.
fn slope(model: &Value, names: &BTreeMap<String, f64>, measure: &Measure<f64>, parameter: &str) -> f64 {
    let gradient = chain(model, names).gradient(measure).expect("a gradient");
    let names: BTreeMap<_, _> = names
        .iter()
        .map(|(name, &value)| (name.clone(), if name == parameter { Dual::variable(value) } else { Dual::from(value) }))
        .collect();
    let arcs = model["arcs"].as_array().expect("arcs");
    let slopes = arcs.iter().map(|arc| rate(arc[2].as_str().expect("a rate"), &names).slope);
    slopes.zip(gradient.rates).map(|(slope, by)| slope * by).sum()
}

#[test]
fn one_pass_backwards_gives_the_derivatives_of_the_duplex() {
    let file = read("duplex-coverage-delay");
    let names = parameters(&file);
    let down = duplex(&file, &[]).label("down").expect("a label").clone();
    for (key, expected) in file["expected"]["derivatives"].as_object().expect("derivatives") {
        let parameter = key.strip_prefix("dU/d").expect("a key");
        let got = slope(&file["model"], &names, &Measure::unavailability(down.clone()), parameter);
        near(key, got, value(expected), 1e-13);
    }
}

/// n units, down when all have failed; with one repairer or one for each unit.
fn birth_death<T: Scalar>(n: usize, lambda: T, mu: T, each: bool) -> Chain<T> {
    let mut chain = Chain::new();
    (0..=n).for_each(|k| _ = chain.add_state(format!("{k} failed")));
    for k in 0..n {
        chain.add_arc(k, k + 1, T::from((n - k) as f64) * lambda).expect("an arc");
        chain.add_arc(k + 1, k, if each { T::from((k + 1) as f64) * mu } else { mu }).expect("an arc");
    }
    chain
}

#[test]
fn rates_twelve_decades_apart_lose_no_digit() {
    let file = read("stiff-birth-death");
    for n in 2..=5 {
        for (each, words) in [(false, "one repairer"), (true, "a repairer per unit")] {
            let expected = &file["expected"][format!("n={n}, {words}")];
            let chain = birth_death(n, 1e-9, 1e3, each);
            let down = States::of(&[n]);
            let get = |measure| chain.certain(&measure).expect("a number").value;
            near("U", get(Measure::unavailability(down.clone())), value(&expected["U"]), 2e-15);
            near("MTTF", get(Measure::time_to(down.clone())), value(&expected["MTTF from all up"]), 2e-15);
            let frequency = value(&expected["system failure frequency"]);
            near("frequency", get(Measure::failure_frequency(down.clone())), frequency, 2e-15);
            near("all up", get(Measure::unavailability(States::of(&[0]))), value(&expected["P(all up)"]), 2e-15);
        }
    }
    for (key, expected) in file["expected"]["ladder n=3, one repairer"].as_object().expect("a ladder") {
        let numbers: Vec<f64> = key.split(['=', ',', ')']).filter_map(|word| word.trim().parse().ok()).collect();
        let chain = birth_death(3, numbers[0], numbers[1], false);
        let down = States::of(&[3]);
        let measure = if key.starts_with('U') { Measure::unavailability(down) } else { Measure::time_to(down) };
        near(key, chain.evaluate(&measure).expect("a number"), value(expected), 2e-15);
    }
}

#[test]
fn a_queue_of_three_has_its_fractions() {
    let file = read("mm13-smoke");
    let mut chain = chain(&file["model"], &parameters(&file));
    let served = availability::chain::Rewards { states: vec![], arcs: vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0] };
    let number = availability::chain::Rewards { states: vec![0.0, 1.0, 2.0, 3.0], arcs: vec![] };
    let full = States::of(&[3]);
    let expect = |chain: &Chain<f64>, measure, key: &str| {
        near(key, chain.evaluate(&measure).expect("a number"), value(&file["expected"][key]), 2e-15);
    };
    expect(&chain, Measure::reward_rate(served.clone()), "steady service rate");
    expect(&chain, Measure::reward_rate(number), "steady mean number");
    expect(&chain, Measure::unavailability(full.clone()), "steady P(full)");
    for start in 0..3 {
        chain.begin(&[(start, 1.0)]).expect("a beginning");
        let key = format!("services before full from {start}");
        expect(&chain, Measure::reward_before(full.clone(), served.clone()), &key);
        expect(&chain, Measure::time_to(full.clone()), &format!("mean time to full from {start}"));
    }
}

#[test]
fn what_the_measure_needs_and_the_chain_has_not_is_named() {
    let mut chain = birth_death(2, 1e-3, 1.0, false);
    let refuse = |chain: &Chain<f64>, measure: Measure<f64>| chain.evaluate(&measure).expect_err("no number").what;
    let steady = || Measure::unavailability(States::of(&[2]));
    let lone = chain.add_state("lone");
    assert_eq!(refuse(&chain, steady()), "state 'lone' cannot be reached from '0 failed'");
    chain.add_arc(2, lone, 1e-3).expect("an arc");
    assert_eq!(refuse(&chain, steady()), "state 'lone' is absorbing: no arc with a positive rate leaves it");
}
