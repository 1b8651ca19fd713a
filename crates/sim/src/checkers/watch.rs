//! A watch has no gap: whoever can ask the coordinator knows how the entry stands, some time after it has changed.

use model::{Span, Time};

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "watch";

/// How long a change may take to be told: a member that is lost is noticed, and another one found.
const PATIENCE: Span = Span::from_secs(3);

/// Who watches since `since` was told revision `told`; the entry has `revision` since `changed`.
///
/// # Errors
/// If it should know more by now.
pub fn knows(who: &str, now: Time, told: u64, since: Time, (revision, changed): (u64, Time)) -> Verdict {
    if told >= revision || since.max(changed) + PATIENCE > now {
        return Ok(());
    }
    Err(format!("{who} knows revision {told} of the entry, which is at {revision} since {changed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_notices_who_was_not_told() {
        let at = |seconds: u64| Time::ZERO + Span::from_secs(seconds);
        knows("a", at(9), 4, at(1), (4, at(2))).unwrap();
        knows("a", at(9), 3, at(1), (4, at(7))).unwrap();
        knows("a", at(9), 3, at(8), (4, at(2))).unwrap();
        knows("a", at(9), 3, at(1), (4, at(2))).unwrap_err();
    }
}
