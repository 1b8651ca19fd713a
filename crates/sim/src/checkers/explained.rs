//! Every output is explained by acknowledged records: whatever has left, each incarnation that could take over holds
//! the checkpoint that it came from (rules 2, 4, 8, 16).

use model::{Epoch, Incarnation};
use redundancy::coordinator::PairEntry;
use redundancy::hot_standby::Stamp;

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "explained";

/// Has no memory of its own: what counts is the entry and what everybody holds at this moment.
#[derive(Debug, Default)]
pub struct Explained;

impl Explained {
    /// An output of `stamp` leaves while `entry` stands. `holds` says up to which checkpoint of an epoch a living
    /// incarnation holds the records, or `None` if it does not live.
    ///
    /// # Errors
    /// If somebody could take over without it.
    pub fn releases(
        &self,
        who: &Incarnation,
        stamp: Stamp,
        entry: &PairEntry,
        holds: impl Fn(&Incarnation, Epoch) -> Option<u64>,
    ) -> Verdict {
        let successors: &[Incarnation] = match entry.epoch {
            same if same == stamp.epoch => &entry.in_sync,
            later if later == stamp.epoch.next() => std::slice::from_ref(&entry.primary),
            _ => &[],
        };
        let lacking = successors
            .iter()
            .filter(|one| *one != who)
            .find_map(|one| holds(one, stamp.epoch).filter(|held| *held < stamp.sequence).map(|held| (one, held)));
        let Some((one, held)) = lacking else { return Ok(()) };
        let Stamp { epoch, sequence } = stamp;
        Err(format!("{who} releases checkpoint {sequence} of epoch {epoch}; {one} may take over and holds {held}"))
    }

    /// The entry becomes `new` after outputs up to checkpoint `released` of its epoch have left.
    ///
    /// # Errors
    /// If somebody could now take over who lacks one of them.
    pub fn entry_changes(
        &self,
        new: &PairEntry,
        released: u64,
        holds: impl Fn(&Incarnation, Epoch) -> Option<u64>,
    ) -> Verdict {
        for one in new.in_sync.iter().filter(|one| **one != new.primary) {
            if let Some(held) = holds(one, new.epoch).filter(|held| *held < released) {
                return Err(format!("{one} is admitted with checkpoint {held}, but outputs of {released} have left"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_notices_an_output_whose_records_a_possible_successor_lacks() {
        let (a, b) = (Incarnation::new("a", 1), Incarnation::new("b", 1));
        let entry = PairEntry { epoch: Epoch(4), primary: a.clone(), in_sync: vec![a.clone(), b.clone()] };
        let release = |held| Explained.releases(&a, Stamp { epoch: Epoch(4), sequence: 7 }, &entry, |_, _| held);
        release(Some(7)).unwrap();
        release(None).unwrap();
        release(Some(6)).unwrap_err();
        Explained.entry_changes(&entry, 7, |_, _| Some(6)).unwrap_err();
    }
}
