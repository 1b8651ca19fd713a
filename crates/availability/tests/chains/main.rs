//! Chains against the reference cases.

mod generated;
mod reference;
mod rules;
mod steady;
