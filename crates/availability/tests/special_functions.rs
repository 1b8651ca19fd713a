//! The special functions against 30-digit figures.

mod reference;

use availability::estimate::special::{
    Tail, beta_quantile, beta_tails, gamma_quantile, gamma_tails, ln_gamma, normal_quantile, normal_tails,
    student_quantile,
};
use reference::{Case, number};

/// Relative error that the functions promise: some hundred roundings, each worth 1.1e-16.
const PROMISE: f64 = 1e-13;

fn close(what: &str, value: f64, expected: f64) {
    let error = (value - expected).abs() / expected.abs();
    assert!(error <= PROMISE, "{what}: {value:e} for {expected:e}, off by {error:.1e}");
}

fn tail(row: &Case) -> Tail {
    let p = number(&row["p"]);
    if row["tail"] == "lower" { Tail::Lower(p) } else { Tail::Upper(p) }
}

fn rows(function: &str) -> Vec<Case> {
    let all = reference::read("special-functions");
    all["expected"][function].as_array().expect("rows").clone()
}

#[test]
fn gamma_functions_have_their_digits() {
    for row in rows("ln_gamma") {
        let (x, expected) = (number(&row["x"]), number(&row["value"]));
        assert!((ln_gamma(x) - expected).abs() <= 1e-15 * expected.abs().max(1.0), "ln_gamma({x}): {:e}", ln_gamma(x));
    }
    for row in rows("gamma_tails") {
        let tails = gamma_tails(number(&row["shape"]), number(&row["x"]));
        close(&format!("{row}"), tails.lower, number(&row["lower"]));
        close(&format!("{row}"), tails.upper, number(&row["upper"]));
    }
    for row in rows("gamma_quantile") {
        close(&format!("{row}"), gamma_quantile(number(&row["shape"]), tail(&row)), number(&row["value"]));
    }
}

#[test]
fn beta_functions_have_their_digits() {
    for row in rows("beta_tails") {
        let tails = beta_tails(number(&row["a"]), number(&row["b"]), number(&row["x"]), number(&row["y"]));
        close(&format!("{row}"), tails.lower, number(&row["lower"]));
        close(&format!("{row}"), tails.upper, number(&row["upper"]));
    }
    for row in rows("beta_quantile") {
        let (x, y) = beta_quantile(number(&row["a"]), number(&row["b"]), tail(&row));
        close(&format!("{row}"), x, number(&row["x"]));
        close(&format!("{row}"), y, number(&row["y"]));
    }
}

#[test]
fn normal_and_student_quantiles_have_their_digits() {
    for row in rows("normal_quantile") {
        let (p, expected) = (number(&row["upper"]), number(&row["value"]));
        close("normal", normal_quantile(Tail::Upper(p)), expected);
        close("normal", normal_quantile(Tail::Lower(p)), -expected);
        // The tail at a rounded quantile is off by the rounding times z^2.
        let back = normal_tails(expected).upper;
        assert!((back / p - 1.0).abs() < 1e-13, "{p}: {back}");
    }
    for row in rows("student_quantile") {
        let value = student_quantile(number(&row["degrees"]), Tail::Upper(number(&row["upper"])));
        close(&format!("{row}"), value, number(&row["value"]));
    }
}

#[test]
fn arguments_outside_of_the_domain_give_no_number() {
    assert!(ln_gamma(-1.0).is_nan());
    assert!(gamma_tails(0.0, 1.0).lower.is_nan());
    assert!(gamma_tails(1.0, f64::NAN).lower.is_nan());
    assert!(gamma_quantile(1.0, Tail::Lower(1.5)).is_nan());
    assert!(beta_tails(1.0, 1.0, 0.5, 0.4).lower.is_nan());
    assert!(beta_quantile(1.0, -1.0, Tail::Lower(0.5)).0.is_nan());
    assert_eq!(gamma_quantile(2.0, Tail::Upper(0.0)), f64::INFINITY);
    assert_eq!(beta_quantile(2.0, 3.0, Tail::Lower(1.0)), (1.0, 0.0));
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn quantiles_undo_tails(log_shape in -2.0..12.0_f64, log_other in -2.0..12.0_f64, log_p in -30.0..-0.1_f64) {
            let (shape, other, p) = (log_shape.exp(), log_other.exp(), log_p.exp());
            for tail in [Tail::Lower(p), Tail::Upper(p)] {
                let x = gamma_quantile(shape, tail);
                let tails = gamma_tails(shape, x);
                let back = if matches!(tail, Tail::Lower(_)) { tails.lower } else { tails.upper };
                // A quantile is rounded, and below 1e-300 lost.
                prop_assert!(x < 1e-300 || (back / p - 1.0).abs() < 1e-11, "gamma {} {:?}: {} {}", shape, tail, x, back);
                let (x, y) = beta_quantile(shape, other, tail);
                let tails = beta_tails(shape, other, x, y);
                let back = if matches!(tail, Tail::Lower(_)) { tails.lower } else { tails.upper };
                prop_assert!(x.min(y) < 1e-300 || (back / p - 1.0).abs() < 1e-11, "beta {} {} {:?}: {} {}", shape, other, tail, x, back);
            }
        }
    }
}
