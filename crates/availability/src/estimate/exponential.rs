//! Are times exponential? The rates of a Markov chain assume it.

use super::special::Tails;
use super::trend::{TestResult, uniform_sum_test};
use crate::{Chance, Error};

/// A test whether complete times are exponential with some unknown mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExponentialTest {
    /// Lilliefors 1969: the largest distance between the observed distribution and the exponential one of the same mean.
    Lilliefors,
    /// Pearson's chi-square with classes of equal probability under the fitted law, five times expected in each.
    ChiSquare,
    /// Anderson and Darling's distance, which weighs the tails: it sees heavy tails that the others miss.
    AndersonDarling,
}

/// Tests whether complete (uncensored) times are exponential.
///
/// None of these statistics depends on the unknown mean, so that its distribution is that for times of mean 1: it is sampled
/// `runs` times with this seed. The p-value, (1 + samples at least as large) / (1 + runs), is exact for any number of runs
/// (Dwass 1957); more runs make it less coarse. 1,000 are enough for 0.05.
///
/// # Errors
/// With fewer than 5 times, or 10 for chi-square (with fewer nothing would be seen), with a time that is not positive, with
/// fewer than 99 runs.
pub fn exponential_test(times: &[f64], test: ExponentialTest, runs: u32, seed: u64) -> Result<TestResult, Error> {
    let least = if test == ExponentialTest::ChiSquare { 10 } else { 5 };
    check(times, least)?;
    if runs < 99 {
        return Err(Error::new(format!("a test of {runs} runs"), "take 99 or more, 999 for a p-value of 0.05"));
    }
    let mut chance = Chance::new(seed);
    let statistic = test.statistic(times.to_vec());
    let as_large = (0..runs)
        .filter(|_| {
            let sample = (0..times.len()).map(|_| chance.exponential()).collect();
            test.statistic(sample) >= statistic
        })
        .count();
    Ok(TestResult { statistic, p_value: (1 + as_large) as f64 / (f64::from(runs) + 1.0) })
}

fn check(times: &[f64], least: usize) -> Result<(), Error> {
    if times.len() < least {
        return Err(Error::new(
            format!("a test of {} times", times.len()),
            format!("it takes {least} or more, and 20 to notice anything but the grossest"),
        ));
    }
    match times.iter().position(|time| !(*time > 0.0 && time.is_finite())) {
        Some(k) => Err(Error::new(format!("time {} is {}", k + 1, times[k]), "times are positive and finite")),
        None => Ok(()),
    }
}

impl ExponentialTest {
    fn statistic(self, mut times: Vec<f64>) -> f64 {
        let n = times.len() as f64;
        let mean = times.iter().sum::<f64>() / n;
        times.sort_unstable_by(f64::total_cmp);
        let laws: Vec<Tails> =
            times.iter().map(|time| Tails { lower: -(-time / mean).exp_m1(), upper: (-time / mean).exp() }).collect();
        match self {
            Self::Lilliefors => laws.iter().enumerate().fold(0.0, |distance: f64, (k, law)| {
                let k = k as f64;
                distance.max(law.lower - k / n).max((k + 1.0) / n - law.lower)
            }),
            Self::ChiSquare => {
                let classes = (laws.len() / 5).max(2);
                let mut counts = vec![0.0; classes];
                for law in &laws {
                    counts[((law.lower * classes as f64) as usize).min(classes - 1)] += 1.0;
                }
                let expected = n / classes as f64;
                counts.iter().map(|count: &f64| (count - expected).powi(2) / expected).sum()
            }
            Self::AndersonDarling => {
                let pairs = laws.iter().zip(laws.iter().rev()).enumerate();
                // ln of the upper tail is -time/mean, exactly.
                let sum: f64 =
                    pairs.map(|(k, (low, high))| (2.0 * k as f64 + 1.0) * (low.lower.ln() + high.upper.ln())).sum();
                -n - sum / n
            }
        }
    }
}

/// Barlow and Proschan's test by the scaled total time on test (Barlow and Campo 1975): against a hazard that rises or falls.
///
/// Total time on test until the k-th failure, over that until the last, is for exponential times like the ordered uniform
/// numbers; their sum is far from the middle if the hazard rises (statistic positive: wear-out) or falls (negative: early
/// failures, or repairs of very different kinds). The p-value is exact, as in [`super::laplace_trend`].
///
/// # Errors
/// With fewer than 3 times, or one that is not positive.
pub fn total_time_on_test(times: &[f64]) -> Result<TestResult, Error> {
    check(times, 3)?;
    let curve = total_time_curve(times);
    let inner = &curve[..curve.len() - 1];
    Ok(uniform_sum_test(inner.iter().sum(), inner.len()))
}

/// The scaled total time on test after each failure, rising to 1: drawn against k/n it is a diagonal for exponential times,
/// above it for wear-out, below it for early failures. Times must be positive.
#[must_use]
pub fn total_time_curve(times: &[f64]) -> Vec<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let total: f64 = sorted.iter().sum();
    let (mut on_test, mut before) = (0.0, 0.0);
    let n = sorted.len();
    let mut curve: Vec<f64> = sorted
        .iter()
        .enumerate()
        .map(|(k, time)| {
            on_test += (n - k) as f64 * (time - before);
            before = *time;
            on_test / total
        })
        .collect();
    if let Some(last) = curve.last_mut() {
        *last = 1.0;
    }
    curve
}
