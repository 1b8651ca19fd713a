//! The examples of the guide for users are models that can be solved.

use crate::support::{file, model, solved};

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
measure defects per million of pump with holding 3 min
";

#[test]
fn all_examples_of_the_guide_are_read_and_solved() {
    let guide = file("../../../docs/availability.md");
    let blocks: Vec<&str> = guide.split("```\n").skip(1).step_by(2).collect();
    let duplex = solved(&model(blocks[0], &[]));
    let found = &duplex["downtime of duplex"];
    assert!((found.value / 0.771_738_171_133_921_9 - 1.0).abs() < 1e-14, "{found:?}");
    let models: Vec<&str> =
        blocks.iter().copied().filter(|block| block.contains(" {\n") && *block != blocks[0]).collect();
    let parameters = blocks.iter().find(|block| block.starts_with("parameter") && block.contains("let")).expect("some");
    let text = format!("{parameters}{BEFORE}{}", models.concat());
    let found = solved(&model(&text, &[]));
    assert!(models.len() == 3 && found.len() == 6, "{found:?}");
    assert!(found.values().all(|value| value.value.is_finite() && value.digits() >= 8), "{found:?}");
}
