//! A toy server with clients that count along, for the protocol alone: small enough that a thousand runs take seconds,
//! and every lost, repeated or exchanged effect shows in a sum.
//!
//! It has what a SIP server has: answers at once, answers after a while that are repeated until they are acknowledged,
//! provisional answers that stop a client from repeating its request, records that end and records that are durable.

mod client;
mod engine;
mod wire;
mod world;

pub use engine::{Counter, ToyEngine};
pub use wire::{Answer, Reply, Request};
pub use world::run;
