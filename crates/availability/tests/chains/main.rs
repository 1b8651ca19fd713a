//! Chains against the reference cases.

mod reference;
mod steady;
