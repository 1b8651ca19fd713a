//! Progress: once the faults stop, everything that was begun comes to its end within a stated time.

use model::Span;

/// Name of the checker.
pub const NAME: &str = "progress";

/// How long after the last fault everything must be done. The longest chain: a request held back by a fault of almost a
/// second, the suspicion, a restart, a snapshot, and the slowest repetition of a client.
pub const PATIENCE: Span = Span::from_secs(12);

/// The same for calls: the longest timers of RFC 3261 one behind the other, for a caller who waits and gives up.
pub const CALLS_PATIENCE: Span = Span::from_secs(180);

/// What has not come to its end, for people.
#[must_use]
pub fn stuck(waiting: &[String]) -> String {
    format!("long after the faults stopped: {}", waiting.join("; "))
}
