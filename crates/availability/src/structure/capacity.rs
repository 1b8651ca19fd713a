//! How much of a capacity is up: groups of servers, agents or ports.

use super::Probability;
use crate::{Error, Scalar};

/// The distribution of a capacity in whole units: entry `k` of it is the probability (in the long run, the share of time)
/// that exactly `k` units are up. Exact: only sums of products of the given probabilities, without a subtraction.
///
/// ```
/// use availability::structure::{CapacityDistribution, Probability};
///
/// // Four hosts of 30 agents' calls each, behind one switch.
/// let hosts = CapacityDistribution::servers(4, 30, Probability::of(0.01))?;
/// let site = hosts.behind(Probability::of(0.001));
/// let short = !site.at_least(90);
/// assert!((short.yes - (0.001 + 0.999 * 5.9203e-4)).abs() < 1e-12);
/// # Ok::<(), availability::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CapacityDistribution<S = f64> {
    probabilities: Vec<S>,
}

/// Beyond it a distribution would take minutes to compute.
const MAX_UNITS: u64 = 1_000_000;
/// Products that one operation may take.
const MAX_STEPS: u64 = 4_000_000_000;

impl<S: Scalar> CapacityDistribution<S> {
    /// No capacity, for certain.
    #[must_use]
    pub fn none() -> Self {
        Self { probabilities: vec![S::ONE] }
    }

    /// So many independent servers of so many units each, all with this probability of being down: the binomial
    /// distribution.
    ///
    /// # Errors
    /// If they make more than a million units.
    pub fn servers(count: u32, units: u32, down: Probability<S>) -> Result<Self, Error> {
        down.check("server down")?;
        let total = u64::from(count) * u64::from(units);
        if total > MAX_UNITS || u64::from(count).pow(2) > MAX_STEPS {
            return Err(too_large(total));
        }
        let mut up = vec![S::ONE];
        for _ in 0..count {
            let mut more = vec![S::ZERO; up.len() + 1];
            for (servers, &p) in up.iter().enumerate() {
                more[servers] += p * down.yes;
                more[servers + 1] += p * down.no;
            }
            up = more;
        }
        let mut probabilities = vec![S::ZERO; total as usize + 1];
        for (servers, p) in up.into_iter().enumerate() {
            probabilities[servers * units as usize] += p;
        }
        Ok(Self { probabilities })
    }

    /// This and another capacity that is independent of it, together: the convolution of both.
    ///
    /// # Errors
    /// If they make more than a million units, or the convolution takes more than 4e9 steps.
    pub fn and(&self, other: &Self) -> Result<Self, Error> {
        let total = (self.units() + other.units()) as u64;
        // Capacities come in multiples of the units of a server: most probabilities are 0.
        let filled = |d: &Self| {
            let entries = d.probabilities.iter().copied().enumerate();
            entries.filter(|(_, p)| p.value() != 0.0).collect::<Vec<_>>()
        };
        let (one, two) = (filled(self), filled(other));
        if total > MAX_UNITS || one.len() as u64 * two.len() as u64 > MAX_STEPS {
            return Err(too_large(total));
        }
        let mut probabilities = vec![S::ZERO; total as usize + 1];
        for &(units, p) in &one {
            for &(more, q) in &two {
                probabilities[units + more] += p * q;
            }
        }
        Ok(Self { probabilities })
    }

    /// The same capacity behind something that takes all of it away when it is down: a host, a switch, a site.
    #[must_use]
    pub fn behind(&self, down: Probability<S>) -> Self {
        let mut probabilities: Vec<_> = self.probabilities.iter().map(|&p| p * down.no).collect();
        // Without the gate, nothing is up in any case.
        let all = self.probabilities.iter().fold(S::ZERO, |sum, &p| sum + p);
        probabilities[0] += all * down.yes;
        Self { probabilities }
    }

    /// The units there are if all is up.
    #[must_use]
    pub fn units(&self) -> usize {
        self.probabilities.len() - 1
    }

    /// The probability that exactly `k` units are up, for each `k` from 0 to [`Self::units`].
    #[must_use]
    pub fn probabilities(&self) -> &[S] {
        &self.probabilities
    }

    /// The probability that at least so many units are up, and that fewer are: each a sum of its own.
    #[must_use]
    pub fn at_least(&self, units: usize) -> Probability<S> {
        let cut = units.min(self.probabilities.len());
        let sum = |part: &mut dyn Iterator<Item = &S>| part.fold(S::ZERO, |sum, &p| sum + p);
        let yes = sum(&mut self.probabilities[cut..].iter());
        Probability { yes, no: sum(&mut self.probabilities[..cut].iter()) }
    }

    /// The mean of the units that are up.
    #[must_use]
    pub fn mean_up(&self) -> S {
        self.weighted(|units| units)
    }

    /// The mean of the units that are down, as a sum of its own.
    #[must_use]
    pub fn mean_down(&self) -> S {
        self.weighted(|units| self.units() - units)
    }

    fn weighted(&self, weight: impl Fn(usize) -> usize) -> S {
        let terms = self.probabilities.iter().enumerate();
        terms.fold(S::ZERO, |sum, (units, &p)| sum + p * S::from(weight(units) as f64))
    }
}

fn too_large(units: u64) -> Error {
    Error::new(
        format!("the distribution of a capacity of {units} units is too large"),
        format!("count in larger units: at most {MAX_UNITS} of them, in groups of at most 60000 servers"),
    )
}
