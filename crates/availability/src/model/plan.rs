//! Values, derivatives and samples of some measures of a model.

use std::ops::Range;

use crate::model::cause::cause;
use crate::model::large;
use crate::model::node::{self, Id, Node, Values};
use crate::model::{Measure, Model, Parameter};
use crate::text::exact::Exact;
use crate::text::unit::Dimension;
use crate::{Certain, Chance, Error, Scalar};

/// Draws of a parameter that may fall outside of what it can be, before its distribution is refused.
const MAX_DRAWS: u32 = 1_000;

/// Some measures of a model, with what they need and nothing else. All lists are in the order of [`Self::measures`] and of
/// [`Model::parameters`].
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    pub(super) model: &'a Model,
    measures: Vec<usize>,
    pub(super) nodes: Vec<Node>,
    /// The node of each measure.
    pub(super) roots: Vec<Id>,
    /// The node of each parameter that is needed.
    parameters: Vec<Option<Id>>,
}

impl Model {
    /// The work for some of the measures, given by their indices.
    #[must_use]
    pub fn plan(&self, measures: &[usize]) -> Plan<'_> {
        let measures: Vec<usize> = measures.iter().copied().filter(|&index| index < self.measures.len()).collect();
        let roots: Vec<Id> = measures.iter().map(|&index| self.measures[index].node).collect();
        let (nodes, roots) = self.needed(&roots);
        let mut parameters = vec![None; self.parameters.len()];
        for (id, node) in nodes.iter().enumerate() {
            if let Node::Parameter(index) = node {
                parameters[*index] = Some(id);
            }
        }
        Plan { model: self, measures, nodes, roots, parameters }
    }

    /// The nodes that these need and no others, and where these are among them.
    fn needed(&self, roots: &[Id]) -> (Vec<Node>, Vec<Id>) {
        let needed = node::needed(&self.nodes, roots);
        let (mut nodes, mut place) = (Vec::new(), vec![0; self.nodes.len()]);
        for id in (0..self.nodes.len()).filter(|&id| needed[id]) {
            place[id] = nodes.len();
            nodes.push(self.nodes[id].moved(&place));
        }
        (nodes, roots.iter().map(|&root| place[root]).collect())
    }

    /// The values of nodes.
    ///
    /// # Errors
    /// Those of the models that these need.
    pub(super) fn numbers(&self, ids: &[Id]) -> Result<Vec<f64>, Error> {
        let (nodes, roots) = self.needed(ids);
        let all = node::certain(&nodes, &self.exact())?;
        Ok(roots.into_iter().map(|root| all[root].value).collect())
    }

    /// The values of the parameters, with bounds of their absolute errors.
    fn exact(&self) -> Vec<(Exact, f64)> {
        self.parameters.iter().map(|parameter| (parameter.value, parameter.wrong)).collect()
    }

    /// The values of all measures, each with a bound of its error.
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn solve(&self) -> Result<Vec<Certain>, Error> {
        self.plan(&(0..self.measures.len()).collect::<Vec<_>>()).solve()
    }
}

