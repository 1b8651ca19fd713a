//! What a descriptor in the loop's poll set stands for.

/// Bits of a token below the sort.
const NUMBER_BITS: u32 = 56;

/// The sort of descriptor, and which one of its sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The connection to the local control agent.
    Lca,
    /// The connection to the coordinator.
    Coordinator,
    /// The local socket where the other side of the pair and the control server call.
    Door,
    /// A connection of the control server.
    Control(u64),
    /// A connection whose first word has not come yet.
    Caller(u64),
    /// The link to the other side of the pair.
    Link,
    /// The witness of the other side's end.
    Witness,
    /// The other side wants its words to be heard at once.
    Bell,
    /// The set of all other sockets that inputs come from.
    Intake,
    /// The UDP listener with this number.
    Listener(u8),
    /// The set of everything that comes from another pair.
    Mail,
    /// The local socket where another pair calls.
    MailDoor,
    /// Another pair that called here.
    Guest,
    /// One side of the pair that is called from here.
    Partner(u8),
    /// Where the other side, on another host, dials over the network with this number.
    FarDoor(u8),
    /// A connection of another host whose first word has not come yet.
    FarGuest(u64),
    /// The link to the other side, on another host.
    FarLink,
}

impl Token {
    const fn encode(self) -> u64 {
        let (sort, number) = match self {
            Self::Lca => (0, 0),
            Self::Coordinator => (1, 0),
            Self::Door => (2, 0),
            Self::Control(number) => (3, number),
            Self::Caller(number) => (4, number),
            Self::Link => (5, 0),
            Self::Witness => (6, 0),
            Self::Intake => (7, 0),
            Self::MailDoor => (8, 0),
            Self::Guest => (9, 0),
            Self::Partner(number) => (10, number as u64),
            Self::Listener(number) => (11, number as u64),
            Self::Bell => (12, 0),
            Self::Mail => (13, 0),
            Self::FarDoor(number) => (14, number as u64),
            Self::FarGuest(number) => (15, number),
            Self::FarLink => (16, 0),
        };
        sort << NUMBER_BITS | number & ((1 << NUMBER_BITS) - 1)
    }

    pub(super) const fn decode(raw: u64) -> Option<Self> {
        let number = raw & ((1 << NUMBER_BITS) - 1);
        Some(match raw >> NUMBER_BITS {
            0 => Self::Lca,
            1 => Self::Coordinator,
            2 => Self::Door,
            3 => Self::Control(number),
            4 => Self::Caller(number),
            5 => Self::Link,
            6 => Self::Witness,
            7 => Self::Intake,
            8 => Self::MailDoor,
            9 => Self::Guest,
            10 => Self::Partner(number as u8),
            11 => Self::Listener(number as u8),
            12 => Self::Bell,
            13 => Self::Mail,
            14 => Self::FarDoor(number as u8),
            15 => Self::FarGuest(number),
            16 => Self::FarLink,
            _ => return None,
        })
    }
}

impl From<Token> for u64 {
    fn from(token: Token) -> Self {
        token.encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_went_in() {
        for token in [
            Token::Lca,
            Token::Caller(7),
            Token::Partner(1),
            Token::Control(3),
            Token::Listener(2),
            Token::Bell,
            Token::FarDoor(1),
        ] {
            assert_eq!(Token::decode(token.encode()), Some(token));
        }
        assert_eq!(Token::decode(u64::MAX), None);
    }
}
