//! Same state on both sides: a backup that is level and has kept the last checkpoint holds what its primary holds.

use model::Time;
use redundancy::hot_standby::{RoleName, Status};

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "same state";

/// Compares what both sides say of themselves.
///
/// # Errors
/// If they are level at the same checkpoint and differ.
pub fn compare(one: &Status, other: &Status) -> Verdict {
    let roles = (one.role, other.role);
    let paired = matches!(roles, (RoleName::Primary, RoleName::Backup) | (RoleName::Backup, RoleName::Primary));
    let comparable = paired && one.level && other.level && one.epoch == other.epoch && one.sequence == other.sequence;
    if comparable && (one.state_hash, one.records) != (other.state_hash, other.records) {
        return Err(format!(
            "at checkpoint {} of epoch {} one side holds {} records with hash {:x}, the other {} with {:x}",
            one.sequence, one.epoch, one.records, one.state_hash, other.records, other.state_hash
        ));
    }
    Ok(())
}

/// What else both sides must agree on when they are at rest: every record byte for byte, and the earliest deadline.
///
/// # Errors
/// If they differ.
pub fn compare_at_rest(one: (&[u8], Time), other: (&[u8], Time)) -> Verdict {
    if one.1 != other.1 {
        return Err(format!("at rest one side waits for {}, the other for {}", one.1, other.1));
    }
    if one.0 != other.0 {
        return Err("at rest the two sides hold different records".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Epoch;

    fn status(role: RoleName, state_hash: u64) -> Status {
        Status {
            role,
            epoch: Epoch(2),
            ready: true,
            level: true,
            complete: true,
            sequence: 9,
            state_hash,
            ..Status::default()
        }
    }

    #[test]
    fn it_notices_two_sides_that_differ() {
        compare(&status(RoleName::Primary, 1), &status(RoleName::Backup, 1)).unwrap();
        compare(&status(RoleName::Primary, 1), &status(RoleName::Backup, 2)).unwrap_err();
        compare(&status(RoleName::Backup, 1), &status(RoleName::Backup, 2)).unwrap();
        compare_at_rest((b"x", Time::NEVER), (b"x", Time::ZERO)).unwrap_err();
        compare_at_rest((b"x", Time::NEVER), (b"y", Time::NEVER)).unwrap_err();
    }
}
