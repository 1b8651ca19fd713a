//! Nothing leaves before it is acknowledged, and a type says so (rules 2, 4, 5).

use std::collections::VecDeque;

use model::Epoch;

/// The checkpoint that an output belongs to; events to clients carry it (rule 11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The epoch of the checkpoint.
    pub epoch: Epoch,
    /// Its number within the epoch, from 1.
    pub sequence: u64,
}

/// An output that may leave. Only the gate makes one, and the writers of sockets accept nothing else.
#[derive(Debug, PartialEq, Eq)]
pub struct Released<O> {
    output: O,
    stamp: Stamp,
}

impl<O> Released<O> {
    /// The output, for the one who sends it.
    pub fn into_inner(self) -> O {
        self.output
    }

    /// The output, to look at.
    pub const fn get(&self) -> &O {
        &self.output
    }

    /// The checkpoint that it waited for; of a repeated output, the one of the earlier primary.
    pub const fn stamp(&self) -> Stamp {
        self.stamp
    }
}

/// What lets outputs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// Nothing may leave: a change of role is being decided.
    Shut,
    /// Outputs leave when their checkpoint is committed: kept by the backup, or published to it (rule 16).
    Committed,
    /// Outputs leave at once: there is provably no one who could take over without them (rule 5).
    Solo,
}

/// Outputs in the order of their checkpoints, waiting to be released.
#[derive(Clone, Debug)]
pub(super) struct Gate<O> {
    epoch: Epoch,
    opening: Opening,
    waiting: VecDeque<Waiting<O>>,
    /// Every checkpoint up to this one is committed.
    committed: u64,
    /// Every output of a checkpoint up to this one was released.
    released: u64,
    /// The last input that a released or committed checkpoint covers.
    mark: u64,
    held: usize,
}

#[derive(Clone, Debug)]
struct Waiting<O> {
    sequence: u64,
    mark: u64,
    outputs: Vec<O>,
}

impl<O> Gate<O> {
    /// A gate that lets nothing out.
    ///
    /// `mark` is the last input that the predecessor has covered.
    pub(super) const fn shut(epoch: Epoch, mark: u64) -> Self {
        Self { epoch, opening: Opening::Shut, waiting: VecDeque::new(), committed: 0, released: 0, mark, held: 0 }
    }

    /// Lets nothing more out until one of the other openings is chosen.
    pub(super) const fn close(&mut self) {
        self.opening = Opening::Shut;
    }

    /// Lets out what is committed.
    pub(super) const fn open_for_committed(&mut self) {
        self.opening = Opening::Committed;
    }

    /// Lets everything out.
    pub(super) const fn open_solo(&mut self) {
        self.opening = Opening::Solo;
    }

    /// Holds the outputs of a checkpoint that covers the inputs up to `mark`.
    pub(super) fn hold(&mut self, sequence: u64, mark: u64, outputs: Vec<O>) {
        self.held += outputs.len();
        self.waiting.push_back(Waiting { sequence, mark, outputs });
    }

    /// Takes notice that the checkpoints up to `sequence` are committed.
    pub(super) fn commit(&mut self, sequence: u64) {
        self.committed = self.committed.max(sequence);
    }

    /// Releases what may leave, in order.
    pub(super) fn release(&mut self, mut each: impl FnMut(Released<O>)) {
        while self.waiting.front().is_some_and(|front| self.may_leave(front.sequence)) {
            let Some(front) = self.waiting.pop_front() else { return };
            self.held -= front.outputs.len();
            self.released = front.sequence;
            self.mark = front.mark;
            let stamp = Stamp { epoch: self.epoch, sequence: front.sequence };
            for output in front.outputs {
                each(Released { output, stamp });
            }
        }
    }

    /// An output of an earlier primary that may not have left: it was committed then (rule 6, re-emission).
    pub(super) const fn release_again(stamp: Stamp, output: O) -> Released<O> {
        Released { output, stamp }
    }

    /// What waits, in order.
    pub(super) fn into_waiting(self) -> impl Iterator<Item = (Stamp, O)> {
        let stamp = move |sequence| Stamp { epoch: self.epoch, sequence };
        self.waiting
            .into_iter()
            .flat_map(move |waiting| waiting.outputs.into_iter().map(move |output| (stamp(waiting.sequence), output)))
    }

    /// How many outputs wait.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    /// True if no checkpoint waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// True if everything that was released is committed as well, so that a successor may be appointed.
    pub(super) const fn is_covered(&self) -> bool {
        self.released <= self.committed
    }

    /// Every output of a checkpoint up to this one was released.
    pub(super) const fn released(&self) -> u64 {
        self.released
    }

    /// Inputs up to this one need not be kept for a successor any more.
    pub(super) const fn mark(&self) -> u64 {
        self.mark
    }

    const fn may_leave(&self, sequence: u64) -> bool {
        match self.opening {
            Opening::Shut => false,
            Opening::Committed => sequence <= self.committed,
            Opening::Solo => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn released(gate: &mut Gate<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        gate.release(|output| out.push(output.into_inner()));
        out
    }

    fn gate_with_two_checkpoints() -> Gate<u8> {
        let mut gate = Gate::shut(Epoch(1), 0);
        gate.hold(1, 10, vec![1, 2]);
        gate.hold(2, 11, vec![3]);
        gate
    }

    #[test]
    fn nothing_leaves_a_shut_gate_even_if_committed() {
        let mut gate = gate_with_two_checkpoints();
        gate.commit(2);
        assert!(released(&mut gate).is_empty());
        assert_eq!((gate.held(), gate.mark()), (3, 0));
    }

    #[test]
    fn only_what_is_committed_leaves_and_in_order() {
        let mut gate = gate_with_two_checkpoints();
        gate.open_for_committed();
        assert!(released(&mut gate).is_empty());
        gate.commit(1);
        assert_eq!(released(&mut gate), [1, 2]);
        assert_eq!((gate.held(), gate.mark(), gate.released()), (1, 10, 1));
    }

    #[test]
    fn solo_lets_everything_out() {
        let mut gate = gate_with_two_checkpoints();
        gate.open_solo();
        assert_eq!(released(&mut gate), [1, 2, 3]);
        assert!(gate.is_empty());
    }
}
