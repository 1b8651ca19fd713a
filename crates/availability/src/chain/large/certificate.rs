//! What is proven about a steady state that came from an iteration.
//!
//! Let `x >= 0` or not be any weights with sum 1, `r = x Q` their imbalance of flow, and `h` any function of the states; a
//! measure earns `f` in each state, and `U = pi f` is wanted. Put `e = f + Q h`. Since `pi Q = 0`, `U = pi e`. And
//! `pi e = x e + r g`, where `g_i = E_i[integral of e - U until the anchor is reached]` solves `Q g = U - e`; so
//!
//! `|U - x e| <= (max e - min e) * sum |r_i| t_i`, `t_i` the mean time from `i` to the anchor.
//!
//! The better `h` is, the narrower is `e`, so that the error is the product of two that are small already. The mean times are
//! bounded by a function `v >= 0` with `(Q v)_i <= -s < 0` for all states but the anchor: then `t_i <= v_i / s` (Foster's
//! criterion; Meyn and Tweedie 1993). Such a function also proves that the anchor is reached from everywhere, hence that
//! there is one steady state. `v` and `h` come from Gauss-Seidel sweeps and coarse pictures, but nothing is believed of them: `Q v`, `e` and `r`
//! are computed afterwards, their rounding errors bounded term by term (`k` terms: `(k + 2) u` times the sum of their sizes).

use super::krylov::{DIRECTIONS, cycle};
use super::levels::{Levels, Pictures};
use super::steady::Steady;
use super::sweep::{Drift, Inflow, Pull};
use super::weights::REMEDY;
use crate::chain::evaluate::UNIT;
use crate::{Certain, Error};

/// Sweeps at most for the mean times, and for the function of a measure.
pub(super) const MOST: usize = 2_000;
/// Sweeps between two looks.
pub(super) const STRETCH: usize = 8;
/// How often coarse pictures are asked for one function.
pub(super) const IMPROVED: usize = 8;
/// Rounds over coarse pictures each time, and sweeps behind them.
const ROUNDS: usize = 2;
const SMOOTHING: usize = 2;
/// Looks in a row at most that bring nothing: coarse pictures begin with a leap.
const MISSES: usize = 3;
/// Bound of the relative error with which a measure is content.
const ENOUGH: f64 = 8e-13;

