//! The ways by which this side reaches others. When one comes back, whoever was cut off with it may have missed who has a virtual
//! address.

use model::{Span, Time};

/// What comes and goes is told once in so long. An address is announced for longer than that after each time
/// ([`network::address::Announcer`]), so that nobody who comes back in between misses it.
const PAUSE: Span = Span::from_secs(1);

/// Which of them stood at the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ways {
    /// One bit for each.
    stood: u64,
    /// No return is told before.
    next: Time,
}

impl Ways {
    /// They stand so at `now`, always in the same order; those that are left out at the end do not. True if one has come back
    /// since the last look, or stands for the first time.
    pub(super) fn see(&mut self, now: Time, stand: impl IntoIterator<Item = bool>) -> bool {
        let bit = |(way, stands): (usize, bool)| u64::from(stands).checked_shl(way as u32).unwrap_or_default();
        let stand = stand.into_iter().enumerate().map(bit).fold(0, |all, one| all | one);
        let before = std::mem::replace(&mut self.stood, stand);
        let is_told = stand & !before != 0 && self.next <= now;
        if is_told {
            self.next = now + PAUSE;
        }
        is_told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn what_comes_back_is_told_and_what_goes_or_stays_is_not() {
        let mut ways = Ways::default();
        assert!(ways.see(at(0), [true, true, true]), "all are new");
        assert!(!ways.see(at(10_000), [true, true, true]));
        assert!(!ways.see(at(11_000), [true, false, true]));
        assert!(!ways.see(at(12_000), [true, false, true]));
        assert!(ways.see(at(13_000), [true, true, true]));
        assert!(!ways.see(at(13_025), [true, true, true]), "once");
    }

    #[test]
    fn one_comes_back_while_another_goes() {
        let mut ways = Ways::default();
        ways.see(at(0), [true, false]);
        assert!(ways.see(at(2_000), [false, true]));
    }

    #[test]
    fn a_link_that_is_made_anew_comes_back() {
        let mut ways = Ways::default();
        ways.see(at(0), [true, true, true]);
        assert!(!ways.see(at(2_000), [true]), "its networks are gone with it");
        assert!(ways.see(at(3_000), [true, false, true]));
    }

    #[test]
    fn what_comes_and_goes_is_told_once_a_second() {
        let mut ways = Ways::default();
        let told = (0..=100_u64).filter(|step| ways.see(at(step * 50), [step % 2 == 0]));
        assert_eq!(told.collect::<Vec<_>>(), [0, 20, 40, 60, 80, 100]);
    }

    #[test]
    fn there_is_room_for_more_than_anybody_has() {
        let mut ways = Ways::default();
        assert!(ways.see(at(0), [true; 64]));
        assert!(!ways.see(at(2_000), [true; 100]), "the rest is left out");
    }
}
