//! The link's events: introductions, descriptors, protocol messages, its end.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use model::Incarnation;
use redundancy::hot_standby::{Message, RoleName};

use super::link::{Door, Link, LinkFrame};
use super::service::Service;
use super::shell::{End, Shell};
use super::streams::Stream;
use super::token::Token;
use crate::channel::{Channel, ChannelError};

impl<S: Service> Shell<S> {
    /// Takes a new link on and introduces this side.
    pub(super) fn adopt_link(&mut self, mut link: Link) -> Result<(), ChannelError> {
        self.hang_up();
        link.introduce(&self.settings.me, &self.pulse_descriptor, &self.bell, &self.ring)?;
        self.link = Some(link);
        self.watch_link();
        Ok(())
    }

    /// The other side calls.
    pub(super) fn peer_calls(&mut self, channel: Channel) {
        if self.replica.status().role != RoleName::Primary {
            return;
        }
        if self.link.is_some() {
            // It calls again, so it has left the old link.
            self.replica.link_down(self.now);
        }
        match self.adopt_link(Link::new(channel)) {
            Ok(()) => self.read_link(),
            Err(error) => self.link_broke(&error),
        }
    }

    pub(super) fn hear_link(&mut self) {
        if let Some(link) = self.link.as_mut().filter(|link| !link.is_broken) {
            match link.flush() {
                Ok(()) => self.link_moved(),
                Err(error) => return self.link_broke(&error),
            }
        }
        self.read_link();
    }

    /// Reads everything that the link holds.
    pub(super) fn read_link(&mut self) {
        while let Some(link) = self.link.as_mut().filter(|link| !link.is_broken) {
            match link.receive() {
                Ok(Some((frame, descriptors))) => {
                    if let Err(error) = self.take_frame(frame, descriptors) {
                        return self.cannot_read(&error);
                    }
                }
                Ok(None) => return,
                Err(error) if error.is_end() => return self.link_broke(&error),
                Err(error) => return self.cannot_read(&error),
            }
            self.carry_out();
        }
    }

    /// Something was lost on the way. Who serves can do without its backup; a backup that goes on would be one in name
    /// only, so it ends, and the next incarnation of it begins anew (rule 13).
    fn cannot_read(&mut self, error: &ChannelError) {
        if self.replica.status().role == RoleName::Primary {
            return self.link_broke(error);
        }
        tracing::error!("cannot read what the primary says: {error}");
        self.end = Some(End::Retired);
    }

    /// The other side wants to be heard at once.
    pub(super) fn answer_bell(&mut self) {
        // Empty already only if it was rung for nothing.
        let _ = nix::unistd::read(&*self.bell, &mut [0; 8]);
        self.hear_link();
    }

    fn take_frame(&mut self, frame: LinkFrame, descriptors: Vec<OwnedFd>) -> Result<(), ChannelError> {
        match frame {
            LinkFrame::Protocol(bytes) => {
                match self.replica.status().role {
                    RoleName::Primary if matches!(Message::decode(&bytes), Some(Message::Hello { .. })) => {
                        self.hand_over_descriptors()?;
                    }
                    RoleName::Primary => {}
                    _ => self.drop_stale(&bytes),
                }
                self.replica.link_frame(self.now, &bytes);
            }
            // Put together by the link.
            LinkFrame::Part(_) => {}
            LinkFrame::Introduction(who) => self.meet(who, descriptors)?,
            LinkFrame::Listeners(doors) => self.intake.take_listeners(&doors, descriptors),
            LinkFrame::Connection { number, account } => {
                if let (Some(descriptor), Some(link)) = (descriptors.into_iter().next(), &mut self.link) {
                    let mut stream = Stream::handed_over(descriptor, account);
                    link.stale.remove(&number);
                    let early = link.early.remove(&number);
                    early.iter().for_each(|bytes| stream.shadow(bytes));
                    self.intake.insert(number, stream);
                }
            }
            LinkFrame::Established { number, account } => {
                if let Some(stream) = self.intake.streams.get_mut(&number) {
                    stream.now_open(&account);
                }
            }
            LinkFrame::Gone(number) => {
                self.intake.remove(number);
                if let Some(link) = &mut self.link {
                    link.early.remove(&number);
                }
            }
        }
        Ok(())
    }

