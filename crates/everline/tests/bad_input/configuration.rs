//! A configuration that is wrong in many places.

use std::fs;

use crate::Test;
use crate::support::Place;

pub(crate) const TESTS: &[Test] = &[
    ("configuration::a_thousand_errors_are_all_told_and_briefly_by_up", a_thousand_errors),
    ("configuration::a_file_that_is_not_there_is_told_to_programs_too", no_file),
];

fn a_thousand_errors() {
    let place = Place::new();
    let wrong = "[[extension]]\nnumbr = \"1001\"\npasword = 7\n".repeat(400);
    fs::write(place.path().join("everline.toml"), format!("[sip]\nstanby = true\n{wrong}")).expect("written");
    let (up, check) = (place.run("up"), place.run("config check"));
    assert_eq!((up.code, up.out.as_str()), (Some(2), ""), "a start has no result but that it is ready");
    assert!(up.err.contains("(the first 20 are shown; `everline config check` shows all)"), "{}", up.err);
    assert!(up.err.len() < 20_000, "{} bytes", up.err.len());
    // What a check finds is its result.
    assert_eq!(check.code, Some(2));
    assert_eq!(check.err, "error: DIR/everline.toml has errors\n");
    for told in [&up.err, &check.out] {
        assert!(told.contains("did you mean \"standby\"?"), "{told}");
        assert!(told.contains("did you mean \"number\"?") && told.contains("\"password\"?"), "{told}");
    }
    let count = check.out.lines().last().expect("a summary");
    let errors = count.strip_prefix("DIR/everline.toml: ").and_then(|count| count.strip_suffix(" errors"));
    let errors: usize = errors.unwrap_or_else(|| panic!("{count}")).parse().expect("a number");
    assert!(errors >= 801, "{count}");
    assert_eq!(check.out.lines().filter(|line| line.starts_with("  × ")).count(), errors, "each is shown");
    let json = place.run("config check --json");
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(report["errors"].as_u64(), u64::try_from(errors).ok());
    assert_eq!(report["problems"].as_array().map(Vec::len), Some(errors));
    assert_eq!(place.run("status").code, Some(3), "nothing was started");
}

fn no_file() {
    let place = Place::new();
    let ended = place.run("config check --json");
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    let report: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(report["errors"], 1);
    let problem = &report["problems"][0];
    assert!(problem["message"].as_str().is_some_and(|what| what.contains("No such file")), "{problem}");
    assert!(problem["help"].as_str().is_some_and(|what| what.contains("`everline up` writes")), "{problem}");
    let people = place.run("config check");
    assert_eq!((people.code, people.out.as_str()), (Some(2), ""));
    assert!(people.err.contains("`everline up` writes an example"), "{}", people.err);
}
