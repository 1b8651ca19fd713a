//! The thread that no person can hold up: coordinator, pulse, and the connection to the LCA.

use std::io;
use std::os::fd::AsFd;
use std::thread;

use model::Incarnation;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::oneshot;

use crate::coordinator::{CoordinatorServer, EtcdServer, EtcdSettings, Served};
use crate::folder::Folder;
use crate::lca::{LcaLink, News};
use crate::pulse::Pulse;
use crate::wire::Trouble;

/// The loop comes round at least this often, as [`Pulse::beat`] asks for, in milliseconds.
const TURN: u8 = 20;

/// Starts the thread, which serves from when this returns; what is returned resolves when it has ended.
pub(super) fn begin(
    folder: &Folder,
    me: &Incarnation,
    etcd: Option<&EtcdSettings>,
) -> Result<oneshot::Receiver<()>, Trouble> {
    let server = open(folder, etcd)?;
    let (path, me) = (folder.socket("lca"), me.clone());
    let (sender, end) = oneshot::channel();
    let live = move || {
        let coordinate = || {
            let (pulse, descriptor) = Pulse::create()?;
            pulse.hold()?;
            pulse.watch_crashes()?;
            turn(server, &pulse, LcaLink::new(path, me, descriptor.into())?)
        };
        if let Err(error) = coordinate() {
            tracing::error!("the coordinator ends: {error}");
        }
        // Nobody hears that only if the other thread has ended, and the process with it.
        let _ = sender.send(());
    };
    let spawned = thread::Builder::new().name("coordinator".into()).spawn(live);
    spawned.map_err(|error| Trouble::new(format!("no thread for the coordinator: {error}"), "see `ulimit -u`"))?;
    Ok(end)
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

/// The thread's life, until the LCA ends it.
fn turn(mut server: Box<dyn Served + Send>, pulse: &Pulse, mut lca: LcaLink) -> io::Result<()> {
    lca.ready();
    loop {
        pulse.beat();
        let mut waiting = [server.as_fd(), lca.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        match poll(&mut waiting, PollTimeout::from(TURN)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        server.serve();
        while let Some(news) = lca.poll() {
            match news {
                News::Stop => return Ok(()),
                News::Ended(_) => {}
            }
        }
    }
}
