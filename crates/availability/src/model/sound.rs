//! Numbers that must lie in a range, wherever their parameters take them.

use crate::{Error, Scalar};

/// What a number may be: 0 or more, and finite; a share not above 1.
#[derive(Clone, Debug)]
pub(crate) struct Sound {
    /// What the number is, as the error names it: `the rate from "up" to "down"`.
    what: String,
    is_share: bool,
}

impl Sound {
    /// A rate, a time, an amount.
    pub(crate) fn amount(what: impl Into<String>) -> Self {
        Self { what: what.into(), is_share: false }
    }

    /// A probability.
    pub(crate) fn share(what: impl Into<String>) -> Self {
        Self { what: what.into(), is_share: true }
    }

    /// The number itself.
    ///
    /// # Errors
    /// If it is outside of its range.
    pub(crate) fn checked<T: Scalar>(&self, number: T) -> Result<T, Error> {
        let value = number.value();
        let most = if self.is_share { 1.0 } else { f64::MAX };
        if (0.0..=most).contains(&value) {
            return Ok(number);
        }
        let allowed = if self.is_share { "it is a number from 0 to 1" } else { "it is a finite number, 0 or more" };
        Err(Error::new(format!("{} is {value}", self.what), allowed).wrong())
    }
}