    fn meet(&mut self, who: Incarnation, descriptors: Vec<OwnedFd>) -> Result<(), ChannelError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        // It may only have called again. Another one's ring was taken in long ago.
        match self.former_peer.take().filter(|former| former.incarnation == who) {
            Some(same) => link.peer = Some(same),
            None => link.introduced(who, descriptors)?,
        }
        if let Some(peer) = &link.peer {
            self.poll.add(&peer.witness, Token::Witness, false)?;
        }
        Ok(())
    }

    /// Gives a joining backup the descriptors of everything that a successor needs. Everything that was written so far is
    /// in the accounts, everything later comes with checkpoints.
    fn hand_over_descriptors(&mut self) -> Result<(), ChannelError> {
        self.finish_turn();
        let descriptors = self.intake.share_listeners()?;
        let doors: Vec<Door> = self.settings.doors.clone();
        self.tell_link(&LinkFrame::Listeners(doors), descriptors);
        let numbers: Vec<u64> = self.intake.streams.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.tell_connection(number));
        Ok(())
    }

    /// With its welcome the primary has handed over every connection: what this side holds beyond them was closed.
    fn drop_stale(&mut self, bytes: &[u8]) {
        if let Some(link) = self.link.as_mut().filter(|link| !link.stale.is_empty())
            && matches!(Message::decode(bytes), Some(Message::Welcome { .. }))
        {
            for number in std::mem::take(&mut link.stale) {
                self.intake.remove(number);
            }
        }
    }

    /// Puts a frame with descriptors on the link, if there is one with a side that has introduced itself.
    pub(super) fn tell_link(&mut self, frame: &LinkFrame, descriptors: Vec<Arc<OwnedFd>>) {
        let Some(link) = self.link.as_mut().filter(|link| link.peer.is_some() && !link.is_broken) else { return };
        match link.send(frame, descriptors) {
            Ok(()) => self.link_moved(),
            Err(error) => self.link_broke(&error),
        }
    }

    /// The kernel has taken bytes, or not all of them.
    pub(super) fn link_moved(&mut self) {
        let Some(link) = &self.link else { return };
        if let Some(checkpoint) = link.published() {
            self.replica.published(checkpoint);
        }
        self.watch_link();
    }

    /// Keeps the link in the poll set, unless it is looked at now and then.
    pub(super) fn watch_link(&mut self) {
        let Some(link) = &self.link else { return };
        let wanted = (!link.is_broken && !self.is_lazy()).then(|| link.is_waiting());
        match (self.link_watched, wanted) {
            // If the kernel refuses it, the link is read in each turn's own time.
            (None, Some(write)) => drop(self.poll.add(link, Token::Link, write)),
            (Some(before), Some(write)) if before != write => self.poll.modify(link, Token::Link, write),
            (Some(_), None) => self.poll.remove(link),
            _ => {}
        }
        self.link_watched = wanted;
    }

    /// The serving thread of the other side has certainly ended.
    pub(super) fn peer_has_ended(&mut self) {
        self.read_link();
        let Some(peer) = self.link.as_ref().and_then(|link| link.peer.as_ref()) else { return };
        self.poll.remove(&peer.witness);
        let who = peer.incarnation.clone();
        self.later.push(format!("the other side has ended peer={who}"));
        self.learn_end(&who);
    }

    /// This incarnation has certainly ended; its last word comes before that, where it is within reach.
    pub(super) fn learn_end(&mut self, who: &Incarnation) {
        let of_link = self.link.as_ref().and_then(|link| link.peer.as_ref());
        let peer = of_link.into_iter().chain(&self.former_peer).find(|peer| peer.incarnation == *who);
        if let Some(revision) = peer.and_then(|peer| peer.pulse.last_word()) {
            self.replica.last_word(who.clone(), revision);
        }
        self.replica.ended(self.now, who);
    }

    /// Nothing more comes or goes on the link. What is known of the other side is kept: if it has ended, its ring holds
    /// what it had read.
    pub(super) fn link_broke(&mut self, error: &ChannelError) {
        tracing::info!("the link to the other side is gone: {error}");
        if let Some(link) = &mut self.link {
            link.shut();
        }
        self.watch_link();
        self.replica.link_down(self.now);
    }

    /// Ends the link.
    pub(super) fn hang_up(&mut self) {
        let Some(link) = self.link.take() else { return };
        if self.link_watched.take().is_some() {
            self.poll.remove(&link);
        }
        if let Some(peer) = link.peer {
            self.poll.remove(&peer.witness);
            self.former_peer = Some(peer);
        }
    }
}
