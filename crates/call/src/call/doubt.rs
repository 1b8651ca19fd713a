//! A call whose parties may have left it without this server knowing: it began with records that were not the last ones
//! (rule 15 of the hot standby protocol). Both are asked.

use sip::{HeaderName, Method};

use super::desk::Desk;
use super::outgoing::{Purpose, RequestOut};
use super::pair::{End, Side};
use super::{Call, Stage};

/// How far the numbers of our requests in a dialog may have come behind the records: far more than a moment holds. Gaps
/// are allowed, going back is not (RFC 3261 12.2.1.1).
const SKIPPED: u32 = 1_000;

impl Call {
    /// What is known of this call may be out of date: its parties are asked as soon as this server serves. Before the answer
    /// there is nobody to ask; what a call that rings or waits has missed ends with its own patience.
    pub(crate) fn doubt(&mut self) {
        self.is_doubted = self.stage == Stage::Talking;
        for pair in &mut self.pairs {
            for end in [End::Caller, End::Callee] {
                if let Some(side) = pair.side_mut(end) {
                    side.dialog.skip(SKIPPED);
                }
            }
        }
    }

    /// OPTIONS within the dialog (RFC 3261 11): who has left it says 481, or nothing.
    pub(super) fn ask_parties(&mut self, desk: &mut Desk<'_>) {
        if !std::mem::take(&mut self.is_doubted) || self.stage != Stage::Talking {
            return;
        }
        // Whoever has not acknowledged the answer may not have had it; if he never does, that ends the call.
        let waits = self.awaits_ack();
        let busy = [End::Caller, End::Callee].map(|to| self.is_told_something(to));
        let is_asked = |to| !busy[usize::from(to == End::Callee)] && (!waits || to == End::Callee);
        self.ask(desk, |pair, to, _| is_asked(to).then_some(Purpose::Ask { pair, to }));
    }

    /// Asks those parties for whom there is a purpose.
    pub(super) fn ask(&mut self, desk: &mut Desk<'_>, purpose: impl Fn(u32, End, &Side) -> Option<Purpose>) {
        let mut pairs = std::mem::take(&mut self.pairs);
        for pair in &mut pairs {
            for to in [End::Caller, End::Callee] {
                let number = pair.number;
                let Some(side) = pair.side_mut(to) else { continue };
                let Some(purpose) = purpose(number, to, side) else { continue };
                let branch = self.branch(desk);
                let seq = side.dialog.next_seq();
                let mut bytes = Vec::with_capacity(512);
                side.dialog
                    .request(Method::Options, seq, &desk.via(side.hop, branch), &mut bytes)
                    .number(HeaderName::MaxForwards, 70)
                    .finish();
                self.requests_out.push(RequestOut::send(desk, branch, purpose, side.hop, bytes));
            }
        }
        self.pairs = pairs;
    }
}
