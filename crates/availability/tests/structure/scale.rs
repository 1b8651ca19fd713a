//! Trees of thousands of events, and what happens where the memory does not suffice.

use availability::structure::{
    FaultTree, GateKind, Limits, Order, Probability, ReliabilityGraph, SetKind, StructureFunction,
};

use crate::dependencies::platform;
use crate::reference::assert_close;

const GROUPS: usize = 100;

fn limits(memory: usize) -> Limits {
    Limits { memory, ..Limits::default() }
}

#[test]
fn a_platform_of_five_thousand_packages() {
    let tree = platform(GROUPS);
    assert_eq!(tree.events().len(), 5301);
    let function = StructureFunction::of_tree(&tree, &limits(32 << 20)).unwrap();
    let p = |event: usize| Probability::of(1e-6 * (1 + event % 7) as f64);
    let events: Vec<_> = (0..tree.events().len()).map(p).collect();
    let sensitivity = function.sensitivity(&events).unwrap();
    // The groups are independent of each other: each for itself, and all in series with the power.
    let (mut works, mut slopes) = (events[events.len() - 1].no, Vec::new());
    for group in 0..GROUPS {
        let part = tree.with_top(&format!("group {group}")).unwrap();
        let part = StructureFunction::of_tree(&part, &limits(1 << 20)).unwrap().sensitivity(&events).unwrap();
        works *= part.top.no;
        slopes.extend((group * 53..(group + 1) * 53).map(|event| (part.birnbaum(event), part.top.no)));
    }
    assert_close("works", sensitivity.top.no, works, 1e-13);
    for (event, (slope, group_works)) in slopes.into_iter().enumerate() {
        assert_close("slope", sensitivity.birnbaum(event), slope * works / group_works, 1e-12);
    }
    let cuts = function.cut_sets(&limits(32 << 20)).unwrap();
    assert_eq!(cuts.kind(), SetKind::Cut);
    let orders = cuts.count_by_order();
    assert_eq!(orders.len(), 3);
    let sets = cuts.most_probable(&events, 3).unwrap();
    assert_eq!(sets.len(), 3);
    assert!(sets.iter().all(|set| set.events.len() == 1), "{sets:?}");
    let all = cuts.sum_of_probabilities(&events).unwrap();
    assert!(all >= sensitivity.top.yes && all < 1.01 * sensitivity.top.yes, "{all} {:?}", sensitivity.top);
}

/// A chain of gates, alternately or and and, each over an event of its own and the gate below.
fn chain(depth: usize, own_first: bool) -> FaultTree {
    let mut tree = FaultTree::builder();
    for k in 0..depth {
        tree.event(format!("e{k}"));
        let mut inputs = [format!("e{k}"), if k == 0 { "e0".to_owned() } else { format!("g{}", k - 1) }];
        if !own_first {
            inputs.reverse();
        }
        tree.gate(format!("g{k}"), if k % 2 == 0 { GateKind::Or } else { GateKind::And }, inputs);
    }
    tree.finish(&format!("g{}", depth - 1)).unwrap()
}

#[test]
fn a_deep_tree_does_not_exhaust_the_stack() {
    // With the own event last each gate is decided at the bottom, and a step goes all the way down.
    for (depth, own_first) in [(20_000, true), (2_000, false)] {
        let limits = Limits { order: Order::AsWritten, ..limits(64 << 20) };
        let function = StructureFunction::of_tree(&chain(depth, own_first), &limits).unwrap();
        let sensitivity = function.sensitivity(&vec![Probability::of(0.5); depth]).unwrap();
        assert!((sensitivity.top.yes + sensitivity.top.no - 1.0).abs() < 1e-12);
        // The last event decides whenever what is below has occurred: x = 1/2 + x/4.
        assert_close("last", sensitivity.birnbaum(depth - 1), 2.0 / 3.0, 1e-12);
        // A cut goes down to some or, and takes all ands above: one more for each or.
        assert_eq!(function.cut_sets(&limits).unwrap().count(), depth as u128 / 2);
    }
}

