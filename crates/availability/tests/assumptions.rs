//! Tests of constant rates and exponential times, and fits where those do not hold, against examples and simulation.

use availability::Chance;
use availability::estimate::{
    ExponentialTest, FailureTimes, HyperErlang, Lifetime, exponential_test, laplace_trend, power_law_trend,
    total_time_curve, total_time_on_test,
};

const TESTS: [ExponentialTest; 3] =
    [ExponentialTest::Lilliefors, ExponentialTest::ChiSquare, ExponentialTest::AndersonDarling];

/// A time of Erlang law with so many phases, mean 1.
fn erlang(phases: u32, chance: &mut Chance) -> f64 {
    (0..phases).map(|_| chance.exponential()).sum::<f64>() / f64::from(phases)
}

#[test]
fn the_distance_of_lilliefors_is_the_largest() {
    // Times 1, 2, 3, 4, 10 with mean 4, by hand: the largest distance is (2/5) - F(1) or F(k) - (k-1)/5 at 1: 0.2212 - 0.
    let result = exponential_test(&[10.0, 1.0, 2.0, 4.0, 3.0], ExponentialTest::Lilliefors, 99, 1).expect("valid");
    assert!((result.statistic - (1.0 - (-0.25_f64).exp())).abs() < 1e-15, "{result:?}");
}

#[test]
fn the_critical_values_of_lilliefors_come_out() {
    // Lilliefors 1969: beyond n = 30 the statistic is above 1.06/sqrt(n) with probability 0.05 (three digits, sampled).
    let mut chance = Chance::new(11);
    let runs = 1500;
    let above = (0..runs)
        .filter(|_| {
            let times: Vec<f64> = (0..40).map(|_| chance.exponential()).collect();
            let test = exponential_test(&times, ExponentialTest::Lilliefors, 99, 1).expect("valid");
            test.statistic > 1.06 / 40_f64.sqrt()
        })
        .count();
    // Three standard deviations of 1,500 samples.
    let share = above as f64 / f64::from(runs);
    assert!((share - 0.05).abs() < 0.017, "{share}");
}

#[test]
fn exponential_times_are_refused_as_often_as_the_level_says() {
    let mut chance = Chance::new(5);
    let runs = 300;
    let mut refused = [0; 4];
    for run in 0..runs {
        let times: Vec<f64> = (0..15).map(|_| 7.0 * chance.exponential()).collect();
        for (k, test) in TESTS.into_iter().enumerate() {
            refused[k] += u32::from(exponential_test(&times, test, 99, run).expect("valid").p_value <= 0.1);
        }
        refused[3] += u32::from(total_time_on_test(&times).expect("valid").p_value <= 0.1);
    }
    // 30 expected with a standard deviation of 5.2; chi-square is coarse, so it refuses less often.
    for (k, refused) in refused.into_iter().enumerate() {
        assert!((if k == 1 { 3 } else { 13 }..=47).contains(&refused), "test {k}: {refused} of {runs}");
    }
}

#[test]
fn times_that_are_not_exponential_are_noticed() {
    let mut chance = Chance::new(6);
    let even: Vec<f64> = (0..60).map(|_| erlang(4, &mut chance)).collect();
    let mixed: Vec<f64> =
        (0..60).map(|_| chance.exponential() * if chance.uniform() < 0.15 { 20.0 } else { 0.4 }).collect();
    for test in TESTS {
        assert!(exponential_test(&even, test, 199, 1).expect("valid").p_value < 0.05, "{test:?}");
        assert!(exponential_test(&mixed, test, 199, 1).expect("valid").p_value < 0.05, "{test:?}");
    }
    let (rising, falling) = (total_time_on_test(&even).expect("valid"), total_time_on_test(&mixed).expect("valid"));
    assert!(rising.statistic > 0.0 && rising.p_value < 0.01);
    assert!(falling.statistic < 0.0 && falling.p_value < 0.01);
    assert!(exponential_test(&even[..4], ExponentialTest::Lilliefors, 99, 1).is_err());
    assert!(exponential_test(&[1.0, 2.0, 0.0, 1.0, 3.0], ExponentialTest::Lilliefors, 99, 1).is_err());
}

#[test]
fn total_time_on_test_by_hand() {
    // 1, 3, 4: 3*1, + 2*2, + 1*1 of 8.
    assert_eq!(total_time_curve(&[3.0, 1.0, 4.0]), [3.0 / 8.0, 7.0 / 8.0, 1.0]);
    let result = total_time_on_test(&[3.0, 1.0, 4.0]).expect("valid");
    // Two uniform numbers add up to 10/8 or more with (3/4)^2/2, twice for both sides.
    assert!((result.p_value - 0.5625).abs() < 1e-15);
}

