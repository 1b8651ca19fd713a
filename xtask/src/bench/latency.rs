//! The set-up time that the subject adds, from the timestamps of packets.
//!
//! A call's legs are matched by the caller's number, which is different for each call and which every
//! subject hands on. Added time is that from the INVITE's arrival to its leaving, and the same for the 200.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::net::SocketAddr;

use anyhow::Result;
use drill::figures::percentile;
use drill::history::{Event, Nanos, Start};
use serde::Serialize;

use super::load::Places;
use crate::lab::wire;

/// What was added, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Added {
    /// Calls of which all four packets were seen.
    pub(super) calls: u64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

/// The first sight of each of the four packets of a set-up.
#[derive(Clone, Copy, Default)]
struct Setup {
    invite_in: Option<Nanos>,
    invite_out: Option<Nanos>,
    answer_in: Option<Nanos>,
    answer_out: Option<Nanos>,
}

impl Setup {
    fn added(&self) -> Option<Nanos> {
        Some(self.invite_out?.checked_sub(self.invite_in?)? + self.answer_out?.checked_sub(self.answer_in?)?)
    }
}

/// Reads a capture of one load.
pub(super) fn read(capture: impl BufRead, places: &Places) -> Result<Added> {
    let mut setups = BTreeMap::<String, Setup>::new();
    wire::read(capture, places.server.ip(), |event| {
        if let Some(moment) = moment(&event, places, &mut setups) {
            moment.get_or_insert(event.at);
        }
    })?;
    let added: Vec<u64> = setups.values().filter_map(Setup::added).collect();
    let micros = |part| percentile(&added, part) as f64 / 1_000.0;
    Ok(Added { calls: added.len() as u64, p50_us: micros(50), p99_us: micros(99) })
}

/// Which of the four moments this packet is.
fn moment<'a>(
    event: &Event,
    places: &Places,
    setups: &'a mut BTreeMap<String, Setup>,
) -> Option<&'a mut Option<Nanos>> {
    let message = &event.message;
    let is_invite = matches!(&message.start, Start::Request { method, .. } if method == "INVITE");
    let is_answer = message.method == "INVITE" && message.status() == Some(200);
    if !is_invite && !is_answer {
        return None;
    }
    let with = |peer: SocketAddr| event.peer == peer;
    let setup = setups.entry(message.from_user.clone()).or_default();
    match (is_invite, event.by_server) {
        (true, false) if with(places.caller) => Some(&mut setup.invite_in),
        (true, true) if with(places.phone) => Some(&mut setup.invite_out),
        (false, false) if with(places.phone) => Some(&mut setup.answer_in),
        (false, true) if with(places.caller) => Some(&mut setup.answer_out),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_set_up_counts() {
        let whole = Setup { invite_in: Some(10), invite_out: Some(25), answer_in: Some(40), answer_out: Some(47) };
        assert_eq!(whole.added(), Some(22));
        assert_eq!(Setup { answer_out: None, ..whole }.added(), None);
    }
}
