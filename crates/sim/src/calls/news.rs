//! What the pairs tell their world: outputs that left, and who serves.

use call::Action;
use redundancy::hot_standby::Stamp;

use super::world::World;
use crate::kernel::Actor;
use crate::pair::{News, Side};

impl World {
    pub(super) fn sip_news(&mut self, news: News<call::Output>) {
        match news {
            News::Sent(side, stamp, output) => self.sip_sends(side, stamp, output.action),
            News::ColdStart(epoch) => {
                self.cold_starts += 1;
                self.watch.legal.forget();
                self.watch.cold_start(self.core.now, epoch);
            }
            News::Loss(epoch) => {
                self.cold_starts += 1;
                self.watch.legal.excuse();
                self.watch.has_lost = true;
                self.watch.cold_start(self.core.now, epoch);
            }
            News::Behind => self.watch.has_lost = true,
            News::Serves(side) => {
                self.takeovers += 1;
                self.watch.legal.succession(self.core.now);
                if self.has_own_addresses() && self.network.last != Some(side) {
                    self.network.last = Some(side);
                    self.watch.moves();
                }
                self.move_address(side);
                self.plan_mail();
            }
            News::Leaves(side) => self.sip_leaves(side),
            News::Announces(side) => self.sip_announces(side),
            News::Signal => self.signal(),
            News::StreamBytes(side, epoch, id, bytes) => self.stream_bytes(side, epoch, id, bytes),
            News::StreamClosed(id) => self.stream_closed(id),
            News::StreamWanted(side, id, to) => self.stream_wanted(side, id, to),
        }
    }

    fn sip_sends(&mut self, side: Side, stamp: Stamp, action: Action) {
        match action {
            Action::Datagram { to, bytes, .. } => self.datagram_to_phone(side, stamp.epoch, to, bytes),
            Action::Mail(letter) => {
                self.watch.order.sip_says(&letter);
                self.mail_to_routing(side, letter);
            }
            Action::Redial => self.break_mail(),
            Action::Log(event) => {
                self.core.trace.mark(self.core.now, Actor::Server(0, side as u8), 0x106, || format!("{event:?}"));
                if self.watch.counts(stamp.epoch) {
                    let verdict = self.watch.charge.logged(stamp, &event);
                    self.watch.note(&mut self.core, crate::checkers::one_charge::NAME, verdict);
                }
            }
            Action::Connect { .. } | Action::Stream { .. } | Action::Close { .. } => {}
        }
    }

    pub(super) fn routing_news(&mut self, news: News<routing::Output>) {
        match news {
            News::Sent(side, _, routing::Output::Mail(letter)) => self.mail_to_sip(side, letter),
            News::Sent(_, _, routing::Output::Reconnect) => self.break_mail(),
            News::Sent(_, _, routing::Output::Answer(_)) => {}
            News::Sent(side, stamp, routing::Output::Event(event)) => {
                self.core.trace.mark(self.core.now, Actor::Server(1, side as u8), 0x106, || event.to_string());
                let verdict = self.watch.order.decided(stamp.epoch, &event);
                self.watch.note(&mut self.core, crate::checkers::queue_order::NAME, verdict);
            }
            News::ColdStart(_) | News::Loss(_) => self.watch.order.forget(),
            News::Behind => {}
            News::Serves(side) => {
                self.takeovers += 1;
                self.watch.order.forget();
                self.routing_serves(side);
            }
            News::Leaves(side) => self.routing_leaves(side),
            News::Signal => self.signal(),
            News::Announces(_) | News::StreamBytes(..) | News::StreamClosed(_) | News::StreamWanted(..) => {}
        }
    }
}
