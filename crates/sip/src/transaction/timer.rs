//! The timers of RFC 3261, table 4, under their names.

use model::{Span, Time};
use serde::{Deserialize, Serialize};

/// Estimate of the round trip (RFC 3261 17.1.1.1).
pub const T1: Span = Span::from_millis(500);
/// Longest pause between two retransmissions of a non-INVITE request or an INVITE response (RFC 3261 17.1.2.2).
pub const T2: Span = Span::from_secs(4);
/// How long a message may stay in the network (RFC 3261 17.1.2.2).
pub const T4: Span = Span::from_secs(5);
/// How long an INVITE goes without any answer (RFC 3261 17.1.1.2).
pub const TIMER_B: Span = T1.times(64);
/// How long a refused INVITE client transaction acknowledges repeated answers over UDP (RFC 3261 17.1.1.2).
pub const TIMER_D: Span = Span::from_secs(32);
/// How long a non-INVITE request goes without a final answer (RFC 3261 17.1.2.2).
pub const TIMER_F: Span = T1.times(64);
/// How long an INVITE server transaction waits for the ACK of a refusal (RFC 3261 17.2.1).
pub const TIMER_H: Span = T1.times(64);
/// How long repeated ACKs are absorbed over UDP (RFC 3261 17.2.1).
pub const TIMER_I: Span = T4;
/// How long repeated non-INVITE requests get the same answer over UDP (RFC 3261 17.2.2).
pub const TIMER_J: Span = T1.times(64);
/// How long repeated non-INVITE answers are absorbed over UDP (RFC 3261 17.1.2.2).
pub const TIMER_K: Span = T4;
/// How long an answered INVITE server transaction absorbs repeated INVITEs, on every transport (RFC 6026 7.1).
pub const TIMER_L: Span = T1.times(64);
/// How long an answered INVITE client transaction takes further 2xx, on every transport (RFC 6026 7.2).
pub const TIMER_M: Span = T1.times(64);

/// When to send again, with pauses that double (Timers A, E and G, and the 2xx of RFC 3261 13.3.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    at: Time,
    pause: Span,
}

impl Repeat {
    /// Never.
    pub const NEVER: Self = Self { at: Time::NEVER, pause: Span::ZERO };

    /// For the first time T1 from now.
    #[must_use]
    pub fn begin(now: Time) -> Self {
        Self { at: now + T1, pause: T1 }
    }

    /// When to send again.
    #[must_use]
    pub const fn at(&self) -> Time {
        self.at
    }

    /// Sets the next moment after a repetition at `now`: twice the last pause, at most `most`.
    pub fn again(&mut self, now: Time, most: Span) {
        self.pause = self.pause.times(2).min(most);
        self.at = now + self.pause;
    }

    /// Sets the next moment one pause of this length from now, and keeps to it.
    pub fn stretch(&mut self, now: Time, pause: Span) {
        *self = Self { at: now + pause, pause };
    }
}

/// How long something is kept for the sake of repeated messages: not at all where the transport repeats nothing.
#[must_use]
pub(super) const fn unless_reliable(reliable: bool, span: Span) -> Span {
    if reliable { Span::ZERO } else { span }
}
