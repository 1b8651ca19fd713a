//! Does the rate change with time? A constant rate in a model wants a test that it is constant.

use super::special::{Tails, gamma_tails, normal_tails};
use crate::Error;

/// What a test of an assumption says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestResult {
    /// The test's statistic.
    pub statistic: f64,
    /// The probability of a statistic at least as far from what the assumption expects, on either side, if it holds: below
    /// 0.05 one doubts the assumption.
    pub p_value: f64,
}

/// The instants at which one unit failed (repair times taken out), from the beginning of its observation.
#[derive(Clone, Copy, Debug)]
pub struct FailureTimes<'a> {
    /// The instants, ascending, in any unit of time.
    pub instants: &'a [f64],
    /// The end of the observation in the same unit; `None` if the last failure ended it.
    pub end: Option<f64>,
}

impl FailureTimes<'_> {
    /// The instants that are by chance if the end is taken for given, each as its share of the whole time.
    fn shares(&self) -> Result<Vec<f64>, Error> {
        let (end, free) = match (self.end, self.instants.split_last()) {
            (Some(end), _) => (end, self.instants),
            (None, Some((&last, before))) => (last, before),
            (None, None) => (0.0, self.instants),
        };
        if free.is_empty() {
            return Err(Error::new(
                "a trend from too few failures",
                "it takes one failure before the end of the observation; several before it says much",
            ));
        }
        let mut before = 0.0;
        for (k, &instant) in self.instants.iter().enumerate() {
            if !(instant > before || (k == 0 && instant > 0.0)) || instant > end {
                return Err(Error::new(
                    format!("failure {} at {instant}, after one at {before}, of an observation of {end}", k + 1),
                    "failures are given in ascending order, after the beginning and not after the end",
                ));
            }
            before = instant;
        }
        Ok(free.iter().map(|instant| instant / end).collect())
    }
}

/// The Laplace test for a trend in the failure rate (Cox and Lewis 1966; IEC 60605-6): several units are pooled.
///
/// With a constant rate the instants are uniform over the time observed. The statistic is their mean's distance from the
/// middle in standard deviations: positive if failures become more frequent. The p-value is that of a sum of uniform numbers,
/// exact up to 20 failures, then normal with Edgeworth's correction (error below 1e-5).
///
/// # Errors
/// Without failures, or if they are not in order.
pub fn laplace_trend(units: &[FailureTimes]) -> Result<TestResult, Error> {
    let shares = pooled(units)?;
    let n = shares.len();
    let sum: f64 = shares.iter().sum();
    Ok(uniform_sum_test(sum, n))
}

/// The power-law trend test of MIL-HDBK-189 (also IEC 61164): twice the sum of ln(end/instant) follows a chi-square law with
/// two degrees of freedom for each failure if the rate is constant. It is the best one against wear-out of Weibull form.
///
/// The statistic is that sum: small if failures become more frequent.
///
/// # Errors
/// As [`laplace_trend`].
pub fn power_law_trend(units: &[FailureTimes]) -> Result<TestResult, Error> {
    let shares = pooled(units)?;
    let statistic: f64 = -2.0 * shares.iter().map(|share| share.ln()).sum::<f64>();
    let tails = gamma_tails(shares.len() as f64, 0.5 * statistic);
    Ok(TestResult { statistic, p_value: two_sided(tails) })
}

fn pooled(units: &[FailureTimes]) -> Result<Vec<f64>, Error> {
    let mut shares = Vec::new();
    for unit in units.iter().filter(|unit| unit.end.is_none() || !unit.instants.is_empty()) {
        shares.extend(unit.shares()?);
    }
    if shares.is_empty() {
        return Err(Error::new("a trend test without failures", "observe until some have come"));
    }
    Ok(shares)
}

/// The p-value for both sides: twice the smaller tail.
pub(crate) fn two_sided(tails: Tails) -> f64 {
    (2.0 * tails.lower.min(tails.upper)).min(1.0)
}

/// The test that a sum is one of n uniform numbers; the statistic is in standard deviations from n/2.
pub(crate) fn uniform_sum_test(sum: f64, n: usize) -> TestResult {
    let count = n as f64;
    let z = (sum - 0.5 * count) / (count / 12.0).sqrt();
    let p_value = if n <= 20 {
        let below = sum.min(count - sum);
        2.0 * irwin_hall(below, n)
    } else {
        // Edgeworth: excess kurtosis -6/(5n).
        let density = (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
        let z = z.abs();
        2.0 * (normal_tails(z).upper - (z * z * z - 3.0 * z) * density / (20.0 * count))
    };
    TestResult { statistic: z, p_value: p_value.clamp(0.0, 1.0) }
}

/// P(sum of n uniform numbers <= x), for x in the lower half: the alternating terms lose some 6 digits at n = 20.
fn irwin_hall(x: f64, n: usize) -> f64 {
    let (mut sum, mut choose) = (0.0, 1.0);
    for k in 0..=n {
        let base = x - k as f64;
        if base <= 0.0 {
            break;
        }
        sum += choose * (1..=n).map(|i| base / i as f64).product::<f64>();
        choose *= -((n - k) as f64) / (k + 1) as f64;
    }
    sum
}
