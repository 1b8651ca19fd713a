//! Measures of chains about a time become nodes.

use std::sync::Arc;

use super::chain::Earnings;
use super::{Compiler, Lowered};
use crate::Error;
use crate::chain::States;
use crate::model::chain_solve::Gather;
use crate::model::node::{Binary, Id};
use crate::model::solve::Question;
use crate::model::sound::Sound;
use crate::model::timed_solve::{TimedQuestion, WithinTime};
use crate::text::ast::{Ask, Expr};
use crate::text::exact::Exact;
use crate::text::unit::Dimension;

impl Compiler<'_> {
    /// Measures of a chain as a whole, at a time or over one.
    pub(super) fn of_time(&mut self, model: usize, ask: &Ask, down: States) -> Result<Lowered, Error> {
        let up = down.complement(self.chains[&model].model.states());
        let plain = |id| Lowered { id, dimension: Dimension::PLAIN };
        let phrase = ask.phrase.text.as_str();
        let (at, over) = match phrase {
            "unavailability" => (WithinTime::At(down.clone()), Some(Gather::TimeIn(down))),
            "availability" => (WithinTime::At(up), Some(Gather::TimeOutside(down))),
            "reliability" => (WithinTime::NotReached(down), None),
            "unreliability" => (WithinTime::Reached { target: down, avoid: States::default() }, None),
            "failures" => {
                let [Some(time)] = self.clauses(ask, &["over"])?[..] else { return Err(self.not_for(ask, "a chain")) };
                let what = WithinTime::Collected(Gather::Entries(down));
                return Ok(plain(self.solve_timed(model, time, what, None)?));
            }
            _ => {
                self.clauses(ask, &[])?;
                return Err(self.not_for(ask, "a chain"));
            }
        };
        let allowed: &[&str] = if over.is_some() { &["at", "over"] } else { &["at"] };
        match (&self.clauses(ask, allowed)?[..], over) {
            ([Some(time), None] | [Some(time)], _) => Ok(plain(self.solve_timed(model, time, at, None)?)),
            ([None, Some(time)], Some(gather)) => {
                // The share of the time is the interval availability or unavailability.
                let (span, what) = (time.span, "there is no mean over no time");
                let collected = self.solve_timed(model, time, WithinTime::Collected(gather), None)?;
                let time = self.time(time)?;
                if time == 0.0 {
                    return Err(self.error(span, what, "ask `at` the time, or over a longer one"));
                }
                let time = self.constant(Exact::from(time), Dimension::TIME);
                Ok(plain(self.binary(Binary::Divide, collected, time, Dimension::PLAIN)))
            }
            _ => {
                Err(self.error(ask.phrase.span, "at which time?", "`at 100 h`, or `over 1 year` for the mean over it"))
            }
        }
    }

    /// Measures of states at a time, over one, or within one.
    pub(super) fn of_states_in_time(&mut self, model: usize, ask: &Ask, states: States) -> Result<Lowered, Error> {
        let (allowed, what, dimension): (&[&str], _, _) = match ask.phrase.text.as_str() {
            "time" => (&["over"], WithinTime::Collected(Gather::TimeIn(states)), Dimension::TIME),
            "frequency" => (&["over"], WithinTime::Collected(Gather::Entries(states)), Dimension::PLAIN),
            _ if ask.clauses.iter().any(|(clause, _)| clause.text == "at") => {
                (&["at"], WithinTime::At(states), Dimension::PLAIN)
            }
            _ => {
                let found = self.clauses(ask, &["within", "while", "before"])?;
                let mut avoid = States::default();
                if let Some(stays) = found[1] {
                    let stays = self.set(model, stays)?;
                    let count = self.chains[&model].model.states();
                    avoid = States::new((0..count).map(|s| !stays.contains(s) && !states.contains(s)).collect());
                }
                if let Some(before) = found[2] {
                    avoid = self.set(model, before)?;
                }
                (&["within", "while", "before"], WithinTime::Reached { target: states, avoid }, Dimension::PLAIN)
            }
        };
        let Some(time) = self.clauses(ask, allowed)?[0] else { return Err(self.not_for(ask, "states and a time")) };
        Ok(Lowered { id: self.solve_timed(model, time, what, None)?, dimension })
    }

    /// `probability of downtime in M above 10 min over 1 year`.
    pub(super) fn of_downtime(&mut self, model: usize, ask: &Ask) -> Result<Lowered, Error> {
        let (above, time) = self.downtime_and_time(ask)?;
        let down = self.down(model, &ask.model)?;
        let what = WithinTime::MoreDowntime { down, above, alike: false };
        Ok(Lowered { id: self.timed(model, time, what, None), dimension: Dimension::PLAIN })
    }

    /// How much downtime, and in which time, in hours.
    pub(super) fn downtime_and_time(&mut self, ask: &Ask) -> Result<(f64, f64), Error> {
        let [Some(above), Some(over)] = self.clauses(ask, &["above", "over"])?[..] else {
            let remedy = "`probability of downtime in MODEL above 10 min over 1 year`";
            return Err(self.error(ask.phrase.span, "how much downtime, and in which time?", remedy));
        };
        let (downtime, time) = (self.time(above)?, self.time(over)?);
        if downtime >= time {
            let what = "this downtime is no less than the time that it is a part of";
            return Err(self.error(above.span, what, "ask for less of it, or over a longer time"));
        }
        Ok((downtime, time))
    }

    /// What is earned at a time, or until it.
    pub(super) fn of_reward_in_time(
        &mut self,
        model: usize,
        ask: &Ask,
        gather: Gather,
        dimension: Dimension,
        earnings: Option<&Earnings>,
    ) -> Result<Lowered, Error> {
        let (at, over) = match self.clauses(ask, &["at", "over"])?[..] {
            [Some(at), None] => (Some(at), None),
            [None, Some(over)] => (None, Some(over)),
            _ => return Err(self.error(ask.phrase.span, "one time is wanted", "`at 100 h`, or `over 100 h`")),
        };
        match (at, over, gather) {
            (Some(at), _, Gather::Reward(name)) => {
                let dimension = Dimension(dimension.0 - i32::from(!self.unitless));
                let id = self.solve_timed(model, at, WithinTime::EarningAt(name), earnings)?;
                Ok(Lowered { id, dimension })
            }
            (_, Some(over), gather) => {
                let id = self.solve_timed(model, over, WithinTime::Collected(gather), earnings)?;
                Ok(Lowered { id, dimension })
            }
            _ => Err(self.not_for(ask, "a reward")),
        }
    }

    /// A time that decides about a measure, in hours.
    pub(super) fn time(&mut self, time: &Expr) -> Result<f64, Error> {
        let id = self.of_dimension(time, Dimension::TIME, "the time")?;
        let hours = self.fold(id, time.span)?.rounded();
        Sound::amount("this time").checked(hours).map_err(|error| error.at(self.place(time.span)))
    }

    /// A time that may depend on parameters, and have derivatives by them.
    pub(super) fn moment(&mut self, time: &Expr) -> Result<Id, Error> {
        let id = self.of_dimension(time, Dimension::TIME, "the time")?;
        self.sound(id, time, "time", Sound::amount("this time"))
    }

    fn solve_timed(
        &mut self,
        model: usize,
        time: &Expr,
        what: WithinTime,
        rewards: Option<&Earnings>,
    ) -> Result<Id, Error> {
        let time = self.time(time)?;
        Ok(self.timed(model, time, what, rewards))
    }

    fn timed(&mut self, model: usize, time: f64, what: WithinTime, rewards: Option<&Earnings>) -> Id {
        let question = TimedQuestion { model: self.chains[&model].model.clone(), time, what };
        let inputs = self.chain_inputs(model, rewards);
        self.solved(model, Question::Timed(Arc::new(question)), inputs, Dimension::PLAIN)
    }
}
