//! What lies between hosts: the networks that join them, and the one that telephones come from.
//!
//! Plain values that faults change and that answer when something arrives. The pairs of a world each keep their own copy of
//! the networks, which the same faults hit, as they do with the hosts themselves.

mod access;
mod networks;

pub use access::{Access, CORNERS, corner_of};
pub use networks::{Networks, Parcel};

/// Hosts: two for the sides of each pair, and a third one for a member of the coordinator.
pub const HOSTS: usize = 3;

/// Networks that join them.
pub const NETWORKS: usize = 2;
