//! Fault trees of a model as values of their own, for other tools.

use std::collections::{BTreeMap, BTreeSet};

use crate::Error;
use crate::model::Model;
use crate::model::node::Id;
use crate::structure::{FaultTree, FaultTreeBuilder, GateKind, Input, Law, Probability, QuantifiedTree};

/// Trees that stand within each other: more than any model has, and few enough to walk through.
const MAX_DEPTH: usize = 100;
/// Events and gates of a tree, those of the trees within it counted as often as they stand there.
const MAX_SIZE: usize = 1_000_000;

/// A tree of the text, or a block diagram as a tree of what fails.
#[derive(Clone, Debug)]
pub(crate) struct NamedTree {
    pub(crate) name: String,
    pub(crate) builder: FaultTreeBuilder,
    pub(crate) top: String,
    pub(crate) events: BTreeMap<String, EventLaw>,
}

/// How an event fails.
#[derive(Clone, Debug)]
pub(crate) enum EventLaw {
    /// As a copy of the tree or block diagram of this name.
    Tree(String),
    /// By these numbers; or why there are none.
    Numbers(Result<Numbers, Error>),
}

/// The numbers of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers {
    /// The probability at any time.
    Probability(Id),
    /// The probability in the long run, that of other times being unknown.
    LongRun(Id),
    Rates {
        fails: Id,
        repaired: Option<Id>,
    },
}

impl Numbers {
    fn ids(self) -> impl Iterator<Item = Id> {
        let (first, second) = match self {
            Self::Probability(id) | Self::LongRun(id) => (id, None),
            Self::Rates { fails, repaired } => (fails, repaired),
        };
        std::iter::once(first).chain(second)
    }

    fn law(self, number: impl Fn(Id) -> f64) -> Law {
        match self {
            Self::Probability(id) | Self::LongRun(id) => Law::Fixed(Probability::of(number(id))),
            Self::Rates { fails, repaired: None } => Law::Exponential { rate: number(fails) },
            Self::Rates { fails, repaired: Some(repaired) } => {
                Law::Repaired { at_start: 0.0, failure_rate: number(fails), repair_rate: number(repaired) }
            }
        }
    }
}

impl Model {
    /// The names of the trees and block diagrams in the text.
    pub fn trees(&self) -> impl Iterator<Item = &str> {
        self.trees.iter().map(|tree| tree.name.as_str())
    }

    /// A tree of the text with the numbers that follow from the parameters, rates per hour; a block diagram as a tree of what
    /// fails. An event that is a tree in its turn becomes a gate over a copy of that. One that is another model, or whose
    /// unavailability is known, has the probability that it is down in the long run, at any time, and how often it fails is
    /// lost: the names of these events stand beside the tree. Names are made of letters, digits and `_`, which all
    /// tools read: `pump[1]` becomes `pump_1`.
    ///
    /// # Errors
    /// If there is no such tree, it stands within itself or has more than a million events and gates, or the models that its
    /// numbers need cannot be solved.
    pub fn tree(&self, name: &str) -> Result<(QuantifiedTree, Vec<String>), Error> {
        let (builder, names) = (FaultTree::builder(), BTreeSet::new());
        let mut copying = Copying { model: self, builder, events: Vec::new(), names, open: Vec::new() };
        let top = copying.declare(name, "")?;
        let Copying { builder, events, .. } = copying;
        let tree = builder.finish(&top)?;
        let ids: Vec<Id> = events.iter().flat_map(|(_, numbers)| numbers.ids()).collect();
        let values: BTreeMap<Id, f64> = ids.iter().copied().zip(self.numbers(&ids)?).collect();
        let law = |(event, numbers): &(String, Numbers)| {
            let law = numbers.law(|id| values[&id]);
            law.check(event).map(|()| law)
        };
        let laws = events.iter().map(law).collect::<Result<_, _>>()?;
        let long_run = events.into_iter().filter(|(_, numbers)| matches!(numbers, Numbers::LongRun(_)));
        Ok((QuantifiedTree { tree, laws }, long_run.map(|(event, _)| event).collect()))
    }
}

/// A tree in the making.
struct Copying<'m> {
    model: &'m Model,
    builder: FaultTreeBuilder,
    /// The events that were declared, in their order.
    events: Vec<(String, Numbers)>,
    /// All names that are used.
    names: BTreeSet<String>,
    /// The trees that are being copied, outermost first.
    open: Vec<&'m str>,
}

impl Copying<'_> {
    /// Declares what the top of a tree needs, each name with this prefix, and says what the top is called then.
    fn declare(&mut self, name: &str, prefix: &str) -> Result<String, Error> {
        let model = self.model;
        let Some(named) = model.trees.iter().find(|tree| tree.name == name) else {
            let known: Vec<&str> = model.trees().collect();
            return Err(Error::new(format!("the model has no tree `{name}`"), format!("it has {}", known.join(", "))));
        };
        if self.open.len() >= MAX_DEPTH || self.open.contains(&named.name.as_str()) {
            let what = format!("trees stand within trees without an end: {}, in it {name}", self.open.join(", in it "));
            return Err(Error::new(what, "break the circle in one place"));
        }
        self.open.push(&named.name);
        let tree = named.builder.clone().finish(&named.top)?.needed();
        let gates = (0..tree.gates().len()).map(Input::Gate);
        let mut names = BTreeMap::new();
        for input in (0..tree.events().len()).map(Input::Event).chain(gates) {
            names.insert(input, self.free(&format!("{prefix}{}", tree.name(input)))?);
        }
        for (number, event) in tree.events().iter().enumerate() {
            let name = names[&Input::Event(number)].clone();
            match &named.events[event] {
                EventLaw::Tree(inner) => {
                    let top = self.declare(inner, &format!("{name}_"))?;
                    self.builder.gate(name, GateKind::Or, [top]);
                }
                EventLaw::Numbers(numbers) => {
                    let numbers = numbers.clone()?;
                    self.builder.event(name.clone());
                    self.events.push((name, numbers));
                }
            }
        }
        for (number, gate) in tree.gates().iter().enumerate() {
            let inputs: Vec<String> = gate.inputs.iter().map(|input| names[input].clone()).collect();
            // All of one is that one: tools that want two inputs of an `and` have a form for it.
            let kind = if inputs.len() == 1 && gate.kind != GateKind::Not { GateKind::Or } else { gate.kind };
            self.builder.gate(names[&Input::Gate(number)].clone(), kind, inputs);
        }
        self.open.pop();
        Ok(names[&tree.top()].clone())
    }

    /// The name, or one like it, of letters, digits and `_`, that nothing else has.
    fn free(&mut self, name: &str) -> Result<String, Error> {
        if self.names.len() >= MAX_SIZE {
            let what = format!("with the trees within it the tree has more than {MAX_SIZE} events and gates");
            return Err(Error::new(what, "let large parts be chains, or give their unavailability as a number"));
        }
        let letter = |letter: char| if letter.is_alphanumeric() { letter } else { '_' };
        let mut free: String = name.chars().filter(|letter| *letter != ']').map(letter).collect();
        while !self.names.insert(free.clone()) {
            free.push('_');
        }
        Ok(free)
    }
}
