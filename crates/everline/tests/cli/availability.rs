//! `everline availability solve` and `report`, as a person and as a program use it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::Place;

/// Two units and one repairer.
pub(crate) const DUPLEX: &str = "\
parameter lambda = 1 per 10000 h ~ gamma(shape = 10)
parameter c      = 95 %
chain duplex {
  up: both, one
  both   -> unseen at 2*lambda
  unseen -> one at c/(10 s);          unseen -> reboot at (1-c)/(10 s)
  reboot -> one at 1/(5 min);         one -> both at 1/(2 h)
  one    -> none at lambda;           none -> one at 1/(2 h)
}
measure downtime of duplex
measure U = unavailability of duplex
";

/// A folder with a model in it.
pub(crate) fn place(name: &str, text: &str) -> Place {
    let place = Place::new();
    fs::write(place.path().join(name), text).expect("written");
    place
}

#[test]
fn measures_are_printed_with_value_unit_and_sure_digits() {
    let place = place("duplex.avail", DUPLEX);
    let ended = place.run("availability solve duplex.avail");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(lines[0].starts_with("MEASURE") && lines[0].ends_with("SURE DIGITS"), "{}", ended.out);
    assert!(
        lines[1].starts_with("downtime of duplex  0.771738171133") && lines[1].contains("min/year"),
        "{}",
        ended.out
    );
    assert!(lines[2].starts_with("U                   1.46829941235") && lines.len() == 3, "{}", ended.out);
    let one = place.run("availability solve duplex.avail --measure U").out;
    assert_eq!(one.lines().count(), 2, "{one}");
}

#[test]
fn json_has_the_fields_that_others_rely_on() {
    let place = place("duplex.avail", DUPLEX);
    let ended =
        place.run("availability solve duplex.avail --json --parameter c=99% --measure U --gradient --samples 200");
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    let measure = &value["measures"][0];
    assert_eq!((&measure["name"], &measure["unit"]), (&"U".into(), &"1".into()));
    let found = measure["value"].as_f64().expect("a number");
    assert!((found / 8.019_008_185_921_286e-7 - 1.0).abs() < 1e-14, "{found}");
    assert!(measure["digits"].as_u64().is_some_and(|digits| digits >= 13), "{}", ended.out);
    let parameters: Vec<_> =
        measure["gradient"].as_array().expect("rows").iter().map(|row| &row["parameter"]).collect();
    assert_eq!(parameters, ["lambda", "c"]);
    let spread = |key: &str| measure["samples"][key].as_f64().expect(key);
    assert!(spread("p05") < spread("p50") && spread("p50") < spread("p95"), "{}", ended.out);
    assert!((spread("sd") / spread("sd_delta") - 1.0).abs() < 0.3, "{}", ended.out);
    let again =
        place.run("availability solve duplex.avail --json --parameter c=99% --measure U --gradient --samples 200");
    assert_eq!(ended.out, again.out, "the same seed gives the same samples");
}

const UNIT: &str = "\
parameter a = 1 per hour ~ gamma(shape = 10)
parameter m = 3 per hour
parameter T = 5 h
chain c { up: u; u -> f at a; f -> u at m }
measure U = unavailability of c
measure bad = probability of downtime in c above 1 h over T
";

#[test]
fn second_derivatives_are_printed_by_each_two_parameters() {
    let place = place("unit.avail", UNIT);
    let ended = place.run("availability solve unit.avail --measure U --hessian");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let lines: Vec<Vec<&str>> = ended.out.lines().map(|line| line.split_whitespace().collect()).collect();
    // U = a/(a + m): -2m, a - m and 2a over (a + m)^3; the time is of the other measure.
    let table = [
        "U by each two parameters",
        "PARAMETER PARAMETER SECOND DERIVATIVE UNIT",
        "a a -9.375000000e-2 1 per 1/h per 1/h",
        "a m -3.125000000e-2 1 per 1/h per 1/h",
        "m m 3.125000000e-2 1 per 1/h per 1/h",
    ];
    let table = table.map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines[lines.len() - 5..], table, "{}", ended.out);
    let ended = place.run("availability solve unit.avail --measure U --hessian --json");
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    let rows = value["measures"][0]["hessian"].as_array().expect("rows");
    let names: Vec<String> = rows.iter().map(|row| row["parameters"].to_string()).collect();
    assert_eq!(names, ["[\"a\",\"a\"]", "[\"a\",\"m\"]", "[\"m\",\"m\"]"]);
    for (row, expected) in rows.iter().zip([-0.09375, -0.03125, 0.03125]) {
        let found = row["derivative"].as_f64().expect("a number");
        assert!((found / expected - 1.0_f64).abs() < 1e-15, "{}", ended.out);
    }
    assert!(value["measures"][0].get("gradient").is_none(), "{}", ended.out);
}

