//! How a primary stands with the other side.

use model::{Incarnation, Span, Time};

use super::snapshot::Snapshot;

/// How it stands with the other side.
#[derive(Clone, Debug)]
pub(super) enum Standby {
    /// There is none.
    Solo,
    /// It is being sent the records; outputs leave meanwhile.
    Joining(Snapshot),
    /// It is level, and the compare-and-swap that says so is on its way; outputs leave when it has their checkpoint.
    Admitting(Snapshot),
    /// It is in sync; outputs leave when it has their checkpoint.
    Paired(Incarnation),
    /// It is lost, and the compare-and-swap that says so is on its way; nothing more leaves (rule 5).
    Dropping(Incarnation),
    /// It is asked to take over; nothing more leaves.
    HandingOver(HandingOver),
}

/// A planned switchover on its way.
#[derive(Clone, Debug)]
pub(super) struct HandingOver {
    pub(super) peer: Incarnation,
    pub(super) since: Time,
    /// Everything has left and the backup was asked.
    pub(super) asked: bool,
    /// The link is gone.
    pub(super) lost: bool,
    /// This side wants its role back, after so long.
    pub(super) called_off: Option<Span>,
}

impl Standby {
    pub(super) const fn is_linked(&self) -> bool {
        match self {
            Self::Joining(_) | Self::Admitting(_) | Self::Paired(_) => true,
            Self::HandingOver(over) => !over.lost,
            Self::Solo | Self::Dropping(_) => false,
        }
    }

    pub(super) const fn peer(&self) -> Option<&Incarnation> {
        match self {
            Self::Joining(snapshot) | Self::Admitting(snapshot) => Some(&snapshot.peer),
            Self::Paired(peer) => Some(peer),
            Self::HandingOver(over) => Some(&over.peer),
            Self::Solo | Self::Dropping(_) => None,
        }
    }

    /// Who should stand in the entry beside the primary.
    pub(super) const fn wanted(&self) -> Option<&Incarnation> {
        match self {
            Self::Admitting(snapshot) => Some(&snapshot.peer),
            Self::Paired(peer) => Some(peer),
            Self::HandingOver(over) if over.called_off.is_none() => Some(&over.peer),
            Self::Solo | Self::Joining(_) | Self::Dropping(_) | Self::HandingOver(_) => None,
        }
    }
}
