//! Steady states by iteration: their proofs hold.

use availability::Chance;
use availability::chain::generator::{Binary, Expression, Limits, Module, Outcome, Rule, Rules, Space, Variable};
use availability::chain::{Chain, Measure, Sparse, States, Steady, Wrong};
use availability::structure::Bounded;

use crate::generated::cluster;
use crate::reference::{near, read, value};

#[test]
fn the_workstation_cluster_is_enclosed() {
    let file = read("workstation-cluster");
    for n in [2, 4, 16, 64] {
        let expected = &file["expected"][format!("N={n}")];
        let space = cluster(&file, n).expect("a space");
        let premium = space.label("premium").expect("a label");
        let earned: Vec<f64> = (0..space.states()).map(|state| f64::from(u8::from(!premium.contains(state)))).collect();
        let steady = Steady::of(space.arcs()).expect("a steady state");
        let got = steady.certain(&earned).expect("a number");
        assert!(got.relative_error < 1e-12, "N={n}: {got:?}");
        near(&format!("U, N={n}"), got.value, value(&expected["U = P(not premium)"]), got.relative_error + 5e-15);
        let repairs =
            steady.certain(&space.reward_rates("repairs", space.parameters()).expect("rewards")).expect("a number");
        let key = "repairs finished per hour";
        near(key, repairs.value, value(&expected[key]), repairs.relative_error + 5e-15);
        let below = space.label("below_minimum").expect("a label");
        let life = space.arcs().mean_time_to(&below).expect("a number");
        near("MTTF", life.value, value(&expected["MTTF to below minimum"]), life.relative_error + 5e-15);
        assert!(life.relative_error < 1e-9, "N={n}: {life:?}");
    }
}

#[test]
fn what_wrong_rates_do_is_bounded_and_not_by_much() {
    let file = read("workstation-cluster");
    let space = cluster(&file, 2).expect("a space");
    let down = space.label("premium").expect("a label").complement(space.states());
    let earned: Vec<f64> = (0..space.states()).map(|state| f64::from(u8::from(down.contains(state)))).collect();
    let steady = Steady::of(space.arcs()).expect("a steady state");
    let share = 1e-3;
    let bound = steady.certain_of(&earned, &Wrong { rates: share, earned: None }).expect("a number");
    // The sum of the elasticities is some ten; any chain of so many states could move by more than its whole.
    assert!(2.0 * space.states() as f64 * share > 0.5 && bound.relative_error < 0.03, "{bound:?}");
    let mut chance = Chance::new(5);
    let mut farthest = 0.0_f64;
    for _ in 0..40 {
        let mut chain = Chain::new();
        (0..space.states()).for_each(|state| _ = chain.add_state(space.describe(state)));
        for from in 0..space.states() {
            for (to, rate) in space.arcs().row(from) {
                let sign = if chance.uniform() < 0.5 { -1.0 } else { 1.0 };
                chain.add_arc(from, to, rate * (1.0 + sign * share)).expect("an arc");
            }
        }
        chain.begin(&[(0, 1.0)]).expect("a start");
        let moved = chain.evaluate(&Measure::unavailability(down.clone())).expect("a number");
        farthest = farthest.max((bound.value / moved - 1.0).abs());
    }
    assert!(farthest > 1e-4 && farthest <= bound.relative_error, "{farthest} within {bound:?}");
}

/// A variable from 0 to 9 that rises at the rate `1 - parameter * x`, alone or with a factor of another module.
fn rising(factor: Option<f64>) -> Space {
    let (x, one) = (Expression::Variable(0), Expression::Number(1.0));
    let share = Expression::binary(Binary::Multiply, Expression::Parameter(0), x.clone());
    let rise = Outcome {
        rate: Expression::binary(Binary::Subtract, one.clone(), share),
        effects: vec![(0, Expression::binary(Binary::Add, x.clone(), one))],
    };
    let fall = Outcome { rate: Expression::Number(3.0), effects: vec![(0, Expression::Number(0.0))] };
    let guard = |operation, value| Expression::binary(operation, x.clone(), Expression::Number(value));
    let action = factor.map(|_| "rise".to_owned());
    let rule = |name: &str, action: Option<String>, guard, outcome| Rule {
        name: name.to_owned(),
        place: None,
        action,
        guard,
        outcomes: vec![outcome],
    };
    let mut modules = vec![Module {
        name: "one".to_owned(),
        rules: vec![
            rule("up", action.clone(), guard(Binary::Less, 9.0), rise),
            rule("back", None, guard(Binary::Different, 0.0), fall),
        ],
    }];
    if let Some(factor) = factor {
        let outcome = Outcome { rate: Expression::Number(factor), effects: Vec::new() };
        modules.push(Module {
            name: "two".to_owned(),
            rules: vec![rule("with", action, Expression::Number(1.0), outcome)],
        });
    }
    let variables = vec![Variable { name: "x".to_owned(), low: 0, high: 9, initial: 0, words: Vec::new() }];
    let rules = Rules { variables, modules, parameters: vec!["p".to_owned()], ..Rules::default() };
    Space::explore(&rules, &[0.1], Limits::default()).expect("a space")
}

