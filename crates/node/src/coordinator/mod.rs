//! The coordinator: a small strongly consistent store that is asked when the roles of a pair change.

#[cfg(test)]
mod conformance;
mod embedded;
mod server;
mod store;
#[cfg(test)]
mod tests;

use std::os::fd::AsFd;

use redundancy::coordinator::{Reply, Request};

pub use embedded::EmbeddedCoordinator;
pub use server::{CoordinatorServer, named};

use crate::client::Event;

/// A pair's way to its coordinator, wherever that stands; the descriptor is readable when [`poll`](Self::poll) may
/// have something.
///
/// The contract, which the module's conformance test checks of every implementation:
/// - the answers to the requests of one connection come in the order of the requests;
/// - of the compare-and-swaps that expect one revision at most one is done, and revisions of an entry only grow;
/// - what was answered as done is never lost and never undone;
/// - after a `Watch` the entry comes, and again after each change, in the order of the revisions; of changes that
///   follow close upon each other, all but the last may be left out;
/// - after `Disconnected` no answer to an earlier request comes, and it is unknown whether it was or will be done.
pub trait Coordinator: AsFd {
    /// Sends a request; false if there is no connection, so that it will certainly not be done.
    fn send(&mut self, request: Request) -> bool;

    /// What happens next, if anything does now.
    fn poll(&mut self) -> Option<Event<Reply>>;
}
