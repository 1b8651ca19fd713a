//! The coordinator of several hosts: serves the pairs of one host from etcd.
//!
//! The servers talk to the socket of their own host, as they do where the entries lie in a journal; only this side of it
//! knows of etcd. The serving thread never waits for etcd: a thread of its own ([`worker`]) does, and rings a bell.
//! The socket listens only while a member of etcd can be asked, so a connection to it means that requests are carried out.
//!
//! | what happens | what a member of a pair sees |
//! |---|---|
//! | its request has no outcome within a second | `Disconnected`, then `Connected` |
//! | etcd is full, or refuses for another reason | the same, and the log says why, once; a person, the alarm of etcd |
//! | a member of etcd is lost, and another one can be asked, or can again within a second | nothing |
//! | no member of etcd can be asked, or only one of another cluster, or one that is too old | `Disconnected` until one can; a person, that it is so, why, and what to do |
//! | one of several is of another cluster or too old | nothing; a person, the same |

mod cluster;
mod connection;
mod document;
mod entries;
mod fences;
mod leader;
mod members;
mod messages;
mod problem;
mod session;
mod slate;
mod standing;
mod visit;
mod worker;

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::eventfd::{EfdFlags, EventFd};
use redundancy::coordinator::{Request, Versioned};

use self::cluster::Cluster;
pub use self::document::{Book, Change};
pub use self::fences::{FenceBook, Fences, Page, Written, note_gone};
pub use self::members::change_members;
use self::problem::Problem;
use self::standing::Standing;
use self::worker::{Ask, Asker, News, Plan, Worker};
use super::Served;
use super::guest::{Answer, Guest};
use super::member::TlsFiles;
use super::store::MOST_PAIRS;
use crate::hub::Hub;
use crate::wire::{CoordinatorRequest, Trouble};

/// Where the entries are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdSettings {
    /// The members of etcd, `HOST:PORT`; that of the own host first, as it is asked first.
    pub addresses: Vec<String>,
    /// The applications that may run on the host of each address; empty if the members have hosts of their own. A member on a host
    /// without a side of a pair leads, if there is one, else on one without a primary.
    pub seats: Vec<Vec<String>>,
    /// The host of each address, as people call it; empty if the members have hosts of their own.
    pub hosts: Vec<String>,
    /// The solution, part of the keys; it has no slash.
    pub solution: String,
    /// The file that notes which cluster holds the entries.
    pub cluster: PathBuf,
    /// TLS, if etcd asks for it.
    pub tls: Option<TlsFiles>,
}

/// Answers requests over a local socket. Its descriptor is readable when [`serve`](Served::serve) has something to do.
#[derive(Debug)]
pub struct EtcdServer {
    socket: PathBuf,
    epoll: Epoll,
    worker: Worker,
    /// Connections, while a member of etcd can be asked.
    hub: Option<Hub<Guest>>,
    standing: Standing,
    /// How many times no member could be asked: tells the connections of one hub from those of the next one.
    era: u64,
    pairs: BTreeSet<String>,
    /// What was logged last about what cannot be done.
    complaint: Option<String>,
}

impl EtcdServer {
    /// Begins to look for a member of etcd; the socket listens when there is one.
    ///
    /// # Errors
    /// If the settings are wrong, a file cannot be read, or the system has no threads or descriptors left.
    pub fn open(settings: &EtcdSettings, socket: &Path) -> Result<Self, Trouble> {
        if settings.addresses.is_empty() || settings.solution.is_empty() || settings.solution.contains('/') {
            let what = format!("no coordinator for the solution {:?} at {:?}", settings.solution, settings.addresses);
            return Err(Trouble::new(what, "name a solution without a slash, and the addresses of etcd"));
        }
        let plan = Plan {
            addresses: settings.addresses.clone(),
            seats: settings.seats.clone(),
            solution: settings.solution.clone(),
            tls: settings.tls.clone(),
            cluster: Cluster::open(&settings.cluster)?,
        };
        let names = if settings.hosts.is_empty() { &settings.addresses } else { &settings.hosts };
        Self::start(plan, socket, names.clone())
            .map_err(|error| Trouble::new(format!("the coordinator cannot begin: {error}"), "see `ulimit -a`"))
    }

    fn start(plan: Plan, socket: &Path, members: Vec<String>) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let bell = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let worker = Worker::start(plan, bell)?;
        epoll.add(worker.bell(), EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        let (hub, era, pairs, complaint) = Default::default();
        let (socket, standing) = (socket.to_owned(), Standing { members, ..Standing::default() });
        Ok(Self { socket, epoll, worker, hub, standing, era, pairs, complaint })
    }

