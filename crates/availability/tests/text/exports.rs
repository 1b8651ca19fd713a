//! Chains and trees of a text in the forms of other tools, and back.

use availability::formats::{File, Format, explicit, galileo, open_psa, prism};
use availability::model::Model;
use availability::structure::{Law, QuantifiedTree};

use crate::support::{assert_sure, model, solved};

fn named(name: &str, text: &str) -> File {
    File { name: name.to_owned(), text: text.to_owned() }
}

/// A model in another format, without anything beside it.
fn read(format: Format, text: &str, given: &[(&str, &str)]) -> Model {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    format.read(&named("x", text), &[], &given).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// `a` has 0.8 of the time, and `b` 0.2.
const EARNING: &str = "chain c {
  up: a
  a -> b at 1 per hour;  b -> a at 4 per hour
  for k in 1..1 { reward load: a = 2 - k, b = 2 }
  reward work: a = 10
  reward calls: a -> b = 2, b -> a = 3
}";

#[test]
fn what_states_of_a_chain_earn_goes_into_explicit_files() {
    let chain = model(EARNING, &[]).chain("c").expect("a chain");
    assert_eq!(chain.rewards_of_arcs().collect::<Vec<_>>(), ["calls"]);
    let written = explicit::write(&chain).expect("written");
    let expected = [("load", "2 2\n0 1e0\n1 2e0\n"), ("work", "2 1\n0 1e1\n")];
    assert_eq!(written.srew, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    let beside = [("lab", named("x.lab", &written.lab)), ("srew", named("x.srew", &written.srew[0].1))];
    let found = solved(&Format::Explicit.read(&named("x.tra", &written.tra), &beside, &[]).expect("a model"));
    assert_sure("load", found["reward"], 0.8 + 2.0 * 0.2);
    assert_sure("U", found["unavailability"], 0.2);
}

#[test]
fn what_states_and_arcs_earn_goes_to_prism_and_comes_back() {
    let text = prism::write(&model(EARNING, &[]).chain("c").expect("a chain")).expect("written");
    assert!(text.contains("rewards \"work\"\n  s=0 : 1e1;\nendrewards\n"), "{text}");
    // Without a property the same is asked as of explicit files.
    let found = solved(&read(Format::Prism, &text, &[]));
    for (name, expected) in [
        ("probability of down", 0.2),
        ("unavailability", 0.2),
        ("failure frequency", 0.8),
        ("mttf", 1.0),
        ("reward load", 1.2),
        ("reward work", 8.0),
        ("reward calls", 0.8 * 2.0 + 0.2 * 4.0 * 3.0),
    ] {
        assert_sure(name, found[name], expected);
    }
    assert_eq!(found.len(), 7, "{found:?}");
}

#[test]
fn an_arc_back_to_its_own_state_goes_out_if_it_earns_something() {
    let text = "rules r { x : 0..1 start 0
      when x = 0 then x := 1 at 1 per hour
      when x = 1 then x := 0 at 1 per hour
      [tick] when x = 0 then x := x at 6 per hour
      reward ticks: [tick] 1 }";
    let text = prism::write(&model(text, &[]).chain("r").expect("a chain")).expect("written");
    assert_sure("ticks", solved(&read(Format::Prism, &text, &[]))["reward ticks"], 3.0);
}

const BUSY: &str = "ctmc\nmodule m\n x : [0..1] init 0;\n [go] x=0 -> 2 : (x'=1);\n [] x=1 -> 1 : (x'=0);\nendmodule\n\
                    label \"busy\" = x=1;\nlabel \"up\" = x=0;\nrewards x=1 : 3; endrewards\n\
                    rewards \"steps\" [go] true : 1; endrewards\n";

