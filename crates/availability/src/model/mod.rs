//! Models of a whole hierarchy: parameters, expressions, chains, trees, and the measures that are asked of them.

mod chain_solve;
mod compile;
mod distribution;
mod nested;
mod node;
mod plan;
mod random;
mod solve;
mod structure_solve;

pub use distribution::Distribution;
pub use plan::Plan;

pub use crate::text::ast::OriginKind;
use crate::text::exact::Exact;
use crate::text::source::Source;
use crate::text::statements;
use crate::text::unit::Dimension;
use crate::{Error, Place};
use node::{Id, Node};

/// A parameter of a model.
#[derive(Clone, Debug)]
pub struct Parameter {
    name: String,
    value: Exact,
    dimension: Dimension,
    distribution: Option<Distribution>,
    origin: Option<(OriginKind, String)>,
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
}

/// A model that was read: names are known, units fit, state spaces are written out.
#[derive(Clone, Debug)]
pub struct Model {
    parameters: Vec<Parameter>,
    nodes: Vec<Node>,
    measures: Vec<Measure>,
}

impl Model {
    /// Reads a model in the language `.avail`; `given` are names and values (with units, as in the text) of parameters
    /// that take the place of those in the text.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and column, and what is allowed there.
    pub fn read(file: &str, text: &str, given: &[(String, String)]) -> Result<Self, Error> {
        let source = Source { file, text };
        let document = statements::document(source)?;
        compile::compile(source, &document, given, false)
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
}
