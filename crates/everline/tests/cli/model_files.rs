//! Files of other tools and of drills that models need, the units of derivatives, and the last digit that is printed.

use std::fs;

use serde_json::Value;

use crate::availability::{DUPLEX, place};

#[test]
fn a_digit_that_its_rounding_makes_unsure_is_not_printed() {
    let chain = "chain c { up: ok; ok -> bad at 1 per 1000 h; bad -> ok at 1/(2 h) }\nmeasure failures of c\n";
    let place = place("c.avail", chain);
    let ended = place.run("availability solve c.avail");
    // Of 8.742514970059880239 binary64 has 8.7425149700598794, which is 8.742514970059879 when rounded once more.
    assert!(ended.out.ends_with("failures of c  8.74251497005988  1/year  15\n"), "{}", ended.out);
}

#[test]
fn derivatives_have_a_unit_and_what_may_be_0_is_marked() {
    let text = "parameter l = 3 per hour\nparameter m = 60 min\n\
                chain d { up: a, x; a -> x at l; x -> f at 7/h; f -> a at 1/m }\n\
                measure F = failures of d\nmeasure T = mttf of d\n";
    let place = place("d.avail", text);
    let ended = place.run("availability solve d.avail --gradient --json");
    let value: Value = serde_json::from_str(&ended.out).expect("JSON");
    let units: Vec<_> =
        value["measures"][0]["gradient"].as_array().expect("rows").iter().map(|row| &row["unit"]).collect();
    assert_eq!(units, ["1/year per 1/h", "1/year per h"], "{}", ended.out);
    // 1/l + 1/7: nothing of it depends on both rates.
    let text = text.replace("7/h", "k").replace("measure F", "parameter k = 7 per hour\nmeasure F");
    fs::write(place.path().join("d.avail"), text).expect("written");
    let out = place.run("availability solve d.avail --measure T --gradient --hessian").out;
    let mixed = out.lines().find(|line| line.starts_with("l ") && line.contains(" k ")).unwrap_or("l k 0?");
    assert!(mixed.contains('?') && out.contains("-1.111111111e-1"), "{out}");
}

#[test]
fn the_top_event_of_a_tree_of_open_psa_can_be_chosen() {
    let both = "<basic-event name=\"a\"/><basic-event name=\"b\"/>";
    let gate = |name: &str, kind: &str| format!("<define-gate name=\"{name}\"><{kind}>{both}</{kind}></define-gate>");
    let event = |name: &str| format!("<define-basic-event name=\"{name}\"><float value=\"0.5\"/></define-basic-event>");
    let inside = [gate("G3", "and"), gate("TOP", "or"), event("a"), event("b")].concat();
    let text = format!("<opsa-mef><define-fault-tree name=\"t\">{inside}</define-fault-tree></opsa-mef>");
    let place = place("t.xml", &text);
    let ended = place.run("availability solve t.xml");
    assert!(ended.code == Some(2) && ended.err.contains("G3, TOP") && ended.err.contains("--top"), "{}", ended.err);
    for (top, value) in [("G3", "0.25"), ("TOP", "0.75")] {
        let out = place.run(&format!("availability solve t.xml --top {top}")).out;
        assert!(out.contains(&format!("probability of {top}  {value}")), "{out}");
    }
    // 0.2*0.5, and 1 - 0.8*0.5: both ask for the same probability of a.
    for (top, target, table) in [("G3", "0.1", "0.2  0.10000\n"), ("TOP", "0.6", "0.2  0.60000\n")] {
        let out = place.run(&format!("availability goal t.xml --top {top} --target {target} --parameter a")).out;
        assert!(out.contains("\na has to be 0.2000 (now 0.5000, odds / 4.000)\n"), "{out}");
        let out = place.run(&format!("availability compare t.xml --top {top} --set a=0.1,0.2")).out;
        assert!(out.ends_with(table), "{out}");
    }
    let ended = place.run("availability compare --question hosts --top TOP");
    assert!(ended.code == Some(2) && ended.err.contains("cannot be used with"), "{}", ended.err);
    // A budget takes no such tree, whatever its top is.
    let ended = place.run("availability budget t.xml --target 99%");
    assert!(ended.code == Some(2) && ended.err.starts_with("error: the parts of a service"), "{}", ended.err);
    assert!(!ended.err.contains("--top"), "{}", ended.err);
    let ended = place.run("availability solve t.xml --top NONE");
    assert!(ended.code == Some(2) && ended.err.contains("the top event \"NONE\" is not declared"), "{}", ended.err);
    let ended = place.run("availability export t.xml t.dft --top TOP");
    assert!(ended.code == Some(0) && ended.err.starts_with("the tree TOP is in DIR/t.dft"), "{}", ended.err);
    let ended = place.run("availability export t.xml none/t.dft --top TOP");
    assert!(ended.code == Some(1) && ended.err.contains("create its folder, or name another file"), "{}", ended.err);
}

