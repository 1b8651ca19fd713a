//! What a report asks of a model.

use std::collections::BTreeMap;

use super::diagram;
use super::improve;
use super::members::{self, Component, Made, Member};
use super::spread::{Samples, Spread};
use super::{Report, Service};
use crate::model::{Model, Plan, Resources};
use crate::{Certain, Error};

/// The label of states of planned work.
pub(super) const PLANNED: &str = "planned";
/// What begins the names of the measures that the report adds to the text.
const ADDED: &str = "report__";

/// A model with all measures that a report needs.
#[derive(Clone, Debug)]
pub struct Question {
    file: String,
    model: Model,
    /// Name of the measure and of the model, and what the model is made of.
    services: Vec<(String, String, Made)>,
    /// By component: its name and what is asked of it.
    components: Vec<Asked>,
    /// The events on the ways to the components: tree and event.
    steps: Vec<(String, String)>,
}

/// A component, and the measures that are asked of it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) name: String,
    /// The measure of its downtime in minutes a year.
    pub(super) downtime: String,
    /// The measure of the minutes a year in planned work, if it has such states.
    pub(super) planned: Option<String>,
    /// Whether it is a chain, which can be drawn.
    pub(super) is_chain: bool,
    /// Whether it is designed and not built yet.
    pub(super) designed: bool,
}

impl Question {
    /// Reads a model and finds what a report can say about it. `given` are values in the place of parameters, as
    /// [`Model::read_with`] takes them.
    ///
    /// # Errors
    /// Those of [`Model::read_with`], and if the text asks for no `downtime of MODEL`, or a service has more components than a
    /// report can show.
    pub fn new(file: &str, text: &str, given: &[(String, String)], resources: Resources<'_>) -> Result<Self, Error> {
        let model = Model::read_with(file, text, given, resources)?;
        let (mut services, mut components, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for measure in model.measures() {
            let Some(of) = measure.downtime_of() else { continue };
            let made = members::made(&model, of, &mut components, &mut steps)?;
            services.push((measure.name().to_owned(), of.to_owned(), made));
        }
        if services.is_empty() {
            let remedy =
                "add a line like `measure NAME = downtime of MODEL` for each service; the first one is the main one";
            return Err(Error::new(format!("{file} asks for no downtime, so there is no service to report"), remedy));
        }
        let mut whole = text.to_owned();
        let mut add = |name: String, what: String| whole.push_str(&format!("\nmeasure {ADDED}{name} = {what}"));
        for (index, (_, of, _)) in services.iter().enumerate() {
            add(format!("service{index}"), format!("downtime of {of}"));
            add(format!("failures{index}"), format!("counted failures of {of}"));
        }
        for (index, Asked { downtime, planned, .. }) in components.iter().enumerate() {
            add(format!("down{index}"), downtime.clone());
            if let Some(planned) = planned {
                add(format!("planned{index}"), planned.clone());
            }
        }
        for (index, (tree, event)) in steps.iter().enumerate() {
            add(format!("step{index}"), format!("criticality of {event} in {tree}"));
        }
        whole.push('\n');
        let model = Model::read_with(file, &whole, given, resources)?;
        Ok(Self { file: file.to_owned(), model, services, components, steps })
    }

    /// The index of a measure that was added.
    fn index(&self, name: &str, number: usize) -> Option<usize> {
        let name = format!("{ADDED}{name}{number}");
        self.model.measures().iter().position(|measure| measure.name() == name)
    }

    /// The indices of one added measure for each of so many things.
    fn indices(&self, name: &str, count: usize) -> Vec<usize> {
        (0..count).filter_map(|number| self.index(name, number)).collect()
    }

    /// The downtimes of all services, in minutes a year: what [`Plan::sample`] has to sample for [`Self::report`].
    #[must_use]
    pub fn plan(&self) -> Plan<'_> {
        self.model.plan(&self.indices("service", self.services.len()))
    }

    /// Whether a parameter has a distribution, so that there is something to sample.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.model.parameters().iter().any(|parameter| parameter.distribution().is_some())
    }

    /// The report; `samples` come from [`Self::plan`].
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn report(&self, samples: Option<&Samples>) -> Result<Report, Error> {
        let plan = self.plan();
        let downtimes = plan.solve()?;
        let failures = self.solved("failures", self.services.len())?;
        let components = self.solved_components()?;
        let criticality: Vec<f64> =
            self.solved("step", self.steps.len())?.into_iter().map(|certain| certain.value).collect();
        let mut services = Vec::new();
        for (index, (name, model, made)) in self.services.iter().enumerate() {
            let members = members::members(&made.leaves, &criticality);
            let downtime = downtimes[index];
            let spread = samples.map(|samples| Spread::new(samples, index, plan.delta(index)?)).transpose()?;
            services.push(Service {
                name: name.clone(),
                model: model.clone(),
                downtime,
                failures: failures[index],
                uncounted: made.uncounted.clone(),
                designed: made.designed.clone(),
                planned: members::planned(&members, &components, downtime.value),
                members,
                spread,
            });
        }
        let main = self.model.plan(&self.indices("service", 1));
        let users = self.users(&services[0].members);
        let sources = improve::sources(self.model.parameters(), &main, &users)?;
        let chains = self.components.iter().filter(|asked| asked.is_chain).map(|asked| asked.name.as_str());
        Ok(Report {
            model: self.file.clone(),
            improvements: improve::improvements(self.model.parameters(), &main, &sources)?,
            swings: improve::swings(self.model.parameters(), &main, &sources)?,
            diagrams: chains
                .map(|name| diagram::diagram(&self.model, name))
                .filter_map(Result::transpose)
                .collect::<Result<_, _>>()?,
            services,
            components,
            sources,
            sampled: samples.map(|samples| (samples.seed, samples.values.len() as u64)),
            kept: Vec::new(),
            absent: BTreeMap::new(),
        })
    }

    /// By parameter the components that need it: those of the main service first, as they stand in it.
    fn users(&self, main: &[Member]) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = Vec::new();
        for component in main.iter().map(|member| member.component).chain(0..self.components.len()) {
            if !order.contains(&component) {
                order.push(component);
            }
        }
        let plan = |component: &usize| self.model.plan(self.index("down", *component).as_slice());
        let plans: Vec<Plan<'_>> = order.iter().map(plan).collect();
        let users = |parameter: usize| {
            order.iter().zip(&plans).filter(move |(_, plan)| plan.needs(parameter)).map(|(&component, _)| component)
        };
        (0..self.model.parameters().len()).map(|parameter| users(parameter).collect()).collect()
    }

    fn solved(&self, name: &str, count: usize) -> Result<Vec<Certain>, Error> {
        self.model.plan(&self.indices(name, count)).solve()
    }

    fn solved_components(&self) -> Result<Vec<Component>, Error> {
        let downtimes = self.solved("down", self.components.len())?;
        let of_planned: Vec<usize> =
            (0..self.components.len()).filter(|&c| self.components[c].planned.is_some()).collect();
        let planned = self.solved("planned", self.components.len())?;
        let component = |(index, downtime): (usize, Certain)| {
            let place = of_planned.iter().position(|&component| component == index);
            Component {
                name: self.components[index].name.clone(),
                designed: self.components[index].designed,
                downtime,
                planned: place.map(|place| planned[place].value),
            }
        };
        Ok(downtimes.into_iter().enumerate().map(component).collect())
    }
}
