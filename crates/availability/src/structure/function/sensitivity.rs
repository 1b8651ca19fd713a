//! How the top event depends on each basic event.

use super::evaluate::{Values, bounded, of_edge};
use super::{Module, StructureFunction, Variable, size};
use crate::structure::diagram::{BYTES_PER_PAIR, Difference, Differences};
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
pub(super) type Two<S> = (S, S);

/// How the difference between the branches of the nodes of a module is found.
#[derive(Clone, Debug)]
pub(super) enum Branches {
    /// By a diagram of the differences.
    Pairs(Differences),
    /// By subtraction, where that diagram would be too large and the tree is coherent.
    Subtracted,
}

/// Four million pairs, which take a second or two to find.
const MAX_MEMORY_OF_PAIRS: usize = 4_000_000 * BYTES_PER_PAIR;

pub(super) fn swap_if<S>((a, b): Two<S>, swap: bool) -> Two<S> {
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
    /// is a diagram of its own, made at the first call. Where that would have more than four million nodes, or more than
    /// fit into the memory that the function was made with, a coherent tree makes do with subtraction:
    /// [`Self::certain_gradient`] then tells how many digits are left.
    ///
    /// # Errors
    /// As [`Self::probability`]; and if that second diagram does not fit and the tree is not coherent.
    pub fn sensitivity<S: Scalar>(&self, events: &[Probability<S>]) -> Result<Sensitivity<S>, Error> {
        self.check(events)?;
        let branches = self.branches()?;
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
            let decides = module.decides(&values[number], &branches[number]);
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

    pub(super) fn branches(&self) -> Result<&[Branches], Error> {
        let made =
            self.branches.get_or_init(|| self.modules.iter().map(|module| module.branches(self.memory)).collect());
        made.as_ref().map(Vec::as_slice).map_err(Clone::clone)
    }
}

impl Module {
    fn branches(&self, memory: usize) -> Result<Branches, Error> {
        let most = if self.coherent { memory.min(MAX_MEMORY_OF_PAIRS) } else { memory };
        match Differences::of(&self.diagram, most) {
            Ok(differences) => Ok(Branches::Pairs(differences)),
            Err(_) if self.coherent => Ok(Branches::Subtracted),
            Err(_) => {
                let what = format!("the diagram for importance and derivatives does not fit into {}", size(memory));
                Err(Error::new(what, "allow more memory; the probability of the top event alone needs less"))
            }
        }
    }

    /// For each level the probabilities that it decides the root, as a critical and as an inverse variable.
    fn decides<S: Scalar>(&self, values: &Values<S>, branches: &Branches) -> Vec<Two<S>> {
        let different = match branches {
            Branches::Pairs(differences) => different(values, differences),
            Branches::Subtracted => Vec::new(),
        };
        let mut decides = vec![(S::ZERO, S::ZERO); self.variables.len()];
        let mut reach = vec![(S::ZERO, S::ZERO); self.diagram.nodes.len()];
        let root = self.diagram.roots[0];
        reach[root.node()] = swap_if((S::ONE, S::ZERO), root.is_negated());
        for (number, node) in self.diagram.nodes.iter().enumerate().skip(1).rev() {
            let here = reach[number];
            let (critical, inverse) = match branches {
                Branches::Pairs(differences) => {
                    let pair = differences.of_node[number];
                    signed(here, swap_if(different[pair.entry()], pair.is_swapped()))
                }
                Branches::Subtracted => {
                    // In a coherent tree a node is reached either plainly or negated, and its branches differ accordingly.
                    let (high, low) = (of_edge(&values.nodes, node.high), of_edge(&values.nodes, node.low));
                    (signed(here, subtracted(high, low)).0, S::ZERO)
                }
            };
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
}

/// That `high` holds and `low` does not, and the other way round, if one of them implies the other. Of both sides of the
/// probabilities the smaller numbers are subtracted, which lose fewer digits.
fn subtracted<S: Scalar>(high: Probability<S>, low: Probability<S>) -> Two<S> {
    let by_yes = high.yes.value() + low.yes.value() <= high.no.value() + low.no.value();
    let difference = if by_yes { high.yes - low.yes } else { low.no - high.no };
    if difference.value() < 0.0 { (S::ZERO, -difference) } else { (difference, S::ZERO) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structure::{FaultTree, GateKind, Limits};

    #[test]
    fn where_the_differences_do_not_fit_they_are_subtracted_and_the_bound_says_so() {
        let mut tree = FaultTree::builder();
        tree.events(["a", "b", "c", "d", "e"]);
        tree.gate("two", GateKind::AtLeast(2), ["b", "c", "d"]);
        tree.gate("both", GateKind::And, ["a", "two"]).gate("top", GateKind::Or, ["both", "e"]);
        let events = [1e-3, 2e-3, 3e-3, 4e-3, 0.25].map(|p| Probability::of(p).rounded());
        let exact = StructureFunction::of_tree(&tree.clone().finish("top").unwrap(), &Limits::default()).unwrap();
        let mut short = exact.clone();
        short.memory = 0;
        let (_, exact) = exact.certain_gradient(&events).unwrap();
        let (_, subtracted) = short.certain_gradient(&events).unwrap();
        assert!(matches!(short.branches().unwrap(), [Branches::Subtracted]));
        for (exact, subtracted) in exact.into_iter().zip(subtracted) {
            assert!(exact.digits() >= 14 && subtracted.digits() >= 8, "{exact:?} {subtracted:?}");
            let distance = (exact.value - subtracted.value).abs();
            assert!(distance <= 2.0 * subtracted.relative_error * exact.value, "{exact:?} {subtracted:?}");
        }
        tree.gate("not", GateKind::Not, ["top"]).gate("odd", GateKind::Xor, ["not", "a"]);
        let mut odd = StructureFunction::of_tree(&tree.finish("odd").unwrap(), &Limits::default()).unwrap();
        odd.memory = 0;
        let error = odd.certain_gradient(&events).unwrap_err();
        assert!(error.what.contains("does not fit into 0 bytes"), "{error}");
    }
}
