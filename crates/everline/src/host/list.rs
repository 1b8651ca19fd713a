//! `everline host list`.

use serde::Deserialize;

use crate::cli::Listing;
use crate::commands;
use crate::control::Control;
use crate::failure::Failure;
use crate::output::{bad, good, plain, table};

/// The answer to `GET /v1/hosts`.
#[derive(Debug, Deserialize)]
pub(crate) struct Hosts {
    hosts: Vec<Host>,
}

#[derive(Debug, Deserialize)]
struct Host {
    name: String,
    here: bool,
    reachable: bool,
    addresses: Vec<String>,
    applications: Vec<String>,
}

/// Shows the hosts.
///
/// # Errors
/// If the control server does not answer.
pub(crate) fn list(control: &Control<'_>, listing: Listing) -> Result<(), Failure> {
    commands::list(control, "/v1/hosts", listing, |hosts: &Hosts| {
        let row = |host: &Host| {
            let state = if host.reachable { good("reachable") } else { bad("away") };
            let here = if host.here { " (here)" } else { "" };
            [
                plain(format!("{}{here}", host.name)),
                state,
                plain(host.addresses.join(" ")),
                plain(if host.applications.is_empty() { "-".to_owned() } else { host.applications.join(" ") }),
            ]
        };
        let rows: Vec<_> = hosts.hosts.iter().map(row).collect();
        table(["NAME", "STATE", "ADDRESSES", "APPLICATIONS"], &rows, "no hosts")
    })
}
