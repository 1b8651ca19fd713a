//! An application's side of its connection to the LCA.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use management::{Detection, Sign};
use model::Incarnation;

use crate::client::{Client, Event};
use crate::last_word::Key;
use crate::pulse::threads;
use crate::wire::{FromLca, ServerReport, Sighting, ToLca};

/// What was noticed while the LCA was away is told it later, so much of it at most.
const MOST_UNTOLD: usize = 64;

/// What the LCA tells an application.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// Every incarnation of this application up to this run has certainly ended. May be told again.
    Ended(Incarnation),
    /// End cleanly.
    Stop,
    /// Let the backup become primary.
    HandOver,
}

/// The connection to the LCA: outlives the LCA's own restarts and tells a new one all that it must know.
#[derive(Debug)]
pub struct LcaLink {
    client: Client<ToLca, FromLca>,
    incarnation: Incarnation,
    pulse: Arc<OwnedFd>,
    connections: Vec<(Arc<OwnedFd>, Key)>,
    is_ready: bool,
    report: Option<ServerReport>,
    untold: VecDeque<Sighting>,
}

impl LcaLink {
    /// The link of `incarnation`, whose serving thread holds the pulse behind the descriptor, to the LCA at `path`.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub fn new(path: impl Into<PathBuf>, incarnation: Incarnation, pulse: Arc<OwnedFd>) -> io::Result<Self> {
        Ok(Self {
            client: Client::new(path)?,
            incarnation,
            pulse,
            connections: Vec::new(),
            is_ready: false,
            report: None,
            untold: VecDeque::new(),
        })
    }

    /// What the LCA has told, if anything; to be called until it gives nothing when the descriptor is readable.
    pub fn poll(&mut self) -> Option<News> {
        loop {
            match self.client.poll()? {
                Event::Connected => self.introduce(),
                Event::Message(FromLca::Ended(incarnation)) => return Some(News::Ended(incarnation)),
                Event::Message(FromLca::Stop) => return Some(News::Stop),
                Event::Message(FromLca::HandOver) => return Some(News::HandOver),
                Event::Message(FromLca::Applications(_) | FromLca::Detections(_) | FromLca::Harmed(_))
                | Event::Disconnected => {}
            }
        }
    }

    /// Tells the LCA how this server stands, if that differs from what it was told last in more than the counts.
    pub fn report(&mut self, report: ServerReport) {
        let without_counts =
            |report: &ServerReport| ServerReport { lag: 0, records: 0, state_hash: 0, ..report.clone() };
        if self.report.as_ref().map(without_counts) != Some(without_counts(&report)) {
            self.client.send(&ToLca::Report(report.clone()));
            self.report = Some(report);
        }
    }

    /// Gives the LCA all connections to the other side of the pair on another host, and what their last words are signed with: it ends
    /// them as soon as this process has ended.
    pub fn connections(&mut self, connections: Vec<(Arc<OwnedFd>, Key)>) {
        self.connections = connections;
        self.entrust();
    }

    fn entrust(&mut self) {
        let (connections, keys) = self.connections.iter().cloned().unzip();
        self.client.send_with(&ToLca::Entrusted(keys), connections);
    }

    /// Tells the LCA that something was noticed about something, or is over.
    pub fn noticed(&mut self, what: Detection, about: impl Into<String>, sign: Sign) {
        let (is_over, after) = match sign {
            Sign::Noticed(after) => (false, after),
            Sign::Over(after) => (true, after),
        };
        let sighting = Sighting { what: what.name().into(), about: about.into(), is_over, after: after.as_micros() };
        if !self.client.is_connected() || !self.client.send(&ToLca::Noticed(sighting.clone())) {
            if self.untold.len() >= MOST_UNTOLD {
                self.untold.pop_front();
            }
            self.untold.push_back(sighting);
        }
    }

    /// Tells the LCA that the application has started; more than once does no harm.
    pub fn ready(&mut self) {
        if !self.is_ready {
            self.is_ready = true;
            self.client.send(&ToLca::Ready);
        }
    }

    fn introduce(&mut self) {
        let threads = threads::descriptor();
        let shared = threads.into_iter().chain([Arc::clone(&self.pulse)]).collect();
        self.client.send_with(&ToLca::Hello(self.incarnation.clone()), shared);
        if !self.connections.is_empty() {
            self.entrust();
        }
        if self.is_ready {
            self.client.send(&ToLca::Ready);
        }
        if let Some(report) = &self.report {
            self.client.send(&ToLca::Report(report.clone()));
        }
        for sighting in std::mem::take(&mut self.untold) {
            self.client.send(&ToLca::Noticed(sighting));
        }
    }
}

impl AsFd for LcaLink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.as_fd()
    }
}
