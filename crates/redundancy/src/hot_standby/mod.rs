//! The hot standby protocol: primary-backup replication with an outside configuration master.
//!
//! Start reading at [`engine`], the contract with a server, then `replica`, one side of a pair.

mod engine;

pub use engine::{Engine, Output};
