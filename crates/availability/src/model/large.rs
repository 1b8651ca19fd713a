//! Steady-state measures of large state spaces, by iteration with a proof where elimination takes too long or loses digits.
//!
//! Long and narrow chains (a queue, alone or beside a server that fails) are eliminated whatever their size: iteration carries
//! probability from state to state and hardly gets to their ends. Others are eliminated where iteration has no proof, or one of few
//! digits, and elimination is affordable.

use std::sync::Arc;

use crate::chain::generator::Space;
use crate::chain::{Sparse, States, Steady, Wrong};
use crate::model::chain_solve::{ChainModel, ChainQuestion, Gather, Generated};
use crate::model::node::Node;
use crate::model::solve::{Question, Solve, binary64};
use crate::structure::Bounded;
use crate::text::exact::Exact;
use crate::{Certain, Error};

/// With more states elimination may take too long: its work is looked at.
const LARGE: usize = 3_000;
/// Products for each state that elimination forms at most in a narrow chain.
const NARROW: f64 = 100.0;
/// Products that elimination may form where iteration was in vain: some seconds.
const AFFORDABLE: f64 = 1e9;
/// With more states the bound of elimination takes digits away, which an iteration with a proof does not.
const MEDIUM: usize = 400;
/// A bound of the relative error that elimination need not try to do better.
const ENOUGH: f64 = 1e-11;

/// Whether some of these nodes are questions that [`LongRuns`] answers by iteration, for which it has only the rates that the
/// spaces were explored with. Narrow ones are not among them: they are eliminated, with any rates.
pub(crate) fn has_any(nodes: &[Node]) -> bool {
    let is_iterated = |solve: &Solve| above(LARGE, solve).is_some_and(|(_, rules)| !is_narrow(&rules.space));
    nodes.iter().any(|node| matches!(node, Node::Solve(solve, _) if is_iterated(solve)))
}

/// Whether an elimination takes few products for each state.
fn is_narrow(space: &Space) -> bool {
    space.elimination_work().is_some_and(|work| work <= NARROW * space.states() as f64)
}

/// The state space of a question about the long run of one with more states.
fn above(states: usize, solve: &Solve) -> Option<(&ChainQuestion, &Arc<Generated>)> {
    let Question::Chain(question) = &solve.question else { return None };
    let ChainModel::Rules(rules) = &question.model else { return None };
    (question.until.is_none() && rules.space.states() > states).then_some((question, rules))
}

/// The steady states of large state spaces, each iterated when it is asked for first; or why there is none.
#[derive(Default)]
pub(crate) struct LongRuns<'a>(Vec<(&'a Arc<Generated>, Result<Steady<'a>, Error>)>);

impl<'a> LongRuns<'a> {
    /// The answer to a question about the long run of a state space, `inputs` being the numbers that go into it, which are
    /// wrong by at most `wrong`; nothing if it is another question, or elimination does it better.
    ///
    /// # Errors
    /// If an iteration stands still before it is done, or the space has no long run.
    pub(crate) fn answer(
        &mut self,
        solve: &'a Solve,
        inputs: &[Exact],
        wrong: &[f64],
    ) -> Result<Option<Certain>, Error> {
        let Some((question, rules)) = above(MEDIUM, solve) else { return Ok(None) };
        let (values, wrong) = binary64(inputs, wrong);
        let inputs: Vec<Bounded> =
            values.into_iter().zip(wrong).map(|(value, error)| Bounded { value, error }).collect();
        let states = rules.space.states();
        let work = rules.space.elimination_work().unwrap_or(f64::INFINITY);
        let is_explored = inputs.iter().zip(rules.space.parameters()).all(|(input, &explored)| input.value == explored);
        // Each product of an elimination can cost it two roundings.
        let bound = work * f64::EPSILON;
        let is_small = states <= LARGE;
        let is_narrow = work <= NARROW * states as f64 && (!is_small || bound <= ENOUGH);
        if is_narrow || (is_small && !is_explored) {
            return Ok(None);
        }
        let can_be_eliminated = is_small || work <= AFFORDABLE;
        let enough = if is_small { ENOUGH } else { ENOUGH.max(bound) };
        match self.steady(rules).and_then(|steady| question.in_the_long_run(rules, steady, &inputs)) {
            Ok(found) if can_be_eliminated && found.relative_error > enough => Ok(None),
            Ok(found) => Ok(Some(found)),
            Err(_) if can_be_eliminated => Ok(None),
            Err(error) => Err(solve.located(error)),
        }
    }

