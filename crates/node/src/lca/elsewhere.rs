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
    /// Which of them have said something on the connection that stands.
    heard: Vec<bool>,
    /// What is placed on their hosts.
    placed: Vec<Vec<String>>,
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
    pub(super) fn new(others: &[(PathBuf, Vec<String>)], ours: Vec<String>) -> io::Result<Self> {
        let agents = others.iter().map(|(agent, _)| Client::new(agent)).collect::<io::Result<Vec<_>>>()?;
        let heard = vec![false; agents.len()];
        let placed = others.iter().map(|(_, placed)| placed.clone()).collect();
        Ok(Self { agents, heard, placed, ours, ended: BTreeMap::new() })
    }

    /// Their descriptors, in order: readable when [`hear`](Self::hear) has something to hear from that one.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.agents.iter().map(AsFd::as_fd)
    }

    /// What the agent with this number says that was not known.
    pub(super) fn hear(&mut self, number: usize) -> Vec<Incarnation> {
        let Some(agent) = self.agents.get_mut(number) else { return Vec::new() };
        let mut heard = Vec::new();
        while let Some(event) = agent.poll() {
            self.heard[number] = matches!(event, Event::Message(_));
            match event {
                Event::Connected => drop(agent.send(&ToLca::Watch)),
                Event::Message(FromLca::Ended(who)) => heard.push(who),
                Event::Message(
                    FromLca::Stop
                    | FromLca::HandOver
                    | FromLca::Applications(_)
                    | FromLca::Detections(_)
                    | FromLca::Harmed(_),
                )
                | Event::Disconnected => {}
            }
        }
        self.learn(heard)
    }

    /// Whether another host is reached: the connection alone is one with the switchboard of this host.
    pub(super) fn is_anybody_reached(&self) -> bool {
        self.heard.contains(&true)
    }

    /// Whether the host of an application is this one, or is reached.
    pub(super) fn is_reached(&self, application: &str) -> bool {
        let is_there = |placed: &Vec<String>| placed.iter().any(|name| name == application);
        self.placed.iter().position(is_there).is_none_or(|number| self.heard[number])
    }

    /// These have certainly ended, whoever says so; gives those of whom that was not known.
    pub(super) fn learn(&mut self, mut ended: Vec<Incarnation>) -> Vec<Incarnation> {
        ended.retain(|who| !self.ours.contains(&who.application));
        ended.retain(|who| {
            let known = self.ended.entry(who.application.clone()).or_default();
            let is_news = who.run > *known;
            *known = who.run.max(*known);
            is_news
        });
        ended
    }

    /// Everything that is known.
    pub(super) fn all(&self) -> impl Iterator<Item = Incarnation> {
        self.ended.iter().map(|(application, run)| Incarnation::new(application.clone(), *run))
    }
}
