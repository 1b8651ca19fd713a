//! Shares of an allowed downtime for each part of a service that is down if one of its parts is.
//!
//! With independent parts of unavailability U_i the whole has 1 - U = product of (1 - U_i): the amounts L_i = -ln(1 - U_i) add
//! up. All rules share out the amount of the target, so that parts which keep exactly to their shares meet it exactly. They
//! were published for reliabilities, whose logarithms add up in the same way (MIL-HDBK-338B, 1998, sections 6.3.2, 6.3.3 and
//! 6.3.5).

use crate::Error;

/// How an allowed unavailability is shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The same for each: `L_i = L/n`. For a new service of which nothing is known.
    Equal,
    /// In proportion to what each has now, `L_i = L * L_i(now) / sum of L(now)`: every part gets better by the same factor (ARINC
    /// apportionment: Von Alven, Reliability Engineering, ARINC Research Corporation, 1964).
    Proportional,
    /// With the least effort: the worst parts come down to one common level, the others stay as they are (Albert, A measure of
    /// the effort required to increase reliability, 1958). It is optimal if the effort to bring a part from one level to
    /// another is the same function for all, and additive along the way. If the target is met already each keeps what it
    /// has.
    LeastEffort,
}

/// The unavailability that each part may have, if `present` are those that they have now and `target` is allowed together.
///
/// # Errors
/// Without a part, or unless all numbers lie between 0 and 1, the target excluding both.
pub fn shares(present: &[f64], target: f64, rule: Rule) -> Result<Vec<f64>, Error> {
    if !(target > 0.0 && target < 1.0) {
        return Err(Error::new(
            format!("an allowed unavailability of {target}"),
            "it lies between 0 and 1, both excluded: 5.26 minutes a year are 1e-5",
        ));
    }
    if let Some(wrong) = present.iter().find(|now| !(0.0..1.0).contains(*now)) {
        return Err(Error::new(format!("a part with the unavailability {wrong}"), "it lies between 0 and 1"));
    }
    let amounts: Vec<f64> = present.iter().copied().map(amount).collect();
    let (all, allowed, count) = (amounts.iter().sum::<f64>(), amount(target), amounts.len() as f64);
    if present.is_empty() || (rule == Rule::Proportional && all == 0.0) {
        return Err(Error::new("a downtime of no parts", "ask for a service that has parts with some downtime"));
    }
    let level = level(&amounts, allowed);
    let share = |own: f64| match rule {
        Rule::Equal => allowed / count,
        Rule::Proportional => allowed * own / all,
        Rule::LeastEffort => own.min(level),
    };
    Ok(amounts.into_iter().map(|own| -(-share(own)).exp_m1()).collect())
}

/// The unavailability of a service of independent parts of which each brings it down: `1 - product of (1 - U_i)`.
#[must_use]
pub fn together(parts: &[f64]) -> f64 {
    -(-parts.iter().copied().map(amount).sum::<f64>()).exp_m1()
}

/// `-ln(1 - U)`.
fn amount(unavailability: f64) -> f64 {
    -(-unavailability).ln_1p()
}

/// The level for which the amounts, cut off there, add up to what is allowed; infinite if they do so as they are.
fn level(amounts: &[f64], allowed: f64) -> f64 {
    let mut sorted = amounts.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut left = allowed;
    for (k, own) in sorted.iter().enumerate() {
        let level = left / (sorted.len() - k) as f64;
        if *own > level {
            return level;
        }
        left -= own;
    }
    f64::INFINITY
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_worst_come_down_to_one_level() {
        let present = [4e-5, 1e-6, 2e-5];
        let shares = shares(&present, 2.1e-5, Rule::LeastEffort).expect("valid");
        assert_eq!(shares[1], present[1]);
        assert!((shares[0] / shares[2] - 1.0).abs() < 1e-12 && (shares[0] / 1e-5 - 1.0).abs() < 1e-4, "{shares:?}");
        assert_eq!(super::shares(&[1e-6, 2e-6], 1e-5, Rule::LeastEffort).expect("met"), [1e-6, 2e-6]);
    }

    #[test]
    fn the_example_of_the_handbook_comes_out() {
        // MIL-HDBK-338B, 6.3.3: 0.003, 0.001 and 0.004 failures per hour for 20 hours, of which 0.90 shall survive.
        let present = [0.003, 0.001, 0.004].map(|rate: f64| -(-20.0 * rate).exp_m1());
        let survive: Vec<f64> =
            shares(&present, 0.1, Rule::Proportional).expect("valid").iter().map(|share| 1.0 - share).collect();
        for (found, expected) in survive.iter().zip([0.96, 0.99, 0.95]) {
            assert!((found - expected).abs() < 0.005, "{survive:?}");
        }
        // Albert's rule by hand: of 0.7, 0.8, 0.9 the first two go up to sqrt(0.65/0.9) for 0.65 together.
        let shares = shares(&[0.3, 0.2, 0.1], 0.35, Rule::LeastEffort).expect("valid");
        let level = 1.0 - (0.65_f64 / 0.9).sqrt();
        assert!(
            shares.iter().zip([level, level, 0.1]).all(|(found, by_hand)| (found - by_hand).abs() < 1e-15),
            "{shares:?}"
        );
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        for (present, target) in [(&[1e-3][..], 0.0), (&[1e-3], 1.0), (&[1e-3], f64::NAN), (&[], 1e-5), (&[1.0], 1e-5)]
        {
            assert!(shares(present, target, Rule::Equal).is_err(), "{present:?} {target}");
        }
        assert!(shares(&[0.0], 1e-5, Rule::Proportional).is_err());
    }

    proptest! {
        #[test]
        fn parts_that_keep_to_their_shares_meet_the_target(
            present in prop::collection::vec(1e-9..0.5_f64, 1..12),
            target in 1e-9..0.5_f64,
        ) {
            let met = together(&present) <= target;
            for rule in [Rule::Equal, Rule::Proportional, Rule::LeastEffort] {
                let shares = shares(&present, target, rule).expect("valid");
                let whole = together(&shares);
                if rule == Rule::LeastEffort && met {
                    prop_assert!(whole <= target * (1.0 + 1e-12));
                } else {
                    prop_assert!((whole / target - 1.0).abs() < 1e-12, "{rule:?} {whole} {target}");
                }
            }
        }
    }
}
