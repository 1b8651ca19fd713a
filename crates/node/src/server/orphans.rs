//! The TCP connections that a predecessor on another host has taken with it: whoever had opened them is told, some in each turn,
//! and comes back on a new one.

use std::net::SocketAddr;

use network::orphans;

use super::link::Door;
use super::shell::ServerSettings;

/// How many are told in a turn: some tenths of a millisecond.
const BATCH: usize = 64;

/// Those that are to be told: at which of our addresses they were, and who they are.
#[derive(Debug, Default)]
pub(super) struct Orphans(Vec<(SocketAddr, SocketAddr)>);

impl Orphans {
    /// Learns who was connected at which door. Only a virtual address is still the one at which they were.
    pub(super) fn learn(&mut self, settings: &ServerSettings, connected: Vec<(u8, SocketAddr)>) {
        let door = |number: u8| match settings.doors.get(usize::from(number)) {
            Some(Door::Tcp(address)) if settings.is_virtual(address.ip()) => Some(*address),
            _ => None,
        };
        self.0.extend(connected.into_iter().filter_map(|(number, peer)| Some((door(number)?, peer))));
    }

    /// True if nobody is to be told.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells some of them.
    pub(super) fn tell(&mut self) {
        while let Some((door, _)) = self.0.last().copied() {
            let told = orphans::Orphans::of(door.ip()).and_then(|speaker| {
                for _ in 0..BATCH {
                    let Some((_, peer)) = self.0.pop_if(|(one, _)| *one == door) else { break };
                    speaker.tell(door.port(), peer)?;
                }
                Ok(())
            });
            match told {
                Ok(()) => return,
                Err(trouble) => {
                    // They find out by themselves, when they say something.
                    tracing::warn!("{} lost connections are told to nobody: {trouble}", self.0.len());
                    self.0.clear();
                }
            }
        }
    }
}
