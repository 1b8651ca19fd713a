//! How long to wait before an application is started again.

use model::Span;

/// A run that served this long was a good one: whatever ended it, the next start is a first one again.
pub const GOOD_RUN: Span = Span::from_secs(10);
/// Runs that may end early, one after another, and are replaced at once nevertheless: somebody kills them.
pub const FREE: u32 = 20;
/// The first pause; it doubles with each further run that ends early.
pub const FIRST_PAUSE: Span = Span::from_millis(100);
/// The longest pause after runs that have served, so that a pair does not stay without its backup for long.
pub const LONGEST_AFTER_SERVING: Span = Span::from_secs(1);
/// The longest pause after runs that did not even start: a port is in use, a file is damaged.
pub const LONGEST_AFTER_FAILING: Span = Span::from_secs(10);

/// The history of one application, as far as it matters for the next start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restart {
    early_ends: u32,
    failed_starts: u32,
}

impl Restart {
    /// A run has ended that had served for this long (`None`: it never came to that). Gives the pause before the next.
    pub fn ended(&mut self, served: Option<Span>) -> Span {
        match served {
            Some(served) if served >= GOOD_RUN => *self = Self::default(),
            Some(_) => {
                self.failed_starts = 0;
                self.early_ends = self.early_ends.saturating_add(1);
            }
            None => self.failed_starts = self.failed_starts.saturating_add(1),
        }
        let early = doubling(self.early_ends.saturating_sub(FREE), LONGEST_AFTER_SERVING);
        early.max(doubling(self.failed_starts, LONGEST_AFTER_FAILING))
    }
}

/// No pause for none, then the first pause, doubled for each further one, up to the longest.
fn doubling(count: u32, longest: Span) -> Span {
    let Some(times) = count.checked_sub(1) else { return Span::ZERO };
    FIRST_PAUSE.times(1 << times.min(16)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pauses in milliseconds after runs that served so many milliseconds.
    fn pauses(runs: impl IntoIterator<Item = Option<u64>>) -> Vec<u64> {
        let mut restart = Restart::default();
        runs.into_iter().map(|served| restart.ended(served.map(Span::from_millis)).as_millis()).collect()
    }

    #[test]
    fn a_server_that_is_killed_comes_back_at_once() {
        assert_eq!(pauses([Some(60_000); 30]), [0; 30]);
        assert_eq!(pauses([Some(500); 20]), [0; 20]);
    }

    #[test]
    fn a_server_that_keeps_dying_is_slowed_down_but_not_for_long() {
        assert_eq!(pauses([Some(500); 27])[20..], [100, 200, 400, 800, 1_000, 1_000, 1_000]);
    }

    #[test]
    fn a_start_that_fails_is_tried_less_and_less_often() {
        assert_eq!(pauses([None; 10]), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
        assert_eq!(pauses([None; 100]).last(), Some(&10_000));
    }

    #[test]
    fn a_run_that_serves_forgives_what_was_before() {
        assert_eq!(pauses([None, None, Some(500), None]), [100, 200, 0, 100]);
        let runs = std::iter::repeat_n(Some(500), 21).chain([Some(10_000), Some(500)]);
        assert_eq!(pauses(runs)[20..], [100, 0, 0]);
    }
}
