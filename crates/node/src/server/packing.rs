//! Packs the messages of a link: each changed record goes over it whole, and is much like what it was before.
//!
//! A link delivers each message once and in order, so one stream is packed across all of them, and each is whole by itself
//! for whoever has had those before. The fewer octets a call costs, the less a stream over a long way has to grow first.

use std::io::{self, Write as _};

use zstd::stream::write::{Decoder, Encoder};

/// The fastest that still finds what was there before.
const LEVEL: i32 = 1;
/// Octets that are unpacked before it is looked how much has come of them.
const PIECE: usize = 4_096;

/// The packing end.
pub(super) struct Packer(Encoder<'static, Vec<u8>>);

impl Packer {
    /// Begins a stream.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Encoder::new(Vec::new(), LEVEL)?))
    }

    /// Packs the next message.
    ///
    /// # Errors
    /// If the library fails.
    pub(super) fn pack(&mut self, message: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(message)?;
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()))
    }
}

/// The unpacking end.
pub(super) struct Unpacker {
    stream: Decoder<'static, Vec<u8>>,
    /// Octets that a message may have.
    longest: usize,
}

impl Unpacker {
    /// Begins a stream.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn new(longest: usize) -> io::Result<Self> {
        Ok(Self { stream: Decoder::new(Vec::new())?, longest })
    }

    /// Unpacks the next message.
    ///
    /// # Errors
    /// If it was not packed by [`Packer`] as the next one, or is too long.
    pub(super) fn unpack(&mut self, packed: &[u8]) -> io::Result<Vec<u8>> {
        for piece in packed.chunks(PIECE) {
            self.stream.write_all(piece)?;
            if self.stream.get_ref().len() > self.longest {
                return Err(io::Error::other("a message of the link is too long"));
            }
        }
        self.stream.flush()?;
        Ok(std::mem::take(self.stream.get_mut()))
    }
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packer")
    }
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unpacker")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_one_by_one_as_they_went_in() {
        let (mut packer, mut unpacker) = (Packer::new().unwrap(), Unpacker::new(1 << 20).unwrap());
        let large: Vec<u8> = (0..500_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for message in [&b""[..], b"a", b"sip:1001@example.com", b"sip:1001@example.com", &large, b"", b"b"] {
            assert_eq!(unpacker.unpack(&packer.pack(message).unwrap()).unwrap(), message);
        }
    }

    #[test]
    fn what_was_there_before_costs_little() {
        let mut packer = Packer::new().unwrap();
        let message: Vec<u8> = (0..2_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let (first, second) = (packer.pack(&message).unwrap().len(), packer.pack(&message).unwrap().len());
        assert!(second * 20 < first, "{first} {second}");
    }

    #[test]
    fn damage_and_excess_are_refused() {
        assert!(Unpacker::new(100).unwrap().unpack(b"no packed message").is_err());
        let packed = Packer::new().unwrap().pack(&[0; 10_000_000]).unwrap();
        assert!(Unpacker::new(1 << 20).unwrap().unpack(&packed).is_err());
        assert_eq!(Unpacker::new(1 << 24).unwrap().unpack(&packed).unwrap().len(), 10_000_000);
    }
}