#[test]
fn a_model_of_prism_goes_out_with_labels_in_single_quotes() {
    let first = read(Format::Prism, BUSY, &[]);
    let chain = first.chain("the model").expect("a chain");
    assert_eq!(chain.labels().keys().collect::<Vec<_>>(), ["busy", "down", "up"]);
    let written = explicit::write(&chain).expect("written");
    assert_eq!(written.lab, "0=\"init\" 1=\"busy\" 2=\"down\" 3=\"up\"\n0: 0 3\n1: 1 2\n");
    let again = read(Format::Prism, &prism::write(&chain).expect("written"), &[]);
    for found in [solved(&first), solved(&again)] {
        assert_sure("busy", found["probability of busy"], 2.0 / 3.0);
        assert_sure("U", found["unavailability"], 2.0 / 3.0);
        assert_sure("without a name", found["reward"], 2.0);
        assert_sure("steps", found["reward steps"], 2.0 / 3.0);
    }
}

#[test]
fn labels_that_the_files_have_themselves_stay_behind_or_are_refused() {
    let chain = |labels: &str| {
        let text = format!("chain c {{ up: a; a -> b at 1/h; b -> a at 1/h; b -> e at 1/h\n {labels} }}");
        model(&text, &[]).chain("c").expect("a chain")
    };
    let same = chain("label init: a; label deadlock: e; label other: b");
    let written = explicit::write(&same).expect("written");
    assert_eq!(written.lab, "0=\"init\" 1=\"down\" 2=\"other\"\n0: 0\n1: 1 2\n2: 1\n");
    let text = prism::write(&same).expect("written");
    assert!(text.contains("label \"other\" = s=1;") && !text.contains("deadlock"), "{text}");
    for labels in ["label init: b", "label deadlock: b"] {
        let error = prism::write(&chain(labels)).expect_err(labels);
        assert!(error.what.contains("means something else in these files"), "{error}");
        assert_eq!(explicit::write(&chain(labels)).expect_err(labels), error);
    }
}

#[test]
fn what_is_asked_of_other_models_does_not_hinder_an_export() {
    let text = format!("{EARNING}\nchain dead {{ up: a; a -> b at 1 per hour }}\nmeasure unavailability of dead");
    assert!(model(&text, &[]).chain("c").is_ok());
    assert!(model(&text, &[]).solve().is_err());
}

const PLANT: &str = "parameter l = 1e-5 per hour
chain pump { up: u; u -> f at 1e-3 per hour; f -> u at 1/(8 h) }
graph lines { from in to out; in -> out probability 0.01; in -> out probability 0.02 }
tree inner { event x fails at 1e-3 per hour, repaired at 1/(4 h); event y probability 0.01; top = x and y; other = y or x }
tree plant {
  event power fails at l, repaired at 1/(8 h)
  event pump[1] is pump
  event pump[2] is pump
  for i in 1..2 { event part[i] is inner }
  event net is lines
  event valve probability 0.001
  event site unavailability 1e-6, failure frequency 2 per year
  event apart fails at l
  parts = any of part[*]
  only = all of parts
  top = power or (pump[1] and pump[2]) or only or valve or site or net
  last = apart or top
}
measure U = unavailability of plant";

#[test]
fn a_tree_goes_out_with_what_is_in_it_and_comes_back() {
    let model = model(PLANT, &[("l", "2e-5 per hour")]);
    assert_eq!(model.trees().collect::<Vec<_>>(), ["inner", "plant"]);
    let (tree, long_run) = model.tree("plant").expect("a tree");
    let names = ["power", "pump_1", "pump_2", "part_1_x", "part_1_y", "part_2_x", "part_2_y", "net", "valve", "site"];
    assert_eq!(tree.tree.events(), names);
    assert_eq!(long_run, ["pump_1", "pump_2", "net", "site"]);
    assert_eq!(tree.laws[0], Law::Repaired { at_start: 0.0, failure_rate: 2e-5, repair_rate: 0.125 });
    let expected = solved(&model)["U"].value;
    let xml = open_psa::write(&tree, "plant", &[]).expect("written");
    let (without, repaired) = tree.without_repair();
    assert_eq!(repaired, ["power", "part_1_x", "part_2_x"]);
    let dft = galileo::write(&without, &["a remark".to_owned()]).expect("written");
    assert!(dft.starts_with("// a remark\ntoplevel \"top\";\n"), "{dft}");
    for (format, text) in [(Format::OpenPsa, &xml), (Format::Galileo, &dft)] {
        let found = solved(&read(format, text, &[]))["probability of top"];
        assert!((found.value / expected - 1.0).abs() < 1e-12, "{} instead of {expected}\n{text}", found.value);
    }
}

