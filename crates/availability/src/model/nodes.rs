//! Models that are not written as text: made node by node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::node::{Binary, Id, Node, Unary};
use crate::model::solve::{Question, Solve};
use crate::model::structure_solve::{Asked, StructureQuestion};
use crate::model::{Measure, Model, Parameter};
use crate::structure::StructureFunction;
use crate::text::exact::Exact;
use crate::text::source::did_you_mean;
use crate::text::unit::Dimension;
use crate::{Error, Place};

/// A model in the making.
pub(crate) struct Nodes<'a> {
    nodes: Vec<Node>,
    parameters: Vec<Parameter>,
    given: &'a [(String, String)],
}

impl<'a> Nodes<'a> {
    /// A model without anything in it, and values that take the place of its own ones.
    pub(crate) fn new(given: &'a [(String, String)]) -> Self {
        Self { nodes: Vec::new(), parameters: Vec::new(), given }
    }

    fn add(&mut self, node: Node) -> Id {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Whether somebody gives a value for this parameter.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// A parameter with its value, or the one that was given.
    ///
    /// # Errors
    /// If what was given is no number.
    pub(crate) fn parameter(&mut self, name: &str, value: f64) -> Result<Id, Error> {
        let value = match self.given.iter().rev().find(|(given, _)| given == name) {
            None => Exact::from(value),
            Some((_, text)) => Exact::decimal(text).ok_or_else(|| {
                let what = format!("`{text}` is no number for `{name}`");
                Error::new(what, "write a number of 0 or more, as 8760 or 1.5e-6: in this format it has no unit")
            })?,
        };
        self.parameters.push(Parameter {
            name: name.to_owned(),
            value,
            // The file has decimal numbers, of which the nearest binary64 was taken.
            wrong: if value.whole().is_some() { 0.0 } else { value.rounded().abs() * f64::EPSILON },
            dimension: Dimension::PLAIN,
            range: None,
            distribution: None,
            origin: None,
            meaning: None,
            structural: false,
        });
        let index = self.parameters.len() - 1;
        Ok(self.add(Node::Parameter(index)))
    }

    /// A number.
    pub(crate) fn constant(&mut self, value: f64) -> Id {
        let wrong = if value.fract() == 0.0 { 0.0 } else { value.abs() * f64::EPSILON };
        self.add(Node::Constant(Exact::from(value), wrong))
    }

    fn binary(&mut self, function: Binary, a: Id, b: Id) -> Id {
        self.add(Node::Binary(function, a, b))
    }

    fn unary(&mut self, function: Unary, x: Id) -> Id {
        self.add(Node::Unary(function, x))
    }

    /// `1 - x`.
    pub(crate) fn complement(&mut self, x: Id) -> Id {
        let one = self.constant(1.0);
        self.binary(Binary::Subtract, one, x)
    }

    /// `1 - e^-x` and `e^-x`.
    fn exponential(&mut self, x: Id) -> (Id, Id) {
        let negative = self.unary(Unary::Negate, x);
        let part = self.unary(Unary::ExpM1, negative);
        (self.unary(Unary::Negate, part), self.unary(Unary::Exp, negative))
    }

    /// What fails at a rate and is never repaired, at a time.
    pub(crate) fn gone(&mut self, rate: Id, time: Id) -> (Id, Id) {
        let exponent = self.binary(Binary::Multiply, rate, time);
        self.exponential(exponent)
    }

    /// What wears out by Weibull's law, at a time.
    pub(crate) fn worn(&mut self, scale: Id, shape: Id, shift: f64, time: Id) -> (Id, Id) {
        let (shift, zero) = (self.constant(shift), self.constant(0.0));
        let age = self.binary(Binary::Subtract, time, shift);
        let age = self.binary(Binary::Max, age, zero);
        let share = self.binary(Binary::Divide, age, scale);
        let exponent = self.binary(Binary::Power, share, shape);
        self.exponential(exponent)
    }

    /// What fails and is repaired, and is down at the start with a probability: at a time, or in the long run.
    pub(crate) fn repaired(&mut self, rate: Id, repair: Id, at_start: f64, time: Option<Id>) -> (Id, Id) {
        let both = self.binary(Binary::Add, rate, repair);
        let end = [rate, repair].map(|part| self.binary(Binary::Divide, part, both));
        let Some(time) = time else { return (end[0], end[1]) };
        let (forgotten, kept) = self.gone(both, time);
        let down = self.constant(at_start);
        let start = [down, self.complement(down)];
        let [yes, no] = [0, 1].map(|side| {
            let late = self.binary(Binary::Multiply, end[side], forgotten);
            let early = self.binary(Binary::Multiply, start[side], kept);
            self.binary(Binary::Add, late, early)
        });
        (yes, no)
    }

    /// The model that asks for the probability of the top event of a structure.
    ///
    /// # Errors
    /// If a value was given for something that is no parameter.
    pub(crate) fn finish(
        mut self,
        function: Arc<StructureFunction>,
        inputs: Vec<Id>,
        name: String,
        place: Place,
    ) -> Result<Model, Error> {
        let known = || self.parameters.iter().map(|parameter| parameter.name.as_str());
        if let Some((wrong, _)) = self.given.iter().find(|(given, _)| !known().any(|name| name == given)) {
            let what = format!("there is no parameter `{wrong}`{}", did_you_mean(wrong, known()));
            return Err(Error::new(what, "parameters are the names of the events, and `time`"));
        }
        let question = Question::Structure(Arc::new(StructureQuestion { function, what: Asked::Top }));
        let solve = Solve { question, place: Arc::new(place.clone()) };
        let node = self.add(Node::Solve(solve, inputs));
        let measures = vec![Measure { name, unit: "1".to_owned(), node, place, downtime_of: None }];
        let (parameters, nodes) = (self.parameters, self.nodes);
        Ok(Model {
            parameters,
            nodes,
            measures,
            chains: Vec::new(),
            trees: Vec::new(),
            parts: BTreeMap::new(),
            uncounted: BTreeMap::new(),
            designed: BTreeSet::new(),
        })
    }
}
