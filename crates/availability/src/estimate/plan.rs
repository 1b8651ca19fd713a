//! How much has to be observed for a claim: sample sizes and test times.

use super::special::{Tail, binomial_at_most, chi_square_quantile};
use crate::Error;

/// No plan asks for more injections: beyond it nobody would carry it out.
const MOST: u64 = 1 << 40;

/// The least number of injections that shows a share of missed faults of at most `missed_share` with this confidence, if so
/// many misses come up on the way.
///
/// It is the least n for which a count of at most `misses` has probability `1 - level` or less at that share; without a
/// miss, `ln(1 - level) / ln(1 - missed_share)` rounded up. For a claimed coverage of 0.999 give the share 0.001.
///
/// # Errors
/// Unless share and level lie between 0 and 1, or if more than a million million injections were needed.
pub fn injections_needed(missed_share: f64, level: f64, misses: u64) -> Result<u64, Error> {
    within("missed share", missed_share)?;
    within("confidence", level)?;
    let shown = |n: u64| {
        let tails = binomial_at_most(misses, n, missed_share, 1.0 - missed_share);
        // Compare the smaller of the two, which has the more digits.
        if level < 0.5 { tails.upper >= level } else { tails.lower <= 1.0 - level }
    };
    let mut high = misses + 1;
    while !shown(high) {
        high *= 2;
        if high > MOST {
            return Err(Error::new(
                format!("more than {MOST} injections for a missed share of {missed_share}"),
                "claim less, or compute the share from parts that can be shown",
            ));
        }
    }
    let mut low = misses;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if shown(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

/// The observed time after which a mean time between events of `mean_time` is shown with this confidence, if so many events
/// come up on the way: `mean_time * chi2(level; 2 events + 2) / 2`, in the unit of the mean time.
///
/// # Errors
/// Unless the mean time is positive and finite, and the level lies between 0 and 1.
pub fn time_needed(mean_time: f64, level: f64, events: u64) -> Result<f64, Error> {
    within("confidence", level)?;
    if !(mean_time > 0.0 && mean_time.is_finite()) {
        return Err(Error::new(format!("a claimed mean time of {mean_time}"), "it is positive and finite"));
    }
    Ok(0.5 * mean_time * chi_square_quantile(2.0 * events as f64 + 2.0, Tail::Lower(level)))
}

/// Refuses what is no share with room on both sides.
pub(super) fn within(what: &str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::new(format!("a {what} of {value}"), "it lies between 0 and 1, both excluded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_planned_is_refused() {
        assert!(injections_needed(0.0, 0.95, 0).is_err());
        assert!(injections_needed(1e-13, 0.95, 0).is_err());
        assert!(time_needed(-1.0, 0.95, 0).is_err());
    }
}
