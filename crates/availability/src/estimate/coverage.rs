//! The share of faults that were covered, from injections: coverage and its complement, each with its own digits.

use super::special::{Tail, beta_quantile, ln_beta};
use super::{Confidence, Interval};
use crate::Error;

/// The most injections: beyond it quantiles take long, and nobody makes so many.
const MOST_INJECTIONS: u64 = 1_000_000_000;

/// A coverage c and its complement 1 - c, which models need with all its digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// c: the share of faults that were covered.
    pub covered: Interval,
    /// 1 - c: the share of those that were not.
    pub missed: Interval,
}

/// Faults that were injected, and those of them that were not covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injections {
    /// All that were made.
    pub injected: u64,
    /// Those that were not covered.
    pub missed: u64,
}

impl Injections {
    /// So many injections with so many misses.
    ///
    /// # Errors
    /// Without an injection, with more misses than injections, or with more than 1e9 of them.
    pub fn new(injected: u64, missed: u64) -> Result<Self, Error> {
        if injected == 0 {
            return Err(Error::new("a coverage from no injection", "inject at least one fault"));
        }
        if injected > MOST_INJECTIONS {
            return Err(Error::new(format!("{injected} injections"), format!("count at most {MOST_INJECTIONS}")));
        }
        if missed > injected {
            return Err(Error::new(
                format!("{missed} faults missed of {injected} injected"),
                "no more can be missed than were injected",
            ));
        }
        Ok(Self { injected, missed })
    }

    /// The interval of Clopper and Pearson 1934, for a number of injections that was fixed before.
    ///
    /// Its ends are the shares with which so many misses, or so few, would have just the probability of the doubt. Since the
    /// count is discrete it holds the true coverage at least as often as it says. `confidence` is about the coverage: its
    /// lower bound is the upper bound of the share missed.
    #[must_use]
    pub fn fixed(self, confidence: Confidence) -> Coverage {
        let (n, k) = (self.injected as f64, self.missed as f64);
        // Beta laws with a parameter 0 stand at the ends.
        let most = |tail| if self.missed == self.injected { (1.0, 0.0) } else { beta_quantile(k + 1.0, n - k, tail) };
        let least = |tail| if self.missed == 0 { (0.0, 1.0) } else { beta_quantile(k, n - k + 1.0, tail) };
        self.between(confidence, least, most)
    }

    /// The exact interval if the injections went on until this number of misses was reached (negative binomial sampling,
    /// Haldane 1945): the last injection was a miss, and the number of injections is what came by chance.
    ///
    /// # Errors
    /// Without a miss: then no miss can have ended it.
    pub fn until_missed(self, confidence: Confidence) -> Result<Coverage, Error> {
        if self.missed == 0 {
            return Err(Error::new(
                "injections that went on until a miss, without a miss",
                "use the interval for a number of injections that was fixed before",
            ));
        }
        let (n, k) = (self.injected as f64, self.missed as f64);
        let most = |tail| if self.missed == self.injected { (1.0, 0.0) } else { beta_quantile(k, n - k, tail) };
        Ok(self.between(confidence, |tail| beta_quantile(k, n - k + 1.0, tail), most))
    }

    /// An interval that stays valid although one looks after every injection and stops when one likes.
    ///
    /// All shares q are kept for which the likelihood of the misses, averaged over a Beta(1/2, 1/2) law, is less than
    /// 1/doubt times that at q: by Ville's inequality the true share ever leaves the intervals of a whole campaign with at
    /// most the probability of the doubt (Robbins 1970, Howard and others 2021). That costs width: 1,000 injections with 5 missed give it 1.7 times
    /// the width of [`Self::fixed`] at 95 %. One-sided bounds are those of the same set, and so on the safe side.
    #[must_use]
    pub fn at_any_time(self, confidence: Confidence) -> Coverage {
        let (n, k) = (self.injected as f64, self.missed as f64);
        let mixture = ln_beta(k + 0.5, n - k + 0.5) - ln_beta(0.5, 0.5);
        let weight = |count: f64, ln: f64| if count == 0.0 { 0.0 } else { count * ln };
        // How much the logarithm of the ratio is above the limit at logit u: falls towards k/n from both sides.
        let above = |u: f64| {
            let (ln_q, ln_c) = (-(-u).exp().ln_1p(), -u.exp().ln_1p());
            mixture - weight(k, ln_q) - weight(n - k, ln_c) + confidence.doubt().ln()
        };
        let point = |u: f64| ((1.0 + (-u).exp()).recip(), (1.0 + u.exp()).recip());
        let best = (k.max(0.5) / (n - k).max(0.5)).ln();
        let least = if self.missed == 0 { (0.0, 1.0) } else { point(edge(best, -1.0, above)) };
        let most = if self.missed == self.injected { (1.0, 0.0) } else { point(edge(best, 1.0, above)) };
        self.between(confidence, |_| least, |_| most)
    }

