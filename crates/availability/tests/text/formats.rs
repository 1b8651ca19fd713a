//! The PRISM language, explicit chains, and what is refused in them.

use availability::chain::{Chain, States};
use availability::compose::Composed;
use availability::formats::prism as prism_text;
use availability::formats::{File, Format, explicit};
use availability::model::{Model, Parameter};
use availability::{Error, explain};

use crate::support::{assert_sure, case, figure, file, solved};

fn named(name: &str, text: &str) -> File {
    File { name: name.to_owned(), text: text.to_owned() }
}

fn prism(model: &str, properties: &str, given: &[(&str, &str)]) -> Result<Model, Error> {
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Format::Prism.read(&named("x.sm", model), &[("csl", named("x.csl", properties))], &given)
}

#[test]
fn the_cluster_in_the_prism_language_is_the_same() {
    let case = case("workstation-cluster");
    for n in ["2", "4"] {
        let (text, properties) = (file("models/cluster.sm"), file("models/cluster.csl"));
        let model = prism(&text, &properties, &[("N", n)]).unwrap_or_else(|error| panic!("{}", explain(&error, &text)));
        let (found, expected) = (solved(&model), &case["expected"][format!("N={n}")]);
        for (measure, entry) in [
            ("U", "U = P(not premium)"),
            ("below minimum", "P(below minimum)"),
            ("working", "mean percentage of working stations"),
            ("repairs", "repairs finished per hour"),
            ("time to the loss of minimum", "MTTF to below minimum"),
        ] {
            assert_sure(measure, found[measure], figure(&expected[entry]));
        }
    }
}

#[test]
fn what_the_subset_does_not_have_is_refused_in_its_file() {
    let module = "ctmc\nmodule m\n x : [0..1] init 0;\n [] x=0 -> 2 : (x'=1);\n [] x=1 -> 1 : (x'=0);\nendmodule\n";
    let beyond = module.replace("(x'=1)", "(x'=2)");
    for (model, properties, said) in [
        ("dtmc\n", "", "x.sm:1:1: `dtmc` does not belong to the subset"),
        ("module m x : [0..1]; endmodule", "", "the model does not say its type"),
        ("ctmc global g : [0..1];", "", "x.sm:1:6: `global` does not belong to the subset"),
        ("ctmc const int N; module m x : [0..N]; endmodule", "", "the constant `N` has no value: give it one with"),
        ("ctmc module m x : clock; endmodule", "", "expected is `[` or `bool`: variables are bounded"),
        (
            "ctmc module m x : [0..1]; endmodule module n = mm [x=y] endmodule",
            "",
            "there is no module `mm`; did you mean `m`?",
        ),
        ("ctmc module m x : [0..1]; endmodule module n = m [] endmodule", "", "has no new name for the variable `x`"),
        (module, "P>0.5 [ F x=1 ]", "x.csl:1:2: `>` is not expected here: expected is `=?`"),
        (module, "\n  P=? [ G x=1 ]", "x.csl:2:9: `G` is not expected here"),
        (module, "S=? [ \"x\" ]", "there is no variable, value, label or parameter `\"x\"`"),
        (module, "R=? [ S ]", "the model has no rewards"),
        (beyond.as_str(), "", "x.sm:4:2: rule 'the rule in line 4' would set 'x' to 2"),
    ] {
        let error = prism(model, properties, &[]).expect_err(said).to_string();
        assert!(error.contains(said), "{model}{properties}\n{error}");
    }
    let model = prism(module, "S=? [ x=1 ];\n\"time\": R=? [ F x=1 ]", &[]);
    assert!(model.is_err_and(|error| error.to_string().contains("x.csl:2:10: the model has no rewards")));
    let model = prism(module, "S=? [ x=1 ]", &[]).expect("a model");
    assert_sure("S=? [ x=1 ]", solved(&model)["S=? [ x=1 ]"], 2.0 / 3.0);
}

const TRA: &str = "3 4\n0 1 2e-4\n1 0 0.5\n1 2 1e-4\n2 1 0.5\n";

