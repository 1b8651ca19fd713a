//! The drill: faults under a mixed load of calls, and what became of the calls.
//!
//! [`history`] judges messages and knows nothing of how Everline works, only what its peers saw; [`gap`] follows the silences
//! of a server.
#![forbid(unsafe_code)]

pub mod figures;
pub mod gap;
pub mod history;
pub mod load;
pub mod plan;