#[test]
fn a_measure_without_derivatives_leaves_the_others_theirs() {
    let place = place("unit.avail", UNIT);
    let ended = place.run("availability solve unit.avail --gradient --hessian --samples 20");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let refused = "bad has no derivatives: the distribution of downtime has none\n";
    for part in [refused, "U by each parameter\n", "U by each two parameters\n"] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    assert!(!ended.out.contains("bad by each"), "{}", ended.out);
    let ended = place.run("availability solve unit.avail --gradient --hessian --samples 20 --json");
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    let [smooth, bad] = [0_usize, 1].map(|measure| &value["measures"][measure]);
    assert_eq!(smooth["gradient"].as_array().map(Vec::len), Some(2));
    assert!(smooth["samples"]["sd_delta"].as_f64().is_some_and(|spread| spread > 0.0), "{}", ended.out);
    for null in [&bad["gradient"], &bad["hessian"], &bad["samples"]["sd_delta"]] {
        assert!(null.is_null(), "{}", ended.out);
    }
    assert!(bad["samples"]["mean"].as_f64().is_some_and(|mean| mean > 0.0), "{}", ended.out);
}

#[test]
fn a_rate_that_a_parameter_makes_negative_is_shown_with_its_line() {
    let place = place("unit.avail", &UNIT.replace("u -> f at a;", "u -> f at m - a;"));
    let ended = place.run("availability solve unit.avail --measure U --parameter a=4/hour");
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert_eq!(
        ended.err,
        "error: unit.avail:4:28: the rate from `u` to `f` is -1\n  \
         4 | chain c { up: u; u -> f at m - a; f -> u at m }\n    |                            ^\n  \
         help: it is a finite number, 0 or more\n"
    );
}

#[test]
fn a_wrong_model_is_shown_with_its_line() {
    let place = place("duplex.avail", &DUPLEX.replace("2*lambda", "2*lamda"));
    let ended = place.run("availability solve duplex.avail");
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""));
    assert_eq!(
        ended.err,
        "error: duplex.avail:5:25: there is no `lamda`; did you mean `lambda`?\n  \
         5 |   both   -> unseen at 2*lamda\n    |                         ^^^^^\n  \
         help: declare it with `parameter` or `let`\n"
    );
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_there_is() {
    let place = place("duplex.avail", DUPLEX);
    fs::write(place.path().join("plain.avail"), DUPLEX.replace("~ gamma(shape = 10)", "")).expect("written");
    for (line, said) in [
        ("nothing.avail", "there is no file nothing.avail"),
        ("duplex.doc", "`.doc` is the ending of no model"),
        ("duplex.avail --measure downtme", "the model has no measure \"downtme\""),
        ("duplex.avail --measure u", "did you mean \"U\"?"),
        ("duplex.avail --parameter lamda=1", "there is no parameter `lamda`; did you mean `lambda`?"),
        ("duplex.avail --parameter lambda", "write NAME=VALUE"),
        ("duplex.avail --parameter lambda=5h", "`lambda` is a rate, and `5h` is a time"),
        ("duplex.avail --parameter c=3furlong", "error: `c=3furlong`: `furlong` is not expected here\n  help: "),
        ("duplex.avail --top both", "duplex.avail is no tree of Open-PSA"),
        ("plain.avail --samples 20", "no parameter has a distribution"),
    ] {
        let ended = place.run(&format!("availability solve {line}"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}");
        assert!(ended.err.contains(said), "{line}: {}", ended.err);
    }
}

#[test]
fn a_model_that_cannot_be_solved_is_exit_code_1() {
    let place = place("one-way.avail", "chain c { up: a; a -> b at 1 per hour }\nmeasure unavailability of c\n");
    let ended = place.run("availability solve one-way.avail");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("state 'b' is absorbing"), "{}", ended.err);
}

