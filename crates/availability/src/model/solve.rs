//! A measure of one model, as a function of the numbers that go into the model.

use std::sync::Arc;

use crate::model::chain_solve::ChainQuestion;
use crate::model::structure_solve::StructureQuestion;
use crate::model::timed_solve::TimedQuestion;
use crate::{Certain, Error, Scalar};

/// A measure of one model.
#[derive(Clone, Debug)]
pub(crate) enum Solve {
    /// Of a chain; the inputs are the rates of its arcs, then the rewards of its states and arcs if the measure has any.
    Chain(Arc<ChainQuestion>),
    /// Of a chain and a time; the inputs are the same.
    Timed(Arc<TimedQuestion>),
    /// Of a fault tree, block diagram or reliability graph; the inputs are those of its events.
    Structure(Arc<StructureQuestion>),
}

impl Solve {
    pub(crate) fn value<T: Scalar>(&self, inputs: &[T]) -> Result<T, Error> {
        match self {
            Self::Chain(question) => question.value(inputs),
            Self::Timed(question) => question.value(inputs),
            Self::Structure(question) => question.value(inputs),
        }
    }

    /// The derivatives by all inputs.
    pub(crate) fn gradient<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        match self {
            Self::Chain(question) => question.gradient(inputs),
            Self::Timed(question) => question.gradient(inputs),
            Self::Structure(question) => question.gradient(inputs),
        }
    }

    /// The value with a bound of its error, the inputs being wrong by at most `wrong`.
    pub(crate) fn certain(&self, inputs: &[f64], wrong: &[f64]) -> Result<Certain, Error> {
        match self {
            Self::Chain(question) => question.certain(inputs, wrong),
            Self::Timed(question) => question.certain(inputs, wrong),
            Self::Structure(question) => question.certain(inputs, wrong),
        }
    }
}