#[test]
fn what_subtraction_does_to_rates_is_found_in_the_states() {
    for factor in [None, Some(3.0)] {
        let space = rising(factor);
        let wrong = |error: f64| space.rate_error(&[Bounded { value: 0.1, error }]).expect("a bound");
        // At 8 the rate is 0.2: the error of the parameter eight times over, and five units of rounding.
        assert!((4.9e-16..3e-15).contains(&wrong(0.0)), "{}", wrong(0.0));
        assert!((4e-9..4.1e-9).contains(&wrong(1e-10)), "{}", wrong(1e-10));
        assert!(wrong(0.1) >= 1.0);
    }
}

#[test]
fn a_chain_without_a_way_back_is_refused() {
    let mut arcs = Sparse::new();
    for row in [vec![(1, 1.0)], vec![(0, 2.0), (2, 1.0)], vec![(3, 1.0)], vec![(2, 1.0)]] {
        row.into_iter().for_each(|(end, rate)| arcs.add(end, rate));
        arcs.end_row();
    }
    let what = Steady::of(&arcs).err().expect("no steady state").what;
    assert!(
        what.starts_with("the chain is reducible: from state number 2 no way leads back to state number 0"),
        "{what}"
    );
    assert_eq!(
        arcs.mean_time_to(&States::of(&[0])).expect_err("no passage").what,
        "the chain begins at the end of the passage"
    );
    // t0 = 1 + t1, t1 = 1/3 + 2/3 t0.
    near("passage", arcs.mean_time_to(&States::of(&[2])).expect("a number").value, 4.0, 1e-14);
}

/// Two groups of lines that calls fill slowly from empty, so that the states that carry the probability change. Each group refuses as Erlang's B says.
#[test]
fn probability_that_lies_far_from_where_the_search_begins_is_found() {
    let (lines, load) = (80_i64, 50.0);
    let (variable, number) = (Expression::Variable, Expression::Number);
    let change = [Binary::Add, Binary::Subtract];
    let rule = |group: usize, side: usize| {
        let bound = [(variable(group), number(lines as f64)), (number(0.0), variable(group))][side].clone();
        let rate = if side == 0 { number(load) } else { variable(group) };
        let effect = Expression::binary(change[side], variable(group), number(1.0));
        Rule {
            name: format!("group {group}, {side}"),
            place: None,
            action: None,
            guard: Expression::binary(Binary::Less, bound.0, bound.1),
            outcomes: vec![Outcome { rate, effects: vec![(group, effect)] }],
        }
    };
    let declare = |name: &str| Variable { name: name.into(), low: 0, high: lines, initial: 0, words: vec![] };
    let module = Module { name: "all".into(), rules: (0..4).map(|index| rule(index / 2, index % 2)).collect() };
    let rules =
        Rules { variables: vec![declare("first"), declare("second")], modules: vec![module], ..Rules::default() };
    let space = Space::explore(&rules, &[], Limits::default()).expect("a space");
    let full = |group| space.holding(&Expression::binary(Binary::Equal, variable(group), number(lines as f64)));
    let (first, second) = (full(0), full(1));
    let earned: Vec<f64> =
        (0..space.states()).map(|state| f64::from(u8::from(first.contains(state) || second.contains(state)))).collect();
    let refused = (1..=lines).fold(1.0, |refused, lines| load * refused / (lines as f64 + load * refused));
    let steady = Steady::of(space.arcs()).expect("a steady state");
    let got = steady.certain(&earned).expect("a number");
    near("refused", got.value, refused * (2.0 - refused), got.relative_error + 1e-14);
    assert!(got.relative_error < 1e-9, "{got:?}");
}

/// `cargo test --release -p availability --test chains -- --ignored cluster`
#[test]
#[ignore = "half a million and two million states take seconds, in a debug build minutes"]
fn the_large_workstation_clusters_are_enclosed() {
    let file = read("workstation-cluster");
    for n in [128, 256] {
        let expected = &file["expected"][format!("N={n}")];
        let space = cluster(&file, n).expect("a space");
        assert_eq!(space.states().to_string(), expected["states"]["value"].as_str().expect("a count"));
        let steady = Steady::of(space.arcs()).expect("a steady state");
        for (label, down, key) in
            [("premium", false, "U = P(not premium)"), ("below_minimum", true, "P(below minimum)")]
        {
            let set = space.label(label).expect("a label");
            let earned: Vec<f64> =
                (0..space.states()).map(|state| f64::from(u8::from(set.contains(state) == down))).collect();
            let got = steady.certain(&earned).expect("a number");
            near(&format!("{key}, N={n}"), got.value, value(&expected[key]), got.relative_error + 1e-12);
        }
    }
}

#[test]
fn a_chain_in_which_one_state_has_all_but_the_smallest_probability_is_solved() {
    let mut arcs = Sparse::new();
    for state in 0..4000_u32 {
        if state < 3999 {
            arcs.add(state + 1, 1e-24);
        }
        if state > 0 {
            arcs.add(state - 1, 1.0);
        }
        arcs.end_row();
    }
    let mut second = vec![0.0; 4000];
    second[1] = 1.0;
    let got = Steady::of(&arcs).expect("a steady state").certain(&second).expect("a number");
    near("P(second)", got.value, 1e-24, got.relative_error + 1e-15);
    assert!(got.relative_error < 1e-12, "{got:?}");
}
