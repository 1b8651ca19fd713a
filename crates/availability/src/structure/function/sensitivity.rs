//! How the top event depends on each basic event.

use super::evaluate::{Values, bounded, of_edge};
use super::{Module, StructureFunction, Variable};
use crate::structure::diagram::{Difference, Differences};
use crate::structure::{Bounded, Probability};
use crate::{Certain, Error, Scalar};

/// The probability of the top event, and for each basic event the probabilities that the others are such that it decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity<S = f64> {
    /// The probability of the top event.
    pub top: Probability<S>,
    /// For each event: the probability that the top event occurs if it occurs and does not occur if it does not. For
    /// something of which there are copies, the sum over the copies.
    pub critical: Vec<S>,
    /// The other way round: the probability that the top event occurs only if the event does not. Always 0 in a coherent
    /// tree, one in which more failed parts never repair the whole.
    pub inverse: Vec<S>,
}

impl<S: Scalar> Sensitivity<S> {
    /// The derivative of the probability of the top event by that of an event, its Birnbaum importance (Birnbaum 1969):
    /// `P(top | event) - P(top | not event)`; for copies, by the probability of all of them together.
    #[must_use]
    pub fn birnbaum(&self, event: usize) -> S {
        self.critical[event] - self.inverse[event]
    }

    /// All derivatives of the probability of the top event.
    #[must_use]
    pub fn gradient(&self) -> Vec<S> {
        (0..self.critical.len()).map(|event| self.birnbaum(event)).collect()
    }
}

/// Two numbers: for a difference those of `a and not b` and of `b and not a`, for the reach of a node that a path with an
/// even and with an odd number of negations leads there.
type Two<S> = (S, S);

fn swap_if<S>((a, b): Two<S>, swap: bool) -> Two<S> {
    if swap { (b, a) } else { (a, b) }
}

