//! How much has to be observed for a claim: sample sizes, test times, and tests that stop as soon as they can.

use super::special::{Tail, binomial_at_most, chi_square_quantile};
use crate::Error;

/// No plan asks for more injections: beyond it nobody would carry it out.
const MOST: u64 = 1 << 40;

/// The least number of injections that shows a share of missed faults of at most `missed_share` with this confidence, if so
/// many misses come up on the way.
///
/// It is the least n for which a count of at most `misses` has probability `1 - level` or less at that share; without a
/// miss, `ln(1 - level) / ln(1 - missed_share)` rounded up. For a claimed coverage of 0.999 give the share 0.001.
///
/// # Errors
/// Unless share and level lie between 0 and 1, or if more than a million million injections were needed.
pub fn injections_needed(missed_share: f64, level: f64, misses: u64) -> Result<u64, Error> {
    within("missed share", missed_share)?;
    within("confidence", level)?;
    let shown = |n: u64| {
        let tails = binomial_at_most(misses, n, missed_share, 1.0 - missed_share);
        // Compare the smaller of the two, which has the more digits.
        if level < 0.5 { tails.upper >= level } else { tails.lower <= 1.0 - level }
    };
    let mut high = misses + 1;
    while !shown(high) {
        high *= 2;
        if high > MOST {
            return Err(Error::new(
                format!("more than {MOST} injections for a missed share of {missed_share}"),
                "claim less, or compute the share from parts that can be shown",
            ));
        }
    }
    let mut low = misses;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if shown(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

/// The observed time after which a mean time between events of `mean_time` is shown with this confidence, if so many events
/// come up on the way: `mean_time * chi2(level; 2 events + 2) / 2`, in the unit of the mean time.
///
/// # Errors
/// Unless the mean time is positive and finite, and the level lies between 0 and 1.
pub fn time_needed(mean_time: f64, level: f64, events: u64) -> Result<f64, Error> {
    within("confidence", level)?;
    if !(mean_time > 0.0 && mean_time.is_finite()) {
        return Err(Error::new(format!("a claimed mean time of {mean_time}"), "it is positive and finite"));
    }
    Ok(0.5 * mean_time * chi_square_quantile(2.0 * events as f64 + 2.0, Tail::Lower(level)))
}

fn within(what: &str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::new(format!("a {what} of {value}"), "it lies between 0 and 1, both excluded"))
}

/// What a sequential test says so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The share missed is taken for the good one or a better one.
    Accept,
    /// It is taken for the bad one or a worse one.
    Reject,
    /// Inject further.
    Continue,
}

/// Wald's sequential probability ratio test of the share of faults missed (Wald 1947; IEC 61124 uses it for failure rates).
///
/// It decides between a good and a bad share, on average with fewer injections than any other test of the same two risks.
#[derive(Clone, Copy, Debug)]
pub struct SequentialTest {
    good: f64,
    bad: f64,
    /// Misses a line rises by for each injection.
    slope: f64,
    /// How far the line of acceptance lies below, that of rejection above.
    accept: f64,
    reject: f64,
}

/// How a sequential test behaves for one true share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operation {
    /// The probability that it accepts.
    pub accept: f64,
    /// The probability that it rejects.
    pub reject: f64,
    /// The probability that it is undecided when the injections are at an end.
    pub undecided: f64,
    /// The mean number of injections.
    pub mean_injections: f64,
}

impl SequentialTest {
    /// A test that rejects the good share with at most about `producer_risk`, and accepts the bad one with at most about
    /// `consumer_risk` (Wald's limits keep the sum of both; [`Self::operation`] says exactly what they come to).
    ///
    /// # Errors
    /// Unless all lie between 0 and 1, the good share is the smaller, and the risks together are less than 1.
    pub fn new(good: f64, bad: f64, producer_risk: f64, consumer_risk: f64) -> Result<Self, Error> {
        for (what, value) in [
            ("good share", good),
            ("bad share", bad),
            ("producer's risk", producer_risk),
            ("consumer's risk", consumer_risk),
        ] {
            within(what, value)?;
        }
        if good >= bad || producer_risk + consumer_risk >= 1.0 {
            return Err(Error::new(
                format!(
                    "a good share of {good} and a bad one of {bad}, with risks {producer_risk} and {consumer_risk}"
                ),
                "the good share is the smaller one, and the risks add up to less than 1",
            ));
        }
        // ln of the likelihood ratio: each miss adds `miss`, each cover takes `cover`.
        let (miss, cover) = ((bad / good).ln(), (-good).ln_1p() - (-bad).ln_1p());
        let unit = miss + cover;
        Ok(Self {
            good,
            bad,
            slope: cover / unit,
            accept: ((1.0 - producer_risk) / consumer_risk).ln() / unit,
            reject: ((1.0 - consumer_risk) / producer_risk).ln() / unit,
        })
    }

