//! The simulated world: both servers of a pair, their coordinator, their control agents, the network and its clients
//! run under virtual time from one seed, and checkers watch.
//!
//! Nothing here runs in the product, and nothing may depend on this crate. The servers are the real ones: the same
//! [`Replica`](redundancy::hot_standby::Replica)s and engines that the shells drive. Start reading at [`plan`] (what a
//! run is made of), then [`pair`] (a pair and everything around it), then [`checkers`] (what must never happen).
#![forbid(unsafe_code)]

pub mod budget;
pub mod calls;
pub mod case;
pub mod checkers;
pub mod explore;
pub mod hosts;
pub mod kernel;
pub mod outcome;
pub mod pair;
pub mod plan;
pub mod record;
pub mod rules;
pub mod shrink;
pub mod table;
pub mod toy;
