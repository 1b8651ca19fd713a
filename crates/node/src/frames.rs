//! Messages on a byte stream: a length, a checksum, and the encoded message.
//!
//! ```text
//! | length: 24 bits | descriptors: 8 bits | CRC32C of these 4 bytes and the payload | payload (postcard) |
//! ```
//! Numbers are little-endian. A frame says how many descriptors travel with it (see [`crate::channel`]); in files
//! that number is zero. Nothing here touches a socket, so a loop on epoll and a task of tokio use the same code.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

/// Bytes before the payload.
pub const HEADER: usize = 8;
/// The longest payload, in bytes.
pub const MOST_PAYLOAD: usize = 1 << 20;
/// The most descriptors that travel with one frame; the kernel takes 253 in one message.
pub const MOST_DESCRIPTORS: usize = 64;
/// Room that is offered to one read, in bytes.
const READ: usize = 16 << 10;

/// Why bytes are not a frame, or a message cannot become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The payload is longer than [`MOST_PAYLOAD`].
    #[error("a message of {0} bytes is longer than the {MOST_PAYLOAD} bytes that are allowed")]
    TooLong(usize),
    /// More descriptors than [`MOST_DESCRIPTORS`].
    #[error("a message with {0} descriptors carries more than the {MOST_DESCRIPTORS} that are allowed")]
    TooManyDescriptors(usize),
    /// The checksum does not fit the bytes.
    #[error("the checksum of a message is wrong: the bytes were changed on their way")]
    Checksum,
    /// The payload is not a message of the expected type, or the message cannot be encoded.
    #[error("a message cannot be read: the other side speaks another version, or the bytes are damaged")]
    Payload,
}

/// Appends `message` as one frame to `out`; `out` is unchanged if that fails.
///
/// # Errors
/// If the message is too long, cannot be encoded, or carries too many descriptors.
pub fn append<T: Serialize>(message: &T, descriptors: usize, out: &mut Vec<u8>) -> Result<(), FrameError> {
    if descriptors > MOST_DESCRIPTORS {
        return Err(FrameError::TooManyDescriptors(descriptors));
    }
    let start = out.len();
    out.resize(start + HEADER, 0);
    if postcard::serialize_with_flavor(message, Tail(out)).is_err() {
        out.truncate(start);
        return Err(FrameError::Payload);
    }
    let length = out.len() - start - HEADER;
    if length > MOST_PAYLOAD {
        out.truncate(start);
        return Err(FrameError::TooLong(length));
    }
    let word = (length as u32 | (descriptors as u32) << 24).to_le_bytes();
    let checksum = checksum(word, &out[start + HEADER..]);
    out[start..start + 4].copy_from_slice(&word);
    out[start + 4..start + HEADER].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

/// One frame at the head of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The encoded message.
    pub payload: &'a [u8],
    /// How many descriptors travel with it.
    pub descriptors: usize,
}

impl Frame<'_> {
    /// The message in the payload.
    ///
    /// # Errors
    /// If the payload is not exactly one message of this type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        match postcard::take_from_bytes(self.payload) {
            Ok((message, [])) => Ok(message),
            _ => Err(FrameError::Payload),
        }
    }

    /// Length of the whole frame, in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        HEADER + self.payload.len()
    }
}

/// The frame that `bytes` begin with; `None` if its end has not come yet.
///
/// # Errors
/// If these bytes are not the beginning of a frame, however many follow.
pub fn first(bytes: &[u8]) -> Result<Option<Frame<'_>>, FrameError> {
    let Some((word, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let length = (u32::from_le_bytes(*word) & 0x00ff_ffff) as usize;
    let descriptors = usize::from(word[3]);
    if length > MOST_PAYLOAD {
        return Err(FrameError::TooLong(length));
    }
    if descriptors > MOST_DESCRIPTORS {
        return Err(FrameError::TooManyDescriptors(descriptors));
    }
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    if checksum(*word, payload) != u32::from_le_bytes(*sum) {
        return Err(FrameError::Checksum);
    }
    Ok(Some(Frame { payload, descriptors }))
}

fn checksum(word: [u8; 4], payload: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&word), payload)
}

/// Lets postcard write behind what a vector holds.
struct Tail<'a>(&'a mut Vec<u8>);

impl Flavor for Tail<'_> {
    type Output = ();
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Bytes that came in and are not yet read as frames.
///
/// Holds at most one unfinished frame and one read, if its owner takes out all whole frames before it reads on.
#[derive(Debug, Default)]
pub struct Incoming {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Incoming {
    /// Where the next bytes are to be read into: never empty.
    pub fn room(&mut self) -> &mut [u8] {
        if self.bytes.len() - self.end < READ {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.bytes.resize(self.bytes.len().max(self.end + READ), 0);
        }
        &mut self.bytes[self.end..]
    }

    /// Notes that the first `count` bytes of [`room`](Self::room) hold input now.
    ///
    /// # Panics
    /// If there was less room than that.
    pub fn filled(&mut self, count: usize) {
        assert!(count <= self.bytes.len() - self.end, "more bytes than there was room for");
        self.end += count;
    }

    /// The next message and the number of descriptors that came with it; `None` until more bytes come.
    ///
    /// # Errors
    /// If the bytes are not a frame with such a message. Nothing that follows on this stream can be trusted then.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<(T, usize)>, FrameError> {
        let Some(frame) = first(&self.bytes[self.start..self.end])? else { return Ok(None) };
        let message = (frame.decode()?, frame.descriptors);
        self.start += frame.length();
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(message: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        append(&message, 0, &mut bytes).unwrap();
        bytes
    }

    fn feed(incoming: &mut Incoming, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = incoming.room();
            let count = room.len().min(bytes.len());
            room[..count].copy_from_slice(&bytes[..count]);
            incoming.filled(count);
            bytes = &bytes[count..];
        }
    }

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in_however_the_bytes_are_cut(
            messages in proptest::collection::vec(".{0,60}", 0..20), cuts in proptest::collection::vec(1usize..50, 1..200),
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
            let mut incoming = Incoming::default();
            let mut got: Vec<String> = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break }
                let (now, later) = rest.split_at(rest.len().min(*cut));
                feed(&mut incoming, now);
                while let Some((message, 0)) = incoming.take::<String>().unwrap() { got.push(message) }
                rest = later;
            }
            prop_assert_eq!(got, messages);
        }

        #[test]
        fn a_changed_bit_is_noticed(message in ".{0,60}", bit in any::<prop::sample::Index>()) {
            let mut bytes = frame(&message);
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!matches!(first(&bytes), Ok(Some(_))));
        }
    }

    #[test]
    fn a_length_beyond_the_bound_is_refused_before_the_bytes_are_awaited() {
        assert_eq!(first(&[0xff, 0xff, 0xff, 0]), Err(FrameError::TooLong(0x00ff_ffff)));
        assert_eq!(first(&[1, 0, 0, 200]), Err(FrameError::TooManyDescriptors(200)));
    }

    #[test]
    fn a_message_beyond_the_bound_leaves_no_trace() {
        let mut out = frame("before");
        let before = out.clone();
        assert!(matches!(append(&"x".repeat(MOST_PAYLOAD), 0, &mut out), Err(FrameError::TooLong(_))));
        assert_eq!(out, before);
    }

    #[test]
    fn a_payload_with_a_tail_is_not_a_message() {
        let mut bytes = Vec::new();
        append(&("a", "b"), 0, &mut bytes).unwrap();
        assert_eq!(first(&bytes).unwrap().unwrap().decode::<String>(), Err(FrameError::Payload));
    }
}