#[test]
fn a_chain_goes_to_other_tools_and_comes_back() {
    let place = place("duplex.avail", DUPLEX);
    let unavailability = |text: &str| {
        let value: Value = serde_json::from_str(text).expect("JSON");
        let measures = value["measures"].as_array().expect("measures").clone();
        measures.iter().find(|one| one["name"] == "unavailability").and_then(|one| one["value"].as_f64()).expect("U")
    };
    let ended = place.run("availability export duplex.avail out.tra");
    assert_eq!((ended.code, ended.err.matches("5 states of duplex are in").count()), (Some(0), 2), "{}", ended.err);
    let found = unavailability(&place.run("availability solve out.tra --json").out);
    assert!((found / 1.468_299_412_355_251e-6 - 1.0).abs() < 1e-13, "{found:e}");
    place.run("availability export duplex.avail out.sm --parameter c=99%");
    fs::write(place.path().join("out.csl"), "\"unavailability\": S=? [ \"down\" ];\n").expect("written");
    let found = unavailability(&place.run("availability solve out.sm --json").out);
    assert!((found / 8.019_008_185_921_286e-7 - 1.0).abs() < 1e-13, "{found:e}");
    for (line, said) in [
        ("duplex.avail out.txt", "out.txt has no ending that says its form"),
        ("duplex.avail out.sm --chain dplex", "no chain \"dplex\"; did you mean \"duplex\"?"),
        ("three-hosts out.sm", "the model has several chains"),
    ] {
        let ended = place.run(&format!("availability export {line}"));
        assert_eq!(ended.code, Some(2), "{line}");
        assert!(ended.err.contains(said), "{line}: {}", ended.err);
    }
}

#[test]
fn each_reward_of_a_chain_goes_to_a_file_of_its_own() {
    let rewards = "  reward work: both = 2, one = 1\n  reward calls: both -> unseen = 3\n}";
    let place = place("duplex.avail", &DUPLEX.replace("\n}", &format!("\n{rewards}")));
    let ended = place.run("availability export duplex.avail out.tra");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for said in ["the reward work is in DIR/out.srew\n", "left out is what arcs earn", "explicit files: calls\n"] {
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
    assert_eq!(fs::read_to_string(place.path().join("out.srew")).expect("there"), "5 2\n0 2e0\n1 1e0\n");
    let more = DUPLEX.replace("\n}", "\n  reward work: both = 2\n  reward idle: reboot = 1\n}");
    fs::write(place.path().join("more.avail"), more).expect("written");
    let ended = place.run("availability export more.avail more.tra");
    for name in ["work", "idle"] {
        assert!(ended.err.contains(&format!("the reward {name} is in DIR/more.{name}.srew\n")), "{}", ended.err);
        assert!(place.path().join(format!("more.{name}.srew")).exists());
    }
    // In the PRISM language all of it has a place, and what is usual is asked.
    let ended = place.run("availability export duplex.avail out.sm");
    assert_eq!(ended.err, "5 states of duplex are in DIR/out.sm\n");
    let found = place.run("availability solve out.sm").out;
    for said in ["probability of down", "unavailability", "mttf", "reward calls", "reward work"] {
        assert!(found.contains(said), "{said}: {found}");
    }
}

#[test]
fn a_tree_goes_to_other_tools_and_comes_back() {
    let more = "tree plant {\n  event pair is duplex\n  event pump[1] fails at lambda, repaired at 1/(8 h)\n  top = pair or pump[1]\n}\n\
                tree spare { event a probability 0.1; event b probability 0.2; top = not a and b }\n\
                measure U2 = unavailability of plant\n";
    let place = place("plant.avail", &format!("{DUPLEX}{more}"));
    let value = |line: &str, measure: &str| {
        let ended = place.run(&format!("availability solve {line} --json --measure {measure}"));
        let value: Value = serde_json::from_str(&ended.out).expect("JSON");
        value["measures"][0]["value"].as_f64().expect("a value")
    };
    for file in ["out.xml", "out.dft"] {
        let ended = place.run(&format!("availability export plant.avail {file} --tree plant --parameter c=99%"));
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.err.starts_with(&format!("the tree plant is in DIR/{file}\n")), "{}", ended.err);
        assert!(ended.err.contains("not how often they fail: pair\n"), "{}", ended.err);
        assert_eq!(ended.err.contains("without the repair: pump_1\n"), file == "out.dft", "{}", ended.err);
        let text = fs::read_to_string(place.path().join(file)).expect("there");
        assert!(text.contains("plant of plant.avail; rates are per hour"), "{text}");
        let measures = place.run(&format!("availability solve {file} --json")).out;
        let measures: Value = serde_json::from_str(&measures).expect("JSON");
        let found = measures["measures"][0]["value"].as_f64().expect("a value");
        let expected = value("plant.avail --parameter c=99%", "U2");
        assert!((found / expected - 1.0).abs() < 1e-12, "{file}: {found} instead of {expected}");
    }
    let ended = place.run("availability export out.dft again.xml");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), "the tree top is in DIR/again.xml\n"));
    for (line, said) in [
        ("plant.avail out.xml", "the model has several trees"),
        ("plant.avail out.xml --tree plnt", "no tree \"plnt\"; did you mean \"plant\"?"),
        ("plant.avail out.dft --tree spare", "has no form in a Galileo tree"),
        ("out.xml out.dft --parameter pair=1", "out.xml has one tree, which is written as it stands"),
        ("out.xml out.sm", "the model has no chain"),
        ("hot-pair out.avail", "out.avail has no ending that says its form"),
    ] {
        let ended = place.run(&format!("availability export {line}"));
        assert_eq!(ended.code, Some(2), "{line}: {}", ended.err);
        assert!(ended.err.contains(said), "{line}: {}", ended.err);
    }
}

