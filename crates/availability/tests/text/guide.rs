//! The examples of the guide for users are models that can be solved.

use crate::repository;
use crate::support::{assert_sure, model, solved};

/// What the examples use and do not declare.
const BEFORE: &str = "
parameter N = 4
parameter fail = 1 per 500 h
parameter inspect = 10 per hour
chain pump { up: u; u -> f at fail; f -> u at inspect }
chain disk { up: u; u -> f at fail; f -> u at inspect }
chain link { up: u; u -> f at fail; f -> u at inspect }
measure unavailability of cluster
measure downtime of plant
measure availability of rack
measure mtbf of bridge
measure downtime of site
measure more = probability of agents[4] in site
measure defects per million of pump with holding 3 min
";

#[test]
fn all_examples_of_the_guide_are_read_and_solved() {
    let Some(guide) = repository::text("docs/availability.md") else { return };
    let blocks: Vec<&str> = guide.split("```\n").skip(1).step_by(2).collect();
    let duplex = solved(&model(blocks[0], &[]));
    let found = &duplex["downtime of duplex"];
    assert!((found.value / 0.771_738_171_133_921_9 - 1.0).abs() < 1e-14, "{found:?}");
    let models: Vec<&str> =
        blocks.iter().copied().filter(|block| block.contains(" {\n") && *block != blocks[0]).collect();
    let parameters = blocks.iter().find(|block| block.starts_with("parameter") && block.contains("let")).expect("some");
    let text = format!("{parameters}{BEFORE}{}", models.concat());
    let found = solved(&model(&text, &[]));
    assert!(models.len() == 5 && found.len() == 12, "{found:?}");
    assert!(found.values().all(|value| value.value.is_finite() && value.digits() >= 8), "{found:?}");
    // Sums over the states of the example of lost calls, by fractions.
    for (name, expected) in [
        ("refused", 1_710.109_159_542_640_8),
        ("cut", 49.914_494_542_022_865),
        ("lost", 1_760.023_654_084_663_8),
        ("all_down", 0.006_121_668_503_103_398),
    ] {
        assert_sure(name, found[name], expected);
    }
}

#[test]
fn the_examples_of_the_crate_are_read_and_solved() {
    let examples = include_str!("../../README.md").split("```").filter_map(|block| block.strip_prefix("text\n"));
    let counts: Vec<usize> = examples
        .map(|example| {
            let found = solved(&model(example, &[]));
            assert!(found.values().all(|value| value.value > 0.0 && value.digits() >= 9), "{found:?}");
            found.len()
        })
        .collect();
    assert_eq!(counts, [2, 7]);
}

#[test]
fn the_example_of_the_readme_says_what_is_printed_there() {
    let Some(readme) = repository::text("README.md") else { return };
    let blocks: Vec<&str> = readme.split("```").collect();
    let example = blocks.iter().position(|block| block.starts_with("\nparameter fails")).expect("the example");
    let found = solved(&model(blocks[example], &[]));
    for name in ["mttf of disks", "downtime of server"] {
        let line = blocks[example + 2].lines().find(|line| line.starts_with(name)).expect(name);
        let said: f64 =
            line[name.len()..].split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number");
        assert!((found[name].value / said - 1.0).abs() < 1e-13, "{name}: {said}, not {}", found[name].value);
    }
}
