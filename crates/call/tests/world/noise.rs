//! A bad line: messages get lost, come twice, come late, come damaged, or from somebody else.

use std::net::SocketAddr;

use call::{Input, ListenerId};
use model::{Chance, Span};

use super::World;

/// Messages that a late copy is made of.
const REMEMBERED: usize = 64;

/// Chance, and the messages that came before.
pub(crate) struct Noise {
    chance: Chance,
    heard: Vec<(SocketAddr, Vec<u8>)>,
}

impl Noise {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), heard: Vec::new() }
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.chance.below(3) {
            let at = self.chance.below(bytes.len() as u64 + 1) as usize;
            match self.chance.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.chance.next_u64() as u8),
                2 if at < bytes.len() => bytes[at] = self.chance.next_u64() as u8,
                3 if at < bytes.len() => drop(bytes.remove(at)),
                4 => bytes.splice(at..at, *b"\r\n").for_each(drop),
                _ => {
                    // Another message's second half.
                    if let Some((_, other)) = self.chance.pick(&self.heard) {
                        let from = other.len() / 2;
                        bytes.splice(at.min(bytes.len()).., other[from..].iter().copied()).for_each(drop);
                    }
                }
            }
        }
    }
}

impl World {
    pub(crate) const fn is_noisy(&self) -> bool {
        self.noise.is_some()
    }

    /// True if a message of the engine gets lost.
    pub(crate) fn is_lost(&mut self) -> bool {
        self.noise.as_mut().is_some_and(|noise| noise.chance.happens(1, 10))
    }

    /// What the line adds to a datagram from `source`. True if the datagram itself gets lost.
    pub(crate) fn disturb(&mut self, source: SocketAddr, bytes: &[u8]) -> bool {
        let Some(mut noise) = self.noise.take() else { return false };
        noise.heard.push((source, bytes.to_vec()));
        if noise.heard.len() > REMEMBERED {
            noise.heard.remove(0);
        }
        for _ in 0..noise.chance.below(4) {
            let (source, mut bytes) = noise.chance.pick(&noise.heard).expect("one was heard").clone();
            if noise.chance.happens(2, 3) {
                noise.damage(&mut bytes);
            }
            self.feed(Input::Datagram { listener: ListenerId(0), source, bytes: &bytes });
        }
        if noise.chance.happens(1, 4) {
            self.pass(Span::from_millis(noise.chance.below(3_000)));
        }
        let lost = noise.chance.happens(1, 10);
        self.noise = Some(noise);
        lost
    }
}
