//! What goes over one path of a bundle.

use model::{Span, Time};

/// One packet. All of them say up to which message their sender has heard, as `confirms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// A message of the bundle's owner, with its number from 1.
    Message { confirms: u64, number: u64, bytes: &'a [u8] },
    /// Nothing but what it confirms.
    Confirm { confirms: u64 },
    /// A heartbeat of this path.
    Beat { confirms: u64, said: Time, echo: Option<Echo> },
}

/// A beat of the other side comes back, so that it learns how long the way there and back is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Echo {
    /// When it was said, by the clock of who said it.
    pub(super) said: Time,
    /// How long it lay here, by the clock of who sends it back.
    pub(super) lay: Span,
}

/// The octets are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what came on the path is not a packet of a bundle")]
pub struct Malformed;

const MESSAGE: u8 = 1;
const CONFIRM: u8 = 2;
const BEAT: u8 = 3;
/// Octets of a number.
const NUMBER: usize = 8;

impl<'a> Packet<'a> {
    /// The packet as octets; a beat is filled up to `length`, so that it takes the way of long messages.
    pub(super) fn encode(&self, length: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + 4 * NUMBER);
        let mut write = |kind: u8, numbers: &[u64]| {
            out.push(kind);
            numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        };
        match self {
            Self::Message { confirms, number, bytes } => {
                write(MESSAGE, &[*confirms, *number]);
                out.extend_from_slice(bytes);
            }
            Self::Confirm { confirms } => write(CONFIRM, &[*confirms]),
            Self::Beat { confirms, said, echo } => {
                let (echoed, lay) = echo.map_or((Time::NEVER, Span::ZERO), |echo| (echo.said, echo.lay));
                write(BEAT, &[*confirms, said.as_micros(), echoed.as_micros(), lay.as_micros()]);
                out.resize(out.len().max(length), 0);
            }
        }
        out
    }

    /// Up to which message the sender has heard.
    pub(super) const fn confirms(&self) -> u64 {
        match self {
            Self::Message { confirms, .. } | Self::Confirm { confirms } | Self::Beat { confirms, .. } => *confirms,
        }
    }

    /// Reads a packet.
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (kind, mut rest) = bytes.split_first().ok_or(Malformed)?;
        let mut number = || {
            let (head, tail) = rest.split_first_chunk::<NUMBER>().ok_or(Malformed)?;
            rest = tail;
            Ok(u64::from_le_bytes(*head))
        };
        let confirms = number()?;
        Ok(match *kind {
            MESSAGE => {
                let number = number()?;
                Self::Message { confirms, number, bytes: rest }
            }
            CONFIRM => Self::Confirm { confirms },
            BEAT => {
                let (said, echoed, lay) = (number()?, number()?, number()?);
                let echoed = Time::from_micros(echoed);
                let echo = (echoed < Time::NEVER).then_some(Echo { said: echoed, lay: Span::from_micros(lay) });
                Self::Beat { confirms, said: Time::from_micros(said), echo }
            }
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_as_they_were_and_pieces_of_them_do_not() {
        let said = Time::from_micros(5);
        let echo = Echo { said: Time::from_micros(3), lay: Span::from_micros(1) };
        let packets = [
            Packet::Message { confirms: 1, number: 2, bytes: b"three" },
            Packet::Message { confirms: 1, number: 2, bytes: b"" },
            Packet::Confirm { confirms: u64::MAX },
            Packet::Beat { confirms: 4, said, echo: None },
            Packet::Beat { confirms: 4, said, echo: Some(echo) },
        ];
        for packet in packets {
            let bytes = packet.encode(0);
            assert_eq!(Packet::decode(&bytes), Ok(packet));
            let head = if let Packet::Message { .. } = packet { 17 } else { bytes.len() };
            for length in 0..head {
                assert_eq!(Packet::decode(&bytes[..length]), Err(Malformed), "{packet:?} cut to {length}");
            }
        }
        let long = Packet::Beat { confirms: 4, said, echo: None };
        assert_eq!(long.encode(4_000).len(), 4_000);
        assert_eq!(Packet::decode(&long.encode(4_000)), Ok(long));
        assert_eq!(Packet::decode(&[9; 40]), Err(Malformed));
    }
}
