//! Chains that jump very often within the time that is asked about.

use availability::Certain;

use crate::support::{file, model, solved};

/// A unit that fails once a year, and a measure of it.
fn unit(repair: &str, measure: &str) -> String {
    format!(
        "parameter fails = 1 per year
        parameter repaired = 1/({repair})
        chain unit {{ up: works; works -> failed at fails; failed -> works at repaired }}
        measure {measure}"
    )
}

fn only(text: &str) -> Certain {
    *solved(&model(text, &[])).values().next().expect("a measure")
}

#[test]
fn means_over_years_of_a_repair_in_milliseconds_have_their_closed_form() {
    for (repair, each_hour, span, hours) in
        [("100 ms", 36_000.0, "10 years", 87_600.0), ("10 ms", 360_000.0, "1 year", 8_760.0)]
    {
        let (fails, repaired): (f64, f64) = (1.0 / 8_760.0, each_hour);
        let all = fails + repaired;
        // The beginning is long gone in the end: e^-(all hours) is 0.
        let down = fails / all * (1.0 - 1.0 / (all * hours));
        for (measure, expected) in [
            ("unavailability of unit", down),
            ("availability of unit", 1.0 - down),
            ("failures of unit", fails * hours * (1.0 - down)),
        ] {
            let found = only(&unit(repair, &format!("{measure} over {span}")));
            let error = (found.value / expected - 1.0).abs();
            assert!(error <= found.relative_error + 1e-15, "{measure} with {repair}: {found:?}, not {expected:e}");
            assert!(found.digits() >= 12, "{measure} with {repair}: {found:?}");
        }
    }
}

#[test]
fn the_mean_over_years_has_derivatives() {
    let model = model(&unit("100 ms", "unavailability of unit over 10 years"), &[]);
    let slopes = model.plan(&[0]).gradient(0).expect("a gradient");
    let (fails, repaired, hours) = (1.0_f64 / 8_760.0, 36_000.0, 87_600.0);
    let all = fails + repaired;
    // Of fails/all (1 - 1/(all hours)), by each side of the product.
    let (rest, by_all) = (1.0 - 1.0 / (all * hours), fails / all / (all * all * hours));
    let expected = [repaired / (all * all) * rest + by_all, -fails / (all * all) * rest + by_all];
    for (slope, expected) in slopes.into_iter().zip(expected) {
        assert!((slope / expected - 1.0).abs() < 1e-12, "{slope} instead of {expected}");
    }
}

#[test]
fn a_detection_in_seconds_is_followed_until_the_repair_in_hours_has_had_its_say() {
    let text = file("models/duplex.avail")
        + "\nmeasure twenty = failures of duplex over 20 years
        measure ten = failures of duplex over 10 years
        measure each_year = failures of duplex
        measure late = unavailability of duplex at 20 years
        measure in_the_end = unavailability of duplex";
    let found = solved(&model(&text, &[]));
    let (twenty, ten) = (found["twenty"], found["ten"]);
    assert!(twenty.digits() >= 9 && found["late"].digits() >= 9, "{twenty:?} {:?}", found["late"]);
    // Behind the tenth year all are alike.
    let (between, expected) = (twenty.value - ten.value, 10.0 * found["each_year"].value);
    let bound = 2.0 * (twenty.relative_error + ten.relative_error);
    assert!((between / expected - 1.0).abs() <= bound, "{between}, not {expected}");
    let off = (found["late"].value / found["in_the_end"].value - 1.0).abs();
    assert!(off <= found["late"].relative_error + 1e-15, "{:?}", found["late"]);
}

#[test]
fn what_is_earned_in_a_time_is_no_more_sure_than_the_reward() {
    let text = file("models/duplex.avail")
        + "\nlet known = failures of duplex over 20 years
        chain d { up: ok; ok -> bad at 1 per 1000 h; bad -> ok at 1/(2 h)
          reward work: ok = known
          reward calls: ok -> bad = known }
        measure known
        measure reward work of d at 5 h
        measure reward work of d over 5 h
        measure reward calls of d over 5 h";
    let found = solved(&model(&text, &[]));
    let known = found["known"].relative_error;
    assert!(known > 1e-12, "{known:e}");
    for measure in ["reward work of d at 5 h", "reward work of d over 5 h", "reward calls of d over 5 h"] {
        let bound = found[measure].relative_error;
        assert!(bound >= known && bound < 1.1 * known, "{measure}: {bound:e} of {known:e}");
    }
}