#[test]
fn models_of_several_files_and_built_in_ones_are_solved() {
    let place = place("duplex.avail", DUPLEX);
    let text = "use \"duplex.avail\" as far {\n  c = 99 %\n}\nmeasure U = unavailability of far_duplex\n";
    fs::write(place.path().join("two.avail"), text).expect("written");
    let ended = place.run("availability solve two.avail");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.contains("8.0190081859"), "{}", ended.out);
    fs::write(place.path().join("two.avail"), text.replace("c = 99 %", "c = 99 h")).expect("written");
    let ended = place.run("availability solve two.avail");
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("duplex.avail:") && ended.err.contains('^'), "{}", ended.err);
    let ended = place.run("availability solve hot-pair --json");
    assert!(ended.code == Some(0) && ended.out.contains("\"digits\""), "{}", ended.err);
    let ended = place.run("availability solve hot-pare");
    assert!(ended.code == Some(2) && ended.err.contains("did you mean `hot-pair`?"), "{}", ended.err);
}

#[test]
fn properties_and_labels_are_found_beside_the_model() {
    let place = place(
        "pair.sm",
        "ctmc\nmodule m\n n : [0..1] init 1;\n [] n=1 -> 1 : (n'=0);\n [] n=0 -> 4 : (n'=1);\nendmodule\n",
    );
    let nothing = place.run("availability solve pair.sm");
    assert_eq!(nothing.code, Some(2));
    assert!(
        nothing.err.contains("a property like `S=? [ n=0 ];`") && !nothing.err.contains("measure unav"),
        "{}",
        nothing.err
    );
    fs::write(place.path().join("pair.csl"), "\"down\": S=? [ n=0 ];\n").expect("written");
    let found = place.run("availability solve pair.sm").out;
    assert!(found.lines().nth(1).is_some_and(|line| line.starts_with("down     0.2000000000000")), "{found}");
    fs::write(place.path().join("pair.tra"), "2 2\n0 1 1\n1 0 4\n").expect("written");
    fs::write(place.path().join("pair.lab"), "0=\"init\" 1=\"down\"\n0: 0\n1: 1\n").expect("written");
    fs::write(place.path().join("pair.srew"), "0 1\n2 1\n").expect("written");
    let wrong = place.run("availability solve pair.tra");
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.err.contains("pair.srew:2:1: state 2 does not exist: the file pair.tra has 2 states"),
        "{}",
        wrong.err
    );
    assert!(wrong.err.contains("2 | 2 1"), "{}", wrong.err);
    fs::remove_file(place.path().join("pair.srew")).expect("removed");
    let found = place.run("availability solve pair.tra --measure mttf").out;
    assert!(found.lines().nth(1).is_some_and(|line| line.starts_with("mttf     1.0000000000000")), "{found}");
}

