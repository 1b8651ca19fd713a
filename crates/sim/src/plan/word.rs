//! The words that stand for values in a plan's text.

use redundancy::hot_standby::Sabotage;

use super::{Direction, Layout, Manner, Method, Moment, Point, Who, World};

/// Words for the values of a small enumeration.
pub(super) trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self)];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("?", |(word, _)| word)
    }

    fn read(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }
}

impl Word for Who {
    const WORDS: &'static [(&'static str, Self)] =
        &[("a", Self::A), ("b", Self::B), ("primary", Self::Primary), ("backup", Self::Backup)];
}

impl Word for Moment {
    const WORDS: &'static [(&'static str, Self)] = &[("before", Self::Before), ("after", Self::After)];
}

impl Word for Point {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("checkpoint", Self::Checkpoint),
        ("frame", Self::Frame),
        ("release", Self::Release),
        ("ask", Self::Ask),
        ("journal", Self::Journal),
        ("serve", Self::Serve),
    ];
}

impl Word for Direction {
    const WORDS: &'static [(&'static str, Self)] =
        &[("a-to-b", Self::AToB), ("b-to-a", Self::BToA), ("both", Self::Both)];
}

impl Word for World {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("toy", Self::Toy),
        ("calls", Self::Calls),
        ("toy-hosts", Self::ToyHosts),
        ("hosts", Self::Hosts),
        ("own-addresses", Self::OwnAddresses),
    ];
}

impl Word for Manner {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("answers", Self::Answers),
        ("plays-first", Self::PlaysFirst),
        ("busy", Self::Busy),
        ("declines", Self::Declines),
        ("lets-ring", Self::LetsRing),
        ("answers-late", Self::AnswersLate),
        ("dead", Self::Dead),
        ("hangs-up-at-once", Self::HangsUpAtOnce),
    ];
}

impl Word for Method {
    const WORDS: &'static [(&'static str, Self)] =
        &[("info", Self::Info), ("message", Self::Message), ("update", Self::Update)];
}

impl Word for Layout {
    const WORDS: &'static [(&'static str, Self)] =
        &[("one-host", Self::OneHost), ("two-hosts", Self::TwoHosts), ("three-hosts", Self::ThreeHosts)];
}

impl Word for Sabotage {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("release-early", Self::ReleaseEarly),
        ("solo-unasked", Self::SoloUnasked),
        ("take-over-unasked", Self::TakeOverUnasked),
        ("accept-old-epoch", Self::AcceptOldEpoch),
        ("admit-open", Self::AdmitOpen),
        ("forget-timer", Self::ForgetTimer),
        ("lose-snapshot-record", Self::LoseSnapshotRecord),
        ("forget-inputs", Self::ForgetInputs),
        ("forget-outputs", Self::ForgetOutputs),
        ("begin-unasked", Self::BeginUnasked),
        ("serve-offered", Self::ServeOffered),
        ("keep-pledge", Self::KeepPledge),
        ("unchecked-epoch", Self::UncheckedEpoch),
        ("trust-beats", Self::TrustBeats),
        ("deliver-twice", Self::DeliverTwice),
        ("keep-address", Self::KeepAddress),
        ("watch-gap", Self::WatchGap),
        ("mix-links", Self::MixLinks),
        ("begin-behind", Self::BeginBehind),
    ];
}

/// The name of a world, `toy-hosts`.
#[must_use]
pub fn name_of_world(world: World) -> &'static str {
    world.word()
}

/// The world with this name, `calls`.
#[must_use]
pub fn world_named(word: &str) -> Option<World> {
    World::read(word)
}

/// The broken rule with this name, `release-early`.
#[must_use]
pub fn sabotage_named(word: &str) -> Option<Sabotage> {
    Sabotage::read(word)
}

/// The name of a broken rule, `release-early`.
#[must_use]
pub fn name_of(sabotage: Sabotage) -> &'static str {
    sabotage.word()
}
