//! What the drill and the bench both need: a network of their own, a running Everline, SIPp, captures.

pub(crate) mod capture;
pub(crate) mod child;
pub(crate) mod everline;
pub(crate) mod isolate;
pub(crate) mod machine;
pub(crate) mod ports;
pub(crate) mod sipp;
pub(crate) mod wire;

use std::time::{SystemTime, UNIX_EPOCH};

use drill::history::Nanos;

/// Where the server under test listens; whatever comes from here, it sent.
pub(crate) const SERVER: [u8; 4] = [127, 0, 0, 1];
/// Where trunks call from.
pub(crate) const TRUNKS: [u8; 4] = [127, 0, 0, 2];
/// Where extensions call from.
pub(crate) const EXTENSIONS: [u8; 4] = [127, 0, 0, 3];
/// Where phones with a fixed contact wait.
pub(crate) const PHONES: [u8; 4] = [127, 0, 0, 4];
/// Where the prober asks from.
pub(crate) const PROBER: [u8; 4] = [127, 0, 0, 5];

/// The system clock, on the scale of packet timestamps.
pub(crate) fn now() -> Nanos {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Nanos)
}
