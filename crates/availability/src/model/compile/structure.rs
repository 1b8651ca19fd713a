//! Fault trees and block diagrams.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::Entity;
use super::{Compiler, Lowered};
use crate::Error;
use crate::model::node::{Binary, Id, Node, Unary};
use crate::model::solve::Solve;
use crate::model::structure_solve::{Asked, StructureQuestion};
use crate::structure::{FaultTree, FaultTreeBuilder, GateKind, Limits, StructureFunction};
use crate::text::ast::{Ask, Body, Expr, ExprKind, Item, Law, Least, Operator, Reference, StructureItem};
use crate::text::exact::Exact;
use crate::text::source::{Name, Span, did_you_mean};
use crate::text::unit::Dimension;

/// A tree, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    builder: FaultTreeBuilder,
    /// Events in their order, with how they fail.
    events: Vec<(String, Failing)>,
    /// Names of gates.
    gates: Vec<String>,
    /// The name of the gate that is the whole.
    top: String,
    /// Functions of gates that were asked for.
    functions: BTreeMap<String, Arc<StructureFunction>>,
    /// The events' inputs that were made, by the time that they are for.
    inputs: BTreeMap<Option<Id>, Vec<Inputs>>,
}

/// How an event fails, its expressions lowered.
#[derive(Clone, Debug)]
enum Failing {
    As(Name),
    Probability(Id),
    Rates { fails: Id, repaired: Option<Id> },
    Known { unavailability: Id, frequency: Id },
}

/// The nodes of an event.
#[derive(Clone, Copy, Debug)]
struct Inputs {
    yes: Id,
    no: Id,
    frequency: Option<Id>,
}

/// A structure in the making.
struct Draft {
    builder: FaultTreeBuilder,
    events: Vec<(String, Failing)>,
    gates: Vec<String>,
    /// All names that were declared, with the place of each.
    names: BTreeMap<String, Span>,
    /// Names that gates use.
    used: Vec<(String, Span)>,
    /// In a block diagram names mean that something works.
    works: bool,
    /// Gates without a name of their own.
    hidden: usize,
}

