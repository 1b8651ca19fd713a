//! What can be asked of trees, block diagrams and networks, against sums over all cases.

use crate::support::{model, solved};

/// Asserts that the measures of a text have these values.
#[track_caller]
fn found(text: &str, expected: &[(&str, f64)]) {
    let found = solved(&model(text, &[]));
    for (name, expected) in expected {
        let got = found[*name];
        let distance = (got.value - expected).abs();
        assert!(distance <= 1e-13 * expected.abs(), "{name}: {:e} instead of {expected:e}", got.value);
        assert!(got.value == *expected || got.digits() >= 13, "{name}: {got:?}");
    }
}

#[test]
fn importances_are_those_of_the_textbook() {
    // b is in both cut sets {a, b} and {b, c}; z has nothing to do with the top event.
    let text = "tree t {
      event a probability 0.1; event b probability 0.2; event c probability 0.3; event z probability 0.4
      top = (a and b) or (b and c)
      other = z
    }
    measure fv_a = fussell vesely importance of a in t
    measure fv_b = fussell vesely importance of b in t
    measure fv_z = fussell vesely importance of z in t
    measure s_a = structural importance of a in t
    measure s_b = structural importance of b in t
    measure b_z = birnbaum importance of z in t
    measure c_z = criticality of z in t
    measure raw_z = risk achievement worth of z in t
    measure rrw_z = risk reduction worth of z in t";
    let top = 0.2 * (0.1 + 0.3 - 0.03);
    found(
        text,
        &[
            ("fv_a", 0.02 / top),
            ("fv_b", 1.0),
            ("fv_z", 0.0),
            ("s_a", 0.25),
            ("s_b", 0.75),
            ("b_z", 0.0),
            ("c_z", 0.0),
            ("raw_z", 1.0),
            ("rrw_z", 1.0),
        ],
    );
    let derivative =
        "parameter p = 0.1\ntree t { event a probability p; event b probability 0.2; event c probability 0.3
      top = (a and b) or (b and c) }\nmeasure fussell vesely importance of a in t";
    let model = model(derivative, &[]);
    let slope = model.plan(&[0]).gradient(0).expect("a gradient")[0];
    // d/dp of p / (p + 0.3 - 0.3 p).
    assert!((slope / (0.3 / 0.37_f64.powi(2)) - 1.0).abs() < 1e-14, "{slope}");
}

#[test]
fn cut_sets_need_not_be_gone_through_to_be_counted_and_weighed() {
    let text = "tree t { for i in 1..60 { event e[i] probability 0.25 }
      top = at least 30 of e[*] }
    blocks b { for i in 1..60 { block e[i] probability 0.25 }
      works = at least 30 of e[*] }
    tree large { for i in 1..70 { event e[i] probability 0.25 }
      top = at least 35 of e[*] }
    measure sets = cut sets of t
    measure of_blocks = cut sets of b
    measure of_large = cut sets of large
    measure fv_t = fussell vesely importance of e[7] in t
    measure fv_b = fussell vesely importance of e[60] in b";
    found(
        text,
        &[
            // C(60, 30); the blocks are down if 31 have failed: C(60, 31).
            ("sets", 118_264_581_564_861_424.0),
            ("of_blocks", 114_449_595_062_769_120.0),
            // C(70, 35) = 112186277816662845432 is no number of binary64.
            ("of_large", 112_186_277_816_662_845_432.0),
            // p P(at least k - 1 of n - 1) / P(at least k of n), in fractions.
            ("fv_t", 0.507_339_258_337_361_9),
            ("fv_b", 0.523_391_165_461_136),
        ],
    );
    let large = solved(&model(text, &[]))["of_large"];
    assert!(large.relative_error > 0.0 && large.digits() <= 16, "{large:?}");
}

