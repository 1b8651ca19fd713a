//! The numbers that engines compute with: plain ones, and ones that carry a derivative.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

/// A number that an engine can compute with: `f64`, or [`Dual`] where a derivative is wanted with it.
///
/// Decisions (is it zero, which is larger) are taken on [`Scalar::value`], so that both go the same way through a program.
pub trait Scalar:
    Copy
    + Debug
    + PartialEq
    + From<f64>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + MulAssign
{
    /// Nothing.
    const ZERO: Self;
    /// The unit.
    const ONE: Self;

    /// The number without its derivative.
    fn value(self) -> f64;
    /// e to this power.
    fn exp(self) -> Self;
    /// e to this power less one, without the loss of digits near 0.
    fn exp_m1(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// This number to a power.
    fn pow(self, exponent: Self) -> Self;

    /// Whether another number, with all derivatives that both carry, differs by at most this share.
    fn is_near(self, other: Self, share: f64) -> bool {
        (self - other).value().abs() <= share * self.value().abs()
    }
}

impl Scalar for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn value(self) -> f64 {
        self
    }
    fn exp(self) -> Self {
        Self::exp(self)
    }
    fn exp_m1(self) -> Self {
        Self::exp_m1(self)
    }
    fn ln(self) -> Self {
        Self::ln(self)
    }
    fn sqrt(self) -> Self {
        Self::sqrt(self)
    }
    fn pow(self, exponent: Self) -> Self {
        self.powf(exponent)
    }
}

/// A number and its derivative by one parameter (forward differentiation, Wengert 1964).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual {
    /// The number.
    pub value: f64,
    /// Its derivative by the parameter that [`Dual::variable`] stands for.
    pub slope: f64,
}

impl Dual {
    /// The parameter itself, by which the derivative is taken.
    #[must_use]
    pub const fn variable(value: f64) -> Self {
        Self { value, slope: 1.0 }
    }

    /// A function of this number, given its value and its derivative here.
    const fn map(self, value: f64, derivative: f64) -> Self {
        Self { value, slope: self.slope * derivative }
    }
}

impl From<f64> for Dual {
    fn from(value: f64) -> Self {
        Self { value, slope: 0.0 }
    }
}

impl Add for Dual {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, slope: self.slope + other.slope }
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, slope: self.slope - other.slope }
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { value: self.value * other.value, slope: self.slope * other.value + self.value * other.slope }
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, slope: (self.slope - value * other.slope) / other.value }
    }
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, slope: -self.slope }
    }
}

impl AddAssign for Dual {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl MulAssign for Dual {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl Scalar for Dual {
    const ZERO: Self = Self { value: 0.0, slope: 0.0 };
    const ONE: Self = Self { value: 1.0, slope: 0.0 };

    fn value(self) -> f64 {
        self.value
    }
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.map(value, value)
    }
    fn exp_m1(self) -> Self {
        self.map(self.value.exp_m1(), self.value.exp())
    }
    fn ln(self) -> Self {
        self.map(self.value.ln(), self.value.recip())
    }
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.map(value, 0.5 / value)
    }
    fn pow(self, exponent: Self) -> Self {
        let value = self.value.powf(exponent.value);
        let by_base = if exponent.value == 0.0 { 0.0 } else { exponent.value * self.value.powf(exponent.value - 1.0) };
        // A power whose exponent does not move needs no logarithm of its base, which may be 0.
        let by_exponent = if exponent.slope == 0.0 { 0.0 } else { value * self.value.ln() * exponent.slope };
        Self { value, slope: self.slope * by_base + by_exponent }
    }
    fn is_near(self, other: Self, share: f64) -> bool {
        self.value.is_near(other.value, share) && self.slope.is_near(other.slope, share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The difference quotient of a function of one number.
    fn quotient(f: impl Fn(f64) -> f64, x: f64) -> f64 {
        let h = 1e-6 * x;
        (f(x + h) - f(x - h)) / (2.0 * h)
    }

    #[test]
    fn the_slope_of_each_operation_is_its_difference_quotient() {
        fn each<T: Scalar>(x: T) -> [T; 7] {
            let c = T::from(3.0);
            [x * x + c, (x - c) / (x + T::ONE), x.exp(), x.exp_m1(), x.ln(), x.sqrt(), x.pow(x)]
        }
        for (k, dual) in each(Dual::variable(0.7)).into_iter().enumerate() {
            assert_eq!(dual.value, each(0.7)[k]);
            let expected = quotient(|x| each(x)[k], 0.7);
            assert!(
                (dual.slope - expected).abs() < 1e-8 * expected.abs().max(1.0),
                "operation {k}: {dual:?}, {expected}"
            );
        }
    }
}
