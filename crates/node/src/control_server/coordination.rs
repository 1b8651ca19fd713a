//! The coordinator, in a thread that no person can hold up.

use std::os::fd::{AsFd, BorrowedFd};

use model::Incarnation;
use tokio::sync::oneshot;

use crate::coordinator::CoordinatorServer;
use crate::folder::Folder;
use crate::life::{self, Duty};
use crate::wire::Trouble;

/// Starts the thread, which serves from when this returns; what is returned resolves when it has ended.
pub(super) fn begin(folder: &Folder, me: &Incarnation) -> Result<oneshot::Receiver<()>, Trouble> {
    let (server, warnings) = CoordinatorServer::open(&folder.journal("coordinator"), &folder.socket("coordinator"))?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    life::begin(folder, me, server)
}

impl Duty for CoordinatorServer {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }

    fn serve(&mut self) {
        Self::serve(self);
    }
}