/// `a b + a' b'` and `a b' + a' b`: how two signs multiply.
fn signed<S: Scalar>(a: Two<S>, b: Two<S>) -> Two<S> {
    (a.0 * b.0 + a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

impl StructureFunction {
    /// The probability of the top event and all its derivatives, in one pass down the diagram: with `Dual` for `S` also
    /// the derivative of each of them, one column of the Hessian.
    ///
    /// The derivative by an event is the sum over its nodes of the probability that the node is reached times that of the
    /// difference of its branches (the adjoint of [`Self::probability`]); that difference is not formed by subtraction but
    /// is a diagram of its own, made at the first call.
    ///
    /// # Errors
    /// As [`Self::probability`]; and if that second diagram does not fit into the memory that the function was made with.
    pub fn sensitivity<S: Scalar>(&self, events: &[Probability<S>]) -> Result<Sensitivity<S>, Error> {
        self.check(events)?;
        let differences = self.differences()?;
        let values = self.values(events);
        let mut result = Sensitivity {
            top: self.top(&values),
            critical: vec![S::ZERO; events.len()],
            inverse: vec![S::ZERO; events.len()],
        };
        // How far the top depends on each module; those above come first.
        let mut weights = vec![(S::ZERO, S::ZERO); self.modules.len()];
        if let Some(top) = weights.last_mut() {
            *top = (S::ONE, S::ZERO);
        }
        for number in (0..self.modules.len()).rev() {
            let module = &self.modules[number];
            let decides = module.decides(&values[number], &differences[number]);
            for ((variable, decided), &(_, slope)) in module.variables.iter().zip(decides).zip(&values[number].levels) {
                let (critical, inverse) = signed(weights[number], decided);
                match *variable {
                    Variable::Event(event) => {
                        result.critical[event] += critical;
                        result.inverse[event] += inverse;
                    }
                    Variable::Copies { module: below, .. } => {
                        weights[below].0 += critical * slope;
                        weights[below].1 += inverse * slope;
                    }
                }
            }
        }
        Ok(result)
    }

    /// The same with proven bounds of what rounding did, as [`Self::certain`]: the top event, and the derivative by each
    /// event.
    ///
    /// # Errors
    /// As [`Self::sensitivity`].
    pub fn certain_gradient(
        &self,
        events: &[Probability<Certain>],
    ) -> Result<(Probability<Certain>, Vec<Certain>), Error> {
        let sensitivity: Sensitivity<Bounded> = self.sensitivity(&bounded(events))?;
        let Probability { yes, no } = sensitivity.top;
        Ok((
            Probability { yes: yes.into(), no: no.into() },
            sensitivity.gradient().into_iter().map(Into::into).collect(),
        ))
    }

    fn differences(&self) -> Result<&[Differences], Error> {
        let made = self.differences.get_or_init(|| {
            let each = self.modules.iter().map(|module| Differences::of(&module.diagram, self.memory));
            each.collect::<Result<_, _>>().map_err(|_| {
                let what =
                    format!("the diagram for importance and derivatives does not fit into {} MiB", self.memory >> 20);
                Error::new(what, "allow more memory; the probability of the top event alone needs less")
            })
        });
        made.as_ref().map(Vec::as_slice).map_err(Clone::clone)
    }

    /// For each event whether the top event can depend on it as a critical and as an inverse one, whatever the
    /// probabilities are.
    ///
    /// # Errors
    /// As [`Self::sensitivity`], for want of memory.
    pub(crate) fn directions(&self) -> Result<Vec<(bool, bool)>, Error> {
        let differences = self.differences()?;
        let mut result = vec![(false, false); self.events.len()];
        let mut weights = vec![(false, false); self.modules.len()];
        if let Some(top) = weights.last_mut() {
            *top = (true, false);
        }
        for number in (0..self.modules.len()).rev() {
            let module = &self.modules[number];
            for (variable, decided) in module.variables.iter().zip(module.can_decide(&differences[number])) {
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
    /// For each level the probabilities that it decides the root, as a critical and as an inverse variable.
    fn decides<S: Scalar>(&self, values: &Values<S>, differences: &Differences) -> Vec<Two<S>> {
        let different = different(values, differences);
        let mut decides = vec![(S::ZERO, S::ZERO); self.variables.len()];
        let mut reach = vec![(S::ZERO, S::ZERO); self.diagram.nodes.len()];
        let root = self.diagram.roots[0];
        reach[root.node()] = swap_if((S::ONE, S::ZERO), root.is_negated());
        for (number, node) in self.diagram.nodes.iter().enumerate().skip(1).rev() {
            let here = reach[number];
            let pair = differences.of_node[number];
            let (critical, inverse) = signed(here, swap_if(different[pair.entry()], pair.is_swapped()));
            let decided = &mut decides[node.level as usize];
            decided.0 += critical;
            decided.1 += inverse;
            let (p, _) = values.levels[node.level as usize];
            for (edge, p) in [(node.high, p.yes), (node.low, p.no)] {
                let (even, odd) = swap_if(here, edge.is_negated());
                reach[edge.node()].0 += even * p;
                reach[edge.node()].1 += odd * p;
            }
        }
        decides
    }

    /// As [`Self::decides`], whether it can be at all.
    fn can_decide(&self, differences: &Differences) -> Vec<Two<bool>> {
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

/// The probabilities of each difference.
fn different<S: Scalar>(values: &Values<S>, differences: &Differences) -> Vec<Two<S>> {
    let mut all: Vec<Two<S>> = Vec::with_capacity(differences.entries.len());
    for entry in &differences.entries {
        all.push(match *entry {
            Difference::Equal => (S::ZERO, S::ZERO),
            Difference::Above(edge) => (of_edge(&values.nodes, edge).yes, S::ZERO),
            Difference::Opposite(edge) => {
                let Probability { yes, no } = of_edge(&values.nodes, edge);
                (yes, no)
            }
            Difference::Split { level, high, low } => {
                let (p, _) = values.levels[level as usize];
                let high = swap_if(all[high.entry()], high.is_swapped());
                let low = swap_if(all[low.entry()], low.is_swapped());
                (p.yes * high.0 + p.no * low.0, p.yes * high.1 + p.no * low.1)
            }
        });
    }
    all
}
