//! Trees, block diagrams and networks at a time.

use super::Compiler;
use super::names::Entity;
use super::structure::{Failing, Inputs};
use crate::Error;
use crate::model::node::{Binary, Id, Unary};
use crate::text::ast::{Ask, Body};
use crate::text::source::Name;
use crate::text::unit::Dimension;

impl Compiler<'_> {
    /// What an event is by a time.
    pub(super) fn by(&mut self, time: Id, name: &str, failing: &Failing, ask: &Ask) -> Result<Inputs, Error> {
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
            Failing::As(ref model) => {
                let at = ask.clauses.iter().find(|(clause, _)| clause.text == "at");
                let mut usual = |phrase| self.usual(model, phrase, at.map(|clause| (time, clause)));
                (usual("unavailability")?.id, usual("availability")?.id)
            }
            Failing::Known { .. } => {
                return Err(self.error(
                    ask.phrase.span,
                    format!("`{name}` is known in the long run only"),
                    "at a time ask trees whose events have rates or probabilities, or are models",
                ));
            }
        };
        Ok(Inputs { yes, no, frequency: None })
    }

    /// Whether an event can end again after it has occurred.
    pub(super) fn is_repaired(&mut self, model: usize, top: &str, ask: &Ask) -> Result<bool, Error> {
        let function = self.function(model, top, ask)?;
        for event in self.events_of(model, &function) {
            let failing = self.structures[&model].events[event].1.clone();
            let is_repaired = match &failing {
                Failing::Probability(_) | Failing::Rates { repaired: None, .. } => false,
                Failing::Rates { .. } | Failing::Known { .. } => true,
                Failing::As(below) => self.recovers(below, ask)?,
            };
            if is_repaired {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a model can be up again after it was down.
    fn recovers(&mut self, name: &Name, ask: &Ask) -> Result<bool, Error> {
        let model = self.model(name)?;
        if let Body::Chain(_) | Body::Rules(_) = self.document.models[model].body {
            self.chain(model)?;
            let down = self.down(model, name)?;
            return Ok(self.chains[&model].model.arcs().any(|(from, to)| down.contains(from) && !down.contains(to)));
        }
        self.structure(model)?;
        let (top, inner) = (self.structures[&model].top.clone(), Ask { model: name.clone(), ..ask.clone() });
        self.enter(Entity::Model(model), format!("`{}`", name.text), name.span)?;
        let found = self.is_repaired(model, &top, &inner);
        self.open.pop();
        let place = self.place(name.span);
        // A negation within would let it end although nothing is repaired.
        self.function(model, &top, &inner)?.check_coherent("unreliability").map_err(|error| error.at(place))?;
        found
    }
}
