//! A test of a share that stops as soon as it can.

use super::plan::within;
use crate::Error;

/// The most injections over which a sequential test is followed.
const LONGEST: u64 = 10_000_000;
/// It is followed over so many times its mean number of injections at most: nothing is left by then.
const FOLLOWED: f64 = 100.0;
/// The most steps, injections times counts of misses, that following it may take: less than a second.
const MOST_STEPS: f64 = 1e8;
/// Probabilities below this add nothing to any figure.
const NEGLIGIBLE: f64 = 1e-18;

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

/// Wald's sequential probability ratio test of the share of faults missed (Wald 1945, 1947; IEC 61124 uses it for failure rates).
///
/// It decides between a good and a bad share, on average with fewer injections than any other test of the same two risks. It
/// goes on while the logarithm of the likelihood ratio of n injections with k misses,
/// `k ln(bad / good) + (n - k) ln((1 - bad) / (1 - good))`, lies between `ln(consumer / (1 - producer))` and
/// `ln((1 - consumer) / producer)`. Over `u = ln(bad / good) + ln((1 - good) / (1 - bad))` these limits are two lines of one
/// slope, `ln((1 - good) / (1 - bad)) / u`, for the count of misses.
#[derive(Clone, Copy, Debug)]
pub struct SequentialTest {
    good: f64,
    bad: f64,
    producer_risk: f64,
    consumer_risk: f64,
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
            producer_risk,
            consumer_risk,
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

