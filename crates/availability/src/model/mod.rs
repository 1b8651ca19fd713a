//! Models of a whole hierarchy: parameters, expressions, chains, trees, and the measures that are asked of them.

mod chain_solve;
mod compile;
mod distribution;
mod large;
mod nested;
mod node;
mod nodes;
mod plan;
mod precise;
mod resources;
mod second;
mod solve;
mod structure_solve;
mod timed_solve;
mod tree;

pub use distribution::Distribution;
pub(crate) use nodes::Nodes;
pub use plan::Plan;
pub use resources::Resources;

use std::collections::{BTreeMap, BTreeSet};

use crate::chain::{Chain, Rewards, States};
use crate::text::ast::Document;
pub use crate::text::ast::OriginKind;
use crate::text::exact::Exact;
use crate::text::source::Source;
use crate::text::statements;
use crate::text::unit::Dimension;
use crate::{Error, Place};
use chain_solve::ChainModel;
use node::{Id, Node};
use tree::NamedTree;

/// A parameter of a model.
#[derive(Clone, Debug)]
pub struct Parameter {
    name: String,
    value: Exact,
    /// A bound of the absolute error of the value as the text has it.
    wrong: f64,
    dimension: Dimension,
    distribution: Option<Distribution>,
    origin: Option<(OriginKind, String)>,
    meaning: Option<String>,
    structural: bool,
}

impl Parameter {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value, in [`Self::unit`].
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value.rounded()
    }

    /// The unit of [`Self::value`]: `h`, `1/h`, or `1` for a plain number.
    #[must_use]
    pub fn unit(&self) -> String {
        self.dimension.usual_unit()
    }

    /// How uncertain it is, if the text says it.
    #[must_use]
    pub const fn distribution(&self) -> Option<&Distribution> {
        self.distribution.as_ref()
    }

    /// Where the value comes from, if the text says it.
    #[must_use]
    pub fn origin(&self) -> Option<(OriginKind, &str)> {
        self.origin.as_ref().map(|(kind, text)| (*kind, text.as_str()))
    }

    /// What it is, in the words of the remark behind it in its line, if there is one.
    #[must_use]
    pub fn meaning(&self) -> Option<&str> {
        self.meaning.as_deref()
    }

    /// Whether it decides about the structure of a model (how many units there are, a mission time), so that there is no
    /// derivative by it.
    #[must_use]
    pub const fn is_structural(&self) -> bool {
        self.structural
    }
}

/// A measure that a model text asks for.
#[derive(Clone, Debug)]
pub struct Measure {
    name: String,
    unit: String,
    node: Id,
    place: Place,
    downtime_of: Option<String>,
}

impl Measure {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its unit; `1` for a plain number.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Where the text asks for it.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The model whose downtime it is, if it asks `downtime of MODEL` and nothing else.
    #[must_use]
    pub fn downtime_of(&self) -> Option<&str> {
        self.downtime_of.as_deref()
    }
}

/// An event of a fault tree, or a block of a block diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name in the tree, with its indexes.
    pub event: String,
    /// The model that it fails as, if the text names one.
    pub model: Option<String>,
}

/// A model that was read: names are known, units fit, state spaces are written out.
#[derive(Clone, Debug)]
pub struct Model {
    parameters: Vec<Parameter>,
    nodes: Vec<Node>,
    measures: Vec<Measure>,
    chains: Vec<NamedChain>,
    trees: Vec<NamedTree>,
    /// The events of trees and block diagrams, by the name of the model.
    parts: BTreeMap<String, Vec<Part>>,
    /// The events that have a probability and no frequency, by the name of the model.
    uncounted: BTreeMap<String, Vec<String>>,
    /// The models of what is not built yet.
    designed: BTreeSet<String>,
}

/// A chain of the text, for those who want to have it as a value.
#[derive(Clone, Debug)]
struct NamedChain {
    name: String,
    model: ChainModel,
    inputs: Vec<Id>,
    labels: Vec<(String, States)>,
    /// What states and arcs earn; rules know that themselves.
    rewards: Vec<(String, Rewards<Id>)>,
}

/// A model of a format without units.
pub(crate) fn compile_unitless(
    source: Source<'_>,
    document: &Document,
    given: &[(String, String)],
    resources: Resources<'_>,
) -> Result<Model, Error> {
    compile::compile(source, document, given, true, None, resources)
}

impl Model {
    /// Reads a model in the language `.avail`; `given` are names and values (with units, as in the text) of parameters
    /// that take the place of those in the text.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and column, and what is allowed there.
    pub fn read(file: &str, text: &str, given: &[(String, String)]) -> Result<Self, Error> {
        Self::read_with(file, text, given, Resources::default())
    }

