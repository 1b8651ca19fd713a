//! A chain made ready for one measure: the nodes that matter, one root, and what each node collects.

use super::graph::Graph;
use super::{Chain, Measure, Quantity, States};
use crate::{Error, Scalar};

/// Where an edge of a [`Network`] comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// The arc of this index.
    Arc(usize),
    /// The entry of this index of the initial distribution.
    Initial(usize),
}

/// An edge between two nodes, and what is collected each time it is taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge<T> {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) rate: T,
    /// What taking it adds to gain and per.
    pub(super) earns: [T; 2],
    pub(super) origin: Origin,
}

/// The nodes that matter for a measure. All but `root` and `stop` are eliminated; then gain over per at the root is the
/// measure, for the long run (no `stop`) and for passages (the root stands for the beginning, `stop` for the target).
#[derive(Clone, Debug)]
pub(super) struct Network<T> {
    pub(super) root: usize,
    pub(super) stop: Option<usize>,
    /// The state of each node; none for the virtual root and stop of a passage.
    pub(super) states: Vec<Option<usize>>,
    pub(super) edges: Vec<Edge<T>>,
    /// What each node collects for each unit of time (gain, per), arcs not included.
    pub(super) earns: Vec<[T; 2]>,
}

impl<T: Scalar> Quantity<T> {
    /// What a state collects for each unit of time.
    pub(super) fn of_state(&self, state: usize) -> T {
        let member = |is: bool| if is { T::ONE } else { T::ZERO };
        match self {
            Self::Time => T::ONE,
            Self::TimeIn(states) => member(states.contains(state)),
            Self::TimeOutside(states) => member(!states.contains(state)),
            Self::Entries(_) | Self::Arrivals => T::ZERO,
            Self::Reward(rewards) => rewards.state(state),
        }
    }

    /// What an arc collects each time; `from` is none for the beginning itself.
    pub(super) fn of_arc(&self, index: Option<usize>, from: Option<usize>, to: usize, target: Option<&States>) -> T {
        let counts = match self {
            Self::Entries(states) => match from {
                Some(from) => states.contains(to) && !states.contains(from),
                // To begin at the end of the passage is to arrive there.
                None => states.contains(to) && target.is_some_and(|target| target.contains(to)),
            },
            Self::Arrivals => target.is_some_and(|target| target.contains(to)),
            Self::Reward(rewards) => return index.map_or(T::ZERO, |index| rewards.arc(index)),
            Self::Time | Self::TimeIn(_) | Self::TimeOutside(_) => false,
        };
        if counts { T::ONE } else { T::ZERO }
    }
}

impl<T: Scalar> Network<T> {
    /// The network of a measure of a chain.
    pub(super) fn new(chain: &Chain<T>, measure: &Measure<T>) -> Result<Self, Error> {
        if chain.states().is_empty() {
            return Err(Error::new("the chain has no states", "add states and arcs"));
        }
        match &measure.until {
            None => Self::long_run(chain, measure),
            Some(target) => Self::passage(chain, measure, target),
        }
    }

    /// All states; the root is one in which the chain begins.
    fn long_run(chain: &Chain<T>, measure: &Measure<T>) -> Result<Self, Error> {
        irreducible(chain)?;
        let count = chain.states().len();
        let root = chain.initial().iter().find(|(_, p)| p.value() > 0.0).map_or(0, |&(state, _)| state);
        let edges = chain.arcs().iter().enumerate().map(|(index, arc)| Edge {
            from: arc.from,
            to: arc.to,
            rate: arc.rate,
            earns: [&measure.gain, &measure.per].map(|what| what.of_arc(Some(index), Some(arc.from), arc.to, None)),
            origin: Origin::Arc(index),
        });
        let edges = edges.collect();
        let earns = (0..count).map(|state| [&measure.gain, &measure.per].map(|what| what.of_state(state)));
        Ok(Self { root, stop: None, states: (0..count).map(Some).collect(), edges, earns: earns.collect() })
    }

