//! A call that a control server makes to see whether calls are taken: it has a record, passes the gate as every call does, and
//! is refused before anybody rings.
//!
//! It needs no phone and no password, so its number shows that whoever calls it knows the secret of the solution, and is another
//! one for each Call-ID: who hears it on the way can repeat that call only, which is one call already.

use sip::Message;

use super::Engine;
use crate::draw::number_of;

/// What such a number begins with. No extension, queue or agent may have a name with this letter, and a SIP URI takes it as it is
/// (RFC 3261 25.1, `mark`).
const PREFIX: &str = "~probe-";

/// The final answer to such a call.
pub const PROBE_STATUS: u16 = 480;

/// The number that a probe with this Call-ID calls.
#[must_use]
pub fn probe_number(secret: &[u8; 32], call_id: &str) -> String {
    // No other text that is hashed with the secret can begin so.
    let text = [b"\0probe\0", call_id.as_bytes()].concat();
    format!("{PREFIX}{:016x}", number_of(secret, &text))
}

impl Engine {
    /// Whether an INVITE for this number is a probe.
    pub(super) fn is_probe(&self, number: &str, invite: &Message<'_>) -> bool {
        number.starts_with(PREFIX) && number == probe_number(&self.settings.secret, invite.call_id())
    }
}
