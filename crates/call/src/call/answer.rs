//! Answers that need no record: the request, when it comes again, is answered alike (RFC 3261 8.2.7).

use sip::{Answer, Message, Outgoing};

use super::desk::Desk;
use super::incoming::{Arrival, key_of};
use crate::draw::number_of;

/// Answers `request` with a status and nothing else.
pub(crate) fn reply(desk: &mut Desk<'_>, request: &Message<'_>, arrival: &Arrival, status: u16) {
    reply_with(desk, request, arrival, status, |answer| answer);
}

/// Answers `request` with headers of its own.
pub(crate) fn reply_with(
    desk: &mut Desk<'_>,
    request: &Message<'_>,
    arrival: &Arrival,
    status: u16,
    headers: impl FnOnce(Outgoing<'_>) -> Outgoing<'_>,
) {
    answer_with(desk, request, arrival, Answer::new(status), headers);
}

/// Answers `request` with a phrase and headers of its own.
pub(crate) fn answer_with(
    desk: &mut Desk<'_>,
    request: &Message<'_>,
    arrival: &Arrival,
    answer: Answer<'_>,
    headers: impl FnOnce(Outgoing<'_>) -> Outgoing<'_>,
) {
    let tag = stable_tag(desk, &key_of(request));
    let mut bytes = Vec::with_capacity(512);
    headers(answer.tag(&tag).to(request, arrival.source, &mut bytes)).finish();
    desk.respond(arrival.back, bytes);
}

/// The To tag for a request that has none and leaves no record: the same whenever it comes (RFC 3261 8.2.6.2).
pub(crate) fn stable_tag(desk: &Desk<'_>, key: &[u8]) -> String {
    format!("{:016x}", number_of(&desk.settings.secret, key))
}
