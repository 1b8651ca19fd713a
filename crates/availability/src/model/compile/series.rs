//! Of what a measure's model consists, where each thing alone is enough to bring it down.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Compiler;
use super::structure::{Failing, Logic};
use crate::Error;
use crate::model::Measure;
use crate::model::node::{Binary, Id};
use crate::model::solve::Question;
use crate::model::structure_solve::{Asked, StructureQuestion};
use crate::structure::{FaultTree, Gate, GateKind, Input, Limits, Probability, StructureFunction};
use crate::text::ast::{Ask, Body, ExprKind};
use crate::text::exact::Exact;
use crate::text::source::did_you_mean;
use crate::text::unit::{self, Dimension};

/// A thing that is enough: its name, its unavailability.
type Part = (String, Id);

impl Compiler<'_> {
    /// Measures of the parts of one of the measures, in minutes a year.
    ///
    /// # Errors
    /// If there is no such measure, or it is none of a fault tree or block diagram that is down if one of several is.
    pub(super) fn parts(&mut self, measure: &str) -> Result<Vec<Measure>, Error> {
        let document = self.document;
        let Some(asked) = document.measures.iter().find(|asked| asked.name == measure) else {
            let known = document.measures.iter().map(|asked| asked.name.as_str());
            let what = format!("the model has no measure \"{measure}\"{}", did_you_mean(measure, known.clone()));
            return Err(Error::new(what, format!("it has {}", known.collect::<Vec<_>>().join(", "))));
        };
        let whole = match &asked.value.kind {
            ExprKind::Ask(ask) if ask.target.is_none() && ask.clauses.is_empty() => ask,
            _ => return Err(self.error(asked.span, "this measure is not of a model as a whole", SHARED)),
        };
        let model = self.model(&whole.model)?;
        let mut parts = Vec::new();
        if let Body::Structure { .. } = document.models[model].body {
            self.parts_of(whole, "", &mut parts)?;
        }
        if parts.len() < 2 {
            let what = format!("`{}` does not consist of parts of which each brings it down", whole.model.text);
            return Err(self.error(whole.model.span, what, SHARED));
        }
        let year = unit::unit("year").map_or(Exact::ONE, |year| year.size) * Exact::from(60.0);
        let minutes = self.constant(Exact::ONE / year, Dimension::PLAIN);
        let place = self.place(asked.span);
        let measure = |(name, id): Part| {
            let node = self.binary(Binary::Divide, id, minutes, Dimension::PLAIN);
            Measure { name, unit: "min/year".to_owned(), node, place: place.clone(), downtime_of: None }
        };
        Ok(parts.into_iter().map(measure).collect())
    }

    /// Walks down from the top through gates of which one failed input is enough.
    fn parts_of(&mut self, ask: &Ask, path: &str, parts: &mut Vec<Part>) -> Result<(), Error> {
        let model = self.model(&ask.model)?;
        self.structure(model)?;
        let structure = &self.structures[&model];
        let Logic::Gates(builder) = &structure.logic else {
            let id = self.usual(&ask.model, "unavailability", None)?.id;
            parts.push((named(path, &ask.model.text), id));
            return Ok(());
        };
        let place = self.place(ask.model.span);
        let tree = builder.clone().finish(&structure.top).map_err(|error| error.at(place))?;
        for enough in all_enough(&tree) {
            match enough.inputs[..] {
                [Input::Event(event)] => self.event_part(ask, model, event, path, parts)?,
                [input] if enough.given.is_empty() => {
                    let id = self.solve_structure(model, tree.name(input), Asked::Top, None, ask)?;
                    let is_all = input == tree.top() && !path.is_empty();
                    let label = if is_all { path.to_owned() } else { within(path, &described(&tree, input)) };
                    parts.push((label, id));
                }
                _ => {
                    let id = self.together(ask, model, &tree, &enough)?;
                    parts.extend(id.map(|id| (within(path, &enough.described(&tree)), id)));
                }
            }
        }
        Ok(())
    }

    /// The probability that one of several gates occurs while other events do not; nothing if it never does.
    fn together(&mut self, ask: &Ask, model: usize, tree: &FaultTree, enough: &Enough) -> Result<Option<Id>, Error> {
        let place = self.place(ask.model.span);
        let Logic::Gates(builder) = &self.structures[&model].logic else { return Ok(None) };
        let mut builder = builder.clone();
        let given = enough.given.iter().map(|&event| tree.events()[event].clone()).collect();
        // No name of a text has a blank in it.
        let name = "one of them";
        builder.never(&given).gate(name, GateKind::Or, enough.inputs.iter().map(|&input| tree.name(input)));
        let tree = builder.finish(name);
        let function = tree.and_then(|tree| StructureFunction::of_tree(&tree.needed(), &Limits::default()));
        let function = function.map_err(|error| error.at(place))?;
        let halves = vec![Probability::of(0.5_f64); function.events().len()];
        if function.probability(&halves)?.yes == 0.0 {
            return Ok(None);
        }
        let order = self.events_of(model, &function);
        let inputs = self.function_inputs(model, &order, None, ask, false)?;
        let question = StructureQuestion { function: Arc::new(function), what: Asked::Top };
        Ok(Some(self.solved(model, Question::Structure(Arc::new(question)), inputs, Dimension::PLAIN)))
    }

    /// An event: the parts of its model, if that is a tree in its turn.
    fn event_part(
        &mut self,
        ask: &Ask,
        model: usize,
        event: usize,
        path: &str,
        parts: &mut Vec<Part>,
    ) -> Result<(), Error> {
        let (name, failing) = self.structures[&model].events[event].clone();
        let path = within(path, &name);
        if let Failing::As(below) = &failing {
            let index = self.model(below)?;
            if let Body::Structure { .. } = self.document.models[index].body {
                let ask = Ask { model: below.clone(), ..ask.clone() };
                return self.parts_of(&ask, &path, parts);
            }
        }
        let id = self.event_inputs(model, event, None, ask)?.yes;
        parts.push((path, id));
        Ok(())
    }
}

