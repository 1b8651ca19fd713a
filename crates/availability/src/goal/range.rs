//! The values that a parameter can take, on a scale on which steps are alike.

use std::collections::BTreeMap;

use crate::Error;
use crate::model::{Model, Parameter};
use crate::text::ast::Expr;
use crate::text::source::Source;
use crate::text::statements;

/// How far a search goes from the present value of a rate or a time, as a factor.
const FAR: f64 = 1e6;
/// How near a search goes to 0 and 1 with a share.
const NEAR: f64 = 1e-9;

/// The values between which a text in the model language lets its parameters lie (`between LOW and HIGH`), in the units
/// of [`Parameter::unit`], by the names of those that have such a range.
///
/// # Errors
/// If the text is not understood.
pub fn limits(file: &str, text: &str) -> Result<BTreeMap<String, (f64, f64)>, Error> {
    let document = statements::document(Source::new(file, text))?;
    // An end is made of numbers and units only, as the value of a parameter is.
    let value = |end: &Expr| -> Result<f64, Error> {
        let alone = format!("parameter it = {}\n", &text[end.span.start..end.span.end]);
        Ok(Model::read(file, &alone, &[])?.parameters().first().map_or(f64::NAN, Parameter::value))
    };
    let mut limits = BTreeMap::new();
    for parameter in &document.parameters {
        if let Some((low, high)) = &parameter.between {
            limits.insert(parameter.name.text.clone(), (value(low)?, value(high)?));
        }
    }
    Ok(limits)
}

/// The values of a parameter that are searched, by a coordinate of which steps of the same length are changes by the same
/// factor.
///
/// Rates, times and other positive numbers go from a millionth to a million times the present value, and the coordinate is the
/// logarithm of the factor. Shares (plain numbers from 0 to 1: probabilities, coverages) go from 1e-9 to 1 - 1e-9, and the
/// coordinate is the logarithm of the odds p/(1 - p): near 0 that is p, near 1 it is what misses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    present: f64,
    is_share: bool,
}

impl Range {
    /// The range of a parameter.
    ///
    /// # Errors
    /// If it is zero or negative and not a share: nothing says then how far it may go.
    pub fn of(parameter: &Parameter) -> Result<Self, Error> {
        let (present, unit) = (parameter.value(), parameter.unit());
        if unit == "1" && (0.0..=1.0).contains(&present) {
            return Ok(Self { present, is_share: true });
        }
        if present > 0.0 && present.is_finite() {
            return Ok(Self { present, is_share: false });
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
        if self.is_share { (odds(NEAR), -odds(NEAR)) } else { (-FAR.ln(), FAR.ln()) }
    }

    /// The coordinate of the present value, within the ends.
    pub(super) fn now(&self) -> f64 {
        if self.is_share { odds(self.present.clamp(NEAR, 1.0 - NEAR)) } else { 0.0 }
    }

    /// The value at a coordinate.
    pub(super) fn value(&self, at: f64) -> f64 {
        if self.is_share { (1.0 + (-at).exp()).recip() } else { self.present * at.exp() }
    }
}

fn odds(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}
