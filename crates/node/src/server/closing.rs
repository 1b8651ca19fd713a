//! An orderly end: whoever the server has something in progress for is told before it goes.

use model::{Span, Time};
use redundancy::hot_standby::RoleName;

use super::service::Service;
use super::shell::{End, Shell};

/// How long what is still to be said may take to leave: well within what the LCA gives a process to end.
const PATIENCE: Span = Span::from_millis(1_500);

/// A server on its way to its end.
#[derive(Debug)]
pub(super) struct Closing {
    /// Everything up to this place was cut off.
    after: Option<u64>,
    /// It ends at the latest then.
    by: Time,
}

impl<S: Service> Shell<S> {
    /// The LCA wants this process to end.
    pub(super) fn asked_to_end(&mut self) {
        if self.replica.status().role != RoleName::Primary {
            self.end = Some(End::Asked);
        } else if self.closing.is_none() {
            self.closing = Some(Closing { after: None, by: self.now + PATIENCE });
        }
    }

    /// Cuts off what is in progress, as much at once as may wait, and ends when everything has left. The other side ends at
    /// the same time; if it goes first, the gate opens as soon as the LCA says so.
    pub(super) fn close(&mut self) {
        while let Some(closing) = &mut self.closing
            && self.replica.accepts_inputs()
            && let Some((input, place)) = self.replica.engine().closing(closing.after)
        {
            closing.after = Some(place);
            self.replica.input(self.now, place, None, input);
            self.finish_turn();
        }
        let Some(closing) = &self.closing else { return };
        let has_left = !self.replica.is_holding() && !self.intake.is_waiting();
        if has_left || closing.by <= self.now {
            self.note_no_calls();
            self.end = Some(End::Asked);
        }
    }
}