#[test]
fn a_drill_that_is_not_there_is_told_once() {
    let from = "from measured \"gone.json#coverage of freeze\"";
    let text = DUPLEX.replace("95 %", &format!("95 % {from}\nparameter d = 5 % {from}"));
    let place = place("duplex.avail", &text);
    let told = "c, d keep the values of the model: there is no file gone.json that can be read.\n";
    for line in ["solve duplex.avail", "report duplex.avail --samples 20", "compare duplex.avail --set c=90%,99%"] {
        let ended = place.run(&format!("availability {line}"));
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), told), "{line}");
    }
    // The record of Everline's own models is not beside who asks them.
    assert_eq!(place.run("availability solve hot-pair").err, "");
}

#[test]
fn a_report_says_that_the_file_of_a_measurement_is_missing() {
    let place = place("log.json", "");
    let report = |line: &str| place.run(&format!("availability report {line} --samples 20"));
    let write = |said: &str| {
        let text = DUPLEX.replace("95 %", &format!("95 % from measured \"{said}\""));
        fs::write(place.path().join("run/part.avail"), text).expect("written");
    };
    let text = "use \"run/part.avail\" as x\nmeasure down = downtime of x_duplex\n";
    fs::write(place.path().join("duplex.avail"), text).expect("written");
    write("log.json");
    // What a file says is relative to its own folder.
    let ended = report("duplex.avail --html page.html --language zh");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let rows: Vec<&str> = ended.out.lines().filter(|line| line.starts_with("x_c ")).collect();
    assert!(rows.len() == 2 && rows.iter().all(|row| row.contains("! file missing")), "{}", ended.out);
    let page = fs::read_to_string(place.path().join("page.html")).expect("the page");
    assert!(page.contains("x_c 注明为实测，但没有文件 run/log.json。"), "{page}");
    let absent = |line: &str| -> Value {
        serde_json::from_str::<Value>(&report(&format!("{line} --json")).out).expect("JSON")["absent"].clone()
    };
    assert_eq!(absent("duplex.avail"), serde_json::json!([{ "file": "run/log.json", "parameters": ["x_c"] }]));
    for said in ["../log.json", "two years of v1.x", "https://example.org/log.json"] {
        write(said);
        assert_eq!(absent("duplex.avail"), serde_json::json!([]), "{said}");
    }
    write("../gone.json#coverage of freeze");
    assert_eq!(absent("duplex.avail"), serde_json::json!([{ "file": "gone.json", "parameters": ["x_c"] }]));
    // What Everline's own models name is in the repository.
    assert_eq!(absent("--solution one-host"), serde_json::json!([]));
}

#[test]
fn a_page_for_a_folder_that_is_not_there_is_refused_with_the_right_advice() {
    let place = place("duplex.avail", DUPLEX);
    let ended = place.run("availability report duplex.avail --samples 20 --html none/deep/page.html");
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert_eq!(
        ended.err,
        "error: cannot write DIR/none/deep/page.html: No such file or directory (os error 2)\n  \
         help: create its folder, or name another file\n"
    );
}