impl Steady<'_> {
    /// The rounding errors of a row's sum, relative to the sum of the sizes of its terms.
    pub(super) fn row_error(&self, state: usize) -> f64 {
        (2.0 * f64::from(self.arcs.offsets[state + 1] - self.arcs.offsets[state]) + 6.0) * UNIT
    }

    /// Finds `times` and `slack`, and with them `imbalance`.
    pub(super) fn prove_return(&mut self) -> Result<(), Error> {
        (self.times, self.slack) = self.proven_times()?;
        self.imbalance = self.imbalance_of();
        Ok(())
    }

    fn proven_times(&self) -> Result<(Vec<f64>, f64), Error> {
        let mut times = vec![0.0; self.arcs.states()];
        let (mut before, mut swept, mut levels) = (f64::NEG_INFINITY, 0, self.levels());
        // At the anchor, where it need not drift back, it may rise as much as the mean in the long run wants.
        let at_anchor = self.total / self.weights[self.anchor];
        let wanted = |state: usize| if state == self.anchor { at_anchor - 1.0 } else { -1.0 };
        while swept < MOST {
            levels.iter().for_each(|levels| self.improve(levels, wanted, &mut times));
            (0..Self::stretch(levels.as_ref())).for_each(|_| self.pull(|_| 1.0, &mut times));
            swept += STRETCH;
            let slack = self.slack_of(&times);
            if slack > 0.25 {
                return Ok((times, slack));
            }
            if levels.is_some() && swept > STRETCH * IMPROVED {
                // They do not help.
                (times, levels) = (vec![0.0; times.len()], None);
            }
            // At this speed, would the slack be there soon?
            let speed = (slack - before) / STRETCH as f64;
            before = slack;
            if levels.is_none() && (0.25 - slack) > 40.0 * speed {
                cycle(&mut times, |y| self.pull(|_| 1.0, y), |y| self.pull(|_| 0.0, y));
                swept += DIRECTIONS + 1;
            }
        }
        Err(Error::new(
            format!(
                "the mean times of {} states to the likeliest one (number {}) have no bound after {MOST} sweeps",
                self.arcs.states(),
                self.anchor
            ),
            REMEDY,
        ))
    }

    /// Sweeps between two looks, with coarse pictures or without.
    const fn stretch(levels: Option<&Levels<'_>>) -> usize {
        if levels.is_some() { SMOOTHING } else { STRETCH }
    }

    /// Coarse pictures of the chain, if they can be drawn.
    pub(super) fn levels(&self) -> Option<Levels<'_>> {
        let Pictures { hierarchy, shares } = self.pictures.as_ref()?;
        Levels::of(self.arcs, &self.exits, hierarchy, shares)
    }

    /// Brings values nearer to `Q h = wanted`, `h = 0` at the anchor, by coarse pictures.
    pub(super) fn improve(&self, levels: &Levels<'_>, wanted: impl Fn(usize) -> f64, values: &mut [f64]) {
        let wanted: Vec<f64> = (0..values.len()).map(wanted).collect();
        (0..ROUNDS).for_each(|_| levels.pull(values, &wanted));
        let at_anchor = values[self.anchor];
        values.iter_mut().for_each(|value| *value -= at_anchor);
    }

    pub(super) fn pull(&self, earned: impl Fn(usize) -> f64, values: &mut [f64]) {
        self.arcs.pass(Pull { exits: &self.exits, anchor: self.anchor, order: &self.order, earned, values });
    }

    /// The least `-(Q v)_i` over all states but the anchor, rounding taken off; negative if some `v` is.
    fn slack_of(&self, times: &[f64]) -> f64 {
        let mut slack = f64::INFINITY;
        self.arcs.pass(Drift {
            values: times,
            each: |state, sum, size| {
                let out = self.exits[state] * times[state];
                let rounding = self.row_error(state) * (size + out.abs());
                if state != self.anchor {
                    // `min` would pass over what is no number.
                    let fit = times[state] >= 0.0 && times[state].is_finite();
                    slack = slack.min(if fit { out - sum - rounding } else { f64::NEG_INFINITY });
                }
            },
        });
        slack
    }

    /// `sum |r_i| v_i / slack`, for weights of sum 1.
    fn imbalance_of(&self) -> f64 {
        let (inflow, terms) = self.arcs.pass(Inflow(&self.weights));
        let mut sum = 0.0;
        for (state, (&inflow, terms)) in inflow.iter().zip(terms).enumerate() {
            let outflow = self.weights[state] * self.exits[state];
            let rounding = (f64::from(terms) + 2.0) * UNIT * inflow.abs() + self.row_error(state) * outflow.abs();
            sum += ((inflow - outflow).abs() + rounding) * self.times[state];
        }
        // The sum of as many positive terms as there are states.
        sum * (1.0 + self.arcs.states() as f64 * UNIT) / (self.slack * self.total.abs()) * (1.0 + 1e-12)
    }

    /// What is earned per unit of time in the long run, `earned` for each unit of time in a state, with a proven bound of its
    /// relative error; the rates are taken for exact. With 1 for down states and 0 for others it is the unavailability.
    ///
    /// # Errors
    /// If the earnings are not numbers for all states.
    pub fn certain(&self, earned: &[f64]) -> Result<Certain, Error> {
        Ok(self.enclosed(earned)?.0)
    }

    /// The same, and the function `h` by which it was enclosed last.
    pub(super) fn enclosed(&self, earned: &[f64]) -> Result<(Certain, Vec<f64>), Error> {
        if earned.len() != self.arcs.states() || earned.iter().any(|value| !value.is_finite()) {
            return Err(Error::new(
                "the earnings are not one finite number for each state",
                "give each state what it earns",
            ));
        }
        let mut values = vec![0.0; self.arcs.states()];
        let rough = self.weights.iter().zip(earned).map(|(weight, earned)| weight * earned).sum::<f64>() / self.total;
        let mut best = Certain { value: rough, relative_error: 1.0 };
        let (mut misses, mut levels) = (0, self.levels());
        for _ in 0..MOST / STRETCH {
            let next = self.enclose(earned, &values);
            misses = if next.relative_error < 0.9 * best.relative_error { 0 } else { misses + 1 };
            if next.relative_error < best.relative_error {
                best = next;
            }
            if best.relative_error <= ENOUGH || (misses > MISSES && levels.is_none()) {
                break;
            }
            if misses > MISSES {
                // They do not help.
                (values, levels, misses) = (vec![0.0; values.len()], None, 0);
            }
            levels.iter().for_each(|levels| self.improve(levels, |state| rough - earned[state], &mut values));
            (0..Self::stretch(levels.as_ref())).for_each(|_| self.pull(|state| earned[state] - rough, &mut values));
        }
        Ok((best, values))
    }

    /// `e = f + Q h` at a state and its rounding error, of what the state earns, its value, what it drifts by and the size of that.
    pub(super) fn row(&self, state: usize, earned: f64, value: f64, drift: f64, size: f64) -> (f64, f64) {
        let out = self.exits[state] * value;
        (earned + (drift - out), self.row_error(state) * (size + out.abs() + earned.abs()))
    }

    /// The enclosure of `pi f` by `e = f + Q h`.
    fn enclose(&self, earned: &[f64], values: &[f64]) -> Certain {
        let (mut low, mut high, mut sum, mut wrong) = (f64::INFINITY, f64::NEG_INFINITY, 0.0_f64, 0.0_f64);
        let (mut lost, mut weights, mut sizes) = (0.0_f64, 0.0_f64, 0.0_f64);
        self.arcs.pass(Drift {
            values,
            each: |state, drift, size| {
                let (e, rounding) = self.row(state, earned[state], values[state], drift, size);
                low = low.min(e - rounding);
                high = high.max(e + rounding);
                let weight = self.weights[state];
                // Kahan's sum: its error does not grow with the number of states.
                let term = weight * e - lost;
                let next = sum + term;
                lost = (next - sum) - term;
                sum = next;
                sizes += f64::abs(weight * e);
                weights += weight.abs();
                wrong += weight.abs() * rounding;
            },
        });
        let value = sum / self.total;
        // Kahan: 2 u and n u^2 of the sum of sizes (Higham 2002, section 4.3); products and quotient: u each.
        let mut error = (high - low) * self.imbalance + (wrong + 4.0 * UNIT * sizes) / self.total.abs();
        error += value.abs() * (4.0 * UNIT * weights / self.total.abs()) + 2.0 * UNIT * value.abs();
        let truth = value.abs() - error;
        Certain { value, relative_error: if truth > 0.0 { error / truth * (1.0 + 1e-9) } else { 1.0 } }
    }
}