#[test]
fn the_first_failure_of_a_repaired_tree_is_that_of_the_chain_of_its_events() {
    let text = "parameter a = 1 per 1000 h
    parameter b = 1 per 500 h
    tree t { event x fails at a, repaired at 1/(8 h); event y is unit; top = x and y }
    blocks s { block x fails at a, repaired at 1/(8 h); block y fails at b; works = x or y }
    chain unit { up: w; w -> f at b; f -> w at 1/(4 h) }
    chain all { up: ww, wf, fw
      ww -> fw at a; fw -> ww at 1/(8 h); ww -> wf at b; wf -> ww at 1/(4 h)
      fw -> ff at b; ff -> fw at 1/(4 h); wf -> ff at a; ff -> wf at 1/(8 h) }
    measure first = mttf of t
    measure F = unreliability of t at 1000 h
    measure R = reliability of t at 1000 h
    measure n = failures of t over 100 h
    measure once = mttf of s
    measure first_all = mttf of all
    measure F_all = unreliability of all at 1000 h
    measure R_all = reliability of all at 1000 h
    measure n_all = failures of all over 100 h";
    let model = model(text, &[]);
    let found = solved(&model);
    for name in ["first", "F", "R", "n"] {
        let (got, expected) = (found[name], found[format!("{name}_all").as_str()].value);
        assert!((got.value / expected - 1.0).abs() < 1e-11 && got.digits() >= 9, "{name}: {got:?}, not {expected:e}");
    }
    // T = 1/(a + b) + a/(a + b) T1 + b/(a + b)/a, and while x is repaired T1 = 1/(m + b) + m/(m + b) T.
    let (a, b, m) = (1e-3, 2e-3, 0.125);
    let by_hand = (1.0 / (a + b) + a / (a + b) / (m + b) + b / (a + b) / a) / (1.0 - a / (a + b) * m / (m + b));
    assert!((found["once"].value / by_hand - 1.0).abs() < 1e-12, "{:?} {by_hand}", found["once"]);
    let slopes = |measure: usize| model.plan(&[measure]).gradient(0).expect("a gradient");
    assert!(slopes(0).iter().zip(slopes(5)).all(|(tree, chain)| (tree / chain - 1.0).abs() < 1e-12));
}

#[test]
fn a_gate_needs_of_events_only_what_is_below_it() {
    // `a` has no rate, and `never` no repair: neither is below `pair`.
    let text = "tree t {
      event a probability 0.1
      event never fails at 1e-3 per hour
      event d fails at 1e-3 per hour, repaired at 1/(8 h)
      event e fails at 1e-3 per hour, repaired at 1/(8 h)
      pair = d and e
      last = never and never
      top = pair or a
    }
    measure often = frequency of pair in t
    measure alone = frequency of d in t
    measure down = probability of top in t
    measure later = probability of last in t at 1000 h";
    let (u, w) = (1e-3 / 0.126, 1e-3 * 0.125 / 0.126);
    let gone = -(-1.0_f64).exp_m1();
    found(text, &[("often", 2.0 * w * u), ("alone", w), ("down", 0.1 + 0.9 * u * u), ("later", gone)]);
}

#[test]
fn what_has_only_a_probability_decides_and_is_not_counted() {
    let text = "tree inner {
      event a unavailability 0.01, failure frequency 2 per year
      event d probability 0.001
      top = a or d
    }
    tree outer { event inner is inner; event b unavailability 0.02, failure frequency 1 per year; top = inner or b }
    tree bare { event d probability 0.001; event e probability 0.5; top = d and e }
    chain unit { up: u; u -> f at 1 per 9 h; f -> u at 1 per hour }
    graph net { from in to out; in -> out probability 0.1 }
    measure of_inner = counted failures of inner
    measure of_outer = counted failures of outer
    measure of_bare = counted failures of bare
    measure of_unit = counted failures of unit in 1/h";
    let inner = 1.0 - 0.99 * 0.999;
    found(
        text,
        &[
            ("of_inner", 0.999 * 2.0),
            ("of_outer", 0.98 * 0.999 * 2.0 + (1.0 - inner)),
            // Nine hours up and one down.
            ("of_unit", 0.1),
        ],
    );
    let model = model(text, &[]);
    assert_eq!(solved(&model)["of_bare"].value, 0.0);
    assert_eq!(model.uncounted("inner"), ["d"]);
    assert_eq!(model.uncounted("net"), ["in->out"]);
    assert!(model.uncounted("outer").is_empty() && model.uncounted("unit").is_empty());
    let strict = text.replace("of_inner = counted failures", "of_inner = failures");
    let error = availability::model::Model::read("x.avail", &strict, &[]).expect_err("no frequency").to_string();
    assert!(error.contains("how often does `d` fail?"), "{error}");
}

