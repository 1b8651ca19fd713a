//! Messages between two pairs that arrive exactly once, in order, whoever dies in between.
//!
//! The sender keeps each message as a record until the receiver says that it is committed on its side; the
//! receiver keeps the number of the last message that it took, as a record too. Both sides stand behind their
//! gates: a message leaves when the sender's backup has it, and is confirmed when the receiver's backup has what
//! came of it. After a takeover of either side, or a broken connection, the sender repeats what is not confirmed
//! and the receiver passes over what it knows.
//!
//! What one side tells the other is a *stream* of numbered messages. A side that cannot go on where the other one
//! stopped listening, because either of them lost its records (cold start of a pair), draws a new stream and tells
//! its whole state again; the first message of a new stream tells the receiver to forget what it heard before.

use serde::{Deserialize, Serialize};

/// How far somebody has listened to a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The stream; zero before any was heard.
    pub stream: u64,
    /// Number of the last message that was taken from it.
    pub taken: u64,
}

/// What one side remembers of its talk with the other; one record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// The stream that this side tells; zero before the first.
    pub stream: u64,
    /// Number of the last message that was posted in it.
    pub posted: u64,
    /// Number of the last message that the other side has confirmed.
    pub confirmed: u64,
    /// How far this side has listened to the other one.
    pub heard: Heard,
}

/// What goes over the connection between two mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Envelope<M> {
    /// The first word of each side on each new connection; messages follow the other side's greeting.
    Greeting(Heard),
    /// A message.
    Message {
        /// The stream that it belongs to.
        stream: u64,
        /// Counts from 1 within the stream.
        number: u64,
        /// What it says.
        message: M,
    },
    /// Every message up to this one is committed on the sender's side.
    Confirmed(Heard),
}

/// What the owner of a mailbox has to do after an envelope arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing.
    Nothing,
    /// Take the message in, then confirm it.
    Take,
    /// The first message of a new stream: forget what the other side told before, take it in, then confirm it.
    TakeFirst,
    /// Known already: confirm it again.
    Repeated,
    /// Forget the kept messages up to this number.
    Forget {
        /// The last message that is no longer needed.
        up_to: u64,
    },
    /// Forget the kept messages up to this number and send the ones behind it again.
    Resend {
        /// The last message that the other side has.
        after: u64,
    },
    /// The other side cannot go on where it was: forget every kept message, call [`Mailbox::start_over`] and tell
    /// the whole state.
    StartOver,
    /// A message is missing in between: drop the connection, the next greeting sorts it out.
    Gap,
}

impl Mailbox {
    /// The greeting for a new connection.
    #[must_use]
    pub const fn greeting<M>(&self) -> Envelope<M> {
        Envelope::Greeting(self.heard)
    }

    /// The confirmation of everything that was taken.
    #[must_use]
    pub const fn confirmation<M>(&self) -> Envelope<M> {
        Envelope::Confirmed(self.heard)
    }

    /// Begins a new stream. `stream` must never have been used before and not be zero.
    pub const fn start_over(&mut self, stream: u64) {
        self.stream = stream;
        self.posted = 0;
        self.confirmed = 0;
    }

    /// The number of a new message.
    pub const fn post(&mut self) -> u64 {
        self.posted += 1;
        self.posted
    }

    /// Messages that are kept because the other side has not confirmed them.
    #[must_use]
    pub const fn unconfirmed(&self) -> u64 {
        self.posted - self.confirmed
    }

    /// Takes notice of an envelope.
    pub fn arrive<M>(&mut self, envelope: &Envelope<M>) -> Arrival {
        match *envelope {
            Envelope::Greeting(heard) if self.is_ours(heard) => {
                self.confirmed = self.confirmed.max(heard.taken);
                Arrival::Resend { after: self.confirmed }
            }
            Envelope::Greeting(_) => Arrival::StartOver,
            Envelope::Confirmed(heard) if self.is_ours(heard) && heard.taken > self.confirmed => {
                self.confirmed = heard.taken;
                Arrival::Forget { up_to: heard.taken }
            }
            Envelope::Confirmed(_) => Arrival::Nothing,
            Envelope::Message { stream, number, .. } => self.listen(stream, number),
        }
    }

    const fn is_ours(&self, heard: Heard) -> bool {
        heard.stream == self.stream && self.stream != 0 && heard.taken <= self.posted
    }

    const fn listen(&mut self, stream: u64, number: u64) -> Arrival {
        if stream != self.heard.stream {
            if number != 1 {
                return Arrival::Gap;
            }
            self.heard = Heard { stream, taken: 1 };
            return Arrival::TakeFirst;
        }
        if number <= self.heard.taken {
            return Arrival::Repeated;
        }
        if number > self.heard.taken + 1 {
            return Arrival::Gap;
        }
        self.heard.taken = number;
        Arrival::Take
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn message(stream: u64, number: u64) -> Envelope<()> {
        Envelope::Message { stream, number, message: () }
    }

    #[test]
    fn a_message_is_taken_once_and_in_order() {
        let mut mailbox = Mailbox::default();
        assert_eq!(mailbox.arrive(&message(7, 2)), Arrival::Gap);
        assert_eq!(mailbox.arrive(&message(7, 1)), Arrival::TakeFirst);
        assert_eq!(mailbox.arrive(&message(7, 1)), Arrival::Repeated);
        assert_eq!(mailbox.arrive(&message(7, 3)), Arrival::Gap);
        assert_eq!(mailbox.arrive(&message(7, 2)), Arrival::Take);
    }

    #[test]
    fn a_greeting_resends_what_the_other_side_lacks() {
        let mut mailbox = Mailbox::default();
        mailbox.start_over(9);
        (0..4).for_each(|_| assert!(mailbox.post() > 0));
        let greeting = Envelope::<()>::Greeting(Heard { stream: 9, taken: 3 });
        assert_eq!(mailbox.arrive(&greeting), Arrival::Resend { after: 3 });
        assert_eq!(mailbox.unconfirmed(), 1);
    }

    #[test]
    fn a_side_that_lost_its_records_is_told_everything_in_a_new_stream() {
        let mut mailbox = Mailbox::default();
        mailbox.start_over(9);
        mailbox.post();
        assert_eq!(mailbox.arrive(&Envelope::<()>::Greeting(Heard::default())), Arrival::StartOver);
        mailbox.start_over(10);
        let mut other = Mailbox { heard: Heard { stream: 9, taken: 1 }, ..Mailbox::default() };
        assert_eq!(other.arrive(&message(10, mailbox.post())), Arrival::TakeFirst);
    }

    #[test]
    fn a_claim_to_have_heard_more_than_was_said_is_not_believed() {
        let mut mailbox = Mailbox::default();
        mailbox.start_over(9);
        assert_eq!(mailbox.arrive(&Envelope::<()>::Greeting(Heard { stream: 9, taken: 5 })), Arrival::StartOver);
    }
}
