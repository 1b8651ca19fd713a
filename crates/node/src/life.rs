//! The life of an application that is no server of a pair: a thread that nobody can hold up shows the local control agent that
//! it turns, and hears when it is to end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use management::{Detection, Sign};
use model::Incarnation;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::oneshot;

use crate::folder::Folder;
use crate::lca::{LcaLink, News};
use crate::pulse::Pulse;
use crate::wire::{ServerReport, Trouble};

/// The loop comes round at least this often, as [`Pulse::beat`] asks for, in milliseconds.
const TURN: u8 = 20;

/// What the thread does besides: something that never waits.
pub(crate) trait Duty: Send + 'static {
    /// Readable when there is something to do.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// Does it.
    fn serve(&mut self);

    /// What people should know of the application now.
    fn note(&self) -> Option<String> {
        None
    }

    /// What was noticed since it was asked last.
    fn noticed(&self) -> Vec<Noticed> {
        Vec::new()
    }
}

/// What was noticed, about what, and how.
pub(crate) type Noticed = (Detection, String, Sign);

/// What others in the process notice, until the thread tells the local control agent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices(Arc<Mutex<Vec<Noticed>>>);

impl Notices {
    /// Something was noticed about something, or is over.
    pub(crate) fn add(&self, what: Detection, about: impl Into<String>, sign: Sign) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((what, about.into(), sign));
    }

    /// All that was added since.
    pub(crate) fn take(&self) -> Vec<Noticed> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Nothing.
impl Duty for () {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn serve(&mut self) {}
}

/// Starts the thread; what is returned resolves when the LCA has asked for the end.
pub(crate) fn begin(folder: &Folder, me: &Incarnation, duty: impl Duty) -> Result<oneshot::Receiver<()>, Trouble> {
    let (path, me) = (folder.socket("lca"), me.clone());
    let (sender, end) = oneshot::channel();
    let live = move || {
        let begun = || {
            let (pulse, descriptor) = Pulse::create()?;
            pulse.hold()?;
            pulse.watch_crashes()?;
            turn(duty, &pulse, LcaLink::new(path, me, descriptor.into())?)
        };
        if let Err(error) = begun() {
            tracing::error!("cannot go on: {error}");
        }
        // Nobody hears that only if the other thread has ended, and the process with it.
        let _ = sender.send(());
    };
    let spawned = thread::Builder::new().name("life".into()).spawn(live);
    spawned.map_err(|error| Trouble::new(format!("no thread is left: {error}"), "see `ulimit -u`"))?;
    Ok(end)
}

/// The thread's life, until the LCA ends it.
fn turn(mut duty: impl Duty, pulse: &Pulse, mut lca: LcaLink) -> io::Result<()> {
    lca.ready();
    let mut told = None;
    loop {
        pulse.beat();
        let descriptors = std::iter::once(lca.as_fd()).chain(duty.descriptor());
        let mut waiting: Vec<_> = descriptors.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut waiting, PollTimeout::from(TURN)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        duty.serve();
        duty.noticed().into_iter().for_each(|(what, about, sign)| lca.noticed(what, about, sign));
        let note = duty.note();
        if note != told {
            told.clone_from(&note);
            lca.report(ServerReport { ready: true, note, ..ServerReport::default() });
        }
        while let Some(news) = lca.poll() {
            match news {
                News::Stop => return Ok(()),
                News::Ended(_) | News::HandOver => {}
            }
        }
    }
}
