//! Breaks the rules of the protocol one at a time, so that the simulation can prove that its checkers bite.
//!
//! Compiled in with the feature `sabotage` only, which nothing but the simulator asks for.

/// The rule that is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sabotage {
    /// None.
    #[default]
    None,
    /// Rule 4: outputs are released before the backup has acknowledged their checkpoint.
    ReleaseEarly,
    /// Rule 5: a primary that lost its backup goes solo without a compare-and-swap.
    SoloUnasked,
    /// Rule 6: a backup takes over without a compare-and-swap.
    TakeOverUnasked,
    /// Rule 3: a backup takes checkpoints of an old epoch.
    AcceptOldEpoch,
    /// Rule 8: the gate stays open while the compare-and-swap that admits a backup is on its way.
    AdmitOpen,
    /// A deadline is not armed after a takeover.
    ForgetTimer,
    /// Rule 8: a record of the snapshot is left out, and the hash is not compared.
    LoseSnapshotRecord,
    /// Rule 6: a new primary forgets the inputs that the old one had read.
    ForgetInputs,
    /// Rule 6: outputs that may not have left are not sent again.
    ForgetOutputs,
    /// Rule 15: a side that holds nothing begins from cold at once, although the other side may hold every record.
    BeginUnasked,
    /// Rule 17: whoever is offered the role does not wait for the word of the old primary.
    ServeOffered,
    /// Rule 7: a primary does not compare the epoch that the coordinator tells with its own.
    UncheckedEpoch,
    /// Rule 18: a primary does not withdraw its pledge when it asks the coordinator.
    KeepPledge,
    /// Several networks: a path whose heartbeats pass counts as whole, whatever becomes of the messages (see [`crate::bundle`]).
    TrustBeats,
    /// Several networks: what was sent again over another path is delivered twice.
    DeliverTwice,
    /// Several hosts, in the shell: whoever served and does not any more keeps the address (rule 7).
    KeepAddress,
    /// Several hosts, in the shell: after another member of the coordinator was found the entry is not read anew, only what
    /// changes from then on.
    WatchGap,
    /// Several hosts, in the shell: a link is taken again that was left before (see [`crate::bundle::Door`]).
    MixLinks,
    /// Several hosts, rule 15: a side whose journal is older than that of the other host begins from cold at once.
    BeginBehind,
}

impl Sabotage {
    /// Every broken rule of the protocol; they can be broken wherever the two sides run.
    pub const ALL: [Self; 12] = [
        Self::ReleaseEarly,
        Self::SoloUnasked,
        Self::TakeOverUnasked,
        Self::AcceptOldEpoch,
        Self::AdmitOpen,
        Self::ForgetTimer,
        Self::LoseSnapshotRecord,
        Self::ForgetInputs,
        Self::ForgetOutputs,
        Self::BeginUnasked,
        Self::ServeOffered,
        Self::KeepPledge,
    ];

    /// Those that must hold beside them where the two sides run on two hosts.
    pub const OF_HOSTS: [Self; 7] = [
        Self::UncheckedEpoch,
        Self::TrustBeats,
        Self::DeliverTwice,
        Self::KeepAddress,
        Self::WatchGap,
        Self::MixLinks,
        Self::BeginBehind,
    ];
}
