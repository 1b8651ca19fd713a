//! Derivatives in twice the precision of binary64.
//!
//! A derivative by a parameter is a sum over the arcs that it moves, of both signs, and sometimes they nearly cancel: how
//! fast a first of two detectors is can matter ten million times less than each of its arcs. So the pass backwards runs
//! on [`Exact`] numbers: whatever cancels there leaves more digits than binary64 has.

use std::ops::{AddAssign, MulAssign};

use crate::Scalar;
use crate::text::exact::Exact;

/// The natural logarithm of 2.
const LN_2: Exact = Exact { high: std::f64::consts::LN_2, low: 2.319_046_813_846_299_6e-17 };
/// The argument of the series is halved so often, and the result squared as often.
const HALVINGS: i32 = 9;
/// Terms of the series: (ln 2 / 1024)^10 / 10! is far below 2^-106.
const TERMS: u32 = 10;

impl AddAssign for Exact {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl MulAssign for Exact {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

/// Both parts times a power of 2.
fn scaled(x: Exact, power: i32) -> Exact {
    let factor = f64::from(power).exp2();
    Exact { high: x.high * factor, low: x.low * factor }
}

/// `e^x - 1` for a small `x`, by its series on a part of `x`; then `e^2y - 1 = (e^y - 1)(e^y - 1 + 2)`.
fn small_exp_m1(x: Exact) -> Exact {
    let part = scaled(x, -HALVINGS);
    let mut sum = Exact::ZERO;
    for term in (1..=TERMS).rev() {
        sum = (Exact::ONE + sum) * part / Exact::from(f64::from(term));
    }
    (0..HALVINGS).fold(sum, |sum, _| sum * sum + scaled(sum, 1))
}

impl Scalar for Exact {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    fn value(self) -> f64 {
        self.high
    }

    fn exp(self) -> Self {
        let twos = (self.high / std::f64::consts::LN_2).round();
        // Beyond this the result is 0 or infinite in binary64 as well.
        if twos.is_nan() || twos.abs() > 1000.0 {
            return Self::from(self.high.exp());
        }
        let rest = self - LN_2 * Self::from(twos);
        scaled(Self::ONE + small_exp_m1(rest), twos as i32)
    }

    fn exp_m1(self) -> Self {
        if self.high.abs() < 0.5 { small_exp_m1(self) } else { Scalar::exp(self) - Self::ONE }
    }

    fn ln(self) -> Self {
        let start = self.high.ln();
        if !start.is_finite() {
            return Self::from(start);
        }
        // One step of Newton on e^y = x.
        Self::from(start) + (self * Scalar::exp(Self::from(-start)) - Self::ONE)
    }

    fn sqrt(self) -> Self {
        Self::sqrt(self)
    }

    fn pow(self, exponent: Self) -> Self {
        match exponent.whole() {
            Some(whole) if whole.unsigned_abs() <= 1024 => {
                let power = self.whole_power(whole.unsigned_abs() as u32);
                if whole < 0 { Self::ONE / power } else { power }
            }
            _ => Scalar::exp(exponent * Scalar::ln(self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_have_thirty_digits() {
        let e = Exact { high: std::f64::consts::E, low: 1.445_646_891_729_250_2e-16 };
        let decimal = |text: &str| Exact::decimal(text).expect("a number");
        let off = [
            Scalar::exp(Exact::ONE) - e,
            Scalar::ln(e) - Exact::ONE,
            Scalar::exp(decimal("0.3")) * Scalar::exp(-decimal("0.3")) - Exact::ONE,
            Scalar::ln(decimal("7e-9")) + Scalar::ln(Exact::ONE / decimal("7e-9")),
            // Its series as far as the digits reach.
            (Scalar::exp_m1(decimal("1e-9"))
                - decimal("1e-9")
                - decimal("5e-19")
                - decimal("1e-27") / decimal("6")
                - decimal("1e-36") / decimal("24"))
                * decimal("1e9"),
            Scalar::pow(decimal("2"), decimal("0.5")) - Exact::sqrt(decimal("2")),
        ];
        assert!(off.iter().all(|rest| rest.value().abs() < 3e-30), "{off:?}");
    }
}
