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
        (
            "report two.avail --samples 20 --html ./duplex.avail",
            "duplex.avail",
            "./duplex.avail is read as duplex.avail,",
        ),
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
fn advice_names_the_option_of_its_command() {
    let place = place("duplex.avail", DUPLEX);
    for (line, said) in [
        ("goal duplex.avail --target 1 --with lambda=3h", "`--with \"lambda=...\"`"),
        ("compare duplex.avail --set lambda=3h", "`--set \"lambda=...\"`"),
        ("compare duplex.avail --set c=90% --parameter lambda=3h", "`--parameter \"lambda=...\"`"),
        ("solve duplex.avail --parameter lambda=3h", "`--parameter \"lambda=...\"`"),
    ] {
        let ended = place.run(&format!("availability {line}"));
        let expected = format!("  help: give it with its unit, as in {said}\n");
        assert!(ended.code == Some(2) && ended.err.ends_with(&expected), "{line}: {}", ended.err);
    }
}

#[test]
fn a_goal_says_why_nothing_could_be_searched() {
    let chain = "chain c { up: a; a -> b at 1 per year + z; b -> a at 1/(2 h) }\nmeasure downtime of c\n";
    let place = place("zero.avail", &format!("parameter z = 0 per hour\n{chain}"));
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).expect("written");
    write("plain.avail", &chain.replace(" + z", ""));
    write("idle.avail", &format!("parameter idle = 3 h\n{}", chain.replace(" + z", "")));
    for (file, said) in [
        ("zero.avail", "`z` is 0, so that no factor of it leads anywhere"),
        ("plain.avail", "plain.avail has no parameters, so that none of them could change"),
        ("plain.avail --parameter x", "plain.avail has no parameters, so that none of them could change"),
        ("idle.avail", "downtime of c depends on no parameter that could change"),
    ] {
        let ended = place.run(&format!("availability goal {file} --target 1min"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{file}");
        assert!(ended.err.starts_with(&format!("error: {said}\n  help: ")), "{file}: {}", ended.err);
    }
}

#[test]
fn what_is_negative_is_refused_for_what_it_is() {
    let place = place("field.log", "2026-01-01T00:00Z a begin\n2026-01-02T00:00Z a end\n");
    for (line, said) in [
        ("counts --failures -3 --over 9h", "invalid value '-3' for '--failures <N>'"),
        ("counts --failures 3 --over -5h", "an observed time of -5"),
        ("counts --covered -3 --of 4", "invalid value '-3' for '--covered <N>'"),
        ("counts --covered 3 --of -4", "invalid value '-4' for '--of <N>'"),
        ("plan --claim -5h", "the claim `-5h` is out of range"),
        ("log field.log --prior -3/year", "-0.0003"),
        ("log field.log --prior 3/year --error-factor -2", "-2"),
    ] {
        let ended = place.run(&format!("availability estimate {line}"));
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}");
        assert!(ended.err.contains(said) && !ended.err.contains("unexpected argument"), "{line}: {}", ended.err);
    }
}

#[test]
fn a_report_of_a_model_without_parameters_says_so() {
    let text = "chain c { up: a; a -> b at 1 per year; b -> a at 1/(2 h) }\nmeasure downtime of c\n";
    let out = place("c.avail", text).run("availability report c.avail").out;
    let said = "\nThe model names no parameters, so that no sensitivities and no sources can be given.\n";
    assert!(out.ends_with(said) && !out.contains("0 of 0") && !out.contains("matters"), "{out}");
}
