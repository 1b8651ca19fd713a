//! How uncertain a parameter is.

use crate::Chance;
use crate::estimate::special::{Tail, beta_quantile, gamma_quantile, normal_quantile};

/// The 95 % point of the standard normal distribution, by which an error factor is defined.
const NORMAL_95: f64 = 1.644_853_626_951_472_2;

/// The distribution of a parameter whose value is not known exactly, in the units that [`crate::model`] computes in
/// (hours, per hour).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Every value of a range alike.
    Uniform {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// Every logarithm of a range alike: for a figure of which only the order of magnitude is known.
    LogUniform {
        /// The smallest value, above 0.
        low: f64,
        /// The largest value.
        high: f64,
    },
    /// Normal. Samples outside of the range that a rate or a probability can have are drawn again, as those of every distribution are
    /// outside of the range that the parameter has in the text.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        sd: f64,
    },
    /// Lognormal by median and error factor, as reliability data books give it: the 95 % point is the median times the
    /// factor, the 5 % point the median divided by it (NUREG/CR-2300, section 5).
    Lognormal {
        /// The median.
        median: f64,
        /// The error factor, above 1.
        error_factor: f64,
    },
    /// Gamma by its shape and its mean: what is known of a rate after `shape` failures.
    Gamma {
        /// The shape.
        shape: f64,
        /// The mean.
        mean: f64,
    },
    /// Beta: what is known of a probability after `a` successes and `b` failures.
    Beta {
        /// The first parameter.
        a: f64,
        /// The second parameter.
        b: f64,
    },
    /// Triangular: an expert's smallest, likeliest and largest value.
    Triangular {
        /// The smallest value.
        low: f64,
        /// The likeliest value.
        mode: f64,
        /// The largest value.
        high: f64,
    },
}

impl Distribution {
    /// The point below which this share (0 to 1) of it lies.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let tail = Tail::Lower(share);
        match *self {
            Self::Uniform { low, high } => low + share * (high - low),
            Self::LogUniform { low, high } => low * (high / low).powf(share),
            Self::Normal { mean, sd } => mean + sd * normal_quantile(tail),
            Self::Lognormal { median, error_factor } => median * (log_sd(error_factor) * normal_quantile(tail)).exp(),
            Self::Gamma { shape, mean } => gamma_quantile(shape, tail) * mean / shape,
            Self::Beta { a, b } => beta_quantile(a, b, tail).0,
            Self::Triangular { low, mode, high } => {
                let (left, whole) = (mode - low, high - low);
                if share * whole <= left {
                    low + (share * whole * left).sqrt()
                } else {
                    high - ((1.0 - share) * whole * (high - mode)).sqrt()
                }
            }
        }
    }

    /// The smallest and the largest value that it can have, or comes near to.
    #[must_use]
    pub const fn support(&self) -> (f64, f64) {
        match *self {
            Self::Uniform { low, high } | Self::LogUniform { low, high } | Self::Triangular { low, high, .. } => {
                (low, high)
            }
            Self::Normal { .. } => (f64::NEG_INFINITY, f64::INFINITY),
            Self::Lognormal { .. } | Self::Gamma { .. } => (0.0, f64::INFINITY),
            Self::Beta { .. } => (0.0, 1.0),
        }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Uniform { low, high } => f64::midpoint(low, high),
            Self::LogUniform { low, high } => (high - low) / (high / low).ln(),
            Self::Normal { mean, .. } | Self::Gamma { mean, .. } => mean,
            Self::Lognormal { median, error_factor } => median * (log_sd(error_factor).powi(2) / 2.0).exp(),
            Self::Beta { a, b } => a / (a + b),
            Self::Triangular { low, mode, high } => (low + mode + high) / 3.0,
        }
    }

    /// The variance.
    #[must_use]
    pub fn variance(&self) -> f64 {
        match *self {
            Self::Uniform { low, high } => (high - low).powi(2) / 12.0,
            Self::LogUniform { low, high } => {
                let width = (high / low).ln();
                (high - low) * (high + low) / (2.0 * width) - self.mean().powi(2)
            }
            Self::Normal { sd, .. } => sd * sd,
            Self::Lognormal { error_factor, .. } => self.mean().powi(2) * log_sd(error_factor).powi(2).exp_m1(),
            Self::Gamma { shape, mean } => mean * mean / shape,
            Self::Beta { a, b } => a * b / ((a + b).powi(2) * (a + b + 1.0)),
            Self::Triangular { low, mode, high } => {
                (low * low + mode * mode + high * high - low * mode - low * high - mode * high) / 18.0
            }
        }
    }

    /// A value by chance.
    pub(crate) fn draw(&self, chance: &mut Chance) -> f64 {
        match *self {
            Self::Uniform { low, high } => low + (high - low) * chance.uniform(),
            Self::LogUniform { low, high } => low * ((high / low).ln() * chance.uniform()).exp(),
            Self::Normal { mean, sd } => mean + sd * chance.normal(),
            Self::Lognormal { median, error_factor } => median * (log_sd(error_factor) * chance.normal()).exp(),
            Self::Gamma { shape, mean } => chance.gamma(shape) * mean / shape,
            Self::Beta { a, b } => {
                let (x, y) = (chance.gamma(a), chance.gamma(b));
                x / (x + y)
            }
            Self::Triangular { low, mode, high } => {
                let (u, share) = (chance.uniform(), (mode - low) / (high - low));
                if u < share {
                    low + ((high - low) * (mode - low) * u).sqrt()
                } else {
                    high - ((high - low) * (high - mode) * (1.0 - u)).sqrt()
                }
            }
        }
    }
}

/// The standard deviation of the logarithm.
fn log_sd(error_factor: f64) -> f64 {
    error_factor.ln() / NORMAL_95
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_have_the_mean_and_the_variance_of_their_distribution() {
        let all = [
            Distribution::Uniform { low: 1.0, high: 3.0 },
            Distribution::LogUniform { low: 0.1, high: 10.0 },
            Distribution::Normal { mean: 5.0, sd: 0.5 },
            Distribution::Lognormal { median: 2.0, error_factor: 3.0 },
            Distribution::Gamma { shape: 10.0, mean: 4.0 },
            Distribution::Gamma { shape: 0.5, mean: 4.0 },
            Distribution::Beta { a: 2.0, b: 5.0 },
            Distribution::Triangular { low: 1.0, mode: 2.0, high: 6.0 },
        ];
        for distribution in all {
            let mut chance = Chance::new(7);
            let samples: Vec<f64> = (0..40_000).map(|_| distribution.draw(&mut chance)).collect();
            let mean = samples.iter().sum::<f64>() / 40_000.0;
            let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 40_000.0;
            let sd = distribution.variance().sqrt();
            assert!(
                (mean - distribution.mean()).abs() < 0.03 * sd,
                "{distribution:?}: {mean}, not {}",
                distribution.mean()
            );
            assert!((variance / sd / sd - 1.0).abs() < 0.12, "{distribution:?}: {variance}, not {}", sd * sd);
            for share in [0.05, 0.5, 0.95] {
                let point = distribution.quantile(share);
                let below = samples.iter().filter(|sample| **sample <= point).count() as f64 / 40_000.0;
                // Four standard deviations of a share of 40,000 samples.
                assert!((below - share).abs() < 0.01, "{distribution:?}: {below} below {point}, not {share}");
            }
            let (low, high) = distribution.support();
            assert!(samples.iter().all(|sample| (low..=high).contains(sample)), "{distribution:?}");
        }
    }
}
