//! A configuration that is wrong in many places.

use std::fs;

use crate::Test;
use crate::support::Place;

pub(crate) const TESTS: &[Test] =
    &[("configuration::a_thousand_errors_are_told_at_once_and_briefly", a_thousand_errors)];

fn a_thousand_errors() {
    let place = Place::new();
    let wrong = "[[extension]]\nnumbr = \"1001\"\npasword = 7\n".repeat(1_000);
    fs::write(place.path().join("everline.toml"), format!("[sip]\nstanby = true\n{wrong}")).expect("written");
    for line in ["config check", "up"] {
        let ended = place.run(line);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
        assert!(ended.err.contains("did you mean \"standby\"?"), "{}", ended.err);
        assert!(ended.err.contains("did you mean \"number\"?") && ended.err.contains("\"password\"?"), "{}", ended.err);
        assert!(ended.err.contains("(the first 20 are shown)"), "{}", ended.err);
        assert!(ended.err.len() < 20_000, "{} bytes", ended.err.len());
    }
    let json = place.run("config check --json");
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert!(report["errors"].as_u64() >= Some(2_001), "{}", report["errors"]);
    assert!(report["problems"].as_array().is_some_and(|problems| problems.len() <= 1_000));
    assert_eq!(place.run("status").code, Some(3), "nothing was started");
}
