//! What is wrong with a text is said with line, column, and what is allowed.

use std::cell::Cell;

use availability::formats::{File, Format};
use availability::model::{Model, Resources};
use availability::structure::Limits;
use availability::{Bound, Memory};

use crate::support::error;

const DUPLEX: &str = "parameter a = 1 per hour\nchain d {\n  up: u\n  u -> f at a\n  f -> u at 2*a\n}\n";

#[test]
fn each_error_points_at_its_word() {
    for (text, said) in [
        (
            "parameter x = 5 h + 2 per hour",
            "x.avail:1:21: `5 h` is a time and `2 per hour` is a rate: only quantities of one unit",
        ),
        ("parameter x = 1/2 h", "x.avail:1:15: `1/2 h` can be read in two ways: write"),
        ("parameter x = 5 parsecs", "x.avail:1:17: `parsecs` is no unit: units are ms, s, min, h"),
        ("parameter x = 2 per hous", "`hous` is no unit; did you mean `hour`?: units are ms, s, min, h"),
        ("paramter x = 1", "x.avail:1:1: `paramter` begins no statement; did you mean `parameter`?"),
        ("parameter x = 1\nparameter x = 2", "x.avail:2:11: `x` has a meaning already, from line 1"),
        ("parameter x = y", "x.avail:1:15: there is no `y`: declare it"),
        (
            "parameter x = 1\nparameter y = 2*x",
            "x.avail:2:15: the value of a parameter is made of numbers and units only: use `let`",
        ),
        (
            "parameter x = 2 between 0 and 1",
            "x.avail:1:11: the value of `x` is outside of its range: it must lie between 0 and 1",
        ),
        (
            "parameter x = 5 h ~ beta(a = 1, b = 2)",
            "x.avail:1:21: `beta` is a distribution of shares, and `x` is a time: rates and times have `gamma`",
        ),
        (
            "parameter x = 300 min ~ uniform(low = 10 h, high = 20 h)",
            "x.avail:1:25: the value of `x`, 5 h, lies outside of its distribution: `uniform` has values from 10",
        ),
        ("parameter x = 5 ~ beta(a = 1, b = 2)", "the value of `x`, 5, lies outside of its distribution"),
        ("parameter x = 2 ~ gama(shape = 3)", "there is no distribution `gama`; did you mean `gamma`?"),
        ("parameter x = 2 ~ gamma(shpe = 3)", "`gamma` needs `shape = ...`"),
        ("let x = 1/0", "x.avail:1:11: this divides by 0"),
        ("let a = b\nlet b = a", "this goes in a circle: `a` needs `b` needs `a`"),
        (
            "chain c { a -> b at 5 }",
            "x.avail:1:21: the rate of an arc must be a rate, and `5` is a plain number: a rate is written",
        ),
        (
            "chain c { a -> b at -5 per h }",
            "x.avail:1:21: the rate from `a` to `b` is -5: it is a finite number, 0 or more",
        ),
        ("chain c { up: a; down: b; a -> b at 1/h; b -> cc at 1/h }", "the state `cc` of `c` is neither up nor down"),
        (
            "chain c { up: aa; a -> b at 1/h; b -> a at 1/h }",
            "no arc leads to or from the state `aa`; did you mean `a`?",
        ),
        ("chain c { a -> b at 1/h\n", "x.avail:2:1: the text ends here: expected is `}` at the end of the model"),
        ("tree t { top = a and b }", "`t` has no event or gate `a`"),
        (
            "tree t { event a probability 0.1\n event a probability 0.2 }",
            "x.avail:2:8: `a` is declared twice, first in line 1",
        ),
        ("tree t { event a probability 0.1\n g = a or h\n h = a and g }", "the fault tree has a cycle"),
        (
            "tree t { event a probability 0.1; event b probability 0.1; top = at least 3 of a, b }",
            "at least 3 of 2: the number must be from 1 to 2",
        ),
        ("rules r { x : 0..2 start 5 }", "`x` cannot start with 5: its values are 0..2"),
        (
            "rules r { x : 0..2 start 0\n when x < 2 then y := 1 at 1/h }",
            "x.avail:2:18: `y` is no variable that this rule can change",
        ),
    ] {
        let found = error(text);
        assert!(found.contains(said), "{text}\n{found}");
    }
}

