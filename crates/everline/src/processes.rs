//! The processes of a solution: `everline run APPLICATION`, started by `up` and by the local control agent.

use crate::failure::{Failure, Kind};
use crate::folder::Folder;

/// Runs one application until it ends.
///
/// # Errors
/// If there is no such application, or it cannot run.
pub(crate) fn run(_folder: &Folder, application: &str, _run_number: u64) -> Result<(), Failure> {
    Err(Failure::new(Kind::Wrong, format!("there is no application \"{application}\"")))
}
