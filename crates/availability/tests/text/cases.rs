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
        assert!((slope / expected - 1.0).abs() < 1e-15, "{}: {slope:e} instead of {expected:e}", parameter.name());
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
    compare(&text, &[("max_skips", "2")], &case["expected"]["max_skips=2"], &pairs);
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

/// What uniformisation may be off: each of its steps rounds.
#[track_caller]
fn assert_near(what: &str, found: availability::Certain, expected: f64) {
    let error = ((found.value - expected) / expected).abs();
    assert!(error < 2e-12 && error <= found.relative_error + 3e-16, "{what}: {found:?} instead of {expected:e}");
    assert!(found.relative_error < 1e-8, "{what}: {found:?}");
}

#[test]
fn the_queue_of_three_has_its_first_seconds() {
    let text = file("models/mm13.avail")
        + "measure reached = probability of full in queue within 7.5 s
           measure served  = reward services of queue over 5.5 s
           measure number_then = reward number of queue at 1 s
           measure empty = probability of n[0] in queue at 1 s";
    let (found, expected) = (solved(&model(&text, &[])), &case("mm13-smoke")["expected"]);
    for (measure, entry) in [
        ("reached", "P(full reached within 7.5 s) from 0"),
        ("served", "expected services in 5.5 s from 0"),
        ("number_then", "mean number at 1 s from 0"),
        ("empty", "P(state 0 at 1 s) from 0"),
    ] {
        assert_near(entry, found[measure], figure(&expected[entry]));
    }
}

#[test]
fn the_yearly_downtime_of_a_pair_has_its_distribution() {
    let text = "
        parameter U = 2/525600
        parameter mu = 1 per 4 h
        let lambda = mu*sqrt(U)/(1 - sqrt(U))
        chain pair {
          up: both, one
          both -> one at 2*lambda;  one -> both at mu
          one -> none at lambda;    none -> one at 2*mu
        }
        chain unit { up: u; u -> f at lambda; f -> u at mu }
        tree two { event a is unit; event b fails at lambda, repaired at mu; top = a and b }
        blocks outer { block t is two; block never fails at 0 per hour; works = t and never }
        measure two_above_10 = probability of downtime in two above 10 min over 1 year
        measure outer_above_60 = probability of downtime in outer above 1 h over 1 year
        measure U = unavailability of pair
        measure never = reliability of pair at 1 year
        measure above_10 = probability of downtime in pair above 10 min over 1 year
        measure above_60 = probability of downtime in pair above 1 h over 1 year
        measure mean = unavailability of pair over 1 year in min/year
        measure failures = failures of pair over 1 year";
    let case = case("downtime-distribution-1-of-2");
    let (found, expected) = (solved(&model(text, &[])), &case["expected"]["MTTR 4 h"]);
    assert_sure("U", found["U"], figure(&expected["steady unavailability"]));
    for (measure, entry) in [
        ("never", "P(no downtime in a year)"),
        ("above_10", "P(downtime in a year > 10 min)"),
        ("above_60", "P(downtime in a year > 60 min)"),
        ("two_above_10", "P(downtime in a year > 10 min)"),
        ("outer_above_60", "P(downtime in a year > 60 min)"),
        ("mean", "expected downtime in a year"),
    ] {
        assert_near(entry, found[measure], figure(&expected[entry]));
    }
    // The pair begins whole, and in the long run it fails 1/60 times a year.
    assert!((found["failures"].value * 60.0 - 1.0).abs() < 1e-3, "{:?}", found["failures"]);
}

#[test]
fn a_measure_of_a_time_has_the_derivative_that_its_difference_shows() {
    let text = "parameter a = 0.3 per hour
        chain c { up: u; u -> d at a; d -> u at 2 per hour }
        measure at = unavailability of c at 1 h
        measure lasts = reliability of c at 1 h";
    let model = model(text, &[]);
    let slopes = [0, 1].map(|measure| model.plan(&[measure]).gradient(0).expect("a gradient")[0]);
    // U(t) = a/(a+m) (1 - e^-(a+m)t), R(t) = e^-at.
    let (a, m) = (0.3_f64, 2.0);
    let gone = (-(a + m)).exp();
    let expected = [m / (a + m).powi(2) * (1.0 - gone) + a / (a + m) * gone, -(-a).exp()];
    for (slope, expected) in slopes.into_iter().zip(expected) {
        assert!((slope / expected - 1.0).abs() < 1e-12, "{slope} instead of {expected}");
    }
}

#[test]
fn a_symmetric_model_is_solved_by_the_states_that_differ() {
    // Eleven units, each a module of its own: 2,048 states, of which twelve differ.
    let modules: String = (0..11)
        .map(|n| format!("module m{n} {{ u{n} : bool start true\n when u{n} then u{n} := false at l\n when not u{n} then u{n} := true at m }}\n"))
        .collect();
    let down: Vec<String> = (0..11).map(|n| format!("if(u{n}, 0, 1)")).collect();
    let text = format!(
        "parameter l = 1e-3 per hour\nparameter m = 0.1 per hour\nrules r {{\n{modules}label gone = {} >= 4\nup: not gone }}\n\
         chain few {{ for k in 0..10 {{ s[k] -> s[k+1] at (11-k)*l; s[k+1] -> s[k] at (k+1)*m }}\n up: s[0], s[1], s[2], s[3] }}\n\
         measure states of r\nmeasure many = mttf of r\nmeasure few = mttf of few\nmeasure U = unavailability of r\nmeasure V = unavailability of few",
        down.join(" + ")
    );
    let found = solved(&model(&text, &[]));
    assert_eq!(found["states of r"].value, 2048.0);
    for (many, few) in [("many", "few"), ("U", "V")] {
        let (many, few) = (found[many], found[few]);
        assert!((many.value / few.value - 1.0).abs() < many.relative_error + few.relative_error, "{many:?} {few:?}");
        assert!(many.digits() >= 11, "{many:?}");
    }
}

/// A large model with two halves is explored by half, and is written out with all its states.
#[test]
fn a_model_with_two_halves_has_all_its_states() {
    let text = file("models/workstation-cluster.avail");
    let rules = text.split("measure ").next().expect("the rules");
    let model = model(&format!("{rules}measure n = states of cluster\n"), &[("N", "73")]);
    let states = model.chain("cluster").expect("a chain").states().len() as f64;
    assert_eq!([solved(&model)["n"].value, states], [195_952.0; 2]);
}
