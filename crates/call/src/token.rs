//! The names that this server draws: tags, branches, Call-IDs.
//!
//! Each carries the number of its call, so that a message finds its call without an index, and an unguessable part,
//! so that only those who were told it can speak.

use std::fmt;

use sip::message::BRANCH_COOKIE;

use crate::draw::Draw;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The tag of a dialog with the caller.
    Caller,
    /// The tag of a leg to a callee.
    Callee,
    /// The Call-ID of a leg to a callee.
    CallId,
    /// The branch of a request of ours.
    Branch,
}

impl Kind {
    const ALL: [(Self, char); 4] = [(Self::Caller, 'a'), (Self::Callee, 'b'), (Self::CallId, 'i'), (Self::Branch, 't')];
}

/// One name: `b1.10000000007.8f14e45fceea167a`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Number of the call.
    pub(crate) call: u64,
    /// Number of the dialog, leg or transaction within the call.
    pub(crate) part: u32,
    /// The unguessable part.
    pub(crate) chance: u64,
}

impl Token {
    pub(crate) fn draw(kind: Kind, call: u64, part: u32, draw: &mut Draw) -> Self {
        Self { kind, call, part, chance: draw.number() }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut letters = text.chars();
        let letter = letters.next()?;
        let kind = Kind::ALL.iter().find(|(_, known)| *known == letter)?.0;
        let mut parts = letters.as_str().split('.');
        let (part, call, chance) = (parts.next()?, parts.next()?, parts.next()?);
        let token = Self {
            kind,
            call: u64::from_str_radix(call, 16).ok()?,
            part: u32::from_str_radix(part, 16).ok()?,
            chance: u64::from_str_radix(chance, 16).ok()?,
        };
        parts.next().is_none().then_some(token)
    }

    /// Reads a branch of ours.
    pub(crate) fn parse_branch(branch: &str) -> Option<Self> {
        branch.strip_prefix(BRANCH_COOKIE).and_then(Self::parse).filter(|token| token.kind == Kind::Branch)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = Kind::ALL.iter().find(|(kind, _)| *kind == self.kind).map_or('?', |(_, letter)| *letter);
        write!(f, "{letter}{:x}.{:x}.{:016x}", self.part, self.call, self.chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let mut draw = Draw::new(7);
        for (kind, _) in Kind::ALL {
            let token = Token::draw(kind, 1 << 40 | 9, 300, &mut draw);
            assert_eq!(Token::parse(&token.to_string()), Some(token));
            assert_eq!(Token::parse_branch(&format!("z9hG4bK{token}")).is_some(), kind == Kind::Branch);
        }
    }

    #[test]
    fn other_names_are_not_ours() {
        for text in ["", "a", "a1", "a1.2", "a1.2.3.4", "x1.2.3", "a1.2.g", "1928301774", "ä1.2.3"] {
            assert_eq!(Token::parse(text), None, "{text}");
        }
    }
}
