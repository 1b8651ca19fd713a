//! Why a number has no finite value.

use crate::model::node::{Binary, Id, Node, Unary};

/// Where a node that has no finite value gets it from: the first operation below it that makes such a value of finite ones, in
/// words.
pub(super) fn cause(nodes: &[Node], value: impl Fn(Id) -> f64, of: Id) -> String {
    let below = |id: Id| match &nodes[id] {
        Node::Choose(condition, yes, no) => Some(if value(*condition) == 0.0 { *no } else { *yes }),
        node => node.needs().find(|&need| !value(need).is_finite()),
    };
    let mut at = of;
    // Each node stands behind those that it needs, so that this ends.
    while let Some(next) = below(at) {
        at = next;
    }
    match &nodes[at] {
        Node::Unary(Unary::Ln, x) => format!("the logarithm of {}", told(value(*x))),
        Node::Unary(Unary::Sqrt, x) => format!("the square root of {}", told(value(*x))),
        Node::Binary(Binary::Divide, a, b) if value(*b) == 0.0 => format!("{} divided by 0", told(value(*a))),
        Node::Binary(Binary::Power, a, b) if value(*a) <= 0.0 => {
            format!("{} to the power {}", told(value(*a)), told(value(*b)))
        }
        _ => "a number larger than 1e308".to_owned(),
    }
}

/// A number as a sentence has it.
fn told(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if (1e-4..1e15).contains(&value.abs()) { value.to_string() } else { format!("{value:e}") }
}
