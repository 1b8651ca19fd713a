//! The last word of a primary that has ended, as it goes to its backup on another host (rule 18 of the protocol).
//!
//! The primary leaves its pledge in its pulse. When the kernel says that its serving thread has ended, the local control agent reads the
//! pledge there and writes it behind whatever the primary had written on its connections to the backup. That is in the midst of a
//! TLS connection of which the agent has the socket and not the keys, so it writes what TLS cannot read, and signs it with a key that
//! both ends of that connection derive from it (RFC 5705, RFC 8446 7.5) and that the primary gave to the agent beforehand: nobody
//! else can say this word, nor say it on another connection. The backup looks for it in the last octets of a connection that has broken.

use std::fmt;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What the key is derived for.
pub(crate) const LABEL: &[u8] = b"EXPORTER-everline-last-word";
/// A record of TLS that holds a word: it makes sure that the reader waits for the whole of it before it cannot be decrypted.
const HEADER: [u8; 5] = [23, 3, 3, 0, (REVISION + SIGNATURE) as u8];
const REVISION: usize = 8;
const SIGNATURE: usize = 32;
/// Length of a word on the connection.
const LENGTH: usize = HEADER.len() + REVISION + SIGNATURE;

/// What a last word on one connection is signed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key(pub(crate) [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// The word that the primary asked for nothing since this revision.
    #[must_use]
    pub fn word(&self, revision: u64) -> Vec<u8> {
        let signature = self.signing(revision).finalize().into_bytes();
        [&HEADER[..], &revision.to_be_bytes(), &signature].concat()
    }

    fn signing(&self, revision: u64) -> Hmac<Sha256> {
        let signing = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("any length will do"));
        signing.chain_update(revision.to_be_bytes())
    }
}

/// The last octets of a connection, as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Vec<u8>);

impl Tail {
    pub(crate) fn came(&mut self, octets: &[u8]) {
        let new = &octets[octets.len().saturating_sub(LENGTH)..];
        let kept = LENGTH.saturating_sub(new.len()).min(self.0.len());
        self.0.drain(..self.0.len() - kept);
        self.0.extend_from_slice(new);
    }

    /// The revision of the word with which the connection has ended, if it has with one.
    pub(crate) fn last_word(&self, key: &Key) -> Option<u64> {
        let rest = self.0.strip_prefix(&HEADER)?;
        let (revision, signature) = rest.split_first_chunk::<REVISION>()?;
        let revision = u64::from_be_bytes(*revision);
        key.signing(revision).verify_slice(signature).is_ok().then_some(revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_however_it_comes_and_only_at_the_end() {
        let key = Key([7; 32]);
        let word = key.word(11);
        assert_eq!(word.len(), LENGTH);
        for step in [1, 2, 44, 45, 46, 1_000] {
            let mut tail = Tail::default();
            [&[9; 100], &word[..]].concat().chunks(step).for_each(|octets| tail.came(octets));
            assert_eq!((tail.last_word(&key), tail.last_word(&Key([8; 32]))), (Some(11), None), "{step}");
            tail.came(&[0]);
            assert_eq!(tail.last_word(&key), None);
        }
    }

    #[test]
    fn a_word_that_was_changed_or_cut_is_none() {
        let key = Key([7; 32]);
        for at in 0..LENGTH {
            let (mut changed, mut cut) = (Tail::default(), Tail::default());
            let mut word = key.word(11);
            cut.came(&word[..at]);
            word[at] ^= 1;
            changed.came(&word);
            assert_eq!((changed.last_word(&key), cut.last_word(&key)), (None, None), "{at}");
        }
    }
}
