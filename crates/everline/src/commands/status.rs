//! `everline status`.

use std::collections::BTreeSet;

use node::wire::Trouble;
use serde::Deserialize;

use crate::cli::Listing;
use crate::control::Control;
use crate::failure::Failure;
use crate::output::{Cell, bad, good, optional, plain, table_of};

/// The answer to `GET /v1/status`, as far as a person is shown it.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    applications: Vec<Application>,
    configuration: Option<Versions>,
    #[serde(default)]
    detections: Vec<Detection>,
}

/// What was noticed.
#[derive(Debug, Deserialize)]
struct Detection {
    name: String,
    host: String,
    about: String,
    count: u64,
    last_ms: f64,
    max_ms: f64,
    last_at: String,
    on: bool,
}

#[derive(Debug, Deserialize)]
struct Versions {
    newest: u64,
    running: u64,
}

#[derive(Debug, Deserialize)]
struct Application {
    name: String,
    pair: Option<String>,
    role: Option<String>,
    state: String,
    pid: Option<u32>,
    #[serde(default)]
    host: String,
    epoch: Option<u64>,
    ready: Option<bool>,
    lag: Option<u64>,
    records: Option<u64>,
    state_hash: Option<String>,
    hold: Option<Hold>,
    note: Option<String>,
    trouble: Option<Trouble>,
}

/// How long answers wait for the backup.
#[derive(Debug, Deserialize)]
struct Hold {
    p50_ms: f64,
    p99_ms: f64,
    round_trip_ms: Option<f64>,
}

/// What is shown of each besides its name and host.
const HEAD: [&str; 9] = ["PAIR", "ROLE", "STATE", "PID", "EPOCH", "READY", "LAG", "RECORDS", "STATE HASH"];

/// Shows the applications.
///
/// # Errors
/// If the control server does not answer.
pub(crate) fn run(control: &Control<'_>, listing: Listing) -> Result<(), Failure> {
    super::list(control, "/v1/status", listing, |status: &Status| {
        let hosts: BTreeSet<&str> = status.applications.iter().map(|one| one.host.as_str()).collect();
        let several = hosts.len() > 1;
        let head = ["NAME"].into_iter().chain(several.then_some("HOST")).chain(HEAD).collect::<Vec<_>>();
        let row = |one: &Application| {
            let cells = std::iter::once(plain(&one.name)).chain(several.then(|| plain(&one.host)));
            cells.chain(row(one)).collect::<Vec<_>>()
        };
        let rows: Vec<_> = status.applications.iter().map(row).collect();
        let listed = table_of(&head, &rows, "no applications");
        listed
            + &remarks(&status.applications, several)
            + &held(&status.applications)
            + &noticed(&status.detections, several)
            + &of_configuration(status.configuration.as_ref())
    })
}

/// What is to be said about an application besides: an alarm, or why it does not run.
fn remarks(applications: &[Application], names_hosts: bool) -> String {
    let remarks = applications.iter().flat_map(|Application { name, host, state, note, trouble, .. }| {
        let name = if names_hosts { format!("{name} on {host}") } else { name.clone() };
        let note = note.as_ref().map(|note| format!("{name}: {note}\n"));
        let trouble = trouble.as_ref().filter(|_| state != "started").map(|trouble| format!("{trouble}\n"));
        note.into_iter().chain(trouble)
    });
    remarks.collect()
}

/// What a standby costs: how long the answers of its primary wait for it.
fn held(applications: &[Application]) -> String {
    let primaries = applications.iter().filter(|application| application.role.as_deref() == Some("primary"));
    let lines = primaries.filter_map(|Application { name, hold, .. }| {
        let Hold { p50_ms, p99_ms, round_trip_ms } = hold.as_ref()?;
        let way = round_trip_ms.map_or_else(String::new, |way| format!("; the way there and back takes {way:.2} ms"));
        Some(format!("{name} holds answers {p50_ms:.2} ms for its backup, 99 of 100 at most {p99_ms:.2} ms{way}\n"))
    });
    lines.collect()
}

/// What was noticed since the local control agents began, a short line each.
fn noticed(detections: &[Detection], names_hosts: bool) -> String {
    let lines = detections.iter().map(|one| {
        let Detection { name, host, about, count, last_ms, max_ms, last_at, on } = one;
        let host = if names_hosts { format!(" on {host}") } else { String::new() };
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        let now = if *on { ", and is so" } else { "" };
        format!("noticed {name} of {about}{host} {times}: after {last_ms:.0} ms, at most {max_ms:.0} ms; last at {last_at}{now}\n")
    });
    lines.collect()
}

/// What is to be said of a configuration that does not count here yet.
fn of_configuration(versions: Option<&Versions>) -> String {
    match versions {
        Some(Versions { newest, running }) if newest != running => format!(
            "this host runs with version {running} of the configuration; version {newest} counts from its next `everline host run`\n"
        ),
        _ => String::new(),
    }
}

fn row(application: &Application) -> [Cell; 9] {
    let Application { pair, role, state, pid, epoch, ready, lag, records, state_hash, .. } = application;
    [
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