#[test]
fn explicit_chains_are_read_in_both_forms_of_labels() {
    let down = 2e-4 * 1e-4 / (0.5 * 0.5 + 2e-4 * 0.5 + 2e-4 * 1e-4);
    for labels in ["0=\"init\" 1=\"down\"\n0: 0\n2: 1\n", "#DECLARATION\ninit down\n#END\n0 init\n2 down\n"] {
        let beside = [("lab", named("x.lab", labels)), ("srew", named("x.srew", "3 2\n0 2\n1 1\n"))];
        let found = solved(&Format::Explicit.read(&named("x.tra", TRA), &beside, &[]).expect("a model"));
        assert_sure("U", found["unavailability"], down);
        assert_sure("down", found["probability of down"], down);
        assert_sure("frequency", found["failure frequency"], 0.5 * down);
        assert_sure("mttf", found["mttf"], (2e-4 + 1e-4 + 0.5) / (2e-4 * 1e-4));
    }
    for (text, said) in [
        ("3 4\n0 1 2e-4\n", "x.tra:1:1: the file has 1 transitions, and its first line says 4"),
        ("99999999999 2\n0 1 1\n1 0 1\n", "x.tra:1:1: the first line says 99999999999 states, and transitions"),
        ("2 1\n0 5 1\n", "x.tra:2:1: state 5 does not exist"),
        ("2 1\n0 1 -1\n", "x.tra:2:1: `0 1 -1` is not understood"),
    ] {
        let error = Format::Explicit.read(&named("x.tra", text), &[], &[]).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_state_that_does_not_exist_is_refused_where_it_stands() {
    let wide = TRA.replace("3 4\n", "4 4\n");
    for (transitions, ending, text, said) in [
        (
            TRA,
            "lab",
            "0=\"init\" 1=\"down\"\n0: 0\n7: 1\n",
            "x.lab:3:1: state 7 does not exist: the file x.tra has 3 states",
        ),
        (TRA, "lab", "#DECLARATION\ninit\n#END\n 3 init\n", "x.lab:4:2: state 3 does not exist"),
        (TRA, "srew", "0 2\n9 1\n", "x.srew:2:1: state 9 does not exist: the file x.tra has 3 states"),
        (
            wide.as_str(),
            "lab",
            "0=\"init\" 1=\"down\"\n0: 0\n3: 1\n",
            "x.lab:3:1: no transition of the file x.tra leads from state 3",
        ),
        (wide.as_str(), "srew", "4 1\n3 1\n", "x.srew:2:1: no transition of the file x.tra leads from state 3"),
    ] {
        let beside = [(ending, named(&format!("x.{ending}"), text))];
        let error = Format::Explicit.read(&named("x.tra", transitions), &beside, &[]).expect_err(said).to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

#[test]
fn a_chain_that_was_written_is_read_again() {
    let mut chain = Chain::new();
    let states: Vec<usize> = ["both", "one", "none"].map(|name| chain.add_state(name)).to_vec();
    for (from, to, rate) in [(0, 1, 2e-4), (1, 0, 0.5), (1, 2, 0.7e-4), (1, 2, 0.3e-4), (2, 1, 0.5)] {
        chain.add_arc(states[from], states[to], rate).expect("an arc");
    }
    chain.set_label("down", States::of(&[2]));
    let written = explicit::write(&chain).expect("written");
    assert_eq!(written.tra.lines().next(), Some("3 4"));
    let model = Format::Explicit.read(&named("x.tra", &written.tra), &[("lab", named("x.lab", &written.lab))], &[]);
    let found = solved(&model.expect("a model"))["unavailability"];
    let down = chain.label("down").expect("a label").clone();
    let expected = chain.certain(&availability::chain::Measure::unavailability(down)).expect("a value");
    assert_sure("U", found, expected.value);
}

#[test]
fn a_chain_of_a_text_goes_out_to_prism_and_comes_back() {
    let text = file("models/duplex.avail");
    let chain = crate::support::model(&text, &[]).chain("duplex").expect("a chain");
    let written = prism_text::write(&chain).expect("written");
    let again =
        prism(&written, "S=? [ \"down\" ]", &[]).unwrap_or_else(|error| panic!("{}", explain(&error, &written)));
    assert_sure("U", solved(&again)["S=? [ \"down\" ]"], solved(&crate::support::model(&text, &[]))["U"].value);
}

#[test]
fn trees_of_other_tools_have_their_events_as_parameters() {
    let text = "toplevel \"top\";\n\"top\" and \"a\" \"b\";\n\"a\" lambda=0.001 dorm=0.0;\n\"b\" prob=0.25;\n";
    let read = |given: &[(&str, &str)]| {
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Format::Galileo.read(&named("x.dft", text), &[], &given)
    };
    let error = read(&[]).expect_err("no time").to_string();
    assert!(error.contains("x.dft:1:1: the tree has events that are never repaired, and no time"), "{error}");
    let found = solved(&read(&[("time", "100")]).expect("a model"));
    assert_sure("top", found["probability of top"], -0.25 * (-0.1_f64).exp_m1());
    let found = solved(&read(&[("time", "100"), ("b", "0.5")]).expect("a model"));
    assert_sure("top", found["probability of top"], -0.5 * (-0.1_f64).exp_m1());
    assert!(read(&[("time", "100"), ("c", "0.5")]).is_err_and(|error| error.what.contains("no parameter `c`")));
}

#[test]
fn each_probability_of_a_tree_of_another_tool_has_its_importance() {
    let text = "toplevel \"top\";\n\"top\" or \"a\" \"b\";\n\"a\" prob=0.99;\n\"b\" prob=0.25;\n";
    let model = Format::Galileo.read(&named("x.dft", text), &[], &[]).expect("a model");
    assert_eq!(model.parameters().iter().map(Parameter::name).collect::<Vec<_>>(), ["a", "b"]);
    assert_sure("top", solved(&model)["probability of top"], 0.9925);
    // Birnbaum's: each decides if the other has not occurred.
    let slopes = model.plan(&[0]).gradient(0).expect("derivatives");
    for (slope, expected) in slopes.into_iter().zip([0.75, 0.01]) {
        assert!((slope / expected - 1.0).abs() < 1e-14, "{slope} instead of {expected}");
    }
    // What has occurred for certain has a parameter, and the other event decides nothing.
    let certain = text.replace("0.99", "1");
    let model = Format::Galileo.read(&named("x.dft", &certain), &[], &[]).expect("a model");
    assert_eq!(solved(&model)["probability of top"].value, 1.0);
    assert_eq!(model.plan(&[0]).gradient(0).expect("derivatives"), [0.75, 0.0]);
}

#[test]
fn a_byte_order_mark_before_a_text_is_passed_over() {
    let marked = |text: &str| format!("\u{feff}{text}");
    let chain = "chain c { up: a; a -> b at 1/h; b -> a at 3/h }\nmeasure u = unavailability of c";
    assert_sure("u", solved(&crate::support::model(&marked(chain), &[]))["u"], 0.25);
    let error = Model::read("x.avail", &marked("parameter x = 5 parsecs"), &[]).expect_err("no unit").to_string();
    assert!(error.contains("`parsecs` is no unit"), "{error}");
    let whole = Composed::new("a", &mut |path| {
        Ok(marked(if path == "a" { "use \"b\"\nmeasure u = unavailability of c" } else { chain }))
    });
    let whole = whole.expect("composes").text();
    assert_sure("u", solved(&crate::support::model(&whole, &[]))["u"], 0.25);
    let lab = named("x.lab", &marked("0=\"init\" 1=\"down\"\n0: 0\n2: 1\n"));
    let found = Format::Explicit.read(&named("x.tra", &marked(TRA)), &[("lab", lab)], &[]).expect("a model");
    assert!(solved(&found).contains_key("unavailability"));
    let prism_module = "ctmc module m x : [0..1] init 0; [] x=0 -> 1 : (x'=1); [] x=1 -> 3 : (x'=0); endmodule";
    let found = prism(&marked(prism_module), &marked("\"u\": S=? [ x=1 ]"), &[]).expect("a model");
    assert_sure("u", solved(&found)["u"], 0.25);
    for (format, text) in [
        (Format::Galileo, "toplevel S; S or A; A prob=0.25;"),
        (
            Format::OpenPsa,
            "<opsa-mef><define-fault-tree name=\"T\"><define-gate name=\"S\"><or><basic-event name=\"A\"/></or>\
             </define-gate><define-basic-event name=\"A\"><float value=\"0.25\"/></define-basic-event>\
             </define-fault-tree></opsa-mef>",
        ),
    ] {
        let found = format.read(&named("x", &marked(text)), &[], &[]).expect("a model");
        assert_sure("S", solved(&found)["probability of S"], 0.25);
    }
}

#[test]
fn the_ending_says_the_format() {
    assert_eq!(Format::of_ending("prism"), Ok(Format::Prism));
    let error = Format::of_ending("doc").expect_err("no model");
    assert!(error.remedy.contains(".avail, .sm, .prism, .tra, .xml, .dft"), "{error}");
}
