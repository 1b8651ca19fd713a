//! Times that are not exponential, as phases that are: what a Markov chain can hold.

use super::special::{Tails, gamma_tails, ln_gamma};
use crate::Error;

/// One time that was waited for, complete or cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lifetime {
    /// How long it was observed, positive, in any unit of time.
    pub time: f64,
    /// Whether it ended by itself; `false` if the observation ended first (right-censored).
    pub complete: bool,
}

/// One way through a hyper-Erlang law: with this weight, so many phases of the same rate one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// The probability of this way; those of all branches add up to 1.
    pub weight: f64,
    /// The phases in a row.
    pub phases: u32,
    /// The rate of each phase, per unit of time.
    pub rate: f64,
}

/// A mixture of Erlang laws. As states of a chain: enter branch i with its weight, leave each of its phases with its rate.
#[derive(Clone, Debug, PartialEq)]
pub struct HyperErlang {
    /// The branches, one or more.
    pub branches: Vec<Branch>,
    /// The logarithm of the likelihood of the times that it was fitted to; `None` if it was made from moments.
    pub log_likelihood: Option<f64>,
}

/// Rounds of expectation and maximisation before a fit counts as not converged.
const ROUNDS: usize = 20_000;
/// The most phases that a fit tries: the number of ways to divide them grows fast.
const MOST_PHASES: u32 = 12;

impl HyperErlang {
    /// Fits one to times, some of which may be cut off, by expectation and maximisation for every way to divide up to
    /// `most_phases` phases among up to three branches (Thuemmler, Buchholz and Telek 2006, with the censored times of Olsson
    /// 1996). Of all it takes the one with the best Bayesian information criterion, so that more phases must earn
    /// their place: exponential times give one phase.
    ///
    /// # Errors
    /// If a time is not positive, none is complete, or more than 12 phases are asked for; if no fit converges.
    pub fn fit(times: &[Lifetime], most_phases: u32) -> Result<Self, Error> {
        check(times)?;
        if !(1..=MOST_PHASES).contains(&most_phases) {
            return Err(Error::new(
                format!("a fit of up to {most_phases} phases"),
                format!("ask for 1 to {MOST_PHASES}"),
            ));
        }
        let criterion = |fit: &Self| {
            let free = 2 * fit.branches.len() - 1;
            fit.log_likelihood.map_or(f64::INFINITY, |log| free as f64 * (times.len() as f64).ln() - 2.0 * log)
        };
        let mut best: Option<Self> = None;
        for shapes in divisions(most_phases) {
            let Some(fit) = Self::fit_shapes(times, &shapes) else { continue };
            if best.as_ref().is_none_or(|best| criterion(&fit) < criterion(best) - 1e-9) {
                best = Some(fit);
            }
        }
        best.ok_or_else(|| {
            Error::new(
                format!("no fit converged within {ROUNDS} rounds"),
                "try fewer phases, or look at the times themselves",
            )
        })
    }

    /// Fits branches of these shapes; `None` if it does not converge or a branch dies out.
    fn fit_shapes(times: &[Lifetime], shapes: &[u32]) -> Option<Self> {
        let mean =
            times.iter().map(|time| time.time).sum::<f64>() / times.iter().filter(|time| time.complete).count() as f64;
        let count = shapes.len() as f64;
        // Starting means are spread around the mean by factors of 4, long branches for the shortest times.
        let mut branches: Vec<Branch> = shapes
            .iter()
            .enumerate()
            .map(|(k, &phases)| {
                let spread = 4_f64.powf(k as f64 - 0.5 * (count - 1.0));
                Branch { weight: count.recip(), phases, rate: f64::from(phases) / (mean * spread) }
            })
            .collect();
        let mut before = f64::NEG_INFINITY;
        for _ in 0..ROUNDS {
            let log_likelihood = round(times, &mut branches)?;
            if (log_likelihood - before).abs() <= 1e-10 * log_likelihood.abs().max(1.0) {
                return Some(Self { branches, log_likelihood: Some(log_likelihood) });
            }
            before = log_likelihood;
        }
        None
    }

