//! The coordinator, in a thread that no person can hold up.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};

use model::Incarnation;
use tokio::sync::oneshot;

use super::fence::Alarm;
use super::probe::Unanswered;
use crate::coordinator::{CoordinatorServer, EtcdServer, EtcdSettings, Served};
use crate::folder::Folder;
use crate::life::{self, Duty, Noticed};
use crate::wire::Trouble;

/// The members of the coordinator that cannot be asked now, for whoever wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing(Arc<Mutex<Vec<String>>>);

impl Missing {
    fn set(&self, missing: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = missing;
    }

    /// Who they are.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Starts the thread, which serves from when this returns; what is returned resolves when it has ended.
pub(super) fn begin(
    folder: &Folder,
    me: &Incarnation,
    etcd: Option<&EtcdSettings>,
    (unanswered, fence, missing): (Unanswered, Alarm, Missing),
) -> Result<oneshot::Receiver<()>, Trouble> {
    life::begin(folder, me, Coordination { coordinator: open(folder, etcd)?, unanswered, fence, missing })
}

/// What the thread does, and says of this host.
struct Coordination {
    coordinator: Box<dyn Served + Send>,
    unanswered: Unanswered,
    fence: Alarm,
    missing: Missing,
}

/// The coordinator, from etcd or from the journal.
fn open(folder: &Folder, etcd: Option<&EtcdSettings>) -> Result<Box<dyn Served + Send>, Trouble> {
    let socket = folder.socket("coordinator");
    if let Some(settings) = etcd {
        return Ok(Box::new(EtcdServer::open(settings, &socket)?));
    }
    let (server, warnings) = CoordinatorServer::open(&folder.journal("coordinator"), &socket)?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(Box::new(server))
}

impl Duty for Coordination {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.coordinator.as_fd())
    }

    fn serve(&mut self) {
        self.coordinator.serve();
        self.missing.set(self.coordinator.missing());
    }

    fn note(&self) -> Option<String> {
        let notes = [self.coordinator.note(), self.unanswered.note(), self.fence.note()];
        let notes: Vec<_> = notes.into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    fn noticed(&self) -> Vec<Noticed> {
        self.unanswered.noticed()
    }
}
