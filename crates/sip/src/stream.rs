//! Cutting a byte stream into messages (RFC 3261 18.3), with keep-alives (RFC 5626 3.5.1).
//!
//! [`Framer`] is a value: what was read of a message that is not whole yet. It goes into the record of its
//! connection, so whoever takes the connection over reads on in the middle of a message.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lex;
use crate::limits::MAX_MESSAGE;
use crate::message::{Fault, Refusal, content_length};

/// What a stream has carried so far beyond its last whole message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framer {
    #[serde(with = "serde_bytes")]
    held: Vec<u8>,
    progress: Progress,
}

/// How far the bytes at hand were understood, so that none is looked at twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// Bytes that hold no end of the header section.
    scanned: usize,
    /// Bytes of the whole message, once its header section is there.
    total: Option<usize>,
}

/// Something whole from a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The bytes of one message; borrowed if they came in one piece.
    Message(Cow<'a, [u8]>),
    /// A double CR LF between messages: answer it with [`PONG`] (RFC 5626 4.4.1).
    Ping,
}

/// The answer to [`Frame::Ping`].
pub const PONG: &[u8] = b"\r\n";

const PING: &[u8] = b"\r\n\r\n";

/// The stream can be cut no further: answer the message in hand if it is a request, then end the connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Lost<'a> {
    fault: Fault,
    bytes: Cow<'a, [u8]>,
}

impl Lost<'_> {
    /// What is wrong.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// The answer that the message in hand earns.
    #[must_use]
    pub fn refusal(&self) -> Refusal<'_> {
        Refusal::new(self.fault, &self.bytes)
    }
}

impl fmt::Display for Lost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the messages of this connection cannot be told apart any more: {}", self.fault)
    }
}

/// Without the bytes: they may hold telephone numbers and secrets.
impl fmt::Debug for Lost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lost").field("fault", &self.fault).field("length", &self.bytes.len()).finish()
    }
}

impl std::error::Error for Lost<'_> {}

/// What some bytes begin with.
#[derive(Clone, Copy)]
enum Kind {
    Message,
    Ping,
    /// A line end between messages, without meaning (RFC 3261 7.5).
    LineEnd,
}

type Taken<'a> = (Kind, Cow<'a, [u8]>);

impl Framer {
    /// Takes the next whole thing from what is held and from `input`, which moves on; `None` once all is taken in.
    ///
    /// Call it until it gives `None`. Bytes are copied only where a message comes in several pieces.
    ///
    /// # Errors
    /// [`Lost`] if a message is too large or does not say how long it is. The framer is of no use afterwards.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Frame<'a>>, Lost<'a>> {
        loop {
            let taken = if self.held.is_empty() { self.take_in_place(input)? } else { self.take_joined(input)? };
            match taken {
                None => return Ok(None),
                Some((Kind::Message, bytes)) => return Ok(Some(Frame::Message(bytes))),
                Some((Kind::Ping, _)) => return Ok(Some(Frame::Ping)),
                Some((Kind::LineEnd, _)) => {}
            }
        }
    }

    /// Bytes that were taken in and given out in no frame yet.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes something whole from the input alone, else holds the input.
    fn take_in_place<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Taken<'a>>, Lost<'a>> {
        let bytes = *input;
        let whole = self.progress.step(bytes).map_err(|fault| Lost { fault, bytes: Cow::Borrowed(bytes) })?;
        let Some((kind, length)) = whole else {
            self.held.extend_from_slice(bytes);
            *input = &[];
            return Ok(None);
        };
        let (taken, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        *input = rest;
        Ok(Some((kind, Cow::Borrowed(taken))))
    }

    /// Joins the input to what is held, takes something whole from it, and leaves the rest in the input.
    fn take_joined<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Taken<'a>>, Lost<'a>> {
        let before = self.held.len();
        // One byte more than a message may have is enough to refuse it.
        let (joined, beyond) = input.split_at(input.len().min((MAX_MESSAGE + 1).saturating_sub(before)));
        self.held.extend_from_slice(joined);
        let whole = match self.progress.step(&self.held) {
            Ok(whole) => whole,
            Err(fault) => return Err(Lost { fault, bytes: Cow::Owned(std::mem::take(&mut self.held)) }),
        };
        let Some((kind, length)) = whole else {
            *input = beyond;
            return Ok(None);
        };
        let mut taken = std::mem::take(&mut self.held);
        if length < before {
            self.held = taken.split_off(length);
            *input = beyond;
        } else {
            taken.truncate(length);
            *input = input.get(length - before..).unwrap_or_default();
        }
        Ok(Some((kind, Cow::Owned(taken))))
    }
}

impl Progress {
    /// What `bytes` begin with and how long it is, once it is whole; forgets itself then.
    fn step(&mut self, bytes: &[u8]) -> Result<Option<(Kind, usize)>, Fault> {
        let whole = match bytes {
            _ if bytes.starts_with(PING) => Some((Kind::Ping, PING.len())),
            _ if PING.starts_with(bytes) => None,
            [b'\r', b'\n', ..] => Some((Kind::LineEnd, 2)),
            // No message begins otherwise; so TLS and noise end at once and not after a whole header section.
            [first, ..] if !lex::is(*first, lex::TOKEN) => return Err(Fault::NotSip),
            _ => self.measure(bytes)?.filter(|&total| total <= bytes.len()).map(|total| (Kind::Message, total)),
        };
        if whole.is_some() {
            *self = Self::default();
        }
        Ok(whole)
    }

    /// How long the message is at the beginning of `bytes`, once its header section is there.
    fn measure(&mut self, bytes: &[u8]) -> Result<Option<usize>, Fault> {
        if self.total.is_some() {
            return Ok(self.total);
        }
        // The end of the header section may have begun in bytes that came before.
        let from = self.scanned.saturating_sub(PING.len() - 1);
        let Some(end) = memchr::memmem::find(bytes.get(from..).unwrap_or_default(), PING) else {
            self.scanned = bytes.len();
            return if bytes.len() > MAX_MESSAGE { Err(Fault::TooLarge) } else { Ok(None) };
        };
        let head = from + end + PING.len();
        if head > MAX_MESSAGE {
            return Err(Fault::TooLarge);
        }
        // A stream has no other way to say where a body ends (RFC 3261 18.3, 20.14).
        let body = content_length(bytes.get(..head).unwrap_or_default())?.ok_or(Fault::Missing("Content-Length"))?;
        let total = usize::try_from(body).ok().and_then(|body| body.checked_add(head));
        self.total = total.filter(|&total| total <= MAX_MESSAGE);
        self.total.map(Some).ok_or(Fault::TooLarge)
    }
}
