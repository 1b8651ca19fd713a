//! The coordinator: a small strongly consistent store that is asked when the roles of a pair change.
//!
//! A server process talks to `run/coordinator.sock` of its own host ([`EmbeddedCoordinator`]), and the control server
//! there serves that socket: from its journal, if the solution has one host ([`CoordinatorServer`]), or from etcd, if
//! it has several ([`EtcdServer`], docs/decisions/0006).

mod embedded;
mod etcd;
mod guest;
mod keeper;
pub mod member;
mod server;
mod store;

use std::os::fd::AsFd;

use redundancy::coordinator::{Reply, Request};

pub use embedded::EmbeddedCoordinator;
pub use etcd::{Book, Change, EtcdServer, EtcdSettings, FenceBook, Fences, Page, Written, change_members, note_gone};
pub use keeper::keep;
pub use server::{CoordinatorServer, named};

use crate::client::Event;

/// A pair's way to its coordinator, wherever that stands; the descriptor is readable when [`poll`](Self::poll) may
/// have something.
///
/// The contract, which the conformance test of this crate (`tests/coordinator`) checks of every implementation:
/// - the answers to the requests of one connection come in the order of the requests;
/// - of the compare-and-swaps that expect one revision at most one is done, and revisions of an entry only grow;
/// - what was answered as done is never lost and never undone;
/// - after a `Watch` the entry comes, and again after each change, in the order of the revisions; of changes that
///   follow close upon each other, all but the last may be left out;
/// - after `Disconnected` no answer to an earlier request comes, and it is unknown whether it was or will be done;
/// - a change for which there is no room has no other answer than that, until there is room again, and reads go on;
/// - nobody is asked who does not hold what was answered as done.
pub trait Coordinator: AsFd {
    /// Sends a request; false if there is no connection, so that it will certainly not be done.
    fn send(&mut self, request: Request) -> bool;

    /// What happens next, if anything does now.
    fn poll(&mut self) -> Option<Event<Reply>>;
}

/// The side of the socket that answers. Its descriptor is readable when [`serve`](Self::serve) has something to do.
pub trait Served: AsFd {
    /// Answers what has been asked, without waiting. It does no harm to call it when there is nothing to do.
    fn serve(&mut self);

    /// What people should know of it now.
    fn note(&self) -> Option<String> {
        None
    }

    /// Its members that cannot be asked now, as people call them, if it has any.
    fn missing(&self) -> Vec<String> {
        Vec::new()
    }
}
