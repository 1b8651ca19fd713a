//! How long something takes: a range to draw from.

use model::{Chance, Span};

/// A range of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The shortest, in microseconds.
    pub least: u64,
    /// The longest, in microseconds.
    pub most: u64,
}

impl Delay {
    /// Between `least` and `most` microseconds.
    #[must_use]
    pub const fn micros(least: u64, most: u64) -> Self {
        Self { least, most }
    }

    /// One span of the range. Short ones are likelier, as in life.
    pub fn draw(self, chance: &mut Chance) -> Span {
        let width = self.most.saturating_sub(self.least);
        let one = chance.below(width + 1);
        let other = chance.below(width + 1);
        Span::from_micros(self.least + one.min(other))
    }
}
