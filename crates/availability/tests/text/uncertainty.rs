//! Samples and the delta method.

use crate::support::{case, figure, file, model};

/// The reference case's distributions: fourteen failure rates that were each estimated from ten failures.
fn uncertain_sip() -> String {
    let mut text = String::new();
    for line in file("models/sip-websphere.avail").lines() {
        let is_rate = line.starts_with("parameter lambda")
            || line.starts_with("parameter gamma")
            || line.starts_with("parameter pxy_gamma");
        let (line, _) = line.split_once('#').unwrap_or((line, ""));
        text.push_str(line);
        text.push_str(if is_rate { " ~ gamma(shape = 10)\n" } else { "\n" });
    }
    text
}

#[test]
fn the_delta_method_gives_the_reference_spread() {
    let text = uncertain_sip();
    assert_eq!(text.matches('~').count(), 14);
    let expected = &case("sip-websphere")["expected"]["uncertainty"];
    let model = model(&text, &[]);
    let plan = model.plan(&[1]);
    let spread = plan.delta(0).expect("a spread") / plan.solve().expect("a value")[0].value;
    let figure =
        figure(&expected["relative standard deviation by the delta method, 14 failure rates ~ Gamma(shape 10)"]);
    assert!((spread / figure - 1.0).abs() < 1e-12, "{spread} instead of {figure}");
}

#[test]
fn samples_have_the_reference_spread_however_they_are_divided() {
    let expected = &case("sip-websphere")["expected"]["uncertainty"];
    let model = model(&uncertain_sip(), &[]);
    let plan = model.plan(&[1]);
    let mut all = plan.sample(7, 0..600).expect("samples");
    let parts = [0..100, 100..600].map(|part| plan.sample(7, part).expect("samples")).concat();
    assert_eq!(all, parts);
    assert_ne!(all[..5], plan.sample(8, 0..5).expect("samples")[..]);
    all.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mean = all.iter().map(|sample| sample[0]).sum::<f64>() / 600.0;
    // Four standard errors of 2,000 samples with a standard deviation of 0.273.
    assert!((mean - figure(&expected["Monte Carlo mean"])).abs() < 0.045, "{mean}");
    for (at, entry) in [(30, "Monte Carlo 5 % point"), (300, "Monte Carlo 50 % point"), (570, "Monte Carlo 95 % point")]
    {
        assert!((all[at][0] / figure(&expected[entry]) - 1.0).abs() < 0.1, "{entry}: {}", all[at][0]);
    }
}

#[test]
fn samples_stay_within_the_range_of_their_parameter() {
    let samples = |x: &str| {
        let model = model(&format!("parameter x = {x}\nmeasure y = x"), &[]);
        model.plan(&[0]).sample(3, 0..500)
    };
    let within = samples("5 h between 4 h and 6 h ~ lognormal(error_factor = 100)").expect("samples");
    assert!(within.iter().all(|sample| (4.0..=6.0).contains(&sample[0])));
    assert!(within.iter().any(|sample| sample[0] < 4.5) && within.iter().any(|sample| sample[0] > 5.5));
    let error = samples("5 h between 4 h and 6 h ~ normal(mean = 1000 h, sd = 1 h)").expect_err("hardly any");
    assert!(error.is_wrong && error.remedy == "values lie above 0, and from 4 to 6 h", "{error}");
}

#[test]
fn without_a_distribution_there_is_nothing_to_sample() {
    let model = model(&file("models/duplex.avail"), &[]);
    let error = model.plan(&[0]).sample(1, 0..10).expect_err("no distribution");
    assert!(error.is_wrong && error.what == "no parameter has a distribution", "{error}");
}
