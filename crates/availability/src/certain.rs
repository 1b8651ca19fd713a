//! A number with a bound on its error.

use std::fmt;

/// A computed number, and how far from the true value of its model it can be.
///
/// The bound is about arithmetic and truncation only: that the model or its parameters are right it does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certain {
    /// The number, in the unit that its measure names.
    pub value: f64,
    /// A proven bound of `|value - true| / |true|`; 0 for a number that is exact.
    pub relative_error: f64,
}

impl Certain {
    /// A number that is exactly this one.
    #[must_use]
    pub const fn exact(value: f64) -> Self {
        Self { value, relative_error: 0.0 }
    }

    /// The leading decimal digits that are sure, 0 to 17: the first so many significant digits of [`Self::value`] differ
    /// from the true ones by less than one in the last of them.
    #[must_use]
    pub fn digits(&self) -> u32 {
        if self.relative_error.is_nan() || self.relative_error >= 1.0 {
            return 0;
        }
        // A leading digit of 9 makes one in the last place nearly ten times smaller, relative to the number.
        let digits = (-self.relative_error.max(1e-17).log10()).floor();
        digits.clamp(0.0, 17.0) as u32
    }
}

impl fmt::Display for Certain {
    /// The sure digits, in scientific form; a number of which nothing is sure is shown with one digit and a question mark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digits() {
            0 => write!(f, "{:.0e}?", self.value),
            digits => write!(f, "{:.*e}", digits as usize - 1, self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_digits_are_shown_as_are_sure() {
        let number = Certain { value: 1.234_567_89e-6, relative_error: 2e-5 };
        assert_eq!(number.digits(), 4);
        assert_eq!(number.to_string(), "1.235e-6");
        assert_eq!(Certain { value: 3.0, relative_error: f64::NAN }.to_string(), "3e0?");
        assert_eq!(Certain::exact(0.1).digits(), 17);
    }
}
