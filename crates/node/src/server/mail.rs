//! The way to another pair's primary, for the messages of a mailbox.
//!
//! One pair calls (the SIP Server), the other one is called (the Routing Server). The called pair has a local socket
//! for each side; only the side that serves takes calls there, and says `Serving` first, so the caller holds a
//! connection to both sides and knows which one to talk to.

use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::poll::Poll;
use super::token::Token;
use crate::channel::Channel;
use crate::client::{Client, Event};
use crate::local;

/// What goes over the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum MailFrame {
    /// The called side serves.
    Serving,
    /// An envelope of the mailbox.
    Letter(ByteBuf),
}

/// What happened on the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MailNews {
    /// The other pair's primary listens.
    Up,
    /// It does not any more.
    Down,
    /// It says this.
    Letter(Vec<u8>),
}

/// One end of the way.
#[derive(Debug)]
pub(super) enum Mail {
    /// This side does not serve, or its pair talks to no other.
    Off,
    /// This side serves since this turn: the way is opened at its end, as the phones come first.
    Due,
    /// Calls both sides of the other pair.
    Caller { partners: Vec<Client<MailFrame, MailFrame>>, active: Option<usize> },
    /// Is called.
    Called { door: UnixListener, guest: Option<Channel> },
}

impl Mail {
    /// Begins to call the sides that listen at these paths.
    pub(super) fn call(paths: &[PathBuf], poll: &Poll) -> io::Result<Self> {
        let partners: Vec<_> = paths.iter().map(Client::new).collect::<io::Result<_>>()?;
        for (number, partner) in (0..).zip(&partners) {
            poll.add(partner, Token::Partner(number), false)?;
        }
        Ok(Self::Caller { partners, active: None })
    }

    /// Begins to be called at this path.
    pub(super) fn answer(path: &Path, poll: &Poll) -> io::Result<Self> {
        let door = local::listen(path)?;
        poll.add(&door, Token::MailDoor, false)?;
        Ok(Self::Called { door, guest: None })
    }

    /// Says something to the other pair, if it is there; the mailbox repeats what is lost.
    pub(super) fn send(&mut self, letter: Vec<u8>, poll: &Poll) {
        let frame = MailFrame::Letter(ByteBuf::from(letter));
        match self {
            Self::Off | Self::Due => {}
            Self::Caller { partners, active } => {
                if let Some(partner) = active.and_then(|active| partners.get_mut(active)) {
                    partner.send(&frame);
                }
            }
            Self::Called { guest: Some(channel), .. } => {
                // A broken channel is met again when it is read.
                let _ = channel.send(&frame);
                poll.modify(&*channel, Token::Guest, channel.is_waiting());
            }
            Self::Called { guest: None, .. } => {}
        }
    }

    /// What came from one side of the other pair.
    pub(super) fn poll_partner(&mut self, number: u8, news: &mut Vec<MailNews>) {
        let Self::Caller { partners, active } = self else { return };
        let number = usize::from(number);
        let Some(partner) = partners.get_mut(number) else { return };
        while let Some(event) = partner.poll() {
            match event {
                Event::Connected => {}
                Event::Message(MailFrame::Serving) => {
                    if active.replace(number).is_some() {
                        news.push(MailNews::Down);
                    }
                    news.push(MailNews::Up);
                }
                Event::Message(MailFrame::Letter(letter)) if *active == Some(number) => {
                    news.push(MailNews::Letter(letter.into_vec()));
                }
                Event::Message(MailFrame::Letter(_)) => {}
                Event::Disconnected if *active == Some(number) => {
                    *active = None;
                    news.push(MailNews::Down);
                }
                Event::Disconnected => {}
            }
        }
    }

    /// Somebody calls.
    pub(super) fn accept(&mut self, poll: &Poll, news: &mut Vec<MailNews>) {
        let Self::Called { door, guest } = self else { return };
        while let Ok((stream, _)) = door.accept() {
            let mut channel = Channel::new(stream);
            let greeted = channel.socket().set_nonblocking(true).is_ok() && channel.send(&MailFrame::Serving).is_ok();
            if greeted && poll.add(&channel, Token::Guest, false).is_ok() {
                if guest.replace(channel).is_some() {
                    news.push(MailNews::Down);
                }
                news.push(MailNews::Up);
            }
        }
    }

    /// What came from the pair that called.
    pub(super) fn poll_guest(&mut self, poll: &Poll, news: &mut Vec<MailNews>) {
        let Self::Called { guest, .. } = self else { return };
        let Some(channel) = guest else { return };
        loop {
            match channel.flush().and_then(|()| channel.receive::<MailFrame>()) {
                Ok(Some((MailFrame::Letter(letter), _))) => news.push(MailNews::Letter(letter.into_vec())),
                Ok(Some((MailFrame::Serving, _))) => {}
                Ok(None) => return poll.modify(&*channel, Token::Guest, channel.is_waiting()),
                Err(_) => {
                    *guest = None;
                    return news.push(MailNews::Down);
                }
            }
        }
    }

    /// Breaks the connection, so that the greetings are said again.
    pub(super) fn begin_again(&mut self) {
        match self {
            Self::Off | Self::Due => {}
            Self::Caller { partners, active } => {
                if let Some(partner) = active.and_then(|active| partners.get_mut(active)) {
                    partner.disconnect();
                }
            }
            Self::Called { guest, .. } => {
                if let Some(channel) = guest {
                    // The end of the stream is met when it is read, and told then.
                    let _ = channel.socket().shutdown(std::net::Shutdown::Both);
                }
            }
        }
    }

    /// Hangs up, so that the other pair looks for the one who serves now.
    pub(super) fn hang_up(&mut self) {
        if let Self::Called { guest, .. } = self {
            *guest = None;
        }
        *self = Self::Off;
    }
}
