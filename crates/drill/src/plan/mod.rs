//! Plans: which faults a drill makes, and how often each.
//!
//! A plan is a text that a tester reads without a manual, one step a line:
//!
//! ```text
//! # the backup of the SIP Server, then its primary
//! load 100 calls/s
//! hold 1000 calls
//! repeat 20
//! kill sip.backup
//! kill lca + sip.primary
//! cut h1 -> h2 on a,b for 5s
//! cut off @sip.primary on access for 32s
//! ```
//!
//! [`parse`](Plan::parse) reads it, and [`builtin`] has the usual ones.

pub mod builtin;
mod deed;
mod parse;
mod words;

use std::time::Duration;

pub use deed::{Deed, HostName, Role, Stretch, Target};

/// Calls a second where a plan says nothing else: the rate that the promises are made for.
pub const USUAL_RATE: u32 = 100;

/// The most calls a second that may be asked for: what one thread of phones still plays without being late itself.
pub const MOST_RATE: u32 = 500;

/// The most calls that may be held besides.
pub const MOST_HELD: u32 = 20_000;

/// The most runs of one step.
pub const MOST_RUNS: u32 = 1_000;

/// How long a fault lasts that is undone afterwards, where a plan says nothing else.
pub const USUAL_SPAN: Duration = Duration::from_secs(5);

/// A frozen process is woken after so long, where a plan says nothing else.
pub const USUAL_FREEZE: Duration = Duration::from_secs(10);

/// What a drill does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name: the file's, or that of a built-in one.
    pub name: String,
    /// Its text, as it was read.
    pub text: String,
    /// Calls a second.
    pub rate: u32,
    /// Calls that are begun first and stand to the end.
    pub held: u32,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The line as it was written, without a comment.
    pub text: String,
    /// Where it stands, from 1.
    pub line: usize,
    /// What is done.
    pub deed: Deed,
    /// How often.
    pub runs: u32,
}

/// Something in a plan that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column of the word, from 1, in characters.
    pub column: usize,
    /// The line as it stands.
    pub text: String,
    /// Characters of the word.
    pub length: usize,
    /// What is wrong.
    pub what: String,
    /// What is allowed there.
    pub allowed: String,
}

impl Problem {
    /// The problem as a person reads it, `name` being the plan's: where, what, the line with a mark, what is allowed.
    #[must_use]
    pub fn render(&self, name: &str) -> String {
        let Self { line, column, text, length, what, allowed } = self;
        let (space, mark) = (" ".repeat(column - 1), "^".repeat((*length).max(1)));
        format!("{name}:{line}:{column}: {what}\n  | {text}\n  | {space}{mark}\n  allowed: {allowed}")
    }
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// Every problem in it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        parse::plan(name, text)
    }

    /// How many faults it makes.
    #[must_use]
    pub fn runs(&self) -> u32 {
        self.steps.iter().map(|step| step.runs).sum()
    }
}

#[cfg(test)]
mod tests;
