//! From the diagram of a coherent function to its minimal sets.

use super::{EMPTY, SetFamily, SetKind, SetStore, UNIT};
use crate::Error;
use crate::structure::diagram::{Diagram, Edge, Full};
use crate::structure::{Limits, StructureFunction};

impl StructureFunction {
    pub(super) fn minimal_sets(&self, kind: SetKind, limits: &Limits) -> Result<SetFamily, Error> {
        let (levels, diagram) = self.single("cut sets and path sets")?;
        self.check_coherent("minimal cut sets and path sets")?;
        let lists = diagram.nodes.len() * size_of::<([u32; 2], [bool; 2])>();
        let mut nodes = SetStore::new(limits.memory.saturating_sub(lists));
        let root = minimal(diagram, kind, &mut nodes).map_err(|Full| {
            let what = format!("the minimal sets do not fit into {}", limits.told());
            let remedy = "probabilities, and all importances but that of Fussell and Vesely, need none of them";
            Error::new(what, format!("{}; {remedy}", limits.bound.remedy()))
        })?;
        Ok(SetFamily { kind, events: self.events().len(), levels, nodes: nodes.finished(), root })
    }
}

/// At a node the sets without its event are those of the one branch, those with it the sets of the other branch that
/// contain none of them (Rauzy 1993).
///
/// In a coherent function these are the sets of the other branch that are not among those of the one, which is a plain
/// difference and takes far fewer steps: let `s` be minimal with the event and contain `t`, which is minimal without it. What
/// suffices without the event does so with it, and so `t` contains a set that is minimal with it. That is within `s`, and so
/// it is `s` itself, and `t` as well.
fn minimal(diagram: &Diagram, kind: SetKind, store: &mut SetStore) -> Result<u32, Full> {
    // The function whose solutions are looked for: that the top event occurs, or that it does not.
    let root = diagram.roots[0].negate_if(kind == SetKind::Path);
    let needed = needed(diagram, root);
    // For each node the families of its function and of the negation of it.
    let mut families = vec![[EMPTY; 2]; diagram.nodes.len()];
    families[0] = [UNIT, EMPTY];
    let family = |families: &[[u32; 2]], edge: Edge| families[edge.node()][usize::from(edge.is_negated())];
    for (number, node) in diagram.nodes.iter().enumerate().skip(1) {
        for negated in [false, true] {
            if needed[number][usize::from(negated)] {
                let branches = (node.high.negate_if(negated), node.low.negate_if(negated));
                let (with, without) = match kind {
                    SetKind::Cut => branches,
                    SetKind::Path => (branches.1, branches.0),
                };
                let low = family(&families, without);
                let high = store.minus(family(&families, with), low)?;
                families[number][usize::from(negated)] = store.join(node.level, high, low)?;
            }
        }
    }
    Ok(family(&families, root))
}

/// Which nodes are needed plainly, and which negated.
fn needed(diagram: &Diagram, root: Edge) -> Vec<[bool; 2]> {
    let mut needed = vec![[false; 2]; diagram.nodes.len()];
    needed[root.node()][usize::from(root.is_negated())] = true;
    for (number, node) in diagram.nodes.iter().enumerate().skip(1).rev() {
        for negated in [false, true] {
            if needed[number][usize::from(negated)] {
                for edge in [node.high, node.low].map(|edge| edge.negate_if(negated)) {
                    needed[edge.node()][usize::from(edge.is_negated())] = true;
                }
            }
        }
    }
    needed
}
