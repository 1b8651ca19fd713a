//! What must a parameter be, so that a measure is a given number?
//!
//! The parameter is moved over its range while all others keep their values. Where the measure passes the target between two
//! values, the place is found by a bracketing method, and the bracket is proven: the measures at its two ends are solved with
//! bounds of their errors, and lie on different sides of the target. A measure is a continuous function of the rates and
//! probabilities of its models, so that it is the target somewhere between (intermediate value theorem). It need not be
//! monotone: every passage that the steps of the search see is reported.

mod range;
mod root;

pub use range::Range;

use crate::model::Plan;
use crate::{Certain, Error};
use root::Search;

/// Steps for each factor of ten (of a share: of its odds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Two: to compare many parameters.
    Few,
    /// Eight: to look at one of them.
    Many,
}

/// Where the measure is the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Root {
    /// The value of the parameter.
    pub value: f64,
    /// The values between which it lies for certain; `None` if that cannot be proven: the measure jumps there, or is known
    /// with too few digits.
    pub proven: Option<(f64, f64)>,
    /// How far it is from the present value: the factor by which the parameter changes, of a share its odds. Above 1 if
    /// it has to rise.
    pub factor: f64,
}

/// How the measure moves when the parameter rises, as far as the steps of the search saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// It rises, or stays.
    Rises,
    /// It falls, or stays.
    Falls,
    /// It does both, so that there may be several values or a best one between.
    Turns,
    /// It stays.
    Flat,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The values for which the measure is the target, the nearest to the present one first; empty if there is none.
    pub roots: Vec<Root>,
    /// The value of the parameter for which the measure comes closest to the target, and the measure there.
    pub closest: (f64, f64),
    /// How the measure moves.
    pub trend: Trend,
    /// The values that were searched, from the lowest to the highest.
    pub searched: (f64, f64),
}

/// Searches the values of a parameter (by its index in the model) for which a measure (by its place in the plan) is
/// `target`.
///
/// # Errors
/// If the target is not a finite number, the parameter decides about the structure of the model or has no range (see
/// [`Range::of`]), the measure does not need it, or the model can be solved nowhere in the range.
pub fn search(plan: &Plan<'_>, measure: usize, parameter: usize, target: f64, steps: Steps) -> Result<Found, Error> {
    let own = plan.model().parameters().get(parameter);
    let own = own.ok_or_else(|| Error::new("there is no such parameter", "name one of the model's parameters"))?;
    if !target.is_finite() {
        return Err(Error::new(format!("a target of {target}"), "give a finite number"));
    }
    if own.is_structural() {
        let what = format!("`{}` decides about the structure of the model: it has no values between", own.name());
        return Err(Error::new(what, "compare some of its values instead, `everline availability compare --set`"));
    }
    if !plan.needs(parameter) {
        let what = format!("the measure does not depend on `{}`", own.name());
        return Err(Error::new(what, "choose a parameter that it depends on; `--gradient` of `solve` lists them"));
    }
    let range = Range::of(own)?;
    let certain = |value: f64| -> Result<Certain, Error> { Ok(plan.solve_with(parameter, value)?[measure]) };
    Search::new(range, target, &certain)?.run(steps)
}
