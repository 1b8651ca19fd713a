//! Numbers that carry a proven bound on their error.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use crate::{Certain, Scalar};

/// A computed number with a bound of its distance from the true one: running error analysis (Higham, Accuracy and
/// Stability of Numerical Algorithms, 2nd edition, section 3.3). Any engine over [`Scalar`] yields with it a proven bound
/// of its rounding errors, on the terms that each operation of binary64 rounds correctly (IEEE 754) and that the
/// elementary functions of the machine's library are right to 2 units in the last place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded {
    /// The number as computed.
    pub value: f64,
    /// A bound of `|value - true|`.
    pub error: f64,
}

/// Half a unit in the last place of 1: the relative error of one rounding.
const UNIT: f64 = f64::EPSILON / 2.0;
/// What the arithmetic of the bound itself may lose: a few roundings of positive numbers, by a factor above them.
const SAFETY: f64 = 1.0 + 16.0 * UNIT;
/// The error of one operation that ends below the normal numbers.
const UNDERFLOW: f64 = f64::from_bits(1);
/// The error of the library's elementary functions, in roundings.
const FUNCTION: f64 = 4.0;

impl Bounded {
    /// The result of one operation, and the bound that its arguments hand on.
    fn rounded(value: f64, inherited: f64) -> Self {
        let own = if value == 0.0 { 0.0 } else { UNIT * value.abs() + UNDERFLOW };
        Self { value, error: (inherited + own) * SAFETY }
    }

    /// The result of an elementary function whose derivative is at most `slope` between the number and the true one.
    fn function(self, value: f64, slope: f64) -> Self {
        Self { value, error: (self.error * slope + FUNCTION * UNIT * value.abs() + UNDERFLOW) * SAFETY }
    }
}

impl From<Certain> for Bounded {
    fn from(number: Certain) -> Self {
        // |value - true| <= r |true| and |true| <= |value| / (1 - r).
        let r = number.relative_error;
        let error = if r == 0.0 {
            0.0
        } else if r < 1.0 {
            r * number.value.abs() / (1.0 - r) * SAFETY
        } else {
            f64::INFINITY
        };
        Self { value: number.value, error }
    }
}

impl From<Bounded> for Certain {
    fn from(number: Bounded) -> Self {
        let size = number.value.abs();
        let relative_error = if number.error == 0.0 {
            0.0
        } else if number.error < size {
            number.error / (size - number.error) * SAFETY
        } else {
            f64::INFINITY
        };
        Self { value: number.value, relative_error }
    }
}

impl From<f64> for Bounded {
    /// A number that is exactly this one.
    fn from(value: f64) -> Self {
        Self { value, error: 0.0 }
    }
}

impl Add for Bounded {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if other.value == 0.0 {
            return Self { value: self.value, error: self.error + other.error };
        }
        Self::rounded(self.value + other.value, self.error + other.error)
    }
}

impl Sub for Bounded {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Bounded {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let inherited = self.value.abs() * other.error + self.error * (other.value.abs() + other.error);
        let value = self.value * other.value;
        // A product of two numbers that are not 0 can round to 0.
        let lost = if value == 0.0 && self.value != 0.0 && other.value != 0.0 { UNDERFLOW } else { 0.0 };
        Self::rounded(value, inherited + lost)
    }
}

impl Div for Bounded {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let least = other.value.abs() - other.error;
        if least.is_nan() || least <= 0.0 {
            return Self { value, error: f64::INFINITY };
        }
        let lost = if value == 0.0 && self.value != 0.0 { UNDERFLOW } else { 0.0 };
        Self::rounded(value, (self.error + value.abs() * other.error) / least * SAFETY + lost)
    }
}

impl Neg for Bounded {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, error: self.error }
    }
}

impl AddAssign for Bounded {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl MulAssign for Bounded {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl Scalar for Bounded {
    const ZERO: Self = Self { value: 0.0, error: 0.0 };
    const ONE: Self = Self { value: 1.0, error: 0.0 };

    fn value(self) -> f64 {
        self.value
    }
    fn exp(self) -> Self {
        self.function(self.value.exp(), (self.value + self.error).exp())
    }
    fn exp_m1(self) -> Self {
        self.function(self.value.exp_m1(), (self.value + self.error).exp())
    }
    fn ln(self) -> Self {
        let least = self.value - self.error;
        self.function(self.value.ln(), if least > 0.0 { least.recip() } else { f64::INFINITY })
    }
    fn sqrt(self) -> Self {
        let least = self.value - self.error;
        let slope = if self.error == 0.0 {
            0.0
        } else if least > 0.0 {
            0.5 / least.sqrt()
        } else {
            f64::INFINITY
        };
        self.function(self.value.sqrt(), slope)
    }
    fn pow(self, exponent: Self) -> Self {
        // x^y = exp(y ln x); the library's own power is used for the value, this one for the bound.
        let through = (exponent * self.ln()).exp();
        let value = self.value.powf(exponent.value);
        Self { value, error: through.error + (through.value - value).abs() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_where_digits_are_lost() {
        // 0.1 + 0.2 - 0.3 is 0 for decimals, and 5.55e-17 for their roundings.
        let read = |value: f64| Bounded::from(Certain { value, relative_error: UNIT });
        let lost = read(0.1) + read(0.2) - read(0.3);
        assert_ne!(lost.value, 0.0);
        assert!(lost.error >= lost.value.abs(), "{lost:?}");
        assert!(lost.error < 2e-16, "{lost:?}");
        assert_eq!(Certain::from(lost).digits(), 0);
        assert!(Certain::from(read(0.1) * read(0.2)).digits() >= 15);
        assert_eq!((read(1.0) / (read(0.3) - read(0.3))).error, f64::INFINITY);
    }

    #[test]
    fn functions_hand_on_the_error_of_their_argument() {
        let x = Bounded { value: 0.5, error: 1e-3 };
        for (bounded, at) in [
            (x.exp(), f64::exp as fn(f64) -> f64),
            (x.exp_m1(), f64::exp_m1),
            (x.ln(), f64::ln),
            (x.sqrt(), f64::sqrt),
            (x.pow(Bounded::from(3.0)), |x| x.powi(3)),
        ] {
            for edge in [0.499, 0.501] {
                let distance = (bounded.value - at(edge)).abs();
                assert!(distance <= bounded.error && bounded.error < 2.0 * distance, "{bounded:?} at {edge}");
            }
        }
    }
}
