//! Measures of fault trees, block diagrams and networks become nodes.

use std::sync::Arc;

use super::names::Entity;
use super::structure::{Failing, Inputs, Logic};
use super::{Compiler, Lowered};
use crate::Error;
use crate::model::node::{Binary, Id, Node, Unary};
use crate::model::solve::Solve;
use crate::model::structure_solve::{Asked, StructureQuestion};
use crate::structure::{Limits, StructureFunction};
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
            let place = self.place(ask.model.span);
            let sets =
                self.function(model, &top, ask)?.cut_sets(&Limits::default()).map_err(|error| error.at(place))?;
            return plain(self.constant(Exact::from(sets.count() as f64), Dimension::PLAIN));
        }
        if let "mttf" | "mean time to failure" = phrase {
            self.clauses(ask, &[])?;
            let id = self.mean_time(model, &top, ask)?;
            return Ok(Lowered { id, dimension: Dimension::TIME });
        }
        if let "unreliability" | "reliability" = phrase {
            let at = self.clauses(ask, &["at"])?[0];
            let Some(at) = at else {
                return Err(self.error(ask.phrase.span, "by which time?", format!("`{phrase} of MODEL at 1000 h`")));
            };
            self.never_repaired(model, ask)?;
            let what = if phrase == "reliability" { Asked::NotTop } else { Asked::Top };
            let time = self.of_dimension(at, Dimension::TIME, "the time")?;
            return plain(self.solve_structure(model, &top, what, Some(time), ask)?);
        }
        let allowed: &[&str] = if let "unavailability" | "availability" = phrase { &["at"] } else { &[] };
        let time = match self.clauses(ask, allowed)?.first().copied().flatten() {
            Some(at) => Some(self.of_dimension(at, Dimension::TIME, "the time")?),
            None => None,
        };
        let (above, below, power) = match phrase {
            "unavailability" | "downtime" => return plain(self.solve_structure(model, &top, Asked::Top, time, ask)?),
            "availability" => return plain(self.solve_structure(model, &top, Asked::NotTop, time, ask)?),
            "failure frequency" | "failures" => (Some(Asked::Frequency), None, -1),
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
        let Some((name, span)) = (match &target.kind {
            ExprKind::Reference(reference) => Some(self.indexed(reference)?),
            _ => None,
        }) else {
            return Err(self.error(target.span, "this is no event or gate", "name one"));
        };
        let at = self.clauses(ask, &["at"])?[0];
        let time = match at {
            Some(at) => Some(self.of_dimension(at, Dimension::TIME, "the time")?),
            None => None,
        };
        let structure = &self.structures[&model];
        let event = structure.events.iter().position(|(event, _)| *event == name);
        if event.is_none() && !structure.gates.contains(&name) {
            let known = structure.events.iter().map(|(event, _)| event).chain(&structure.gates).map(String::as_str);
            let what = format!("`{}` has no event or gate `{name}`{}", ask.model.text, did_you_mean(&name, known));
            return Err(self.error(span, what, "name one of its events or gates"));
        }
        let plain = |id| Lowered { id, dimension: Dimension::PLAIN };
        match (ask.phrase.text.as_str(), event) {
            ("probability", _) => return Ok(plain(self.solve_structure(model, &name, Asked::Top, time, ask)?)),
            ("frequency", _) => {
                let id = self.solve_structure(model, &name, Asked::Frequency, None, ask)?;
                return Ok(Lowered { id, dimension: Dimension::RATE });
            }
            (_, None) => return Err(self.error(span, format!("`{name}` is a gate"), "importance is asked of events")),
            _ => {}
        }
        let event = event.unwrap_or_default();
        Ok(plain(self.importance(model, ask, top, event, time)?))
    }

    /// Importance measures (Rausand and Høyland 2004, chapter 5).
    fn importance(&mut self, model: usize, ask: &Ask, top: &str, event: usize, time: Option<Id>) -> Result<Id, Error> {
        let (one, zero) = (self.constant(Exact::ONE, Dimension::PLAIN), self.constant(Exact::ZERO, Dimension::PLAIN));
        let phrase = ask.phrase.text.as_str();
        let birnbaum = |compiler: &mut Self| compiler.solve_structure(model, top, Asked::Birnbaum(event), time, ask);
        if phrase == "birnbaum importance" {
            return birnbaum(self);
        }
        let whole = self.solve_structure(model, top, Asked::Top, time, ask)?;
        let own = self.event_inputs(model, time, ask)?[event].yes;
        let product = |compiler: &mut Self, a, b| compiler.binary(Binary::Multiply, a, b, Dimension::PLAIN);
        let (above, below) = match phrase {
            "criticality" => {
                let birnbaum = birnbaum(self)?;
                (product(self, birnbaum, own), whole)
            }
            "diagnosis" => {
                let given = self.with_event(model, top, event, (one, zero), time, ask)?;
                (product(self, given, own), whole)
            }
            "risk achievement worth" => (self.with_event(model, top, event, (one, zero), time, ask)?, whole),
            "risk reduction worth" => (whole, self.with_event(model, top, event, (zero, one), time, ask)?),
            _ => return Err(self.not_for(ask, "an event")),
        };
        Ok(self.binary(Binary::Divide, above, below, Dimension::PLAIN))
    }

    /// The probability of the top event if it is known whether an event has occurred.
    fn with_event(
        &mut self,
        model: usize,
        top: &str,
        event: usize,
        known: (Id, Id),
        time: Option<Id>,
        ask: &Ask,
    ) -> Result<Id, Error> {
        let id = self.solve_structure(model, top, Asked::Top, time, ask)?;
        let Node::Solve(solve, mut inputs) = self.nodes[id].clone() else { return Ok(id) };
        let (count, name) = (inputs.len() / 2, &self.structures[&model].events[event].0);
        if let Some(place) = self.structures[&model].functions[top].events().iter().position(|event| event == name) {
            (inputs[place], inputs[count + place]) = known;
        }
        Ok(self.node(Node::Solve(solve, inputs), Dimension::PLAIN))
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
        let all = self.event_inputs(model, time, ask)?;
        let own = &self.structures[&model].events;
        let order: Vec<usize> =
            function.events().iter().filter_map(|name| own.iter().position(|(event, _)| event == name)).collect();
        let events: Vec<Inputs> = order.iter().map(|&event| all[event]).collect();
        let what = match what {
            // Functions have an order of their own.
            Asked::Birnbaum(event) => Asked::Birnbaum(order.iter().position(|&own| own == event).unwrap_or_default()),
            other => other,
        };
        let mut inputs: Vec<Id> =
            events.iter().map(|event| event.yes).chain(events.iter().map(|event| event.no)).collect();
        if what == Asked::Frequency {
            for (made, &event) in events.iter().zip(&order) {
                match made.frequency {
                    Some(frequency) => inputs.push(frequency),
                    None => {
                        let what = format!("how often does `{}` fail?", self.structures[&model].events[event].0);
                        return Err(self.error(ask.phrase.span, what, "a frequency needs events with `fails at RATE, repaired at RATE`, `is MODEL` or `unavailability U, failure frequency W`"));
                    }
                }
            }
        }
        Ok(self.node(
            Node::Solve(Solve::Structure(Arc::new(StructureQuestion { function, what })), inputs),
            Dimension::PLAIN,
        ))
    }

    /// The mean time to the first failure of a structure of which nothing is repaired.
    fn mean_time(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Id, Error> {
        self.never_repaired(model, ask)?;
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
        let question = StructureQuestion { function, what: Asked::MeanTime };
        Ok(self.node(Node::Solve(Solve::Structure(Arc::new(question)), rates), Dimension::TIME))
    }

    fn function(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Arc<StructureFunction>, Error> {
        let structure = &self.structures[&model];
        if let Some(function) = structure.functions.get(top) {
            return Ok(Arc::clone(function));
        }
        let place = self.place(ask.model.span);
        let function = match &structure.logic {
            Logic::Gates(builder) => {
                let tree = builder.clone().finish(top);
                tree.and_then(|tree| StructureFunction::of_tree(&tree, &Limits::default()))
            }
            Logic::Network(graph, from, to) => graph.connected(from, &[to], &Limits::default()),
        };
        let function = Arc::new(function.map_err(|error| error.at(place))?);
        if let Some(structure) = self.structures.get_mut(&model) {
            structure.functions.insert(top.to_owned(), Arc::clone(&function));
        }
        Ok(function)
    }

    /// The nodes of all events, in the long run or at a time.
    pub(super) fn event_inputs(&mut self, model: usize, time: Option<Id>, ask: &Ask) -> Result<Vec<Inputs>, Error> {
        if let Some(made) = self.structures[&model].inputs.get(&time) {
            return Ok(made.clone());
        }
        let mut all = Vec::new();
        for (name, failing) in self.structures[&model].events.clone() {
            self.enter(Entity::Model(model), format!("`{}`", ask.model.text), ask.model.span)?;
            let made = match time {
                None => self.in_the_long_run(&name, &failing, ask),
                Some(time) => self.by(time, &failing, ask),
            };
            self.open.pop();
            all.push(made?);
        }
        if let Some(structure) = self.structures.get_mut(&model) {
            structure.inputs.insert(time, all.clone());
        }
        Ok(all)
    }

    fn in_the_long_run(&mut self, name: &str, failing: &Failing, ask: &Ask) -> Result<Inputs, Error> {
        Ok(match *failing {
            Failing::As(ref model) => {
                let (yes, no) = (self.usual(model, "unavailability")?.id, self.usual(model, "availability")?.id);
                // A tree of bare probabilities has no frequency; that is an error only where one is asked for.
                Inputs { yes, no, frequency: self.usual(model, "failure frequency").ok().map(|found| found.id) }
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
                return Err(self.error(
                    ask.phrase.span,
                    what,
                    "ask at a time, `unreliability of MODEL at 1000 h`, or say how it is repaired",
                ));
            }
        })
    }

    /// What an event is by a time.
    fn by(&mut self, time: Id, failing: &Failing, ask: &Ask) -> Result<Inputs, Error> {
        let exponent = |compiler: &mut Self, rate: Id| {
            let exponent = compiler.binary(Binary::Multiply, rate, time, Dimension::PLAIN);
            compiler.unary(Unary::Negate, exponent, Dimension::PLAIN)
        };
        // 1 - e^x without the loss of digits.
        let lost = |compiler: &mut Self, exponent: Id| {
            let part = compiler.unary(Unary::ExpM1, exponent, Dimension::PLAIN);
            compiler.unary(Unary::Negate, part, Dimension::PLAIN)
        };
        let (yes, no) = match *failing {
            Failing::Probability(yes) => (yes, self.complement(yes)),
            Failing::Rates { fails, repaired: None } => {
                let exponent = exponent(self, fails);
                (lost(self, exponent), self.unary(Unary::Exp, exponent, Dimension::PLAIN))
            }
            Failing::Rates { fails, repaired: Some(repaired) } => {
                let both = self.binary(Binary::Add, fails, repaired, Dimension::RATE);
                let exponent = exponent(self, both);
                let (gone, left) = (lost(self, exponent), self.unary(Unary::Exp, exponent, Dimension::PLAIN));
                let down = self.binary(Binary::Multiply, fails, gone, Dimension::RATE);
                let still = self.binary(Binary::Multiply, fails, left, Dimension::RATE);
                let up = self.binary(Binary::Add, repaired, still, Dimension::RATE);
                (
                    self.binary(Binary::Divide, down, both, Dimension::PLAIN),
                    self.binary(Binary::Divide, up, both, Dimension::PLAIN),
                )
            }
            Failing::As(_) | Failing::Known { .. } => {
                return Err(self.error(
                    ask.phrase.span,
                    "an event of this tree is known in the long run only",
                    "at a time ask trees whose events have rates or probabilities",
                ));
            }
        };
        Ok(Inputs { yes, no, frequency: None })
    }

    fn never_repaired(&self, model: usize, ask: &Ask) -> Result<(), Error> {
        let repaired =
            |failing: &Failing| !matches!(failing, Failing::Probability(_) | Failing::Rates { repaired: None, .. });
        match self.structures[&model].events.iter().find(|(_, failing)| repaired(failing)) {
            None => Ok(()),
            Some((name, _)) => {
                let what = format!("`{name}` is repaired, so that the tree can fail and recover before the time");
                Err(self.error(ask.phrase.span, what, "ask for the unavailability at the time, or model it as a chain"))
            }
        }
    }
}
