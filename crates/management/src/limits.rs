//! How near a process is to what it may use: files and sockets, memory.
//!
//! From [`ALARM`] on people are told. From [`CRITICAL`] on a primary hands over to its backup, as long as that helps: the next
//! file that cannot be opened would be a phone that cannot connect, the next page that is not there the end of the process.

use model::{Span, Time};

/// How often to look.
pub const LOOK_EVERY: Span = Span::from_secs(1);
/// From here on people are told, in percent of what there is.
pub const ALARM: u64 = 80;
/// The same of the memory of a whole host, of which others use the most.
pub const ALARM_OF_HOST: u64 = 90;
/// What was told is over below so many percent less, so that it does not come and go.
const SLACK: u64 = 5;
/// From here on a primary hands over.
pub const CRITICAL: u64 = 95;
/// Between two times that a primary hands over for this, and between its taking over and the first.
pub const PAUSE: Span = Span::from_secs(60);

/// How much is used of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// So much is used.
    pub used: u64,
    /// Of so much; zero if there is no limit.
    pub most: u64,
}

impl Use {
    /// In percent; zero without a limit.
    #[must_use]
    pub const fn percent(self) -> u64 {
        match self.used.saturating_mul(100).checked_div(self.most) {
            Some(percent) => percent,
            None => 0,
        }
    }
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is to be told, so long after it was fine last.
    Noticed(Span),
    /// It is over, after so long.
    Over(Span),
}

/// One limit that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    alarm: u64,
    percent: u64,
    fine_at: Option<Time>,
    told_at: Option<Time>,
}

impl Limit {
    /// A limit of which people are told from so many percent on.
    #[must_use]
    pub const fn new(alarm: u64) -> Self {
        Self { alarm, percent: 0, fine_at: None, told_at: None }
    }

    /// So much is used at `now`.
    pub fn see(&mut self, now: Time, used: Use) -> Option<Change> {
        self.percent = used.percent();
        match self.told_at {
            None if self.percent < self.alarm => self.fine_at = Some(now),
            None => {
                self.told_at = Some(now);
                return Some(Change::Noticed(now.since(self.fine_at.unwrap_or(now))));
            }
            Some(since) if self.percent + SLACK <= self.alarm => {
                (self.told_at, self.fine_at) = (None, Some(now));
                return Some(Change::Over(now.since(since)));
            }
            Some(_) => {}
        }
        None
    }

    /// True while people are told.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        self.told_at.is_some()
    }

    /// True if who could hand over should.
    #[must_use]
    pub const fn is_critical(&self) -> bool {
        self.percent >= CRITICAL
    }
}

/// The part that a process plays in its pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// None, or none that is known.
    None,
    /// It could take over.
    Backup,
    /// It serves; its backup could take over or not.
    Primary {
        /// It could.
        is_level: bool,
    },
}

/// When a process hands over because it is at a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandOver {
    was_backup: bool,
    /// It hands over [`PAUSE`] after this at the earliest.
    rests_since: Option<Time>,
}

impl HandOver {
    /// Whether it is to hand over now. One that has taken over keeps the role for [`PAUSE`] at least, so that two sides that are both
    /// at their limits do not pass it on to and fro.
    pub fn is_due(&mut self, now: Time, is_critical: bool, part: Part) -> bool {
        let Part::Primary { is_level } = part else {
            self.was_backup |= part == Part::Backup;
            return false;
        };
        if std::mem::take(&mut self.was_backup) {
            self.rests_since = Some(now);
        }
        let is_due = is_critical && is_level && self.rests_since.is_none_or(|since| now.since(since) >= PAUSE);
        if is_due {
            self.rests_since = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::from_micros(secs * 1_000_000)
    }

    #[test]
    fn it_is_told_at_four_fifths_and_over_when_there_is_some_room_again() {
        let mut limit = Limit::new(ALARM);
        let mut see = |second, used| limit.see(at(second), Use { used, most: 1_000 });
        assert_eq!([see(1, 799), see(2, 800)], [None, Some(Change::Noticed(Span::from_secs(1)))]);
        assert_eq!([see(3, 790), see(4, 810), see(5, 760), see(6, 790)], [None; 4], "it does not come and go");
        assert_eq!([see(7, 750), see(8, 799)], [Some(Change::Over(Span::from_secs(5))), None]);
        assert_eq!(see(9, 2_000), Some(Change::Noticed(Span::from_secs(1))));
        assert!(limit.is_told() && limit.is_critical());
    }

    #[test]
    fn without_a_limit_nothing_is_told() {
        let mut limit = Limit::new(ALARM);
        assert_eq!(limit.see(at(1), Use { used: u64::MAX, most: 0 }), None);
        assert!(!limit.is_critical());
        assert_eq!(Use { used: 948, most: 1_000 }.percent(), 94);
    }

    #[test]
    fn only_a_primary_with_a_level_backup_hands_over() {
        let due = |critical, part| HandOver::default().is_due(at(0), critical, part);
        assert!(due(true, Part::Primary { is_level: true }));
        assert!(!due(false, Part::Primary { is_level: true }) && !due(true, Part::Primary { is_level: false }));
        assert!(!due(true, Part::Backup) && !due(true, Part::None));
    }

    #[test]
    fn roles_change_once_a_minute_at_most_for_a_limit() {
        let mut hand_over = HandOver::default();
        let mut due = |second, part| hand_over.is_due(at(second), true, part);
        let primary = Part::Primary { is_level: true };
        assert_eq!([0, 1, 59, 60, 61].map(|second| due(second, primary)), [true, false, false, true, false]);
        assert!(!due(62, Part::Backup) && !due(300, primary), "it has just taken over");
        assert!(!due(359, primary) && due(360, primary));
    }
}
