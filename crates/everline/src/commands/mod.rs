//! The commands that ask something or give an order, one file each.

pub(crate) mod agents;
pub(crate) mod availability;
pub(crate) mod calls;
pub(crate) mod config;
pub(crate) mod drill;
pub(crate) mod papers;
pub(crate) mod promote;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod switchover;

use serde::de::DeserializeOwned;

use crate::cli::Listing;
use crate::control::Control;
use crate::failure::Failure;
use crate::output;

/// Prints a listing of the control server: its own JSON, or a table made of it.
pub(crate) fn list<T: DeserializeOwned>(
    control: &Control<'_>,
    path: &str,
    listing: Listing,
    table: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    let body = control.get(path)?;
    if listing.json {
        return output::result(&format!("{}\n", body.trim_end()));
    }
    output::result(&table(&understand(&body)?))
}

/// The control server's answer as values.
fn understand<T: DeserializeOwned>(body: &str) -> Result<T, Failure> {
    serde_json::from_str(body).map_err(|error| {
        let what = format!("the control server's answer is not understood: {error}");
        Failure::failed(what).help("the solution runs another version of everline: stop it and start this one")
    })
}
