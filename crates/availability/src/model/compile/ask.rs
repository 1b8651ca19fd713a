//! Measures of models become nodes.

use std::sync::Arc;

use super::chain::Earnings;
use super::names::Entity;
use super::{Compiler, Lowered};
use crate::Error;
use crate::chain::States;
use crate::model::chain_solve::{ChainModel, ChainQuestion, Gather};
use crate::model::node::{Binary, Id, Node};
use crate::model::solve::{Question, Solve};
use crate::model::sound::Sound;
use crate::text::ast::{Ask, Body, Expr, ExprKind, Operator};
use crate::text::exact::Exact;
use crate::text::source::{Name, Span, did_you_mean};
use crate::text::unit::Dimension;

/// Clauses that name a time.
pub(super) const TIMES: [&str; 3] = ["at", "over", "within"];

/// Hours of a year, of 365 days.
const YEAR: f64 = 8760.0;

impl Compiler<'_> {
    /// A measure of a model as a node.
    pub(super) fn answer(&mut self, ask: &Ask, span: Span) -> Result<Lowered, Error> {
        let model = self.model(&ask.model)?;
        // The same words in the same file mean the same, but for indexes of loops; what was made without words is compared
        // as it is.
        let words: Vec<&str> = self.source.text[span.start..span.end].split_whitespace().collect();
        let words = if words.is_empty() { format!("{ask:?}") } else { words.join(" ") };
        let key = format!("{model} {words} {:?}", self.locals);
        if let Some(known) = self.answers.get(&key) {
            return Ok(*known);
        }
        let found = self.answer_about(ask)?;
        self.answers.insert(key, found);
        Ok(found)
    }

    /// The same, whether it was asked before or not.
    pub(super) fn answer_about(&mut self, ask: &Ask) -> Result<Lowered, Error> {
        let model = self.model(&ask.model)?;
        let found = match &self.document.models[model].body {
            Body::Chain(_) | Body::Rules(_) => {
                self.chain(model)?;
                self.of_chain(model, ask)?
            }
            Body::Structure { .. } | Body::Graph { .. } => {
                self.structure(model)?;
                self.of_structure(model, ask)?
            }
        };
        Ok(if self.unitless { Lowered { dimension: Dimension::PLAIN, ..found } } else { found })
    }

    /// A measure of a model in the long run, or at a time: its node, and the clause that names it.
    pub(super) fn usual(
        &mut self,
        model: &Name,
        phrase: &str,
        at: Option<(Id, &(Name, Expr))>,
    ) -> Result<Lowered, Error> {
        let key = format!("{} {phrase} {:?}", model.text, at.map(|(time, _)| time));
        if let Some(known) = self.answers.get(&key) {
            return Ok(*known);
        }
        let phrase = Name { text: phrase.to_owned(), span: model.span };
        let clauses = at.into_iter().map(|(_, clause)| clause.clone()).collect();
        let found = self.answer_about(&Ask { phrase, target: None, model: model.clone(), clauses })?;
        self.answers.insert(key, found);
        Ok(found)
    }

    /// The index of a model by its name.
    pub(super) fn model(&self, name: &Name) -> Result<usize, Error> {
        match self.names.get(name.text.as_str()) {
            Some(Entity::Model(index)) => Ok(*index),
            _ => {
                let models = self.document.models.iter().map(|model| model.name.text.as_str());
                let what = format!("there is no model `{}`{}", name.text, did_you_mean(&name.text, models.clone()));
                let models: Vec<_> = models.collect();
                let remedy = if models.is_empty() {
                    "the text has no model: begin with `chain NAME { ... }`".to_owned()
                } else {
                    format!("the models are {}", models.join(", "))
                };
                Err(self.error(name.span, what, remedy))
            }
        }
    }

    fn of_chain(&mut self, model: usize, ask: &Ask) -> Result<Lowered, Error> {
        if let Some(found) = self.derived(ask)? {
            return Ok(found);
        }
        use Gather as G;
        let phrase = ask.phrase.text.as_str();
        if let Some(target) = &ask.target
            && phrase != "reward"
        {
            return self.of_states(model, ask, target);
        }
        if phrase == "reward" {
            return self.of_reward(model, ask);
        }
        if phrase == "states" {
            let count = self.chains[&model].model.states_of_model();
            return Ok(Lowered {
                id: self.constant(Exact::from(count as f64), Dimension::PLAIN),
                dimension: Dimension::PLAIN,
            });
        }
        let down = self.down(model, &ask.model)?;
        if !ask.clauses.is_empty() {
            return self.of_time(model, ask, down);
        }
        let (gain, per, dimension) = match phrase {
            "unavailability" | "downtime" => (G::TimeIn(down), G::Time, 0),
            "availability" => (G::TimeOutside(down), G::Time, 0),
            "failure frequency" | "failures" | "counted failures" => (G::Entries(down), G::Time, -1),
            "failure rate" => (G::Entries(down.clone()), G::TimeOutside(down), -1),
            "repair rate" => (G::Entries(down.clone()), G::TimeIn(down), -1),
            "mtbf" | "mean time between failures" => (G::Time, G::Entries(down), 1),
            "mean down time" => (G::TimeIn(down.clone()), G::Entries(down), 1),
            "mean up time" => (G::TimeOutside(down.clone()), G::Entries(down), 1),
            "mttf" | "mean time to failure" => {
                let id = self.solve_chain(model, G::Time, G::Arrivals, Some(down), None);
                return Ok(Lowered { id, dimension: Dimension::TIME });
            }
            "reliability" | "unreliability" => return Err(self.without_time(ask)),
            _ => return Err(self.not_for(ask, "a chain or rules")),
        };
        let id = self.solve_chain(model, gain, per, None, None);
        Ok(Lowered { id, dimension: Dimension(dimension) })
    }

    pub(super) fn not_for(&self, ask: &Ask, kind: &str) -> Error {
        let what = format!("there is no `{}` of {kind}", ask.phrase.text);
        self.error(ask.phrase.span, what, "see the table of measures in docs/availability.md")
    }

    /// The error that a measure is asked without the time that it is about.
    pub(super) fn without_time(&self, ask: &Ask) -> Error {
        let what = format!("`{}` needs a time", ask.phrase.text);
        self.error(ask.phrase.span, what, format!("as in {}", self.at_a_time(ask)))
    }

    /// How a measure is asked at a time, for a message.
    pub(super) fn at_a_time(&self, ask: &Ask) -> String {
        let target = ask.target.as_ref().map(|target| &self.source.text[target.span.start..target.span.end]);
        let about = target.map_or_else(String::new, |target| format!("{target} in "));
        format!("`{} of {about}{} at 1000 h`", ask.phrase.text, ask.model.text)
    }

    /// Measures that are computed from others of the same model.
    pub(super) fn derived(&mut self, ask: &Ask) -> Result<Option<Lowered>, Error> {
        if ask.phrase.text != "defects per million" {
            return Ok(None);
        }
        let holding = self.clauses(ask, &["holding"])?;
        let Some(holding) = holding.first().copied().flatten() else {
            let what = "how long does a call last?";
            return Err(self.error(ask.phrase.span, what, "`defects per million of MODEL with holding 3 min`"));
        };
        let calls = self.of_dimension(holding, Dimension::TIME, "the holding time")?;
        let holding = self.sound(calls, holding, "holding time", Sound::amount("this holding time"))?;
        let (refused, frequency) =
            (self.usual(&ask.model, "unavailability", None)?.id, self.usual(&ask.model, "failure frequency", None)?.id);
        let cut = self.binary(Binary::Multiply, frequency, holding, Dimension::PLAIN);
        let both = self.binary(Binary::Add, refused, cut, Dimension::PLAIN);
        let million = self.constant(Exact::from(1e6), Dimension::PLAIN);
        Ok(Some(Lowered {
            id: self.binary(Binary::Multiply, million, both, Dimension::PLAIN),
            dimension: Dimension::PLAIN,
        }))
    }

    /// Measures of sets of states.
    fn of_states(&mut self, model: usize, ask: &Ask, target: &Expr) -> Result<Lowered, Error> {
        use Gather as G;
        if target.as_name().is_some_and(|name| name.text == "downtime") && ask.phrase.text == "probability" {
            return self.of_downtime(model, ask);
        }
        let states = self.set(model, target)?;
        let lowered = |id, dimension| Ok(Lowered { id, dimension });
        if ask.clauses.iter().any(|(clause, _)| TIMES.contains(&clause.text.as_str())) {
            return self.of_states_in_time(model, ask, states);
        }
        match ask.phrase.text.as_str() {
            "probability" => match self.clauses(ask, &["before"])?[..] {
                [Some(before)] => {
                    // What ends the passage is the one or the other; the one is the cause that is asked for.
                    let end = union(&states, &self.set(model, before)?);
                    lowered(self.solve_chain(model, G::Entries(states), G::Arrivals, Some(end), None), Dimension::PLAIN)
                }
                _ => lowered(self.solve_chain(model, G::TimeIn(states), G::Time, None, None), Dimension::PLAIN),
            },
            "frequency" => {
                self.clauses(ask, &[])?;
                lowered(self.solve_chain(model, G::Entries(states), G::Time, None, None), Dimension::RATE)
            }
            "time" => match self.clauses(ask, &["until"])?[..] {
                // `time to S`, and `time of S until B`.
                [Some(until)] => {
                    let end = self.set(model, until)?;
                    lowered(self.solve_chain(model, G::TimeIn(states), G::Arrivals, Some(end), None), Dimension::TIME)
                }
                _ => lowered(self.solve_chain(model, G::Time, G::Arrivals, Some(states), None), Dimension::TIME),
            },
            _ => Err(self.not_for(ask, "states")),
        }
    }

    fn of_reward(&mut self, model: usize, ask: &Ask) -> Result<Lowered, Error> {
        let name = ask.target.as_ref().and_then(Expr::as_name).unwrap_or(&ask.phrase).clone();
        let chain = &self.chains[&model];
        let Some(&dimension) = chain.dimensions.get(&name.text) else {
            let near = did_you_mean(&name.text, chain.dimensions.keys().map(String::as_str));
            let what = format!("`{}` has no reward `{}`{near}", ask.model.text, name.text);
            return Err(self.error(name.span, what, "declare it in the model, `reward NAME: ...`"));
        };
        // Rules know their rewards; those of a chain go in behind its rates.
        let earnings = chain.rewards.get(&name.text).cloned();
        let gather = Gather::Reward(name.text.clone());
        let time = i32::from(!self.unitless);
        if ask.clauses.iter().any(|(clause, _)| TIMES.contains(&clause.text.as_str())) {
            return self.of_reward_in_time(model, ask, gather, dimension, earnings.as_ref());
        }
        let (until, per, dimension) = match self.clauses(ask, &["until"])?[..] {
            [Some(until)] => (Some(self.set(model, until)?), Gather::Arrivals, dimension),
            _ => (None, Gather::Time, Dimension(dimension.0 - time)),
        };
        Ok(Lowered { id: self.solve_chain(model, gather, per, until, earnings.as_ref()), dimension })
    }

    /// What goes into a chain: rates, and rewards if they are needed.
    pub(super) fn chain_inputs(&self, model: usize, rewards: Option<&Earnings>) -> Vec<Id> {
        let mut inputs = self.chains[&model].inputs.clone();
        if let Some(rewards) = rewards {
            inputs.extend(&rewards.states);
            inputs.extend(&rewards.arcs);
        }
        inputs
    }

    /// A node that asks a chain.
    fn solve_chain(
        &mut self,
        model: usize,
        gain: Gather,
        per: Gather,
        until: Option<States>,
        rewards: Option<&Earnings>,
    ) -> Id {
        let inputs = self.chain_inputs(model, rewards);
        let chain = &self.chains[&model];
        let question = ChainQuestion { model: chain.model.clone(), gain, per, until };
        self.solved(model, Question::Chain(Arc::new(question)), inputs, Dimension::PLAIN)
    }

    /// A node that asks a model; its errors name the place of the model.
    pub(super) fn solved(&mut self, model: usize, question: Question, inputs: Vec<Id>, dimension: Dimension) -> Id {
        let place = Arc::new(self.place(self.document.models[model].name.span));
        self.node(Node::Solve(Solve { question, place }, inputs), dimension)
    }

    /// The down states of a chain.
    pub(super) fn down(&self, model: usize, name: &Name) -> Result<States, Error> {
        match &self.chains[&model].up {
            Some(up) => Ok(States::new(up.iter().map(|up| !up).collect())),
            None => {
                let what = format!("`{}` does not say which states are up", name.text);
                Err(self.error(name.span, what, "write a line `up: ...` with the up states into the model"))
            }
        }
    }

    /// The states for which a condition holds: over states and labels, and for rules over variables.
    pub(super) fn set(&mut self, model: usize, condition: &Expr) -> Result<States, Error> {
        Ok(States::new(self.members(model, condition)?))
    }

    fn members(&mut self, model: usize, condition: &Expr) -> Result<Vec<bool>, Error> {
        let both = |a: Vec<bool>, b: Vec<bool>, join: fn(bool, bool) -> bool| {
            a.into_iter().zip(b).map(|(a, b)| join(a, b)).collect()
        };
        match &condition.kind {
            ExprKind::Not(inner) => Ok(self.members(model, inner)?.into_iter().map(|member| !member).collect()),
            ExprKind::Binary(Operator::And, a, b) => {
                Ok(both(self.members(model, a)?, self.members(model, b)?, |a, b| a && b))
            }
            ExprKind::Binary(Operator::Or, a, b) => {
                Ok(both(self.members(model, a)?, self.members(model, b)?, |a, b| a || b))
            }
            ExprKind::Reference(reference) => {
                let (name, span) = self.indexed(reference)?;
                if let Some(found) = self.members_named(model, &name) {
                    self.check_one_meaning(model, &name, span, &found)?;
                    return Ok(found);
                }
                match self.chains[&model].scope {
                    Some(_) => self.members_of_rules(model, condition),
                    None => Err(self.no_state(model, &name, span)),
                }
            }
            _ => match self.chains[&model].scope {
                Some(_) => self.members_of_rules(model, condition),
                None => Err(self.error(
                    condition.span,
                    "this is no set of states",
                    "name states or labels, joined by `and`, `or`, `not`",
                )),
            },
        }
    }

    fn members_of_rules(&mut self, model: usize, condition: &Expr) -> Result<Vec<bool>, Error> {
        let mut chain = self.chains[&model].clone();
        self.holding(&mut chain, condition)
    }

    /// The states of a name: a label, `up`, `down`, or one state.
    fn members_named(&self, model: usize, name: &str) -> Option<Vec<bool>> {
        let chain = &self.chains[&model];
        if let Some(label) = chain.labels.get(name) {
            return Some(label.clone());
        }
        if let ChainModel::Drawn(shape) = &chain.model
            && let Some(state) = shape.states.iter().position(|state| state == name)
        {
            return Some((0..shape.states.len()).map(|index| index == state).collect());
        }
        match (name, &chain.up) {
            ("up", Some(up)) => Some(up.clone()),
            ("down", Some(up)) => Some(up.iter().map(|up| !up).collect()),
            _ => None,
        }
    }

    /// Refuses `up` and `down` where one of several up or down states has that name: the states that were found are not all.
    fn check_one_meaning(&self, model: usize, name: &str, span: Span, found: &[bool]) -> Result<(), Error> {
        let Some(up) = &self.chains[&model].up else { return Ok(()) };
        let is_all = match name {
            "up" => found.iter().eq(up.iter()),
            "down" => found.iter().zip(up).all(|(found, up)| found != up),
            _ => true,
        };
        if is_all || self.unitless {
            return Ok(());
        }
        let what = format!("`{name}` is one state here, and all {name} states are called so, too");
        Err(self.error(span, what, "give the state another name"))
    }

    fn no_state(&self, model: usize, name: &str, span: Span) -> Error {
        let chain = &self.chains[&model];
        let states = if let ChainModel::Drawn(shape) = &chain.model { &shape.states[..] } else { &[] };
        let known = states.iter().chain(chain.labels.keys()).map(String::as_str);
        let what = format!("there is no state or label `{name}`{}", did_you_mean(name, known.clone()));
        let some: Vec<_> = known.take(12).collect();
        self.error(span, what, format!("there are {}", some.join(", ")))
    }

    /// The values of the clauses that a measure may have, in the order of `allowed`; others are refused.
    pub(super) fn clauses<'e>(&self, ask: &'e Ask, allowed: &[&str]) -> Result<Vec<Option<&'e Expr>>, Error> {
        if let Some((name, _)) = ask.clauses.iter().find(|(name, _)| !allowed.contains(&name.text.as_str())) {
            let what = format!("`{}` cannot have `{}` here", ask.phrase.text, name.text);
            let remedy = if allowed.is_empty() {
                "leave it away".to_owned()
            } else {
                format!("it can have {}", allowed.join(", "))
            };
            return Err(self.error(name.span, what, remedy));
        }
        let value = |wanted: &&str| ask.clauses.iter().find(|(name, _)| name.text == *wanted).map(|(_, value)| value);
        Ok(allowed.iter().map(value).collect())
    }

    /// The unit in which a measure is printed if the text names none, and its size.
    pub(super) fn usual_unit(&self, asked: &Expr, dimension: Dimension) -> (String, Exact) {
        if let ExprKind::Ask(ask) = &asked.kind
            && !self.unitless
        {
            match ask.phrase.text.as_str() {
                "downtime" if dimension == Dimension::PLAIN => {
                    return ("min/year".to_owned(), Exact::ONE / Exact::from(60.0 * YEAR));
                }
                "failures" | "counted failures" if dimension == Dimension::RATE => {
                    return ("1/year".to_owned(), Exact::ONE / Exact::from(YEAR));
                }
                _ => {}
            }
        }
        (dimension.usual_unit(), Exact::ONE)
    }
}

/// The states that are in the one or the other.
fn union(a: &States, b: &States) -> States {
    let members: Vec<usize> = a.iter().chain(b.iter()).collect();
    States::of(&members)
}