#[test]
fn measures_that_do_not_fit_are_refused_with_those_that_do() {
    for (line, said) in [
        ("measure unavailabilty of d", "there is no measure `unavailabilty`; did you mean `unavailability`?"),
        ("measure unavailability of dd", "there is no model `dd`; did you mean `d`?"),
        ("measure probability of g in d", "there is no state or label `g`: there are u, f"),
        ("measure mttf of d at 5 h", "`mttf` cannot have `at` here"),
        ("measure mttf of d in per year", "the measure is a time, and this unit is for a rate"),
        ("measure reward r of d", "`d` has no reward `r`"),
        ("measure cut sets of d", "there is no `cut sets` of a chain or rules"),
        ("measure defects per million of d", "how long does a call last?"),
    ] {
        let found = error(&format!("{DUPLEX}{line}"));
        assert!(found.contains("x.avail:7:") && found.contains(said), "{line}\n{found}");
    }
}

#[test]
fn a_hierarchy_that_needs_itself_is_named_from_end_to_end() {
    let text = "chain a { up: u; u -> f at 1/h; f -> u at repair rate of t }\ntree t { event e is a; top = e }\n\
                measure unavailability of t";
    let found = error(text);
    assert!(found.contains("this goes in a circle: `t` needs `a` needs `t`"), "{found}");
}

#[test]
fn a_chain_without_what_a_measure_needs_names_the_state() {
    let found = error("chain c { up: a; a -> b at 1/h }\nmeasure unavailability of c");
    assert!(found.contains("state 'b' is absorbing"), "{found}");
    let found = error("rules r { x : 0..2 start 0\n when x < 5 then x := x + 1 at 1/h; up: x < 2 }\nmeasure mttf of r");
    assert!(found.contains("x.avail:2:2:") && found.contains("the rule in line 2"), "{found}");
}

#[test]
fn what_cannot_be_solved_is_told_with_its_model() {
    let text = format!("{DUPLEX}chain c {{ up: a; a -> b at 1/h }}\nmeasure unavailability of c");
    let found = error(&text);
    assert!(found.starts_with("x.avail:7:23: state 'b' is absorbing") && found.contains("^"), "{found}");
    let found = error("parameter p = 1.5\ntree t { event a probability p; top = a }\nmeasure unavailability of t");
    assert!(found.starts_with("x.avail:2:30: this probability is 1.5: it is a number from 0 to 1"), "{found}");
}

#[test]
fn a_number_that_parameters_take_out_of_its_range_is_shown_at_its_expression() {
    for (text, said) in [
        (
            "parameter a = 3 per hour\nchain c { up: u; u -> f at a\n f -> u at 2 per hour - a }\nmeasure mttf of c",
            "x.avail:3:12: the rate from `f` to `u` is -1: it is a finite number, 0 or more",
        ),
        (
            "parameter a = -1 per hour\ntree t { event e fails at a, repaired at 1/h; top = e }\nmeasure unavailability of t",
            "x.avail:2:27: this failure rate is -1: it is a finite number, 0 or more",
        ),
        (
            "parameter r = -1 per hour\nblocks t { block e fails at 1/h, repaired at 2*r; works = e }\nmeasure mtbf of t",
            "x.avail:2:46: this repair rate is -2",
        ),
        (
            "parameter u = 2\ntree t { event e unavailability u, failure frequency 1/h; top = e }\nmeasure availability of t",
            "x.avail:2:33: this unavailability is 2: it is a number from 0 to 1",
        ),
    ] {
        let found = error(text);
        assert!(found.contains(said), "{text}\n{found}");
    }
}

#[test]
fn a_time_before_the_start_is_refused_at_its_place() {
    for (line, said) in [
        ("measure unreliability of d at -5 h", "x.avail:7:31: this time is -5: it is a finite number, 0 or more"),
        ("measure unavailability of d over -30 min", "x.avail:7:34: this time is -0.5"),
        ("measure unavailability of d over 0 h", "x.avail:7:34: there is no mean over no time"),
        ("measure probability of f in d within -2 h", "x.avail:7:38: this time is -2"),
        ("measure probability of downtime in d above -1 h over 5 h", "x.avail:7:44: this time is -1"),
        ("measure probability of downtime in d above 5 h over 5 h", "x.avail:7:44: this downtime is no less than"),
        ("measure defects per million of d with holding -30 min", "x.avail:7:47: this holding time is -0.5"),
        (
            "tree t { event e fails at a; top = e }\nmeasure unreliability of t at -5 h",
            "x.avail:8:31: this time is -5: it is a finite number, 0 or more",
        ),
        (
            "parameter T = -5 h\ntree t { event e fails at a; top = e }\nmeasure unreliability of t at T + 1 h",
            "x.avail:9:31: this time is -4",
        ),
    ] {
        let found = error(&format!("{DUPLEX}{line}"));
        assert!(found.contains(said), "{line}\n{found}");
    }
}

