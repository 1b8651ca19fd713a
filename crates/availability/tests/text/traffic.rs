//! Erlang B and C in expressions, and the calls that failures cost, weighted by the load.

use crate::support::{assert_sure, case, error, figure, model, solved};

/// Four media hosts of thirty calls each, one after the other repaired; as in the guide.
const MEDIA: &str = "
    parameter load       = 90
    parameter host_fails = 1 per 1000 h
    parameter length     = 3 min
    chain media {
      for k in 1..4 {
        hosts[k]   -> hosts[k-1] at k*host_fails
        hosts[k-1] -> hosts[k]   at 1/(4 h)
        reward refused: hosts[k] = erlang_b(30*k, load)
        reward waiting: hosts[k] = erlang_c(30*k, load)
        reward cut: hosts[k] -> hosts[k-1] = (1 - erlang_b(30*k, load))/k
      }
      reward refused: hosts[0] = 1
      reward waiting: hosts[0] = 1
    }
    rules counted {
      hosts : 0..4 start 4
      [fail] when hosts > 0 then hosts := hosts - 1 at hosts*host_fails
      when hosts < 4 then hosts := hosts + 1 at 1/(4 h)
      reward refused: erlang_b(30*hosts, load)
      reward waiting: erlang_c(30*hosts, load)
      reward cut: [fail] (1 - erlang_b(30*hosts, load))/hosts
    }
    measure lost = 1e6*(reward refused of media + length*reward cut of media)
    measure waiting = reward waiting of media
    measure lost_counted = 1e6*(reward refused of counted + length*reward cut of counted)
    measure waiting_counted = reward waiting of counted
";

#[test]
fn both_functions_have_the_digits_of_the_reference() {
    let case = case("erlang-b-c-a");
    let argument = |name: &str, key: &str| {
        let start = name.find(key).unwrap_or_else(|| panic!("{name} has no {key}")) + key.len();
        name[start..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect::<String>()
    };
    let mut checked = 0;
    for function in ["erlang_b", "erlang_c"] {
        for (name, entry) in case["expected"][function].as_object().expect("cases") {
            // The derivative is asked for by itself.
            if name.starts_with('d') {
                continue;
            }
            let text = format!("measure {function}({}, {})", argument(name, "n="), argument(name, "a="));
            let expected = if function == "erlang_b" { figure(entry) } else { figure(&entry["P(wait)"]) };
            let found = solved(&model(&text, &[]));
            assert_sure(&text, *found.values().next().expect("one"), expected);
            checked += 1;
        }
    }
    assert_eq!(checked, 13 + 7);
}

#[test]
fn the_load_has_first_and_second_derivatives_and_the_servers_have_none() {
    let text = "parameter servers = 10
        parameter a = 5
        parameter b = 10
        measure refused = erlang_b(servers, a)
        measure waiting = erlang_c(servers + 4, b)";
    let model = model(text, &[]);
    assert!(model.parameters()[0].is_structural());
    // From B' = B (n/a - 1 + B) and B'', by fractions.
    for (measure, by, first, second) in [
        (0, 1, 0.018_722_562_763_111_295, 0.012_057_147_172_453_5),
        (1, 2, 0.105_605_274_262_394_69, 0.044_058_457_470_770_085),
    ] {
        let plan = model.plan(&[measure]);
        let (slopes, rows) = (plan.gradient(0).expect("a gradient"), plan.hessian(0).expect("a Hessian"));
        assert!((slopes[by] / first - 1.0).abs() < 1e-14, "{slopes:?}");
        assert!((rows[by][by] / second - 1.0).abs() < 1e-14, "{rows:?}");
        assert_eq!((slopes[0], rows[0][0]), (0.0, 0.0));
    }
}

#[test]
fn a_pool_that_fails_loses_calls_by_its_load() {
    let model = model(MEDIA, &[]);
    let found = solved(&model);
    for (name, expected) in [("lost", 1_760.023_654_084_663_8), ("waiting", 0.017_492_294_938_322_276)] {
        assert_sure(name, found[name], expected);
        assert_sure(name, found[&format!("{name}_counted")], expected);
    }
    // By load, rate and length, from the sums over the states by fractions; per hour and hour.
    let (first, second) = (
        [230.992_131_930_184_8, 1_411_331.894_010_507_3, 998.289_890_840_457_4],
        [
            [39.596_601_044_458_57, 98_495.180_974_125_82, -0.231_003_682_114_290_54],
            [98_495.180_974_125_82, 94_589_486.673_523_44, 996_928.405_366_715_2],
            [-0.231_003_682_114_290_54, 996_928.405_366_715_2, 0.0],
        ],
    );
    // The same by the chain and by the rules.
    for measure in [0, 2] {
        let plan = model.plan(&[measure]);
        let (slopes, rows) = (plan.gradient(0).expect("a gradient"), plan.hessian(0).expect("a Hessian"));
        for (slope, expected) in slopes.iter().zip(first) {
            assert!((slope / expected - 1.0).abs() < 1e-12, "{measure}: {slopes:?}");
        }
        for (found, expected) in rows.iter().flatten().zip(second.as_flattened()) {
            assert!((found - expected).abs() <= 1e-11 * expected.abs(), "{measure}: {found:e} in {rows:?}");
        }
    }
}

#[test]
fn an_expression_has_second_derivatives_where_its_base_is_0() {
    let text = "parameter c = 1
        parameter d = 3
        measure square = (1 - c)^2 + (1 - c)*d^3";
    let rows = model(text, &[]).plan(&[0]).hessian(0).expect("a Hessian");
    assert_eq!(rows, [[2.0, -27.0], [-27.0, 0.0]]);
}

#[test]
fn servers_that_cannot_be_counted_are_refused() {
    for (line, said) in [
        ("let x = erlang_b(2.5, 3)", "x.avail:1:18: `2.5` is 2.5, which is no whole number"),
        ("let x = erlang_c(-1, 3)", "x.avail:1:18: -1 servers: count 0 to 100000 of them"),
        ("let x = erlang_b(3, -1)", "x.avail:1:21: this load is -1: it is a finite number, 0 or more"),
        ("let x = erlang_b(3, 5 h)", "x.avail:1:21: the load must be a plain number, and `5 h` is a time"),
        ("let x = erlang_b(3)", "`erlang_b` has 1 arguments here: it takes 2"),
        ("parameter a = -2\nmeasure erlang_b(3, a)", "x.avail:2:21: this load is -2"),
        (
            "rules r { n : 0..4 start 4\n when n > 0 then n := n - 1 at 1/h\n when n < 4 then n := n + 1 at 1/h\n\
             reward refused: erlang_b(n/2, 3) }\nmeasure reward refused of r",
            "x.avail:1:7: the reward 'refused' is no number in state n=3",
        ),
        (
            "rules r { n : 0..4 start 4\n when n > 0 then n := n - 1 at 1/h\n reward refused: erlang_b(n, 3 min*n) }",
            "x.avail:3:30: servers and load must be plain numbers, and `3 min*n` is a time",
        ),
    ] {
        let found = error(line);
        assert!(found.contains(said), "{line}\n{found}");
    }
}
