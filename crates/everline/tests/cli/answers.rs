//! What the commands about availability answer and refuse, as somebody reads it who has not written them.

use std::fs;
use std::os::unix::fs::symlink;

use crate::availability::{DUPLEX, place};

#[test]
fn what_is_read_is_not_written_over() {
    let place = place("duplex.avail", DUPLEX);
    let path = |name: &str| place.path().join(name);
    let drill = r#"{"schema": "everline-drill-1", "place": "here", "seed": 1, "runs": [
        {"step": "kill sip.primary", "kind": "process-death", "ending": "passed"}]}"#;
    let tree = "toplevel \"t\";\n\"t\" or \"a\" \"b\";\n\"a\" prob=0.1;\n\"b\" prob=0.2;\n";
    let two = "use \"duplex.avail\" as far\nmeasure downtime of far_duplex\n";
    for (name, text) in [("mine.json", drill), ("t.dft", tree), ("two.avail", two)] {
        fs::write(path(name), text).expect("written");
    }
    symlink(path("duplex.avail"), path("page.html")).expect("a link");
    fs::hard_link(path("t.dft"), path("same.dft")).expect("a name");
    for line in ["duplex.avail q.sm", "duplex.avail q.tra", "t.dft t.xml"] {
        assert_eq!(place.run(&format!("availability export {line}")).code, Some(0), "{line}");
    }
    for (line, input, said) in [
        ("report duplex.avail --samples 20 --html duplex.avail", "duplex.avail", "duplex.avail is read, and would"),
        ("report two.avail --samples 20 --html ./duplex.avail", "duplex.avail", "./duplex.avail is read as duplex.avail,"),
        ("report two.avail --samples 20 --html page.html", "duplex.avail", "page.html is read as duplex.avail, and"),
        ("report --samples 20 --drill mine.json --html mine.json", "mine.json", "mine.json is read, and would"),
        ("export q.sm q.sm", "q.sm", "q.sm is read, and would"),
        ("export q.tra q.tra", "q.tra", "q.tra is read, and would"),
        ("export q.tra run/../q.tra", "q.lab", "run/../q.tra is read as q.tra, and would"),
        ("export t.xml t.xml", "t.xml", "t.xml is read, and would"),
        ("export t.dft same.dft", "t.dft", "same.dft is read as t.dft, and would"),
    ] {
        let before = fs::read(path(input)).expect("there");
        let ended = place.run(&format!("availability {line}"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}: {}", ended.err);
        assert!(ended.err.starts_with(&format!("error: {said}")), "{line}: {}", ended.err);
        assert!(ended.err.ends_with("be lost if it were written\n  help: write to another file\n"), "{}", ended.err);
        assert_eq!(fs::read(path(input)).expect("there"), before, "{line}");
    }
    // A page that was there and is no input is replaced, as the usage says.
    fs::write(path("old.html"), "old").expect("written");
    assert_eq!(place.run("availability report duplex.avail --samples 20 --html old.html").code, Some(0));
    assert_ne!(fs::read(path("old.html")).expect("there"), b"old");
}

#[test]
fn a_report_says_what_its_samples_do_not_vary() {
    let place = place("duplex.avail", &DUPLEX.replace("95 %", "95 % between 90 % and 99.9 %"));
    let out = place.run("availability report duplex.avail --samples 20").out;
    let said = "1 of 2 parameters has a distribution and was varied; this one has only a range: c; numbers that no \
                parameter names are taken as they are.\n";
    assert!(out.contains(&format!("% of the samples.\n{said}")), "{out}");
    // Without a distribution nothing was sampled, so that there is nothing to say.
    let text = DUPLEX.replace("~ gamma(shape = 10)", "");
    fs::write(place.path().join("duplex.avail"), text).expect("written");
    assert!(!place.run("availability report duplex.avail").out.contains("varied"));
}

#[test]
fn a_goal_proposes_no_value_that_the_model_forbids() {
    let place = place("duplex.avail", &DUPLEX.replace("95 %", "95 % between 90 % and 99.9 %"));
    let out = place.run("availability goal duplex.avail --target 2min --parameter c").out;
    assert!(out.contains("\nno value of c from 0.9000 to 0.99900 (within its range) brings it there; "), "{out}");
    assert!(out.contains("; the closest is 0.9000, with "), "{out}");
    let out = place.run("availability goal duplex.avail --target 0.75min --parameter c").out;
    assert!(out.contains("\nc has to be 0.95") && out.contains("proven"), "{out}");
}

#[test]
fn a_measure_may_be_named_by_its_first_words() {
    let more = "measure mean up time of duplex\nmeasure mean down time of duplex\n";
    let place = place("duplex.avail", &format!("{DUPLEX}{more}"));
    for line in
        ["solve duplex.avail --gradient --hessian", "compare duplex.avail --set c=90%", "goal duplex.avail --target 1"]
    {
        let ended = place.run(&format!("availability {line} --measure downtime"));
        let out = ended.out.to_lowercase();
        assert!(ended.code == Some(0) && out.contains("downtime of duplex"), "{line}: {out}{}", ended.err);
    }
    for (name, said) in [
        ("down", "the model has no measure \"down\""),
        ("mean", "the model has several measures that begin with \"mean\"\n  help: it has downtime of duplex, U, mean"),
    ] {
        let ended = place.run(&format!("availability solve duplex.avail --measure {name}"));
        assert!(ended.code == Some(2) && ended.err.contains(said), "{}", ended.err);
    }
}

#[test]
fn a_parameter_is_set_once() {
    let place = place("duplex.avail", DUPLEX);
    for line in [
        "solve duplex.avail --parameter c=99% --parameter c=98%",
        "report duplex.avail --parameter c=99% --parameter c=98%",
        "export duplex.avail d.sm --parameter c=99% --parameter c=98%",
        "goal duplex.avail --target 1 --with c=99% --with c=98%",
        "compare duplex.avail --set c=90%,99% --set c=98%",
        "compare duplex.avail --set c=90%,99% --parameter c=98%",
        "compare duplex.avail --set c,c=90%",
    ] {
        let ended = place.run(&format!("availability {line}"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}");
        assert!(ended.err.starts_with("error: c is set twice\n  help: give it one value"), "{line}: {}", ended.err);
    }
}

#[test]
fn a_report_of_a_model_without_parameters_says_so() {
    let text = "chain c { up: a; a -> b at 1 per year; b -> a at 1/(2 h) }\nmeasure downtime of c\n";
    let out = place("c.avail", text).run("availability report c.avail").out;
    let said = "\nThe model names no parameters, so that no sensitivities and no sources can be given.\n";
    assert!(out.ends_with(said) && !out.contains("0 of 0") && !out.contains("matters"), "{out}");
}
