//! What has ended on other hosts, as their agents say.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use model::{Ended, Incarnation};

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
    /// The applications of this host, each with the number of the move that brought it here: nobody else knows more of these.
    ours: Vec<(String, u64)>,
    /// Who has ended elsewhere.
    ended: Ended,
}

impl Elsewhere {
    /// Connects with the agents at these places.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(super) fn new(others: &[(PathBuf, Vec<String>)], ours: Vec<(String, u64)>) -> io::Result<Self> {
        let agents = others.iter().map(|(agent, _)| Client::new(agent)).collect::<io::Result<Vec<_>>>()?;
        let heard = vec![false; agents.len()];
        let placed = others.iter().map(|(_, placed)| placed.clone()).collect();
        Ok(Self { agents, heard, placed, ours, ended: Ended::default() })
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
        let is_ours = |who: &Incarnation| {
            self.ours.iter().any(|(name, moved)| *name == who.application && *moved == who.move_number())
        };
        ended.retain(|who| !is_ours(who) && self.ended.learn(who));
        ended
    }

    /// Everything that is known.
    pub(super) fn all(&self) -> impl Iterator<Item = Incarnation> {
        self.ended.iter()
    }
}
