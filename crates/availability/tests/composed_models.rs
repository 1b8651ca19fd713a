//! Models of several files: names, values, measurements, and errors at the right place.

use std::collections::BTreeMap;

use availability::compose::Composed;
use availability::estimate::Confidence;
use availability::model::Model;
use availability::{Error, Place};

const PAIR: &str = r#"
use "shared.avail"
parameter fails = 1 per year   # of one side
parameter covered = 0.9
chain pair {
  up: both, one
  both -> one  at 2*covered*fails
  both -> none at 2*(1-covered)*fails
  one  -> none at fails
  one  -> both at repair
  none -> one  at repair
}
measure down = unavailability of pair
"#;

const SHARED: &str = "parameter repair = 1 per hour\n";

const WHOLE: &str = r#"
use "parts/pair.avail" as sip {
  fails   = 3 per year
  covered = 0.9 ~ beta(a = 9.5, b = 0.5) from measured "drill.json#coverage of freeze"
}
use "parts/pair.avail" as routing {
  let fails = sip_fails/3
}
tree all { event a is sip_pair; event b is routing_pair; top = a or b }
measure U = unavailability of all
measure sip_down = unavailability of sip_pair
measure routing_down = unavailability of routing_pair
"#;

fn files(whole: &str) -> BTreeMap<String, String> {
    let pairs = [("m/whole.avail", whole), ("m/parts/pair.avail", PAIR), ("m/parts/shared.avail", SHARED)];
    pairs.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn composed(whole: &str) -> Result<Composed, Error> {
    let files = files(whole);
    Composed::new("m/whole.avail", &mut |path| {
        files.get(path).cloned().ok_or_else(|| Error::new(format!("{path} cannot be read"), "look at its name"))
    })
}

fn value(text: &str, measure: &str) -> f64 {
    let model = Model::read("whole", text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let k = model.measures().iter().position(|found| found.name() == measure).expect("the measure");
    model.solve().expect("solved")[k].value
}

#[test]
fn parts_are_used_under_other_names_and_values() {
    let text = composed(WHOLE).expect("valid").text();
    assert_eq!(text.matches("parameter repair").count(), 1, "{text}");
    let alone = |fails: &str| {
        let text = format!("{SHARED}{}", PAIR.replace("use \"shared.avail\"", "").replace("1 per year ", fails));
        value(&text, "down")
    };
    let (sip, routing) = (alone("3 per year "), alone("1 per year "));
    assert!((value(&text, "sip_down") / sip - 1.0).abs() < 1e-12);
    assert!((value(&text, "routing_down") / routing - 1.0).abs() < 1e-12);
    assert!((value(&text, "U") / (sip + routing - sip * routing) - 1.0).abs() < 1e-12);
}

#[test]
fn a_drill_replaces_value_and_distribution() {
    let drill = r#"{"schema": "everline-drill-1", "place": "here", "seed": 1, "runs": [
        {"step": "freeze a", "kind": "freeze", "ending": "passed", "gap_us": 4000, "level_after_us": null},
        {"step": "freeze a", "kind": "freeze", "ending": "broken", "gap_us": 4000, "level_after_us": null}]}"#;
    let confidence = Confidence::two_sided(0.95).expect("valid");
    let mut whole = composed(WHOLE).expect("valid");
    // Not at hand: the text keeps its value.
    assert_eq!(whole.measure(confidence, &mut |_| None).expect("nothing wrong"), []);
    let text = whole.text();
    let replaced =
        whole.measure(confidence, &mut |path| (path == "m/drill.json").then(|| drill.to_owned())).expect("measured");
    assert_eq!(replaced.len(), 1);
    assert_eq!((replaced[0].parameter.as_str(), replaced[0].file.as_str()), ("sip_covered", "m/drill.json"));
    assert!(
        whole.text().contains("parameter sip_covered = 1.5/3 ~ beta(a = 1.5, b = 1.5) from measured"),
        "{}",
        whole.text()
    );
    assert!(value(&whole.text(), "U") > value(&text, "U"));
    assert!(whole.measure(confidence, &mut |_| Some(drill.replace("freeze\"", "loss\""))).is_err());
}

#[test]
fn errors_name_the_file_they_come_from() {
    let whole = composed(&WHOLE.replace("3 per year", "3 per yeer")).expect("composes");
    let error = whole.explain(Model::read("whole", &whole.text(), &[]).expect_err("no unit"));
    let Some(Place { file, line, .. }) = error.place else { panic!("{error}") };
    assert_eq!((file.as_str(), line), ("m/whole.avail", 3));

    for (whole, expected) in [
        (
            "use \"parts/pair.avail\" as a {\n  speed = 3\n}",
            "m/whole.avail:2:1: m/parts/pair.avail has no parameter `speed`",
        ),
        ("use \"parts/none.avail\"", "m/whole.avail:1:1: m/parts/none.avail cannot be read"),
        ("use \"whole.avail\"", "m/whole.avail:1:1: m/whole.avail uses itself"),
        ("use \"parts/pair.avail", "m/whole.avail:1:1: the name of the file has no closing quote"),
        ("use \"parts/pair.avail\" for a", "m/whole.avail:1:1: this `use` is not understood"),
        ("use \"parts/pair.avail\" as a-b", "m/whole.avail:1:1: a file and a name are needed here"),
        (
            "use \"parts/pair.avail\" {\n fails = 1 per year",
            "m/whole.avail:1:1: the braces of this `use` are not closed",
        ),
        ("use \"parts/pair.avail\" {\n fails\n}", "m/whole.avail:2:1: here stands no `NAME = VALUE`"),
        (
            "use \"parts/pair.avail\"\nuse \"parts/pair.avail\" {\n fails = 1 per year\n}",
            "m/whole.avail:2:1: m/parts/pair.avail is used already under the same name",
        ),
    ] {
        let error = composed(whole).expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}\nshould begin with {expected}");
    }
}