    fn take(&mut self, news: News) {
        match news {
            News::Up(entries) => {
                (self.standing.is_up, self.standing.is_missed) = (true, false);
                entries.into_iter().for_each(|(pair, now)| self.changed(pair, &now));
            }
            News::Down => {
                (self.standing.is_up, self.standing.is_missed) = (false, true);
                self.hub = None;
                self.era += 1;
            }
            News::Changed(pair, now) => self.changed(pair, &now),
            News::Alarms(alarms) => self.standing.alarms = alarms,
            News::Lacking(lacking) => self.standing.lacking = lacking,
            News::Refused(refused) => self.standing.refused = refused,
            News::Answered(Asker { era, number }, outcome) if era == self.era => self.answered(number, outcome),
            News::Answered(..) => {}
        }
    }

    /// Listens again, if a member can be asked again.
    fn listen(&mut self) {
        if !self.standing.is_up || self.hub.is_some() {
            return;
        }
        let listening = Hub::listen(&self.socket).and_then(|hub| {
            self.epoll.add(&hub, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
            Ok(hub)
        });
        match listening {
            Ok(hub) => self.hub = Some(hub),
            // The next turn tries again.
            Err(error) => self.complain(&Trouble::of_file("listen at", &self.socket, &error).to_string()),
        }
    }

    fn changed(&mut self, pair: String, now: &Versioned) {
        if let Some(hub) = &mut self.hub {
            // Most of them watch the pair: who does not is told nothing.
            for number in hub.whose(|_| true) {
                if let Some(reply) = hub.note(number).and_then(|guest| guest.changed(&pair, now)) {
                    hub.send(number, &reply);
                }
            }
        }
        self.pairs.insert(pair);
    }

    fn asked(&mut self, number: u64, request: CoordinatorRequest) {
        let creates = matches!(request.request, Request::CompareAndSwap { expected: None, .. });
        let is_one_more = creates && self.pairs.len() >= MOST_PAIRS && !self.pairs.contains(&request.pair);
        let Some(hub) = &mut self.hub else { return };
        let Some(guest) = hub.note(number) else { return };
        match guest.ask(request) {
            Ok(_) if is_one_more => hub.close(number, &format!("there are {MOST_PAIRS} pairs already")),
            Ok(Some(request)) => self.carry_out(number, request),
            Ok(None) => {}
            Err(why) => hub.close(number, &why),
        }
    }

    fn carry_out(&mut self, number: u64, request: CoordinatorRequest) {
        let ask = Ask { asker: Asker { era: self.era, number }, request };
        if !self.worker.ask(ask)
            && let Some(hub) = &mut self.hub
        {
            hub.close(number, "too many requests wait for etcd");
        }
    }

    fn answered(&mut self, number: u64, outcome: Result<Answer, Problem>) {
        let Some(hub) = &mut self.hub else { return };
        match outcome {
            Ok(answer) => {
                // Only a change that was done shows that changes can be done.
                if matches!(answer, Answer::Swapped(true, _)) && self.complaint.take().is_some() {
                    tracing::info!("the coordinator changes entries again");
                }
                let Some(guest) = hub.note(number) else { return };
                let (replies, next) = guest.answered(answer);
                replies.iter().for_each(|reply| hub.send(number, reply));
                if let Some(request) = next {
                    self.carry_out(number, request);
                }
            }
            Err(Problem::Lost(why)) => hub.close(number, &format!("what has become of its request is unknown: {why}")),
            Err(Problem::Refused(trouble)) => {
                hub.forget(number);
                self.complain(&format!("a request is refused and its connection closed: {trouble}"));
            }
        }
    }

    /// Logs an error, unless it was the last one: who is refused asks again many times a second.
    fn complain(&mut self, what: &str) {
        if self.complaint.as_deref() != Some(what) {
            tracing::error!("{what}");
            self.complaint = Some(what.to_owned());
        }
    }
}

impl Served for EtcdServer {
    fn serve(&mut self) {
        for news in self.worker.news() {
            self.take(news);
        }
        self.listen();
        let ready = self.hub.as_mut().map(Hub::ready).unwrap_or_default();
        for number in ready {
            while let Some((request, _)) = self.hub.as_mut().and_then(|hub| hub.receive(number)) {
                self.asked(number, request);
            }
        }
    }

    fn note(&self) -> Option<String> {
        self.standing.note()
    }

    fn missing(&self) -> Vec<String> {
        self.standing.missing().into_iter().map(str::to_owned).collect()
    }
}

impl AsFd for EtcdServer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}
