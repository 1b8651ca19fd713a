//! Measures of fault trees, block diagrams and networks become nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::Entity;
use super::structure::{Failing, Inputs, Logic};
use super::{Compiler, Lowered};
use crate::Error;
use crate::chain::States;
use crate::model::chain_solve::Gather;
use crate::model::node::{Binary, Id};
use crate::model::solve::Question;
use crate::model::structure_solve::{Asked, StructureQuestion};
use crate::model::timed_solve::WithinTime;
use crate::structure::StructureFunction;
use crate::text::ast::{Ask, Expr, ExprKind};
use crate::text::exact::Exact;
use crate::text::source::did_you_mean;
use crate::text::unit::Dimension;

impl Compiler<'_> {
    pub(super) fn of_structure(&mut self, model: usize, ask: &Ask) -> Result<Lowered, Error> {
        if let Some(found) = self.derived(ask)? {
            return Ok(found);
        }
        let top = self.structures[&model].top.clone();
        let phrase = ask.phrase.text.as_str();
        let plain = |id| Ok(Lowered { id, dimension: Dimension::PLAIN });
        if let Some(target) = &ask.target {
            return self.of_target(model, ask, target, &top);
        }
        if phrase == "cut sets" {
            self.clauses(ask, &[])?;
            let count = self.cut_sets(model, &top, ask)?;
            return plain(self.constant(count, Dimension::PLAIN));
        }
        if let "mttf" | "mean time to failure" = phrase {
            self.clauses(ask, &[])?;
            let id = if self.is_repaired(model, &top, ask)? {
                self.mean_time_of_process(model, &top, ask)?
            } else {
                self.mean_time(model, &top, ask)?
            };
            return Ok(Lowered { id, dimension: Dimension::TIME });
        }
        if phrase == "failures" && !ask.clauses.is_empty() {
            let [Some(over)] = self.clauses(ask, &["over"])?[..] else { return Err(self.not_for(ask, "a tree")) };
            let entries = |down| WithinTime::Collected(Gather::Entries(down));
            return plain(self.process_in_time(model, &top, ask, over, entries)?);
        }
        if let "unreliability" | "reliability" = phrase {
            let at = self.clauses(ask, &["at"])?[0];
            let Some(at) = at else { return Err(self.without_time(ask)) };
            if self.is_repaired(model, &top, ask)? {
                let reached = |down| {
                    if phrase == "reliability" {
                        return WithinTime::NotReached(down);
                    }
                    WithinTime::Reached { target: down, avoid: States::default() }
                };
                return plain(self.process_in_time(model, &top, ask, at, reached)?);
            }
            let place = self.place(ask.phrase.span);
            self.function(model, &top, ask)?.check_coherent("unreliability").map_err(|error| error.at(place))?;
            let what = if phrase == "reliability" { Asked::NotTop } else { Asked::Top };
            let time = self.moment(at)?;
            return plain(self.solve_structure(model, &top, what, Some(time), ask)?);
        }
        let allowed: &[&str] = if let "unavailability" | "availability" = phrase { &["at"] } else { &[] };
        let at = self.clauses(ask, allowed)?.first().copied().flatten();
        let time = at.map(|at| self.moment(at)).transpose()?;
        let (above, below, power) = match phrase {
            "unavailability" | "downtime" => return plain(self.solve_structure(model, &top, Asked::Top, time, ask)?),
            "availability" => return plain(self.solve_structure(model, &top, Asked::NotTop, time, ask)?),
            "failure frequency" | "failures" => (Some(Asked::Frequency), None, -1),
            "counted failures" => {
                let id = self.counted(model, &top, ask)?;
                return Ok(Lowered { id, dimension: Dimension::RATE });
            }
            "failure rate" => (Some(Asked::Frequency), Some(Asked::NotTop), -1),
            "repair rate" => (Some(Asked::Frequency), Some(Asked::Top), -1),
            "mtbf" | "mean time between failures" => (None, Some(Asked::Frequency), 1),
            "mean down time" => (Some(Asked::Top), Some(Asked::Frequency), 1),
            "mean up time" => (Some(Asked::NotTop), Some(Asked::Frequency), 1),
            _ => return Err(self.not_for(ask, "a tree or a block diagram")),
        };
        let side = |compiler: &mut Self, what: Option<Asked>| match what {
            Some(what) => compiler.solve_structure(model, &top, what, None, ask),
            None => Ok(compiler.constant(Exact::ONE, Dimension::PLAIN)),
        };
        let (above, below) = (side(self, above)?, side(self, below)?);
        let id = self.binary(Binary::Divide, above, below, Dimension(power));
        Ok(Lowered { id, dimension: Dimension(power) })
    }

    /// Measures of a gate or an event in a structure.
    fn of_target(&mut self, model: usize, ask: &Ask, target: &Expr, top: &str) -> Result<Lowered, Error> {
        let (name, span) = match &target.kind {
            ExprKind::Reference(reference) => self.indexed(reference)?,
            ExprKind::Edge(edge) => {
                let (from, sign, to) = &**edge;
                (format!("{}{sign}{}", self.indexed(from)?.0, self.indexed(to)?.0), target.span)
            }
            _ => return Err(self.error(target.span, "this is no event or gate", "name one")),
        };
        let structure = &self.structures[&model];
        let event = structure.events.iter().position(|(event, _)| *event == name);
        let is_known = event.is_some() || structure.gates.contains(&name);
        if !is_known && name == "downtime" && ask.phrase.text == "probability" {
            return self.downtime_of_structure(model, top, ask);
        }
        // How often something occurs is known in the long run only.
        let allowed: &[&str] = if ask.phrase.text == "frequency" { &[] } else { &["at"] };
        let at = self.clauses(ask, allowed)?.first().copied().flatten();
        let time = at.map(|at| self.moment(at)).transpose()?;
        let structure = &self.structures[&model];
        if !is_known {
            let known = structure.events.iter().map(|(event, _)| event).chain(&structure.gates).map(String::as_str);
            let what = format!("`{}` has no event or gate `{name}`{}", ask.model.text, did_you_mean(&name, known));
            return Err(self.error(span, what, "name one of its events or gates"));
        }
        let plain = |id| Lowered { id, dimension: Dimension::PLAIN };
        match (ask.phrase.text.as_str(), event) {
            ("probability", Some(event)) => return Ok(plain(self.event_inputs(model, event, time, ask)?.yes)),
            ("probability", None) => return Ok(plain(self.solve_structure(model, &name, Asked::Top, time, ask)?)),
            ("frequency", Some(event)) => {
                let id = self.function_inputs(model, &[event], None, ask, true)?[2];
                return Ok(Lowered { id, dimension: Dimension::RATE });
            }
            ("frequency", None) => {
                let id = self.solve_structure(model, &name, Asked::Frequency, None, ask)?;
                return Ok(Lowered { id, dimension: Dimension::RATE });
            }
            (_, None) => return Err(self.error(span, format!("`{name}` is a gate"), "importance is asked of events")),
            _ => {}
        }
        let event = event.unwrap_or_default();
        Ok(plain(self.importance(model, ask, top, event, time)?))
    }

    pub(super) fn solve_structure(
        &mut self,
        model: usize,
        top: &str,
        what: Asked,
        time: Option<Id>,
        ask: &Ask,
    ) -> Result<Id, Error> {
        let function = self.function(model, top, ask)?;
        let order = self.events_of(model, &function);
        let what = match what {
            // Functions have an order of their own, and only the events that they need.
            Asked::Birnbaum(event) => match order.iter().position(|&own| own == event) {
                Some(place) => Asked::Birnbaum(place),
                None => return Ok(self.constant(Exact::ZERO, Dimension::PLAIN)),
            },
            other => other,
        };
        let inputs = self.function_inputs(model, &order, time, ask, what == Asked::Frequency)?;
        let question = Question::Structure(Arc::new(StructureQuestion { function, what }));
        Ok(self.solved(model, question, inputs, Dimension::PLAIN))
    }

    /// How often the top event occurs. An event with a probability and no frequency decides with the others, and is not counted
    /// itself: it has no moment at which it occurs.
    fn counted(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Id, Error> {
        let function = self.function(model, top, ask)?;
        let order = self.events_of(model, &function);
        let mut inputs = self.function_inputs(model, &order, None, ask, false)?;
        for event in order {
            let known = self.event_inputs(model, event, None, ask)?.frequency;
            inputs.push(match (known, self.structures[&model].events[event].1.clone()) {
                (Some(frequency), _) => frequency,
                (None, Failing::As(below)) => self.usual(&below, "counted failures", None)?.id,
                (None, _) => self.constant(Exact::ZERO, Dimension::RATE),
            });
        }
        let question = Question::Structure(Arc::new(StructureQuestion { function, what: Asked::Frequency }));
        Ok(self.solved(model, question, inputs, Dimension::PLAIN))
    }

    /// The events that a function needs, in its order, by their numbers in the model.
    pub(super) fn events_of(&self, model: usize, function: &StructureFunction) -> Vec<usize> {
        let own = self.structures[&model].events.iter().enumerate();
        let own: BTreeMap<&str, usize> = own.map(|(index, (event, _))| (event.as_str(), index)).collect();
        function.events().iter().filter_map(|name| own.get(name.as_str()).copied()).collect()
    }

    /// The probabilities of these events, then those of their complements, then, if wanted, their frequencies.
    pub(super) fn function_inputs(
        &mut self,
        model: usize,
        order: &[usize],
        time: Option<Id>,
        ask: &Ask,
        with_frequency: bool,
    ) -> Result<Vec<Id>, Error> {
        let events = order.iter().map(|&event| self.event_inputs(model, event, time, ask));
        let events = events.collect::<Result<Vec<Inputs>, _>>()?;
        let mut inputs: Vec<Id> =
            events.iter().map(|event| event.yes).chain(events.iter().map(|event| event.no)).collect();
        for (made, &event) in events.iter().zip(order).filter(|_| with_frequency) {
            let Some(frequency) = made.frequency else {
                let what = format!("how often does `{}` fail?", self.structures[&model].events[event].0);
                return Err(self.error(ask.phrase.span, what, "a frequency needs events with `fails at RATE, repaired at RATE`, `is MODEL` or `unavailability U, failure frequency W`"));
            };
            inputs.push(frequency);
        }
        Ok(inputs)
    }

    /// The mean time to the first failure of a structure of which nothing is repaired.
    fn mean_time(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Id, Error> {
        let function = self.function(model, top, ask)?;
        let mut rates = Vec::new();
        for name in function.events() {
            match self.structures[&model].events.iter().find(|(event, _)| event == name) {
                Some((_, Failing::Rates { fails, .. })) => rates.push(*fails),
                _ => {
                    let what = format!("`{name}` has no failure rate");
                    return Err(self.error(ask.phrase.span, what, "a mean time needs `fails at RATE` of every event"));
                }
            }
        }
        let question = Question::Structure(Arc::new(StructureQuestion { function, what: Asked::MeanTime }));
        Ok(self.solved(model, question, rates, Dimension::TIME))
    }

    pub(super) fn function(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Arc<StructureFunction>, Error> {
        let structure = &self.structures[&model];
        if let Some(function) = structure.functions.get(top) {
            return Ok(Arc::clone(function));
        }
        let limits = self.resources.structures;
        let function = match &structure.logic {
            Logic::Gates(builder) => {
                let tree = builder.clone().finish(top);
                // What else is declared has no part in it, and need not fit what is asked.
                tree.and_then(|tree| StructureFunction::of_tree(&tree.needed(), &limits))
            }
            Logic::Network(graph, from, to) => graph.connected(from, &[to], &limits),
        };
        let function = Arc::new(function.map_err(|error| self.of_whole(ask, error))?);
        if let Some(structure) = self.structures.get_mut(&model) {
            structure.functions.insert(top.to_owned(), Arc::clone(&function));
        }
        Ok(function)
    }

    /// How many minimal cut sets there are.
    fn cut_sets(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Exact, Error> {
        let function = self.function(model, top, ask)?;
        let sets = function.cut_sets(&self.resources.structures).map_err(|error| self.of_whole(ask, error))?;
        let count = sets.count();
        if count == u128::MAX {
            let what = "there are more than 3.4e38 minimal cut sets, and they are not counted any further";
            let remedy = "ask for probabilities and importances, which are exact however many there are";
            return Err(self.of_whole(ask, Error::new(what, remedy)));
        }
        Ok(Exact::of_whole(count))
    }

    /// An error about the whole of a model: with its name, where it is asked.
    pub(super) fn of_whole(&self, ask: &Ask, error: Error) -> Error {
        let what = format!("`{}`: {}", ask.model.text, error.what);
        Error { what, ..error }.at(self.place(ask.model.span))
    }

    /// The nodes of an event, in the long run or at a time.
    pub(super) fn event_inputs(
        &mut self,
        model: usize,
        event: usize,
        time: Option<Id>,
        ask: &Ask,
    ) -> Result<Inputs, Error> {
        if let Some(made) = self.structures[&model].inputs.get(&(time, event)) {
            return Ok(*made);
        }
        let (name, failing) = self.structures[&model].events[event].clone();
        self.enter(Entity::Model(model), format!("`{}`", ask.model.text), ask.model.span)?;
        let made = match time {
            None => self.in_the_long_run(&name, &failing, ask),
            Some(time) => self.by(time, &name, &failing, ask),
        };
        self.open.pop();
        let made = made?;
        if let Some(structure) = self.structures.get_mut(&model) {
            structure.inputs.insert((time, event), made);
        }
        Ok(made)
    }

    fn in_the_long_run(&mut self, name: &str, failing: &Failing, ask: &Ask) -> Result<Inputs, Error> {
        Ok(match *failing {
            Failing::As(ref model) => {
                let (yes, no) =
                    (self.usual(model, "unavailability", None)?.id, self.usual(model, "availability", None)?.id);
                // A tree of bare probabilities has no frequency; that is an error only where one is asked for.
                Inputs { yes, no, frequency: self.usual(model, "failure frequency", None).ok().map(|found| found.id) }
            }
            Failing::Probability(yes) => Inputs { yes, no: self.complement(yes), frequency: None },
            Failing::Known { unavailability: yes, frequency } => {
                Inputs { yes, no: self.complement(yes), frequency: Some(frequency) }
            }
            Failing::Rates { fails, repaired: Some(repaired) } => {
                let both = self.binary(Binary::Add, fails, repaired, Dimension::RATE);
                let yes = self.binary(Binary::Divide, fails, both, Dimension::PLAIN);
                let no = self.binary(Binary::Divide, repaired, both, Dimension::PLAIN);
                Inputs { yes, no, frequency: Some(self.binary(Binary::Multiply, fails, no, Dimension::RATE)) }
            }
            Failing::Rates { repaired: None, .. } => {
                let what = format!("`{name}` is never repaired, so that in the long run it is down");
                let at_a_time = match ask.phrase.text.as_str() {
                    "unavailability" | "availability" => self.at_a_time(ask),
                    phrase if ask.target.is_some() && phrase != "frequency" => self.at_a_time(ask),
                    _ => format!("`unreliability of {} at 1000 h`", ask.model.text),
                };
                let remedy = format!("ask at a time, {at_a_time}, or say how it is repaired");
                return Err(self.error(ask.phrase.span, what, remedy));
            }
        })
    }
}
