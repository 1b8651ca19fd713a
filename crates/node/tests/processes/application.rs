//! An application that does what a test tells it.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::time::Duration;

use management::helpers::Wait;
use model::{Epoch, Incarnation};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use node::folder::Folder;
use node::hub::Hub;
use node::lca::{LcaLink, News};
use node::process;
use node::pulse::Pulse;
use node::pulse::threads::Helper;
use node::wire::{Role, ServerReport, Trouble};
use serde::{Deserialize, Serialize};

use crate::server::Server;

/// What a test tells it, over its socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Say which runs of the others have ended, as far as the LCA has told.
    WhoHasEnded,
    /// Report as a primary, level or not.
    Lead { level: bool },
    /// Come round no more, using up a processor.
    Spin,
    /// Let the helper thread come round no more.
    Hold(Hold),
    /// Do not end when asked.
    BeStubborn,
    /// Crash.
    Abort,
}

/// How a thread comes round no more.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Hold {
    /// It waits for what never comes.
    Wait,
    /// It uses up a processor.
    Spin,
    /// It is no more.
    Panic,
    /// It waits for a disk.
    Disk,
}

/// A helper thread that comes round until it is told how not to.
fn help() -> mpsc::Sender<Hold> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let helper = Helper::begin("helper");
        loop {
            helper.beat();
            match told.recv_timeout(Duration::from_millis(50)) {
                Ok(Hold::Wait) => park(),
                Ok(Hold::Spin) => spin(),
                Ok(Hold::Panic) => panic!("as a test wants it"),
                Ok(Hold::Disk) => helper.waits(Wait::Disk, || park()),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    });
    tell
}

fn park() -> ! {
    loop {
        std::thread::park();
    }
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

/// The answer to each order but the last ones: which runs have ended.
pub(crate) type Answer = BTreeMap<String, u64>;

/// Lets the next starts of an application fail, while this file exists.
pub(crate) fn obstacle(folder: &Folder, name: &str) -> std::path::PathBuf {
    folder.path().join(format!("obstacle-{name}"))
}

/// Lives as the run of an application.
pub(crate) fn run(dir: &str, name: &str, run: &str) {
    let folder = Folder::new(dir);
    let me = Incarnation::new(name, run.parse().unwrap());
    let _log = match process::begin(&folder, &me) {
        Ok(log) => log,
        Err(trouble) => {
            eprintln!("{trouble}");
            std::process::exit(1);
        }
    };
    if obstacle(&folder, name).exists() {
        process::fail(&folder, &me, &Trouble::new("something stands in the way", "remove it"));
        std::process::exit(1);
    }
    live(&folder, me).unwrap();
}

fn live(folder: &Folder, me: Incarnation) -> io::Result<()> {
    let (pulse, descriptor) = Pulse::create()?;
    pulse.hold()?;
    pulse.watch_crashes()?;
    let mut orders = Hub::<()>::listen(&order_socket(folder, &me.application))?;
    let mut server = Server::new(folder, &me.application)?;
    let mut lca = LcaLink::new(folder.socket("lca"), me, descriptor.into())?;
    lca.ready();
    let helper = help();
    let (mut ended, mut stubborn) = (Answer::new(), false);
    loop {
        pulse.beat();
        let mut waiting = [orders.as_fd(), server.as_fd(), lca.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        poll(&mut waiting, PollTimeout::from(10u8))?;
        server.serve();
        while let Some(news) = lca.poll() {
            match news {
                News::Ended(Incarnation { application, run }) => drop(ended.insert(application, run)),
                News::Stop if stubborn => {}
                News::HandOver => {}
                News::Stop => return Ok(()),
            }
        }
        for guest in orders.ready() {
            while let Some((order, _)) = orders.receive::<Order>(guest) {
                match order {
                    Order::WhoHasEnded => {}
                    Order::Lead { level } => {
                        let role = Some(Role::Primary);
                        lca.report(ServerReport { role, epoch: Epoch(1), ready: true, level, ..Default::default() });
                    }
                    Order::Spin => spin(),
                    Order::Hold(how) => helper.send(how).unwrap(),
                    Order::BeStubborn => stubborn = true,
                    Order::Abort => std::process::abort(),
                }
                orders.send(guest, &ended);
            }
        }
    }
}

/// Where an application listens for a test.
pub(crate) fn order_socket(folder: &Folder, name: &str) -> std::path::PathBuf {
    folder.path().join(format!("{name}.orders"))
}
