//! Fault trees and block diagrams.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compiler;
use super::names::Entity;
use crate::Error;
use crate::model::Part;
use crate::model::node::Id;
use crate::model::sound::Sound;
use crate::structure::{FaultTree, FaultTreeBuilder, GateKind, ReliabilityGraph, StructureFunction};
use crate::text::ast::{Body, Edge, Expr, ExprKind, Item, Law, Least, Operator, Reference, StructureItem};
use crate::text::source::{Name, Span, did_you_mean};
use crate::text::unit::Dimension;

/// A tree, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    pub(super) logic: Logic,
    /// Events in their order, with how they fail.
    pub(super) events: Vec<(String, Failing)>,
    /// Names of gates.
    pub(super) gates: Vec<String>,
    /// The name of the gate that is the whole.
    pub(super) top: String,
    /// Functions of gates that were asked for.
    pub(super) functions: BTreeMap<String, Arc<StructureFunction>>,
    /// The inputs of events that were made, by the time that they are for and the number of the event.
    pub(super) inputs: BTreeMap<(Option<Id>, usize), Inputs>,
}

impl Structure {
    /// The events of a tree; `None` for a network, whose connections are no parts of their own.
    pub(super) fn parts(&self) -> Option<Vec<Part>> {
        let Logic::Gates(_) = self.logic else { return None };
        let part = |(event, failing): &(String, Failing)| {
            let Failing::As(model) = failing else { return Part { event: event.clone(), model: None } };
            Part { event: event.clone(), model: Some(model.text.clone()) }
        };
        Some(self.events.iter().map(part).collect())
    }

    /// The events that have a probability and no frequency.
    pub(super) fn uncounted(&self) -> Vec<String> {
        let bare = self.events.iter().filter(|(_, failing)| matches!(failing, Failing::Probability(_)));
        bare.map(|(event, _)| event.clone()).collect()
    }
}

/// From which events the whole follows.
#[derive(Clone, Debug)]
pub(super) enum Logic {
    Gates(FaultTreeBuilder),
    /// A network, with the nodes that it connects.
    Network(ReliabilityGraph, String, String),
}

/// The most that one gate can count.
const MAX_WEIGHT: i64 = 10_000;

/// What a network is called where a tree has the name of its top gate.
const NETWORK: &str = "the network";

/// How an event fails, its expressions lowered.
#[derive(Clone, Debug)]
pub(super) enum Failing {
    As(Name),
    Probability(Id),
    Rates { fails: Id, repaired: Option<Id> },
    Known { unavailability: Id, frequency: Id },
}

