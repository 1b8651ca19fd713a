//! The steady state of chains with millions of states, by iteration, with a proof.
//!
//! [`Steady::of`] iterates `x <- x` with Gauss-Seidel sweeps in breadth-first order, which carry probability along the
//! failures through all levels in one sweep, over the states that carry the probability (`core`); where sweeps alone are slow,
//! a Krylov method (GMRES, Saad and Schultz 1986) takes them as its operator. Where it is known which states are side by side
//! (`hierarchy`, `step`), multigrid takes their place: a chain's coarser pictures (`coarser`) correct what sweeps leave (`levels`), and tell
//! first which states carry the probability (`shape`). When the iteration stands still, that proves nothing: [`Steady::certain`] does, see
//! `certificate`, and [`Steady::certain_of`] where rates are rounded, see `moved`.

mod certificate;
mod coarser;
mod core;
mod dense;
mod hierarchy;
mod krylov;
mod levels;
mod moved;
mod passage;
mod shape;
mod steady;
mod step;
mod sweep;
mod weights;

pub(crate) use hierarchy::Hierarchy;
pub use moved::Wrong;
pub use steady::Steady;
