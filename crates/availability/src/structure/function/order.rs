//! The order of the variables of a module.

use super::Order;
use super::modules::is_leaf;
use crate::structure::{FaultTree, Input};

/// What decides the order of the inputs of a gate, for all gates of a tree.
pub(super) struct Weights {
    order: Order,
    /// Events and gates below each gate, each counted as often as it is reached.
    size: Vec<f64>,
    /// Gates that have it as an input.
    event_uses: Vec<usize>,
    gate_uses: Vec<usize>,
}

impl Weights {
    pub(super) fn of(tree: &FaultTree, order: Order) -> Self {
        let mut size = vec![1.0; tree.gates().len()];
        let (mut event_uses, mut gate_uses) = (vec![0; tree.events().len()], vec![0; tree.gates().len()]);
        for &gate in tree.bottom_up() {
            for &input in &tree.gates()[gate].inputs {
                match input {
                    Input::Event(event) => {
                        size[gate] += 1.0;
                        event_uses[event] += 1;
                    }
                    Input::Gate(below) => {
                        size[gate] += size[below];
                        gate_uses[below] += 1;
                    }
                    Input::House(_) => {}
                }
            }
        }
        Self { order, size, event_uses, gate_uses }
    }

    fn size(&self, input: Input) -> f64 {
        match input {
            Input::Gate(gate) => self.size[gate],
            _ => 1.0,
        }
    }

    fn uses(&self, input: Input) -> usize {
        match input {
            Input::Gate(gate) => self.gate_uses[gate],
            Input::Event(event) => self.event_uses[event],
            Input::House(_) => 0,
        }
    }

    fn sorted(&self, inputs: &[Input]) -> Vec<Input> {
        let mut inputs = inputs.to_vec();
        match self.order {
            Order::SmallFirst => inputs.sort_by(|&a, &b| self.size(a).total_cmp(&self.size(b))),
            Order::SharedFirst => inputs.sort_by_key(|&input| std::cmp::Reverse(self.uses(input))),
            _ => {}
        }
        inputs
    }
}

/// The events and copies below the root of a part, depth first.
pub(super) fn leaves(tree: &FaultTree, root: Input, weights: &Weights) -> Vec<Input> {
    let mut seen = vec![false; tree.gates().len()];
    let mut event_seen = vec![false; tree.events().len()];
    let mut leaves = Vec::new();
    let mut open = vec![root];
    while let Some(input) = open.pop() {
        match input {
            Input::Event(event) if !std::mem::replace(&mut event_seen[event], true) => leaves.push(input),
            Input::Gate(gate) if !std::mem::replace(&mut seen[gate], true) => {
                if is_leaf(tree, gate) {
                    leaves.push(input);
                } else {
                    open.extend(weights.sorted(&tree.gates()[gate].inputs).into_iter().rev());
                }
            }
            _ => {}
        }
    }
    leaves
}