#[test]
fn a_block_diagram_goes_out_as_a_tree_of_what_fails() {
    let text = "blocks rack {
      for i in 1..3 { block disk[i] fails at 1e-4 per hour, repaired at 1/(4 h) }
      block controller fails at 300 FIT, repaired at 1/(4 h)
      works = controller and at least 2 of disk[*]
    }
    measure U = unavailability of rack";
    let model = model(text, &[]);
    let (tree, _) = model.tree("rack").expect("a tree");
    let xml = open_psa::write(&tree, "rack", &[]).expect("written");
    let found = solved(&read(Format::OpenPsa, &xml, &[]))["probability of works"].value;
    let (disk, controller): (f64, f64) = (1e-4 / 0.2501, 3e-7 / (0.25 + 3e-7));
    let two = 3.0 * disk * disk - 2.0 * disk.powi(3);
    let expected = controller + (1.0 - controller) * two;
    assert!((found / expected - 1.0).abs() < 1e-12, "{found} instead of {expected}");
    assert!((solved(&model)["U"].value / expected - 1.0).abs() < 1e-12);
}

#[test]
fn a_tree_for_a_mission_keeps_its_rates() {
    let text = "tree mission { event a fails at 1e-3 per hour; event b probability 0.1; top = a and b }
      measure F = unreliability of mission at 100 h";
    let model = model(text, &[]);
    let (tree, _) = model.tree("mission").expect("a tree");
    let dft = galileo::write(&tree, &[]).expect("written");
    assert!(dft.contains("\"a\" lambda=1e-3;\n\"b\" prob=1e-1;\n"), "{dft}");
    let found = solved(&read(Format::Galileo, &dft, &[("time", "100")]))["probability of top"].value;
    assert!((found / solved(&model)["F"].value - 1.0).abs() < 1e-12);
    assert_eq!(Format::Galileo.tree(&named("x.dft", &dft), None).expect("a tree"), Some(tree));
    assert_eq!(Format::Avail.tree(&named("x.avail", text), None), Ok(None::<QuantifiedTree>));
}

#[test]
fn names_of_an_exported_tree_are_words_and_each_is_there_once() {
    let text = "tree t { event a[1,2] probability 0.1; event a_1_2 probability 0.2; event b probability 0.3
      top = a[1,2] or (a_1_2 and b) }";
    let (tree, _) = model(text, &[]).tree("t").expect("a tree");
    assert_eq!(tree.tree.events(), ["a_1_2", "a_1_2_", "b"]);
    let gates: Vec<&str> = tree.tree.gates().iter().map(|gate| gate.name.as_str()).collect();
    assert_eq!(gates, ["gate_1", "top"]);
}

#[test]
fn what_cannot_be_a_tree_by_itself_says_why() {
    let text = "chain c { a -> b at 1 per hour; b -> a at 1 per hour }
      tree t { event e is c; event f probability 0.1; top = e or f; other = f }
      tree over { event o is t; top = o }
      tree one { event x is two; top = x }
      tree two { event y is one; top = y }";
    let model = model(text, &[]);
    for (name, said) in [
        ("t", "x.avail:2:27: `c` does not say which states are up"),
        ("over", "`c` does not say which states are up"),
        ("one", "trees stand within trees without an end: one, in it two, in it one"),
        ("none", "the model has no tree `none`: it has t, over, one, two"),
    ] {
        let error = model.tree(name).expect_err(said).to_string();
        assert!(error.contains(said), "{name}: {error}");
    }
}
