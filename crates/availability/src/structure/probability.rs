//! A probability beside its complement.

use std::ops::Not;

use crate::{Certain, Error, Scalar};

/// The probability that something occurs, and that it does not: two numbers, since `1 - p` has lost its digits for a `p`
/// near 1, and `p` is lost in `1 - p` for one near 0.
///
/// In a fault tree `yes` is the probability that the event has occurred (the unavailability or the unreliability of what
/// it stands for), `no` that it has not.
///
/// ```
/// use availability::structure::Probability;
/// // One hour of a unit that fails once in 1e9 hours: both sides have all their digits.
/// let failed = Probability::failed_by(1e-9, 1.0);
/// assert_eq!(failed.yes, 9.999999995e-10);
/// assert_eq!((!failed).no, failed.yes);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probability<S = f64> {
    /// That it occurs.
    pub yes: S,
    /// That it does not.
    pub no: S,
}

/// How far from 1 the sum of both sides may be before they are no longer believed to be complements.
const SUM: f64 = 1e-9;

impl<S: Scalar> Probability<S> {
    /// What never occurs.
    pub const IMPOSSIBLE: Self = Self { yes: S::ZERO, no: S::ONE };
    /// What always occurs.
    pub const CERTAIN: Self = Self { yes: S::ONE, no: S::ZERO };

    /// A probability of which only the one side is known: the other is its difference from 1, which is exact to the last
    /// digit of 1. Where `yes` is near 1 give both sides instead.
    #[must_use]
    pub fn of(yes: S) -> Self {
        Self { yes, no: S::ONE - yes }
    }

    /// That a unit with a constant failure rate has failed by a time: `1 - exp(-rate time)`, and `exp(-rate time)`.
    #[must_use]
    pub fn failed_by(rate: S, time: S) -> Self {
        let exponent = -(rate * time);
        Self { yes: -exponent.exp_m1(), no: exponent.exp() }
    }

    /// That a unit with constant rates of failure and of repair is down in the long run: `failure / (failure + repair)`,
    /// and `repair / (failure + repair)`.
    #[must_use]
    pub fn down(failure_rate: S, repair_rate: S) -> Self {
        let sum = failure_rate + repair_rate;
        Self { yes: failure_rate / sum, no: repair_rate / sum }
    }

    /// That both of two independent events occur.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { yes: self.yes * other.yes, no: self.no + self.yes * other.no }
    }

    /// That at least one of two independent events occurs: `a + b - ab`, formed as `a + (1 - a) b`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        !(!self).and(!other)
    }

    /// That at least `k` of `n` independent events occur, all of this probability: both tails of the binomial
    /// distribution, each as a sum of positive terms.
    ///
    /// Time grows as `n` times the smaller of `k` and `n - k + 1`.
    #[must_use]
    pub fn at_least(self, k: u32, n: u32) -> Self {
        self.copies(k, n).0
    }

    /// [`Self::at_least`], and the derivative of it by this probability: `n` times the probability that exactly `k - 1` of
    /// the other `n - 1` occur.
    pub(crate) fn copies(self, k: u32, n: u32) -> (Self, S) {
        if k == 0 {
            return (Self::CERTAIN, S::ZERO);
        }
        if k > n {
            return (Self::IMPOSSIBLE, S::ZERO);
        }
        // At least k occur unless at least n - k + 1 do not: the shorter of both counts is kept.
        if k > n - k + 1 {
            let (other, slope) = (!self).copies(n - k + 1, n);
            return (!other, slope);
        }
        let k = k as usize;
        let mut occurred = vec![S::ZERO; k + 1];
        occurred[0] = S::ONE;
        for _ in 1..n {
            self.one_more(&mut occurred);
        }
        let exactly = occurred[k - 1];
        self.one_more(&mut occurred);
        let no = occurred[..k].iter().fold(S::ZERO, |sum, &p| sum + p);
        (Self { yes: occurred[k], no }, S::from(f64::from(n)) * exactly)
    }

    /// The distribution of the number of events that occurred, the last entry for "so many or more", after one event more.
    fn one_more(self, occurred: &mut [S]) {
        let last = occurred.len() - 1;
        occurred[last] += occurred[last - 1] * self.yes;
        for count in (1..last).rev() {
            occurred[count] = occurred[count] * self.no + occurred[count - 1] * self.yes;
        }
        occurred[0] *= self.no;
    }

    /// Whether this is a probability: both sides within 0 and 1, and complements of each other within 1e-9.
    ///
    /// # Errors
    /// If it is not; the error names the event.
    pub fn check(&self, event: &str) -> Result<(), Error> {
        let (yes, no) = (self.yes.value(), self.no.value());
        if !(0.0..=1.0).contains(&yes) || !(0.0..=1.0).contains(&no) {
            let what = format!("the event {event:?} has the probability {yes} and beside it {no} of not occurring");
            return Err(Error::new(what, "both are numbers from 0 to 1"));
        }
        if (yes + no - 1.0).abs() > SUM {
            let what = format!(
                "the probabilities {yes} that the event {event:?} occurs and {no} that it does not are no complements"
            );
            return Err(Error::new(what, "they must add up to 1"));
        }
        Ok(())
    }
}

impl Probability<f64> {
    /// The same two numbers, each within one rounding of the true one (a relative error of 2^-53): what a decimal figure
    /// is after it was read.
    #[must_use]
    pub fn rounded(self) -> Probability<Certain> {
        let one = |value| Certain { value, relative_error: if value == 0.0 { 0.0 } else { f64::EPSILON / 2.0 } };
        Probability { yes: one(self.yes), no: one(self.no) }
    }
}

impl<S> Not for Probability<S> {
    type Output = Self;

    /// The event that it does not occur.
    fn not(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dual;

    #[test]
    fn copies_are_the_binomial_tails() {
        let p = Probability { yes: 0.25, no: 0.75 };
        // 3 of 4: 4 * 3/256 + 1/256.
        assert_eq!(p.at_least(3, 4), Probability { yes: 13.0 / 256.0, no: 243.0 / 256.0 });
        assert_eq!(p.at_least(2, 4), Probability { yes: 67.0 / 256.0, no: 189.0 / 256.0 });
        assert_eq!(p.at_least(0, 4), Probability::CERTAIN);
        assert_eq!(p.at_least(5, 4), Probability::IMPOSSIBLE);
        assert_eq!(p.at_least(1, 1), p);
    }

    #[test]
    fn the_slope_of_copies_is_their_derivative() {
        for k in 0..=6 {
            let (value, slope) = Probability::of(Dual::variable(0.2)).copies(k, 5);
            assert!((value.yes.slope - slope.value).abs() < 1e-15, "{k} of 5: {value:?}, {slope:?}");
            assert!((value.no.slope + slope.value).abs() < 1e-15, "{k} of 5: {value:?}, {slope:?}");
        }
    }

    #[test]
    fn what_is_no_probability_is_named() {
        let nan = Probability { yes: f64::NAN, no: 1.0 }.check("pump").unwrap_err();
        assert!(nan.to_string().contains("\"pump\" has the probability NaN"), "{nan}");
        assert!(Probability { yes: 1.5, no: -0.5 }.check("pump").is_err());
        assert!(Probability { yes: 0.5, no: 0.4 }.check("pump").is_err());
        assert!(Probability::of(0.02).check("pump").is_ok());
    }
}