/// The nodes of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inputs {
    pub(super) yes: Id,
    pub(super) no: Id,
    pub(super) frequency: Option<Id>,
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
            Body::Graph { from, to, edges } => self.network(from, to, edges),
            Body::Chain(_) | Body::Rules(_) => Err(self.error(
                model.name.span,
                format!("`{}` is no tree", model.name.text),
                "trees and block diagrams have events",
            )),
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
                return Err(self.error(
                    *span,
                    what,
                    "declare it with `event` (`block` in a block diagram), or as a gate `NAME = ...`",
                ));
            }
        }
        let usual = if works { "works" } else { "top" };
        let top = match draft
            .gates
            .iter()
            .find(|gate| *gate == usual)
            .or(draft.gates.last())
            .or(draft.events.first().map(|event| &event.0))
        {
            Some(top) => top.clone(),
            None => {
                return Err(self.error(
                    name.span,
                    format!("`{}` is empty", name.text),
                    format!("write `{usual} = ...`"),
                ));
            }
        };
        let Draft { builder, events, gates, .. } = draft;
        // A cycle is found now, whatever is asked later.
        let place = self.place(name.span);
        builder.clone().finish(&top).map_err(|error| error.at(place))?;
        let logic = Logic::Gates(builder);
        Ok(Structure { logic, events, gates, top, functions: BTreeMap::new(), inputs: BTreeMap::new() })
    }

    /// A reliability graph; the connection from `a` to `b` is the event `a->b`, or `a--b` for both directions, and those
    /// after the first one between the same nodes are numbered.
    fn network(&mut self, from: &Reference, to: &Reference, edges: &[Item<Edge>]) -> Result<Structure, Error> {
        let ((from, _), (to, _)) = (self.indexed(from)?, self.indexed(to)?);
        let (mut graph, mut events) = (ReliabilityGraph::new(), Vec::<(String, Failing)>::new());
        self.each(edges, &mut |compiler, edge| {
            let ((a, _), (b, _)) = (compiler.indexed(&edge.from)?, compiler.indexed(&edge.to)?);
            let name = format!("{a}{}{b}", if edge.both_ways { "--" } else { "->" });
            let alike = events.iter().filter(|(event, _)| event.split('#').next() == Some(&name)).count();
            let name = if alike == 0 { name } else { format!("{name}#{}", alike + 1) };
            if edge.both_ways {
                graph.edge(name.clone(), &a, &b);
            } else {
                graph.arc(name.clone(), &a, &b);
            }
            events.push((name, compiler.law(&edge.law)?));
            Ok(())
        })?;
        let logic = Logic::Network(graph, from, to);
        let (gates, top) = (Vec::new(), NETWORK.to_owned());
        Ok(Structure { logic, events, gates, top, functions: BTreeMap::new(), inputs: BTreeMap::new() })
    }

    fn declare(&mut self, draft: &mut Draft, item: &StructureItem) -> Result<(), Error> {
        let (StructureItem::Event(reference, _) | StructureItem::Gate(reference, _)) = item;
        let (name, span) = self.indexed(reference)?;
        match draft.names.insert(name.clone(), span) {
            None => Ok(()),
            Some(earlier) => {
                let earlier = self.place(earlier);
                let what = format!("`{name}` is declared twice, first in {}", earlier.in_words());
                let remedy = "an event that is shared by gates is declared once and named in each of them";
                Err(self.error(span, what, remedy).naming(Some(earlier)))
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
            Law::Probability(p) => Failing::Probability(self.share(p, "this probability")?),
            Law::Rates { fails, repaired } => Failing::Rates {
                fails: self.rate(fails, "this failure rate")?,
                repaired: repaired.as_ref().map(|repaired| self.rate(repaired, "this repair rate")).transpose()?,
            },
            Law::Known { unavailability, frequency } => Failing::Known {
                unavailability: self.share(unavailability, "this unavailability")?,
                frequency: self.rate(frequency, "this failure frequency")?,
            },
        })
    }

    fn share(&mut self, share: &Expr, what: &'static str) -> Result<Id, Error> {
        let id = self.of_dimension(share, Dimension::PLAIN, what)?;
        self.sound(id, share, what, Sound::share(what))
    }

    fn rate(&mut self, rate: &Expr, what: &'static str) -> Result<Id, Error> {
        let id = self.of_dimension(rate, Dimension::RATE, what)?;
        self.sound(id, rate, what, Sound::amount(what))
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
            ExprKind::Count(Least::Count(count), members) => self.count_of(draft, count, members),
            ExprKind::Count(least, members) => {
                let inputs = self.inputs_of(draft, &members.iter().collect::<Vec<_>>())?;
                Ok((if let Least::All = least { and } else { or }, inputs))
            }
            ExprKind::Not(inner) if !draft.works => Ok((GateKind::Not, self.inputs_of(draft, &[inner])?)),
            ExprKind::Reference(_) => Ok((or, self.inputs_of(draft, &[logic])?)),
            _ => {
                let remedy = if draft.works {
                    "blocks are joined by `and`, `or`, `at least K of a, b, c`, `series(...)` and `parallel(...)`"
                } else {
                    "events are joined by `and`, `or`, `not`, `at least K of a, b, c`, `all of` and `any of`"
                };
                Err(self.error(logic.span, "this is no logic of events", remedy))
            }
        }
    }

    /// `at least 90 of 30*host[*], 10*gateway`: each counts as often as its weight says, which is 1 without one.
    fn count_of(
        &mut self,
        draft: &mut Draft,
        count: &Expr,
        members: &[Expr],
    ) -> Result<(GateKind, Vec<String>), Error> {
        let mut weighted: Vec<(String, i64)> = Vec::new();
        for member in members {
            let (weight, member) = match &member.kind {
                ExprKind::Binary(Operator::Times, weight, member) => (self.whole(weight)?, &**member),
                _ => (1, member),
            };
            if !(1..=MAX_WEIGHT).contains(&weight) {
                let what = format!("a weight of {weight}");
                return Err(self.error(member.span, what, format!("weights are whole numbers from 1 to {MAX_WEIGHT}")));
            }
            weighted.extend(self.inputs_of(draft, &[member])?.into_iter().map(|name| (name, weight)));
        }
        let (wanted, all) = (self.whole(count)?, weighted.iter().map(|(_, weight)| weight).sum::<i64>());
        if wanted < 1 || wanted > all {
            let what = format!("at least {wanted} of {all}");
            return Err(self.error(count.span, what, format!("the number must be from 1 to {all}")));
        }
        // Agents by thirties are counted by thirties: at least 70 of them are at least three times thirty.
        let unit = weighted.iter().fold(0, |unit, &(_, weight)| common_divisor(unit, weight));
        let (wanted, all) = ((wanted + unit - 1) / unit, all / unit);
        if all > MAX_WEIGHT {
            let what = format!("{all} are counted here");
            return Err(self.error(
                count.span,
                what,
                format!("at most {MAX_WEIGHT} are: give weights in larger units"),
            ));
        }
        let failed = if draft.works { all - wanted + 1 } else { wanted };
        let inputs = weighted.into_iter().flat_map(|(name, weight)| vec![name; (weight / unit) as usize]);
        Ok((GateKind::AtLeast(failed as u32), inputs.collect()))
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
            let indexes: Vec<i64> =
                rest.trim_end_matches(']').split(',').filter_map(|index| index.parse().ok()).collect();
            let is_one = match &wanted[..] {
                [None] => true,
                wanted => {
                    wanted.len() == indexes.len() && wanted.iter().zip(&indexes).all(|(w, i)| w.is_none_or(|w| w == *i))
                }
            };
            if base == reference.name.text && is_one {
                found.push((indexes, name.clone()));
            }
        }
        found.sort();
        if found.is_empty() {
            let what = format!("there is no `{}` with such indexes", reference.name.text);
            return Err(self.error(
                reference.name.span,
                what,
                "declare them first, as in `for i in 1..3 { event pump[i] ... }`",
            ));
        }
        Ok(found.into_iter().map(|(_, name)| name).collect())
    }
}

/// The greatest whole number that divides both (Euclid).
fn common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
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
