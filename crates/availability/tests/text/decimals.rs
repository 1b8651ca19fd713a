//! The digits that are said to be sure, as they are printed, against fractions.

use proptest::prelude::*;

use crate::support::{model, solved};

/// A quotient of whole numbers.
type Fraction = (u128, u128);

/// Whether a number in scientific form, `1.234e-5`, differs from the true one by less than one in its last digit.
fn is_sure(said: &str, (gain, per): Fraction) -> bool {
    let (mantissa, power) = said.split_once('e').expect("a power of ten");
    let behind = mantissa.split_once('.').map_or(0, |(_, behind)| behind.len() as i32);
    let places = behind - power.parse::<i32>().expect("a whole number");
    let number: u128 = mantissa.replace('.', "").parse().expect("digits");
    let scale = 10_u128.pow(u32::try_from(places).expect("digits behind the point"));
    (number * per).abs_diff(gain * scale) < per
}

/// A unit, and two of them with a repairer each, one of which is enough.
fn units(fails: u128, repair: u128) -> String {
    format!(
        "chain unit {{ up: works; works -> failed at 1 per {fails} h; failed -> works at 1/({repair} h) }}
        chain pair {{ up: both, one
          both -> one at 2/({fails} h);   one -> none at 1 per {fails} h
          one -> both at 1/({repair} h);  none -> one at 2/({repair} h) }}
        measure unavailability of unit
        measure availability of unit
        measure failures of unit
        measure downtime of unit
        measure unavailability of pair
        measure availability of pair
        measure failures of pair
        measure mttf of pair"
    )
}

/// Their measures, the time to a failure being `a` hours and that to repair it `r`.
fn exactly(a: u128, r: u128) -> [(&'static str, Fraction); 8] {
    let all = a + r;
    [
        ("unavailability of unit", (r, all)),
        ("availability of unit", (a, all)),
        ("failures of unit", (8_760, all)),
        ("downtime of unit", (525_600 * r, all)),
        ("unavailability of pair", (r * r, all * all)),
        ("availability of pair", (a * (a + 2 * r), all * all)),
        ("failures of pair", (17_520 * r, all * all)),
        ("mttf of pair", (a * (a + 3 * r), 2 * r)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn each_number_is_printed_with_digits_that_are_right(fails in 1_u64..50_000, repair in 1_u64..200) {
        let (fails, repair) = (u128::from(fails), u128::from(repair));
        let found = solved(&model(&units(fails, repair), &[]));
        for (name, exact) in exactly(fails, repair) {
            let said = found[name].to_string();
            prop_assert!(found[name].digits() >= 15 && is_sure(&said, exact), "{name}: {said} is not {exact:?}");
        }
    }
}

#[test]
fn a_rounding_to_decimals_may_cost_a_digit() {
    let rack = "blocks rack {
      for i in 1..4 { block disk[i] fails at 1 per 1000 h, repaired at 1/(10 h) }
      block controller fails at 300 FIT, repaired at 1/(4 h)
      works = controller and at least 3 of disk[*]
    }
    measure mttf of rack";
    for (text, name, exact, said) in [
        (units(1_000, 2), "failures of unit", (8_760, 1_002), "8.74251497005988e0"),
        (rack.to_owned(), "mttf of rack", (10_700_030_000_000, 1_203_210_009), "8.892903084219606e3"),
        (units(25_000, 8), "availability of unit", (25_000, 25_008), "9.996801023672425e-1"),
        (units(10_000, 1), "unavailability of unit", (1, 10_001), "9.99900009999000e-5"),
    ] {
        let found = solved(&model(&text, &[]))[name];
        assert!(is_sure(said, exact) && found.to_string() == said, "{found} instead of {said}");
    }
}
