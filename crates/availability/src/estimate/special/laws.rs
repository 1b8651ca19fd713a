//! Quantiles and tails of the laws that intervals are made of.

use super::{Tail, Tails, beta_quantile, beta_tails, gamma_quantile, gamma_tails};

/// The tails of the standard normal law at z: half the tails of a gamma law of shape 1/2 at z^2/2.
#[must_use]
pub fn normal_tails(z: f64) -> Tails {
    let Tails { lower, upper } = gamma_tails(0.5, 0.5 * z * z);
    let above = Tails { lower: 0.5 + 0.5 * lower, upper: 0.5 * upper };
    if z >= 0.0 { above } else { above.swapped() }
}

/// The standard normal quantile.
#[must_use]
pub fn normal_quantile(tail: Tail) -> f64 {
    match tail.smaller() {
        None => f64::NAN,
        Some(Tail::Lower(p)) => -(2.0 * gamma_quantile(0.5, Tail::Upper(2.0 * p))).sqrt(),
        Some(Tail::Upper(q)) => (2.0 * gamma_quantile(0.5, Tail::Upper(2.0 * q))).sqrt(),
    }
}

/// The chi-square quantile, for any number of degrees of freedom above 0.
#[must_use]
pub fn chi_square_quantile(degrees: f64, tail: Tail) -> f64 {
    2.0 * gamma_quantile(0.5 * degrees, tail)
}

/// The F quantile with so many degrees of freedom above and below: x b / (y a) of the beta law with half of each.
#[must_use]
pub fn f_quantile(above: f64, below: f64, tail: Tail) -> f64 {
    let (x, y) = beta_quantile(0.5 * above, 0.5 * below, tail);
    below * x / (above * y)
}

/// Student's t quantile: t^2 / (t^2 + degrees) follows a beta law with 1/2 and degrees/2.
#[must_use]
pub fn student_quantile(degrees: f64, tail: Tail) -> f64 {
    let root = |q: f64| {
        let (x, y) = beta_quantile(0.5, 0.5 * degrees, Tail::Upper(2.0 * q));
        (degrees * x / y).sqrt()
    };
    match tail.smaller() {
        None => f64::NAN,
        Some(Tail::Lower(p)) => -root(p),
        Some(Tail::Upper(q)) => root(q),
    }
}

/// The tails of a count of Poisson law: lower is P(count <= k), which is Q(k + 1, mean).
#[must_use]
pub fn poisson_at_most(count: u64, mean: f64) -> Tails {
    gamma_tails(count as f64 + 1.0, mean).swapped()
}

/// The tails of a binomial count of n trials: lower is P(count <= k), which is I_q(n - k, k + 1); q is 1 - p as a number of
/// its own.
#[must_use]
pub fn binomial_at_most(count: u64, trials: u64, p: f64, q: f64) -> Tails {
    if count >= trials {
        return Tails { lower: 1.0, upper: 0.0 };
    }
    beta_tails((trials - count) as f64, count as f64 + 1.0, q, p)
}
