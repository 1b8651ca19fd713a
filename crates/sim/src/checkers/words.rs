//! What the ends of a call say to each other within the dialog arrives once, and whoever is told that it arrived was
//! told so by the other end.

use std::collections::BTreeMap;

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "words relayed";

/// Every word that was said.
#[derive(Debug, Default)]
pub struct Words {
    said: BTreeMap<String, Word>,
}

#[derive(Debug, Default)]
struct Word {
    heard: u32,
    /// The servers began from cold meanwhile, and may have forgotten that they had passed it on.
    excused: bool,
}

impl Words {
    /// The servers began from cold.
    pub fn forget(&mut self) {
        self.said.values_mut().for_each(|word| word.excused = true);
    }

    /// An end says something.
    pub fn says(&mut self, word: String) {
        self.said.insert(word, Word::default());
    }

    /// A phone hears something.
    ///
    /// # Errors
    /// If nobody said it, or if it was heard before.
    pub fn hears(&mut self, phone: u8, word: &str) -> Verdict {
        let Some(known) = self.said.get_mut(word) else {
            return Err(format!("phone {phone} hears `{word}`, which nobody has said"));
        };
        known.heard += 1;
        if known.heard > 1 && !known.excused {
            return Err(format!("phone {phone} hears `{word}` a second time"));
        }
        Ok(())
    }

    /// Who said it is told that it has arrived; `echoed` if the answer is that of who heard it.
    ///
    /// # Errors
    /// If it has not, or if somebody else says so.
    pub fn understood(&self, phone: u8, word: &str, echoed: bool) -> Verdict {
        match self.said.get(word) {
            Some(known) if known.heard > 0 && echoed => Ok(()),
            Some(known) if known.heard > 0 => Err(format!("the answer to `{word}` of phone {phone} is not its own")),
            _ => Err(format!("phone {phone} is told that `{word}` has arrived, which nobody has heard")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_notices_words_that_are_lost_repeated_and_invented() {
        let mut words = Words::default();
        words.says("one".to_owned());
        words.understood(0, "one", true).unwrap_err();
        words.hears(1, "one").unwrap();
        words.understood(0, "one", true).unwrap();
        words.understood(0, "one", false).unwrap_err();
        words.hears(1, "one").unwrap_err();
        words.hears(1, "two").unwrap_err();
        words.forget();
        words.hears(1, "one").unwrap();
    }
}
