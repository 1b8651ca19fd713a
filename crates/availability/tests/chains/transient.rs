//! What happens within a time.

use std::collections::BTreeMap;

use availability::chain::generator::{Limits, Space};
use availability::chain::{Chain, Quantity, Rewards, States, Timed};
use availability::{Dual, Error};

use crate::generated::cluster;
use crate::reference::{chain, near, parameters, read, value};
use crate::rules::rules;

/// Asserts a number, and that its bound holds. Each step rounds, so that 2000 h of 40,000 steps are good to some 1e-12.
fn expect(key: &str, got: Result<Timed<f64>, Error>, chain: &Chain<f64>, expected: f64, unit: f64) {
    let got = got.expect("a number").certain(chain);
    near(key, got.value * unit, expected, (2e-12_f64).min(got.relative_error + 1e-14));
    assert!(got.relative_error < 1e-9, "{key}: {got:?}");
}

#[test]
fn a_queue_of_three_within_its_first_seconds() {
    let file = read("mm13-smoke");
    let mut chain = chain(&file["model"], &parameters(&file));
    let served = Quantity::Reward(Rewards { states: vec![], arcs: vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0] });
    let full = States::of(&[3]);
    for start in 0..4 {
        chain.begin(&[(start, 1.0)]).expect("a beginning");
        let get = |key: String| (value(&file["expected"][&key]), key);
        let (expected, key) = get(format!("P(full reached within 7.5 s) from {start}"));
        expect(&key, chain.reached_within(&full, &States::default(), 7.5), &chain, expected, 1.0);
        let (expected, key) = get(format!("expected services in 5.5 s from {start}"));
        expect(&key, chain.collected_until(&served, 5.5), &chain, expected, 1.0);
        let (expected, key) = get(format!("mean number at 1 s from {start}"));
        expect(&key, chain.mean_at(vec![0.0, 1.0, 2.0, 3.0], 1.0), &chain, expected, 1.0);
    }
}

#[test]
fn the_workstation_cluster_within_hours() {
    let file = read("workstation-cluster");
    let space = cluster(&file, 2).expect("a space");
    let chain: Chain<f64> = space.chain(&rules(&file, &[("N", 2.0), ("k", 1.0)]).1).expect("a chain");
    let expected = &file["expected"]["transient N=2"];
    let below = chain.label("below_minimum").expect("a label");
    let (minimum, premium) = (chain.label("minimum").expect("a label"), chain.label("premium").expect("a label"));
    let none = States::default();
    for (hours, key) in [(0.2, "0.2"), (2.0, "2"), (20.0, "20"), (200.0, "200"), (2000.0, "2000")] {
        let key = format!("P(below minimum reached within {key} h)");
        expect(&key, chain.reached_within(below, &none, hours), &chain, value(&expected[&key]), 1.0);
    }
    for (key, got) in [
        ("P(below minimum at 10 h)", chain.probability_at(below, 10.0)),
        ("P(not premium at 100 h)", chain.probability_at(&premium.complement(chain.states().len()), 100.0)),
        ("mean hours below minimum in 2000 h", chain.collected_until(&Quantity::TimeIn(below.clone()), 2000.0)),
    ] {
        expect(key, got, &chain, value(&expected[key]), 1.0);
    }
    for (hours, key) in [(1.0, "1"), (10.0, "10"), (1000.0, "1000")] {
        let repairs = Quantity::Reward(chain.rewards("repairs").expect("rewards").clone());
        let key = format!("mean repairs finished in {key} h");
        expect(&key, chain.collected_until(&repairs, hours), &chain, value(&expected[&key]), 1.0);
    }
    let over = |timed: Result<Timed<f64>, Error>, starts: &States| -> Vec<f64> {
        let timed = timed.expect("numbers");
        starts.iter().map(|state| timed.by_start[state]).collect()
    };
    let largest = over(chain.probability_at(below, 3.0), below).into_iter().fold(0.0, f64::max);
    near("largest", largest, value(&expected["largest P(below minimum at 3 h) over starts below minimum"]), 1e-13);
    let least = over(chain.reached_within(premium, below, 1.0), minimum).into_iter().fold(1.0, f64::min);
    let key = "least P(premium reached within 1 h, never below minimum before) over starts at minimum or better";
    near(key, least, value(&expected[key]), 1e-13);
    let stays = over(chain.not_reached_within(minimum, 10.0), below).into_iter().fold(0.0, f64::max);
    let key = "largest P(below minimum during the whole first 10 h) over starts below minimum";
    near(key, stays, value(&expected[key]), 1e-13);
}

