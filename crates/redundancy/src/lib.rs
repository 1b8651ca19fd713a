//! How Everline's servers survive: replicated records, the hot standby protocol, and messages between two
//! pairs that arrive exactly once.
//!
//! Everything here is a value that is driven from outside: it has no clock, no socket and no thread, and it
//! knows nothing of SIP. Start reading at [`hot_standby`], then [`store`].
#![forbid(unsafe_code)]

pub mod bundle;
pub mod change;
pub mod coordinator;
pub mod hot_standby;
pub mod mailbox;
pub mod store;
