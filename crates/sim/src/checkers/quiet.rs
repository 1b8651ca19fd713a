//! Everything quiet in the end: when all is done, no record, no deadline, no kept input and no unconfirmed checkpoint
//! is left over.

use redundancy::hot_standby::Status;

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "quiet";

/// What is left in an engine when all clients are done.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// Records of kinds that end.
    pub records: u64,
    /// A deadline is armed that does not belong to a lasting record.
    pub deadline: bool,
}

/// Looks at the primary of a pair at rest; `inputs` says that some are kept in its ring.
///
/// # Errors
/// If something is left.
pub fn looks(primary: &Status, left: Left, inputs: bool) -> Verdict {
    if primary.lag > 0 {
        return Err(format!("{} checkpoints are not confirmed", primary.lag));
    }
    if primary.undecided {
        return Err("nothing may leave although the coordinator could have said who serves".to_owned());
    }
    if left.records > 0 {
        return Err(format!("{} records are left", left.records));
    }
    if left.deadline {
        return Err("a deadline is armed although nothing goes on".to_owned());
    }
    if inputs {
        return Err("inputs are kept although all are covered".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use redundancy::hot_standby::RoleName;

    #[test]
    fn it_notices_each_leftover() {
        let rest = Status { role: RoleName::Primary, ready: true, level: true, complete: true, ..Status::default() };
        let none = Left { records: 0, deadline: false };
        looks(&rest, none, false).unwrap();
        looks(&Status { lag: 1, ..rest }, none, false).unwrap_err();
        looks(&rest, Left { records: 1, ..none }, false).unwrap_err();
        looks(&rest, Left { deadline: true, ..none }, false).unwrap_err();
        looks(&rest, none, true).unwrap_err();
    }
}
