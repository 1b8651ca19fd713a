//! Probabilities of a structure function.

use super::{Module, StructureFunction, Variable};
use crate::structure::diagram::Edge;
use crate::structure::{Bounded, Probability};
use crate::{Certain, Error, Scalar};

/// The probabilities within one module.
pub(super) struct Values<S> {
    /// Of what decides each level; and for copies the derivative of it by the probability of one.
    pub(super) levels: Vec<(Probability<S>, S)>,
    /// Of each node, that its function is true.
    pub(super) nodes: Vec<Probability<S>>,
    pub(super) top: Probability<S>,
}

impl StructureFunction {
    /// The probability that the top event occurs, and that it does not, from those of the basic events, which are
    /// independent of each other: with `Dual` for `S` also its derivative.
    ///
    /// At each node `p high + (1 - p) low`, from the bottom upwards.
    ///
    /// # Errors
    /// If there are not as many probabilities as events, or one of them is none.
    pub fn probability<S: Scalar>(&self, events: &[Probability<S>]) -> Result<Probability<S>, Error> {
        self.check(events)?;
        Ok(self.unchecked(events))
    }

    /// The same for as many numbers as there are events, whatever they are: what the diagram is as a polynomial.
    pub(crate) fn unchecked<S: Scalar>(&self, events: &[Probability<S>]) -> Probability<S> {
        self.top(&self.values(events))
    }

    /// The same with a proven bound of what rounding did to it, given such bounds of the probabilities of the events
    /// ([`Probability::rounded`] for figures that were read as decimals).
    ///
    /// # Errors
    /// As [`Self::probability`].
    pub fn certain(&self, events: &[Probability<Certain>]) -> Result<Probability<Certain>, Error> {
        let top = self.probability(&bounded(events))?;
        Ok(Probability { yes: top.yes.into(), no: top.no.into() })
    }

    /// The probability of each function of the top diagram.
    pub(crate) fn each_root(&self, events: &[Probability]) -> Result<Vec<Probability>, Error> {
        self.check(events)?;
        let (Some(module), Some(values)) = (self.modules.last(), self.values(events).pop()) else {
            return Ok(Vec::new());
        };
        Ok(module.diagram.roots.iter().map(|&root| of_edge(&values.nodes, root)).collect())
    }

    pub(super) fn check<S: Scalar>(&self, events: &[Probability<S>]) -> Result<(), Error> {
        if events.len() != self.events.len() {
            let what = format!("{} probabilities were given for {} events", events.len(), self.events.len());
            return Err(Error::new(what, "give one for each event, in their order"));
        }
        events.iter().zip(&self.events).try_for_each(|(probability, name)| probability.check(name))
    }

    /// All probabilities of all modules.
    pub(super) fn values<S: Scalar>(&self, events: &[Probability<S>]) -> Vec<Values<S>> {
        let mut all: Vec<Values<S>> = Vec::with_capacity(self.modules.len());
        for module in &self.modules {
            let level = |variable: &Variable| match *variable {
                Variable::Event(event) => (events[event], S::ONE),
                Variable::Copies { k, n, module } => all[module].top.copies(k, n),
            };
            let levels = module.variables.iter().map(level).collect();
            all.push(module.values(levels));
        }
        all
    }

    pub(super) fn top<S: Scalar>(&self, values: &[Values<S>]) -> Probability<S> {
        values.last().map_or(Probability::IMPOSSIBLE, |values| values.top)
    }
}

/// The same numbers, with bounds of their distance from the true ones.
pub(super) fn bounded(events: &[Probability<Certain>]) -> Vec<Probability<Bounded>> {
    events.iter().map(|event| Probability { yes: event.yes.into(), no: event.no.into() }).collect()
}

impl Module {
    fn values<S: Scalar>(&self, levels: Vec<(Probability<S>, S)>) -> Values<S> {
        let mut nodes = Vec::with_capacity(self.diagram.nodes.len());
        nodes.push(Probability::CERTAIN);
        for node in &self.diagram.nodes[1..] {
            let (p, _) = levels[node.level as usize];
            let high: Probability<S> = nodes[node.high.node()];
            let low = of_edge(&nodes, node.low);
            let yes = p.yes * high.yes + p.no * low.yes;
            let no = p.yes * high.no + p.no * low.no;
            nodes.push(Probability { yes, no });
        }
        let top = of_edge(&nodes, self.diagram.roots[0]);
        Values { levels, nodes, top }
    }
}

/// The probability that the function of an edge is true.
pub(super) fn of_edge<S: Scalar>(nodes: &[Probability<S>], edge: Edge) -> Probability<S> {
    let value = nodes[edge.node()];
    if edge.is_negated() { !value } else { value }
}
