//! Field data: what went down and came up when, and what was under observation all that time.
//!
//! One event a line, in one of three forms; the first line that is no remark says which:
//! ```text
//! # text: time, component, event
//! 2026-01-01T00:00:00Z       *      begin
//! 2026-02-03T04:05:06+01:00  sip-a  down
//! 2026-02-03T04:05:09+01:00  sip-a  up
//! 2026-12-31T24:00:00Z       *      end
//! ```
//! ```text
//! time,component,event                      <- CSV: this header, in any order; other columns are passed over
//! 2026-02-03T04:05:06.25Z,"sip-a",down
//! ```
//! ```text
//! {"time": "2026-02-03T04:05:06.25Z", "component": "sip-a", "event": "down"}     <- JSON lines; other fields are passed over
//! ```
//! | event | means |
//! |---|---|
//! | `begin` | the observation of the component begins, and it is up |
//! | `begin-down` | the same, and it is down |
//! | `down`, `up` | it fails, it is repaired |
//! | `end` | the observation ends; a later `begin` starts another, so that time without observation counts as neither. What is up or down then counts as such until then, and as no failure and no repair |
//!
//! The component `*` stands for all that the log names, at `begin` and `end`. A unit to which nothing happened is named by a
//! line such as `disk-7 begin` at the instant of `* begin`: without one nobody knows of it, and its hours are missing. A unit that
//! begins later than `* begin`, by its own first line, is observed since then; one that ends before `* end`, until then. A
//! unit may `end` at the instant at which it goes down, if the observation went on until that failure. Times are in any form
//! of ISO 8601 with a zone (see [`instant`]). Lines stand in the order of time. A log that misses something is refused at the
//! line where that shows: nothing is guessed.

mod history;
mod read;
mod time;

pub use history::{EventLog, History, Spell};
pub use read::{Event, Record, records};
pub use time::instant;
