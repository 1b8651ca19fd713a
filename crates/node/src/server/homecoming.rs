//! How a primary goes over from a spare to the member that the spare stands in for.

use model::{Span, Time};

/// For so long the spare leaves its place to a member that has called: as long as that one takes to be level.
const AWAITED: Span = Span::from_secs(5);
/// A member that has not come in that time gets the place of the spare again only after so long from its first call. One that
/// calls and never comes, as nothing but its calls passes, would keep the pair without a backup.
const AGAIN: Span = Span::from_secs(30);

/// When a member last began to come home.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Homecoming(Option<Time>);

impl Homecoming {
    /// A member calls while the spare has its place; true if it is to have it.
    pub(super) fn calls(&mut self, now: Time) -> bool {
        if self.0.is_none_or(|begun| begun + AGAIN <= now) {
            self.0 = Some(now);
        }
        self.is_awaited(now)
    }

    /// Whether the place is kept for it.
    pub(super) fn is_awaited(self, now: Time) -> bool {
        self.0.is_some_and(|begun| now < begun + AWAITED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn a_member_that_never_comes_leaves_the_pair_without_a_backup_for_a_sixth_of_the_time() {
        let mut homecoming = Homecoming::default();
        assert!(!homecoming.is_awaited(at(0)));
        let awaited: Vec<u64> = (10..75).filter(|second| homecoming.calls(at(*second))).collect();
        assert_eq!(awaited, [10, 11, 12, 13, 14, 40, 41, 42, 43, 44, 70, 71, 72, 73, 74]);
    }
}
