//! `everline switchover`.

use crate::control::Control;
use crate::failure::Failure;
use crate::output;

/// Lets the backup of `pair` become primary.
///
/// # Errors
/// If there is no such pair, or the control server refuses or does not answer.
pub(crate) fn run(control: &Control<'_>, pair: &str) -> Result<(), Failure> {
    if !crate::config::is_name(pair) {
        return Err(Failure::failed(format!("there is no pair \"{pair}\"")).help("`everline status` lists the pairs"));
    }
    control.post(&format!("/v1/pairs/{pair}/switchover"))?;
    output::result(&format!("the backup of {pair} is primary now\n"))
}
