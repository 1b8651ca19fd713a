//! Chains as they are drawn: small enough to be read.

use std::collections::BTreeMap;

use super::YEAR_MINUTES;
use crate::Error;
use crate::chain::Chain;
use crate::model::Model;

/// The most states of a diagram that can be read.
const MOST_PLACES: usize = 14;
/// The most states of a chain whose probabilities are worked out for a diagram.
const MOST_STATES: usize = 3_000;

/// A chain, or its states put together by one variable.
#[derive(Clone, Debug)]
pub struct Diagram {
    /// The name of the model.
    pub model: String,
    /// Its states, those that are up first.
    pub places: Vec<Place>,
    /// Its arcs.
    pub flows: Vec<Flow>,
    /// By which variable the states were put together, and how many there were; `None` if all are shown.
    pub merged: Option<(String, usize)>,
}

/// Whether the service is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It is.
    Up,
    /// Some of the states put together are up, some are down.
    Both,
    /// It is not.
    Down,
}

/// A state of a diagram.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Whether the service is there.
    pub kind: Kind,
    /// Minutes a year in it.
    pub minutes: f64,
}

/// An arc of a diagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Index of the state that is left.
    pub from: usize,
    /// Index of the state that is entered.
    pub to: usize,
    /// Its rate per hour; between states that were put together the mean one, seen from outside.
    pub rate: f64,
}

/// The diagram of a chain; `None` if it is too large to be drawn.
pub(super) fn diagram(model: &Model, name: &str) -> Result<Option<Diagram>, Error> {
    let chain = model.chain(name)?;
    let count = chain.states().len();
    if count > MOST_STATES {
        return Ok(None);
    }
    let Some((names, group, merged)) = groups(&chain) else { return Ok(None) };
    let probability = chain.steady_state()?;
    let down = chain.label("down")?;
    let mut places: Vec<Place> = names.into_iter().map(|name| Place { name, kind: Kind::Both, minutes: 0.0 }).collect();
    let mut has_up_down = vec![(false, false); places.len()];
    for state in 0..count {
        let is_down = down.contains(state);
        places[group[state]].minutes += probability[state] * YEAR_MINUTES;
        has_up_down[group[state]].0 |= !is_down;
        has_up_down[group[state]].1 |= is_down;
    }
    for (place, found) in places.iter_mut().zip(has_up_down) {
        place.kind = match found {
            (true, false) => Kind::Up,
            (false, true) => Kind::Down,
            _ => Kind::Both,
        };
    }
    let mut sums: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for arc in chain.arcs().iter().filter(|arc| group[arc.from] != group[arc.to] && arc.rate > 0.0) {
        // States put together leave at the mean of their rates, by the time spent in each.
        let minutes = places[group[arc.from]].minutes;
        let weight = if merged.is_none() { 1.0 } else { probability[arc.from] * YEAR_MINUTES / minutes };
        *sums.entry((group[arc.from], group[arc.to])).or_default() += weight * arc.rate;
    }
    let flow = |((from, to), rate): ((usize, usize), f64)| Flow { from, to, rate };
    let mut flows: Vec<Flow> = sums.into_iter().map(flow).filter(|flow| flow.rate.is_finite()).collect();
    sort(&mut places, &mut flows);
    Ok(Some(Diagram { model: name.to_owned(), places, flows, merged }))
}

/// Up states first, each kind in the order of the text.
fn sort(places: &mut Vec<Place>, flows: &mut [Flow]) {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|&index| (places[index].kind, index));
    let mut new = vec![0; places.len()];
    order.iter().enumerate().for_each(|(at, &index)| new[index] = at);
    flows.iter_mut().for_each(|flow| (flow.from, flow.to) = (new[flow.from], new[flow.to]));
    *places = order.into_iter().map(|index| places[index].clone()).collect();
}

/// Names, the place of each state, and by what they were put together.
type Groups = (Vec<String>, Vec<usize>, Option<(String, usize)>);

/// All states if there are few; else put together by the variable that leaves most of them apart. States of rules are called
/// `a=1, b=2`; a chain with more states and other names is not drawn.
fn groups(chain: &Chain<f64>) -> Option<Groups> {
    let states = chain.states();
    if states.len() <= MOST_PLACES {
        return Some((states.to_vec(), (0..states.len()).collect(), None));
    }
    let mut best: Option<(Groups, usize)> = None;
    for (variable, part) in states[0].split(", ").enumerate() {
        let (name, _) = part.split_once('=')?;
        let mut values: Vec<String> = Vec::new();
        let mut group = Vec::with_capacity(states.len());
        for state in states {
            let value = state.split(", ").nth(variable)?.split_once('=')?.1;
            let known = values.iter().position(|known| known == value);
            group.push(known.unwrap_or(values.len()));
            if known.is_none() {
                values.push(value.to_owned());
            }
        }
        let size = values.len();
        if size <= MOST_PLACES && size > best.as_ref().map_or(1, |(_, size)| *size) {
            best = Some(((values, group, Some((name.to_owned(), states.len()))), size));
        }
    }
    best.map(|(groups, _)| groups)
}
