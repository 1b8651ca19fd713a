//! Block diagrams, copies and networks, against each other and against all cases.

use availability::structure::{Block, Limits, Probability, ReliabilityGraph, Repairable, StructureFunction};
use proptest::prelude::*;

use crate::brute_force::sum;
use crate::reference::assert_close;

fn function(block: &Block) -> StructureFunction {
    StructureFunction::of_tree(&block.fault_tree().unwrap(), &Limits::default()).unwrap()
}

fn units(names: &[&str]) -> Vec<Block> {
    names.iter().copied().map(Block::unit).collect()
}

#[test]
fn groups_are_their_formulas() {
    let p = [0.1, 0.2, 0.3].map(Probability::of);
    let top = |block: Block| function(&block).probability(&p).unwrap();
    let abc = ["a", "b", "c"];
    assert_close("series", top(Block::series(units(&abc))).no, 0.9 * 0.8 * 0.7, 1e-15);
    assert_close("parallel", top(Block::parallel(units(&abc))).yes, 0.1 * 0.2 * 0.3, 1e-15);
    let two_work = 0.9 * 0.8 * 0.3 + 0.9 * 0.2 * 0.7 + 0.1 * 0.8 * 0.7 + 0.9 * 0.8 * 0.7;
    assert_close("2 of 3", top(Block::at_least(2, units(&abc))).no, two_work, 1e-15);
}

#[test]
fn a_part_that_occurs_twice_is_one_part() {
    let both = Block::series([Block::parallel(units(&["a", "b"])), Block::parallel(units(&["a", "c"]))]);
    let top = function(&both).probability(&[0.1, 0.2, 0.3].map(Probability::of)).unwrap();
    assert_close("a and (b or c)", top.yes, 0.1 * (0.2 + 0.3 - 0.06), 1e-15);
}

#[test]
fn the_bridge_of_blocks_is_the_bridge_of_the_network() {
    let block = function(&Block::bridge(["a", "b", "c", "d", "e"].map(Block::unit)));
    let mut graph = ReliabilityGraph::new();
    graph.edge("a", "in", "left").edge("b", "in", "right").edge("c", "left", "out");
    graph.edge("d", "right", "out").edge("e", "left", "right");
    let graph = graph.connected("in", &["out"], &Limits::default()).unwrap();
    let by_name = |name: &String| Probability::of(f64::from(name.as_bytes()[0] - b'a' + 1) / 10.0);
    let [one, two] = [block, graph].map(|function| {
        let events: Vec<_> = function.events().iter().map(by_name).collect();
        function.probability(&events).unwrap()
    });
    assert_close("bridge", one.yes, two.yes, 1e-15);
    assert_close("bridge", one.no, two.no, 1e-15);
}

#[test]
fn copies_are_what_they_are_written_out() {
    // Two of three racks, in each of which a fan and two of four disks must work; and a switch.
    let rack = Block::series([Block::unit("fan"), Block::copies(2, 4, Block::unit("disk"))]);
    let site = Block::series([Block::copies(2, 3, rack), Block::unit("switch")]);
    let tree = site.fault_tree().unwrap();
    let (expanded, origins) = tree.expanded(100).unwrap();
    assert_eq!(expanded.events().len(), 3 * 5 + 1);
    let component = |name: &str| match name {
        "fan" => Repairable::with_rates(0.02, 0.5),
        "disk" => Repairable::with_rates(0.1, 0.4),
        _ => Repairable::with_rates(0.001, 0.25),
    };
    let alike: Vec<_> = tree.events().iter().map(|name| component(name)).collect();
    let each: Vec<_> = origins.iter().map(|&event| alike[event]).collect();
    let alike_function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
    let each_function = StructureFunction::of_tree(&expanded, &Limits::default()).unwrap();
    assert!(alike_function.nodes() < each_function.nodes());
    let (one, two) = (alike_function.frequency(&alike).unwrap(), each_function.frequency(&each).unwrap());
    assert_close("down", one.down.yes, two.down.yes, 1e-14);
    assert_close("up", one.down.no, two.down.no, 1e-14);
    assert_close("frequency", one.frequency, two.frequency, 1e-14);
    let down = |of: &[Repairable]| of.iter().map(|component| component.down).collect::<Vec<_>>();
    let sensitivity = alike_function.sensitivity(&down(&alike)).unwrap();
    let all = each_function.sensitivity(&down(&each)).unwrap();
    for event in 0..alike.len() {
        let together: f64 = (0..each.len()).filter(|&copy| origins[copy] == event).map(|copy| all.birnbaum(copy)).sum();
        assert_close("all copies together", sensitivity.birnbaum(event), together, 1e-14);
    }
    assert!(tree.expanded(10).unwrap_err().what.contains("more than 10"));
    assert!(alike_function.cut_sets(&Limits::default()).unwrap_err().remedy.contains("write the copies out"));
}