#[test]
fn a_space_that_does_not_fit_into_the_memory_is_an_error_and_no_abort() {
    let count = |name: &str| {
        format!("  {name} : 0..1000000 start 0\n  when {name} < 1000000 then {name} := {name}+1 at 1 per hour\n")
    };
    let back = "  when x > 0 then x := 0, y := 0, z := 0 at 1 per hour\n  up: x = 0\n";
    let counts = ["x", "y", "z"].map(count).concat();
    let text = format!("rules wide {{\n{counts}{back}}}\nmeasure unavailability of wide\n");
    let mut place = place("wide.avail", &text);
    let limited = ["sh", "-c", "ulimit -v 500000 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_everline")];
    place.by = limited.map(str::to_owned).to_vec();
    let ended = place.run("availability solve wide.avail");
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{}", ended.err);
    for said in [
        "error: wide.avail:1:7: the state space outgrows its limit of 100000000 states or ",
        " MiB (a sixth of what `ulimit -v` leaves this process): ",
        "or raise `ulimit -v`",
    ] {
        assert!(ended.err.contains(said), "{said}: {}", ended.err);
    }
    assert!(!ended.err.contains("explored "), "no progress without a terminal: {}", ended.err);
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
}

#[test]
fn the_report_of_a_model_says_what_to_improve_first() {
    let place = place("duplex.avail", DUPLEX);
    let ended = place.run("availability report duplex.avail --samples 50 --html page.html --language zh");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.starts_with("the page is ") && ended.err.ends_with("page.html\n"), "{}", ended.err);
    for part in [
        "AVAILABILITY",
        "99.999 % allows 5.26 min",
        " % of what 99.999 % allows, which is kept in ",
        "What to improve first",
        "! not said",
        "0 of 2 parameters are only assumed, and of 2 nothing is said; they carry 100.0 % of the sensitivity",
        "50 samples",
    ] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    assert!(!ended.out.contains("hardly matter"), "{}", ended.out);
    fs::write(place.path().join("idle.avail"), format!("parameter idle = 5 h\n{DUPLEX}")).expect("written");
    let out = place.run("availability report idle.avail --samples 50").out;
    assert!(out.contains("\nand 1 other that hardly matters ("), "{out}");
    let page = fs::read_to_string(place.path().join("page.html")).expect("the page");
    assert!(page.contains("lang=\"zh-Hans\"") && page.contains("</svg>") && !page.contains("<script"));
    // As readable for others as any file that somebody writes.
    let mode = |name: &str| fs::metadata(place.path().join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode("page.html"), mode("duplex.avail") & 0o644);
}

