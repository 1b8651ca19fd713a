//! Whether a tree is coherent: whether more failed parts never repair the whole.

use super::sensitivity::{Branches, Two, swap_if};
use super::{Module, StructureFunction, Variable};
use crate::Error;
use crate::structure::diagram::Difference;

impl StructureFunction {
    /// Whether more events never make the top event end.
    pub(crate) fn check_coherent(&self, asked: &str) -> Result<(), Error> {
        if self.modules.iter().all(|module| module.coherent) {
            return Ok(());
        }
        let directions = self.directions()?;
        let Some(event) = directions.iter().position(|&(_, inverse)| inverse) else { return Ok(()) };
        let what =
            format!("{asked} is for coherent trees, and here {:?} may prevent the top event", self.events[event]);
        Err(Error::new(
            what,
            "take the negations away that it is under; probability, frequency and derivatives do not need this",
        ))
    }

    /// For each event whether the top event can depend on it as a critical and as an inverse one, whatever the
    /// probabilities are.
    ///
    /// # Errors
    /// As [`Self::sensitivity`], for want of memory.
    fn directions(&self) -> Result<Vec<(bool, bool)>, Error> {
        let branches = self.branches()?;
        let mut result = vec![(false, false); self.events.len()];
        let mut weights = vec![(false, false); self.modules.len()];
        if let Some(top) = weights.last_mut() {
            *top = (true, false);
        }
        for number in (0..self.modules.len()).rev() {
            let module = &self.modules[number];
            for (variable, decided) in module.variables.iter().zip(module.can_decide(&branches[number])) {
                let (a, b) = (weights[number], decided);
                let both = ((a.0 && b.0) || (a.1 && b.1), (a.0 && b.1) || (a.1 && b.0));
                let target = match *variable {
                    Variable::Event(event) => &mut result[event],
                    Variable::Copies { module, .. } => &mut weights[module],
                };
                *target = (target.0 || both.0, target.1 || both.1);
            }
        }
        Ok(result)
    }
}

impl Module {
    /// For each level whether it can decide the root as a critical, and as an inverse variable.
    fn can_decide(&self, branches: &Branches) -> Vec<Two<bool>> {
        let Branches::Pairs(differences) = branches else { return vec![(true, false); self.variables.len()] };
        let mut different: Vec<Two<bool>> = Vec::with_capacity(differences.entries.len());
        for entry in &differences.entries {
            different.push(match *entry {
                Difference::Equal => (false, false),
                Difference::Above(_) => (true, false),
                Difference::Opposite(_) => (true, true),
                Difference::Split { high, low, .. } => {
                    let high = swap_if(different[high.entry()], high.is_swapped());
                    let low = swap_if(different[low.entry()], low.is_swapped());
                    (high.0 || low.0, high.1 || low.1)
                }
            });
        }
        let mut decides = vec![(false, false); self.variables.len()];
        let mut reach = vec![(false, false); self.diagram.nodes.len()];
        let root = self.diagram.roots[0];
        reach[root.node()] = swap_if((true, false), root.is_negated());
        for (number, node) in self.diagram.nodes.iter().enumerate().skip(1).rev() {
            let (a, pair) = (reach[number], differences.of_node[number]);
            let b = swap_if(different[pair.entry()], pair.is_swapped());
            let decided = &mut decides[node.level as usize];
            decided.0 |= (a.0 && b.0) || (a.1 && b.1);
            decided.1 |= (a.0 && b.1) || (a.1 && b.0);
            for edge in [node.high, node.low] {
                let (even, odd) = swap_if(a, edge.is_negated());
                reach[edge.node()].0 |= even;
                reach[edge.node()].1 |= odd;
            }
        }
        decides
    }
}
