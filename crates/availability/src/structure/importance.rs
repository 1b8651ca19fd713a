//! Which basic event matters most, in the measures of the trade.

use super::{Probability, StructureFunction};
use crate::Error;

/// The importance of one basic event (Rausand and Høyland, System Reliability Theory, 2nd edition, chapter 5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    /// Birnbaum's: `P(top | event) - P(top | not event)`, the derivative of the probability of the top event; the
    /// probability that the event decides. For copies, the derivative by the probability of all copies together.
    pub birnbaum: f64,
    /// Criticality: `birnbaum P(event) / P(top)`, the probability that the event has occurred and decides, given that the
    /// top event has occurred; also the elasticity of the probability of the top event.
    pub criticality: f64,
    /// Diagnosis: `P(event | top)`, the probability that the event has occurred, given that the top event has.
    pub diagnosis: f64,
    /// Risk achievement worth: `P(top | event) / P(top)`, the factor by which all gets worse if this never works.
    pub risk_achievement_worth: f64,
    /// Risk reduction worth: `P(top) / P(top | not event)`, the factor by which all gets better if this never fails;
    /// infinite if the top event then cannot occur.
    pub risk_reduction_worth: f64,
    /// Structural: Birnbaum's where every event has the probability 1/2, the share of the states of the others in which
    /// the event decides (in a tree with negations, less the share in which it decides the other way round).
    pub structural: f64,
}

impl StructureFunction {
    /// The importance of each basic event.
    ///
    /// # Errors
    /// As [`Self::sensitivity`]; if the top event cannot occur, since then nothing has a share in it; and if there are
    /// copies ([`super::GateKind::Copies`]), of which one alone has no importance of its own here: write them out
    /// ([`super::FaultTree::expanded`]), or use [`Self::sensitivity`].
    pub fn importance(&self, events: &[Probability]) -> Result<Vec<Importance>, Error> {
        self.single("importances")?;
        let sensitivity = self.sensitivity(events)?;
        let top = sensitivity.top.yes;
        if top == 0.0 {
            let what = "the probability of the top event is 0, so that no event has a share in it";
            return Err(Error::new(what, "give the events that cause it probabilities above 0"));
        }
        let structural = self.sensitivity(&vec![Probability { yes: 0.5, no: 0.5 }; events.len()])?;
        (0..events.len())
            .map(|event| {
                let birnbaum = sensitivity.birnbaum(event);
                let with = self.given(events, event, Probability::CERTAIN, top + events[event].no * birnbaum, top)?;
                let without =
                    self.given(events, event, Probability::IMPOSSIBLE, top - events[event].yes * birnbaum, top)?;
                Ok(Importance {
                    birnbaum,
                    criticality: birnbaum * events[event].yes / top,
                    diagnosis: events[event].yes * with / top,
                    risk_achievement_worth: with / top,
                    risk_reduction_worth: top / without,
                    structural: structural.birnbaum(event),
                })
            })
            .collect()
    }

    /// The probability of the top event, given an event: `near`, which is a sum with the derivative, unless that has lost
    /// digits; then the diagram is evaluated once more.
    fn given(
        &self,
        events: &[Probability],
        event: usize,
        value: Probability,
        near: f64,
        top: f64,
    ) -> Result<f64, Error> {
        if near >= top / 2.0 {
            return Ok(near);
        }
        let mut given = events.to_vec();
        given[event] = value;
        Ok(self.probability(&given)?.yes)
    }
}