    /// Assembles both complements from the ends (share missed, share covered) for tails of the share missed.
    fn between(
        self,
        confidence: Confidence,
        least: impl Fn(Tail) -> (f64, f64),
        most: impl Fn(Tail) -> (f64, f64),
    ) -> Coverage {
        let missed = confidence.mirrored();
        let (missed_low, covered_high) = missed.below().map_or((0.0, 1.0), |doubt| least(Tail::Lower(doubt)));
        let (missed_high, covered_low) = missed.above().map_or((1.0, 0.0), |doubt| most(Tail::Upper(doubt)));
        let n = self.injected as f64;
        Coverage {
            covered: Interval {
                point: (self.injected - self.missed) as f64 / n,
                lower: covered_low,
                upper: covered_high,
            },
            missed: Interval { point: self.missed as f64 / n, lower: missed_low, upper: missed_high },
        }
    }
}

/// Where a function of u becomes positive, seen from `from` into the direction of `sign`: doubling steps, then halving.
fn edge(from: f64, sign: f64, above: impl Fn(f64) -> f64) -> f64 {
    let mut step = 0.5;
    while above(from + sign * step) < 0.0 && step < 1e3 {
        step *= 2.0;
    }
    let (mut inside, mut outside) = (0.0, step);
    for _ in 0..60 {
        let middle = f64::midpoint(inside, outside);
        if above(from + sign * middle) < 0.0 {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    from + sign * outside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_at_any_time_costs_width() {
        let (injections, confidence) =
            (Injections::new(1000, 5).expect("valid"), Confidence::two_sided(0.95).expect("valid"));
        let width = |coverage: Coverage| coverage.missed.upper - coverage.missed.lower;
        let ratio = width(injections.at_any_time(confidence)) / width(injections.fixed(confidence));
        assert!((ratio - 1.7).abs() < 0.05, "{ratio}");
    }

    #[test]
    fn the_edges_of_an_interval_at_any_time_have_the_likelihood_they_should() {
        let confidence = Confidence::two_sided(0.9).expect("valid");
        for (n, k) in [(1, 0), (1, 1), (299, 0), (500, 50), (20, 20)] {
            let missed = Injections::new(n, k).expect("valid").at_any_time(confidence).missed;
            let (n, k) = (n as f64, k as f64);
            let mixture = ln_beta(k + 0.5, n - k + 0.5) - ln_beta(0.5, 0.5);
            for q in [missed.lower, missed.upper] {
                if q > 0.0 && q < 1.0 {
                    let ratio = mixture - k * q.ln() - (n - k) * (-q).ln_1p();
                    assert!((ratio - 10_f64.ln()).abs() < 1e-9, "{n} {k}: {ratio}");
                }
            }
            assert!(missed.holds(k / n));
        }
    }

    #[test]
    fn sampling_until_a_miss_has_its_own_upper_end() {
        // The 20th injection is the first miss: P(no miss in 19) = 0.05 at the upper bound of the share missed.
        let bounds = Injections::new(20, 1)
            .expect("valid")
            .until_missed(Confidence::new(0.95, crate::estimate::Sides::Lower).expect("valid"));
        let missed = bounds.expect("valid").missed.upper;
        assert!(((1.0 - missed).powi(19) - 0.05).abs() < 1e-14);
        assert!(
            Injections::new(20, 0).expect("valid").until_missed(Confidence::two_sided(0.95).expect("valid")).is_err()
        );
        assert!(Injections::new(0, 0).is_err() && Injections::new(3, 4).is_err());
    }
}
