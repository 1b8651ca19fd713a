//! What the local control agent does about the applications of a host: when one is started, when it is taken for
//! hung, in which order all of them end. And when a host that nobody can reach is ended: [`fence`].
//!
//! Everything here is a value that is told what happened and says what to do; it never touches a process, a socket
//! or a clock. Start reading at [`host`].
#![forbid(unsafe_code)]

pub mod detections;
pub mod fence;
pub mod hang;
pub mod helpers;
pub mod host;
pub mod isolation;
pub mod limits;
pub mod restart;
pub mod spare;
pub mod steady;

pub use detections::{Detection, Detections, Sign, Subject, Tally};
pub use hang::{Doing, Hang};
pub use host::{Action, Description, Host, Order, Reason, State};
pub use restart::Restart;
pub use steady::Steady;