    /// The law with this mean and squared coefficient of variation, with the fewest phases.
    ///
    /// From 1 upwards two exponential branches with balanced means; below, a mixture of k - 1 and k phases of one rate
    /// (Tijms, Stochastic Models, 1994); times that hardly vary would need 1/cv2 phases.
    ///
    /// # Errors
    /// Unless the mean is positive and finite and the squared coefficient lies within 0.01 and 1e6.
    pub fn from_moments(mean: f64, cv2: f64) -> Result<Self, Error> {
        if !(mean > 0.0 && mean.is_finite() && (0.01..=1e6).contains(&cv2)) {
            return Err(Error::new(
                format!("a time of mean {mean} and squared coefficient of variation {cv2}"),
                "the mean is positive, the coefficient (variance over squared mean) lies within 0.01 and 1e6",
            ));
        }
        let branches = if cv2 >= 1.0 {
            let weight = 0.5 * (1.0 + ((cv2 - 1.0) / (cv2 + 1.0)).sqrt());
            // 1 - weight without the cancellation for large cv2.
            let rest = 1.0 / ((cv2 + 1.0) * 2.0 * weight);
            [weight, rest].map(|weight| Branch { weight, phases: 1, rate: 2.0 * weight / mean }).to_vec()
        } else {
            let k = cv2.recip().ceil();
            let short = (k * cv2 - (k * (1.0 + cv2) - k * k * cv2).max(0.0).sqrt()) / (1.0 + cv2);
            let rate = (k - short) / mean;
            [(short, k - 1.0), (1.0 - short, k)]
                .map(|(weight, phases)| Branch { weight, phases: phases as u32, rate })
                .to_vec()
        };
        let branches = branches.into_iter().filter(|branch| branch.weight > 1e-15 && branch.phases > 0).collect();
        Ok(Self { branches, log_likelihood: None })
    }

    /// The mean time.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.branches.iter().map(|branch| branch.weight * f64::from(branch.phases) / branch.rate).sum()
    }

    /// The squared coefficient of variation: 1 for exponential times.
    #[must_use]
    pub fn cv2(&self) -> f64 {
        let mean = self.mean();
        let second: f64 = self
            .branches
            .iter()
            .map(|branch| {
                let phases = f64::from(branch.phases);
                branch.weight * phases * (phases + 1.0) / (branch.rate * branch.rate)
            })
            .sum();
        second / (mean * mean) - 1.0
    }

    /// The probabilities to end by this time and to last longer.
    #[must_use]
    pub fn tails(&self, time: f64) -> Tails {
        self.branches.iter().fold(Tails { lower: 0.0, upper: 0.0 }, |sum, branch| {
            let tails = branch.tails(time);
            Tails { lower: sum.lower + branch.weight * tails.lower, upper: sum.upper + branch.weight * tails.upper }
        })
    }
}

impl Branch {
    fn tails(self, time: f64) -> Tails {
        gamma_tails(f64::from(self.phases), self.rate * time)
    }

    fn density(self, time: f64) -> f64 {
        let phases = f64::from(self.phases);
        let ln = phases * self.rate.ln() + (phases - 1.0) * time.ln() - self.rate * time - ln_gamma(phases);
        ln.exp()
    }

    /// The likelihood of a time in this branch, and the whole time to expect given what was seen.
    fn seen(self, time: &Lifetime) -> (f64, f64) {
        if time.complete {
            return (self.density(time.time), time.time);
        }
        let lasts = self.tails(time.time).upper;
        let longer = gamma_tails(f64::from(self.phases) + 1.0, self.rate * time.time).upper;
        (lasts, f64::from(self.phases) / self.rate * longer / lasts)
    }
}

/// One round of expectation and maximisation; the logarithm of the likelihood before it.
fn round(times: &[Lifetime], branches: &mut [Branch]) -> Option<f64> {
    let mut sums = vec![(0.0, 0.0); branches.len()];
    let mut log_likelihood = 0.0;
    for time in times {
        let seen: Vec<(f64, f64)> = branches.iter().map(|branch| branch.seen(time)).collect();
        let likelihood: f64 = branches.iter().zip(&seen).map(|(branch, seen)| branch.weight * seen.0).sum();
        if !(likelihood > 0.0 && likelihood.is_finite()) {
            return None;
        }
        log_likelihood += likelihood.ln();
        for ((branch, seen), sum) in branches.iter().zip(&seen).zip(&mut sums) {
            let share = branch.weight * seen.0 / likelihood;
            if share > 0.0 {
                sum.0 += share;
                sum.1 += share * seen.1;
            }
        }
    }
    for (branch, (count, time)) in branches.iter_mut().zip(sums) {
        branch.weight = count / times.len() as f64;
        branch.rate = f64::from(branch.phases) * count / time;
        if !(branch.weight > 1e-6 && branch.rate.is_finite() && branch.rate > 0.0) {
            return None;
        }
    }
    Some(log_likelihood)
}

/// Every way to divide 1 to `most` phases among one to three branches, longest first.
fn divisions(most: u32) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for a in 1..=most {
        all.push(vec![a]);
        for b in 1..=a.min(most - a) {
            all.push(vec![a, b]);
            for c in 1..=b.min(most - a - b) {
                all.push(vec![a, b, c]);
            }
        }
    }
    all
}

fn check(times: &[Lifetime]) -> Result<(), Error> {
    if let Some(k) = times.iter().position(|time| !(time.time > 0.0 && time.time.is_finite())) {
        return Err(Error::new(format!("time {} is {}", k + 1, times[k].time), "times are positive and finite"));
    }
    if !times.iter().any(|time| time.complete) {
        return Err(Error::new("a fit to times none of which is complete", "observe until some have ended"));
    }
    Ok(())
}
