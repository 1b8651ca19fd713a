//! What the two sides of a pair say to each other on their link, which is ordered and reliable while it lasts.

use model::{Epoch, Incarnation, Time};
use serde::{Deserialize, Serialize};

/// Version of the messages and records; grows when an old side could not keep what a new one writes.
pub(super) const FORMAT: u32 = 1;

/// One frame of the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message<'a> {
    /// A backup introduces itself to the primary that it dialled.
    Hello {
        /// Who it is.
        incarnation: Incarnation,
        /// The newest version of messages and records that it can keep.
        format: u32,
    },
    /// The primary takes it on: pieces of a snapshot follow, with live checkpoints in between.
    Welcome {
        /// The primary's epoch.
        epoch: Epoch,
        /// Number of the last checkpoint before this word.
        sequence: u64,
        /// Number of the last input that this checkpoint covers.
        mark: u64,
        /// The primary's pair time.
        now: Time,
    },
    /// A piece of the snapshot.
    Piece {
        /// The primary's epoch.
        epoch: Epoch,
        /// Counts the pieces; confirmed by [`Message::PieceKept`].
        number: u64,
        /// Records (see [`crate::change`]).
        #[serde(with = "serde_bytes")]
        changes: &'a [u8],
    },
    /// The backup has a piece and can take another one.
    PieceKept {
        /// The piece.
        number: u64,
    },
    /// The snapshot is complete: this is what the backup must hold now.
    Complete {
        /// The primary's epoch.
        epoch: Epoch,
        /// Number of the last checkpoint before this word.
        sequence: u64,
        /// How many records there are.
        records: u64,
        /// Hash of all of them.
        state_hash: u64,
    },
    /// The backup holds the same records.
    Level {
        /// The primary's epoch.
        epoch: Epoch,
    },
    /// Changed records and the outputs that wait for them (rule 2).
    Checkpoint(Checkpoint<'a>),
    /// Every checkpoint up to this one is kept (rule 3).
    Kept {
        /// The primary's epoch.
        epoch: Epoch,
        /// The last such checkpoint.
        sequence: u64,
    },
    /// The sender knows a later epoch (rule 7).
    Superseded {
        /// That epoch.
        epoch: Epoch,
    },
    /// Nothing new, still here.
    Heartbeat {
        /// The sender's epoch.
        epoch: Epoch,
        /// The last checkpoint sent (by a primary) or kept (by a backup).
        sequence: u64,
        /// The sender's pair time.
        now: Time,
        /// Hash of all records at that checkpoint.
        state_hash: u64,
    },
    /// Planned switchover: everything has left, nothing more will, and the entry names the receiver as primary; it serves now.
    HandOver {
        /// The epoch that ends.
        epoch: Epoch,
        /// The revision of the entry that says so: the receiver need not have heard it from the coordinator.
        revision: u64,
        /// Number of its last checkpoint.
        sequence: u64,
        /// The primary's pair time.
        now: Time,
    },
    /// The switchover is done: the receiver is backup from now on.
    TakenOver {
        /// The new epoch.
        epoch: Epoch,
        /// The new primary's pair time.
        now: Time,
    },
}

/// One step of the primary's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint<'a> {
    /// The primary's epoch.
    pub epoch: Epoch,
    /// Counts the checkpoints of the epoch from 1.
    pub sequence: u64,
    /// The primary's pair time.
    pub now: Time,
    /// Number of the last input in the input ring that this step covers.
    pub mark: u64,
    /// Outputs of checkpoints up to this one have left.
    pub left: u64,
    /// Changed records (see [`crate::change`]).
    #[serde(with = "serde_bytes")]
    pub changes: &'a [u8],
    /// The outputs that wait for this checkpoint, each with its length in front (4 octets, little-endian).
    #[serde(with = "serde_bytes")]
    pub outputs: &'a [u8],
}

impl<'a> Message<'a> {
    /// The frame for the link.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let capacity = match self {
            Message::Checkpoint(step) => 64 + step.changes.len() + step.outputs.len(),
            Message::Piece { changes, .. } => 32 + changes.len(),
            _ => 64,
        };
        postcard::to_extend(self, Vec::with_capacity(capacity)).expect("writing to memory cannot fail")
    }

    /// Reads a frame; `None` if it is damaged.
    #[must_use]
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

/// Appends one encoded output with its length.
pub(super) fn write_output(out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    encode(out);
    let length = u32::try_from(out.len() - at - 4).expect("an output is smaller than 4 GiB");
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

/// The encoded outputs of a checkpoint, one after another; `None` where they are damaged.
pub(super) fn outputs(mut bytes: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let output = bytes
            .split_first_chunk::<4>()
            .and_then(|(length, rest)| rest.split_at_checked(u32::from_le_bytes(*length) as usize));
        bytes = output.map_or(&[], |(_, rest)| rest);
        Some(output.map(|(output, _)| output))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_as_written_and_damage_is_noticed() {
        let mut bytes = Vec::new();
        write_output(&mut bytes, |out| out.extend_from_slice(b"one"));
        write_output(&mut bytes, |_| {});
        assert_eq!(outputs(&bytes).collect::<Vec<_>>(), [Some(&b"one"[..]), Some(&b""[..])]);
        assert_eq!(outputs(&bytes[..5]).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn a_checkpoint_survives_the_link() {
        let step = Checkpoint {
            epoch: Epoch(3),
            sequence: 9,
            now: Time::from_micros(5),
            mark: 70,
            left: 8,
            changes: b"changes",
            outputs: b"outputs",
        };
        let frame = Message::Checkpoint(step.clone()).encode();
        assert_eq!(Message::decode(&frame), Some(Message::Checkpoint(step)));
        assert_eq!(Message::decode(&frame[..frame.len() - 1]), None);
    }
}
