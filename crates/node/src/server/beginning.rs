//! A start without a predecessor: nobody of the pair has its addresses, and somebody else may.

use redundancy::hot_standby::RoleName;

use super::service::Service;
use super::shell::Shell;

impl<S: Service> Shell<S> {
    /// Begins from cold, as the replica wants to: at once, or when it is known that nobody else has an address of the pair.
    ///
    /// At once where calls wait, which a backup holds that was not admitted; and where an operator has decided that this side is to
    /// serve.
    pub(super) fn begin(&mut self) {
        let holds_nothing = self.replica.status().role == RoleName::Starting;
        if holds_nothing && !self.is_promoted && self.addresses.ask(self.now) {
            tracing::info!("asks whether somebody else has an address of the pair, before it begins");
        } else {
            self.cold_start();
        }
    }

    /// Begins if the answer is there that [`begin`](Self::begin) waits for. The role, the doors and the other side of the pair have to
    /// wait for it too: a backup that took over would take the address from whoever has it.
    pub(super) fn begin_if_free(&mut self) {
        if !self.replica.awaits_journals() {
            self.addresses.ask_no_more();
        } else if self.addresses.are_free(self.now) {
            self.cold_start();
        }
    }
}