    /// The states that can be visited before the target, a virtual root before them and a virtual end behind them.
    fn passage(chain: &Chain<T>, measure: &Measure<T>, target: &States) -> Result<Self, Error> {
        let inside = before(chain, target)?;
        let mut node_of = vec![None; inside.len()];
        let mut states = Vec::new();
        for state in (0..inside.len()).filter(|&state| inside[state]) {
            node_of[state] = Some(states.len());
            states.push(Some(state));
        }
        let (root, stop) = (states.len(), states.len() + 1);
        states.extend([None, None]);
        let quantities = [&measure.gain, &measure.per];
        let earns =
            states.iter().map(|state| quantities.map(|what| state.map_or(T::ZERO, |state| what.of_state(state))));
        let earns = earns.collect();
        let end = |to: usize| if target.contains(to) { Some(stop) } else { node_of[to] };
        let mut edges = Vec::new();
        for (index, &(to, rate)) in chain.initial().iter().enumerate() {
            let earns = quantities.map(|what| what.of_arc(None, None, to, Some(target)));
            edges.extend(end(to).map(|to| Edge { from: root, to, rate, earns, origin: Origin::Initial(index) }));
        }
        for (index, arc) in chain.arcs().iter().enumerate() {
            let (Some(from), Some(to)) = (node_of[arc.from], end(arc.to)) else { continue };
            let earns = quantities.map(|what| what.of_arc(Some(index), Some(arc.from), arc.to, Some(target)));
            edges.push(Edge { from, to, rate: arc.rate, earns, origin: Origin::Arc(index) });
        }
        Ok(Self { root, stop: Some(stop), states, edges, earns })
    }
}

/// Checks that there is one long run, the same from every state that can be reached.
fn irreducible<T: Scalar>(chain: &Chain<T>) -> Result<(), Error> {
    let count = chain.states().len();
    let drawn = Graph::new(count, chain.arcs().iter().map(|arc| (arc.from, arc.to)));
    let begins: Vec<usize> = chain.initial().iter().filter(|(_, p)| p.value() > 0.0).map(|&(state, _)| state).collect();
    let name = |state: usize| &chain.states()[state];
    if let Some(lost) = drawn.reach(begins.iter().copied(), |_| false).iter().position(|reached| !reached) {
        return Err(Error::new(
            format!("state '{}' cannot be reached from '{}'", name(lost), name(begins[0])),
            "draw an arc that leads to it, or take it away",
        ));
    }
    let taken = chain.arcs().iter().filter(|arc| arc.rate.value() > 0.0 && arc.from != arc.to);
    let left = taken.clone().map(|arc| arc.from);
    let mut leaves = vec![false; count];
    left.for_each(|state| leaves[state] = true);
    let reached =
        Graph::new(count, taken.clone().map(|arc| (arc.from, arc.to))).reach(begins.iter().copied(), |_| false);
    if count > 1
        && let Some(stuck) = (0..count).find(|&state| !leaves[state])
    {
        return Err(Error::new(
            format!("state '{}' is absorbing: no arc with a positive rate leaves it", name(stuck)),
            "a steady-state measure needs a way back from every state; ask for a first passage instead, or add the repair",
        ));
    }
    let back = Graph::new(count, taken.map(|arc| (arc.to, arc.from))).reach([begins[0]].into_iter(), |_| false);
    if let Some(stuck) = (0..count).find(|&state| !back[state]) {
        return Err(Error::new(
            format!("the chain is reducible: from state '{}' no way leads back to '{}'", name(stuck), name(begins[0])),
            "a steady-state measure needs a way back from every state; add the arc, or ask for a first passage",
        ));
    }
    // A beginning that is never seen again has no share in the long run, though other beginnings lead away from it.
    match begins.iter().find(|&&state| !reached[state]) {
        Some(&state) => Err(Error::new(
            format!("the chain is reducible: state '{}' is never seen again", name(state)),
            "let the chain begin in a state to which it returns",
        )),
        None => Ok(()),
    }
}

/// The states outside of `target` that can be visited before it and from which it can be reached.
fn before<T: Scalar>(chain: &Chain<T>, target: &States) -> Result<Vec<bool>, Error> {
    let count = chain.states().len();
    let begins: Vec<usize> = chain.initial().iter().filter(|(_, p)| p.value() > 0.0).map(|&(state, _)| state).collect();
    let stops = |state: usize| target.contains(state);
    let drawn = Graph::new(count, chain.arcs().iter().map(|arc| (arc.from, arc.to)));
    let taken = chain.arcs().iter().filter(|arc| arc.rate.value() > 0.0);
    let visited = Graph::new(count, taken.clone().map(|arc| (arc.from, arc.to))).reach(begins.iter().copied(), stops);
    // Backwards from the target, not through it: what only leads out of the target does not count.
    let backward = taken.filter(|arc| !stops(arc.from)).map(|arc| (arc.to, arc.from));
    let leading = Graph::new(count, backward).reach(target.iter().filter(|&state| state < count), |_| false);
    if let Some(stuck) = (0..count).find(|&state| visited[state] && !leading[state]) {
        return Err(Error::new(
            format!("from state '{}' the end of the passage is never reached", chain.states()[stuck]),
            "a mean until a first passage needs a way to it from every state before it",
        ));
    }
    // States behind arcs of rate 0 stay in, so that these arcs have their derivatives.
    let seen = drawn.reach(begins.into_iter(), stops);
    Ok((0..count).map(|state| seen[state] && leading[state] && !stops(state)).collect())
}
