//! The hierarchy of twelve chains and three trees, with its 58 derivatives and 1711 second derivatives.

use std::fmt::Write as _;

use crate::support::{assert_sure, case, figure, file, model, solved};

/// What a derivative may be off, relative to itself: it is computed with thirty digits, and some cancel.
const SLOPE_TOLERANCE: f64 = 1e-15;

#[test]
fn all_values_of_the_hierarchy_have_their_digits() {
    let (case, mut text) = (case("sip-websphere"), file("models/sip-websphere.avail"));
    let sub_models = case["expected"]["sub-models"].as_object().expect("models");
    let kinds = [
        ("U", "unavailability"),
        ("downtime", "downtime"),
        ("failure frequency", "failure frequency"),
        ("mean down time", "mean down time"),
        ("equivalent failure rate", "failure rate"),
    ];
    for name in sub_models.keys() {
        for (entry, phrase) in kinds {
            // Writing to a text cannot fail.
            let _ = writeln!(text, "measure \"{entry} {name}\" = {phrase} of {name}");
        }
    }
    for (name, short) in [("chassis", "CM"), ("blade", "BLADE")] {
        for (entry, phrase) in &kinds[..3] {
            let _ = writeln!(text, "measure \"{entry} {name} ({short})\" = {phrase} of {name}");
        }
    }
    let found = solved(&model(&text, &[]));
    for (name, entries) in sub_models {
        for (entry, _) in kinds {
            assert_sure(&format!("{entry} {name}"), found[&format!("{entry} {name}")], figure(&entries[entry]));
        }
    }
    let system = &case["expected"]["system and gates"];
    for name in ["chassis (CM)", "blade (BLADE)"] {
        for (entry, _) in &kinds[..3] {
            assert_sure(name, found[&format!("{entry} {name}")], figure(&system[name][*entry]));
        }
    }
    for (measure, entry) in [
        ("U", "U"),
        ("downtime", "downtime"),
        ("failure_frequency", "failure frequency"),
        ("MTBF", "MTBF"),
        ("mean_down_time", "mean down time"),
    ] {
        assert_sure(measure, found[measure], figure(&system["system"][entry]));
    }
    assert_sure(
        "applications",
        found["applications"],
        figure(&system["gate applications (at least 6 of 12 failed)"]["U"]),
    );
    assert_sure("proxies", found["proxies"], figure(&system["gate proxies (both failed)"]["U"]));
}

#[test]
fn all_first_and_second_derivatives_are_right() {
    let (first, second) = (case("sip-websphere"), case("sip-websphere-hessian"));
    let model = model(&file("models/sip-websphere.avail"), &[]);
    let plan = model.plan(&[0]);
    let names: Vec<&str> = model.parameters().iter().map(availability::model::Parameter::name).collect();
    let (slopes, elasticities) = (plan.gradient(0).expect("a gradient"), plan.elasticities(0).expect("elasticities"));
    assert_eq!(names.len(), 58);
    for ((name, slope), elasticity) in names.iter().zip(slopes).zip(elasticities) {
        let entry = &first["expected"]["gradient"][format!("dU/d{name}")];
        let near = |what: &str, found: f64, expected: f64, tolerance: f64| {
            assert!((found / expected - 1.0).abs() <= tolerance, "{what} {name}: {found:e} instead of {expected:e}");
        };
        near("slope", slope, figure(entry), SLOPE_TOLERANCE);
        // Printed with 15 digits.
        near(
            "elasticity",
            elasticity,
            entry["elasticity"].as_str().and_then(|text| text.parse().ok()).expect("a number"),
            5e-15,
        );
    }
    let order: Vec<&str> =
        second["expected"]["order"].as_array().expect("names").iter().filter_map(|name| name.as_str()).collect();
    let place = |name: &str| names.iter().position(|own| *own == name).expect("a parameter");
    let hessian = plan.hessian(0).expect("a Hessian");
    let (mut count, mut worst) = (0, 0.0_f64);
    for (from, row) in second["expected"]["rows"].as_array().expect("rows").iter().enumerate() {
        for (entry, name) in row.as_array().expect("a row")[1..].iter().zip(&order[from..]) {
            let (a, b) = (place(order[from]), place(name));
            let expected: f64 = entry.as_str().and_then(|text| text.parse().ok()).expect("a number");
            for found in [hessian[a][b], hessian[b][a]] {
                worst = worst.max(if expected == 0.0 { found.abs() } else { (found / expected - 1.0).abs() });
            }
            count += 1;
        }
    }
    // The reference has 16 digits.
    assert!(worst < 2e-15, "{worst:e}");
    assert_eq!(count, 1711);
}
