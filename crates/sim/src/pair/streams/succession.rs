//! What becomes of connections when a process ends and another one takes its place.

use std::collections::BTreeSet;

use super::StreamNews;
use crate::kernel::Core;
use crate::pair::link::OnLink;
use crate::pair::{News, Pair, PairEvent, Process, Service, Side, other};
use crate::plan::Layout;

impl<S: Service> Pair<S> {
    /// Takes the predecessor's place: what the kernel has taken need not be written again.
    pub(in crate::pair) fn succeed_in_streams(&mut self, side: Side) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        for account in process.streams.values_mut() {
            if let Some(socket) = self.hosts[host].sockets.get(&account.socket) {
                account.forget_written(socket.written);
            }
        }
    }

    /// From cold: what a predecessor had read of the connections that this side holds is gone, so their streams make no
    /// sense any more. Their peers come back (RFC 5626).
    pub(in crate::pair) fn begin_streams_anew<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
    ) -> Option<()> {
        let numbers: Vec<u64> = self.process(side)?.streams.keys().copied().collect();
        for number in numbers {
            self.close_stream(core, side, number);
        }
        let known = S::connections(self.process(side)?.replica.engine());
        self.close_missing(core, side, &known)
    }

    /// Tells the engine that those of the connections it knew that have no descriptor are gone.
    pub(in crate::pair) fn close_missing<E>(&mut self, core: &Core<E>, side: Side, known: &[u64]) -> Option<()> {
        let host = self.host_of(side);
        let local = self.hosts[host].clock.local(core.now);
        let process = self.applications[side].process.as_mut()?;
        for number in known.iter().filter(|number| !process.streams.contains_key(number)) {
            S::stream_lost(&mut process.replica, local, *number);
        }
        Some(())
    }

    /// Tells the engine of the connections that are not among the `known` ones.
    pub(in crate::pair) fn open_unknown<E>(&mut self, core: &Core<E>, side: Side, known: &[u64]) -> Option<()> {
        let host = self.host_of(side);
        let process = self.applications[side].process.as_mut()?;
        let sockets = &self.hosts[host].sockets;
        process.streams.retain(|_, account| sockets.contains_key(&account.socket));
        let unknown: Vec<u64> = process
            .streams
            .iter()
            .filter(|(number, account)| account.open && !known.contains(number))
            .map(|(number, _)| *number)
            .collect();
        for number in unknown {
            self.stream_is_open(core, side, number);
        }
        Some(())
    }

    /// The kernel closes connections that nobody holds.
    pub(in crate::pair) fn reap_streams(&mut self) {
        let travelling = [0, 1].map(|side| self.links.streams_towards(side));
        let news = &mut self.news;
        for host in &mut self.hosts {
            host.sockets.retain(|id, socket| {
                let Some(number) = socket.number else { return true };
                let held = socket.holders.contains(&true) || travelling.iter().any(|some| some.contains(&number));
                if !held {
                    news.push(News::StreamClosed(*id));
                }
                held
            });
        }
    }

    /// A process of this side is no more: connections that nobody else holds are closed by the kernel. Says which of them
    /// the other side could have held: `unsent` are those of which it was not told yet.
    pub(in crate::pair) fn drop_streams(&mut self, side: Side, unsent: &BTreeSet<u64>) -> Vec<u64> {
        let host = self.host_of(side);
        let one_host = self.plan.layout == Layout::OneHost;
        let travelling = self.links.streams_towards(other(side));
        let news = &mut self.news;
        let mut lost = Vec::new();
        self.hosts[host].sockets.retain(|id, socket| {
            socket.holders[side] = false;
            let Some(number) = socket.number else { return true };
            let held = one_host && (socket.holders.contains(&true) || travelling.contains(&number));
            if !held {
                news.push(News::StreamClosed(*id));
                if one_host && !unsent.contains(&number) {
                    lost.push(number);
                }
            }
            held
        });
        lost
    }
}

/// The connections of which a process has not told its peer yet.
pub(in crate::pair) fn unsent<S: Service>(process: &Process<S>) -> BTreeSet<u64> {
    let handed = |(frame, _): &(OnLink, Option<u64>)| match frame {
        OnLink::Stream(StreamNews::Handed(number, _)) => Some(*number),
        _ => None,
    };
    process.unaccepted.iter().filter_map(handed).collect()
}