#[test]
fn trends_by_hand() {
    let unit = FailureTimes { instants: &[2.0, 5.0, 8.0], end: Some(10.0) };
    let laplace = laplace_trend(&[unit]).expect("valid");
    assert!(laplace.statistic.abs() < 1e-15 && (laplace.p_value - 1.0).abs() < 1e-12, "{laplace:?}");
    // All late: the sum of shares 0.9 + 0.8 is 1.7, P(sum >= 1.7) = 0.3^2/2.
    let late = FailureTimes { instants: &[8.0, 9.0], end: Some(10.0) };
    let laplace = laplace_trend(&[late]).expect("valid");
    assert!(laplace.statistic > 0.0 && (laplace.p_value - 0.09).abs() < 1e-12, "{laplace:?}");
    // 2 (ln 10/8 + ln 10/9) with 4 degrees: 1 - (1 + s/2) e^(-s/2) with e^(-s/2) = 0.72.
    let power = power_law_trend(&[late]).expect("valid");
    let half = -0.72_f64.ln();
    assert!((power.statistic - 2.0 * half).abs() < 1e-14);
    assert!((power.p_value - 2.0 * (1.0 - (1.0 + half) * 0.72)).abs() < 1e-14);
    // The failure that ended the observation is no evidence.
    let ended = FailureTimes { instants: &[8.0, 9.0, 10.0], end: None };
    assert_eq!(laplace_trend(&[ended]).expect("valid"), laplace);
    assert!(laplace_trend(&[FailureTimes { instants: &[5.0, 3.0], end: None }]).is_err());
    assert!(laplace_trend(&[FailureTimes { instants: &[11.0], end: Some(10.0) }]).is_err());
    assert!(laplace_trend(&[FailureTimes { instants: &[], end: Some(10.0) }]).is_err());
}

#[test]
fn the_exact_sum_and_its_approximation_meet() {
    // 20 failures are summed exactly, 21 by Edgeworth: with the same shares the p-values are of one curve.
    let p = |n: usize| {
        let instants: Vec<f64> = (0..n).map(|k| ((k as f64 + 0.5) / n as f64).powf(0.6)).collect();
        laplace_trend(&[FailureTimes { instants: &instants, end: Some(1.0) }]).expect("valid").p_value.ln()
    };
    assert!((p(20) - f64::midpoint(p(19), p(21))).abs() < 1e-3, "{} {} {}", p(19), p(20), p(21));
}

fn complete(times: impl Iterator<Item = f64>) -> Vec<Lifetime> {
    times.map(|time| Lifetime { time, complete: true }).collect()
}

#[test]
fn one_erlang_branch_has_the_rate_of_its_mean() {
    let mut chance = Chance::new(2);
    let times = complete((0..300).map(|_| 3.0 * erlang(5, &mut chance)));
    let fit = HyperErlang::fit(&times, 6).expect("converges");
    let mean = times.iter().map(|time| time.time).sum::<f64>() / 300.0;
    assert_eq!(fit.branches.len(), 1, "{fit:?}");
    assert!((4..=6).contains(&fit.branches[0].phases), "{fit:?}");
    assert!((fit.mean() / mean - 1.0).abs() < 1e-8);
}

#[test]
fn exponential_times_get_one_phase() {
    let mut chance = Chance::new(3);
    let times = complete((0..200).map(|_| chance.exponential()));
    let fit = HyperErlang::fit(&times, 4).expect("converges");
    assert_eq!((fit.branches.len(), fit.branches[0].phases), (1, 1), "{fit:?}");
}

#[test]
fn times_cut_off_count_as_longer() {
    // One exponential phase: the rate is events over time, as for any exposure.
    let mut chance = Chance::new(4);
    let times: Vec<Lifetime> = (0..200)
        .map(|_| {
            let time = chance.exponential();
            Lifetime { time: time.min(0.8), complete: time < 0.8 }
        })
        .collect();
    let fit = HyperErlang::fit(&times, 1).expect("converges");
    let events = times.iter().filter(|time| time.complete).count() as f64;
    let total: f64 = times.iter().map(|time| time.time).sum();
    assert!((fit.branches[0].rate / (events / total) - 1.0).abs() < 1e-4, "{fit:?}");
    assert!(HyperErlang::fit(&[Lifetime { time: 1.0, complete: false }], 2).is_err());
    assert!(HyperErlang::fit(&times, 40).is_err());
}

#[test]
fn repairs_of_two_kinds_are_told_apart() {
    let mut chance = Chance::new(8);
    let times = complete((0..400).map(|_| if chance.uniform() < 0.8 { 0.1 } else { 10.0 } * chance.exponential()));
    let fit = HyperErlang::fit(&times, 3).expect("converges");
    assert_eq!(fit.branches.len(), 2, "{fit:?}");
    let mut means: Vec<f64> = fit.branches.iter().map(|branch| f64::from(branch.phases) / branch.rate).collect();
    means.sort_unstable_by(f64::total_cmp);
    assert!((means[0] / 0.1 - 1.0).abs() < 0.3 && (means[1] / 10.0 - 1.0).abs() < 0.3, "{fit:?}");
}

#[test]
fn moments_are_met() {
    for cv2 in [0.01, 0.05, 0.3, 0.5, 0.99, 1.0, 2.0, 50.0, 1e5] {
        let fit = HyperErlang::from_moments(4.0, cv2).expect("valid");
        assert!(
            (fit.mean() / 4.0 - 1.0).abs() < 1e-9 && (fit.cv2() / cv2 - 1.0).abs() < 1e-6,
            "{cv2}: {fit:?}, {}",
            fit.cv2()
        );
        let weights: f64 = fit.branches.iter().map(|branch| branch.weight).sum();
        assert!((weights - 1.0).abs() < 1e-12);
        let tails = fit.tails(4.0);
        assert!((tails.lower + tails.upper - 1.0).abs() < 1e-12);
    }
    assert!(HyperErlang::from_moments(1.0, 0.001).is_err());
}
