//! What a tree, block diagram or network of which something is repaired is asked about its first failure or about a time: that
//! of the chain in which all its events go through their states side by side.

use std::sync::Arc;

use super::names::Entity;
use super::structure::Failing;
use super::{Compiler, Lowered};
use crate::Error;
use crate::chain::States;
use crate::model::chain_solve::{ChainModel, ChainQuestion, ChainShape, Gather};
use crate::model::node::Id;
use crate::model::solve::Question;
use crate::model::timed_solve::{TimedQuestion, WithinTime};
use crate::structure::{Probability, StructureFunction};
use crate::text::ast::{Ask, Body, Expr};
use crate::text::source::Name;
use crate::text::unit::Dimension;

/// The most states that are written out for what is asked about a time.
const MOST_STATES: f64 = 4_096.0;
/// The most for a mean time, for which the states are eliminated one by one.
const MOST_ELIMINATED: f64 = 1_024.0;

/// Something that goes through states of its own, whatever else there is.
struct Process {
    states: Vec<String>,
    /// From where to where, and the rate.
    arcs: Vec<(usize, usize, Id)>,
    down: Vec<bool>,
    start: usize,
}

impl Compiler<'_> {
    /// `probability of downtime in M above 10 min over 1 year`.
    pub(super) fn downtime_of_structure(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Lowered, Error> {
        let (above, time) = self.downtime_and_time(ask)?;
        let (chain, inputs, down) = self.process(model, top, ask, MOST_STATES)?.chain();
        let what = WithinTime::MoreDowntime { down, above, alike: true };
        let question = Question::Timed(Arc::new(TimedQuestion { model: chain, time, what }));
        Ok(Lowered { id: self.solved(model, question, inputs, Dimension::PLAIN), dimension: Dimension::PLAIN })
    }

    /// What is asked of the down states of a structure about a time.
    pub(super) fn process_in_time(
        &mut self,
        model: usize,
        top: &str,
        ask: &Ask,
        time: &Expr,
        what: impl FnOnce(States) -> WithinTime,
    ) -> Result<Id, Error> {
        let time = self.time(time)?;
        let (chain, inputs, down) = self.process(model, top, ask, MOST_STATES)?.chain();
        let question = Question::Timed(Arc::new(TimedQuestion { model: chain, time, what: what(down) }));
        Ok(self.solved(model, question, inputs, Dimension::PLAIN))
    }

    /// The mean time to the first failure of a structure of which something is repaired.
    pub(super) fn mean_time_of_process(&mut self, model: usize, top: &str, ask: &Ask) -> Result<Id, Error> {
        let (chain, inputs, down) = self.process(model, top, ask, MOST_ELIMINATED)?.chain();
        let question = ChainQuestion { model: chain, gain: Gather::Time, per: Gather::Arrivals, until: Some(down) };
        Ok(self.solved(model, Question::Chain(Arc::new(question)), inputs, Dimension::TIME))
    }

    /// All events that a gate needs, side by side.
    fn process(&mut self, model: usize, top: &str, ask: &Ask, most: f64) -> Result<Process, Error> {
        self.enter(Entity::Model(model), format!("`{}`", ask.model.text), ask.model.span)?;
        let made = self.side_by_side(model, top, ask, most);
        self.open.pop();
        made
    }

    fn side_by_side(&mut self, model: usize, top: &str, ask: &Ask, most: f64) -> Result<Process, Error> {
        let function = self.function(model, top, ask)?;
        let mut parts = Vec::new();
        for event in self.events_of(model, &function) {
            let (name, failing) = self.structures[&model].events[event].clone();
            let part = self.part_of_process(&name, &failing, ask, most)?;
            parts.push((name, part));
        }
        let count: f64 = parts.iter().map(|(_, part)| part.states.len() as f64).product();
        if count > most {
            let count = if count < 1e15 { count.to_string() } else { format!("{count:.1e}") };
            let what = format!(
                "the {} events of `{}` have {count} states together, and at most {most} are written out",
                parts.len(),
                ask.model.text
            );
            let remedy = "write it as `rules` in which what is alike is counted in one variable, and ask those";
            return Err(self.error(ask.phrase.span, what, remedy));
        }
        Ok(together(&parts, &function))
    }

    fn part_of_process(&mut self, name: &str, failing: &Failing, ask: &Ask, most: f64) -> Result<Process, Error> {
        match failing {
            Failing::As(model) => self.process_of(model, ask, most),
            Failing::Rates { fails, repaired } => {
                let mut arcs = vec![(0, 1, *fails)];
                arcs.extend(repaired.map(|repaired| (1, 0, repaired)));
                let states = ["works", "failed"].map(str::to_owned).to_vec();
                Ok(Process { states, arcs, down: vec![false, true], start: 0 })
            }
            Failing::Probability(_) | Failing::Known { .. } => {
                let what = format!("of `{name}` it is not known how long it works and how long it is down");
                let remedy = "for this every event is a chain, or has `fails at RATE, repaired at RATE`";
                Err(self.error(ask.phrase.span, what, remedy))
            }
        }
    }

    /// A model that an event is.
    fn process_of(&mut self, name: &Name, ask: &Ask, most: f64) -> Result<Process, Error> {
        let model = self.model(name)?;
        if let Body::Structure { .. } | Body::Graph { .. } = self.document.models[model].body {
            self.structure(model)?;
            let top = self.structures[&model].top.clone();
            return self.process(model, &top, &Ask { model: name.clone(), ..ask.clone() }, most);
        }
        self.chain(model)?;
        let down = self.down(model, name)?;
        let chain = &self.chains[&model];
        let ChainModel::Drawn(shape) = &chain.model else {
            let what = format!("`{}` is rules, whose states cannot be put beside those of others", name.text);
            return Err(self.error(ask.phrase.span, what, "draw it as a chain, or write all of it as `rules`"));
        };
        let arcs = shape.arcs.iter().zip(&chain.inputs).map(|(&(from, to), &rate)| (from, to, rate)).collect();
        let down = (0..shape.states.len()).map(|state| down.contains(state)).collect();
        Ok(Process { states: shape.states.clone(), arcs, down, start: shape.start })
    }
}