/// A tree whose diagram is large in any order: gates over inputs taken here and there.
fn tangled(gates: usize) -> FaultTree {
    let mut tree = FaultTree::builder();
    tree.events((0..60).map(|k| format!("e{k}")));
    let mut last = 0;
    for gate in 0..gates {
        let input = |k: usize| format!("e{}", (gate * 37 + k * k * 11 + gate * gate * k) % 60);
        let kind = if gate % 3 == 0 { GateKind::AtLeast(2) } else { GateKind::Xor };
        let count = if gate % 3 == 0 { 5 } else { 1 };
        let below = if gate == 0 { "e0".to_owned() } else { format!("g{last}") };
        tree.gate(format!("g{gate}"), kind, (1..=count).map(input).chain([below]));
        last = gate;
    }
    tree.finish(&format!("g{last}")).unwrap()
}

#[test]
fn where_the_memory_does_not_suffice_is_said_and_what_to_do() {
    let tree = tangled(120);
    for order in [Order::AsWritten, Order::FirstThatFits, Order::Smallest] {
        let error = StructureFunction::of_tree(&tree, &Limits { order, ..limits(1 << 20) }).unwrap_err();
        assert!(error.what.starts_with("the decision diagram does not fit into 1 MiB: 14"), "{error}");
        assert!(error.what.contains("nodes when gate \"g") && error.what.ends_with("of 120 gates"), "{error}");
        assert!(error.remedy.starts_with("allow more memory"), "{error}");
    }
    let small = StructureFunction::of_tree(&platform(1), &limits(700)).unwrap_err();
    assert!(small.what.contains("into 700 bytes"), "{small}");
    let error = grid(9).connected("0,0", &["8,8"], &limits(1 << 20)).unwrap_err();
    assert!(error.what.contains("network does not fit into 1 MiB"), "{error}");
}

/// A square of so many by so many vertices, each connected with its neighbours.
fn grid(side: usize) -> ReliabilityGraph {
    let mut grid = ReliabilityGraph::new();
    for (x, y) in (0..side).flat_map(|x| (0..side).map(move |y| (x, y))) {
        for (to_x, to_y) in [(x + 1, y), (x, y + 1)].into_iter().filter(|&(x, y)| x < side && y < side) {
            grid.edge(format!("{x},{y} to {to_x},{to_y}"), &format!("{x},{y}"), &format!("{to_x},{to_y}"));
        }
    }
    grid
}

#[test]
fn a_network_grows_with_its_width_and_not_with_its_size() {
    // A ladder of 1,000 rungs, against the recursion over its rungs: whether the end of the one side is reached from the
    // beginning, of the other, and of which both.
    let mut ladder = ReliabilityGraph::new();
    for k in 0..1000 {
        ladder.edge(format!("rung {k}"), &format!("a{k}"), &format!("b{k}"));
        for side in ["a", "b"] {
            ladder.edge(format!("{side} {k}"), &format!("{side}{k}"), &format!("{side}{}", k + 1));
        }
    }
    let function = ladder.connected("a0", &["a1000"], &limits(8 << 20)).unwrap();
    assert!(function.nodes() < 20_000, "{}", function.nodes());
    let (p, q) = (0.999, 0.001);
    let (mut only_a, mut only_b, mut both) = (1.0, 0.0, 0.0);
    for _ in 0..1000 {
        let joined = both + p * (only_a + only_b);
        let (one_a, one_b) = (q * only_a, q * only_b);
        (only_a, only_b, both) = (p * one_a + p * q * joined, p * one_b + q * p * joined, p * p * joined);
    }
    let down = function.probability(&vec![Probability::of(q); function.events().len()]).unwrap();
    assert_close("ladder", down.no, only_a + both, 1e-12);
    assert!(grid(8).connected("0,0", &["7,7"], &limits(64 << 20)).is_ok());
}

#[test]
fn probabilities_come_where_derivatives_and_cut_sets_do_not_fit() {
    let tree = platform(20);
    let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
    let events = vec![Probability::of(1e-6); tree.events().len()];
    let error = function.cut_sets(&limits(4096)).unwrap_err();
    assert!(error.what.contains("minimal sets do not fit into 4 KiB"), "{error}");
    assert!(function.probability(&events).unwrap().yes > 0.0);
}
