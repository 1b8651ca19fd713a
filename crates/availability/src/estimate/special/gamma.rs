//! The gamma function, its incomplete ratios and their inverse.

use super::newton::increasing_root;
use super::{Tail, Tails};

/// ln(2 pi) / 2.
const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_7;
/// Above this argument Stirling's series, cut off behind its seventh term, is right to the last bit.
const STIRLING: f64 = 16.0;
/// Terms or fractions after which a sum is given up; more than 20 standard deviations for a shape of 1e9.
const TERMS: u64 = 2_000_000;

/// What Stirling's formula leaves over: ln(x!) - (x + 1/2) ln x + x - ln(2 pi)/2, for x > 0 (Loader 2000, `stirlerr`).
pub(crate) fn stirling_error(x: f64) -> f64 {
    let (mut z, mut sum) = (x, 0.0);
    while z < STIRLING {
        // d(z) - d(z+1) = (z + 1/2) ln(1 + 1/z) - 1 = t^2/3 + t^4/5 + ... with t = 1/(2z + 1).
        let t = (2.0 * z + 1.0).recip();
        sum += if z < 0.5 { (z + 0.5) * ((z + 1.0) / z).ln() - 1.0 } else { atanh_excess(t * t) };
        z += 1.0;
    }
    let s = (z * z).recip();
    let series = s.mul_add(
        s.mul_add(
            s.mul_add(
                s.mul_add(s.mul_add(s.mul_add(1.0 / 156.0, -691.0 / 360_360.0), 1.0 / 1188.0), -1.0 / 1680.0),
                1.0 / 1260.0,
            ),
            -1.0 / 360.0,
        ),
        1.0 / 12.0,
    );
    sum + series / z
}

/// atanh(t)/t - 1 = s/3 + s^2/5 + ... for s = t^2 up to 1/4.
fn atanh_excess(s: f64) -> f64 {
    let (mut power, mut sum, mut k) = (s, 0.0, 3.0);
    while power > f64::EPSILON * 0.01 * s {
        sum += power / k;
        power *= s;
        k += 2.0;
    }
    sum
}

/// x ln(x/mean) + mean - x: how far a count or shape x is from its mean, without the cancellation (Loader 2000, `bd0`).
pub(crate) fn deviance(x: f64, mean: f64) -> f64 {
    if x == 0.0 {
        return mean;
    }
    let t = (mean - x) / x;
    if t.abs() > 0.5 {
        return x * (t - (mean / x).ln());
    }
    // t - ln(1 + t) = t v - 2 v (v^2/3 + v^4/5 + ...) with v = t/(2 + t).
    let v = t / (2.0 + t);
    x * (t * v - 2.0 * v * atanh_excess(v * v))
}

/// ln of the gamma function of x > 0. Near its zeros, 1 and 2, the error is absolute, some 1e-16.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    stirling_error(x) + (x - 0.5) * x.ln() - x + HALF_LN_TWO_PI
}

/// x^a e^-x / (a times the gamma function of a), the factor before every expansion; for a whole number a the probability
/// that a Poisson count of mean x is a.
pub(crate) fn poisson_weight(shape: f64, x: f64) -> f64 {
    (-stirling_error(shape) - deviance(shape, x)).exp() / (std::f64::consts::TAU * shape).sqrt()
}

/// P(a, x) and Q(a, x), the regularised incomplete gamma functions: the tails at x of a gamma law of shape a (up to some
/// 1e10) and rate 1.
///
/// Series below the mean, continued fraction above it (NIST Digital Library of Mathematical Functions 8.11.4, 8.9.2).
#[must_use]
pub fn gamma_tails(shape: f64, x: f64) -> Tails {
    if !(shape > 0.0 && shape.is_finite() && x >= 0.0) {
        return Tails::NAN;
    }
    if x == 0.0 {
        return Tails { lower: 0.0, upper: 1.0 };
    }
    if x == f64::INFINITY {
        return Tails { lower: 1.0, upper: 0.0 };
    }
    if x >= shape + 1.0 {
        let upper = poisson_weight(shape, x) * shape * upper_fraction(shape, x);
        return Tails { lower: 1.0 - upper, upper };
    }
    let lower = poisson_weight(shape, x) * lower_series(shape, x);
    let upper = if shape < 1.0 && lower > 0.5 { small_shape_upper(shape, x) } else { 1.0 - lower };
    Tails { lower, upper }
}

/// 1 + x/(a+1) + x^2/((a+1)(a+2)) + ...
fn lower_series(shape: f64, x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..TERMS {
        term *= x / (shape + k as f64);
        sum += term;
        if term < sum * f64::EPSILON * 0.1 {
            return sum;
        }
    }
    f64::NAN
}

/// 1/(x+1-a - 1(1-a)/(x+3-a - 2(2-a)/(x+5-a - ...))), by Lentz's method.
fn upper_fraction(shape: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (f64::MAX, b.recip());
    let mut h = d;
    for k in 1..TERMS {
        let k = k as f64;
        let a = -k * (k - shape);
        b += 2.0;
        d = (a * d + b).recip();
        c = b + a / c;
        let factor = c * d;
        h *= factor;
        if (factor - 1.0).abs() < f64::EPSILON {
            return h;
        }
    }
    f64::NAN
}

/// Q(a, x) for a < 1 and x < a + 1, where it may be small beside P: P = x^a/G(a+1) (1 + a sum of (-x)^k / (k! (a+k))).
fn small_shape_upper(shape: f64, x: f64) -> f64 {
    let log = shape * x.ln() - ln_gamma(shape + 1.0);
    let (mut term, mut sum, mut k) = (1.0_f64, 0.0, 1.0);
    while term.abs() > f64::EPSILON * 1e-2 {
        term *= -x / k;
        sum += term / (shape + k);
        k += 1.0;
    }
    -log.exp_m1() - log.exp() * shape * sum
}

/// The x at which a gamma law of this shape and rate 1 has this tail: the inverse of [`gamma_tails`].
#[must_use]
pub fn gamma_quantile(shape: f64, tail: Tail) -> f64 {
    if !(shape > 0.0 && shape.is_finite()) {
        return f64::NAN;
    }
    let Some(tail) = tail.smaller() else { return f64::NAN };
    let off = |x: f64| {
        let (Tails { lower, upper }, mass) = (gamma_tails(shape, x), shape * poisson_weight(shape, x));
        match tail {
            Tail::Lower(p) => (lower.ln() - p.ln(), mass / lower),
            Tail::Upper(q) => (q.ln() - upper.ln(), mass / upper),
        }
    };
    let start = match tail {
        Tail::Lower(0.0) => return 0.0,
        Tail::Upper(0.0) => return f64::INFINITY,
        // P(a, x) <= x^a / G(a+1), and ln P is concave in ln x: Newton's method comes from this side without overshooting.
        Tail::Lower(p) => (p.ln() + ln_gamma(shape + 1.0)) / shape,
        Tail::Upper(_) => shape.max(0.2).ln(),
    };
    let x = increasing_root(start, |u| off(u.exp())).exp();
    // The logarithm of x carries fewer digits than x: one more step in x itself.
    let (value, slope) = off(x);
    let step = value / slope;
    if step.abs() < 1e-8 { x - x * step } else { x }
}