impl Process {
    /// It as a chain, with what goes into that, and its down states.
    fn chain(self) -> (ChainModel, Vec<Id>, States) {
        let Self { states, arcs, down, start } = self;
        let inputs = arcs.iter().map(|&(.., rate)| rate).collect();
        let arcs = arcs.into_iter().map(|(from, to, _)| (from, to)).collect();
        let shape = ChainShape { states, arcs, start, file: String::new(), spots: Vec::new() };
        (ChainModel::Drawn(Arc::new(shape)), inputs, States::new(down))
    }
}

/// The process of all parts, which do not depend on each other: in each of its states each part can move. It is down where the
/// function of the parts that are down says so.
fn together(parts: &[(String, Process)], function: &StructureFunction) -> Process {
    let mut strides = Vec::with_capacity(parts.len());
    let (mut count, mut start) = (1, 0);
    for (_, part) in parts {
        strides.push(count);
        start += part.start * count;
        count *= part.states.len();
    }
    let mut all = Process { states: Vec::new(), arcs: Vec::new(), down: Vec::new(), start };
    for state in 0..count {
        let (mut names, mut failed) = (Vec::new(), Vec::new());
        for ((name, part), &stride) in parts.iter().zip(&strides) {
            let own = state / stride % part.states.len();
            names.push(format!("{name}={}", part.states[own]));
            failed.push(if part.down[own] { Probability::<f64>::CERTAIN } else { Probability::IMPOSSIBLE });
            let leaving = part.arcs.iter().filter(|(from, ..)| *from == own);
            all.arcs.extend(leaving.map(|&(from, to, rate)| (state, state - from * stride + to * stride, rate)));
        }
        all.states.push(names.join(", "));
        all.down.push(function.unchecked(&failed).yes > 0.5);
    }
    all
}
