//! What these tests do beside to a contact centre that runs.

use std::path::PathBuf;
use std::process::ExitStatus;

use crate::support::Running;

impl Running {
    /// Looks into its folder as it sees it itself, in a mount namespace of its own.
    pub(crate) fn look_inside(&mut self) {
        let root = PathBuf::from(format!("/proc/{}/root", self.up.id()));
        self.place.view = root.join(self.place.inside().strip_prefix("/").expect("a whole path"));
    }

    /// Whoever listens to `up` goes away.
    pub(crate) fn hang_up(&mut self) {
        self.out = None;
        self.err = None;
    }

    /// Waits for the end of `up`.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.up.wait().expect("ended")
    }
}
