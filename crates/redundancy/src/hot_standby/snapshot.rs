//! The records in pieces, for a backup that joins while the primary serves (rule 8).

use model::{Incarnation, Kind, RecordKey};

use super::refused::Refused;
use crate::store::{Record, Store};

/// Octets after which a piece is full.
const PIECE: usize = 64 * 1024;

/// Pieces that may be on their way, so that a snapshot never fills the link and holds up live checkpoints.
const WINDOW: u64 = 8;

/// How far a snapshot is.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) peer: Incarnation,
    /// Where the next piece begins; `None` when all were written.
    cursor: Option<RecordKey>,
    sent: u64,
    kept: u64,
    /// The last checkpoint that the whole of it contains.
    pub(super) complete: Option<u64>,
    /// The backup says that it holds all of it.
    pub(super) level: bool,
}

impl Snapshot {
    pub(super) const fn new(peer: Incarnation) -> Self {
        Self { peer, cursor: Some(RecordKey::new(Kind(0), 0)), sent: 0, kept: 0, complete: None, level: false }
    }

    /// The backup has this piece.
    pub(super) fn kept(&mut self, number: u64) {
        self.kept = self.kept.max(number.min(self.sent));
    }

    /// True if there is something to say: a piece, or that they are complete.
    pub(super) const fn is_due(&self) -> bool {
        if self.cursor.is_some() { self.sent - self.kept < WINDOW } else { self.is_over() }
    }

    /// Every piece is kept, and that was not said yet.
    const fn is_over(&self) -> bool {
        self.cursor.is_none() && self.kept == self.sent && self.complete.is_none()
    }

    /// The next piece and its number, if one may be sent now.
    pub(super) fn next_piece<V: Record>(&mut self, store: &Store<V>, refused: &Refused) -> Option<(u64, Vec<u8>)> {
        if self.sent - self.kept >= WINDOW {
            return None;
        }
        let mut cursor = self.cursor?;
        let mut changes = Vec::with_capacity(PIECE + PIECE / 4);
        if self.sent == 0 {
            refused.write_all(&mut changes);
        }
        while changes.len() < PIECE {
            let Some(key) = store.next_key(cursor) else {
                self.cursor = None;
                break;
            };
            store.write_snapshot(key, &mut changes);
            cursor = RecordKey::new(key.kind, key.id.saturating_add(1));
            self.cursor = Some(cursor);
        }
        self.sent += 1;
        Some((self.sent, changes))
    }

    /// True once, when every piece is kept; `sequence` is the last checkpoint before that.
    pub(super) const fn completes(&mut self, sequence: u64) -> bool {
        let now = self.is_over();
        if now {
            self.complete = Some(sequence);
        }
        now
    }
}

/// Leaves the first record of a piece out: the sabotage `LoseSnapshotRecord`.
pub(super) fn lose_first(changes: &mut Vec<u8>) {
    let mut rest = Vec::new();
    for change in crate::change::Changes::new(changes).flatten().skip(1) {
        change.write(&mut rest);
    }
    *changes = rest;
}