const SHARED: &str = "downtime can be shared out where a fault tree joins parts by `or`, or a block diagram by `and`, that do \
                      not all have events in common: ask `downtime of TREE`";

/// What is enough to bring a tree down: an event, a gate, or several gates that have events in common.
struct Enough {
    inputs: Vec<Input>,
    /// Events below the gates that are enough by themselves. They are parts of their own, so that this one is about the time in
    /// which they have not occurred: with U of it in that time, 1 - U of the whole is a product as before.
    given: BTreeSet<usize>,
    /// The other events below.
    events: BTreeSet<usize>,
}

impl Enough {
    fn described(&self, tree: &FaultTree) -> String {
        let inputs: Vec<String> = self.inputs.iter().map(|&input| described(tree, input)).collect();
        let given: Vec<&str> = self.given.iter().map(|&event| tree.events()[event].as_str()).collect();
        let inputs = inputs.join(" or ");
        match given[..] {
            [] => inputs,
            [one] => format!("{inputs} while {one} is up"),
            _ => format!("{inputs} while {} are up", given.join(", ")),
        }
    }
}

/// All that is enough, from the top downwards; no two of them have events in common.
fn all_enough(tree: &FaultTree) -> Vec<Enough> {
    let inputs = below_or(tree);
    let single: BTreeSet<usize> = inputs.iter().filter_map(|input| event_of(*input)).collect();
    let mut all: Vec<Enough> = Vec::new();
    for input in inputs {
        let mut events = events_below(tree, input);
        let mut given = BTreeSet::new();
        if event_of(input).is_none() {
            given = &events & &single;
            events = &events - &given;
        }
        let (mut inputs, mut place) = (Vec::new(), all.len());
        while let Some(at) = all.iter().position(|one| !one.events.is_disjoint(&events)) {
            let one = all.remove(at);
            place = place.min(at);
            inputs.extend(one.inputs);
            given.extend(one.given);
            events.extend(one.events);
        }
        inputs.push(input);
        all.insert(place, Enough { inputs, given, events });
    }
    all
}

fn event_of(input: Input) -> Option<usize> {
    if let Input::Event(event) = input { Some(event) } else { None }
}

/// What stands below the top and the gates of which one failed input is enough, each once, in the order of the text.
fn below_or(tree: &FaultTree) -> Vec<Input> {
    let (mut open, mut seen, mut found) = (vec![tree.top()], BTreeSet::new(), Vec::new());
    while let Some(input) = open.pop() {
        if !seen.insert(input) {
            continue;
        }
        match input {
            Input::Gate(gate) if is_or(&tree.gates()[gate]) => open.extend(tree.gates()[gate].inputs.iter().rev()),
            input => found.push(input),
        }
    }
    found
}

/// Whether one failed input is enough.
fn is_or(gate: &Gate) -> bool {
    match gate.kind {
        GateKind::Or => true,
        GateKind::AtLeast(count) => count == 1,
        GateKind::And => gate.inputs.len() == 1,
        GateKind::Not | GateKind::Xor | GateKind::Copies { .. } => false,
    }
}

/// The events that an input depends on.
fn events_below(tree: &FaultTree, input: Input) -> BTreeSet<usize> {
    let (mut open, mut seen) = (vec![input], BTreeSet::new());
    while let Some(input) = open.pop() {
        if let (true, Input::Gate(gate)) = (seen.insert(input), input) {
            open.extend(&tree.gates()[gate].inputs);
        }
    }
    seen.into_iter().filter_map(event_of).collect()
}

fn within(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

fn named(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { path.to_owned() }
}

/// The name of a gate; of one that has none in the text, what stands below it.
fn described(tree: &FaultTree, input: Input) -> String {
    let name = tree.name(input);
    match input {
        Input::Gate(gate) if name.contains(' ') => {
            let gate = &tree.gates()[gate];
            let inputs: Vec<&str> = gate.inputs.iter().map(|&input| tree.name(input)).collect();
            match gate.kind {
                GateKind::AtLeast(k) => format!("{k} of {}", inputs.join(", ")),
                GateKind::Not => format!("not {}", inputs.join(", ")),
                _ => inputs.join(" and "),
            }
        }
        _ => name.to_owned(),
    }
}