#[test]
fn the_embedded_controller_within_an_hour() {
    let file = read("embedded-control");
    let (rules, values) = rules(&file, &[("max_skips", 2.0)]);
    let space = Space::explore(&rules, &values, Limits::default()).expect("a space");
    let chain: Chain<f64> = space.chain(&values).expect("a chain");
    let expected = &file["expected"]["max_skips=2"];
    let down = chain.label("down").expect("a label");
    for cause in ["sensors", "io"] {
        let states = chain.label(&format!("cause_{cause}")).expect("a label");
        let key = format!("P(first down within 1 h, cause: {cause})");
        expect(&key, chain.reached_within(states, down, 3600.0), &chain, value(&expected[&key]), 1.0);
    }
    let time = chain.collected_until(&Quantity::TimeIn(down.clone()), 3600.0);
    expect("mean time down in 1 h", time, &chain, value(&expected["mean time down in 1 h"]), 1.0 / 3600.0);
}

#[test]
fn the_downtime_of_a_pair_within_a_year() {
    let file = read("downtime-distribution-1-of-2");
    for repair in ["1", "2", "4", "8"] {
        let expected = &file["expected"][format!("MTTR {repair} h")];
        let mu = 1.0 / repair.parse::<f64>().expect("a number");
        let root = (2.0_f64 / 525_600.0).sqrt();
        let mut names: BTreeMap<_, _> = [("mu".to_owned(), mu)].into();
        names.insert("lambda".into(), mu * root / (1.0 - root));
        let mut chain = chain(&file["model"], &names);
        let down = States::of(&[2]);
        chain.set_label("down", down.clone());
        let year = 8760.0;
        let none = chain.not_reached_within(&down, year);
        expect("no downtime", none, &chain, value(&expected["P(no downtime in a year)"]), 1.0);
        for minutes in [1, 5, 10, 30, 60, 120, 240, 480] {
            let key = format!("P(downtime in a year > {minutes} min)");
            let got = chain.more_downtime_than(&down, f64::from(minutes) / 60.0, year).expect("a number");
            near(&key, got.value, value(&expected[&key]), 2e-13);
            assert!(got.relative_error < 1e-10, "{key}: {got:?}");
        }
        let mean = chain.collected_until(&Quantity::TimeIn(down), year);
        expect("mean", mean, &chain, value(&expected["expected downtime in a year"]), 60.0);
    }
}

#[test]
fn a_time_of_too_many_jumps_is_refused_and_a_long_one_ends_early() {
    let mut chain = Chain::new();
    let (up, down) = (chain.add_state("up"), chain.add_state("down"));
    chain.add_arc(up, down, 1e-3).expect("an arc");
    chain.add_arc(down, up, 1e3).expect("an arc");
    let down = States::of(&[down]);
    // 8.8 million jumps, of which the first few hundred decide: then all starts have the same value.
    let year = chain.probability_at(&down, 8760.0).expect("a number").certain(&chain);
    near("U", year.value, 1e-6 / (1.0 + 1e-6), year.relative_error + 1e-15);
    assert!(year.relative_error < 1e-9, "{year:?}");
    let error = chain.more_downtime_than(&down, 1e5, 1e7).expect_err("a refusal");
    assert!(error.what.starts_with("the chain is too fast for this time"), "{error}");
    let error = chain.probability_at(&down, 1e9).expect_err("a refusal");
    assert!(error.what.starts_with("the chain is too stiff for this time: it makes up to 2.0e12 jumps"), "{error}");
}