#[test]
fn a_model_of_what_is_not_built_says_so() {
    let text = "tree t { event a probability 0.1; top = a }\ntree s { event a probability 0.2; top = a }\n";
    let model = model(&format!("{text}designed t, s\nmeasure unavailability of t"), &[]);
    assert!(model.is_designed("t") && model.is_designed("s") && !model.is_designed("a"));
    let error = availability::model::Model::read("x.avail", &format!("{text}designed tt"), &[]).expect_err("no model");
    assert!(error.to_string().starts_with("x.avail:3:10: there is no model `tt`; did you mean `t`?"), "{error}");
}

#[test]
fn capacity_is_counted_by_weights() {
    let text = "parameter k = 3\nblocks site {
      for i in 1..4 { block host[i] unavailability 0.01, failure frequency 0.001 per hour }
      block gateway unavailability 0.02, failure frequency 0.001 per hour
      block switch unavailability 0.001, failure frequency 0.001 per hour
      for k in 1..4 { level[k] = switch and at least 30*k of 30*host[*] }
      mixed = switch and at least 95 of 30*host[*], 10*gateway
      works = switch and at least k of host[*]
    }
    tree short { event host[1] probability 0.01; event host[2] probability 0.02; event gateway probability 0.03
      top = at least 3 of 2*host[*], gateway }
    measure ninety = availability of site
    measure all = probability of level[4] in site
    measure mixed = probability of mixed in site
    measure often = failure frequency of site
    measure short = unavailability of short";
    let (four, three) = (0.99_f64.powi(4), 4.0 * 0.99_f64.powi(3) * 0.01);
    found(
        text,
        &[
            ("ninety", 0.999 * (four + three)),
            // In block diagrams, too, the probability of a gate is that it has failed.
            ("all", 1.0 - 0.999 * four),
            // Three hosts and the gateway have 100.
            ("mixed", 1.0 - 0.999 * (four + three * 0.98)),
            // The switch fails while three are up, or one of three fails while the fourth is down.
            ("often", 0.001 * (four + three) + 0.999 * 0.001 * 12.0 * 0.99_f64.powi(2) * 0.01),
            // Both hosts, or one host and the gateway.
            ("short", 0.0002 + 0.03 * (0.01 * 0.98 + 0.02 * 0.99)),
        ],
    );
}

#[test]
fn connections_of_a_network_are_named_by_their_ends() {
    let text = "graph bridge {
      from in to out
      in -> left    probability 0.1
      left -- right probability 0.2
      right -> out  probability 0.1
      in -> right   probability 0.1
      left -> out   probability 0.1
    }
    measure middle = birnbaum importance of left -- right in bridge
    measure first = probability of in -> left in bridge";
    // The middle decides if the four others leave just one crooked way.
    found(text, &[("middle", 2.0 * 0.9 * 0.9 * 0.1 * 0.1), ("first", 0.1)]);
}

#[test]
fn a_tree_of_models_is_asked_at_a_time() {
    let text = "parameter l = 1e-3 per hour
    chain unit { up: a; a -> b at l; b -> a at 1/(10 h) }
    chain dying { up: a; a -> b at l; b -> c at 1 per hour; c -> b at 2 per hour }
    tree inner { event x fails at l; event y fails at 2*l; top = x and y }
    tree voting { for i in 1..3 { event u[i] is unit }
      top = at least 2 of u[*] }
    tree mission { event i is inner; event d is dying; top = i or d }
    measure U = unavailability of voting at 20 h
    measure F = unreliability of mission at 500 h
    measure R = reliability of mission at 500 h";
    let q = 1e-3 / 0.101 * -(-0.101_f64 * 20.0).exp_m1();
    let (x, y) = (-(-0.5_f64).exp_m1(), -(-1.0_f64).exp_m1());
    let survives = (1.0 - x * y) * (1.0 - x);
    let solved = solved(&model(text, &[]));
    for (name, expected) in [("U", 3.0 * q * q - 2.0 * q * q * q), ("F", 1.0 - survives), ("R", survives)] {
        let got = solved[name];
        assert!((got.value / expected - 1.0).abs() < 1e-11 && got.digits() >= 9, "{name}: {got:?}, not {expected:e}");
    }
}
