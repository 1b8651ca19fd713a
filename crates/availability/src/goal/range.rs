//! The values that a parameter can take, on a scale on which steps are alike.

use crate::Error;
use crate::model::Parameter;

/// How far a search goes from the present value of a rate or a time, as a factor.
const FAR: f64 = 1e6;
/// How near a search goes to 0 and 1 with a share.
const NEAR: f64 = 1e-9;

/// The values of a parameter that are searched, by a coordinate of which steps of the same length are changes by the same
/// factor.
///
/// Rates, times and other positive numbers go from a millionth to a million times the present value, and the coordinate is the
/// logarithm of the factor. Shares (plain numbers from 0 to 1: probabilities, coverages) go from 1e-9 to 1 - 1e-9, and the
/// coordinate is the logarithm of the odds p/(1 - p): near 0 that is p, near 1 it is what misses. Neither goes beyond the
/// values between which the text lets the parameter lie ([`Parameter::range`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    present: f64,
    is_share: bool,
    limits: Option<(f64, f64)>,
}

impl Range {
    /// The range of a parameter.
    ///
    /// # Errors
    /// If it is zero or negative and not a share: nothing says then how far it may go.
    pub fn of(parameter: &Parameter) -> Result<Self, Error> {
        let (present, unit, limits) = (parameter.value(), parameter.unit(), parameter.range());
        if unit == "1" && (0.0..=1.0).contains(&present) {
            return Ok(Self { present, is_share: true, limits });
        }
        if present > 0.0 && present.is_finite() {
            return Ok(Self { present, is_share: false, limits });
        }
        let what = format!("`{}` is {present}, so that no factor of it leads anywhere", parameter.name());
        Err(Error::new(what, "give it a positive value first"))
    }

    /// Whether it is a share, whose factors are those of its odds.
    #[must_use]
    pub const fn is_share(&self) -> bool {
        self.is_share
    }

    /// The least and the largest coordinate.
    pub(super) fn ends(&self) -> (f64, f64) {
        let (low, high) = if self.is_share { (odds(NEAR), -odds(NEAR)) } else { (-FAR.ln(), FAR.ln()) };
        let end = |value: f64| self.at(value).clamp(low, high);
        self.limits.map_or((low, high), |(least, largest)| (end(least), end(largest)))
    }

    /// The coordinate of the present value, within the ends.
    pub(super) fn now(&self) -> f64 {
        self.at(self.present)
    }

    /// The coordinate of a value; of a share that is none, or too near to 0 or 1, that of the nearest one.
    fn at(&self, value: f64) -> f64 {
        if self.is_share { odds(value.clamp(NEAR, 1.0 - NEAR)) } else { (value / self.present).max(0.0).ln() }
    }

    /// The value at a coordinate.
    pub(super) fn value(&self, at: f64) -> f64 {
        let value = if self.is_share { (1.0 + (-at).exp()).recip() } else { self.present * at.exp() };
        let Some((least, largest)) = self.limits else { return value };
        let is = |limit: f64| at == self.at(limit) && (!self.is_share || (NEAR..=1.0 - NEAR).contains(&limit));
        // An end is what the text says, and rounding leads over none.
        match (is(least), is(largest)) {
            (true, _) => least,
            (_, true) => largest,
            _ => value.max(least).min(largest),
        }
    }
}

fn odds(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}
