//! What the cut sets of one event do together: the importance of Fussell and Vesely.

use super::{SetFamily, SetKind, UNIT};
use crate::Error;
use crate::structure::diagram::{Diagram, Edge, Full, Store};
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
        let roots = self.unions(limits.memory).map_err(|Full| too_large(limits))?;
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
        let any = self.any(&mut store)?;
        let mut roots = Vec::with_capacity(self.levels.len() + 1);
        for level in 0..self.levels.len() as u32 {
            roots.push(self.with(&mut store, &any, level)?);
        }
        roots.push(any[self.root as usize]);
        Ok(Diagram::of(&store, &roots))
    }

    /// For each family the function that all of any of its sets occur.
    fn any(&self, store: &mut Store) -> Result<Vec<Edge>, Full> {
        let mut any = vec![Edge::FALSE, Edge::TRUE];
        for node in self.nodes.inner() {
            let (high, low) = (any[node.high as usize], any[node.low as usize]);
            let either = store.or(high, low)?;
            any.push(store.decide(node.level, either, low)?);
        }
        Ok(any)
    }

    /// The function that all of a set with the event of this level occur.
    fn with(&self, store: &mut Store, any: &[Edge], level: u32) -> Result<Edge, Full> {
        let mut with = vec![Edge::FALSE; UNIT as usize + 1];
        for node in self.nodes.inner() {
            let (high, low) = (with[node.high as usize], with[node.low as usize]);
            with.push(if node.level == level {
                store.decide(level, any[node.high as usize], Edge::FALSE)?
            } else if node.level > level || (high, low) == (Edge::FALSE, Edge::FALSE) {
                Edge::FALSE
            } else {
                let either = store.or(high, low)?;
                store.decide(node.level, either, low)?
            });
        }
        Ok(with[self.root as usize])
    }
}

impl StructureFunction {
    /// The function that all events of some minimal cut set with this event occur: its probability, over that of the top
    /// event, is the importance of Fussell and Vesely ([`SetFamily::fussell_vesely`]), with bounds and derivatives if these
    /// are asked of it.
    ///
    /// # Errors
    /// As [`StructureFunction::cut_sets`], and if the diagram does not fit into the memory allowed.
    pub fn cut_sets_with(&self, event: usize, limits: &Limits) -> Result<Self, Error> {
        let sets = self.cut_sets(limits)?;
        let mut store = Store::new(limits.memory);
        let place = sets.levels.iter().position(|&own| own == event);
        let root = match place {
            None => Ok(Edge::FALSE),
            Some(level) => sets.any(&mut store).and_then(|any| sets.with(&mut store, &any, level as u32)),
        };
        let diagram = Diagram::of(&store, &[root.map_err(|Full| too_large(limits))?]);
        Ok(Self::of_diagram(self.events().to_vec(), sets.levels.clone(), diagram, limits))
    }
}

fn too_large(limits: &Limits) -> Error {
    let what = format!("the diagrams for Fussell and Vesely's importance do not fit into {}", limits.told());
    let remedy = "or use criticality, which is nearly the same for rare events";
    Error::new(what, format!("{}, {remedy}", limits.bound.remedy()))
}
