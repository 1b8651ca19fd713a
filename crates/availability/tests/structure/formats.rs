//! Open-PSA and Galileo: what is read, what is refused and where, and that what was written is read as the same.

use availability::formats::{galileo, open_psa};
use availability::structure::{GateKind, Law, Limits, Probability, QuantifiedTree, StructureFunction};
use proptest::prelude::*;

use crate::brute_force::{occurs, trees};
use crate::chinese::chinese;

fn top(tree: &QuantifiedTree, time: f64) -> f64 {
    let function = StructureFunction::of_tree(&tree.tree, &Limits::default()).unwrap();
    function.probability(&tree.at(time)).unwrap().yes
}

fn laws(count: usize) -> Vec<Law> {
    (0..count)
        .map(|k| match k % 4 {
            0 => Law::Fixed(Probability::of(0.1 / (1.0 + k as f64))),
            1 => Law::Exponential { rate: 1.0e-3 / 3.0 },
            2 => Law::Weibull { scale: 1234.5, shape: 1.7, shift: 0.0 },
            _ => Law::Exponential { rate: 1e-300 },
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn open_psa_is_read_as_it_was_written(tree in trees(6, &["and", "or", "at least", "not", "xor"])) {
        let mut laws = laws(6);
        laws[3] = Law::Repaired { at_start: 0.01, failure_rate: 1e-4, repair_rate: 0.1 };
        laws[2] = Law::Weibull { scale: 1234.5, shape: 1.7, shift: 2.5 };
        let before = QuantifiedTree { tree, laws };
        let text = open_psa::write(&before, "a \"tree\" & <more>", &["so---that -- is".to_owned()]).unwrap();
        let name = before.tree.name(before.tree.top());
        prop_assert_eq!(open_psa::read(&text, "tree.xml", Some(name)).unwrap(), before);
    }

    #[test]
    fn galileo_is_read_as_it_was_written(tree in trees(6, &["and", "or", "at least"])) {
        let before = QuantifiedTree { tree, laws: laws(6) };
        let text = galileo::write(&before, &["a; b\nc or d;".to_owned()]).unwrap();
        let after = galileo::read(&text, "tree.dft").unwrap();
        prop_assert_eq!(&after.tree, &before.tree);
        // The scale of a Weibull law is written as a rate.
        prop_assert!((top(&after, 100.0) / top(&before, 100.0) - 1.0).abs() < 1e-14);
    }
}

#[test]
fn the_reference_tree_goes_through_both_formats() {
    let (_, tree) = chinese();
    let laws = vec![Law::Fixed(Probability::of(0.02)); 25];
    let before = QuantifiedTree { tree, laws };
    assert_eq!(open_psa::read(&open_psa::write(&before, "chinese", &[]).unwrap(), "", None).unwrap(), before);
    assert_eq!(galileo::read(&galileo::write(&before, &[]).unwrap(), "").unwrap(), before);
}

/// One gate over `a`, `b` and `c`, and what a formula makes of them in all eight cases, `a` the lowest bit.
fn truth(formula: &str) -> Vec<bool> {
    let events: String = ["a", "b", "c"]
        .map(|name| format!("<define-basic-event name=\"{name}\"><float value=\"0.5\"/></define-basic-event>"))
        .concat();
    let text = format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE opsa-mef>\n<opsa-mef><define-fault-tree name=\"t\"><label>one</label>\
         <define-gate name=\"top\"><label>top</label>{formula}</define-gate></define-fault-tree>\
         <model-data>{events}</model-data></opsa-mef>"
    );
    let tree = open_psa::read(&text, "t.xml", None).unwrap().tree;
    (0..8).map(|case| occurs(&tree, case)).collect()
}

#[test]
fn each_formula_of_open_psa_means_what_it_says() {
    let [a, b, c] = ["a", "b", "c"].map(|name| format!("<basic-event name=\"{name}\"/>"));
    let bit = |case: usize, k: usize| case >> k & 1 == 1;
    let all = |f: &dyn Fn(bool, bool, bool) -> bool| -> Vec<bool> {
        (0..8).map(|case| f(bit(case, 0), bit(case, 1), bit(case, 2))).collect()
    };
    let count = |a: bool, b: bool, c: bool| u8::from(a) + u8::from(b) + u8::from(c);
    let abc = format!("{a}{b}{c}");
    assert_eq!(truth(&format!("<and>{abc}</and>")), all(&|a, b, c| a && b && c));
    assert_eq!(truth(&format!("<or>{abc}</or>")), all(&|a, b, c| a || b || c));
    assert_eq!(truth(&format!("<nand>{abc}</nand>")), all(&|a, b, c| !(a && b && c)));
    assert_eq!(truth(&format!("<nor>{abc}</nor>")), all(&|a, b, c| !(a || b || c)));
    assert_eq!(truth(&format!("<xor>{a}{b}</xor>")), all(&|a, b, _| a != b));
    assert_eq!(truth(&format!("<iff>{a}{b}</iff>")), all(&|a, b, _| a == b));
    assert_eq!(truth(&format!("<imply>{a}{b}</imply>")), all(&|a, b, _| !a || b));
    assert_eq!(truth(&format!("<not>{a}</not>")), all(&|a, _, _| !a));
    assert_eq!(truth(&format!("<atleast min=\"2\">{abc}</atleast>")), all(&|a, b, c| count(a, b, c) >= 2));
    for (min, max) in [(0, 0), (0, 3), (1, 2), (2, 2), (2, 3)] {
        let formula = format!("<cardinality min=\"{min}\" max=\"{max}\">{abc}</cardinality>");
        assert_eq!(truth(&formula), all(&|a, b, c| (min..=max).contains(&count(a, b, c))), "{formula}");
    }
    let nested = format!("<and>{a}<or><not>{b}</not><and>{c}<constant value=\"true\"/></and></or></and>");
    assert_eq!(truth(&nested), all(&|a, b, c| a && (!b || c)));
    assert_eq!(truth(&b), all(&|_, b, _| b));
}

#[test]
fn laws_and_parameters_of_open_psa() {
    let text = r#"<opsa-mef>
      <define-fault-tree name="pumps">
        <define-gate name="down"><or><event name="p"/><event name="q"/><event name="r"/><event name="s"/></or></define-gate>
        <define-house-event name="flood"><constant value="false"/></define-house-event>
      </define-fault-tree>
      <model-data>
        <define-basic-event name="p">
          <exponential><mul><parameter name="lambda"/><int value="2"/></mul><system-mission-time/></exponential>
        </define-basic-event>
        <define-basic-event name="q">
          <GLM><float value="0.1"/><parameter name="lambda"/><float value="0.25"/><system-mission-time/></GLM>
        </define-basic-event>
        <define-basic-event name="r">
          <Weibull><float value="100"/><float value="2"/><float value="5"/><float value="15"/></Weibull>
        </define-basic-event>
        <define-basic-event name="s"><div><float value="1"/><pow><float value="2"/><int value="3"/></pow></div></define-basic-event>
        <define-parameter name="lambda" unit="hours-1"><div><parameter name="base"/><float value="4"/></div></define-parameter>
        <define-parameter name="base"><float value="1e-3"/></define-parameter>
      </model-data>
    </opsa-mef>"#;
    let tree = open_psa::read(text, "pumps.xml", None).unwrap();
    assert_eq!(tree.laws[0], Law::Exponential { rate: 5e-4 });
    assert_eq!(tree.laws[1], Law::Repaired { at_start: 0.1, failure_rate: 2.5e-4, repair_rate: 0.25 });
    assert_eq!(tree.laws[2], Law::Fixed(Probability::failed_by(0.1 * 0.1, 1.0)));
    assert_eq!(tree.laws[3], Law::Fixed(Probability::of(0.125)));
    assert_eq!(tree.tree.houses(), [("flood".to_owned(), false)]);
}

/// The error for a model with this in it, with its place.
fn refused(inside: &str) -> String {
    let text = format!("<opsa-mef>\n<define-fault-tree name=\"t\">\n{inside}\n</define-fault-tree>\n</opsa-mef>");
    open_psa::read(&text, "t.xml", None).unwrap_err().to_string()
}

#[test]
fn what_open_psa_cannot_say_here_is_refused_where_it_stands() {
    let gate = "<define-gate name=\"g\"><or><basic-event name=\"a\"/></or></define-gate>";
    let event = |law: &str| format!("{gate}\n<define-basic-event name=\"a\">{law}</define-basic-event>");
    for (inside, says) in [
        (gate.to_owned(), "t.xml:3:23: the gate \"g\" has the input \"a\", which is not declared"),
        ("<define-CCF-group name=\"c\"/>".to_owned(), "t.xml:3:1: the element `define-CCF-group` cannot be read"),
        (format!("{gate}{gate}"), "declared twice"),
        (event("<lognormal-deviate/>"), "t.xml:4:30: the element `lognormal-deviate` cannot be read"),
        (event("<float value=\"2\"/>"), "t.xml:4:30: the event \"a\" has the probability 2"),
        (event("<float value=\"x\"/>"), "\"x\" is no number"),
        (event("<parameter name=\"k\"/>"), "t.xml:4:30: the parameter \"k\" is not defined"),
        (event("<exponential><float value=\"1\"/></exponential>"), "`exponential` has 1 arguments"),
        (event("<div><int value=\"1\"/><int value=\"0\"/></div>"), "the value of `div` is inf"),
        (event("<sub><int value=\"1\"/><system-mission-time/></sub>"), "t.xml:4:51: the mission time stands in"),
        (event(""), "\"a\" is empty"),
        ("<define-gate name=\"g\"><or/><or/></define-gate>".to_owned(), "t.xml:3:28: a second element"),
        ("<define-gate name=\"g\"><maybe/></define-gate>".to_owned(), "`maybe` cannot be read here"),
        ("<define-gate><or/></define-gate>".to_owned(), "no attribute `name`"),
        ("<define-gate name=\"g\"><or><gate name=\"g\"/></or></define-gate>".to_owned(), "cycle: g needs g"),
        ("<define-gate name=\"g\"><xor><gate name=\"g\"/></xor></define-gate>".to_owned(), "(xor) has 1 inputs"),
        ("<define-parameter name=\"k\" unit=\"fit\"><int value=\"5\"/></define-parameter>".to_owned(), "is in fit"),
        ("<define-gate role=\"private\" name=\"g\"/>".to_owned(), "\"g\" is private"),
        ("<define-gate name=\"g\">".to_owned(), "cannot be read as XML"),
        (format!("{gate}{}", gate.replace("\"g\"", "\"h\"")), "2 gates are no input of another: g, h"),
    ] {
        let error = refused(&inside);
        assert!(error.contains(says), "{error}\nfor {inside}");
    }
    let deep = format!("<define-gate name=\"g\">{}{}</define-gate>", "<not>".repeat(100_000), "</not>".repeat(100_000));
    assert!(refused(&deep).contains("more than 100 times"));
    let cyclic = r#"<define-parameter name="k"><parameter name="k"/></define-parameter>
        <define-basic-event name="a"><parameter name="k"/></define-basic-event>"#;
    assert!(refused(&format!("{gate}{cyclic}")).contains("\"k\" depends on itself"));
    assert!(open_psa::read("<html/>", "t.xml", None).unwrap_err().what.contains("the file is a `html`"));
}

#[test]
fn galileo_as_it_is_written_elsewhere() {
    let text = "// Two of three disks.\ntoplevel \"system\";\nsystem or \"power\" disks;\n\
                \"disks\" 2of3 d1 d2 d3; /* all\nalike */\nd1 lambda=1e-3 dorm=0.5;d2 lambda = 1e-3;\nd3 prob=0.25;\n\
                power rate=0.01 shape=2 ;\n";
    let tree = galileo::read(text, "disks.dft").unwrap();
    assert_eq!(tree.tree.events(), ["d1", "d2", "d3", "power"]);
    assert_eq!(tree.tree.gates()[1].kind, GateKind::AtLeast(2));
    assert_eq!(tree.laws[0], Law::Exponential { rate: 1e-3 });
    assert_eq!(tree.laws[2], Law::Fixed(Probability::of(0.25)));
    assert_eq!(tree.laws[3], Law::Weibull { scale: 100.0, shape: 2.0, shift: 0.0 });
}

#[test]
fn what_galileo_cannot_say_here_is_refused_where_it_stands() {
    for (text, says) in [
        ("toplevel t;\nt pand a b;", "d.dft:2:3: the gate `pand` is dynamic"),
        ("toplevel t;\nt wsp a b;", "d.dft:2:3: the gate `wsp` is dynamic"),
        ("toplevel t;\nt or a;\na lambda=1 cov=0.9;", "d.dft:3:12: the attribute `cov` cannot be read"),
        ("toplevel t;\nt 2of3 a b;", "d.dft:2:3: the gate `2of3` has 2 inputs"),
        ("toplevel t;\nt maybe a b;", "`maybe` is neither a gate nor an attribute"),
        ("toplevel t;\nt or a;\na lambda=x;", "d.dft:3:10: `x` is not a number"),
        ("toplevel t;\nt or a;\na lambda=-1;", "d.dft:3:1: the event \"a\" has the failure rate -1"),
        ("toplevel t;\nt or a;\na lambda=1 prob=0.5;", "no law, or more than one"),
        ("toplevel t;\nt or a;\na dorm=0.5;", "no law, or more than one"),
        ("toplevel t;\nt or a;\na lambda=1 dorm=7;", "the dormancy of \"a\" is 7"),
        ("toplevel t;\nt or a;\na lambda=1 lambda=1;", "given twice"),
        ("toplevel t;\nt or a;", "d.dft:2:1: the gate \"t\" has the input \"a\", which is not declared"),
        ("toplevel t;\nt or t;", "d.dft:2:1: the fault tree has a cycle: t needs t"),
        ("toplevel t;\nt or", "d.dft:2:1: the last statement has no end"),
        ("t or a;\na prob=0;", "no top event"),
        ("toplevel t; toplevel u;", "a second top event"),
        ("toplevel t;\n\"t or a;", "d.dft:2:1: a name has no end"),
        ("/* toplevel t;", "d.dft:1:1: a comment has no end"),
        ("toplevel t; t;", "after \"t\" there is nothing"),
        ("toplevel t; t = a;", "a sign `=`"),
    ] {
        let error = galileo::read(text, "d.dft").unwrap_err().to_string();
        assert!(error.contains(says), "{error}\nfor {text}");
    }
}

#[test]
fn what_a_format_does_not_have_is_not_written() {
    let mut tree = availability::structure::FaultTree::builder();
    tree.event("a").gate("top", GateKind::Not, ["a"]);
    let tree = tree.finish("top").unwrap();
    let error = galileo::write(&QuantifiedTree { tree: tree.clone(), laws: laws(1) }, &[]).unwrap_err();
    assert!(error.what.contains("the gate \"top\""), "{error}");
    let mut copies = availability::structure::FaultTree::builder();
    copies.event("disk").gate("array", GateKind::Copies { k: 2, n: 3 }, ["disk"]);
    let copies = QuantifiedTree { tree: copies.finish("array").unwrap(), laws: laws(2)[1..].to_vec() };
    for written in [
        galileo::read(&galileo::write(&copies, &[]).unwrap(), "").unwrap(),
        open_psa::read(&open_psa::write(&copies, "array", &[]).unwrap(), "", None).unwrap(),
    ] {
        assert_eq!(written.tree.events(), ["array.1.disk", "array.2.disk", "array.3.disk"]);
        assert!((top(&written, 50.0) / top(&copies, 50.0) - 1.0).abs() < 1e-15);
    }
}