impl Plan<'_> {
    /// The model that the measures are of.
    #[must_use]
    pub const fn model(&self) -> &Model {
        self.model
    }

    /// The indices of the measures, among [`Model::measures`].
    #[must_use]
    pub fn measures(&self) -> &[usize] {
        &self.measures
    }

    /// The values of the measures in their units, each with a bound of its error: what the arithmetic can be wrong by, the
    /// parameters being exactly the decimals or fractions that the text gives.
    ///
    /// # Errors
    /// Those of the models that are solved, and if a measure is no finite number.
    pub fn solve(&self) -> Result<Vec<Certain>, Error> {
        let all = node::certain_or_node(&self.nodes, &self.model.exact());
        let all = all.map_err(|(node, error)| self.asked(node, error))?;
        self.roots.iter().zip(&self.measures).map(|(&root, &measure)| self.finite(measure, root, &all)).collect()
    }

    /// The error of a node, which says what asks for it if it is of a chain: not all that is asked of one needs the same.
    fn asked(&self, id: Id, error: Error) -> Error {
        let is_of_chain = matches!(&self.nodes[id], Node::Solve(solve, _) if solve.is_of_chain());
        let asking = self.roots.iter().position(|&root| node::needed(&self.nodes, &[root])[id]);
        let Some(measure) = asking.filter(|_| is_of_chain && !error.is_wrong) else { return error };
        let name = &self.model.measures[self.measures[measure]].name;
        let what = format!("{} (asked by `{name}`)", error.what);
        Error { what, ..error }
    }

    /// The value of a measure, which is none if it has a division by 0 in it or numbers beyond binary64, among all values.
    fn finite(&self, measure: usize, root: Id, all: &[Certain]) -> Result<Certain, Error> {
        let found = all[root];
        if found.value.is_finite() {
            return Ok(found);
        }
        let Measure { name, place, .. } = &self.model.measures[measure];
        let cause = cause(&self.nodes, |id| all[id].value, root);
        let is = if found.value.is_nan() { "has no value" } else { "is infinite" };
        let what = format!("`{name}` {is}: in it is {cause}");
        Err(Error::new(what, "ask for the parts of the measure to see where it comes from").at(place.clone()))
    }

    /// The values of the measures for other values of the parameters, without bounds.
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn values_at(&self, parameters: &[f64]) -> Result<Vec<f64>, Error> {
        let exact: Vec<Exact> = parameters.iter().map(|&value| Exact::from(value)).collect();
        let values = Values::new(&self.nodes, &exact, parameters)?;
        Ok(self.roots.iter().map(|&root| values.carried[root]).collect())
    }

    /// The values of the measures with bounds of their errors, if one parameter is exactly this number and the others are what
    /// the text says.
    ///
    /// # Errors
    /// Those of the models that are solved; and if a long run is asked of rules that have more than 3,000 states and are not
    /// long and narrow: these are iterated with the rates that they had when they were read, and the model has to be read anew
    /// with the other value ([`Model::read_with`]).
    pub fn solve_with(&self, parameter: usize, value: f64) -> Result<Vec<Certain>, Error> {
        if large::has_any(&self.nodes) {
            let what = "the model has a large state space, iterated with the rates that it had when it was read";
            return Err(Error::new(what, "read it anew with another value of the parameter"));
        }
        let with = |(index, own): (usize, &Parameter)| {
            if index == parameter { (Exact::from(value), 0.0) } else { (own.value, own.wrong) }
        };
        let exact: Vec<_> = self.model.parameters.iter().enumerate().map(with).collect();
        let all = node::certain(&self.nodes, &exact)?;
        Ok(self.roots.iter().map(|&root| all[root]).collect())
    }

    /// Whether the measures need this parameter.
    #[must_use]
    pub fn needs(&self, parameter: usize) -> bool {
        self.parameters.get(parameter).is_some_and(Option::is_some)
    }

    /// Whether a measure (by its place in [`Self::measures`]) has derivatives: all have but those that need the distribution of
    /// a downtime.
    #[must_use]
    pub fn has_derivatives(&self, measure: usize) -> bool {
        let needed = node::needed(&self.nodes, &self.roots[measure..=measure]);
        let has_none = |node: &Node| matches!(node, Node::Solve(solve, _) if !solve.has_derivatives());
        !self.nodes.iter().zip(needed).any(|(node, needed)| needed && has_none(node))
    }

    /// The derivatives of a measure (by its place in [`Self::measures`]) by each parameter, in the unit of the measure over
    /// that of the parameter: one pass backwards through the hierarchy, in twice the precision of binary64. 0 for parameters that the measure does not need,
    /// and for those that decide about the structure.
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn gradient(&self, measure: usize) -> Result<Vec<f64>, Error> {
        let exact: Vec<Exact> = self.model.parameters.iter().map(|parameter| parameter.value).collect();
        let values = Values::new(&self.nodes, &exact, &exact)?;
        let adjoint = node::backward(&self.nodes, &values, self.roots[measure])?;
        Ok(self.by_parameters(&adjoint).into_iter().map(Exact::rounded).collect())
    }

    /// Those of the nodes' numbers that belong to the parameters; nothing for parameters that are not needed.
    pub(super) fn by_parameters<T: Scalar>(&self, nodes: &[T]) -> Vec<T> {
        self.parameters.iter().map(|id| id.map_or(T::ZERO, |id| nodes[id])).collect()
    }

    /// The elasticities of a measure: by how many per cent it changes if a parameter changes by one per cent,
    /// `(p / m) dm/dp`.
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn elasticities(&self, measure: usize) -> Result<Vec<f64>, Error> {
        let value = self.solve()?[measure].value;
        let slopes = self.gradient(measure)?.into_iter().zip(&self.model.parameters);
        Ok(slopes
            .map(|(slope, parameter)| if slope == 0.0 { 0.0 } else { slope * parameter.value() / value })
            .collect())
    }

    /// The standard deviation of a measure from those of the parameters, by the delta method:
    /// `var m = sum of (dm/dp)^2 var p`, the parameters being independent (Rausand and Høyland 2004, section 2.9).
    ///
    /// # Errors
    /// Those of the models that are solved.
    pub fn delta(&self, measure: usize) -> Result<f64, Error> {
        let slopes = self.gradient(measure)?.into_iter().zip(&self.model.parameters);
        let terms = slopes.filter_map(|(slope, own)| Some(slope * slope * own.distribution.as_ref()?.variance()));
        Ok(terms.sum::<f64>().sqrt())
    }

    /// The values of all measures for parameters drawn from their distributions, one list for each sample of a range of
    /// numbers. A sample depends on the seed and its number only, so that the work can be divided as one likes.
    ///
    /// # Errors
    /// Those of the models that are solved, and if no parameter has a distribution or one has hardly any sound value.
    pub fn sample(&self, seed: u64, samples: Range<u64>) -> Result<Vec<Vec<f64>>, Error> {
        if !self.model.parameters.iter().any(|parameter| parameter.distribution.is_some()) {
            let remedy = "write `~ gamma(shape = 10)` or the like behind its value";
            return Err(Error::new("no parameter has a distribution", remedy).wrong());
        }
        samples
            .map(|number| {
                let mut chance = Chance::part(seed, number);
                let parameters = self.model.parameters.iter().map(|parameter| parameter.draw(&mut chance));
                self.values_at(&parameters.collect::<Result<Vec<_>, _>>()?)
            })
            .collect()
    }
}

impl Parameter {
    /// A value by chance; without a distribution its own one.
    fn draw(&self, chance: &mut Chance) -> Result<f64, Error> {
        let Some(distribution) = &self.distribution else { return Ok(self.value()) };
        if self.structural {
            let what = format!("`{}` decides about the structure of a model and has a distribution", self.name);
            return Err(Error::new(what, "take the distribution away").wrong());
        }
        // Rates and times are positive, what was a probability stays one, and a range is one for samples, too.
        let is_share = self.dimension == Dimension::PLAIN && (0.0..=1.0).contains(&self.value());
        let (low, high) = self.range.unwrap_or((0.0, f64::INFINITY));
        let high = if is_share { high.min(1.0) } else { high };
        let mut draws = (0..MAX_DRAWS).map(|_| distribution.draw(chance));
        draws.find(|value| *value > 0.0 && (low..=high).contains(value)).ok_or_else(|| {
            let what = format!("the distribution of `{}` has hardly any value that it can be", self.name);
            let unit = self.unit();
            let unit = if unit == "1" { String::new() } else { format!(" {unit}") };
            Error::new(what, format!("values lie above 0, and from {low} to {high}{unit}")).wrong()
        })
    }
}
