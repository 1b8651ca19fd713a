//! `everline calls`.

use jiff::Timestamp;
use serde::Deserialize;

use crate::cli::Listing;
use crate::control::Control;
use crate::failure::Failure;
use crate::output::{age, optional, plain, table};

/// The answer to `GET /v1/calls`.
#[derive(Debug, Deserialize)]
struct Calls {
    calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
struct Call {
    id: String,
    state: String,
    from: String,
    to: String,
    queue: Option<String>,
    agent: Option<String>,
    since: String,
}

/// Shows the calls in progress.
///
/// # Errors
/// If the control server does not answer.
pub(crate) fn run(control: &Control<'_>, listing: Listing) -> Result<(), Failure> {
    super::list(control, "/v1/calls", listing, |calls: &Calls| {
        let now = Timestamp::now();
        let row = |call: &Call| {
            let Call { id, state, from, to, queue, agent, since } = call;
            let (queue, agent) = (optional(queue.as_deref()), optional(agent.as_deref()));
            [plain(id), plain(state), plain(from), plain(to), queue, agent, plain(age(since, now))]
        };
        let rows: Vec<_> = calls.calls.iter().map(row).collect();
        table(["ID", "STATE", "FROM", "TO", "QUEUE", "AGENT", "FOR"], &rows, "no calls")
    })
}
