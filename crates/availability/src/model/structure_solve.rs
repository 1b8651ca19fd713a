//! Measures of fault trees, block diagrams and reliability graphs.

use std::sync::Arc;

use crate::model::nested::Nested;
use crate::model::solve::{COARSER, coarse};
use crate::structure::{Bounded, Probability, StructureFunction};
use crate::text::exact::Exact;
use crate::{Certain, Error, Scalar};

/// Below it twice the precision of binary64 cannot be had.
const SMALL: f64 = 1e-280;

/// What is asked of a structure. The inputs are the probabilities that the events have occurred, then those that they
/// have not, then (for the frequency) how often they occur. An event's two probabilities are complements: derivatives are
/// given by the first ones.
#[derive(Clone, Debug)]
pub(crate) struct StructureQuestion {
    pub(crate) function: Arc<StructureFunction>,
    pub(crate) what: Asked,
}

/// The kinds of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The probability that the top event has occurred.
    Top,
    /// That it has not.
    NotTop,
    /// How often it occurs: the sum of the derivatives by the events times the frequencies of these (Schneeweiss 1981).
    Frequency,
    /// The derivative by the event of this number.
    Birnbaum(usize),
    /// The mean time until it occurs first, if nothing is repaired; the inputs are the rates of the events.
    MeanTime,
}

impl StructureQuestion {
    fn count(&self) -> usize {
        self.function.events().len()
    }

    fn events<T: Scalar>(&self, inputs: &[T]) -> Vec<Probability<T>> {
        let count = self.count();
        (0..count).map(|event| Probability { yes: inputs[event], no: inputs[count + event] }).collect()
    }

    pub(crate) fn value<T: Scalar>(&self, inputs: &[T]) -> Result<T, Error> {
        if self.what == Asked::MeanTime {
            return self.function.mean_time_to_failure(inputs);
        }
        let events = self.events(inputs);
        Ok(match self.what {
            Asked::Top => self.function.probability(&events)?.yes,
            Asked::NotTop => self.function.probability(&events)?.no,
            Asked::Birnbaum(event) => self.function.sensitivity(&events)?.birnbaum(event),
            Asked::MeanTime | Asked::Frequency => {
                let found = self.function.sensitivity(&events)?;
                let frequencies = &inputs[2 * self.count()..];
                // By an inverse event the top event occurs when it ends, which is as often as it occurs.
                let terms = found.critical.iter().zip(&found.inverse).zip(frequencies);
                terms.fold(T::ZERO, |sum, ((&critical, &inverse), &frequency)| sum + (critical + inverse) * frequency)
            }
        })
    }

    pub(crate) fn gradient<T: Scalar>(&self, inputs: &[T]) -> Result<Vec<T>, Error> {
        let count = self.count();
        let mut all = vec![T::ZERO; inputs.len()];
        match self.what {
            Asked::Top | Asked::NotTop => {
                let slopes = self.function.sensitivity(&self.events(inputs))?.gradient();
                let sign = if self.what == Asked::Top { T::ONE } else { -T::ONE };
                all.iter_mut().zip(slopes).for_each(|(all, slope)| *all = sign * slope);
            }
            // The derivative of a sum of derivatives in one direction is the derivative of the gradient in that direction.
            Asked::Birnbaum(event) => {
                let direction: Vec<T> = (0..count).map(|k| if k == event { T::ONE } else { T::ZERO }).collect();
                let found = self.function.sensitivity(&self.towards(inputs, &direction))?;
                (0..count).for_each(|event| all[event] = found.birnbaum(event).slope);
            }
            Asked::MeanTime => {
                for (event, slope) in all.iter_mut().enumerate() {
                    let seed = |(k, &value)| Nested { value, slope: if k == event { T::ONE } else { T::ZERO } };
                    let seeds: Vec<_> = inputs.iter().enumerate().map(seed).collect();
                    *slope = self.function.mean_time_to_failure(&seeds)?.slope;
                }
            }
            Asked::Frequency => {
                let direction = &inputs[2 * count..];
                let found = self.function.sensitivity(&self.towards(inputs, direction))?;
                for event in 0..count {
                    all[event] = found.critical[event].slope + found.inverse[event].slope;
                    all[2 * count + event] = found.critical[event].value + found.inverse[event].value;
                }
            }
        }
        Ok(all)
    }

    /// The events, their probabilities moving in a direction.
    fn towards<T: Scalar>(&self, inputs: &[T], direction: &[T]) -> Vec<Probability<Nested<T>>> {
        let moving = |(event, &slope): (Probability<T>, &T)| Probability {
            yes: Nested { value: event.yes, slope },
            no: Nested { value: event.no, slope: -slope },
        };
        self.events(inputs).into_iter().zip(direction).map(moving).collect()
    }

    /// The value with a bound of its absolute error, in twice the precision of binary64; nothing where that cannot be had.
    pub(crate) fn sharp(&self, inputs: &[Exact], wrong: &[f64]) -> Result<Option<(Exact, f64)>, Error> {
        if self.what == Asked::MeanTime {
            return Ok(None);
        }
        let bound = self.value(&coarse(inputs, wrong))?.error / COARSER * (1.0 + 1e-9);
        let value: Exact = self.value(inputs)?;
        // What underflows of the lower half of a product is far below the bound of a number of this size, unless a frequency
        // makes it large again.
        let largest = inputs.iter().map(|input| input.rounded()).fold(1.0, f64::max);
        Ok((bound.is_finite() && value.rounded().abs() > SMALL * largest).then_some((value, bound)))
    }

    /// The value with a bound of its error: running error analysis through the decision diagram, which has positive terms
    /// only.
    pub(crate) fn certain(&self, inputs: &[f64], wrong: &[f64]) -> Result<Certain, Error> {
        if self.what == Asked::MeanTime {
            let relative = |(&value, &error): (&f64, &f64)| Certain {
                value,
                relative_error: if error == 0.0 { 0.0 } else { error / value * 1.001 },
            };
            return self.function.certain_mean_time(&inputs.iter().zip(wrong).map(relative).collect::<Vec<_>>());
        }
        let bounded: Vec<Bounded> = inputs.iter().zip(wrong).map(|(&value, &error)| Bounded { value, error }).collect();
        Ok(self.value(&bounded)?.into())
    }
}
