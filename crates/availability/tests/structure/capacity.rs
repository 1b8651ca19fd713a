//! How much of a capacity is up.

use availability::Dual;
use availability::structure::{CapacityDistribution, Probability};

use crate::brute_force::sum;
use crate::reference::assert_close;

#[test]
fn groups_are_as_in_all_cases() {
    // Three servers of 2 units behind a switch, and two of 3 units.
    let p = [0.1, 0.1, 0.1, 0.05, 0.2, 0.2];
    let small = CapacityDistribution::servers(3, 2, Probability::of(0.1)).unwrap().behind(Probability::of(0.05));
    let large = CapacityDistribution::servers(2, 3, Probability::of(0.2)).unwrap();
    let all = small.and(&large).unwrap();
    let up = |case: u32, bits: std::ops::Range<u32>| bits.filter(|k| case >> k & 1 == 0).count();
    let units = |case: u32| if up(case, 3..4) == 1 { 2 * up(case, 0..3) } else { 0 } + 3 * up(case, 4..6);
    assert_eq!(all.units(), 12);
    for k in 0..=12 {
        let exactly = sum(&p, |case| units(case) == k);
        assert!((all.probabilities()[k] - exactly).abs() < 1e-15);
        assert_close("at least", all.at_least(k).yes, sum(&p, |case| units(case) >= k), 1e-14);
        assert!((all.at_least(k).no - sum(&p, |case| units(case) < k)).abs() < 1e-15);
    }
    assert_close("mean up", all.mean_up(), 6.0 * 0.9 * 0.95 + 6.0 * 0.8, 1e-14);
    assert_close("mean down", all.mean_down(), 12.0 - all.mean_up(), 1e-14);
}

#[test]
fn the_rarest_loss_has_all_its_digits() {
    // All of 12 servers down: 1e-8 to the 12th, beside a probability of nearly 1.
    let pool = CapacityDistribution::servers(12, 1, Probability::of(1e-8)).unwrap();
    assert_close("none", (!pool.at_least(1)).yes, 1e-96, 1e-14);
    let slope = CapacityDistribution::servers(12, 1, Probability::of(Dual::variable(1e-8))).unwrap();
    assert_close("slope", slope.at_least(1).no.slope, 12e-88, 1e-14);
}

#[test]
fn what_is_too_large_is_refused() {
    let down = Probability::of(0.1);
    let error = CapacityDistribution::servers(100_000, 100, down).unwrap_err();
    assert!(error.what.contains("10000000 units"), "{error}");
    let wide = CapacityDistribution::servers(6, 100_000, down).unwrap();
    assert!(wide.and(&wide).is_err());
    assert_eq!(CapacityDistribution::none().and(&wide).unwrap(), wide);
    assert!(CapacityDistribution::servers(2, 1, Probability { yes: 2.0, no: -1.0 }).is_err());
}
