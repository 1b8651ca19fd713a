//! A number with a bound on its error.

use std::fmt;

/// So many digits tell each binary64 number from all others.
const MOST: u32 = 17;

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

    /// The leading decimal digits that are sure, 0 to 17: the most for which [`Self::value`], rounded to so many significant
    /// digits, differs from the true number by less than one in the last of them.
    #[must_use]
    pub fn digits(&self) -> u32 {
        let relative = self.relative_error;
        if relative == 0.0 {
            return MOST;
        }
        // With all digits: what these round up to a power of ten, fewer do as well.
        let text = format!("{:.16e}", self.value.abs());
        let mantissa = text.split_once('e').and_then(|(mantissa, _)| mantissa.parse::<f64>().ok());
        let (Some(mantissa), true) = (mantissa, relative < 1.0) else { return 0 };
        // One half of the last digit is for its own rounding, the other for the error, which is a share of the true number; a
        // little is for the rounding here.
        let doubled = 2.0 * mantissa * relative / (1.0 - relative) * (1.0 + 1e-9);
        (1.0 - doubled.log10()).floor().clamp(0.0, f64::from(MOST)) as u32
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
        assert_eq!(number.digits(), 5);
        assert_eq!(number.to_string(), "1.2346e-6");
        // The same share of a number that begins with 9 is more of its last digit.
        assert_eq!(Certain { value: 9.876_543_21e-6, relative_error: 2e-5 }.to_string(), "9.877e-6");
        assert_eq!(Certain { value: 3.0, relative_error: f64::NAN }.to_string(), "3e0?");
        assert_eq!(Certain { value: f64::INFINITY, relative_error: 1e-9 }.digits(), 0);
        assert_eq!(Certain::exact(0.1).digits(), 17);
        // The binary64 number next to 1e-6 lies below it, and its seventeen digits are 9.9999999999999995e-7.
        assert_eq!(Certain { value: 1e-6, relative_error: 4.6e-17 }.to_string(), "1.000000000000000e-6");
    }
}
