//! What a shell does when its side begins to serve (see `hot_standby::Serve`).

use redundancy::hot_standby::Serve;

use super::{End, News, Pair, PairEvent, Service, Side};
use crate::kernel::Core;
use crate::plan::Layout;

impl<S: Service> Pair<S> {
    /// Opens the doors: first the inputs that the predecessor had read and not covered, then what waits in the
    /// sockets, then the replica is told so.
    pub(super) fn serves<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, serve: &Serve) -> Option<()> {
        core.trace.mark(core.now, self.actor(side), 0x5e4e ^ serve.epoch.0, || format!("serves e{}", serve.epoch));
        self.check_serve(core, side, serve);
        self.applications[side].process.as_mut()?.is_open = true;
        self.news.push(News::Serves(side));
        self.claim_address(core, side);
        let host = self.host_of(side);
        let Some(before) = &serve.after else {
            self.hosts[host].ring.clear();
            return self.begin_streams_anew(core, side);
        };
        let mut known = S::connections(self.process(side)?.replica.engine());
        if !before.complete {
            self.begin_streams_anew(core, side)?;
            known.clear();
        }
        self.succeed_in_streams(side);
        self.open_unknown(core, side, &known)?;
        if self.plan.layout == Layout::OneHost {
            self.check_inputs_are_kept(core, serve, before.mark);
            if self.agents.ended.get(&before.incarnation) == Some(&End::Aborted)
                && let Some(poison) = self.hosts[host].ring.in_hand_of(&before.incarnation)
            {
                let fingerprint = S::fingerprint(poison);
                self.applications[side].process.as_mut()?.replica.refuse(fingerprint);
            }
            for (number, datagram) in self.hosts[host].ring.behind(before.mark) {
                self.feed(core, side, number, &datagram)?;
            }
        } else {
            self.hosts[host].ring.begin_behind(before.mark);
        }
        self.close_missing(core, side, &known)?;
        for (number, datagram) in self.hosts[host].receive_into_ring(usize::MAX) {
            self.feed(core, side, number, &datagram)?;
        }
        let local = self.hosts[host].clock.local(core.now);
        let process = self.applications[side].process.as_mut()?;
        process.replica.flush(local);
        process.replica.inputs_taken(local);
        self.take_streams(core, side)
    }
}
