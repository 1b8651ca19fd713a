//! A call as people see it.

use super::{Call, Stage, Waiting};
use crate::engine::CallRow;

impl Call {
    /// The call in a listing; `None` once it has ended.
    pub(crate) fn row(&self) -> Option<CallRow> {
        let offer = self.waiting().and_then(Waiting::offer);
        let queue = self.waiting().map(Waiting::queue).or(self.queue.as_deref());
        let agent = offer.map(|offer| offer.agent.as_str()).or(self.agent.as_deref());
        Some(CallRow {
            call: self.number,
            state: self.state()?,
            from: self.from.to_string(),
            to: self.to.to_string(),
            queue: queue.map(ToOwned::to_owned),
            agent: agent.map(ToOwned::to_owned),
            since: self.since,
        })
    }

    /// It has ended; its record lingers for what may still come (RFC 3261 17).
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    fn state(&self) -> Option<&'static str> {
        let ringing = self.pairs.iter().any(|pair| pair.callee.is_some());
        Some(match self.stage {
            Stage::Setup if ringing => "ringing",
            Stage::Setup if self.waiting.is_some() => "queued",
            Stage::Setup => "trying",
            Stage::Talking if self.awaits_ack() => "answered",
            Stage::Talking => "talking",
            Stage::Ended => return None,
        })
    }
}
