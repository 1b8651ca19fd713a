//! The load: phones, agents, callers and a carrier, played in one thread.
//!
//! `crowd` is everybody as a value, without clock or socket: `phone` registers and keeps its connection, `call` is what two
//! ends mean to do and what became of it, `leg` is one end with its transactions, `order` watches the queues, `watch` notes
//! it all. `shell` gives them sockets and time, and [`Load`] is what a drill holds.

mod arrival;
mod call;
mod crowd;
mod handle;
mod leg;
mod order;
mod people;
mod phone;
mod script;
mod shell;
mod sockets;
mod stream;
mod watch;
mod wording;

pub use call::Stage;
pub use crowd::Seat;
pub use handle::{Load, Remains, Snapshot};
pub use order::{Order, Overtaken};
pub use people::{Extension, People, Queue, configuration};
pub use script::Kind;
pub use sockets::Net;
pub use watch::{Counts, LostCall};

#[cfg(test)]
mod tests;
