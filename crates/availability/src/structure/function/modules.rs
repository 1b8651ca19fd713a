//! The parts of a tree that are diagrams of their own: the tree itself, and what copies are made of.

use std::collections::BTreeMap;

use crate::Error;
use crate::structure::{FaultTree, GateKind, Input};

/// A part of a tree down to its events and copies.
pub(super) struct Part {
    pub(super) root: Input,
    /// Its gates, each behind those that it needs.
    pub(super) gates: Vec<usize>,
}

/// Whether a gate is decided elsewhere, and so is a variable of the part that it is in.
pub(super) fn is_leaf(tree: &FaultTree, gate: usize) -> bool {
    matches!(tree.gates()[gate].kind, GateKind::Copies { .. })
}

/// The parts of a tree, each behind those whose copies it has, and which is for what input.
pub(super) fn parts(tree: &FaultTree) -> Result<(Vec<Part>, BTreeMap<Input, usize>), Error> {
    let mut place = vec![0; tree.gates().len()];
    for (position, &gate) in tree.bottom_up().iter().enumerate() {
        place[gate] = position + 1;
    }
    let mut owners = BTreeMap::new();
    let mut roots = vec![tree.top()];
    let mut parts = Vec::new();
    while let Some(&root) = roots.get(parts.len()) {
        parts.push(part(tree, root, &place, &mut owners, &mut roots)?);
    }
    // What copies are made of is below the gate of the copies, and so before it in the order of the tree.
    parts.sort_by_key(|part| match part.root {
        Input::Gate(gate) => place[gate],
        _ => 0,
    });
    let numbers = parts.iter().enumerate().map(|(number, part)| (part.root, number)).collect();
    Ok((parts, numbers))
}

fn part(
    tree: &FaultTree,
    root: Input,
    place: &[usize],
    owners: &mut BTreeMap<Input, Input>,
    roots: &mut Vec<Input>,
) -> Result<Part, Error> {
    let mut part = Part { root, gates: Vec::new() };
    let mut seen = vec![false; tree.gates().len()];
    let mut open = vec![root];
    while let Some(input) = open.pop() {
        let gate = match input {
            Input::Gate(gate) => gate,
            Input::Event(_) => {
                own(tree, input, root, owners)?;
                continue;
            }
            Input::House(_) => continue,
        };
        if std::mem::replace(&mut seen[gate], true) {
            continue;
        }
        let inputs = &tree.gates()[gate].inputs;
        if is_leaf(tree, gate) {
            own(tree, input, root, owners)?;
            if !roots.contains(&inputs[0]) {
                roots.push(inputs[0]);
            }
        } else {
            part.gates.push(gate);
            open.extend(inputs);
        }
    }
    part.gates.sort_by_key(|&gate| place[gate]);
    Ok(part)
}

/// An event belongs to one part only: one that is in several would stand for one thing here and for many there.
fn own(tree: &FaultTree, leaf: Input, root: Input, owners: &mut BTreeMap<Input, Input>) -> Result<(), Error> {
    let owner = *owners.entry(leaf).or_insert(root);
    if owner == root {
        return Ok(());
    }
    let copied = if owner == tree.top() { root } else { owner };
    let what = format!(
        "{:?} belongs to {:?}, of which there are several copies, and is used outside of them as well",
        tree.name(leaf),
        tree.name(copied)
    );
    Err(Error::new(what, "each copy has its own; declare a second event for the use outside, or write the copies out"))
}
