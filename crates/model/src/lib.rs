//! The vocabulary that every engine of Everline shares: time as a value, record keys, seeded chance, errors for people.
//!
//! This crate never reads a clock, draws a random number by itself, opens a file or a socket, or starts
//! a thread: time and chance come in as arguments. Start reading at [`time`], then [`record`].
#![forbid(unsafe_code)]

pub mod chance;
pub mod hash;
pub mod incarnation;
pub mod record;
pub mod route;
pub mod time;
pub mod trouble;

pub use chance::Chance;
pub use hash::hash64;
pub use incarnation::{Ended, Epoch, Incarnation};
pub use record::{Alias, Kind, RecordKey};
pub use time::{Span, Time};
pub use trouble::Trouble;
