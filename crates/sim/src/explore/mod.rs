//! An explicit-state check of the protocol: every order of events within a bound, over the real [`Replica`] code.
//!
//! Where the simulation walks far along random ways, this walks every way a little: each delivery, each answer of the
//! coordinator (also of requests whose sender gave them up), each crash between any two effects. The same checkers
//! watch.
//!
//! [`Replica`]: redundancy::hot_standby::Replica

#[cfg(test)]
mod held;
mod mini;
mod model;
mod search;
mod steps;

pub use model::Budget;
pub use search::{Found, search};
