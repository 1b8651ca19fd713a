//! Goals and parts of a service, against closed forms.

use availability::goal::{Found, Steps, Trend, search};
use availability::model::{Model, Resources};

const TEXT: &str = "
parameter lambda = 1 per 1000 h
parameter mttr = 4 h
parameter p = 10 %
parameter none = 0 per hour
parameter n = 2
parameter q = 10 % between 5 % and 15 %
parameter t = 4 h between 2 h and 3 days
chain unit { up: works; works -> failed at lambda; failed -> works at 1/mttr }
chain copies { up: a[0]; for k in 0..n-1 { a[k] -> a[k+1] at lambda; a[k+1] -> a[k] at 1/mttr } }
measure U = unavailability of unit
measure hill = p*(1 - p)
measure slope = q*(1 - q)
measure ratio = t/(1 h)
measure sum = lambda + none in 1/h
measure U_copies = unavailability of copies
";

fn model() -> Model {
    Model::read("text", TEXT, &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn found(measure: &str, parameter: &str, target: f64, steps: Steps) -> Result<Found, String> {
    let model = model();
    let measure = model.measures().iter().position(|own| own.name() == measure).expect("the measure");
    let parameter = model.parameters().iter().position(|own| own.name() == parameter).expect("the parameter");
    search(&model.plan(&[measure]), 0, parameter, target, steps).map_err(|error| error.to_string())
}

#[test]
fn the_value_is_that_of_the_closed_form_and_its_bracket_is_proven() {
    // U = lambda mttr / (1 + lambda mttr).
    for (steps, target) in [(Steps::Few, 1e-5), (Steps::Many, 1e-8), (Steps::Few, 0.5)] {
        let product = target / (1.0 - target);
        for (parameter, expected, now) in [("mttr", product * 1000.0, 4.0), ("lambda", product / 4.0, 1e-3)] {
            let found = found("U", parameter, target, steps).expect("solved");
            let root = found.roots[0];
            assert!((root.value / expected - 1.0).abs() < 1e-11, "{root:?} {expected}");
            let (low, high) = root.proven.expect("proven");
            assert!(low < expected && expected < high && (high / low - 1.0) < 1e-9, "{root:?}");
            assert!((root.factor / (expected / now) - 1.0).abs() < 1e-9, "{root:?}");
            assert_eq!((found.roots.len(), found.trend), (1, Trend::Rises));
        }
    }
}

#[test]
fn a_measure_that_rises_and_falls_has_two_values_or_a_best_one() {
    let two = found("hill", "p", 0.16, Steps::Many).expect("solved");
    let values: Vec<f64> = two.roots.iter().map(|root| root.value).collect();
    assert!((values[0] - 0.2).abs() < 1e-10 && (values[1] - 0.8).abs() < 1e-10, "{values:?}");
    assert_eq!(two.trend, Trend::Turns);
    let none = found("hill", "p", 0.3, Steps::Few).expect("solved");
    assert!(none.roots.is_empty(), "{none:?}");
    let (value, measure) = none.closest;
    assert!((value - 0.5).abs() < 1e-4 && (measure - 0.25).abs() < 1e-8, "{none:?}");
    // Between two steps of the search lies the top: 0.25 - 1e-12 is passed on both sides of it.
    let top = found("hill", "p", 0.25 - 1e-10, Steps::Few).expect("solved");
    assert!(!top.roots.is_empty() && (top.roots[0].value - 0.5).abs() < 2e-5, "{top:?}");
}

#[test]
fn a_parameter_stays_within_its_range() {
    let found_at = |measure, parameter, target| found(measure, parameter, target, Steps::Many).expect("solved");
    let inside = found_at("slope", "q", 0.12 * 0.88);
    assert!((inside.roots[0].value - 0.12).abs() < 1e-10 && inside.roots.len() == 1, "{inside:?}");
    assert!((found_at("ratio", "t", 50.0).roots[0].value / 50.0 - 1.0).abs() < 1e-10);
    // Without the range it would be 0.2, and 100 h.
    for (measure, parameter, target, (low, high)) in
        [("slope", "q", 0.16, (0.05, 0.15)), ("ratio", "t", 100.0, (2.0, 72.0))]
    {
        let beyond = found_at(measure, parameter, target);
        assert!(beyond.roots.is_empty() && beyond.closest.0 == high, "{beyond:?}");
        assert_eq!(beyond.searched, (low, high));
    }
}

#[test]
fn what_has_no_answer_says_why() {
    for (measure, parameter, target, said) in [
        ("U", "p", 1e-3, "the measure does not depend on `p`"),
        ("U", "mttr", f64::NAN, "a target of NaN"),
        ("U_copies", "n", 1e-3, "`n` decides about the structure"),
        ("sum", "none", 1.0, "`none` is 0, so that no factor of it leads anywhere"),
    ] {
        let error = found(measure, parameter, target, Steps::Few).expect_err(said);
        assert!(error.contains(said), "{error}");
    }
    let never = found("U", "mttr", 2.0, Steps::Few).expect("solved");
    assert!(never.roots.is_empty() && never.closest.1 < 1.0 && never.closest.0 > 3.9e6, "{never:?}");
}

#[test]
fn a_long_queue_is_solved_with_another_value_and_a_wide_space_is_not() {
    let text = "
parameter arrives = 0.99 per hour
rules queue { n : 0..3500 start 0
  when n < 3500 then n := n + 1 at arrives
  when n > 0 then n := n - 1 at 1 per hour
  up: n > 0 }
rules field { a : 0..59 start 0
  b : 0..59 start 0
  when a < 59 then a := a + 1 at arrives
  when a > 0 then a := a - 1 at 1 per hour
  when b < 59 then b := b + 1 at arrives
  when b > 0 then b := b - 1 at 1 per hour
  up: a > 0 }
measure idle = unavailability of queue
measure empty = unavailability of field
";
    let model = Model::read("text", text, &[]).unwrap_or_else(|error| panic!("{error}"));
    // Nobody is there for the share (1 - r)/(1 - r^3501) of the time.
    let found = model.plan(&[0]).solve_with(0, 0.95).expect("solved")[0];
    let off = (found.value / 0.05 - 1.0).abs();
    assert!(off < 1e-12 && off < found.relative_error + 1e-14, "{found:?}");
    let error = model.plan(&[1]).solve_with(0, 0.95).expect_err("iterated").to_string();
    assert!(error.starts_with("the model has a large state space, iterated"), "{error}");
}

#[test]
fn parts_are_those_of_which_one_is_enough() {
    let text = "
parameter u = 1e-3
tree inner { event a probability 1e-4; event b probability 2e-4; top = a or b }
tree twins { event c is single; event d is single; top = c and d }
chain single { up: ok; ok -> ko at 1 per 1000 h; ko -> ok at 1 per 10 h }
blocks rack { block left probability u; block right probability u; block top_switch probability 3e-4
  works = (left or right) and top_switch }
tree all { event inner is inner; event twins is twins; event rack is rack; event e probability 5e-4
  top = inner or twins or rack or (e and single); event single is single }
measure down = downtime of all
measure alone = downtime of twins
";
    let model = Model::read_parts("text", text, &[], "down", Resources::default());
    let model = model.unwrap_or_else(|error| panic!("{error}"));
    let values = model.solve().expect("solved");
    let found: Vec<(&str, f64)> =
        model.measures().iter().zip(&values).map(|(own, value)| (own.name(), value.value / 525_600.0)).collect();
    let single: f64 = 10.0 / 1010.0;
    let expected = [
        ("inner/a", 1e-4),
        ("inner/b", 2e-4),
        ("twins", single * single),
        ("rack/left and right", 1e-6),
        ("rack/top_switch", 3e-4),
        ("e and single", 5e-4 * single),
    ];
    assert_eq!(found.len(), 2 + expected.len(), "{found:?}");
    for ((name, value), (own, by_hand)) in found[2..].iter().zip(expected) {
        assert!(*name == own && (value / by_hand - 1.0).abs() < 1e-12, "{name} {value} {own} {by_hand}");
    }
    let survive: f64 = expected.iter().map(|(_, value)| (-value).ln_1p()).sum();
    assert!((found[0].1 / -survive.exp_m1() - 1.0).abs() < 1e-10, "{found:?}");
    for (measure, said) in
        [("up", "no measure \"up\""), ("down2", "did you mean `down`?"), ("alone", "does not consist of parts")]
    {
        let error = Model::read_parts("text", text, &[], measure, Resources::default()).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn parts_that_share_events_are_one_and_what_is_enough_alone_is_apart() {
    let text = "
tree all {
  event power probability 1e-3; event a probability 0.01; event b probability 0.02; event c probability 0.03
  event d probability 0.04; event e probability 0.05
  hot = (power or d) and e
  inner = at least 1 of hot
  never = power and c
  top = power or g
  g = (a and b) or (a and c) or inner or never
}
measure down = downtime of all
";
    let model = Model::read_parts("text", text, &[], "down", Resources::default());
    let model = model.unwrap_or_else(|error| panic!("{error}"));
    let values = model.solve().expect("solved");
    let found: Vec<(&str, f64)> =
        model.measures().iter().zip(&values).map(|(own, value)| (own.name(), value.value / 525_600.0)).collect();
    // `never` adds nothing while power is up, but c is in it, and so in one part with what has c.
    let expected = [
        ("power", 1e-3),
        ("a and b or a and c or never while power is up", 0.01 * (0.02 + 0.03 - 0.02 * 0.03)),
        ("hot while power is up", 0.04 * 0.05),
    ];
    assert_eq!(found.len(), 1 + expected.len(), "{found:?}");
    for ((name, value), (own, by_hand)) in found[1..].iter().zip(expected) {
        assert!(*name == own && (value / by_hand - 1.0).abs() < 1e-12, "{name} {value} {own} {by_hand}");
    }
    let survive: f64 = expected.iter().map(|(_, value)| (-value).ln_1p()).sum();
    assert!((found[0].1 / -survive.exp_m1() - 1.0).abs() < 1e-12, "{found:?}");
    // Alone, what never occurs is no part at all.
    let text = text.replace("(a and c) or inner", "inner");
    let model = Model::read_parts("text", &text, &[], "down", Resources::default());
    let model = model.unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = model.measures().iter().map(availability::model::Measure::name).collect();
    assert_eq!(names, ["down", "power", "a and b", "hot while power is up"]);
}