    /// The lines: misses that both rise by for each injection, how far the one of acceptance lies below the origin, and how far
    /// the one of rejection lies above it.
    #[must_use]
    pub const fn lines(&self) -> (f64, f64, f64) {
        (self.slope, self.accept, self.reject)
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

    /// The least number of injections after which it accepts, if so many faults were missed.
    #[must_use]
    pub fn accepts_from(&self, missed: u64) -> u64 {
        ((missed as f64 + self.accept) / self.slope).ceil() as u64
    }

    /// The largest number of injections after which it rejects, if so many faults were missed; `None` if it does not for so few.
    #[must_use]
    pub fn rejects_until(&self, missed: u64) -> Option<u64> {
        let most = ((missed as f64 - self.reject) / self.slope).floor();
        (most >= missed as f64).then_some(most as u64)
    }

    /// How the test behaves if the good share is the true one, and if the bad one is, by Wald's approximation: as if the count
    /// of misses ended on a line and not beyond it. Then the risks are those asked for, and the mean number of injections is
    /// `(rejection * reject - acceptance * accept) / (share - slope)`, the last two being the distances of the lines. It is too
    /// small, the more so the nearer the lines are: for shares of 0.001 and 0.01 with risks of 0.05 by 5 % and by 24 %.
    #[must_use]
    pub fn approximation(&self) -> [Operation; 2] {
        let under = |share: f64, accept: f64, reject: f64| {
            let mean_injections = (reject * self.reject - accept * self.accept) / (share - self.slope);
            Operation { accept, reject, undecided: 0.0, mean_injections }
        };
        [
            under(self.good, 1.0 - self.producer_risk, self.producer_risk),
            under(self.bad, self.consumer_risk, 1.0 - self.consumer_risk),
        ]
    }

    /// The same exactly, by [`Self::operation`] until nothing is left undecided; `None` if the test is too long to be followed so
    /// far in about a second.
    #[must_use]
    pub fn exact(&self) -> Option<[Operation; 2]> {
        let [good, bad] = self.approximation().map(|about| about.mean_injections);
        let most = (FOLLOWED * (good.max(bad) + 1.0)).min(LONGEST as f64);
        // Between the lines lie so many counts of misses, and one or two more while a step is made.
        if most * (self.accept + self.reject + 2.0) > MOST_STEPS {
            return None;
        }
        let under = |share: f64| self.operation(share, most as u64).ok().filter(|end| end.undecided < 1e-9);
        Some([under(self.good)?, under(self.bad)?])
    }

    /// How the test behaves if `share` is the true one and it is cut off after `most` injections: exactly, by following the
    /// probability of every count of misses from injection to injection.
    ///
    /// # Errors
    /// Unless the share lies between 0 and 1 and `most` is at most ten million.
    pub fn operation(&self, share: f64, most: u64) -> Result<Operation, Error> {
        within("share", share)?;
        if most > LONGEST {
            return Err(Error::new(format!("a test of {most} injections"), format!("follow at most {LONGEST}")));
        }
        let mut operation = Operation { accept: 0.0, reject: 0.0, undecided: 0.0, mean_injections: 0.0 };
        // open[k - first]: probability to be undecided with k misses.
        let (mut first, mut open) = (0, vec![1.0]);
        for injected in 1..=most {
            let left: f64 = open.iter().sum();
            if left < NEGLIGIBLE {
                break;
            }
            operation.mean_injections += left;
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
        }
        operation.undecided = open.iter().sum();
        Ok(operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::special::binomial_at_most;

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
        assert_eq!(test.accepts_from(0), 14);
        assert_eq!(test.verdict(4, 4), Verdict::Reject);
        assert_eq!(test.verdict(3, 3), Verdict::Continue);
    }

    #[test]
    fn the_ends_of_a_sequential_test_are_where_its_verdict_changes() {
        let test = SequentialTest::new(0.01, 0.03, 0.05, 0.1).expect("valid");
        for missed in 0..8 {
            let from = test.accepts_from(missed);
            assert_eq!(test.verdict(from, missed), Verdict::Accept);
            assert_ne!(test.verdict(from - 1, missed), Verdict::Accept);
            // The line of rejection is at 2.58 misses where it begins.
            assert_eq!(test.rejects_until(missed).is_some(), missed > 2);
            if let Some(until) = test.rejects_until(missed) {
                assert_eq!(test.verdict(until, missed), Verdict::Reject);
                assert_ne!(test.verdict(until + 1, missed), Verdict::Reject);
            }
        }
    }

    #[test]
    fn a_sequential_test_that_ends_with_the_first_miss_is_known_by_hand() {
        // u = ln 5000 + ln 1.9998 = 9.21024, slope = 0.075248, both lines at ln 19 / u = 0.319692: five covered faults accept,
        // and a miss among them rejects, which it would up to the ninth injection.
        let test = SequentialTest::new(1e-4, 0.5, 0.05, 0.05).expect("valid");
        assert_eq!((test.accepts_from(0), test.rejects_until(0), test.rejects_until(1)), (5, None, Some(9)));
        let exact = test.exact().expect("a short test");
        for (found, share) in exact.iter().zip([1e-4, 0.5]) {
            let covered = (1.0_f64 - share).powi(5);
            assert!((found.accept - covered).abs() < 1e-14, "{found:?}");
            assert!((found.reject - (1.0 - covered)).abs() < 1e-14, "{found:?}");
            assert!((found.mean_injections - (1.0 - covered) / share).abs() < 1e-10, "{found:?}");
        }
    }

    #[test]
    fn the_mean_numbers_of_injections_are_walds_and_the_exact_ones_are_larger() {
        let test = SequentialTest::new(0.1, 0.3, 0.02, 0.03).expect("valid");
        // Wald's formula in logarithms of the likelihood ratio: what it ends with over what an injection adds on average.
        let (low, high) = ((0.03_f64 / 0.98).ln(), (0.97_f64 / 0.02).ln());
        let (miss, cover) = (3_f64.ln(), (7.0_f64 / 9.0).ln());
        let by_hand =
            |share: f64, accept: f64| (accept * low + (1.0 - accept) * high) / (share * miss + (1.0 - share) * cover);
        let exact = test.exact().expect("a short test");
        // The exact ones by the same recursion in another language.
        for (k, (share, accept, mean)) in
            [(0.1, 0.98, 29.901_808_313_833_57), (0.3, 0.03, 26.602_206_874_327_21)].into_iter().enumerate()
        {
            let about = test.approximation()[k];
            assert!((about.mean_injections / by_hand(share, accept) - 1.0).abs() < 1e-12, "{about:?}");
            assert!((about.accept - accept).abs() < 1e-15 && (about.accept + about.reject - 1.0).abs() < 1e-15);
            assert!((exact[k].mean_injections / mean - 1.0).abs() < 1e-10, "{exact:?}");
        }
        // Shares that hardly differ need more injections than are followed.
        assert!(SequentialTest::new(9.9e-7, 1e-6, 0.05, 0.05).expect("valid").exact().is_none());
    }

    #[test]
    fn shares_and_risks_that_leave_nothing_to_decide_are_refused() {
        assert!(SequentialTest::new(0.2, 0.1, 0.05, 0.05).is_err());
        assert!(SequentialTest::new(0.1, 0.2, 0.5, 0.5).is_err());
    }
}
