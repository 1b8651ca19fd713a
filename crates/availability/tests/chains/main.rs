//! Chains against the reference cases.

mod generated;
mod large;
mod lumping;
mod reference;
mod rules;
mod steady;
mod transient;
