//! The drill: faults under a mixed load of calls, and what became of the calls.
//!
//! [`plan`] says which faults, [`load`] plays phones, agents, callers and a carrier, [`hands`] makes the faults, [`course`] makes
//! one after another and waits and checks between them, [`history`], [`gap`] and [`judge`] say what was wrong, [`result`] is what
//! is written down, [`table`] and [`page`] show it. Start reading at [`run`](run::run).
//!
//! The drill looks at the solution from outside: by what phones hear, by what the control server tells and by the logs. It never
//! depends on the servers' own crates, so that an error of theirs cannot hide itself here; [`history`] does not even share the
//! parser of messages with them.
#![forbid(unsafe_code)]

pub mod course;
pub mod figures;
pub mod gap;
pub mod hands;
pub mod history;
pub mod judge;
pub mod load;
pub mod machine;
pub mod page;
pub mod plan;
pub mod result;
mod roles;
pub mod run;
pub mod site;
mod stalls;
pub mod status;
pub mod table;