    /// The good and the bad share.
    #[must_use]
    pub const fn shares(&self) -> (f64, f64) {
        (self.good, self.bad)
    }

    /// What the test says after so many injections and misses.
    #[must_use]
    pub fn verdict(&self, injected: u64, missed: u64) -> Verdict {
        let (line, missed) = (self.slope * injected as f64, missed as f64);
        if missed <= line - self.accept {
            Verdict::Accept
        } else if missed >= line + self.reject {
            Verdict::Reject
        } else {
            Verdict::Continue
        }
    }

    /// The injections after which a test without a miss accepts.
    #[must_use]
    pub fn earliest_acceptance(&self) -> u64 {
        (self.accept / self.slope).ceil() as u64
    }

    /// How the test behaves if `share` is the true one and it is cut off after `most` injections: exactly, by following the
    /// probability of every count of misses from injection to injection.
    ///
    /// # Errors
    /// Unless the share lies between 0 and 1 and `most` is at most ten million.
    pub fn operation(&self, share: f64, most: u64) -> Result<Operation, Error> {
        within("share", share)?;
        if most > 10_000_000 {
            return Err(Error::new(format!("a test of {most} injections"), "follow at most 10000000"));
        }
        let mut operation = Operation { accept: 0.0, reject: 0.0, undecided: 0.0, mean_injections: 0.0 };
        // open[k - first]: probability to be undecided with k misses.
        let (mut first, mut open) = (0, vec![1.0]);
        for injected in 1..=most {
            operation.mean_injections += open.iter().sum::<f64>();
            open.push(0.0);
            for k in (0..open.len()).rev() {
                open[k] = open[k] * (1.0 - share) + if k > 0 { open[k - 1] * share } else { 0.0 };
            }
            while !open.is_empty() && self.verdict(injected, first) == Verdict::Accept {
                operation.accept += open.remove(0);
                first += 1;
            }
            while !open.is_empty() && self.verdict(injected, first + open.len() as u64 - 1) == Verdict::Reject {
                operation.reject += open.pop().unwrap_or(0.0);
            }
            if open.is_empty() {
                break;
            }
        }
        operation.undecided = open.iter().sum();
        Ok(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_risks_of_a_sequential_test_are_those_asked_for() {
        let test = SequentialTest::new(0.01, 0.03, 0.05, 0.1).expect("valid");
        let good = test.operation(0.01, 20_000).expect("valid");
        let bad = test.operation(0.03, 20_000).expect("valid");
        // Wald's limits: risks / (1 - the other risk) each, and their sum as asked for.
        assert!(good.reject + bad.accept <= 0.15 && good.reject <= 0.05 / 0.9 && bad.accept <= 0.1 / 0.95);
        assert!(good.reject > 0.03 && bad.accept > 0.07, "{good:?} {bad:?}");
        for operation in [good, bad] {
            assert!((operation.accept + operation.reject + operation.undecided - 1.0).abs() < 1e-12);
            assert!(operation.undecided < 1e-9);
        }
        let (good_q, bad_q) = test.shares();
        let fixed_plan = |n: &u64| {
            let tails = |k, q: f64| binomial_at_most(k, *n, q, 1.0 - q);
            (0..30).any(|k| tails(k, good_q).upper <= good.reject && tails(k, bad_q).lower <= bad.accept)
        };
        let fixed = (1..2000).find(fixed_plan).expect("a plan") as f64;
        assert!(good.mean_injections < 0.8 * fixed && bad.mean_injections < 0.8 * fixed, "{fixed}: {good:?} {bad:?}");
    }

    #[test]
    fn the_lines_are_walds() {
        // By hand from Wald's formulas: ln 3 + ln(9/7) = 1.3499267, slope ln(9/7) = 0.2513144 over that.
        let test = SequentialTest::new(0.1, 0.3, 0.02, 0.03).expect("valid");
        assert!((test.slope - 0.186_168_9).abs() < 1e-6, "{}", test.slope);
        assert!((test.accept - (0.98_f64 / 0.03).ln() / 1.349_926_7).abs() < 1e-6);
        assert_eq!(test.verdict(13, 0), Verdict::Continue);
        assert_eq!(test.verdict(14, 0), Verdict::Accept);
        assert_eq!(test.earliest_acceptance(), 14);
        assert_eq!(test.verdict(4, 4), Verdict::Reject);
        assert_eq!(test.verdict(3, 3), Verdict::Continue);
    }

    #[test]
    fn what_cannot_be_planned_is_refused() {
        assert!(injections_needed(0.0, 0.95, 0).is_err());
        assert!(injections_needed(1e-13, 0.95, 0).is_err());
        assert!(time_needed(-1.0, 0.95, 0).is_err());
        assert!(SequentialTest::new(0.2, 0.1, 0.05, 0.05).is_err());
    }
}
