//! Models of several files: names, values, measurements, and errors at the right place.

use std::collections::BTreeMap;

use availability::compose::{Composed, Kept, Taken};
use availability::estimate::Confidence;
use availability::formats::File;
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
fn importance_is_asked_of_a_tree_that_is_used_under_another_name() {
    let plant = "chain pump { up: u; u -> f at 1 per 1000 h; f -> u at 1/(8 h) }
tree plant { event pump is pump; event valve probability 0.01; top = pump or valve }
";
    // An event that has the name of a model gets the prefix with it, another one does not.
    let whole = "use \"plant.avail\" as a
measure pump = birnbaum importance of a_pump in a_plant
measure valve = birnbaum importance of valve in a_plant
";
    let files = BTreeMap::from([("whole.avail", whole), ("plant.avail", plant)]);
    let composed = Composed::new("whole.avail", &mut |path| {
        let text = files.get(path).map(|text| (*text).to_owned());
        text.ok_or_else(|| Error::new(format!("{path} cannot be read"), "look at its name"))
    });
    let text = composed.expect("valid").text();
    // Each decides while the other has not occurred.
    assert!((value(&text, "pump") - 0.99).abs() < 1e-14);
    assert!((value(&text, "valve") - 1000.0 / 1008.0).abs() < 1e-14);
}

const DRILL: &str = r#"{"schema": "everline-drill-1", "place": "here", "seed": 1, "runs": [
    {"step": "freeze a", "kind": "freeze", "ending": "passed", "gap_us": 4000, "level_after_us": null},
    {"step": "freeze a", "kind": "freeze", "ending": "broken", "gap_us": 4000, "level_after_us": null}]}"#;

fn both() -> Confidence {
    Confidence::two_sided(0.95).expect("valid")
}

/// The drill under this name, whatever file is asked for.
fn drill(name: &str, text: &str) -> impl FnMut(&str) -> Option<File> + use<> {
    let file = File { name: name.to_owned(), text: text.to_owned() };
    move |_| Some(file.clone())
}

#[test]
fn a_drill_replaces_value_and_distribution() {
    let mut whole = composed(WHOLE).expect("valid");
    // Not at hand: the text keeps its value.
    let absent = BTreeMap::from([("m/drill.json".to_owned(), vec!["sip_covered".to_owned()])]);
    let taken = whole.measure(both(), &mut |_| None).expect("nothing wrong");
    assert_eq!(taken, Taken { absent, ..Taken::default() });
    let text = whole.text();
    let at_hand = |path: &str| File { name: path.to_owned(), text: DRILL.to_owned() };
    let taken = whole.measure(both(), &mut |path| (path == "m/drill.json").then(|| at_hand(path))).expect("measured");
    assert!(taken.replaced.len() == 1 && taken.kept.is_empty() && taken.absent.is_empty(), "{taken:?}");
    let replaced = &taken.replaced[0];
    assert_eq!((replaced.parameter.as_str(), replaced.file.as_str()), ("sip_covered", "m/drill.json"));
    let line = "parameter sip_covered = 1.5/3 ~ beta(a = 1.5, b = 1.5) from measured \"drill.json#coverage of freeze\"";
    assert!(whole.text().contains(line), "{}", whole.text());
    assert!(value(&whole.text(), "U") > value(&text, "U"));
}