    fn steady(&mut self, rules: &'a Arc<Generated>) -> Result<&Steady<'a>, Error> {
        let place = self.0.iter().position(|(known, _)| Arc::ptr_eq(known, rules));
        let place = match place {
            Some(place) => place,
            None => {
                self.0.push((rules, Steady::of_space(&rules.space)));
                self.0.len() - 1
            }
        };
        self.0[place].1.as_ref().map_err(Clone::clone)
    }
}

impl ChainQuestion {
    /// The ratio of what is gained and what it is gained per.
    fn in_the_long_run(&self, rules: &Generated, steady: &Steady<'_>, inputs: &[Bounded]) -> Result<Certain, Error> {
        // The space was explored with binary64 numbers, from which the inputs may be off.
        let off = |(input, &explored): (&Bounded, &f64)| Bounded {
            value: explored,
            error: input.error + (input.value - explored).abs(),
        };
        let inputs: Vec<Bounded> = inputs.iter().zip(rules.space.parameters()).map(off).collect();
        let rates = rules.space.rate_error(&inputs)?;
        let part = |gather: &Gather| match earned(gather, rules, &inputs, rates)? {
            None => Ok(Certain::exact(1.0)),
            // Nothing is earned anywhere, or in no state at all.
            Some(earned) if earned.iter().all(|earned| *earned == Bounded::from(0.0)) => Ok(Certain::exact(0.0)),
            Some(earned) => {
                let (values, errors): (Vec<f64>, Vec<f64>) =
                    earned.iter().map(|earned| (earned.value, earned.error)).unzip();
                steady.certain_of(&values, &Wrong { rates, earned: Some(&errors) })
            }
        };
        let (gain, per) = (part(&self.gain)?, part(&self.per)?);
        if per.value == 0.0 {
            return Err(Error::new(
                "what the measure is divided by is 0",
                "ask for a measure that does not divide by it",
            ));
        }
        let relative_error = (gain.relative_error + per.relative_error + f64::EPSILON) * 1.001;
        Ok(Certain { value: gain.value / per.value, relative_error })
    }
}

/// What each state gives for each unit of time; nothing for time itself.
fn earned(gather: &Gather, rules: &Generated, inputs: &[Bounded], rates: f64) -> Result<Option<Vec<Bounded>>, Error> {
    let states = rules.space.states();
    let indicator = |set: &States, wanted: bool| {
        (0..states).map(|state| Bounded::from(f64::from(set.contains(state) == wanted))).collect()
    };
    Ok(match gather {
        Gather::Time | Gather::Arrivals => None,
        Gather::TimeIn(set) => Some(indicator(set, true)),
        Gather::TimeOutside(set) => Some(indicator(set, false)),
        Gather::Entries(set) => {
            Some((0..states).map(|state| entering(rules.space.arcs(), set, state, rates)).collect())
        }
        Gather::Reward(name) => Some(rules.space.reward_rates(name, inputs)?),
    })
}

/// The rate at which a set is entered from a state outside of it, each rate being wrong by a share.
fn entering(arcs: &Sparse, set: &States, state: usize, rates: f64) -> Bounded {
    if set.contains(state) {
        return Bounded::from(0.0);
    }
    let entering = arcs.row(state).filter(|(end, _)| set.contains(*end));
    entering
        .map(|(_, rate)| Bounded { value: rate, error: rate * rates })
        .fold(Bounded::from(0.0), |sum, rate| sum + rate)
}
