//! Of what a measure's model consists, where each thing alone is enough to bring it down.

use std::collections::BTreeSet;

use super::Compiler;
use super::structure::{Failing, Logic};
use crate::Error;
use crate::model::Measure;
use crate::model::node::{Binary, Id};
use crate::model::structure_solve::Asked;
use crate::structure::{FaultTree, GateKind, Input};
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
        let mut open = vec![tree.top()];
        let mut seen = BTreeSet::new();
        while let Some(input) = open.pop() {
            if !seen.insert(input) {
                continue;
            }
            match input {
                Input::Gate(gate) if tree.gates()[gate].kind == GateKind::Or => {
                    open.extend(tree.gates()[gate].inputs.iter().rev());
                }
                Input::Event(event) => self.event_part(ask, model, event, path, parts)?,
                Input::Gate(_) | Input::House(_) => {
                    let name = tree.name(input).to_owned();
                    let id = self.solve_structure(model, &name, Asked::Top, None, ask)?;
                    let is_all = input == tree.top() && !path.is_empty();
                    let label = if is_all { path.to_owned() } else { within(path, &described(&tree, input)) };
                    parts.push((label, id));
                }
            }
        }
        Ok(())
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

const SHARED: &str = "downtime can be shared out where a fault tree joins parts by `or`, or a block diagram by `and`: \
                      ask `downtime of TREE`";

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