    /// The same with other limits of state spaces and diagrams than the default ones.
    ///
    /// # Errors
    /// As [`Model::read`].
    pub fn read_with(
        file: &str,
        text: &str,
        given: &[(String, String)],
        resources: Resources<'_>,
    ) -> Result<Self, Error> {
        let source = Source::new(file, text);
        let document = statements::document(source)?;
        compile::compile(source, &document, given, false, None, resources)
    }

    /// As [`Model::read_with`], with more measures behind those of the text: the downtime, in minutes a year, of each of the parts of which one is
    /// enough to bring down what the measure of this name is about. They are found from the top of its fault tree downwards,
    /// through gates `or` (in a block diagram `and`) and through events that are trees in their turn; what is
    /// redundant within is one part. Parts are independent of each other: gates that have events in common are one, named
    /// `GATE or GATE`. If an event that is a part is below such a gate as well, that one is about the time in which the event has not
    /// occurred, and is named `GATE while EVENT is up`.
    ///
    /// # Errors
    /// As [`Model::read`], and if there is no such measure or it has no such parts.
    pub fn read_parts(
        file: &str,
        text: &str,
        given: &[(String, String)],
        measure: &str,
        resources: Resources<'_>,
    ) -> Result<Self, Error> {
        let source = Source::new(file, text);
        let document = statements::document(source)?;
        compile::compile(source, &document, given, false, Some(measure), resources)
    }

    /// The parameters, in the order of the text.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The measures, in the order of the text.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The names of the chains and rules in the text.
    pub fn chains(&self) -> impl Iterator<Item = &str> {
        self.chains.iter().map(|chain| chain.name.as_str())
    }

    /// The labels of a chain or of rules, `down` among them; `None` for what is neither.
    pub fn labels(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        let chain = self.chains.iter().find(|chain| chain.name == name)?;
        Some(chain.labels.iter().map(|(label, _)| label.as_str()))
    }

    /// The events of a fault tree or the blocks of a block diagram, in their order; `None` for what is none.
    #[must_use]
    pub fn parts(&self, name: &str) -> Option<&[Part]> {
        self.parts.get(name).map(Vec::as_slice)
    }

    /// The events of a fault tree, a block diagram or a network that have a probability and no failure frequency, so that
    /// `counted failures of NAME` is without them.
    #[must_use]
    pub fn uncounted(&self, name: &str) -> &[String] {
        self.uncounted.get(name).map_or(&[][..], Vec::as_slice)
    }

    /// Whether the text says that the model of this name is of something designed and not built yet.
    #[must_use]
    pub fn is_designed(&self, name: &str) -> bool {
        self.designed.contains(name)
    }

    /// A chain of the text, or the rules of this name written out as one, with its labels (`down` for the down states), its
    /// rewards, and the rates that follow from the parameters, per hour: to be exported, or asked what the text does not ask.
    ///
    /// # Errors
    /// If there is no such chain, or the models that its rates need cannot be solved.
    pub fn chain(&self, name: &str) -> Result<Chain<f64>, Error> {
        let Some(found) = self.chains.iter().find(|chain| chain.name == name) else {
            let known: Vec<&str> = self.chains().collect();
            return Err(Error::new(format!("the model has no chain `{name}`"), format!("it has {}", known.join(", "))));
        };
        let earned = found.rewards.iter().flat_map(|(_, rewards)| rewards.states.iter().chain(&rewards.arcs));
        let ids: Vec<Id> = found.inputs.iter().chain(earned).copied().collect();
        let mut numbers = self.numbers(&ids)?.into_iter();
        let inputs: Vec<f64> = numbers.by_ref().take(found.inputs.len()).collect();
        let whole = match &found.model {
            ChainModel::Rules(rules) => rules.space.whole()?,
            ChainModel::Drawn(_) => None,
        };
        let mut chain = match &whole {
            Some((space, _)) => space.chain(&inputs)?,
            None => found.model.chain(&inputs)?,
        };
        for (label, states) in &found.labels {
            let states = match &whole {
                Some((_, stands)) => States::new(stands.iter().map(|&state| states.contains(state)).collect()),
                None => states.clone(),
            };
            chain.set_label(label.clone(), states);
        }
        for (name, earned) in &found.rewards {
            let states = numbers.by_ref().take(earned.states.len()).collect();
            let arcs = numbers.by_ref().take(earned.arcs.len()).collect();
            chain.set_rewards(name.clone(), Rewards { states, arcs });
        }
        Ok(chain)
    }
}
