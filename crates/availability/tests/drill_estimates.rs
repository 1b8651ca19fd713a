//! Estimates from the result of a drill: one made up, and one that was run.

mod repository;

use std::collections::BTreeMap;

use availability::estimate::drill::{Drill, Law};
use availability::estimate::{Confidence, Injections};

fn run(step: &str, kind: &str, ending: &str, gap: &str) -> String {
    format!(
        r#"{{"step": "{step}", "kind": "{kind}", "ending": "{ending}", "detection_us": null, "takeover_us": 9000,
            "gap_us": {gap}, "level_after_us": 1000000, "something_new": []}}"#
    )
}

fn drill(runs: &[String]) -> String {
    format!(r#"{{"schema": "everline-drill-1", "place": "a rehearsal", "seed": 12, "runs": [{}]}}"#, runs.join(","))
}

fn both() -> Confidence {
    Confidence::two_sided(0.95).expect("valid")
}

#[test]
fn coverage_and_times_by_kind_and_by_step() {
    let mut runs: Vec<String> =
        (1..=5).map(|k| run("kill sip.primary", "process-death", "passed", &format!("{}", 2000 * k))).collect();
    runs.push(run("kill routing.primary", "process-death", "broken", "20000"));
    runs.push(run("power off h1", "host-power-off", "passed", "150000"));
    runs.push(run("fill disk h1", "full-disk", "not-done", "null"));
    let drill = Drill::read("drill.json", &drill(&runs)).expect("valid");
    assert_eq!((drill.runs.len(), drill.seed, drill.place.as_str()), (7, 12, "a rehearsal"));

    let coverage = drill.estimate("coverage of process-death", both()).expect("made");
    assert_eq!((coverage.count, coverage.unit, coverage.law), (6, "1", Law::Beta { a: 5.5, b: 1.5 }));
    assert_eq!(coverage.observed, Injections::new(6, 1).expect("valid").fixed(both()).covered);
    assert!((coverage.value - 5.5 / 7.0).abs() < 1e-15);

    // 2, 4, 6, 8, 10 ms: mean 6, standard error sqrt(10/5), Student's 2.776445 with 4 degrees.
    let gap = drill.estimate("gap of kill sip.primary", both()).expect("made");
    assert!((gap.value - 0.006).abs() < 1e-12 && gap.unit == "s" && gap.count == 5);
    assert!((gap.observed.upper - (0.006 + 2.776_445_1 * 2e-6_f64.sqrt())).abs() < 1e-9, "{gap:?}");
    let Law::Gamma { shape, .. } = gap.law else { panic!("{gap:?}") };
    assert!((shape - 36.0 / 2.0).abs() < 1e-9);

    // One time only: as if exponential, T / -ln 0.025 at the lower end.
    let gap = drill.estimate("gap of host-power-off", both()).expect("made");
    assert!((gap.observed.lower - 0.15 / -0.025_f64.ln()).abs() < 1e-12, "{gap:?}");
    assert_eq!(gap.law, Law::Gamma { shape: 1.0, mean: 0.15 });

    let names: Vec<String> = drill.estimates(both()).into_iter().map(|estimate| estimate.name).collect();
    assert!(
        names.contains(&"level of power off h1".to_owned()) && !names.iter().any(|name| name.contains("detection"))
    );
    assert_eq!(names.len(), 5 * 4, "{names:?}");
}

#[test]
fn what_is_no_result_of_a_drill_is_refused() {
    let read = |text: &str| Drill::read("d.json", text).expect_err(text).to_string();
    assert!(read("{").starts_with("d.json: it is no JSON"));
    assert!(read("{}").starts_with("d.json: it has no schema"));
    assert!(read(r#"{"schema": "everline-drill-2"}"#).contains("everline-drill-2"));
    assert!(read(&drill(&[run("a", "b", "well", "1")])).contains("runs[0].ending"));
    assert!(read(&drill(&[run("a", "b", "passed", "-1")])).contains("runs[0].gap_us"));
    let drill = Drill::read("d.json", &drill(&[run("a", "b", "passed", "1")])).expect("valid");
    for name in ["coverage", "coverage of c", "speed of b", "detection of b"] {
        assert!(drill.estimate(name, both()).is_err(), "{name}");
    }
}

#[test]
fn the_recorded_drill_of_three_hosts_is_read() {
    let Some(record) = repository::text("docs/measurements/hosts/drill.json") else { return };
    let steps: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let drill = Drill::read("drill.json", &record).expect("valid");
    // A plan may have a line more than once.
    let mut of = BTreeMap::<&str, (u64, u64)>::new();
    for step in steps["steps"].as_array().expect("steps") {
        let (injected, covered) = of.entry(step["step"].as_str().expect("a step")).or_default();
        *injected += step["injected"].as_u64().expect("a count");
        *covered += step["covered"].as_u64().expect("a count");
    }
    for (step, (injected, covered)) in of {
        let coverage = drill.estimate(&format!("coverage of {step}"), both()).expect("made");
        assert_eq!(coverage.count as u64, injected, "{step}");
        assert_eq!((coverage.observed.point * coverage.count as f64).round() as u64, covered, "{step}");
    }
    assert!(drill.estimate("takeover of freeze", both()).expect("made").value < 0.25);
}
