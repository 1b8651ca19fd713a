//! From guarded rules over bounded variables to all states that can be reached.
//!
//! [`Rules`] is what a front end hands over; [`Space::explore`] compiles its expressions, packs a state into one number and
//! searches breadth-first.

mod check;
mod code;
mod forms;
mod halves;
mod keys;
mod limits;
mod precision;
mod program;
mod rules;
mod space;

pub use limits::Limits;
pub use rules::{Binary, Clause, Expression, Module, Outcome, Rule, Rules, Unary, Variable};
pub(crate) use space::NOBODY;
pub use space::Space;