#[test]
fn all_but_the_beginning_of_a_long_time_is_stationary() {
    // By the closed form of two states, of which the one that works is two here that change places often: within 350 million
    // jumps its starts come near to each other, and rounding never lets them be the same.
    let (fails, repaired, time) = (1.0 / 1024.0, 0.5, 175_200.0);
    let mut chain = Chain::new();
    let [left, right, failed] = ["left", "right", "failed"].map(|name| chain.add_state(name));
    for (from, to, rate) in [
        (left, right, 1e3),
        (right, left, 1e3),
        (left, failed, fails),
        (right, failed, fails),
        (failed, left, repaired),
    ] {
        chain.add_arc(from, to, rate).expect("an arc");
    }
    let down = States::of(&[failed]);
    let share = fails / (fails + repaired);
    let hours = share * (time - 1.0 / (fails + repaired));
    for (what, quantity, expected) in [
        ("down", Quantity::TimeIn(down.clone()), hours),
        ("up", Quantity::TimeOutside(down.clone()), time - hours),
        ("failures", Quantity::Entries(down.clone()), fails * (time - hours)),
    ] {
        let got = chain.collected_until(&quantity, time).expect("a number").certain(&chain);
        near(what, got.value, expected, got.relative_error + 1e-14);
        assert!(got.relative_error < 1e-9, "{what}: {got:?}");
    }
    let at_the_end = chain.probability_at(&down, time).expect("a number").certain(&chain);
    near("at the end", at_the_end.value, share, at_the_end.relative_error + 1e-14);
    assert!(at_the_end.relative_error < 1e-9, "{at_the_end:?}");
}

#[test]
fn a_mean_over_billions_of_jumps_is_had_at_once() {
    // 2^-13 failures and 36,000 or 360,000 repairs in an hour; ten years of the first are 6.3 billion jumps, as is one of the others.
    for (repaired, time) in [(36_000.0, 87_600.0), (360_000.0, 8_760.0)] {
        let fails = 1.0 / 8_192.0;
        let mut chain = Chain::new();
        let (up, failed) = (chain.add_state("up"), chain.add_state("failed"));
        chain.add_arc(up, failed, fails).expect("an arc");
        chain.add_arc(failed, up, repaired).expect("an arc");
        let hours = fails / (fails + repaired) * (time - 1.0 / (fails + repaired));
        let got = chain.collected_until(&Quantity::TimeIn(States::of(&[failed])), time);
        let got = got.expect("a number").certain(&chain);
        near("down", got.value, hours, got.relative_error + 1e-15);
        assert!(got.relative_error < 1e-12, "{got:?}");
    }
}

#[test]
fn a_short_time_ends_before_it_is_stationary() {
    // The integral of 1 - e^-(a + m)t, times a/(a + m), where jumps are many, few and nearly none.
    for time in [1e-6, 0.1, 3.0, 40.0, 700.0] {
        let mut chain = Chain::new();
        let (up, failed) = (chain.add_state("up"), chain.add_state("failed"));
        chain.add_arc(up, failed, 0.25).expect("an arc");
        chain.add_arc(failed, up, 0.5).expect("an arc");
        let decay = 0.75 * time;
        // Of a short time by the series, which has nothing to cancel.
        let rest = if decay < 1e-3 { decay * decay / 2.0 * (1.0 - decay / 3.0) } else { decay + f64::exp_m1(-decay) };
        let got = chain.collected_until(&Quantity::TimeIn(States::of(&[failed])), time);
        let got = got.expect("a number").certain(&chain);
        near(&format!("until {time}"), got.value, rest / 2.25, got.relative_error + 1e-12);
        assert!(got.relative_error < 1e-11, "{time}: {got:?}");
    }
}

#[test]
fn derivatives_run_through_time() {
    let file = read("mm13-smoke");
    let number = |lambda: f64, slope: f64| {
        let names: BTreeMap<_, _> =
            [("lambda".to_owned(), Dual { value: lambda, slope }), ("mu".to_owned(), Dual::from(3.0))].into();
        let chain = chain(&file["model"], &names);
        chain.reached_within(&States::of(&[3]), &States::default(), 7.5).expect("a number").value(&chain)
    };
    let step = 1e-5;
    let quotient = (number(1.5 + step, 0.0).value - number(1.5 - step, 0.0).value) / (2.0 * step);
    near("slope", number(1.5, 1.0).slope, quotient, 1e-8);
}
