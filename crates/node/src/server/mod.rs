//! The shell of a server that lives in a pair: sockets, input ring, link, and the loop that drives its replica.
//!
//! Start reading at `shell`, the loop. `taking_in` brings inputs from the sockets (`intake`, `udp`, `streams`) through
//! the input `ring` to the engine, `effects` lets released outputs out, `pair` and `link` talk to the other side,
//! `mail` to the other pair, `control` to the control server; `beginning` is a start without a predecessor, `hindrance` is what keeps a
//! side from serving on its host, `alarms` keeps what people must know.

mod addresses;
mod alarms;
mod beginning;
mod closing;
mod control;
mod durable;
mod effects;
mod far;
mod hindrance;
mod holding;
mod homecoming;
mod intake;
mod link;
mod mail;
mod notes;
mod noticing;
mod orphans;
mod packing;
mod pair;
mod poll;
mod remote;
mod ring;
mod service;
mod shell;
mod streams;
mod taking_in;
mod token;
mod udp;
mod ways;
mod witness;

pub use far::FarSettings;
pub use link::Door;
pub use notes::Note;
pub(crate) use notes::Refusals;
pub use remote::Route;
pub use service::{Action, Service};
pub use shell::ServerSettings;

use crate::wire::Trouble;

/// Runs one server process until it is asked to end, or its incarnation is over.
///
/// # Errors
/// If it cannot start, with the reason for people.
pub fn run<S: Service>(settings: ServerSettings, engine: S) -> Result<(), Trouble> {
    let mut seed = [0; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| std::io::Read::read_exact(&mut random, &mut seed))
        .map_err(|error| Trouble::new(format!("no random numbers: {error}"), "is /dev mounted?"))?;
    let mut shell = shell::Shell::new(settings, engine, u64::from_le_bytes(seed))?;
    match shell.run() {
        shell::End::Failed(trouble) => Err(trouble),
        end => {
            tracing::info!(?end, "ends");
            Ok(())
        }
    }
}