#[test]
fn a_mean_time_is_refused_of_more_states_than_are_eliminated() {
    let tree = "tree t { for i in 1..11 { event e[i] is d }; top = all of e[*] }";
    let found = error(&format!("{DUPLEX}{tree}\nmeasure mttf of t"));
    assert!(found.contains("x.avail:8:9:") && found.contains("2048 states together, and at most 1024"), "{found}");
}

#[test]
fn a_tree_whose_downtime_has_no_distribution_here_says_what_to_do() {
    for (tree, said) in [
        (
            "for i in 1..13 { event e[i] is d }; top = any of e[*]",
            "the 13 events of `t` have 8192 states together, and at most 4096 are written out: write it as `rules`",
        ),
        ("event e probability 0.1; event f is d; top = e or f", "of `e` it is not known how long it works"),
        ("event e is r; event f is d; top = e or f", "`r` is rules, whose states cannot be put beside those of others"),
    ] {
        let rules = "rules r { x : 0..1 start 1; when x = 1 then x := 0 at a; when x = 0 then x := 1 at a; up: x = 1 }";
        let asked = "measure probability of downtime in t above 1 h over 1 year";
        let found = error(&format!("{DUPLEX}tree t {{ {tree} }}\n{asked}\n{rules}"));
        assert!(found.contains("x.avail:8:9:") && found.contains(said), "{tree}\n{found}");
    }
}

#[test]
fn unreliability_is_refused_where_a_failure_can_end() {
    let tree = "event a fails at 1e-3/h; event b fails at 2e-3/h; top = a and not b";
    let found = error(&format!("{DUPLEX}tree t {{ {tree} }}\nmeasure unreliability of t at 1000 h"));
    assert!(found.contains("x.avail:8:9:") && found.contains("\"b\" may prevent the top event"), "{found}");
}

#[test]
fn weights_are_whole_numbers_within_reason() {
    let tree = |gate: &str| {
        error(&format!(
            "tree t {{ event a probability 0.1; event b probability 0.1\n top = {gate} }}\nmeasure unavailability of t"
        ))
    };
    assert!(tree("at least 3 of 0*a, b").contains("a weight of 0"));
    assert!(tree("at least 3 of 2.5*a, b").contains("`2.5` is 2.5, which is no whole number"));
    assert!(tree("at least 4 of 2*a, b").contains("at least 4 of 3"));
    assert!(tree("at least 3 of 9999*a, 9998*b").contains("19997 are counted here"));
}

#[test]
fn no_text_exhausts_the_stack_or_the_memory() {
    let long = format!("let x = 1{}", " + 1 - 1".repeat(50_000));
    assert!(error(&long).contains("more than 100 operators in turn"));
    let backwards: String = (0..50_000).map(|n| format!("let x{n} = x{} + 1\n", n + 1)).collect();
    assert!(error(&format!("{backwards}let x50000 = 1\n")).contains("levels below what needs it"));
    let doubling: String = (1..60).map(|n| format!("let f{n} = f{m} + f{m}\n", m = n - 1)).collect();
    let rules =
        format!("rules r {{ x : 0..3 start 0\nlet f0 = x\n{doubling}up: f59 < 3 }}\nmeasure unavailability of r");
    assert!(error(&rules).contains("with its formulas written out"));
    let chain = format!("{doubling}chain c {{ for k in 0..f59 {{ s[k] -> s[k+1] at 1/h }} }}");
    assert!(error(&format!("let f0 = 1.5\n{chain}")).contains("which is no whole number"));
    let arrows =
        format!("ctmc\nmodule m\n x : [0..1] init 0;\n [] {}x=0 -> 1 : (x'=1);\nendmodule\n", "x=0 => ".repeat(50_000));
    let file = File { name: "m.sm".to_owned(), text: arrows };
    let found = Format::Prism.read(&file, &[], &[]).expect_err("too deep").what;
    assert!(found.contains("nested more than"), "{found}");
}

