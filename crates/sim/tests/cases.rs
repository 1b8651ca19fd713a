//! Every saved case does for ever what it is expected to do.

use sim::case;

#[test]
fn every_saved_case_ends_as_expected() {
    let cases = case::all().unwrap();
    assert!(!cases.is_empty(), "no case is saved in {}", case::folder().display());
    let bad: Vec<String> =
        cases.iter().filter_map(|(name, case)| case.replay().err().map(|why| format!("{name}: {why}"))).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn every_saved_case_says_what_went_wrong() {
    for (name, case) in case::all().unwrap() {
        assert!(case.story.len() > 40, "{name} has no story");
    }
}
