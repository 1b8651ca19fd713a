//! Walks every way within the budget, each state once.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Write as _};

use model::hash64;

use super::model::{Budget, State};
use super::steps::{Move, Step};

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Different states that were reached.
    pub states: usize,
    /// False if the search was ended before it had seen all.
    pub complete: bool,
    /// The broken promise and the way to it, if there is one.
    pub broken: Option<String>,
}

impl Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = if self.complete { "all" } else { "the first" };
        match &self.broken {
            None => write!(f, "{all} {} states keep every promise", self.states),
            Some(broken) => write!(f, "broken after {} states: {broken}", self.states),
        }
    }
}

/// One state on the way, and what was not tried from it yet.
struct Stop {
    state: State,
    came_by: Option<Move>,
    untried: Vec<Move>,
}

/// Searches all states that `budget` allows, at most `most`. The search begins with a primary that serves alone and a
/// backup that is about to dial it.
#[must_use]
pub fn search(budget: Budget, most: usize) -> Found {
    let mut seen = BTreeSet::new();
    let mut way = vec![Stop::new(begin(budget), None)];
    while let Some(stop) = way.last_mut() {
        let Some(next) = stop.untried.pop() else {
            way.pop();
            continue;
        };
        let mut state = stop.state.fork();
        let effects = state.take(next);
        if next.killed_after.is_none() && stop.state.budget.kills > 0 && effects > 0 {
            let cut = |after| Move { step: next.step, killed_after: Some(after) };
            stop.untried.extend((0..effects).map(cut));
        }
        if !seen.insert(fingerprint(&state)) {
            continue;
        }
        let broken = state.broken.take();
        way.push(Stop::new(state, Some(next)));
        if let Some(what) = broken {
            return Found { states: seen.len(), complete: false, broken: Some(describe(&what, &way)) };
        }
        if seen.len() >= most {
            return Found { states: seen.len(), complete: false, broken: None };
        }
    }
    Found { states: seen.len(), complete: true, broken: None }
}

impl Stop {
    fn new(state: State, came_by: Option<Move>) -> Self {
        let untried = state.steps().into_iter().map(|step| Move { step, killed_after: None }).collect();
        Self { state, came_by, untried }
    }
}

/// Side 0 serves, side 1 has learned so and dials.
fn begin(budget: Budget) -> State {
    let mut state = State::new(budget);
    for side in [0, 1] {
        state.take(Move { step: Step::Start(side), killed_after: None });
        while let Some(step) = quiet_step(&state, side) {
            state.take(Move { step, killed_after: None });
        }
    }
    state
}

/// Talks with the coordinator until nothing is open.
fn quiet_step(state: &State, side: usize) -> Option<Step> {
    let wanted = [Step::Coordinate(side), Step::Answer(side), Step::Answer(0)];
    let possible = state.steps();
    wanted.into_iter().find(|step| possible.contains(step))
}

fn fingerprint(state: &State) -> u64 {
    let mut text = String::with_capacity(4_096);
    let _ = write!(text, "{state:?}");
    hash64(text.as_bytes())
}

fn describe(what: &str, way: &[Stop]) -> String {
    let mut text = what.to_owned();
    for (number, step) in way.iter().filter_map(|stop| stop.came_by).enumerate() {
        let _ = write!(text, "\n  {:>3}  {step}", number + 1);
    }
    text
}
