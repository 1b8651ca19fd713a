//! What wrong rates do to a measure of a large chain.
//!
//! Let each rate be wrong by a share of at most `d`, so that the chain meant has the rates `Q'` and the steady state `pi'`. For
//! any function `h` of the states and `e = f + Q h`, since `pi Q = 0` and `pi' Q' = 0`,
//!
//! `pi' f - pi f = (pi' - pi) (e - c) + pi' (Q' - Q) h` for every number `c`.
//!
//! The second term is at most `d sum pi'_i s_i`, `s_i = sum over j of q_ij |h_j - h_i|`: what the measure really depends on the
//! rates, as derivatives do (Cao and Chen 1997 call `h` the potentials). In the first, `pi'_i` lies within a share
//! `a = ((1 + d) / (1 - d))^n - 1` of `pi_i` for any chain of `n` states (the matrix tree theorem; O'Cinneide 1993), so that it
//! is at most `a (max e - min e) / 2`, which is small as far as `h` is good. The sum over `pi` is taken with the weights of the
//! iteration and the proof of `certificate`: it is off by at most `max s` times the imbalance.

use super::certificate::{IMPROVED, MOST, STRETCH};
use super::steady::Steady;
use super::sweep::{Drift, Swing};
use crate::chain::evaluate::UNIT;
use crate::{Certain, Error};

/// How wrong the numbers of a chain can be.
#[derive(Clone, Copy, Debug)]
pub struct Wrong<'w> {
    /// A bound of the relative error of each rate.
    pub rates: f64,
    /// A bound of the absolute error of what each state earns; none if that is exact.
    pub earned: Option<&'w [f64]>,
}

impl Steady<'_> {
    /// As [`Steady::certain`], where rates and earnings are not exact: the bound is that of the chain with the right ones.
    ///
    /// # Errors
    /// As [`Steady::certain`].
    pub fn certain_of(&self, earned: &[f64], wrong: &Wrong<'_>) -> Result<Certain, Error> {
        let (found, mut values) = self.enclosed(earned)?;
        let mut moved = self.moved(earned, &mut values, &found, wrong.rates);
        if let Some(errors) = wrong.earned {
            moved += self.at_most(errors) * (1.0 + self.any_chain(wrong.rates));
        }
        if moved == 0.0 {
            return Ok(found);
        }
        let r = found.relative_error;
        let truth = found.value.abs() / (1.0 + r) - moved;
        let relative_error = if truth > 0.0 { r + moved * (1.0 + r) / truth * (1.0 + 1e-9) } else { 1.0 };
        Ok(Certain { relative_error, ..found })
    }

    /// A bound of `|pi' f - pi f|`: `h` is made better until its second term is the larger one, which is as large as it is.
    fn moved(&self, earned: &[f64], values: &mut [f64], found: &Certain, rates: f64) -> f64 {
        if rates == 0.0 {
            return 0.0;
        }
        let (any, measure) = (self.any_chain(rates), found.value);
        // What is small beside the bound that there is already need not be made smaller.
        let enough = 0.1 * found.relative_error.max(1e-13) * measure.abs();
        let (mut best, mut improved, mut levels) = (f64::INFINITY, 0, None);
        for _ in 0..MOST / STRETCH {
            let first = any * self.width(earned, values) / 2.0;
            let second = rates * (1.0 + any) * self.at_most(&self.arcs.pass(Swing(values)));
            let next = (first + second) * 1.001;
            let (stands, is_slow) = (next > 0.7 * best, next > 0.3 * best);
            best = best.min(next);
            if first <= second || next <= enough || (stands && (self.pictures.is_none() || improved == IMPROVED)) {
                break;
            }
            if is_slow && improved < IMPROVED {
                levels = levels.or_else(|| self.levels());
                levels.iter().for_each(|levels| self.improve(levels, |state| measure - earned[state], values));
                improved += 1;
            }
            (0..STRETCH).for_each(|_| self.pull(|state| earned[state] - measure, values));
        }
        best
    }

    /// `max e - min e`.
    fn width(&self, earned: &[f64], values: &[f64]) -> f64 {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        self.arcs.pass(Drift {
            values,
            each: |state, drift, size| {
                let (e, rounding) = self.row(state, earned[state], values[state], drift, size);
                low = low.min(e - rounding);
                high = high.max(e + rounding);
            },
        });
        high - low
    }

    /// By which share the steady state of any chain of so many states can move.
    fn any_chain(&self, rates: f64) -> f64 {
        if rates < 0.5 { (2.0 * self.arcs.states() as f64 * rates / (1.0 - rates)).exp_m1() } else { f64::INFINITY }
    }

    /// A bound of the mean in the long run of something that is not negative.
    fn at_most(&self, each: &[f64]) -> f64 {
        let (mut sum, mut largest) = (0.0, 0.0_f64);
        for (weight, each) in self.weights.iter().zip(each) {
            sum += weight.abs() * each;
            largest = largest.max(*each);
        }
        // A sum of as many positive terms as there are states.
        (sum / self.total.abs()) * (1.0 + 2.0 * self.arcs.states() as f64 * UNIT) + largest * self.imbalance
    }
}
