//! What happened: a hash of every step, and on demand a ladder for people.

use std::fmt::Write as _;

use model::Time;

/// A column of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The faults and the checkers.
    World,
    /// The control server of the solution.
    Control,
    /// One side of a pair: the pair's number, then 0 or 1.
    Server(u8, u8),
    /// A client or a phone.
    Client(u8),
}

/// The steps so far.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    ladder: Option<Vec<Step>>,
    names: Vec<(Actor, String)>,
}

#[derive(Debug)]
struct Step {
    at: Time,
    from: Actor,
    to: Actor,
    text: String,
}

const WIDTH: usize = 22;

impl Trace {
    /// A trace that keeps a ladder if it is asked to.
    #[must_use]
    pub fn new(with_ladder: bool) -> Self {
        Self { hash: 0, ladder: with_ladder.then(Vec::new), names: Vec::new() }
    }

    /// Gives a column its heading; columns stand in the order of these calls.
    pub fn name(&mut self, actor: Actor, name: impl Into<String>) {
        self.names.push((actor, name.into()));
    }

    /// Something happened at one place. `code` says what, for the hash.
    pub fn mark(&mut self, at: Time, actor: Actor, code: u64, text: impl FnOnce() -> String) {
        self.arrow(at, actor, actor, code, text);
    }

    /// Something went from one place to another.
    pub fn arrow(&mut self, at: Time, from: Actor, to: Actor, code: u64, text: impl FnOnce() -> String) {
        let mixed = (self.hash ^ at.as_micros()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.hash = (mixed ^ (mixed >> 29) ^ code).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        if let Some(ladder) = &mut self.ladder {
            ladder.push(Step { at, from, to, text: text() });
        }
    }

    /// The hash of everything that happened: two runs of one seed have the same.
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// The ladder, a column for each name; empty if none was kept.
    #[must_use]
    pub fn ladder(&self) -> String {
        let mut text = String::new();
        let heading: String = self.names.iter().map(|(_, name)| format!("{name:^WIDTH$}")).collect();
        let _ = writeln!(text, "{:>12} {heading}", "seconds");
        for step in self.ladder.iter().flatten() {
            let _ = writeln!(text, "{:>12} {}", step.at.to_string(), self.row(step));
        }
        text
    }

    fn column(&self, actor: Actor) -> Option<usize> {
        self.names.iter().position(|(name, _)| *name == actor)
    }

    fn row(&self, step: &Step) -> String {
        let (Some(from), Some(to)) = (self.column(step.from), self.column(step.to)) else {
            return format!("-- {} --", step.text);
        };
        let mut row: Vec<char> = (0..self.names.len() * WIDTH).map(|at| if is_life(at) { '|' } else { ' ' }).collect();
        let (left, right) = (middle(from.min(to)), middle(from.max(to)));
        if left == right {
            write_over(&mut row, left, &format!("* {}", step.text));
        } else {
            row[left + 1..right].fill('-');
            if from < to {
                row[right - 1] = '>';
            } else {
                row[left + 1] = '<';
            }
            write_over(&mut row, left + 3, &format!(" {} ", step.text));
        }
        row.into_iter().collect::<String>().trim_end().to_owned()
    }
}

const fn middle(column: usize) -> usize {
    column * WIDTH + WIDTH / 2
}

const fn is_life(at: usize) -> bool {
    at % WIDTH == WIDTH / 2
}

fn write_over(row: &mut Vec<char>, at: usize, text: &str) {
    for (place, letter) in (at..).zip(text.chars()) {
        match row.get_mut(place) {
            Some(cell) => *cell = letter,
            None => row.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_draws_arrows_between_named_columns() {
        let mut trace = Trace::new(true);
        trace.name(Actor::Client(0), "alice");
        trace.name(Actor::Server(0, 0), "sip-a");
        trace.arrow(Time::from_micros(7), Actor::Client(0), Actor::Server(0, 0), 1, || "INVITE".into());
        trace.mark(Time::from_micros(9), Actor::Server(0, 0), 2, || "killed".into());
        let ladder = trace.ladder();
        assert!(ladder.contains("|-- INVITE ---------->|"), "{ladder}");
        assert!(ladder.contains("* killed"), "{ladder}");
    }

    #[test]
    fn the_hash_does_not_depend_on_the_ladder() {
        let hash = |with_ladder| {
            let mut trace = Trace::new(with_ladder);
            trace.mark(Time::from_micros(1), Actor::World, 5, String::new);
            trace.hash()
        };
        assert_eq!(hash(true), hash(false));
    }
}