#[test]
fn a_part_of_copies_is_not_shared_with_the_rest() {
    let twice = Block::series([Block::copies(1, 2, Block::unit("psu")), Block::unit("psu")]);
    let error = StructureFunction::of_tree(&twice.fault_tree().unwrap(), &Limits::default()).unwrap_err();
    assert!(error.what.contains("\"psu\" belongs to \"psu\", of which there are several copies"), "{error}");
}

#[test]
fn a_block_that_cannot_be_is_refused() {
    for (block, says) in [
        (Block::series([]), "no blocks"),
        (Block::at_least(4, units(&["a", "b"])), "needs 4 of 2"),
        (Block::copies(0, 3, Block::unit("a")), "needs 0 of 3"),
    ] {
        let error = block.fault_tree().unwrap_err();
        assert!(error.what.contains(says), "{error}");
    }
}

const VERTICES: usize = 5;

/// Whether all targets are reached from vertex 0 with the connections that work.
fn reached(arcs: &[(usize, usize, bool)], failed: u32, fails: &[bool], targets: &[usize]) -> bool {
    let vertex_works = |vertex: usize| !fails[vertex] || failed >> (arcs.len() + vertex) & 1 == 0;
    let mut seen = [false; VERTICES];
    seen[0] = vertex_works(0);
    for _ in 0..VERTICES {
        for (_, &(from, to, both)) in arcs.iter().enumerate().filter(|(k, _)| failed >> k & 1 == 0) {
            for (from, to) in [(from, to), (to, from)].into_iter().take(1 + usize::from(both)) {
                seen[to] |= seen[from] && vertex_works(to);
            }
        }
    }
    targets.iter().all(|&target| seen[target])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn networks_are_connected_as_in_all_cases(
        arcs in prop::collection::vec((0..VERTICES, 0..VERTICES, any::<bool>()), 1..8),
        fails in prop::collection::vec(any::<bool>(), VERTICES),
        targets in prop::collection::vec(1..VERTICES, 1..3),
        p in prop::collection::vec(0.01..0.99, 8 + VERTICES),
    ) {
        let mut graph = ReliabilityGraph::new();
        let vertex = |v: usize| format!("v{v}");
        for (v, &fails) in fails.iter().enumerate() {
            graph.link(&vertex(v), &vertex(v));
            if fails {
                graph.failing(&vertex(v));
            }
        }
        for (k, &(from, to, both)) in arcs.iter().enumerate() {
            let (from, to) = (vertex(from), vertex(to));
            if both { graph.edge(format!("a{k}"), &from, &to) } else { graph.arc(format!("a{k}"), &from, &to) };
        }
        let names: Vec<_> = targets.iter().map(|&v| vertex(v)).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        match graph.connected("v0", &names, &Limits::default()) {
            Err(error) => {
                prop_assert!(error.what.starts_with("no connection leads"));
                prop_assert!(!reached(&arcs, 0, &fails, &targets));
            }
            Ok(function) => {
                let number = |name: &str| name[1..].parse::<usize>().unwrap();
                let index = |name: &String| if name.starts_with('v') { arcs.len() + number(name) } else { number(name) };
                let events: Vec<_> = function.events().iter().map(|name| Probability::of(p[index(name)])).collect();
                let top = function.probability(&events).unwrap();
                let all = &p[..arcs.len() + VERTICES];
                let expected = sum(all, |failed| !reached(&arcs, failed, &fails, &targets));
                prop_assert!((top.yes - expected).abs() < 1e-13, "{} {}", top.yes, expected);
            }
        }
    }
}
