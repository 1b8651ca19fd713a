//! Structure functions of random trees, against all 2^n cases.

use availability::Dual;
use availability::structure::{Limits, Order, Probability, Sensitivity, StructureFunction};
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
fn with(tree: &availability::structure::FaultTree, events: u32, event: usize, value: bool) -> bool {
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
}
