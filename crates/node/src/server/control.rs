//! Local callers: the other side of the pair, and the control server with its questions and orders.

use model::{Time, hash64};
use redundancy::hot_standby::{RoleName, Taken};

use super::service::Service;
use super::shell::Shell;
use super::token::Token;
use crate::channel::Channel;
use crate::clock;
use crate::wire::{ControlReply, ControlRequest, Opening, ServerReport, Trouble};

/// Local connections that may stand at the same time.
const MOST_CONNECTIONS: usize = 64;

/// Orders that may wait for their answer.
const MOST_ORDERS: usize = 1024;

impl<S: Service> Shell<S> {
    pub(super) fn answer_door(&mut self) {
        while let Ok((stream, _)) = self.door.accept() {
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            self.make_room();
            self.connections += 1;
            let channel = Channel::new(stream);
            if self.poll.add(&channel, Token::Caller(self.connections), false).is_ok() {
                self.callers.insert(self.connections, channel);
            }
        }
    }

    /// Whoever has said nothing for longest makes room for others: the other side of the pair must get through.
    fn make_room(&mut self) {
        while self.callers.len() + self.controls.len() >= MOST_CONNECTIONS {
            let oldest = self.callers.pop_first().or_else(|| self.controls.pop_first());
            if let Some((_, channel)) = oldest {
                self.poll.remove(&channel);
            }
        }
    }

    /// A caller says what it wants.
    pub(super) fn hear_caller(&mut self, number: u64) {
        let Some(channel) = self.callers.get_mut(&number) else { return };
        let opening = match channel.receive::<Opening>() {
            Ok(None) => return,
            Ok(Some((opening, _))) => Some(opening),
            Err(_) => None,
        };
        let Some(channel) = self.callers.remove(&number) else { return };
        self.poll.remove(&channel);
        match opening {
            Some(Opening::Peer) => self.peer_calls(channel),
            Some(Opening::Control) if self.poll.add(&channel, Token::Control(number), false).is_ok() => {
                self.controls.insert(number, channel);
                self.hear_control(number);
            }
            _ => {}
        }
    }

    pub(super) fn hear_control(&mut self, number: u64) {
        while let Some(channel) = self.controls.get_mut(&number) {
            match channel.flush().and_then(|()| channel.receive::<ControlRequest>()) {
                Ok(Some((request, _))) => {
                    if let Some(reply) = self.control(number, request) {
                        self.reply(number, &reply);
                    }
                }
                Ok(None) => return self.poll.modify(&*channel, Token::Control(number), channel.is_waiting()),
                Err(_) => {
                    self.controls.remove(&number);
                }
            }
        }
    }

    fn reply(&mut self, number: u64, reply: &ControlReply) {
        let Some(channel) = self.controls.get_mut(&number) else { return };
        if channel.send(reply).is_err() {
            self.controls.remove(&number);
        } else {
            self.poll.modify(&*channel, Token::Control(number), channel.is_waiting());
        }
    }

    /// The answer to a question; none if it comes later.
    fn control(&mut self, connection: u64, request: ControlRequest) -> Option<ControlReply> {
        match request {
            ControlRequest::Status => {
                let hold = self.holding.report(self.round_trip());
                return Some(ControlReply::Status(ServerReport { hold, ..self.server_report() }));
            }
            ControlRequest::Promote { loss_is_accepted } => return Some(self.promote(loss_is_accepted)),
            _ => {}
        }
        if self.replica.status().role != RoleName::Primary {
            return Some(ControlReply::NotPrimary);
        }
        let (pair_now, wall) = (self.replica.pair_time(self.now), clock::of_day().as_micros());
        let date = move |time: Time| wall.saturating_sub(pair_now.since(time).as_micros());
        match request {
            ControlRequest::Status | ControlRequest::Promote { .. } => None,
            ControlRequest::Calls { after, limit } => {
                Some(ControlReply::Calls(self.replica.engine_mut().calls(after, limit, &date)))
            }
            ControlRequest::Agents { after, limit } => {
                Some(ControlReply::Agents(self.replica.engine_mut().agents(after, limit, &date)))
            }
            ControlRequest::SetAgent { request, agent, ready, reason } => {
                self.order(connection, request, &agent, ready, reason.as_deref())
            }
            ControlRequest::Switchover { .. } => Some(match self.replica.switch_over(self.now) {
                Ok(()) => ControlReply::Done,
                Err(why) => ControlReply::Refused(Trouble::new(
                    format!("no switchover of {}: {why}", self.settings.pair),
                    "`everline status` shows when the backup is level",
                )),
            }),
        }
    }

    fn promote(&mut self, loss_is_accepted: bool) -> ControlReply {
        let done = if loss_is_accepted { self.replica.promote(self.now) } else { self.replica.in_doubt() };
        match done {
            Ok(doubted) if loss_is_accepted => {
                self.is_promoted = true;
                let doubted: Vec<String> = doubted.iter().map(ToString::to_string).collect();
                tracing::warn!("an operator says that these have ended: {}", doubted.join(", "));
                ControlReply::Done
            }
            Ok(doubted) => ControlReply::InDoubt(doubted),
            Err(why) => ControlReply::Refused(Trouble::new(
                format!("no promotion of {}: {why}", self.settings.me.application),
                "`everline status` shows how the pair stands",
            )),
        }
    }

    fn order(
        &mut self,
        connection: u64,
        request: u64,
        agent: &str,
        ready: bool,
        reason: Option<&str>,
    ) -> Option<ControlReply> {
        let refused = |what: &str| Some(ControlReply::Refused(Trouble::new(what, "ask again in a moment")));
        if self.orders.len() >= MOST_ORDERS {
            return refused("too many orders wait for their answer");
        }
        let input = S::order(request, agent, ready, reason)?;
        self.orders.insert(request, connection);
        match self.replica.input(self.now, hash64(&request.to_le_bytes()), None, input) {
            Taken::Handled => None,
            Taken::Refused | Taken::NotServing => {
                self.orders.remove(&request);
                refused("the server does not take orders at the moment")
            }
        }
    }

    /// The engine has answered an order.
    pub(super) fn answer_order(&mut self, request: u64, reply: &ControlReply) {
        if let Some(connection) = self.orders.remove(&request) {
            self.reply(connection, reply);
        }
    }
}
