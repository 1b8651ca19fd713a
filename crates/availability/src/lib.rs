#![doc = include_str!("../README.md")]
//!
//! # What holds everywhere
//!
//! This crate depends on nothing else of the project, and is worth using alone: `cargo package -p availability` makes an archive
//! that builds by itself, and whose tests pass where it was unpacked. It has no clock, reads no file and opens no socket: models come
//! in as text or as values, chance as a seed, and how much memory there is as texts of the system ([`Memory`]).
//!
//! Rules that hold everywhere in it:
//! - **Unavailability is never formed as `1 - A`**: down states are summed, and a probability that is wanted beside its
//!   complement is carried as a number of its own.
//! - **Chains are eliminated without a subtraction** (Grassmann, Taksar, Heyman 1985), so that a state of probability 1e-30
//!   has as many right digits as one of 0.999.
//! - **Not converged is an error** with a reason ([`Error`]), never a number.
//! - Every engine is generic over [`Scalar`], so that the same code gives a value (`f64`) and its derivative ([`Dual`]);
//!   gradients by many parameters come from the adjoint of the same elimination, and Hessians from the adjoint run on
//!   [`Dual`].
#![forbid(unsafe_code)]

pub mod budget;
pub mod capacity;
mod certain;
pub mod chain;
mod chance;
pub mod compose;
mod error;
pub mod estimate;
pub mod formats;
pub mod goal;
mod memory;
pub mod model;
pub mod own;
pub mod report;
mod scalar;
pub mod structure;
mod text;

pub use certain::Certain;
pub use chance::Chance;
pub use error::{Error, Place};
pub use memory::{Bound, Memory};
pub use scalar::{Dual, Scalar};
pub use text::source::explain;
