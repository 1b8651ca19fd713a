//! The smaller reference cases, each as a text that a person would write.

use crate::support::{assert_sure, case, figure, file, model, solved};

/// Compares measures with entries of a case: name of the measure, name of the entry.
fn compare(text: &str, given: &[(&str, &str)], expected: &serde_json::Value, pairs: &[(&str, &str)]) {
    let found = solved(&model(text, given));
    for (measure, entry) in pairs {
        assert_sure(measure, found[*measure], figure(&expected[*entry]));
    }
}

#[test]
fn the_duplex_has_all_its_digits_and_derivatives() {
    let (case, text) = (case("duplex-coverage-delay"), file("models/duplex.avail"));
    let pairs = [
        ("U", "unavailability"),
        ("downtime", "downtime"),
        ("both", "p_both_up"),
        ("unseen", "p_undetected"),
        ("reboot", "p_reboot"),
        ("one", "p_one_up"),
        ("none", "p_none_up"),
        ("frequency", "system_down_frequency"),
        ("between", "mean_time_between_down_events"),
        ("spell", "mean_down_spell"),
    ];
    compare(&text, &[], &case["expected"], &pairs);
    for (c, percent) in [("0.9", "90 %"), ("0.95", "95 %"), ("0.99", "99%"), ("1", "1")] {
        for (time, detection) in [("1s", "1 per s"), ("10s", "360 per hour"), ("60s", "1/(1 min)")] {
            let found = solved(&model(&text, &[("c", percent), ("delta", detection)]));
            let entry = format!("U(c={c},detection={time})");
            assert_sure(&entry, found["U"], figure(&case["expected"]["sweep"][&entry]));
        }
    }
    let model = model(&text, &[]);
    let slopes = model.plan(&[0]).gradient(0).expect("a gradient");
    for (parameter, slope) in model.parameters().iter().zip(slopes) {
        let expected = figure(&case["expected"]["derivatives"][format!("dU/d{}", parameter.name())]);
        assert!((slope / expected - 1.0).abs() < 2e-14, "{}: {slope:e} instead of {expected:e}", parameter.name());
    }
}

#[test]
fn the_queue_of_three_has_its_fractions() {
    let pairs = [
        ("pi_0", "pi_0"),
        ("pi_1", "pi_1"),
        ("pi_2", "pi_2"),
        ("full", "steady P(full)"),
        ("services", "steady service rate"),
        ("number", "steady mean number"),
        ("served_before_full", "services before full from 0"),
        ("time_to_full", "mean time to full from 0"),
    ];
    compare(&file("models/mm13.avail"), &[], &case("mm13-smoke")["expected"], &pairs);
}

#[test]
fn the_cluster_by_rules_has_its_measures() {
    let pairs = [
        ("U", "U = P(not premium)"),
        ("below_minimum", "P(below minimum)"),
        ("working", "mean percentage of working stations"),
        ("repairs", "repairs finished per hour"),
        ("minimum_lost", "flow minimum -> below minimum"),
        ("premium_lost", "flow premium -> not premium"),
        ("untouched", "P(all working, crew idle)"),
        ("time_to_minimum_lost", "MTTF to below minimum"),
        ("time_to_premium_lost", "MTTF to not premium"),
    ];
    let (text, case) = (file("models/workstation-cluster.avail"), case("workstation-cluster"));
    for n in ["2", "4"] {
        compare(&text, &[("N", n)], &case["expected"][format!("N={n}")], &pairs);
    }
}

#[test]
fn the_controller_knows_what_brings_it_down_first() {
    let pairs = [
        ("sensors", "P(first down cause: sensors)"),
        ("actuators", "P(first down cause: actuators)"),
        ("io", "P(first down cause: io)"),
        ("main", "P(first down cause: main)"),
        ("time_up", "mean time up before first down"),
        ("time_in_danger", "mean time in danger before first down"),
        ("states", "states"),
    ];
    let (text, case) = (file("models/embedded-control.avail"), case("embedded-control"));
    for skips in ["2", "3"] {
        compare(&text, &[("max_skips", skips)], &case["expected"][format!("max_skips={skips}")], &pairs);
    }
}

#[test]
fn the_aircraft_has_its_tree_at_each_time_and_its_mean_time() {
    let (text, case) = (file("models/aircraft.avail"), case("aircraft-kofn"));
    let names =
        ["IRS set failed", "PRS set failed", "SA set failed", "sensor part failed", "computers failed", "CRASH"];
    for time in ["1 h", "10 h", "100 h", "1000 h"] {
        let found = solved(&model(&text, &[("time", time)]));
        for name in names.map(|name| if name == "CRASH" { "P(CRASH)".to_owned() } else { format!("P({name})") }) {
            assert_sure(&name, found[&name], figure(&case["expected"][format!("t={time}")][&name]));
        }
    }
    let found = solved(&model(&text, &[]));
    assert_sure("mean time", found["mean time to CRASH"], figure(&case["expected"]["mean time to CRASH"]));
}

#[test]
fn the_tree_with_shared_events_has_its_importances() {
    let (text, case) = (file("models/chinese.avail"), case("fault-tree-chinese"));
    let expected = &case["expected"];
    let found = solved(&model(&text, &[]));
    assert_sure("P", found["P"], figure(&expected["P(top)"]));
    assert_eq!(found["cut sets"].value, figure(&expected["minimal cut sets"]["all"]));
    for group in ["e1 e2 e3", "e8"] {
        for kind in ["birnbaum", "criticality", "diagnosis", "raw", "rrw"] {
            let name = format!("{kind} {group}");
            assert_sure(
                &name,
                found[&name],
                figure(&expected["importance (one row per group of alike events)"][group][kind]),
            );
        }
    }
}

#[test]
fn rates_twelve_decades_apart_lose_nothing() {
    let case = case("stiff-birth-death");
    let text = "
        parameter n = 2
        parameter lambda = 1e-9 per hour
        parameter mu = 1e3 per hour
        chain units {
          for k in 0..n-1 { failed[k] -> failed[k+1] at (n-k)*lambda; failed[k+1] -> failed[k] at mu }
          down: failed[n]
        }
        measure U = unavailability of units
        measure MTTF = mttf of units
        measure frequency = failure frequency of units";
    for n in 2..=5 {
        let found = solved(&model(text, &[("n", &n.to_string())]));
        let expected = &case["expected"][format!("n={n}, one repairer")];
        assert_sure("U", found["U"], figure(&expected["U"]));
        assert_sure("MTTF", found["MTTF"], figure(&expected["MTTF from all up"]));
        assert_sure("frequency", found["frequency"], figure(&expected["system failure frequency"]));
    }
}
