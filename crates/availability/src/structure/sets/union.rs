//! What the cut sets of one event do together: the importance of Fussell and Vesely.

use super::{SetFamily, SetKind, UNIT};
use crate::Error;
use crate::structure::diagram::{Diagram, Edge, Full, Store};
use crate::structure::function::size;
use crate::structure::{Limits, Probability, StructureFunction};

impl SetFamily {
    /// Fussell and Vesely's importance of each event: `P(all of some minimal cut set with the event) / P(top)`, the
    /// probability that the event has a part in the failure, given that the top event has occurred (Fussell 1975). Exact, from a
    /// diagram of the union of the cut sets of each event, and not their sum.
    ///
    /// # Errors
    /// If these are path sets, there are not as many probabilities as events, the top event cannot occur, or a diagram does
    /// not fit into the memory allowed.
    pub fn fussell_vesely(&self, events: &[Probability], limits: &Limits) -> Result<Vec<f64>, Error> {
        if self.kind == SetKind::Path {
            let what = "the importance of Fussell and Vesely was asked of path sets";
            return Err(Error::new(what, "it is defined by the minimal cut sets"));
        }
        self.weights(events)?;
        let full = |Full| {
            let what =
                format!("the diagrams for Fussell and Vesely's importance do not fit into {}", size(limits.memory));
            Error::new(what, "allow more memory, or use criticality, which is nearly the same for rare events")
        };
        let roots = self.unions(limits.memory).map_err(full)?;
        let names = (0..self.events).map(|event| event.to_string()).collect();
        let unions = StructureFunction::of_diagram(names, self.levels.clone(), roots, limits).each_root(events)?;
        let Some((top, each)) = unions.split_last().filter(|(top, _)| top.yes > 0.0) else {
            let what = "the probability of the top event is 0, so that no event has a share in it";
            return Err(Error::new(what, "give the events that cause it probabilities above 0"));
        };
        let mut importance = vec![0.0; self.events];
        for (level, union) in each.iter().enumerate() {
            importance[self.levels[level]] = union.yes / top.yes;
        }
        Ok(importance)
    }

    /// For each level the function that all of a set with its event occur, and last that all of any set occur.
    fn unions(&self, memory: usize) -> Result<Diagram, Full> {
        let mut store = Store::new(memory);
        let variables =
            (0..self.levels.len() as u32).map(|level| store.variable(level)).collect::<Result<Vec<_>, _>>()?;
        let mut any = vec![Edge::FALSE, Edge::TRUE];
        for node in self.nodes.inner() {
            let (high, low) = (any[node.high as usize], any[node.low as usize]);
            let with = store.or(high, low)?;
            any.push(store.ite(variables[node.level as usize], with, low)?);
        }
        let mut roots = Vec::with_capacity(self.levels.len() + 1);
        for level in 0..self.levels.len() as u32 {
            let mut with = vec![Edge::FALSE; UNIT as usize + 1];
            for node in self.nodes.inner() {
                let variable = variables[node.level as usize];
                let (high, low) = (with[node.high as usize], with[node.low as usize]);
                with.push(if node.level == level {
                    store.and(variable, any[node.high as usize])?
                } else if node.level > level || (high, low) == (Edge::FALSE, Edge::FALSE) {
                    Edge::FALSE
                } else {
                    let both = store.or(high, low)?;
                    store.ite(variable, both, low)?
                });
            }
            roots.push(with[self.root as usize]);
        }
        roots.push(any[self.root as usize]);
        Ok(Diagram::of(&store, &roots))
    }
}
