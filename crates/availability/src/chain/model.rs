//! A chain as somebody draws it: states, arcs, labels, rewards, where it begins.

use std::collections::BTreeMap;

use crate::{Error, Scalar};

/// An arc of a chain: a transition that happens at a rate while its state lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc<T> {
    /// Index of the state that is left.
    pub from: usize,
    /// Index of the state that is entered; an arc back to its own state changes nothing but earns its reward.
    pub to: usize,
    /// Rate, per unit of time of the model, finite and not negative. An arc of rate 0 is drawn but never taken; it has a
    /// derivative nevertheless.
    pub rate: T,
}

/// A set of states, by index. States beyond its end are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct States(Vec<bool>);

impl States {
    /// The set of those states for which the entry is true.
    #[must_use]
    pub const fn new(members: Vec<bool>) -> Self {
        Self(members)
    }

    /// The set of the states with these indices.
    #[must_use]
    pub fn of(indices: &[usize]) -> Self {
        let mut members = vec![false; indices.iter().max().map_or(0, |&last| last + 1)];
        for &index in indices {
            members[index] = true;
        }
        Self(members)
    }

    /// Whether the state is in the set.
    #[must_use]
    pub fn contains(&self, state: usize) -> bool {
        self.0.get(state).copied().unwrap_or(false)
    }

    /// The states of a chain of `count` states that are not in the set.
    #[must_use]
    pub fn complement(&self, count: usize) -> Self {
        Self((0..count).map(|state| !self.contains(state)).collect())
    }

    /// The indices in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().filter_map(|(index, &member)| member.then_some(index))
    }
}

/// Rewards: what a state earns for each unit of time in it, and what an arc earns each time it is taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rewards<T> {
    /// By state, for each unit of time; states beyond the end earn nothing.
    pub states: Vec<T>,
    /// By arc in the order in which they were added, each time; arcs beyond the end earn nothing.
    pub arcs: Vec<T>,
}

impl<T: Scalar> Rewards<T> {
    /// What the state earns for each unit of time.
    #[must_use]
    pub fn state(&self, index: usize) -> T {
        self.states.get(index).copied().unwrap_or(T::ZERO)
    }

    /// What the arc earns each time.
    #[must_use]
    pub fn arc(&self, index: usize) -> T {
        self.arcs.get(index).copied().unwrap_or(T::ZERO)
    }
}

/// A continuous-time Markov chain with named states.
///
/// It begins in its first state unless [`Chain::begin`] says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Chain<T> {
    states: Vec<String>,
    arcs: Vec<Arc<T>>,
    initial: Vec<(usize, T)>,
    labels: BTreeMap<String, States>,
    rewards: BTreeMap<String, Rewards<T>>,
}

