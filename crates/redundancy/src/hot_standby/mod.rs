//! The hot standby protocol: primary-backup replication with an outside configuration master.
//!
//! The kind of protocol that PacificA, Vertical Paxos and Kafka's in-sync replicas describe: the records of a primary
//! are copied to its backup before anything that depends on them leaves, and a small consistent store outside says who
//! serves. Start reading at `engine`, the contract with a server, then `replica`, one side of a pair: `start` is its way
//! in, `cold_start` the one that costs something, `promotion` the one that an operator answers for, `primary` and `backup` are
//! its roles, `admission` and `membership` say how a backup comes and goes, `gate` is what holds outputs back, `message` what
//! the sides say to each other.

mod admission;
mod backup;
mod cold_start;
mod effect;
mod engine;
mod gate;
mod membership;
mod message;
mod pledge;
mod primary;
mod promotion;
mod refused;
mod replica;
#[cfg(feature = "sabotage")]
mod sabotage;
mod snapshot;
mod standby;
mod start;
mod status;
mod switchover;

pub use effect::{Effect, Predecessor, Remark, Retirement, Serve};
pub use engine::{Engine, Output};
pub use gate::{Released, Stamp};
pub use message::{Checkpoint, Message};
pub use promotion::PromotionRefused;
pub(crate) use replica::sabotaged;
pub use replica::{Commit, Replica, Settings, Taken};
#[cfg(feature = "sabotage")]
pub use sabotage::Sabotage;
pub use status::{RoleName, Status};
pub use switchover::SwitchoverRefused;
