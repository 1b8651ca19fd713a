//! Numbers of twice the precision of binary64, so that `1 - c` of a decimal `c` keeps its digits.
//!
//! A number is the sum of two binary64 numbers that do not overlap (Dekker 1971, "A floating-point technique for
//! extending the available precision"). The relative error of each operation is below [`ROUNDING`] (Joldes, Muller,
//! Popescu 2017, "Tight and rigorous error bounds for basic building blocks of double-word arithmetic": at most
//! 3, 7 and 15 units of 2^-106 for sum, product and quotient).

use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A bound of the relative error of one operation: 2^-102.
pub(crate) const ROUNDING: f64 = 1.0 / (1_u128 << 102) as f64;

/// Digits of a decimal that are read: further ones are far below the rounding of the last operation.
const MOST_DIGITS: usize = 40;
/// The largest power of ten that is formed at once: beyond 1e308 there are no numbers.
const MOST_POWER: u32 = 300;

/// `high + low`, where `high` is the nearest binary64 number to the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exact {
    pub(crate) high: f64,
    pub(crate) low: f64,
}

/// `a + b` and its rounding error (Knuth).
fn two_sum(a: f64, b: f64) -> Exact {
    let high = a + b;
    let part = high - a;
    Exact { high, low: (a - (high - part)) + (b - part) }
}

/// The same if `a` is not the smaller one.
fn quick_two_sum(a: f64, b: f64) -> Exact {
    let high = a + b;
    Exact { high, low: b - (high - a) }
}

/// `a * b` and its rounding error.
fn two_product(a: f64, b: f64) -> Exact {
    let high = a * b;
    Exact { high, low: a.mul_add(b, -high) }
}

impl Exact {
    pub(crate) const ZERO: Self = Self { high: 0.0, low: 0.0 };
    pub(crate) const ONE: Self = Self { high: 1.0, low: 0.0 };

    /// A whole number; one above 2^106 is the nearest that there is, which is within [`Self::reading_error`].
    pub(crate) fn of_whole(number: u128) -> Self {
        let high = number as f64;
        let nearest = high as u128;
        let low = number.abs_diff(nearest) as f64;
        quick_two_sum(high, if nearest > number { -low } else { low })
    }

    /// A decimal number, `12.5e-3`; nothing if it is none or leaves the range of binary64.
    pub(crate) fn decimal(text: &str) -> Option<Self> {
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let mut power: i32 = power.parse().ok()?;
        let (mut value, mut after_point, mut digits) = (Self::ZERO, false, 0);
        for byte in mantissa.bytes() {
            match byte {
                b'.' => after_point = true,
                b'0'..=b'9' if digits == MOST_DIGITS => power = power.checked_add(i32::from(!after_point))?,
                b'0'..=b'9' => {
                    value = value * Self::from(10.0) + Self::from(f64::from(byte - b'0'));
                    digits += usize::from(value != Self::ZERO);
                    power = power.checked_sub(i32::from(after_point))?;
                }
                _ => return None,
            }
        }
        if value == Self::ZERO {
            return Some(value);
        }
        let (count, ten) = (power.unsigned_abs(), Self::from(10.0));
        for part in [count.min(MOST_POWER), count.saturating_sub(MOST_POWER)] {
            let factor = ten.whole_power(part);
            value = if power < 0 { value / factor } else { value * factor };
        }
        (value.high.is_normal() && value.low.is_finite()).then_some(value)
    }

    /// A bound of the absolute error of this number as the value of a decimal with some dozen digits: whole numbers are
    /// exact.
    pub(crate) fn reading_error(self) -> f64 {
        if self.whole().is_some() { 0.0 } else { self.high.abs() * 64.0 * ROUNDING }
    }

    /// This number to a whole power, by repeated squaring.
    pub(crate) fn whole_power(self, power: u32) -> Self {
        let (mut result, mut square, mut left) = (Self::ONE, self, power);
        while left > 0 {
            if left & 1 == 1 {
                result *= square;
            }
            square = if left > 1 { square * square } else { square };
            left >>= 1;
        }
        result
    }

    /// The square root (one step of Newton on the binary64 root).
    pub(crate) fn sqrt(self) -> Self {
        if self.high <= 0.0 {
            return Self::from(self.high.sqrt());
        }
        let root = self.high.sqrt();
        let rest = self - two_product(root, root);
        two_sum(root, rest.high / (2.0 * root))
    }