impl<T: Scalar> Chain<T> {
    /// A chain without states.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            states: Vec::new(),
            arcs: Vec::new(),
            initial: Vec::new(),
            labels: BTreeMap::new(),
            rewards: BTreeMap::new(),
        }
    }

    /// Adds a state and returns its index.
    pub fn add_state(&mut self, name: impl Into<String>) -> usize {
        self.states.push(name.into());
        self.states.len() - 1
    }

    /// Adds an arc and returns its index. Arcs between the same two states are kept apart; their rates add.
    ///
    /// # Errors
    /// If a state does not exist, or the rate is negative, infinite or not a number.
    pub fn add_arc(&mut self, from: usize, to: usize, rate: T) -> Result<usize, Error> {
        let missing = from.max(to);
        if missing >= self.states.len() {
            let count = self.states.len();
            return Err(Error::new(
                format!("an arc needs state number {missing}, but the chain has {count} states"),
                "add the state first",
            ));
        }
        let value = rate.value();
        if !value.is_finite() || value < 0.0 {
            let (from, to) = (&self.states[from], &self.states[to]);
            return Err(Error::new(
                format!("the rate of the arc from '{from}' to '{to}' is {value}"),
                "a rate is a finite number, 0 or more",
            ));
        }
        self.arcs.push(Arc { from, to, rate });
        Ok(self.arcs.len() - 1)
    }

    /// Says where the chain begins: pairs of state and probability.
    ///
    /// # Errors
    /// If a state does not exist, or the probabilities are not probabilities that sum to 1 (within 1e-9).
    pub fn begin(&mut self, distribution: &[(usize, T)]) -> Result<(), Error> {
        let sum: f64 = distribution.iter().map(|(_, p)| p.value()).sum();
        let fault =
            distribution.iter().find(|(state, p)| *state >= self.states.len() || !(0.0..=1.0).contains(&p.value()));
        if fault.is_some() || (sum - 1.0).abs() > 1e-9 || sum.is_nan() {
            return Err(Error::new(
                format!("the chain would begin with probabilities that sum to {sum}"),
                "give states of the chain probabilities from 0 to 1 that sum to 1",
            ));
        }
        self.initial = distribution.to_vec();
        Ok(())
    }

    /// Gives a set of states a name.
    pub fn set_label(&mut self, name: impl Into<String>, states: States) {
        self.labels.insert(name.into(), states);
    }

    /// Gives rewards a name.
    pub fn set_rewards(&mut self, name: impl Into<String>, rewards: Rewards<T>) {
        self.rewards.insert(name.into(), rewards);
    }

    /// The same chain without labels and rewards.
    pub(super) fn unlabelled(&self) -> Self {
        Self {
            states: self.states.clone(),
            arcs: self.arcs.clone(),
            initial: self.initial.clone(),
            labels: BTreeMap::new(),
            rewards: BTreeMap::new(),
        }
    }

    /// The names of the states.
    #[must_use]
    pub fn states(&self) -> &[String] {
        &self.states
    }

    /// The arcs, in the order in which they were added.
    #[must_use]
    pub fn arcs(&self) -> &[Arc<T>] {
        &self.arcs
    }

    /// Where the chain begins: pairs of state and probability.
    #[must_use]
    pub fn initial(&self) -> Vec<(usize, T)> {
        if self.initial.is_empty() && !self.states.is_empty() { vec![(0, T::ONE)] } else { self.initial.clone() }
    }

    /// All labels, by name.
    #[must_use]
    pub const fn labels(&self) -> &BTreeMap<String, States> {
        &self.labels
    }

    /// All rewards, by name.
    #[must_use]
    pub const fn all_rewards(&self) -> &BTreeMap<String, Rewards<T>> {
        &self.rewards
    }

    /// The names of the rewards that arcs earn, by themselves or beside states.
    pub fn rewards_of_arcs(&self) -> impl Iterator<Item = &str> {
        let earned = self.rewards.iter().filter(|(_, rewards)| rewards.arcs.iter().any(|earned| earned.value() != 0.0));
        earned.map(|(name, _)| name.as_str())
    }

    /// The index of a state.
    ///
    /// # Errors
    /// If no state has this name.
    pub fn state(&self, name: &str) -> Result<usize, Error> {
        let found = self.states.iter().position(|state| state == name);
        found.ok_or_else(|| unknown("state", name, self.states.iter()))
    }

    /// The states with a label.
    ///
    /// # Errors
    /// If there is no such label.
    pub fn label(&self, name: &str) -> Result<&States, Error> {
        self.labels.get(name).ok_or_else(|| unknown("label", name, self.labels.keys()))
    }

    /// The rewards of a name.
    ///
    /// # Errors
    /// If there are none.
    pub fn rewards(&self, name: &str) -> Result<&Rewards<T>, Error> {
        self.rewards.get(name).ok_or_else(|| unknown("reward", name, self.rewards.keys()))
    }
}

/// The error for a name that does not exist, with some that do.
fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let known: Vec<_> = known.take(8).map(|name| format!("'{name}'")).collect();
    let remedy = if known.is_empty() { format!("it has no {kind}") } else { format!("it has {}", known.join(", ")) };
    Error::new(format!("the chain has no {kind} '{name}'"), remedy)
}
