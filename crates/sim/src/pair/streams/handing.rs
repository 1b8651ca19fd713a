//! What a primary tells its backup of connections, and how the backup counts along.

use model::Time;

use super::{PRUNE_ABOVE, StreamAction, StreamNews};
use crate::kernel::Core;
use crate::pair::link::OnLink;
use crate::pair::process::OutputOf;
use crate::pair::{Pair, PairEvent, Service, Side};

impl<S: Service> Pair<S> {
    pub(super) fn tell_link<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, news: StreamNews) {
        self.write_frame(core, side, OnLink::Stream(news), None);
    }

    /// Gives a joining backup the descriptors and accounts of everything that stands.
    pub(in crate::pair) fn hand_over_streams<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
    ) -> Option<()> {
        let local = self.hosts[self.host_of(side)].clock.local(core.now);
        self.applications[side].process.as_mut()?.replica.flush(local);
        self.carry(core, side)?;
        for (number, account) in self.process(side)?.streams.clone() {
            self.tell_link(core, side, StreamNews::Handed(number, account));
        }
        Some(())
    }

    /// The backup hears of a connection.
    pub(in crate::pair) fn hear_of_stream(&mut self, side: Side, news: StreamNews) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        match news {
            StreamNews::Handed(number, mut account) => {
                let Some(socket) = self.hosts[host].sockets.get_mut(&account.socket) else { return };
                socket.holders[side] = true;
                if let Some(early) = process.early.remove(&number) {
                    account.queue(&early);
                }
                account.full_until = Time::ZERO;
                process.stale.remove(&number);
                process.streams.insert(number, account);
            }
            StreamNews::Established(number, base) => {
                if let Some(account) = process.streams.get_mut(&number) {
                    account.base = base;
                    account.open = true;
                }
            }
            StreamNews::Gone(number) => {
                process.early.remove(&number);
                process.streams.remove(&number);
            }
        }
    }

    /// A backup is taken on anew: connections of an earlier link that the primary does not know are nobody's.
    pub(in crate::pair) fn forget_stale_streams(&mut self, side: Side) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        let stale = std::mem::take(&mut process.stale);
        for account in stale.iter().filter_map(|number| process.streams.remove(number)) {
            if let Some(socket) = self.hosts[host].sockets.get_mut(&account.socket) {
                socket.holders[side] = false;
            }
        }
        if !stale.is_empty() {
            self.reap_streams();
        }
    }

    /// The backup counts along what the primary writes.
    pub(in crate::pair) fn shadow(&mut self, side: Side, output: &OutputOf<S>) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        let Some(StreamAction::Write(number, bytes)) = S::stream_action(output) else { return };
        let Some(account) = process.streams.get_mut(&number) else {
            process.early.entry(number).or_default().extend_from_slice(&bytes);
            return;
        };
        account.queue(&bytes);
        if account.tail.len() > PRUNE_ABOVE
            && let Some(socket) = self.hosts[host].sockets.get(&account.socket)
        {
            account.forget_written(socket.written);
        }
    }
}
