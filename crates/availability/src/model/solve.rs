//! A measure of one model, as a function of the numbers that go into the model.

use std::sync::Arc;

use crate::model::chain_solve::ChainQuestion;
use crate::model::structure_solve::StructureQuestion;
use crate::model::timed_solve::TimedQuestion;
use crate::{Certain, Error, Place, Scalar};

/// A measure of one model, and where that model stands: what cannot be solved is an error at that place.
#[derive(Clone, Debug)]
pub(crate) struct Solve {
    pub(crate) question: Question,
    pub(crate) place: Arc<Place>,
}

/// What is asked, by the kind of model.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    /// Of a chain; the inputs are the rates of its arcs, then the rewards of its states and arcs if the measure has any.
    Chain(Arc<ChainQuestion>),
    /// Of a chain and a time; the inputs are the same.
    Timed(Arc<TimedQuestion>),
    /// Of a fault tree, block diagram or reliability graph; the inputs are those of its events.
    Structure(Arc<StructureQuestion>),
}

impl Solve {
    /// An error of this model at its place.
    pub(crate) fn located(&self, error: Error) -> Error {
        error.at((*self.place).clone())
    }

    pub(crate) fn value<T: Scalar>(&self, inputs: &[T]) -> Result<T, Error> {
        match &self.question {
            Question::Chain(question) => question.value(inputs),
            Question::Timed(question) => question.value(inputs),
            Question::Structure(question) => question.value(inputs),
        }
        .map_err(|error| self.located(error))
    }

    /// The derivatives by all inputs.
    pub(crate) fn gradient<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        match &self.question {
            Question::Chain(question) => question.gradient(inputs),
            Question::Timed(question) => question.gradient(inputs),
            Question::Structure(question) => question.gradient(inputs),
        }
        .map_err(|error| self.located(error))
    }

    /// The value with a bound of its error, the inputs being wrong by at most `wrong`.
    pub(crate) fn certain(&self, inputs: &[f64], wrong: &[f64]) -> Result<Certain, Error> {
        match &self.question {
            Question::Chain(question) => question.certain(inputs, wrong),
            Question::Timed(question) => question.certain(inputs, wrong),
            Question::Structure(question) => question.certain(inputs, wrong),
        }
        .map_err(|error| self.located(error))
    }
}
