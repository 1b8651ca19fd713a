//! A scalar with a derivative that are scalars themselves: derivatives of derivatives.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub};

use crate::Scalar;

/// A number and its derivative in one direction, both of any kind (as [`crate::Dual`] is for `f64`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Nested<T> {
    pub(crate) value: T,
    pub(crate) slope: T,
}

impl<T: Scalar> Nested<T> {
    fn map(self, value: T, derivative: T) -> Self {
        Self { value, slope: self.slope * derivative }
    }
}

impl<T: Scalar> From<f64> for Nested<T> {
    fn from(value: f64) -> Self {
        Self { value: T::from(value), slope: T::ZERO }
    }
}

impl<T: Scalar> Add for Nested<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, slope: self.slope + other.slope }
    }
}

impl<T: Scalar> Sub for Nested<T> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { value: self.value - other.value, slope: self.slope - other.slope }
    }
}

impl<T: Scalar> Mul for Nested<T> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { value: self.value * other.value, slope: self.slope * other.value + self.value * other.slope }
    }
}

impl<T: Scalar> Div for Nested<T> {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        Self { value, slope: (self.slope - value * other.slope) / other.value }
    }
}

impl<T: Scalar> Neg for Nested<T> {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, slope: -self.slope }
    }
}

impl<T: Scalar> AddAssign for Nested<T> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<T: Scalar> MulAssign for Nested<T> {
    fn mul_assign(&mut self, other: Self) {
        *self = *self * other;
    }
}

impl<T: Scalar> Scalar for Nested<T> {
    const ZERO: Self = Self { value: T::ZERO, slope: T::ZERO };
    const ONE: Self = Self { value: T::ONE, slope: T::ZERO };

    fn value(self) -> f64 {
        self.value.value()
    }
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.map(value, value)
    }
    fn exp_m1(self) -> Self {
        self.map(self.value.exp_m1(), self.value.exp())
    }
    fn ln(self) -> Self {
        self.map(self.value.ln(), T::ONE / self.value)
    }
    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        self.map(value, T::from(0.5) / value)
    }
    fn pow(self, exponent: Self) -> Self {
        let (base, power) = (self.value, exponent.value);
        let value = base.pow(power);
        let by_base = if power == T::ZERO { T::ZERO } else { power * base.pow(power - T::ONE) };
        // A power whose exponent does not move needs no logarithm of its base, which may be 0 or below.
        let by_exponent = if exponent.slope == T::ZERO { T::ZERO } else { value * base.ln() * exponent.slope };
        Self { value, slope: self.slope * by_base + by_exponent }
    }
    fn is_near(self, other: Self, share: f64) -> bool {
        self.value.is_near(other.value, share) && self.slope.is_near(other.slope, share)
    }
}
