//! The availability of something that is up and down by turns, from the times that it was.

use super::special::{Tail, f_quantile};
use super::{Confidence, Ending, Exposure, Interval};
use crate::Error;

/// An availability and its complement, each with its own digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Availability {
    /// The share of time that it is up.
    pub available: Interval,
    /// The share that it is down.
    pub unavailable: Interval,
}

/// The availability of a two-state system with exponential up and down times, with its interval.
///
/// `up` is the time up and the failures that ended it, `down` the time down and the repairs that ended it. The ratio of the
/// two means, each over its true value, follows an F law with twice the failures and twice the repairs as degrees of freedom
/// (Trivedi, Probability and Statistics with Reliability, Queuing and Computer Science Applications, 2nd ed. 2002, section
/// 10.2.4): for complete cycles the interval is exact. If a fixed time ended the observation, the end that is the worse one
/// counts a failure more (2r + 2 degrees): then the interval holds the true value at least as often as it says.
///
/// # Errors
/// If there was no failure: then no availability below 1 was seen; take a bound of the failure rate and a repair time that
/// is known from elsewhere. If there was no complete repair.
pub fn availability(up: &Exposure, down: &Exposure, confidence: Confidence) -> Result<Availability, Error> {
    let (failures, repairs) = (up.events, down.events);
    if failures == 0 || repairs == 0 {
        return Err(Error::new(
            format!("an availability from {failures} failures and {repairs} repairs"),
            "it takes one of each; before that, give the failure rate's upper bound and a repair time to a model",
        ));
    }
    // x = down / up: the unavailability is x / (1 + x), computed directly and never as 1 - A.
    let ratio = |x: f64| (x / (1.0 + x), (1.0 + x).recip());
    let spare = |exposure: &Exposure| u64::from(exposure.ending == Ending::Time);
    let degrees = |events: u64| 2.0 * events as f64;
    let observed = down.time / up.time;
    // F(m, n) is a ratio of chi-squares each over its degrees: the times cancel against m/n.
    let at = |failures: u64, repairs: u64, tail| {
        observed * failures as f64 / repairs as f64 * f_quantile(degrees(failures), degrees(repairs), tail)
    };
    let mirrored = confidence.mirrored();
    let (least, most_available) =
        mirrored.below().map_or((0.0, 1.0), |doubt| ratio(at(failures, repairs + spare(down), Tail::Lower(doubt))));
    let (most, least_available) =
        mirrored.above().map_or((1.0, 0.0), |doubt| ratio(at(failures + spare(up), repairs, Tail::Upper(doubt))));
    let (point, point_available) = ratio(observed * failures as f64 / repairs as f64);
    Ok(Availability {
        available: Interval { point: point_available, lower: least_available, upper: most_available },
        unavailable: Interval { point, lower: least, upper: most },
    })
}
