//! An orderly end: the other side takes over, if it is on another host and can; else whoever the server has something in
//! progress for is told before it goes.

use model::{Span, Time};
use redundancy::hot_standby::RoleName;

use super::service::Service;
use super::shell::{End, Shell};

/// How long what is still to be said may take to leave: well within what the LCA gives a process to end.
const PATIENCE: Span = Span::from_millis(1_500);
/// How long a planned switchover before the end may take; the protocol calls it off sooner.
const HANDING_OVER: Span = Span::from_millis(1_200);

/// A server on its way to its end.
#[derive(Debug)]
pub(super) struct Closing {
    /// The other side is taking over: nothing is cut off so far.
    hands_over: bool,
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
            // On the same host the other side ends too: everything there was asked to.
            let hands_over = self.far.is_some() && self.replica.switch_over(self.now).is_ok();
            let patience = if hands_over { HANDING_OVER } else { PATIENCE };
            self.closing = Some(Closing { hands_over, after: None, by: self.now + patience });
        }
    }

    /// True while the other side is taking over, or has; it ends then.
    fn is_handing_over(&mut self) -> bool {
        let has_role = self.replica.status().role == RoleName::Primary;
        let Some(closing) = self.closing.as_mut().filter(|closing| closing.hands_over) else { return false };
        if !has_role {
            self.end = Some(End::Asked);
        } else if closing.by <= self.now {
            *closing = Closing { hands_over: false, after: None, by: self.now + PATIENCE };
            return false;
        }
        true
    }

    /// Cuts off what is in progress, as much at once as may wait, and ends when everything has left. The other side ends at
    /// the same time; if it goes first, the gate opens as soon as the LCA says so.
    pub(super) fn close(&mut self) {
        if self.is_handing_over() {
            return;
        }
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
