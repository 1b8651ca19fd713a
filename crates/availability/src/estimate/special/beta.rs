//! The beta function, its incomplete ratio and their inverse.

use super::newton::increasing_root;
use super::{Tail, Tails, deviance, ln_gamma, stirling_error};

/// Fractions after which one is given up; enough for parameters of 1e10.
const TERMS: u64 = 2_000_000;

/// ln of the beta function of a, b > 0.
#[must_use]
pub fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// x^a y^b / B(a, b), by the saddle-point form of the binomial probability (Loader 2000).
fn weight(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let exponent = stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * y);
    exponent.exp() * (a * b / (std::f64::consts::TAU * n)).sqrt()
}

/// The tails at x of a beta law with parameters a, b > 0: lower is I_x(a, b), the regularised incomplete beta function.
///
/// `y` is 1 - x, as a number of its own, so that both ends keep their digits. Continued fraction on the side where it
/// converges fast.
#[must_use]
pub fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> Tails {
    if !(a > 0.0 && b > 0.0 && (a + b).is_finite() && x >= 0.0 && y >= 0.0 && ((x + y) - 1.0).abs() < 1e-9) {
        return Tails::NAN;
    }
    if x == 0.0 {
        return Tails { lower: 0.0, upper: 1.0 };
    }
    if y == 0.0 {
        return Tails { lower: 1.0, upper: 0.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return one_side(b, a, y, x).swapped();
    }
    one_side(a, b, x, y)
}

fn one_side(a: f64, b: f64, x: f64, y: f64) -> Tails {
    let lower = weight(a, b, x, y) / fraction(a, b, x, y);
    Tails { lower, upper: 1.0 - lower }
}

/// b0 + a1/(b1 + a2/(b2 + ...)) by Lentz's method, with the coefficients of DiDonato and Morris 1992 (`BFRAC`): none of
/// them takes 1 - x y or the like from numbers that are nearly equal, as the better known fraction does for large a.
fn fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let lead = a * y - b * x + 1.0;
    let mut c = a * lead / (a + 1.0);
    let (mut d, mut f) = (0.0, c);
    for m in 1..TERMS {
        let m = m as f64;
        let (odd, even) = (a + 2.0 * m - 1.0, a + 2.0 * m + 1.0);
        let numerator = m * (a + m - 1.0) / odd * ((a + b + m - 1.0) / odd) * (b - m) * x * x;
        let denominator = m + m * (b - m) * x / odd + (a + m) / even * (lead + m * (1.0 + y));
        d = (denominator + numerator * d).recip();
        c = denominator + numerator / c;
        let factor = c * d;
        f *= factor;
        if (factor - 1.0).abs() < f64::EPSILON {
            return f;
        }
    }
    f64::NAN
}

/// The point (x, 1 - x) at which a beta law has this tail: the inverse of [`beta_tails`], both numbers with all their digits.
#[must_use]
pub fn beta_quantile(a: f64, b: f64, tail: Tail) -> (f64, f64) {
    if !(a > 0.0 && b > 0.0 && (a + b).is_finite()) {
        return (f64::NAN, f64::NAN);
    }
    match tail.smaller() {
        None => (f64::NAN, f64::NAN),
        Some(Tail::Lower(p)) => lower_quantile(a, b, p),
        Some(Tail::Upper(q)) => {
            let (y, x) = lower_quantile(b, a, q);
            (x, y)
        }
    }
}

fn lower_quantile(a: f64, b: f64, p: f64) -> (f64, f64) {
    if p == 0.0 {
        return (0.0, 1.0);
    }
    let off = |x: f64, y: f64| {
        let lower = beta_tails(a, b, x, y).lower;
        (lower.ln() - p.ln(), weight(a, b, x, y) / lower)
    };
    let point = |u: f64| ((1.0 + (-u).exp()).recip(), (1.0 + u.exp()).recip());
    let u = increasing_root((a / b).ln(), |u| {
        let (x, y) = point(u);
        off(x, y)
    });
    let (x, y) = point(u);
    let (value, slope) = off(x, y);
    let step = value / slope;
    if step.abs() < 1e-8 { (x - x * y * step, y + x * y * step) } else { (x, y) }
}