    /// The largest whole number that is not above this one.
    pub(crate) fn floor(self) -> Self {
        let floor = self.high.floor();
        // A whole high part leaves the decision to the low one.
        if floor == self.high { quick_two_sum(floor, self.low.floor()) } else { Self::from(floor) }
    }

    /// The number rounded to binary64.
    pub(crate) fn rounded(self) -> f64 {
        self.high
    }

    /// The whole number that this one is, if it is one.
    pub(crate) fn whole(self) -> Option<i64> {
        let is_whole = self.high.fract() == 0.0 && self.low == 0.0 && self.high.abs() < 9e15;
        is_whole.then_some(self.high as i64)
    }
}

impl From<f64> for Exact {
    fn from(value: f64) -> Self {
        Self { high: value, low: 0.0 }
    }
}

impl Add for Exact {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let high = two_sum(self.high, other.high);
        let low = two_sum(self.low, other.low);
        let first = quick_two_sum(high.high, high.low + low.high);
        quick_two_sum(first.high, low.low + first.low)
    }
}

impl Neg for Exact {
    type Output = Self;
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for Exact {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Exact {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = two_product(self.high, other.high);
        let rest = self.high.mul_add(other.low, self.low * other.high);
        quick_two_sum(product.high, product.low + rest)
    }
}

impl Div for Exact {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        if !first.is_finite() {
            return Self::from(first);
        }
        let rest = self - other * Self::from(first);
        let second = rest.high / other.high;
        let rest = rest - other * Self::from(second);
        quick_two_sum(first, second) + Self::from(rest.high / other.high)
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.high, self.low).partial_cmp(&(other.high, other.low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Exact {
        Exact::decimal(text).expect("a number")
    }

    #[test]
    fn one_minus_a_decimal_is_the_decimal_that_a_person_writes() {
        assert_eq!((Exact::ONE - decimal("0.9999")).rounded(), 0.0001);
        assert_eq!((Exact::ONE - decimal("0.999999999999")).rounded(), 1e-12);
        assert_ne!(1.0 - 0.9999, 0.0001);
    }

    #[test]
    fn whole_numbers_keep_all_their_digits() {
        for number in [0, 1, 9_007_199_254_740_993, 112_186_277_816_662_845_432, (1 << 106) - 1] {
            let Exact { high, low } = Exact::of_whole(number);
            let back = if low < 0.0 { high as u128 - -low as u128 } else { high as u128 + low as u128 };
            assert_eq!((back, high), (number, number as f64));
        }
    }

    #[test]
    fn operations_invert_each_other_to_thirty_digits() {
        let (third, root) = (Exact::ONE / decimal("3"), decimal("2").sqrt());
        let left = [
            third * decimal("3") - Exact::ONE,
            root * root - decimal("2"),
            decimal("1e-9") * decimal("1e9") - Exact::ONE,
        ];
        assert!(left.iter().all(|rest| rest.rounded().abs() < 1e-30), "{left:?}");
    }

    #[test]
    fn every_decimal_rounds_to_its_nearest_binary64() {
        for text in ["0.1", "5.40946656649136", "3.49314470351934e-6", "1e300", "123456789012345678901234567890"] {
            assert_eq!(decimal(text).rounded(), text.parse::<f64>().expect("a number"), "{text}");
        }
    }

    #[test]
    fn a_long_decimal_is_the_number_that_it_is() {
        let ones = format!("0.{}", "1".repeat(400));
        assert!((decimal(&ones) - Exact::ONE / decimal("9")).rounded().abs() < 1e-29);
        assert_eq!(decimal(&format!("1{}e-395", "0".repeat(400))).rounded(), 1e5);
        let small = format!("1.{}e-285", "25".repeat(60));
        assert!((decimal(&small).rounded() / (124.0 / 99.0 * 1e-285) - 1.0).abs() < 1e-15);
        assert!(Exact::decimal(&format!("1{}", "0".repeat(400))).is_none());
        assert!(Exact::decimal(&format!("0.{}1", "0".repeat(400))).is_none());
    }

    #[test]
    fn what_is_no_number_or_too_large_is_none() {
        assert!(["1e999", "1e-999", "1x"].iter().all(|text| Exact::decimal(text).is_none()));
        assert_eq!(decimal("2.5").floor(), decimal("2"));
        assert_eq!((decimal("3") * decimal("4") / decimal("4")).floor(), decimal("3"));
    }
}
