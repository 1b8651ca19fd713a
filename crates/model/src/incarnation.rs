//! Which run of which process, and the count of takeovers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Counts the changes of primary of one pair; grows by compare-and-swap in the coordinator only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch that follows.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One run of one process: the application `sip-a`, for the 17th time.
///
/// A process that was restarted is not the one that was in sync, so roles are given to incarnations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// The application's name, `sip-a`.
    pub application: String,
    /// Which run it is; grows with every start on this solution.
    pub run: u64,
}

impl Incarnation {
    /// The `run`-th run of `application`.
    #[must_use]
    pub fn new(application: impl Into<String>, run: u64) -> Self {
        Self { application: application.into(), run }
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.application, self.run)
    }
}
