//! Models of a whole hierarchy: parameters, expressions, chains, trees, and the measures that are asked of them.
//!
//! What a text can ask, with the formula and its source. `pi_i` is the share of time in state `i` in the long run, `q_ij` the rate
//! from `i` to `j`, `p` the probability of an event, `P` that of the top event. Times are in hours, rates per hour.
//!
//! | measure | formula | source |
//! |---|---|---|
//! | `unavailability of M`, `U` | sum of `pi_i` over down states; of a structure `P` | Trivedi 2002, 8.2; [`StructureFunction::probability`] |
//! | `availability of M`, `A` | sum of `pi_i` over up states; of a structure that it has not failed | the same |
//! | `downtime of M` | `U`, in minutes a year of 365 days | |
//! | `failure frequency of M`, `w`, per hour; `failures of M`, per year | sum of `pi_i q_ij` from up to down; of a structure sum of Birnbaum's importance times the frequency of each event | [`Measure::failure_frequency`](crate::chain::Measure::failure_frequency); Vesely 1970, Schneeweiss 1981: [`StructureFunction::frequency`] |
//! | `counted failures of M`, per year | `w` without the frequency of events that have only a probability, which decide with the others | as `failures of M` |
//! | `failure rate of M`, `repair rate of M` | `w/A`, `w/U`: the rates of a unit with two states that has the same `A` and `w` | Lanus, Yin and Trivedi 2003 |
//! | `mtbf of M` (`mean time between failures of M`) | `1/w` | IEC 61703:2016 |
//! | `mean down time of M`, `mean up time of M` | `U/w`, `A/w` | IEC 61703:2016 |
//! | `mttf of M` (`mean time to failure of M`) | mean time from the start until a down state is entered; of a structure without repair the integral of its reliability, of another by the chain of all its events | Kemeny and Snell 1960, chapter 3; [`StructureFunction::mean_time_to_failure`] |
//! | `defects per million of M with holding H` | `10^6 (U + w H)`: calls that find the service down, and calls in progress when it fails, which are `H` times the rate of calls by Little's law | ATIS-0100008 (2007); Mondal, Yin, Muppala, Alonso Lopez and Trivedi 2015 |
//! | `unavailability of M at T`, `availability of M at T` | the same probabilities at a time | [`Chain::probability_at`] |
//! | `unavailability of M over T`, `availability of M over T` | their mean until then, `1/T` times the integral | [`Chain::collected_until`] |
//! | `unreliability of M at T`, `reliability of M at T` | that a down state was entered by then; that none was; of a structure with repair by the chain of all its events | [`Chain::reached_within`], [`Chain::not_reached_within`] |
//! | `failures of M over T` | mean number of entries into down states until then; of a structure by the chain of all its events | [`Chain::collected_until`] |
//! | `probability of downtime in M above D over T` | that more than `D` of `T` is spent in down states; of a structure by the chain of all its events | [`Chain::more_downtime_than`], after de Souza e Silva and Gail 1986 |
//! | `states of M`, `cut sets of M` | their number | [`StructureFunction::cut_sets`] |
//! | `probability of S in M` | sum of `pi_i` over `S`; of a gate or event that it has occurred | as `unavailability` |
//! | `probability of S in M before T` | that of `S` and `T` a state of `S` is entered first | Kemeny and Snell 1960, chapter 3; [`Measure::first_cause`](crate::chain::Measure::first_cause) |
//! | `frequency of S in M` | sum of `pi_i q_ij` into `S` from outside; of a gate as `failure frequency` | [`Quantity::Entries`](crate::chain::Quantity::Entries) |
//! | `time to S in M`, `time of S in M until T` | mean time until `S` is entered; mean time in `S` before `T` is | [`Measure::time_to`](crate::chain::Measure::time_to), [`Measure::time_before`](crate::chain::Measure::time_before) |
//! | `probability of S in M at T`, `... within T before B`, `... within T while C` | to be in `S` then; that `S` is entered by then, and `B` not before, and only `C` before | [`Chain::probability_at`], [`Chain::reached_within`]; Baier, Haverkort, Hermanns and Katoen 2003 |
//! | `time of S in M over T`, `frequency of S in M over T` | mean time in `S` until then, mean number of entries | [`Chain::collected_until`] |
//! | `reward R of M` | sum of `pi_i (r_i + sum of q_ij r_ij)` | Howard 1971; [`Measure::reward_rate`](crate::chain::Measure::reward_rate) |
//! | `reward R of M until S`, `... over T`, `... at T` | what is earned until `S` is entered, until a time, for each unit of time then | [`Measure::reward_before`](crate::chain::Measure::reward_before), [`Chain::collected_until`], [`Chain::mean_at`] |
//! | `birnbaum importance of E in M`, `... at T` | `dP/dp` | Birnbaum 1969; [`Importance`] |
//! | `structural importance of E in M` | `dP/dp` with every `p = 1/2` | [`Importance`] |
//! | `criticality of E in M`, `diagnosis of E in M`, each also `at T` | `p/P dP/dp`, `P(E occurred, given the top event)` | [`Importance`] |
//! | `fussell vesely importance of E in M`, `... at T` | that all of a minimal cut set with `E` have occurred, over `P` | [`SetFamily::fussell_vesely`](crate::structure::SetFamily::fussell_vesely) |
//! | `risk achievement worth of E in M`, `risk reduction worth of E in M`, each also `at T` | `P` given `E` over `P`, `P` over `P` without `E` | [`Importance`] |
//! | `erlang_b(n, a)`, `erlang_c(n, a)` in expressions | shares of calls that are refused, that wait | Erlang 1917; [`erlang_b`](crate::capacity::erlang_b), [`ErlangC`](crate::capacity::ErlangC) |
//!
//! Calls that failures cost, weighted by the load, are rewards: in a state with `k` servers `erlang_b(k, a)` of them are refused (Heimann,
//! Mittal and Trivedi 1990), and a failure that takes the share `s` of the calls in progress with it cuts off `s (1 - erlang_b(k, a)) H` of
//! the calls of an hour. The guide (`docs/availability.md` of the project) has an example.
//!
//! Sources that are not named elsewhere: Baier, Haverkort, Hermanns and Katoen 2003, "Model-checking algorithms for continuous-time
//! Markov chains", IEEE Transactions on Software Engineering 29(6). Howard 1971, Dynamic Probabilistic Systems II. Lanus, Yin and Trivedi 2003,
//! "Hierarchical composition and aggregation of state-based availability and performability models", IEEE Transactions on Reliability
//! 52(1). Mondal and others 2015, "Defects per million computation in service-oriented environments", IEEE Transactions on Services
//! Computing 8(1). Trivedi 2002, Probability and Statistics with Reliability, Queuing and Computer Science Applications, 2nd edition.
//!
//! [`StructureFunction::probability`]: crate::structure::StructureFunction::probability
//! [`StructureFunction::frequency`]: crate::structure::StructureFunction::frequency
//! [`StructureFunction::mean_time_to_failure`]: crate::structure::StructureFunction::mean_time_to_failure
//! [`StructureFunction::cut_sets`]: crate::structure::StructureFunction::cut_sets
//! [`Importance`]: crate::structure::Importance

mod cause;
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
mod sound;
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
    /// The smallest and the largest value, if the text says them.
    range: Option<(f64, f64)>,
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

    /// The values between which the text lets it lie (`between LOW and HIGH`), in [`Self::unit`]; `None` if it does not say.
    #[must_use]
    pub const fn range(&self) -> Option<(f64, f64)> {
        self.range
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

#[cfg(test)]
mod tests {
    use crate::text::asking::{OF_MODEL, OF_TARGET};

    #[test]
    fn each_measure_of_the_language_is_explained_with_its_formula() {
        let table: Vec<&str> = include_str!("mod.rs").lines().filter(|line| line.starts_with("//! | `")).collect();
        for phrase in OF_MODEL.iter().chain(&OF_TARGET).chain(&["reward R"]) {
            let row = table.iter().find(|row| row.contains(&format!("`{phrase} of ")));
            let formula = row.and_then(|row| row.split(" | ").nth(2));
            assert!(formula.is_some_and(|formula| formula.len() > 2), "{phrase}: {row:?}");
        }
    }
}
