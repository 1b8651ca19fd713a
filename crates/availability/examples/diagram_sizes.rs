//! How large the decision diagrams of some fault trees and networks are, for each order of the events, and how long they
//! take: `cargo run --release -p availability --example diagram_sizes`.

use std::time::Instant;

use availability::structure::{FaultTree, Limits, Order, Probability, ReliabilityGraph, StructureFunction};

#[path = "../tests/structure/dependencies.rs"]
mod dependencies;

const ORDERS: [Order; 3] = [Order::AsWritten, Order::SmallFirst, Order::SharedFirst];

fn main() {
    println!(
        "{:<34} {:<12} {:>7} {:>10} {:>9} {:>9} {:>12}",
        "model", "order", "events", "nodes", "make", "top", "gradient"
    );
    for groups in [10, 100, 1000] {
        trees(&format!("platform, {groups} groups"), &dependencies::platform(groups));
    }
    for side in [4, 6, 8, 10] {
        let begin = Instant::now();
        match grid(side).connected("0,0", &[&format!("{},{}", side - 1, side - 1)], &Limits::default()) {
            Ok(function) => line(&format!("grid {side} by {side}, corner to corner"), "breadth", &function, begin),
            Err(error) => println!("grid {side} by {side}: {error}"),
        }
    }
}

fn trees(name: &str, tree: &FaultTree) {
    for order in ORDERS {
        let begin = Instant::now();
        match StructureFunction::of_tree(tree, &Limits { order, ..Limits::default() }) {
            Ok(function) => line(name, &format!("{order:?}"), &function, begin),
            Err(error) => println!("{name} {order:?}: {error}"),
        }
    }
}

/// One line: what the making took since `begin`, one evaluation, and one gradient with its diagram.
fn line(name: &str, order: &str, function: &StructureFunction, begin: Instant) {
    let make = begin.elapsed();
    let events = vec![Probability::of(0.01); function.events().len()];
    let begin = Instant::now();
    let top = function.probability(&events).map(|top| top.yes);
    let evaluate = begin.elapsed();
    let begin = Instant::now();
    let gradient = function.sensitivity(&events).map(|sensitivity| sensitivity.critical.len());
    let (events, nodes) = (function.events().len(), function.nodes());
    let gradient = match gradient {
        Ok(_) => format!("{:.1?}", begin.elapsed()),
        Err(error) => error.to_string(),
    };
    println!(
        "{name:<34} {order:<12} {events:>7} {nodes:>10} {:>9} {:>9} {gradient:>12}  {top:?}",
        format!("{make:.1?}"),
        format!("{evaluate:.1?}")
    );
}

fn grid(side: usize) -> ReliabilityGraph {
    let mut graph = ReliabilityGraph::new();
    for (x, y) in (0..side).flat_map(|x| (0..side).map(move |y| (x, y))) {
        for (to_x, to_y) in [(x + 1, y), (x, y + 1)] {
            if to_x < side && to_y < side {
                graph.edge(format!("{x},{y} to {to_x},{to_y}"), &format!("{x},{y}"), &format!("{to_x},{to_y}"));
            }
        }
    }
    graph
}
