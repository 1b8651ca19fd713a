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
    /// It makes way for another one, and the compare-and-swap that lets it go is on its way; outputs leave when it has their
    /// checkpoint, since it may take over until then.
    Dismissing(Incarnation),
    /// It is lost, and the compare-and-swap that says so is on its way; nothing more leaves (rule 5).
    Dropping(Incarnation),
    /// It is to take over, as soon as the compare-and-swap says so.
    HandingOver(HandingOver),
}

/// A planned switchover on its way.
#[derive(Clone, Debug)]
pub(super) struct HandingOver {
    pub(super) peer: Incarnation,
    pub(super) since: Time,
    /// The entry names the backup as the next primary: this side takes nothing in any more, and lets it have the role when all has
    /// left. Until then it serves as before, since the backup waits for its word.
    pub(super) granted: bool,
    /// The link is gone, and nothing more leaves.
    pub(super) lost: bool,
    /// It takes too long: this side keeps the role, after so long.
    pub(super) called_off: Option<Span>,
}

impl Standby {
    pub(super) const fn is_linked(&self) -> bool {
        match self {
            Self::Joining(_) | Self::Admitting(_) | Self::Paired(_) | Self::Dismissing(_) => true,
            Self::HandingOver(over) => !over.lost,
            Self::Solo | Self::Dropping(_) => false,
        }
    }

    pub(super) const fn peer(&self) -> Option<&Incarnation> {
        match self {
            Self::Joining(snapshot) | Self::Admitting(snapshot) => Some(&snapshot.peer),
            Self::Paired(peer) | Self::Dismissing(peer) => Some(peer),
            Self::HandingOver(over) => Some(&over.peer),
            Self::Solo | Self::Dropping(_) => None,
        }
    }

    /// Who should stand in the entry beside the primary.
    pub(super) const fn wanted(&self) -> Option<&Incarnation> {
        match self {
            Self::Admitting(snapshot) => Some(&snapshot.peer),
            Self::Paired(peer) => Some(peer),
            Self::HandingOver(over) if !over.lost => Some(&over.peer),
            Self::Solo | Self::Joining(_) | Self::Dismissing(_) | Self::Dropping(_) | Self::HandingOver(_) => None,
        }
    }
}
