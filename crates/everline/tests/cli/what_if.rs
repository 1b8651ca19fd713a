//! `everline availability estimate`, `compare`, `goal` and `budget`, as a person and as a program use them.

use std::fs;

use serde_json::Value;

use crate::support::{Ended, Place};

const DUPLEX: &str = "\
parameter n      = 2
parameter lambda = 1 per 10000 h
parameter c      = 95 %
parameter unused = 3 h
chain duplex {
  up: both, one
  both   -> unseen at n*lambda
  unseen -> one at c/(10 s);          unseen -> reboot at (1-c)/(10 s)
  reboot -> one at 1/(5 min);         one -> both at 1/(2 h)
  one    -> none at lambda;           none -> one at 1/(2 h)
}
blocks pool { for i in 1..n { block unit[i] fails at lambda, repaired at 1/(2 h) } works = any of unit[*] }
tree service { event duplex is duplex; event site unavailability 1e-6, failure frequency 1 per year; event left probability 1e-3
  event right probability 1e-3; top = duplex or site or (left and right) }
measure downtime = downtime of duplex
measure service = downtime of service
measure both = unavailability of pool
";

/// A folder with files in it.
fn place(files: &[(&str, &str)]) -> Place {
    let place = Place::new();
    for (name, text) in files {
        fs::write(place.path().join(name), text).expect("written");
    }
    place
}

