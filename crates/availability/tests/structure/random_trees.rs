//! Structure functions of random trees, against all 2^n cases.

use availability::structure::{FaultTree, Limits, Order, Probability, Repairable, Sensitivity, StructureFunction};
use availability::{Certain, Dual};
use proptest::prelude::*;

use crate::brute_force::{occurs, sum, trees};

const EVENTS: usize = 7;
const ALL: &[&str] = &["and", "or", "at least", "not", "xor"];

fn probabilities() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![0.001..0.999, Just(0.0), Just(1.0)], EVENTS)
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-13 * expected.abs() + 1e-300
}

/// Whether the top event occurs, with an event put to true or false.
fn with(tree: &FaultTree, events: u32, event: usize, value: bool) -> bool {
    occurs(tree, if value { events | 1 << event } else { events & !(1 << event) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn probability_and_sensitivity_are_those_of_all_cases(tree in trees(EVENTS, ALL), p in probabilities()) {
        let events: Vec<_> = p.iter().map(|&p| Probability::of(p)).collect();
        for order in [Order::AsWritten, Order::Smallest] {
            let function = StructureFunction::of_tree(&tree, &Limits { order, ..Limits::default() }).unwrap();
            let found = function.sensitivity(&events).unwrap();
            prop_assert_eq!(found.top, function.probability(&events).unwrap());
            prop_assert!(close(found.top.yes, sum(&p, |case| occurs(&tree, case))));
            prop_assert!(close(found.top.no, sum(&p, |case| !occurs(&tree, case))));
            for event in 0..EVENTS {
                let critical = sum(&p, |case| with(&tree, case, event, true) && !with(&tree, case, event, false));
                let inverse = sum(&p, |case| !with(&tree, case, event, true) && with(&tree, case, event, false));
                prop_assert!(close(found.critical[event], critical));
                prop_assert!(close(found.inverse[event], inverse));
            }
        }
    }

    #[test]
    fn slopes_are_the_gradient_and_second_derivatives_are_symmetric(tree in trees(EVENTS, ALL), p in probabilities()) {
        let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
        let by = |event: usize| -> Sensitivity<Dual> {
            let dual = |(k, &p): (usize, &f64)| Probability::of(Dual { value: p, slope: f64::from(u8::from(k == event)) });
            function.sensitivity(&p.iter().enumerate().map(dual).collect::<Vec<_>>()).unwrap()
        };
        let columns: Vec<_> = (0..EVENTS).map(by).collect();
        for i in 0..EVENTS {
            prop_assert!((columns[i].top.yes.slope - columns[0].birnbaum(i).value).abs() < 1e-14);
            prop_assert!((columns[i].top.no.slope + columns[0].birnbaum(i).value).abs() < 1e-14);
            prop_assert!(columns[i].birnbaum(i).slope.abs() < 1e-14);
            for j in 0..i {
                prop_assert!((columns[i].birnbaum(j).slope - columns[j].birnbaum(i).slope).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn bounds_hold_against_exact_fractions(
        tree in trees(EVENTS, ALL),
        sixteenths in prop::collection::vec(0_u64..=16, EVENTS),
    ) {
        let events: Vec<_> = sixteenths.iter().map(|&k| Probability::of(k as f64 / 16.0)).collect();
        let exactly = events.iter().map(|p| Probability { yes: Certain::exact(p.yes), no: Certain::exact(p.no) });
        let exactly: Vec<_> = exactly.collect();
        let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
        let (top, gradient) = function.certain_gradient(&exactly).unwrap();
        prop_assert_eq!(function.certain(&exactly).unwrap(), top);
        // All probabilities are whole numbers of 16^-7.
        let weight = |case: u32| -> u64 {
            (0..EVENTS).map(|k| if case >> k & 1 == 1 { sixteenths[k] } else { 16 - sixteenths[k] }).product()
        };
        let whole = |holds: &dyn Fn(u32) -> bool| -> i64 {
            (0..1 << EVENTS).filter(|&case| holds(case)).map(|case| weight(case) as i64).sum()
        };
        let holds = |found: Certain, exact: i64| {
            let exact = exact as f64 / 16_f64.powi(EVENTS as i32);
            // Of a difference that vanishes no digit need be sure.
            found.relative_error == f64::INFINITY || (found.value - exact).abs() <= found.relative_error * exact.abs()
        };
        prop_assert!(top.yes.digits() >= 13 && top.no.digits() >= 13);
        prop_assert!(holds(top.yes, whole(&|case| occurs(&tree, case))));
        prop_assert!(holds(top.no, whole(&|case| !occurs(&tree, case))));
        for (event, slope) in gradient.into_iter().enumerate() {
            let with = whole(&|case| with(&tree, case, event, true));
            prop_assert!(holds(slope, with - whole(&|case| self::with(&tree, case, event, false))), "{slope:?}");
        }
    }

    #[test]
    fn the_frequency_is_that_of_all_transitions(
        tree in trees(EVENTS, ALL),
        rates in prop::collection::vec((0.001..1.0, 0.001..1.0), EVENTS),
    ) {
        let components: Vec<_> = rates.iter().map(|&(fails, repaired)| Repairable::with_rates(fails, repaired)).collect();
        let p: Vec<_> = components.iter().map(|component| component.down.yes).collect();
        let mut expected = 0.0;
        for (event, &(fails, repaired)) in rates.iter().enumerate() {
            let (up, down) = (|case: u32| case & !(1 << event), |case: u32| case | 1 << event);
            let is_up = |case: u32| case >> event & 1 == 0;
            expected += fails * sum(&p, |case| is_up(case) && !occurs(&tree, case) && occurs(&tree, down(case)));
            expected += repaired * sum(&p, |case| !is_up(case) && !occurs(&tree, case) && occurs(&tree, up(case)));
        }
        let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
        let found = function.frequency(&components).unwrap();
        prop_assert!((found.frequency - expected).abs() <= 1e-12 * expected, "{} {}", found.frequency, expected);
    }

    #[test]
    fn the_mean_time_is_the_sum_over_all_states_that_work(
        tree in trees(5, &["and", "or", "at least"]),
        rates in prop::collection::vec(0.05..2.0, 5),
    ) {
        let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
        let found = function.mean_time_to_failure(&rates).unwrap();
        let expected: f64 = (0..1 << 5).filter(|&state| !occurs(&tree, state)).map(|state| time_in(state, &rates)).sum();
        prop_assert!((found - expected).abs() < 1e-11 * expected, "{found} {expected}");
        let exact: Vec<_> = rates.iter().map(|&rate| Certain::exact(rate)).collect();
        let certain = function.certain_mean_time(&exact).unwrap();
        prop_assert_eq!(certain.value, found);
        prop_assert!(certain.digits() >= 13, "{certain:?}");
    }
}

/// The mean time that the parts of these bits, and no others, have failed: the integral of
/// `product of (1 - exp(-rate t))` over them and of `exp(-rate t)` over the others, multiplied out.
fn time_in(state: u32, rates: &[f64]) -> f64 {
    let rate = |set: u32| -> f64 { (0..rates.len()).filter(|k| set >> k & 1 == 1).map(|k| rates[k]).sum() };
    let working = !state & ((1 << rates.len()) - 1);
    let subsets = (0..1 << rates.len()).filter(|subset: &u32| subset & !state == 0);
    subsets.map(|subset| (-1_f64).powi(subset.count_ones() as i32) / rate(working | subset)).sum()
}
