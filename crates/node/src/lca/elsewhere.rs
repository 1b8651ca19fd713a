//! What has ended on other hosts, as their agents say.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use model::Incarnation;

use crate::client::{Client, Event};
use crate::wire::{FromLca, ToLca};

/// The connections to the agents of other hosts, and what is known from them.
#[derive(Debug)]
pub(super) struct Elsewhere {
    agents: Vec<Client<ToLca, FromLca>>,
    /// The applications of this host, of which nobody else knows more.
    ours: Vec<String>,
    /// Of each application of another host, the run up to which all have ended.
    ended: BTreeMap<String, u64>,
}

impl Elsewhere {
    /// Connects with the agents at these places.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(super) fn new(agents: &[PathBuf], ours: Vec<String>) -> io::Result<Self> {
        let agents = agents.iter().map(Client::new).collect::<io::Result<_>>()?;
        Ok(Self { agents, ours, ended: BTreeMap::new() })
    }

    /// Their descriptors, in order: readable when [`hear`](Self::hear) has something to hear from that one.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.agents.iter().map(AsFd::as_fd)
    }

    /// What the agent with this number says that was not known.
    pub(super) fn hear(&mut self, number: usize) -> Vec<Incarnation> {
        let Some(agent) = self.agents.get_mut(number) else { return Vec::new() };
        let mut news = Vec::new();
        while let Some(event) = agent.poll() {
            match event {
                Event::Connected => drop(agent.send(&ToLca::Watch)),
                Event::Message(FromLca::Ended(who)) if self.ours.contains(&who.application) => {}
                Event::Message(FromLca::Ended(who)) => {
                    let known = self.ended.entry(who.application.clone()).or_default();
                    if who.run > *known {
                        *known = who.run;
                        news.push(who);
                    }
                }
                Event::Message(
                    FromLca::Stop | FromLca::HandOver | FromLca::Applications(_) | FromLca::Detections(_),
                )
                | Event::Disconnected => {}
            }
        }
        news
    }

    /// Everything that is known.
    pub(super) fn all(&self) -> impl Iterator<Item = Incarnation> {
        self.ended.iter().map(|(application, run)| Incarnation::new(application.clone(), *run))
    }
}
