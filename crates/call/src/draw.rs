//! Unguessable numbers, for tags, branches and Call-IDs (RFC 3261 19.3).

use sha2::{Digest, Sha256};

/// Numbers that nobody can foretell who does not know the seed, however many of them he has seen: SHA-256 of the seed
/// and a count. (`model::Chance` gives its state away with one number, and these go to strangers.)
#[derive(Debug, Default)]
pub(crate) struct Draw {
    seed: u64,
    count: u64,
    /// Drawn and not given out yet.
    waiting: Vec<u64>,
}

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: 0, waiting: Vec::with_capacity(4) }
    }

    pub(crate) fn number(&mut self) -> u64 {
        if self.waiting.is_empty() {
            self.count += 1;
            let hash = keyed(self.seed, &self.count.to_le_bytes());
            self.waiting.extend(hash.chunks_exact(8).map(|chunk| chunk.iter().fold(0, |n, b| n << 8 | u64::from(*b))));
        }
        self.waiting.pop().unwrap_or_default()
    }
}

fn keyed(seed: u64, text: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(seed.to_le_bytes()).chain_update(text).finalize().into()
}

/// A number that is always the same for the same text, and that nobody can foretell without the secret.
pub(crate) fn number_of(secret: &[u8; 32], text: &[u8]) -> u64 {
    let hash: [u8; 32] = Sha256::new().chain_update(secret).chain_update(text).finalize().into();
    hash.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
