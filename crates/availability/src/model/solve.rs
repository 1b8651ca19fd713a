//! A measure of one model, as a function of the numbers that go into the model.

use std::sync::Arc;

use crate::model::chain_solve::{ChainModel, ChainQuestion};
use crate::model::sound::Sound;
use crate::model::structure_solve::StructureQuestion;
use crate::model::timed_solve::TimedQuestion;
use crate::structure::Bounded;
use crate::text::exact::{Exact, ROUNDING};
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
    /// The one input itself, if it is what it must be; the place is that of its expression.
    Sound(Arc<Sound>),
}

impl Solve {
    /// The chain that is asked, if it is one.
    fn chain(&self) -> Option<&ChainModel> {
        match &self.question {
            Question::Chain(question) => Some(&question.model),
            Question::Timed(question) => Some(&question.model),
            Question::Structure(_) | Question::Sound(_) => None,
        }
    }

    /// Whether a chain is asked.
    pub(crate) fn is_of_chain(&self) -> bool {
        self.chain().is_some()
    }

    /// An error of this model at the state that it names, or else at its place.
    pub(crate) fn located(&self, error: Error) -> Error {
        let state = self.chain().and_then(|chain| chain.place_of(&error));
        error.at(state.unwrap_or_else(|| (*self.place).clone()))
    }

    /// Whether there are derivatives by the inputs.
    pub(crate) fn has_derivatives(&self) -> bool {
        !matches!(&self.question, Question::Timed(question) if question.is_distribution())
    }

    pub(crate) fn value<T: Scalar>(&self, inputs: &[T]) -> Result<T, Error> {
        match &self.question {
            Question::Chain(question) => question.value(inputs),
            Question::Timed(question) => question.value(inputs),
            Question::Structure(question) => question.value(inputs),
            Question::Sound(sound) => sound.checked(inputs[0]),
        }
        .map_err(|error| self.located(error))
    }

    /// The derivatives by all inputs.
    pub(crate) fn gradient<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        match &self.question {
            Question::Chain(question) => question.gradient(inputs),
            Question::Timed(question) => question.gradient(inputs),
            Question::Structure(question) => question.gradient(inputs),
            Question::Sound(_) => Ok(vec![T::ONE]),
        }
        .map_err(|error| self.located(error))
    }

    /// The value with a bound of its absolute error, the inputs being wrong by at most `wrong`. Where that costs little it has
    /// twice the precision of binary64, as the inputs have.
    pub(crate) fn certain(&self, inputs: &[Exact], wrong: &[f64]) -> Result<(Exact, f64), Error> {
        let sharp = match &self.question {
            Question::Chain(question) => question.sharp(inputs, wrong),
            Question::Timed(_) => Ok(None),
            Question::Structure(question) => question.sharp(inputs, wrong),
            Question::Sound(sound) => sound.checked(inputs[0]).map(|number| Some((number, wrong[0]))),
        };
        if let Some(found) = sharp.map_err(|error| self.located(error))? {
            return Ok(found);
        }
        let (values, wrong) = binary64(inputs, wrong);
        let Certain { value, relative_error } = match &self.question {
            Question::Chain(question) => question.certain(&values, &wrong),
            Question::Timed(question) => question.certain(&values, &wrong),
            Question::Structure(question) => question.certain(&values, &wrong),
            // Answered above.
            Question::Sound(_) => Ok(Certain::exact(values[0])),
        }
        .map_err(|error| self.located(error))?;
        Ok((Exact::from(value), absolute(Certain { value, relative_error })))
    }
}

/// Nearer to 0 binary64 has not all its digits, nor has what was computed on the way all of twice its own.
pub(super) const SMALLEST: f64 = 1e-285;

/// The bound of the absolute error of a number; infinite where the number is too near to 0 for one that says anything.
pub(super) fn absolute(number: Certain) -> f64 {
    let size = number.value.abs();
    match number.relative_error {
        0.0 => 0.0,
        relative if size >= SMALLEST && relative.is_finite() => size * relative,
        _ => f64::INFINITY,
    }
}

/// The inputs rounded to binary64, and how wrong they are then.
pub(super) fn binary64(inputs: &[Exact], wrong: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let rounded = inputs.iter().map(|input| input.rounded()).collect();
    (rounded, inputs.iter().zip(wrong).map(|(input, wrong)| wrong + input.low.abs()).collect())
}

/// What a rounding of binary64 is for one of [`Exact`]: errors that are larger by this factor, carried by [`Bounded`] through
/// an engine, are so much larger in the end as well, or more. So an engine run on [`Bounded`] bounds the errors of its run on
/// [`Exact`].
pub(super) const COARSER: f64 = f64::EPSILON / 2.0 / ROUNDING;

/// The inputs for that run.
pub(super) fn coarse(inputs: &[Exact], wrong: &[f64]) -> Vec<Bounded> {
    let of = |(input, wrong): (&Exact, &f64)| Bounded { value: input.rounded(), error: wrong * COARSER };
    inputs.iter().zip(wrong).map(of).collect()
}