#[test]
fn a_drill_that_is_given_is_the_source_and_what_it_lacks_is_kept() {
    let more = WHOLE.replace("fails   = 3 per year", "fails   = 3 per year from measured \"drill.json#gap of loss\"");
    let mut whole = composed(&more).expect("valid");
    let taken = whole.measure(both(), &mut drill("of \"mine\".json", DRILL)).expect("measured");
    let kept = Kept {
        parameter: "sip_fails".to_owned(),
        file: "of \"mine\".json".to_owned(),
        estimate: "gap of loss".to_owned(),
    };
    assert_eq!((taken.replaced.len(), &taken.kept[..]), (1, &[kept][..]));
    let text = whole.text();
    assert!(text.contains("parameter sip_fails = 3 per year from measured \"drill.json#gap of loss\""), "{text}");
    // A quote in a name would end the text in quotes.
    assert!(text.contains("from measured \"of 'mine'.json#coverage of freeze\""), "{text}");
    Model::read("whole", &text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
}

#[test]
fn a_file_of_nothing_that_is_wanted_is_refused_by_its_own_name() {
    let error = |whole: &str, text: &str| {
        let mut whole = composed(whole).expect("valid");
        whole.measure(both(), &mut drill("mine.json", text)).expect_err("refused").to_string()
    };
    let none = error(WHOLE, &DRILL.replace("freeze\"", "loss\""));
    assert!(none.starts_with("mine.json has none of the faults") && none.ends_with("these steps: freeze"), "{none}");
    let broken = error(WHOLE, "{}");
    assert!(broken.starts_with("mine.json: it has no schema"), "{broken}");
    // That there is no such estimate is the model's fault.
    let speed = error(&WHOLE.replace("coverage of freeze", "speed of freeze"), DRILL);
    assert!(speed.starts_with("m/whole.avail:4:1: a drill measures no \"speed\""), "{speed}");
}

#[test]
fn another_value_keeps_the_remark_that_says_what_the_parameter_is() {
    let text = composed(WHOLE).expect("valid").text();
    let model = Model::read("whole", &text, &[]).expect("valid");
    let meaning = |name: &str| {
        let found = model.parameters().iter().find(|parameter| parameter.name() == name).expect("a parameter");
        found.meaning().map(str::to_owned)
    };
    assert_eq!(meaning("sip_fails").as_deref(), Some("of one side"));
    assert_eq!(meaning("sip_covered"), None);
    let own = composed(&WHOLE.replace("fails   = 3 per year", "fails = 3 per year # of both")).expect("valid").text();
    assert!(own.contains("parameter sip_fails = 3 per year # of both\n"), "{own}");
}

#[test]
fn errors_name_the_file_they_come_from() {
    let whole = composed(&WHOLE.replace("3 per year", "3 per yeer")).expect("composes");
    let error = whole.explain(Model::read("whole", &whole.text(), &[]).expect_err("no unit"));
    let Some(Place { file, line, .. }) = error.place else { panic!("{error}") };
    assert_eq!((file.as_str(), line), ("m/whole.avail", 3));
    // So do the lines that their words name.
    for (more, said) in [
        ("let sip_covered = 1", "m/whole.avail:13:5: `sip_covered` has a meaning already, from line 4:"),
        (
            "let repair = 1 per hour",
            "m/whole.avail:13:5: `repair` has a meaning already, from line 1 of m/parts/shared.avail:",
        ),
        (
            "rules r { n : 0..1 start 0\n when n < 2 then n := n + 1 at 1 per hour; up: n = 0 }",
            "m/whole.avail:14:2: rule 'the rule in line 14' would set",
        ),
        // What only looks like a line in the words stays as it is.
        ("\"see line 2\"", "m/whole.avail:13:1: `\"see line 2\"` begins no statement"),
    ] {
        let whole = composed(&format!("{WHOLE}{more}\n")).expect("composes");
        let error = whole.explain(Model::read("whole", &whole.text(), &[]).expect_err("wrong")).to_string();
        assert!(error.starts_with(said), "{error}\nshould begin with {said}");
    }

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

#[test]
fn a_long_row_of_files_is_no_circle() {
    let row = |count: usize| {
        Composed::new("0.avail", &mut |path| {
            let number: usize = path.trim_end_matches(".avail").parse().expect("a number");
            let is_last = number + 1 == count;
            Ok(if is_last { "parameter a = 1\n".to_owned() } else { format!("use \"{}.avail\"\n", number + 1) })
        })
    };
    assert_eq!(row(32).expect("composes").text(), "parameter a = 1\n");
    let error = row(33).expect_err("too deep").to_string();
    assert!(error.contains("`use` is nested more than 32 deep: 0.avail, which uses 1.avail, which uses"), "{error}");
}
