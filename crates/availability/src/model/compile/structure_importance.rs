//! Which event of a tree, block diagram or network matters most.

use std::sync::Arc;

use super::Compiler;
use crate::Error;
use crate::model::node::{Binary, Id, Node};
use crate::model::solve::Question;
use crate::model::structure_solve::{Asked, StructureQuestion};
use crate::text::ast::Ask;
use crate::text::exact::Exact;
use crate::text::unit::Dimension;

impl Compiler<'_> {
    /// Importance measures (Rausand and Høyland 2004, chapter 5).
    pub(super) fn importance(
        &mut self,
        model: usize,
        ask: &Ask,
        top: &str,
        event: usize,
        time: Option<Id>,
    ) -> Result<Id, Error> {
        let (one, zero) = (self.constant(Exact::ONE, Dimension::PLAIN), self.constant(Exact::ZERO, Dimension::PLAIN));
        let phrase = ask.phrase.text.as_str();
        let birnbaum = |compiler: &mut Self| compiler.solve_structure(model, top, Asked::Birnbaum(event), time, ask);
        if phrase == "birnbaum importance" {
            return birnbaum(self);
        }
        if phrase == "structural importance" {
            return self.structural(model, top, event, ask);
        }
        let whole = self.solve_structure(model, top, Asked::Top, time, ask)?;
        let own = self.event_inputs(model, event, time, ask)?.yes;
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
            "fussell vesely importance" => (self.by_cut_sets(model, top, event, time, ask)?, whole),
            "risk achievement worth" => (self.with_event(model, top, event, (one, zero), time, ask)?, whole),
            "risk reduction worth" => (whole, self.with_event(model, top, event, (zero, one), time, ask)?),
            _ => return Err(self.not_for(ask, "an event")),
        };
        Ok(self.binary(Binary::Divide, above, below, Dimension::PLAIN))
    }

    /// Birnbaum's importance if each event has the probability 1/2.
    fn structural(&mut self, model: usize, top: &str, event: usize, ask: &Ask) -> Result<Id, Error> {
        let function = self.function(model, top, ask)?;
        let Some(place) = self.events_of(model, &function).iter().position(|&own| own == event) else {
            return Ok(self.constant(Exact::ZERO, Dimension::PLAIN));
        };
        let half = self.constant(Exact::from(0.5), Dimension::PLAIN);
        let inputs = vec![half; 2 * function.events().len()];
        let question = StructureQuestion { function, what: Asked::Birnbaum(place) };
        Ok(self.solved(model, Question::Structure(Arc::new(question)), inputs, Dimension::PLAIN))
    }

    /// The probability that all of a minimal cut set with this event have occurred.
    fn by_cut_sets(&mut self, model: usize, top: &str, event: usize, time: Option<Id>, ask: &Ask) -> Result<Id, Error> {
        let function = self.function(model, top, ask)?;
        let order = self.events_of(model, &function);
        let Some(place) = order.iter().position(|&own| own == event) else {
            return Ok(self.constant(Exact::ZERO, Dimension::PLAIN));
        };
        let inputs = self.function_inputs(model, &order, time, ask, false)?;
        let with = function.cut_sets_with(place, &self.resources.structures);
        let function = Arc::new(with.map_err(|error| self.of_whole(ask, error))?);
        let question = Question::Structure(Arc::new(StructureQuestion { function, what: Asked::Top }));
        Ok(self.solved(model, question, inputs, Dimension::PLAIN))
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
}
