//! The clocks of this host.

use model::Time;
use nix::time::{ClockId, clock_gettime};

/// The monotonic clock: microseconds since some moment before the host's applications began.
#[must_use]
pub fn now() -> Time {
    read(ClockId::CLOCK_MONOTONIC)
}

/// The time of day: microseconds since 1970-01-01 UTC.
#[must_use]
pub fn of_day() -> Time {
    read(ClockId::CLOCK_REALTIME)
}

fn read(clock: ClockId) -> Time {
    // Both clocks exist on every Linux, and none of them was before 1970.
    clock_gettime(clock).map_or(Time::ZERO, |time| {
        Time::from_micros(time.tv_sec().unsigned_abs() * 1_000_000 + time.tv_nsec().unsigned_abs() / 1_000)
    })
}
