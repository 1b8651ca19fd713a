//! The end of this server: whoever waits or talks is told so.

use model::Time;

use super::Engine;
use crate::call::Call;
use crate::input::Input;
use crate::limits::CLOSE_AT_ONCE;
use crate::output::Event;
use crate::record::CALL;

impl Engine {
    /// The input that cuts off the next calls behind `after`, and the place to go on from; `None` once there are none.
    #[must_use]
    pub fn closing(&self, after: Option<u64>) -> Option<(Input<'static>, u64)> {
        let up_to = self.store.keys(CALL, after).take(CLOSE_AT_ONCE).last()?.id;
        Some((Input::Close { after, up_to }, up_to))
    }

    pub(super) fn close(&mut self, now: Time, after: Option<u64>, up_to: u64) {
        self.closing = true;
        let calls: Vec<u64> =
            self.store.keys(CALL, after).map(|key| key.id).take_while(|call| *call <= up_to).collect();
        let cut = calls.into_iter().filter(|call| self.with_call(now, *call, Call::close) == Some(true)).count();
        if cut > 0 {
            self.log(Event::CallsCut { calls: u32::try_from(cut).unwrap_or(u32::MAX) });
        }
    }
}
