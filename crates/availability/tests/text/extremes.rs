//! Numbers at the edge of binary64: what they lost is told, and what they are not is no number.

use availability::explain;

use crate::support::{model, solved};

/// The digits that are promised for the only measure of a text.
fn digits(text: &str) -> u32 {
    solved(&model(text, &[])).values().next().expect("a measure").digits()
}

/// A unit that fails and is repaired.
fn pair(fails: &str, repaired: &str, measure: &str) -> String {
    format!(
        "chain pair {{ up: works; works -> fails at {fails} per hour; fails -> works at {repaired} per hour }}\nmeasure {measure} of pair"
    )
}

#[test]
fn what_underflows_has_no_sure_digits() {
    for (fails, repaired) in [("1e-150", "1e170"), ("1e-200", "1e200"), ("1e-160", "1e130")] {
        assert_eq!(digits(&pair(fails, repaired, "unavailability")), 0, "{fails} {repaired}");
    }
    assert_eq!(digits("let tiny = 1e-200*1e-200\nmeasure tiny*1e300"), 0);
    assert_eq!(digits("measure exp(-1000)"), 0);
    let tree =
        "tree t { event a probability 1e-200; event b probability 1e-200; top = a and b }\nmeasure unavailability of t";
    assert_eq!(digits(tree), 0);
}

#[test]
fn a_share_that_underflows_on_the_way_is_not_forgotten() {
    // far is entered at 1e-200 * 1e-200 per hour and stays for 1e300 hours: 1e-100 of the time, where near has 1e-200.
    let text = "chain c {
      up: works
      works -> near at 1e-200 per hour;  near -> works at 1 per hour
      near  -> far  at 1e-200 per hour;  far  -> works at 1e-300 per hour
    }
    measure unavailability of c";
    let found = solved(&model(text, &[]))["unavailability of c"];
    let wrong = (found.value / 1e-100 - 1.0).abs();
    assert!(found.digits() == 0 || wrong < 1e-15, "{found:?}");
}

#[test]
fn what_is_small_or_truly_nothing_is_sure() {
    assert!(digits(&pair("1e-100", "1e100", "unavailability")) >= 15);
    let rare = "chain rare {
      up: works, slow
      works -> slow at 1 per hour;  slow -> works at 1 per hour
      works -> broken at 0 per hour;  broken -> works at 1 per hour
    }\n";
    for measure in ["failures of rare", "unavailability of rare at 0 h", "unreliability of rare at 5 h"] {
        let found = solved(&model(&format!("{rare}measure {measure}"), &[]))[measure];
        assert_eq!((found.value, found.digits()), (0.0, 17), "{measure}");
    }
    assert_eq!(digits("measure 1 - 1"), 17);
}

#[test]
fn what_is_no_number_is_an_error_at_its_measure() {
    let tree = "tree t { event a probability 1e-200; event b probability 1e-200; top = a and b }\n";
    let criticality = format!("{tree}measure criticality of a in t");
    for (text, what) in [("measure 10^10^10", "is infinite"), (criticality.as_str(), "0 divided by 0")] {
        let error = model(text, &[]).solve().expect_err("no number");
        let told = explain(&error, text);
        assert!(told.contains(what) && told.contains("x.avail"), "{told}");
    }
}