/// Runs a command whose words are given one by one, since values have blanks.
fn run(place: &Place, words: &[&str]) -> Ended {
    let output = place.program().arg("availability").args(words).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn json(place: &Place, words: &[&str]) -> Value {
    let ended = run(place, words);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{words:?}");
    serde_json::from_str(&ended.out).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn settings_of_a_model_stand_side_by_side() {
    let place = place(&[("duplex.avail", DUPLEX)]);
    let words = ["compare", "duplex.avail", "--set", "c=90%,99%", "--set", "lambda=1 per year,2 per year"];
    let ended = run(&place, &[&words[..], &["--measure", "downtime"]].concat());
    let lines: Vec<&str> = ended.out.lines().collect();
    assert_eq!((ended.code, lines.len()), (Some(0), 5), "{}{}", ended.out, ended.err);
    assert_eq!(lines[0], "C    LAMBDA      DOWNTIME min/year", "{}", ended.out);
    let value = json(&place, &[&words[..], &["--json"]].concat());
    let settings = value["settings"].as_array().expect("settings");
    assert_eq!(settings[1]["set"]["lambda"], "2 per year");
    // The same as `solve` with these values.
    let solved =
        json(&place, &["solve", "duplex.avail", "--parameter", "c=90%", "--parameter", "lambda=2 per year", "--json"]);
    assert_eq!(settings[1]["measures"], solved["measures"]);
    // A structural parameter may be compared, and several may move together.
    let pools = json(&place, &["compare", "duplex.avail", "--set", "n=1,2,3", "--measure", "both", "--json"]);
    let values: Vec<f64> = (0..3).map(|k| number(&pools["settings"][k]["measures"][0]["value"])).collect();
    assert!((values[1] / values[0].powi(2) - 1.0).abs() < 1e-12 && (values[2] / values[0].powi(3) - 1.0).abs() < 1e-12);
}

#[test]
fn built_in_questions_are_answered_by_our_own_models() {
    let place = Place::new();
    let downtime = |words: &[&str]| -> Vec<f64> {
        let value = json(&place, &[words, &["--json"]].concat());
        let settings = value["settings"].as_array().expect("settings");
        settings.iter().map(|setting| number(&setting["measures"][0]["value"])).collect()
    };
    let standby = downtime(&["compare", "--question", "standby"]);
    assert!(standby.len() == 3 && standby[0] > standby[1] && standby[1] > standby[2], "{standby:?}");
    let hosts = downtime(&["compare", "--hosts", "1..5"]);
    assert!(hosts.len() == 5 && hosts[0] > hosts[1] && hosts[1] > hosts[2] && hosts[2] >= hosts[4], "{hosts:?}");
    assert_eq!(downtime(&["compare", "--question", "hosts"]), hosts);
    for question in ["detection", "operator"] {
        let rising = downtime(&["compare", "--question", question]);
        assert!(rising.len() == 4 && rising.windows(2).all(|pair| pair[0] < pair[1]), "{question}: {rising:?}");
    }
    let both = downtime(&["compare", "--hosts", "1,3", "--set", "notice=5 min,1 h"]);
    assert!(both.len() == 4 && both[0] < both[1] && both[2] < both[3] && both[3] < both[0], "{both:?}");
}

#[test]
fn a_goal_is_met_by_the_value_that_is_found() {
    let place = place(&[("duplex.avail", DUPLEX)]);
    let goal = ["goal", "duplex.avail", "--target", "0.4 min/year", "--parameter"];
    let value = json(&place, &[&goal[..], &["lambda", "--json"]].concat());
    let found = &value["parameters"][0]["values"][0];
    let rate = number(&found["value"]);
    let between = found["between"].as_array().expect("a proven bracket");
    assert!(number(&between[0]) < rate && rate < number(&between[1]), "{found}");
    let given = format!("lambda={rate} per hour");
    let solved = json(&place, &["solve", "duplex.avail", "--measure", "downtime", "--parameter", &given, "--json"]);
    assert!((number(&solved["measures"][0]["value"]) / 0.4 - 1.0).abs() < 1e-10, "{solved}");
    let text = run(&place, &[&goal[..], &["lambda"]].concat()).out;
    assert!(
        text.starts_with("downtime is 0.77174 min/year now, and should be 0.4") && text.contains("proven"),
        "{text}"
    );
    assert!(text.contains("it rises with the parameter"), "{text}");
}

#[test]
fn what_cannot_be_reached_is_told_with_the_best_that_can() {
    let place = place(&[("duplex.avail", DUPLEX)]);
    // Ten seconds of detection remain, whatever the coverage.
    let ended = run(&place, &["goal", "duplex.avail", "--target", "0.1", "--parameter", "c"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.out.contains("no value of c from") && ended.out.contains("the closest is 0.999999999"),
        "{}",
        ended.out
    );
    let table = run(&place, &["goal", "duplex.avail", "--target", "99.99999%"]).out;
    assert!(table.contains("lambda") && table.contains("1 parameter cannot; closest comes c = "), "{table}");
    // The shares of the pool: availability falls and rises with the same parameter nowhere, and has two parameters.
    let value = json(&place, &["goal", "duplex.avail", "--target", "5.26min", "--json"]);
    let factors: Vec<f64> = value["parameters"]
        .as_array()
        .expect("rows")
        .iter()
        .filter(|row| row["reached"] == true)
        .map(|row| number(&row["values"][0]["factor"]).ln().abs())
        .collect();
    assert!(factors.len() == 2 && factors[0] <= factors[1], "{value}");
}

#[test]
fn a_target_near_to_1_is_told_apart_and_a_forgotten_sign_is_asked_about() {
    let place = place(&[("duplex.avail", &format!("{DUPLEX}measure a = availability of duplex\n"))]);
    let goal = |words: &[&str]| run(&place, &[&["goal", "duplex.avail", "--parameter", "lambda"][..], words].concat());
    let out = goal(&["--measure", "a", "--target", "99.9999%"]).out;
    assert!(out.starts_with("a is 0.99999853 now, and should be 0.99999900\n"), "{out}");
    let asked = goal(&["--target", "99.999"]).err;
    assert_eq!(asked, "99.999 are minutes a year here; write 99.999% for an availability\n");
    assert_eq!(goal(&["--target", "99.999%"]).err, "");
}

#[test]
fn a_budget_gives_each_part_its_share() {
    let place = place(&[("duplex.avail", DUPLEX)]);
    let value = json(&place, &["budget", "duplex.avail", "--measure", "service", "--target", "1 min", "--json"]);
    let parts = value["parts"].as_array().expect("parts");
    let names: Vec<&str> = parts.iter().filter_map(|part| part["name"].as_str()).collect();
    assert_eq!(names, ["duplex", "site", "left and right"], "{value}");
    for rule in ["proportional", "equal", "least_effort"] {
        let sum: f64 = parts.iter().map(|part| number(&part[rule]["may"])).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{rule}: {sum}");
    }
    assert!((number(&value["now"]) / 1.822_938 - 1.0).abs() < 1e-5, "{value}");
    assert!(parts.iter().all(|part| part["proportional"]["kept"] == false));
    let text = run(&place, &["budget", "duplex.avail", "--measure", "service", "--target", "99.999%"]).out;
    assert!(text.contains("which is kept") && text.contains("has it") && !text.contains("over by 1"), "{text}");
    let own = run(&place, &["budget", "three-hosts", "--target", "5.26min"]);
    assert!(own.code == Some(0) && own.out.contains("base/feeds") && own.out.contains("sip"), "{}{}", own.out, own.err);
}

#[test]
fn a_budget_counts_what_is_shared_once() {
    let text = "tree t { event power probability 1e-3; event a probability 0.01; event b probability 0.02
      event c probability 0.03; event d probability 0.04
      top = power or g; g = (a and b) or (a and c) or (power and d) or spare; spare = d }
      measure down = downtime of t\n";
    let place = place(&[("t.avail", text)]);
    let value = json(&place, &["budget", "t.avail", "--target", "99%", "--json"]);
    let names: Vec<&str> =
        value["parts"].as_array().expect("parts").iter().filter_map(|part| part["name"].as_str()).collect();
    // What needs power and d is down when power is, so that it adds nothing.
    assert_eq!(names, ["d", "power", "a and b or a and c"], "{value}");
    let solved = json(&place, &["solve", "t.avail", "--json"]);
    let (parts, whole) = (number(&value["now"]), number(&solved["measures"][0]["value"]));
    assert!((parts / whole - 1.0).abs() < 1e-9, "{parts} {whole}");
    let by_hand = 1.0 - 0.999 * 0.96 * (1.0 - 0.01 * (0.05 - 0.0006));
    assert!((parts / 525_600.0 / by_hand - 1.0).abs() < 1e-9, "{parts}");
    let text = run(&place, &["budget", "t.avail", "--target", "99%"]).out;
    assert!(text.contains("\"a or b\" is one part") && !text.contains("while"), "{text}");
}

const LOG: &str = "\
2026-01-01T00:00:00Z       *      begin
2026-01-01T10:00:00Z       sip-a  down
2026-01-01T11:00:00Z       sip-a  up
2026-01-01T20:00:00Z       sip-b  down
2026-01-01T20:30:00Z       sip-b  up
2026-01-02T15:00:00Z       sip-a  down
2026-01-02T16:00:00Z       *      end
";

#[test]
fn rates_with_intervals_come_out_of_a_log() {
    let place = place(&[("field.log", LOG)]);
    let value = json(&place, &["estimate", "log", "field.log", "--pool", "--confidence", "90%", "--tests", "--json"]);
    let find = |what: &str| {
        let rows = value["estimates"].as_array().expect("rows");
        rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("{what}: {value}")).clone()
    };
    // 3 failures in 77.5 h, ended by time: chi-square 0.05 of 6 degrees is 1.635383, 0.95 of 8 degrees 15.507313.
    let rate = find("failure rate");
    assert!((number(&rate["value"]) - 3.0 / 77.5).abs() < 1e-15);
    assert!((number(&rate["lower"]) - 1.635_383 / 155.0).abs() < 1e-8, "{rate}");
    assert!((number(&rate["upper"]) - 15.507_313 / 155.0).abs() < 1e-8, "{rate}");
    assert!(number(&find("downtime")["value"]) > 0.0);
    // As `solve` calls it, whose `mtbf` has the time down as well.
    assert!((number(&find("mean up time")["value"]) - 77.5 / 3.0).abs() < 1e-12);
    assert!(value["tests"].as_array().is_some_and(|tests| tests.len() == 8), "{value}");
    let text = run(&place, &["estimate", "log", "field.log", "--component", "sip-b", "--prior", "3 per year"]).out;
    assert!(text.contains("1 failure in 39.5000 h up") && text.contains("failure rate with prior"), "{text}");
    assert!(text.contains(" 1 failure, 1 repair "), "{text}");
    // sip-a is down when the log ends.
    let repair = find("repair rate");
    assert_eq!(repair["from"], "2 repairs in 2.50000 h down, 1 more not seen: still down at the end");
    assert!((number(&repair["value"]) - 2.0 / 2.5).abs() < 1e-15, "{value}");
}

#[test]
fn a_log_says_for_whom_the_star_stands_and_takes_units_that_never_failed() {
    let declared = LOG.replacen("begin\n", "begin\n2026-01-01T00:00:00Z sip-c begin\n", 1);
    let place = place(&[("field.log", LOG), ("declared.log", &declared)]);
    for (file, rate, said) in [
        ("field.log", 3.0 / 77.5, "* stands for the 2 components that the log names, 0 of them without an event; "),
        ("declared.log", 3.0 / 117.5, "* stands for the 3 components that the log names, 1 of them without an event; "),
    ] {
        let value = json(&place, &["estimate", "log", file, "--pool", "--json"]);
        assert!((number(&value["estimates"][0]["value"]) - rate).abs() < 1e-15, "{value}");
        assert!(value["notes"][0].as_str().is_some_and(|note| note.starts_with(said)), "{value}");
        assert!(run(&place, &["estimate", "log", file]).out.contains(said));
    }
}

#[test]
fn what_ended_a_log_may_be_said_and_is_told() {
    let log = "2026-01-01T00:00Z a begin\n2026-01-01T20:00Z a down\n2026-01-01T20:00Z a end\n";
    let place = place(&[("test.log", log), ("field.log", LOG)]);
    let row = |words: &[&str]| json(&place, &[&["estimate", "log", "--json"], words].concat())["estimates"][0].clone();
    // Chi-square 0.975 of 2 degrees is -2 ln 0.025, of 4 degrees 11.143287.
    for (words, until, upper, shape) in [
        (&["test.log"][..], "the last failure", -0.025_f64.ln() / 20.0, 1.0),
        (&["test.log", "--until", "failure"], "the last failure", -0.025_f64.ln() / 20.0, 1.0),
        (&["test.log", "--until", "time"], "a time", 11.143_287 / 40.0, 1.5),
    ] {
        let rate = row(words);
        assert_eq!(rate["from"], format!("1 failure in 20.0000 h up, until {until}"));
        assert!((number(&rate["upper"]) - upper).abs() < 1e-7, "{rate}");
        assert_eq!(rate["model"]["law"]["gamma"]["shape"], shape, "{rate}");
        assert!((number(&rate["model"]["value"]) - shape / 20.0).abs() < 1e-15, "{rate}");
    }
    let ended = run(&place, &["estimate", "log", "field.log", "--until", "failure"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert!(ended.err.contains("no failure ended the observation of sip-b"), "{}", ended.err);
}

#[test]
fn rates_and_coverage_come_out_of_counts() {
    let place = Place::new();
    let rows = |words: &[&str]| {
        let value = json(&place, &[&["estimate", "counts", "--json"], words].concat());
        value["estimates"].as_array().expect("rows").clone()
    };
    let near = |value: &Value, expected: f64| (number(value) / expected - 1.0).abs() < 1e-9;
    // Chi-square by sums of Poisson's law: 0.025 of 6 degrees, 0.975 of 8 and of 6, over twice the hours.
    let time = rows(&["--failures", "3", "--over", "17000h"]);
    let [rate, mean] = &time[..] else { panic!("{time:?}") };
    assert!(near(&rate["value"], 3.0 / 17_000.0) && near(&rate["lower"], 3.639_247_781_738_83e-5), "{rate}");
    assert!(near(&rate["upper"], 5.157_219_452_789_602e-4) && near(&mean["upper"], 27_478.205_936_343_267), "{mean}");
    assert_eq!((&mean["what"], &rate["model"]["law"]["gamma"]["shape"]), (&"mean up time".into(), &3.5.into()));
    let failure = rows(&["--failures", "3", "--over", "17000 h", "--until", "failure"]);
    assert!(near(&failure[0]["upper"], 4.249_816_275_131_739_7e-4), "{failure:?}");
    // Without a failure there is an upper end, and no mean time.
    let none = rows(&["--failures", "0", "--over", "1000 h"]);
    assert!(near(&none[0]["upper"], -0.025_f64.ln() / 1000.0) && none[1]["value"].is_null(), "{none:?}");

    // Clopper and Pearson by sums of the binomial law.
    let faults = rows(&["--covered", "198", "--of", "200"]);
    let [exact, missed, posterior, _] = &faults[..] else { panic!("{faults:?}") };
    assert!(near(&exact["value"], 0.99) && near(&exact["lower"], 1.0 - 0.035_654_668_397_239_8), "{exact}");
    assert!(near(&missed["lower"], 0.001_213_349_013_735_987), "{missed}");
    assert!(near(&posterior["value"], 198.5 / 201.0) && near(&posterior["model"]["value"], 198.5 / 201.0));
    assert_eq!(posterior["model"]["law"], serde_json::json!({ "beta": { "a": 198.5, "b": 2.5 } }));
}

#[test]
fn what_stands_for_a_model_is_taken_by_one() {
    let place = Place::new();
    let column = |words: &[&str]| {
        let text = run(&place, &[&["estimate", "counts"], words].concat()).out;
        let at = text.find("FOR A MODEL").expect("the column");
        let cell = text.lines().filter_map(|line| line.get(at..)).find(|cell| cell.contains('~'));
        cell.unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    let rate = column(&["--failures", "3", "--over", "17000h"]);
    let coverage = column(&["--covered", "198", "--of", "200"]);
    assert_eq!(rate, "0.00020588 per h ~ gamma(shape = 3.500)");
    assert_eq!(coverage, "0.9876 ~ beta(a = 198.5, b = 2.5)");
    let model = format!(
        "parameter l = {rate}\nparameter c = {coverage}\nchain x {{ up: u; u -> f at l*c; f -> u at 1/(2 h) }}\n\
         measure unavailability of x\n"
    );
    fs::write(place.path().join("x.avail"), model).expect("written");
    let ended = run(&place, &["solve", "x.avail", "--samples", "20"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[test]
fn a_result_of_a_drill_counts_once() {
    let file = |begun: u64| {
        let run = r#"{"step": "kill sip.primary", "kind": "process-death", "ending": "passed"}"#;
        format!(r#"{{"schema": "everline-drill-1", "place": "here", "seed": 1, "begun_ns": {begun}, "runs": [{run}]}}"#)
    };
    let place = place(&[("one.json", &file(5)), ("copy.json", &file(5)), ("two.json", &file(6))]);
    for words in [&["one.json", "one.json"], &["one.json", "copy.json"]] {
        let ended = run(&place, &[&["estimate", "drill", "two.json"][..], words].concat());
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{words:?}");
        let said = format!("{} and {} are the result of one drill", words[0], words[1]);
        assert!(ended.err.contains(&said), "{}", ended.err);
    }
    let value = json(&place, &["estimate", "drill", "one.json", "two.json", "--json"]);
    assert_eq!(value["estimates"][0]["runs"], 2, "{value}");
}

#[test]
fn a_log_that_ends_while_something_is_down_says_so() {
    let log = "2026-01-01T00:00Z a begin\n2026-01-01T05:00Z a down\n2026-01-01T09:00Z a end\n";
    let place = place(&[("field.log", log)]);
    let ended = run(&place, &["estimate", "log", "field.log"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    for said in [
        "0 repairs in 4.00000 h down, 1 more not seen: still down at the end",
        "no unavailability of a: an availability from 1 failures and 0 repairs",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    let value = json(&place, &["estimate", "log", "field.log", "--json"]);
    assert!(value["notes"][0].as_str().is_some_and(|note| note.starts_with("no unavailability of a")), "{value}");
}

#[test]
fn coverage_and_times_come_out_of_drills() {
    let run_of = |ending: &str| {
        format!(r#"{{"step": "kill sip.primary", "kind": "process-death", "ending": "{ending}", "gap_us": 2000}}"#)
    };
    let file = |runs: &[String]| {
        format!(r#"{{"schema": "everline-drill-1", "place": "here", "seed": 1, "runs": [{}]}}"#, runs.join(","))
    };
    let (one, two) = (file(&[run_of("passed")]), file(&[run_of("passed"), run_of("broken")]));
    let place = place(&[("one.json", &one), ("two.json", &two)]);
    let value = json(&place, &["estimate", "drill", "one.json", "two.json", "--json"]);
    let coverage = value["estimates"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["name"] == "coverage of process-death")
        .expect("it");
    assert_eq!((&coverage["runs"], &coverage["law"]["beta"]["a"]), (&3.into(), &2.5.into()));
    let wide = json(&place, &["estimate", "drill", "one.json", "two.json", "--any-time", "--json"]);
    let wide =
        wide["estimates"].as_array().expect("rows").iter().find(|row| row["name"] == coverage["name"]).expect("it");
    assert!(number(&wide["lower"]) < number(&coverage["lower"]), "{wide}");
    let text = run(&place, &["estimate", "drill", "two.json"]).out;
    assert!(text.contains("~ beta(a = 1.5, b = 1.5)") && text.contains("gap of kill sip.primary"), "{text}");
    // A time has its unit also where a model takes it.
    let gap = "0.0020000 s ~ gamma(shape = 2.000)";
    assert!(text.contains(gap), "{text}");
    let model = format!("parameter gap = {gap}\nmeasure it = gap in ms\n");
    fs::write(place.path().join("x.avail"), model).expect("written");
    let solved = json(&place, &["solve", "x.avail", "--json"]);
    assert!((number(&solved["measures"][0]["value"]) - 2.0).abs() < 1e-12, "{solved}");
}

#[test]
fn a_claim_has_its_sample_size() {
    let place = Place::new();
    let plans = |words: &[&str]| json(&place, &[&["estimate", "plan", "--json", "--claim"], words].concat());
    // ln 0.05 / ln 0.999 = 2994.2.
    assert_eq!(plans(&["99.9%", "--confidence", "95%"])["plans"][0]["needed"], 2995.0);
    let time = plans(&["1000 h", "--confidence", "0.9"]);
    assert!((number(&time["plans"][0]["needed"]) + 1000.0 * 0.1_f64.ln()).abs() < 1e-9, "{time}");
    let rate = plans(&["1 per 1000 h", "--confidence", "0.9"]);
    assert!((number(&rate["plans"][0]["needed"]) / number(&time["plans"][0]["needed"]) - 1.0).abs() < 1e-12);
    let text = run(&place, &["estimate", "plan", "--claim", "99.9%"]).out;
    assert!(text.contains("INJECTIONS") && text.contains("2995"), "{text}");
    // What the help shows as claims are claims.
    let help = run(&place, &["estimate", "plan", "--help"]).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for claim in ["99.9%", "0.999", "10000 h", "2 years", "90 days", "2 per year", "1 per 5 years", "500 FIT"] {
        assert!(help.contains(claim), "{claim}: {help}");
        assert!(number(&plans(&[claim])["plans"][0]["needed"]) > 0.0, "{claim}");
    }
    // ln 0.05 of the mean time, which is 1e9/500 hours.
    let fit = plans(&["500 FIT"]);
    assert!((number(&fit["plans"][0]["needed"]) / (-2e6 * 0.05_f64.ln()) - 1.0).abs() < 1e-12, "{fit}");
}

#[test]
fn a_sequential_plan_says_when_to_stop_and_how_long_that_takes() {
    let place = Place::new();
    let words = ["estimate", "plan", "--claim", "50%", "--sequential", "99.99%"];
    // Both lines begin at ln 19 / (ln 5000 + ln 1.9998) = 0.3197 misses: five faults without a miss, or one miss among them.
    let value = json(&place, &[&words[..], &["--json"]].concat());
    assert_eq!(value["plans"][0], serde_json::json!({ "misses": 0, "shown_from": 5, "given_up_until": null }));
    assert_eq!((&value["plans"][1]["given_up_until"], &value["exact"]), (&9.into(), &true.into()));
    let [hoped, claim] = [0_usize, 1].map(|k| value["under"][k].clone());
    assert!((number(&hoped["shown"]) - 0.9999_f64.powi(5)).abs() < 1e-12, "{value}");
    assert!((number(&claim["shown"]) - 1.0 / 32.0).abs() < 1e-12, "{value}");
    assert!((number(&claim["injections"]) - 1.9375).abs() < 1e-12, "{value}");
    let text = run(&place, &words).out;
    assert!(text.contains("\n0                  5           -\n1                  18          9\n"), "{text}");
    assert!(text.contains("\n0.5000     3.1") && !text.contains("about, by Wald"), "{text}");
    let long = run(&place, &["estimate", "plan", "--claim", "99.99990%", "--sequential", "99.99991%"]);
    assert!(long.code == Some(0) && long.out.contains("about, by Wald's approximation"), "{}{}", long.out, long.err);
}

#[test]
fn parts_add_up() {
    let factors = "unit FIT\nreference 40 C\nfactor environment office 1 rack 1.5\npart ssd 250\npart fan 1500\n";
    let place =
        place(&[("factors.txt", factors), ("server.parts", "equipment server\nenvironment rack\n2 ssd\n4 fan\n")]);
    let value = json(&place, &["estimate", "parts", "server.parts", "--factors", "factors.txt", "--json"]);
    assert!((number(&value["rate"]) / (1.5e-9 * 6500.0) - 1.0).abs() < 1e-12, "{value}");
    let text = run(&place, &["estimate", "parts", "server.parts", "--factors", "factors.txt"]).out;
    assert!(text.contains("server: 9750.0 FIT"), "{text}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_would_be_right() {
    let place = place(&[
        ("duplex.avail", DUPLEX),
        ("gap.log", "2026-01-01T00:00Z a begin\n"),
        ("no.json", "{}"),
        ("f.txt", "unit FIT\npart fan 3\n"),
        ("s.parts", "2 fna\n"),
    ]);
    for (words, said) in [
        (&["compare", "duplex.avail", "--set", "c=90%,99%", "--measure", "downtme"][..], "did you mean \"downtime\"?"),
        (&["compare", "duplex.avail", "--set", "cc=90%"], "there is no parameter `cc`"),
        (&["compare", "duplex.avail", "--set", "c=90"], "the rate from `unseen` to `reboot` is -"),
        (&["compare", "duplex.avail", "--set", "c="], "a setting without a name or a value"),
        (&["compare", "duplex.avail"], "required"),
        (&["compare", "--hosts", "0..3"], "write numbers from 1 to 12"),
        (&["compare", "--question", "weather"], "possible values: standby, hosts, detection, operator"),
        (&["compare", "three-host", "--set", "notice=1 h"], "did you mean `three-hosts`?"),
        (&["goal", "duplex.avail", "--measure", "servce", "--target", "1"], "did you mean \"service\"?"),
        (&["goal", "duplex.avail", "--target", "-3"], "the target -3 is out of range"),
        (&["goal", "duplex.avail", "--target", "101%"], "the target 101% is out of range"),
        (&["goal", "duplex.avail", "--target", "soon"], "the target `soon` is not understood"),
        (&["goal", "duplex.avail", "--target", "five"], "help: write a number with its unit"),
        (&["goal", "duplex.avail", "--target", "3 per year"], "does not fit a measure in min/year"),
        (&["goal", "duplex.avail", "--target", "1", "--parameter", "lamda"], "did you mean \"lambda\"?"),
        (
            &["goal", "duplex.avail", "--measure", "both", "--target", "1e-9", "--parameter", "n"],
            "`n` decides about the structure",
        ),
        (&["goal", "duplex.avail", "--target", "1", "--parameter", "unused"], "does not depend on `unused`"),
        (&["budget", "duplex.avail", "--measure", "service", "--target", "100%"], "the target 100% is out of range"),
        (&["budget", "duplex.avail", "--measure", "downtime", "--target", "1"], "does not consist of parts"),
        (&["budget", "nothing.avail", "--target", "1"], "there is no file nothing.avail"),
        (&["estimate", "log", "gap.log"], "gap.log:1:1: a is observed since this line"),
        (&["estimate", "log", "no.log"], "there is no file no.log"),
        (&["estimate", "log", "gap.log", "--confidence", "95"], "write a share between 0 and 1"),
        (&["estimate", "drill", "no.json"], "it has no schema"),
        (&["estimate", "counts"], "required"),
        (&["estimate", "counts", "--failures", "3"], "--over"),
        (&["estimate", "counts", "--failures", "3", "--over", "2 per year"], "`2 per year` is no time"),
        (&["estimate", "counts", "--failures", "0", "--over", "9 h", "--until", "failure"], "without an event"),
        (&["estimate", "counts", "--covered", "3", "--of", "2"], "3 faults covered of 2"),
        (&["estimate", "counts", "--covered", "3", "--of", "4", "--failures", "3"], "cannot be used with"),
        (&["estimate", "plan", "--claim", "3 C"], "the claim `3 C` is not understood"),
        (&["estimate", "plan", "--claim", "7"], "the claim `7` is out of range"),
        (&["estimate", "plan", "--claim", "99%", "--sequential", "99%"], "is not above the claim `99%`"),
        (&["estimate", "plan", "--claim", "9 h", "--sequential", "99%"], "`9 h`, which is no coverage"),
        (&["estimate", "plan", "--claim", "99%", "--risk", "5%"], "--sequential"),
        (&["estimate", "parts", "s.parts", "--factors", "f.txt"], "s.parts:1:3: there is no part \"fna\""),
    ] {
        let ended = run(&place, words);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{words:?}: {}", ended.err);
        assert!(ended.err.contains(said), "{words:?}: {}", ended.err);
    }
}
