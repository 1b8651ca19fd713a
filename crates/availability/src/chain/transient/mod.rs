//! What a chain does within a time: uniformisation with proven truncation.
//!
//! Uniformisation (Jensen 1953; Grassmann 1977) lets all states have the same exit rate `q` by adding arcs back to the same
//! state, so that the number of jumps within `t` is Poisson with mean `q t` and `P = I + Q / q` is the chain of the jumps:
//! `E[f(X_t)] = sum over k of Poisson(k; q t) * P^k f`, for all starts at once. All terms are positive, so that small
//! probabilities keep their digits. Each jump takes means of what all starts have, so that once these are as near to each other as
//! their rounding is proven to be, they stand for the rest of the time, however long that is.

mod downtime;
mod measures;
mod poisson;
mod uniform;

pub use uniform::Timed;