#[test]
fn what_is_too_large_is_refused_by_its_name_and_told_how_far_it_came() {
    let tree = |count: u32, least: u32| {
        format!("tree t {{ for i in 1..{count} {{ event e[i] probability 0.1 }}\n top = at least {least} of e[*] }}\n")
    };
    let found = error(&format!("{}measure cut sets of t", tree(140, 70)));
    assert!(found.contains("x.avail:3:21: `t`: there are more than 3.4e38 minimal cut sets"), "{found}");
    let few = Resources { structures: Limits { memory: 4096, ..Limits::default() }, ..Resources::default() };
    let text = format!("{}measure unavailability of t", tree(60, 30));
    let found = Model::read_with("x.avail", &text, &[], few).expect_err("too large").to_string();
    assert!(found.contains("x.avail:3:27: `t`: the decision diagram does not fit into 4 KiB"), "{found}");

    let rules = |most: u32| {
        format!(
            "rules r {{ x : 0..{most} start 0\n when x < {most} then x := x+1 at 1/h\n \
             when x > 0 then x := 0 at 1/h\n up: x = 0 }}"
        )
    };
    let told = Cell::new(0);
    let resources = Resources {
        explored: &|states| told.set(states),
        ..Resources::within(Memory { bytes: 0, bound: Bound::ControlGroup })
    };
    assert!(Model::read_with("x.avail", &rules(70_000), &[], resources).is_ok());
    assert_eq!(told.get(), 1 << 16);
    // The least that a space may have, however little is left.
    let error = Model::read_with("x.avail", &rules(2_000_000), &[], resources).expect_err("too large");
    let said = "limit of 100000000 states or 16 MiB (a sixth of what memory.max leaves this control group): ";
    assert!(error.what.contains(said) && error.what.contains(" states (15 MiB) after "), "{error}");
    assert!(error.remedy.ends_with(", or raise memory.max of the control group"), "{error}");
    assert!(told.get() > 1 << 16, "{}", told.get());
}

#[test]
fn long_rows_of_one_operator_are_read() {
    let events: String = (0..3_000).map(|n| format!("event e{n} probability 1e-6\n")).collect();
    let names: Vec<String> = (0..3_000).map(|n| format!("e{n}")).collect();
    let text = format!("tree t {{ {events} top = {} }}\nmeasure unavailability of t\n", names.join(" or "));
    let sums = format!("measure sum = {}\n", vec!["1"; 3_000].join(" + "));
    let in_order: String = (1..3_000).map(|n| format!("let x{n} = x{} + 1\n", n - 1)).collect();
    let text = format!("let x0 = 1\n{in_order}{text}{sums}measure last = x2999\n");
    let values = Model::read("x.avail", &text, &[]).and_then(|model| model.solve()).expect("a model");
    let expected = -(3_000.0 * (-1e-6_f64).ln_1p()).exp_m1();
    assert!((values[0].value / expected - 1.0).abs() < 1e-13, "{values:?}");
    assert_eq!((values[1].value, values[2].value), (3_000.0, 3_000.0));
}

#[test]
fn a_deep_text_is_refused_and_a_wrong_parameter_as_well() {
    let deep = format!("let x = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(error(&deep).contains("nested more than"));
    let allowed = format!("measure x = {}1{}\n", "(".repeat(63), ")".repeat(63));
    assert_eq!(Model::read("x.avail", &allowed, &[]).and_then(|model| model.solve()).expect("a model")[0].value, 1.0);
    let given = |name: &str, value: &str| {
        let given = [(name.to_owned(), value.to_owned())];
        Model::read("x.avail", DUPLEX, &given).expect_err("wrong").to_string()
    };
    assert!(given("b", "1 per hour").contains("there is no parameter `b`"));
    assert!(given("a", "5 h").contains("`a` is a rate, and `5 h` is a time"));
    assert!(given("a", "5 per").starts_with("`a=5 per`: the text ends here: expected is a unit of time"));
    let unknown = given("a", "five");
    assert!(unknown.starts_with("`a=five`: there is no `five`") && unknown.contains("with its unit"), "{unknown}");
    assert!(given("a", "exp(5 h)").contains("this must be a plain number, and `5 h` is a time"));
}
