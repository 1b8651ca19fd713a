//! The four transactions of RFC 3261 17 as values, with the corrections of RFC 4320 and RFC 6026.
//!
//! A transaction here is a state and two moments: when to send again, and when to give up or forget. Its owner keeps
//! the message bytes, calls `on` with what happened (or `expire` when `deadline` has come), and does what the
//! returned [`Action`] says. Each machine is one table, one match arm for each of its cells; what stands in no arm is
//! ignored. A timer that fires late or too often does no harm.

mod client_invite;
mod client_request;
mod key;
mod server_invite;
mod server_request;
pub mod timer;

pub use client_invite::ClientInvite;
pub use client_request::ClientRequest;
pub use key::write_key;
pub use server_invite::ServerInvite;
pub use server_request::ServerRequest;

/// What the owner of a transaction has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Send: the kept request again, the response in hand, or the last response again.
    Send,
    /// Use the message: it is new, or (a repeated 2xx, an ACK) its meaning is the owner's.
    Pass,
    /// Send the ACK again; the response is known already.
    Acknowledge,
    /// Send an ACK for the response and use it.
    AcknowledgeAndPass,
    /// The other side did not answer in time (for a server transaction: did not acknowledge).
    TimedOut,
    /// The transport says that the message did not reach the other side.
    Failed,
}

/// The class of a response, as far as transactions tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success,
    /// 3xx to 6xx.
    Failure,
}

impl Class {
    /// The class of `status`.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            0..=199 => Self::Provisional,
            200..=299 => Self::Success,
            _ => Self::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::Action;

    /// Compares a machine with a table of four columns: state, event, next state, action. Cells that the table does
    /// not list must be ignored by the machine.
    pub(super) fn check_table<S: Copy + Debug, E: Copy>(
        table: &str,
        states: &[S],
        events: &[(E, &str)],
        step: impl Fn(S, E) -> Option<(S, Action)>,
    ) {
        let rows: Vec<&str> = table.lines().map(str::trim).filter(|row| !row.is_empty()).collect();
        let mut actual = Vec::new();
        for state in states {
            for (event, name) in events {
                if let Some((next, action)) = step(*state, *event) {
                    actual.push(format!(
                        "{:<11} {name:<16} {:<11} {action:?}",
                        format!("{state:?}"),
                        format!("{next:?}")
                    ));
                }
            }
        }
        assert_eq!(actual, rows);
    }
}