#[test]
fn the_report_says_what_parameters_are_and_what_is_not_built() {
    let place = Place::new();
    let out = place.run("availability report --samples 20").out;
    for part in [
        "WHAT IT IS",
        "until somebody looks into it (SIP Server, hot pair, and",
        "Media Server, pool (designed, not built yet)",
        "Prompts and media (in part designed, not built yet)",
        "Designed, not built yet, and in the figures all the same: ",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn the_report_of_everlines_own_solution_needs_no_file() {
    let place = Place::new();
    let ended = place.run("availability report --solution two-hosts --samples 20 --json");
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(value["schema"], "everline-availability-1");
    assert_eq!(value["services"][0]["name"], "calls");
    assert_eq!(value["samples"]["count"], 20);
    let again = place.run("availability report --solution two-hosts --samples 20 --json");
    assert_eq!(ended.out, again.out, "the same seed gives the same report");
}

#[test]
fn a_drill_replaces_what_was_measured_before() {
    let drill = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/measurements/hosts/drill.json");
    let place = Place::new();
    let ended = place.run(&format!("availability report --samples 20 --drill {drill}"));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains("parameters from the results of drills"), "{}", ended.out);
    // What is done to the processes of a pair is the same on one host.
    let ended = place.run(&format!("availability report --solution one-host --samples 20 --drill {drill} --json"));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    let parameters = value["parameters"].as_array().expect("parameters");
    let death = parameters.iter().find(|one| one["name"] == "sip_covered_death").expect("the parameter");
    assert_eq!(death["source"], format!("{drill}#coverage of kill sip.primary"));
    assert_eq!(value["kept"], serde_json::json!([]));
}

/// The result of a drill with these steps, each made once.
fn drill(steps: &[(&str, &str)]) -> String {
    let run = |(step, kind): &(&str, &str)| {
        format!(
            r#"{{"step": "{step}", "kind": "{kind}", "ending": "passed", "gap_us": 5000, "level_after_us": 400000}}"#
        )
    };
    let runs: Vec<String> = steps.iter().map(run).collect();
    format!(r#"{{"schema": "everline-drill-1", "place": "here", "seed": 1, "runs": [{}]}}"#, runs.join(","))
}

#[test]
fn what_a_drill_lacks_keeps_its_value_and_is_told() {
    let some = drill(&[("kill sip.primary", "process-death"), ("freeze sip.primary 10s", "freeze")]);
    let place = place("mine.json", &some);
    let ended = place.run("availability report --samples 20 --drill mine.json --html page.html");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    // Coverage and gap of both, and the level of the first.
    assert!(ended.out.contains("\n5 parameters from the results of drills."), "{}", ended.out);
    let kept =
        "routing_covered_hang keeps the value of the model: mine.json has no `coverage of freeze routing.primary 10s`.";
    assert!(ended.out.contains(kept), "{}", ended.out);
    let page = fs::read_to_string(place.path().join("page.html")).expect("the page");
    assert!(page.contains("routing_covered_hang keeps the value of the model: mine.json has no"), "{page}");
    let value = place.run("availability report --samples 20 --drill mine.json --json").out;
    let value: Value = serde_json::from_str(&value).expect("JSON");
    let kept = value["kept"].as_array().expect("what was kept");
    assert!(kept.iter().all(|one| one["file"] == "mine.json"), "{value}");
    assert!(kept.iter().any(|one| one["parameter"] == "sip_covered_host"), "{value}");
}

#[test]
fn an_error_of_a_drill_names_the_file_that_was_given() {
    let place = place("mine.json", &drill(&[("clock @sip.primary +1h 5s", "moved-clock")]));
    fs::write(place.path().join("no.json"), "{}").expect("written");
    fs::write(place.path().join("plain.avail"), DUPLEX).expect("written");
    for (line, said) in [
        ("--drill mine.json", "error: mine.json has none of the faults that the model takes from a drill\n"),
        ("--drill no.json", "error: no.json: it has no schema\n"),
        ("--drill gone.json", "error: there is no file gone.json\n"),
        ("plain.avail --drill mine.json", "error: plain.avail takes no parameter from a drill"),
    ] {
        let ended = place.run(&format!("availability report --samples 20 {line}"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}: {}", ended.err);
        assert!(ended.err.starts_with(said) && !ended.err.contains("docs/measurements"), "{line}: {}", ended.err);
    }
}

#[test]
fn the_report_takes_events_of_which_only_a_probability_is_known() {
    let text = "tree t { event a unavailability 0.01, failure frequency 2 per year; event d probability 0.001; top = a or d }\n\
                measure down = downtime of t\n";
    let place = place("t.avail", text);
    let ended = place.run("availability report t.avail --json");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    let service = &serde_json::from_str::<Value>(&ended.out).expect("JSON")["services"][0].clone();
    assert_eq!(service["failures_without"], serde_json::json!(["t.d"]));
    let failures = service["failures"]["value"].as_f64().expect("a number");
    assert!((failures / (0.999 * 2.0) - 1.0).abs() < 1e-12, "{failures}");
}

#[test]
fn wrong_reports_say_what_would_be_right() {
    let place = place("none.avail", "parameter a = 2\nmeasure a = 2*a\n");
    fs::write(place.path().join("odd.avail"), "parameter a = 2\nmeasure d = downtime of nothing\n").expect("written");
    fs::write(place.path().join("none.sm"), "ctmc\n").expect("written");
    for (line, said) in [
        ("none.avail", "downtime of MODEL"),
        ("none.sm", ".avail"),
        ("gone.avail", "gone.avail"),
        ("odd.avail", "odd.avail:2"),
        ("--solution four-hosts", "three-hosts"),
        ("none.avail --solution one-host", "cannot be used with"),
    ] {
        let ended = place.run(&format!("availability report {line}"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}");
        assert!(ended.err.contains(said), "{line}: {}", ended.err);
    }
}
