//! `everline status`.

use node::wire::Trouble;
use serde::Deserialize;

use crate::cli::Listing;
use crate::control::Control;
use crate::failure::Failure;
use crate::output::{Cell, bad, good, optional, plain, table};

/// The answer to `GET /v1/status`, as far as a person is shown it.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    applications: Vec<Application>,
}

#[derive(Debug, Deserialize)]
struct Application {
    name: String,
    pair: Option<String>,
    role: Option<String>,
    state: String,
    pid: Option<u32>,
    epoch: Option<u64>,
    ready: Option<bool>,
    lag: Option<u64>,
    records: Option<u64>,
    state_hash: Option<String>,
    note: Option<String>,
    trouble: Option<Trouble>,
}

/// Shows the applications.
///
/// # Errors
/// If the control server does not answer.
pub(crate) fn run(control: &Control<'_>, listing: Listing) -> Result<(), Failure> {
    super::list(control, "/v1/status", listing, |status: &Status| {
        let head = ["NAME", "PAIR", "ROLE", "STATE", "PID", "EPOCH", "READY", "LAG", "RECORDS", "STATE HASH"];
        let rows: Vec<_> = status.applications.iter().map(row).collect();
        table(head, &rows, "no applications") + &remarks(&status.applications)
    })
}

/// What is to be said about an application besides: an alarm, or why it does not run.
fn remarks(applications: &[Application]) -> String {
    let remarks = applications.iter().flat_map(|Application { name, state, note, trouble, .. }| {
        let note = note.as_ref().map(|note| format!("{name}: {note}\n"));
        let trouble = trouble.as_ref().filter(|_| state != "started").map(|trouble| format!("{trouble}\n"));
        note.into_iter().chain(trouble)
    });
    remarks.collect()
}

fn row(application: &Application) -> [Cell; 10] {
    let Application { name, pair, role, state, pid, epoch, ready, lag, records, state_hash, .. } = application;
    [
        plain(name),
        optional(pair.as_deref()),
        optional(role.as_deref()),
        if state == "started" { good(state) } else { bad(state) },
        optional(*pid),
        optional(*epoch),
        match ready {
            Some(true) => good("yes"),
            Some(false) => bad("no"),
            None => plain("-"),
        },
        optional(*lag),
        optional(*records),
        optional(state_hash.as_deref()),
    ]
}
