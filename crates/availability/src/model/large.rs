//! Steady-state measures of large state spaces, by iteration with a proof in place of elimination.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::chain::{Sparse, States, Steady};
use crate::model::chain_solve::{ChainModel, ChainQuestion, Gather, Generated};
use crate::model::node::{Id, Node};
use crate::model::solve::{Question, Solve};
use crate::{Certain, Error};

/// With fewer states elimination is quicker, and its bounds need no iteration.
const LARGE: usize = 3_000;
/// Roundings of a rate: of its inputs, and of the few operations that a rule makes of them.
const ROUNDINGS: f64 = 8.0;

/// A state space, and the questions about it with the nodes that ask them.
type Asked<'a> = (&'a Arc<Generated>, Vec<(Id, &'a ChainQuestion)>);

/// Whether some of these nodes are questions that [`answers`] answers.
pub(crate) fn has_any(nodes: &[Node]) -> bool {
    nodes.iter().any(|node| large(node).is_some())
}

/// The state space of a question about the long run of a large one.
fn large(node: &Node) -> Option<(&ChainQuestion, &Arc<Generated>)> {
    let Node::Solve(Solve { question: Question::Chain(question), .. }, _) = node else { return None };
    let ChainModel::Rules(rules) = &question.model else { return None };
    (question.until.is_none() && rules.space.states() > LARGE).then_some((question, rules))
}

/// The answers to all questions about the long run of large state spaces, by node; each state space is iterated once.
///
/// # Errors
/// If an iteration stands still before it is done, or the space has no long run.
pub(crate) fn answers(nodes: &[Node]) -> Result<BTreeMap<Id, Certain>, Error> {
    let mut spaces: Vec<Asked<'_>> = Vec::new();
    for (id, node) in nodes.iter().enumerate() {
        let Some((question, rules)) = large(node) else { continue };
        match spaces.iter_mut().find(|(known, _)| Arc::ptr_eq(known, rules)) {
            Some((_, questions)) => questions.push((id, question)),
            None => spaces.push((rules, vec![(id, question)])),
        }
    }
    let mut answers = BTreeMap::new();
    for (rules, questions) in spaces {
        let steady = Steady::of(rules.space.arcs())?;
        for (id, question) in questions {
            answers.insert(id, question.in_the_long_run(rules, &steady)?);
        }
    }
    Ok(answers)
}

impl ChainQuestion {
    /// The ratio of what is gained and what it is gained per.
    fn in_the_long_run(&self, rules: &Generated, steady: &Steady<'_>) -> Result<Certain, Error> {
        let part = |gather: &Gather| match earned(gather, rules)? {
            None => Ok(Certain::exact(1.0)),
            Some(earned) => steady.certain(&earned),
        };
        let (gain, per) = (part(&self.gain)?, part(&self.per)?);
        // Perturbing each rate of n states by a share d moves each probability by less than 2 n d (O'Cinneide 1993).
        let moved = 2.0 * rules.space.states() as f64 * ROUNDINGS * f64::EPSILON;
        let relative_error = (gain.relative_error + per.relative_error + moved + f64::EPSILON) * 1.001;
        Ok(Certain { value: gain.value / per.value, relative_error })
    }
}

/// What each state gives for each unit of time; nothing for time itself.
fn earned(gather: &Gather, rules: &Generated) -> Result<Option<Vec<f64>>, Error> {
    let states = rules.space.states();
    let indicator =
        |set: &States, wanted: bool| (0..states).map(|state| f64::from(set.contains(state) == wanted)).collect();
    Ok(match gather {
        Gather::Time | Gather::Arrivals => None,
        Gather::TimeIn(set) => Some(indicator(set, true)),
        Gather::TimeOutside(set) => Some(indicator(set, false)),
        Gather::Entries(set) => Some((0..states).map(|state| entering(rules.space.arcs(), set, state)).collect()),
        Gather::Reward(name) => Some(rules.space.reward_rates(name)?),
    })
}

/// The rate at which a set is entered from a state outside of it.
fn entering(arcs: &Sparse, set: &States, state: usize) -> f64 {
    if set.contains(state) {
        return 0.0;
    }
    arcs.row(state).filter(|(end, _)| set.contains(*end)).map(|(_, rate)| rate).sum()
}