impl Compiler<'_> {
    /// The tree of this index among the models, made when it is asked for the first time.
    pub(super) fn structure(&mut self, index: usize) -> Result<(), Error> {
        if self.structures.contains_key(&index) {
            return Ok(());
        }
        let document = self.document;
        let model = &document.models[index];
        self.enter(Entity::Model(index), format!("`{}`", model.name.text), model.name.span)?;
        let outer = std::mem::take(&mut self.locals);
        let made = match &model.body {
            Body::Structure { works, items } => self.tree(&model.name, *works, items),
            _ => Err(self.error(model.name.span, format!("`{}` is no tree", model.name.text), "trees and block diagrams have events")),
        };
        self.locals = outer;
        self.open.pop();
        self.structures.insert(index, made?);
        Ok(())
    }

    fn tree(&mut self, name: &Name, works: bool, items: &[Item<StructureItem>]) -> Result<Structure, Error> {
        let mut draft = Draft {
            builder: FaultTree::builder(),
            events: Vec::new(),
            gates: Vec::new(),
            names: BTreeMap::new(),
            used: Vec::new(),
            works,
            hidden: 0,
        };
        // Names first, so that `*` and names from further down are known.
        self.each(items, &mut |compiler, item| compiler.declare(&mut draft, item))?;
        self.each(items, &mut |compiler, item| compiler.structure_item(&mut draft, item))?;
        for (used, span) in &draft.used {
            if !draft.names.contains_key(used) {
                let near = did_you_mean(used, draft.names.keys().map(String::as_str));
                let what = format!("`{}` has no event or gate `{used}`{near}", name.text);
                return Err(self.error(*span, what, "declare it with `event` (`block` in a block diagram), or as a gate `NAME = ...`"));
            }
        }
        let usual = if works { "works" } else { "top" };
        let top = match draft.gates.iter().find(|gate| *gate == usual).or(draft.gates.last()).or(draft.events.first().map(|event| &event.0)) {
            Some(top) => top.clone(),
            None => return Err(self.error(name.span, format!("`{}` is empty", name.text), format!("write `{usual} = ...`"))),
        };
        let Draft { builder, events, gates, .. } = draft;
        // A cycle is found now, whatever is asked later.
        let place = self.place(name.span);
        builder.clone().finish(&top).map_err(|error| error.at(place))?;
        Ok(Structure { builder, events, gates, top, functions: BTreeMap::new(), inputs: BTreeMap::new() })
    }

    fn declare(&mut self, draft: &mut Draft, item: &StructureItem) -> Result<(), Error> {
        let (StructureItem::Event(reference, _) | StructureItem::Gate(reference, _)) = item;
        let (name, span) = self.indexed(reference)?;
        match draft.names.insert(name.clone(), span) {
            None => Ok(()),
            Some(earlier) => {
                let what = format!("`{name}` is declared twice, first in line {}", self.place(earlier).line);
                Err(self.error(span, what, "an event that is shared by gates is declared once and named in each of them"))
            }
        }
    }

    fn structure_item(&mut self, draft: &mut Draft, item: &StructureItem) -> Result<(), Error> {
        match item {
            StructureItem::Event(reference, law) => {
                let (name, span) = self.indexed(reference)?;
                let law = self.law(law)?;
                draft.builder.at(self.place(span)).event(name.clone());
                draft.events.push((name, law));
            }
            StructureItem::Gate(reference, logic) => {
                let (name, span) = self.indexed(reference)?;
                draft.builder.at(self.place(span));
                let (kind, inputs) = self.logic(draft, logic)?;
                draft.builder.gate(name.clone(), kind, inputs);
                draft.gates.push(name);
            }
        }
        Ok(())
    }

    fn law(&mut self, law: &Law) -> Result<Failing, Error> {
        Ok(match law {
            Law::Model(name) => {
                self.model(name)?;
                Failing::As(name.clone())
            }
            Law::Probability(p) => Failing::Probability(self.of_dimension(p, Dimension::PLAIN, "a probability")?),
            Law::Rates { fails, repaired } => {
                let rate = self.of_dimension(fails, Dimension::RATE, "the failure rate")?;
                self.positive(rate, fails)?;
                let repaired = match repaired {
                    None => None,
                    Some(repaired) => Some(self.of_dimension(repaired, Dimension::RATE, "the repair rate")?),
                };
                Failing::Rates { fails: rate, repaired }
            }
            Law::Known { unavailability, frequency } => Failing::Known {
                unavailability: self.of_dimension(unavailability, Dimension::PLAIN, "an unavailability")?,
                frequency: self.of_dimension(frequency, Dimension::RATE, "a failure frequency")?,
            },
        })
    }

    /// The kind of a gate, in terms of failures, and its inputs; gates inside of it get names of their own.
    fn logic(&mut self, draft: &mut Draft, logic: &Expr) -> Result<(GateKind, Vec<String>), Error> {
        let (and, or) = if draft.works { (GateKind::Or, GateKind::And) } else { (GateKind::And, GateKind::Or) };
        match &logic.kind {
            ExprKind::Binary(operator @ (Operator::And | Operator::Or), ..) => {
                let mut sides = Vec::new();
                flatten(*operator, logic, &mut sides);
                let inputs = self.inputs_of(draft, &sides)?;
                Ok((if *operator == Operator::And { and } else { or }, inputs))
            }
            ExprKind::Call(name, arguments) if matches!(name.text.as_str(), "series" | "parallel") => {
                let inputs = self.inputs_of(draft, &arguments.iter().collect::<Vec<_>>())?;
                // A series works if all work, and fails if any fails.
                Ok((if name.text == "series" { GateKind::Or } else { GateKind::And }, inputs))
            }
            ExprKind::Count(least, members) => {
                let inputs = self.inputs_of(draft, &members.iter().collect::<Vec<_>>())?;
                let kind = match least {
                    Least::All => and,
                    Least::Any => or,
                    Least::AtLeast(count) => {
                        let (wanted, all) = (self.whole(count)?, inputs.len() as i64);
                        if wanted < 1 || wanted > all {
                            let what = format!("at least {wanted} of {all}");
                            return Err(self.error(count.span, what, format!("the number must be from 1 to {all}")));
                        }
                        let failed = if draft.works { all - wanted + 1 } else { wanted };
                        GateKind::AtLeast(failed as u32)
                    }
                };
                Ok((kind, inputs))
            }
            ExprKind::Not(inner) if !draft.works => Ok((GateKind::Not, self.inputs_of(draft, &[inner])?)),
            ExprKind::Reference(_) => Ok((or, self.inputs_of(draft, &[logic])?)),
            _ => {
                let remedy = if draft.works { "blocks are joined by `and`, `or`, `at least K of a, b, c`, `series(...)` and `parallel(...)`" } else { "events are joined by `and`, `or`, `not`, `at least K of a, b, c`, `all of` and `any of`" };
                Err(self.error(logic.span, "this is no logic of events", remedy))
            }
        }
    }

    /// The names of inputs; `server[*]` stands for all of them.
    fn inputs_of(&mut self, draft: &mut Draft, inputs: &[&Expr]) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for input in inputs {
            match &input.kind {
                ExprKind::Reference(reference) if reference.indexes.iter().any(Option::is_none) => {
                    names.extend(self.all_of(draft, reference)?);
                }
                ExprKind::Reference(reference) => {
                    let (name, span) = self.indexed(reference)?;
                    draft.used.push((name.clone(), span));
                    names.push(name);
                }
                _ => {
                    let (kind, below) = self.logic(draft, input)?;
                    draft.hidden += 1;
                    // No name of a text has a blank in it.
                    let name = format!("gate {}", draft.hidden);
                    draft.builder.gate(name.clone(), kind, below);
                    names.push(name);
                }
            }
        }
        Ok(names)
    }

    /// All names that a reference with `*` stands for, ordered by their indexes.
    fn all_of(&mut self, draft: &Draft, reference: &Reference) -> Result<Vec<String>, Error> {
        let mut wanted = Vec::new();
        for index in &reference.indexes {
            wanted.push(match index {
                Some(index) => Some(self.whole(index)?),
                None => None,
            });
        }
        let mut found = Vec::new();
        for name in draft.names.keys() {
            let Some((base, rest)) = name.split_once('[') else { continue };
            let indexes: Vec<i64> = rest.trim_end_matches(']').split(',').filter_map(|index| index.parse().ok()).collect();
            let is_one = match &wanted[..] {
                [None] => true,
                wanted => wanted.len() == indexes.len() && wanted.iter().zip(&indexes).all(|(w, i)| w.is_none_or(|w| w == *i)),
            };
            if base == reference.name.text && is_one {
                found.push((indexes, name.clone()));
            }
        }
        found.sort();
        if found.is_empty() {
            let what = format!("there is no `{}` with such indexes", reference.name.text);
            return Err(self.error(reference.name.span, what, "declare them first, as in `for i in 1..3 { event pump[i] ... }`"));
        }
        Ok(found.into_iter().map(|(_, name)| name).collect())
    }

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
        let mut side = |compiler: &mut Self, what: Option<Asked>| match what {
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
            "criticality" | "criticality importance" => {
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
    fn with_event(&mut self, model: usize, top: &str, event: usize, known: (Id, Id), time: Option<Id>, ask: &Ask) -> Result<Id, Error> {
        let id = self.solve_structure(model, top, Asked::Top, time, ask)?;
        let Node::Solve(solve, mut inputs) = self.nodes[id].clone() else { return Ok(id) };
        let count = inputs.len() / 2;
        (inputs[event], inputs[count + event]) = known;
        Ok(self.node(Node::Solve(solve, inputs), Dimension::PLAIN))
    }

    fn solve_structure(&mut self, model: usize, top: &str, what: Asked, time: Option<Id>, ask: &Ask) -> Result<Id, Error> {
        let function = self.function(model, top, ask)?;
        let events = self.event_inputs(model, time, ask)?;
        let mut inputs: Vec<Id> = events.iter().map(|event| event.yes).chain(events.iter().map(|event| event.no)).collect();
        if what == Asked::Frequency {
            for (event, made) in events.iter().enumerate() {
                match made.frequency {
                    Some(frequency) => inputs.push(frequency),
                    None => {
                        let what = format!("how often does `{}` fail?", self.structures[&model].events[event].0);
                        return Err(self.error(ask.phrase.span, what, "a frequency needs events with `fails at RATE, repaired at RATE`, `is MODEL` or `unavailability U, failure frequency W`"));
                    }
                }
            }
        }
        Ok(self.node(Node::Solve(Solve::Structure(Arc::new(StructureQuestion { function, what })), inputs), Dimension::PLAIN))
    }

    fn function(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Arc<StructureFunction>, Error> {
        let structure = &self.structures[&model];
        if let Some(function) = structure.functions.get(top) {
            return Ok(Arc::clone(function));
        }
        let place = self.place(ask.model.span);
        let tree = structure.builder.clone().finish(top).map_err(|error| error.at(place.clone()))?;
        let function = StructureFunction::of_tree(&tree, &Limits::default()).map_err(|error| error.at(place))?;
        let function = Arc::new(function);
        if let Some(structure) = self.structures.get_mut(&model) {
            structure.functions.insert(top.to_owned(), Arc::clone(&function));
        }
        Ok(function)
    }

    /// The nodes of all events, in the long run or at a time.
    fn event_inputs(&mut self, model: usize, time: Option<Id>, ask: &Ask) -> Result<Vec<Inputs>, Error> {
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
            Failing::Known { unavailability: yes, frequency } => Inputs { yes, no: self.complement(yes), frequency: Some(frequency) },
            Failing::Rates { fails, repaired: Some(repaired) } => {
                let both = self.binary(Binary::Add, fails, repaired, Dimension::RATE);
                let yes = self.binary(Binary::Divide, fails, both, Dimension::PLAIN);
                let no = self.binary(Binary::Divide, repaired, both, Dimension::PLAIN);
                Inputs { yes, no, frequency: Some(self.binary(Binary::Multiply, fails, no, Dimension::RATE)) }
            }
            Failing::Rates { repaired: None, .. } => {
                let what = format!("`{name}` is never repaired, so that in the long run it is down");
                return Err(self.error(ask.phrase.span, what, "ask at a time, `unreliability of MODEL at 1000 h`, or say how it is repaired"));
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
                (self.binary(Binary::Divide, down, both, Dimension::PLAIN), self.binary(Binary::Divide, up, both, Dimension::PLAIN))
            }
            Failing::As(_) | Failing::Known { .. } => {
                return Err(self.error(ask.phrase.span, "an event of this tree is known in the long run only", "at a time ask trees whose events have rates or probabilities"));
            }
        };
        Ok(Inputs { yes, no, frequency: None })
    }

    fn never_repaired(&self, model: usize, ask: &Ask) -> Result<(), Error> {
        let repaired = |failing: &Failing| !matches!(failing, Failing::Probability(_) | Failing::Rates { repaired: None, .. });
        match self.structures[&model].events.iter().find(|(_, failing)| repaired(failing)) {
            None => Ok(()),
            Some((name, _)) => {
                let what = format!("`{name}` is repaired, so that the tree can fail and recover before the time");
                Err(self.error(ask.phrase.span, what, "ask for the unavailability at the time, or model it as a chain"))
            }
        }
    }
}

/// `a and b and c` as one gate.
fn flatten<'e>(operator: Operator, logic: &'e Expr, sides: &mut Vec<&'e Expr>) {
    match &logic.kind {
        ExprKind::Binary(own, a, b) if *own == operator => {
            flatten(operator, a, sides);
            flatten(operator, b, sides);
        }
        _ => sides.push(logic),
    }
}
