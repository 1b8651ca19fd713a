//! The talk with the Routing Server: news to it, orders from it, and life without it.

use model::route::{CallNumber, News, Order};
use model::{RecordKey, Time};
use redundancy::mailbox::{Arrival, Envelope, Mailbox};

use super::Engine;
use crate::call::{Call, Desk, Waiting};
use crate::limits::{EXPIRE_AT_ONCE, MAX_LETTERS};
use crate::output::{Action, Event};
use crate::record::{CALL, Content, LETTER, Line, ROUTING, ROUTING_KEY, Routing, Value, WAITING};

const fn letter(number: u64) -> RecordKey {
    RecordKey::new(LETTER, number)
}

impl Engine {
    pub(super) fn routing_mut(&mut self) -> Option<&mut Routing> {
        match self.store.get_mut(ROUTING_KEY) {
            Some(Value(Content::Routing(routing))) => Some(routing),
            _ => None,
        }
    }

    fn routing(&mut self) -> Option<&Routing> {
        match self.store.get(ROUTING_KEY) {
            Some(Value(Content::Routing(routing))) => Some(routing),
            _ => None,
        }
    }

    /// True if the Routing Server has been gone for so long that callers go elsewhere.
    pub(super) fn is_routing_missed(&mut self) -> bool {
        self.routing().is_some_and(|routing| routing.line.is_missed())
    }

    pub(super) fn routing_connected(&mut self) {
        if let Some(routing) = self.routing() {
            let greeting = routing.mailbox.greeting();
            self.mail_out(greeting);
        }
    }

    pub(super) fn routing_gone(&mut self, now: Time) {
        if let Some(routing) = self.routing_mut()
            && routing.line == Line::Up
        {
            routing.line = Line::Gone { since: now };
        }
    }

    fn mail_out(&mut self, envelope: Envelope<News>) {
        self.output(Some(ROUTING_KEY), Action::Mail(envelope));
    }

    /// Tells the Routing Server something; kept until it is confirmed.
    pub(super) fn post(&mut self, news: News) {
        let Some(routing) = self.routing_mut().filter(|routing| routing.mailbox.stream != 0) else { return };
        if routing.mailbox.unconfirmed() >= MAX_LETTERS {
            return self.give_up_stream();
        }
        let (number, stream, up) = (routing.mailbox.post(), routing.mailbox.stream, routing.line == Line::Up);
        if up {
            self.mail_out(Envelope::Message { stream, number, message: news.clone() });
        }
        self.store.insert(letter(number), Value(Content::Letter(news)));
    }

    /// Forgets what the Routing Server does not take in; it is told everything anew when it listens again.
    fn give_up_stream(&mut self) {
        self.forget_letters(u64::MAX);
        if let Some(routing) = self.routing_mut() {
            routing.mailbox.start_over(0);
            if std::mem::replace(&mut routing.line, Line::Missed) == Line::Up {
                self.output(Some(ROUTING_KEY), Action::Redial);
            }
        }
    }

    /// Forgets what was told and heard: everything is told anew, in both directions, on the next connection.
    pub(super) fn forget_mail(&mut self) {
        self.forget_letters(u64::MAX);
        if let Some(routing) = self.routing_mut() {
            routing.mailbox = Mailbox::default();
        }
    }

    fn forget_letters(&mut self, up_to: u64) {
        let keys: Vec<RecordKey> = self.store.keys(LETTER, None).take_while(|key| key.id <= up_to).collect();
        keys.into_iter().for_each(|key| self.store.remove(key));
    }

    pub(super) fn mail(&mut self, now: Time, envelope: Envelope<Order>) {
        let Some(routing) = self.routing_mut() else { return };
        match routing.mailbox.arrive(&envelope) {
            Arrival::Nothing => {}
            Arrival::Repeated => self.confirm_mail(),
            Arrival::Gap => self.output(Some(ROUTING_KEY), Action::Redial),
            Arrival::Forget { up_to } => self.forget_letters(up_to),
            Arrival::Resend { after } => self.resend(after),
            Arrival::StartOver => self.tell_anew(),
            Arrival::TakeFirst => {
                self.each_waiting(now, |call, _| call.unname_offer());
                self.take_mail(now, envelope);
            }
            Arrival::Take => self.take_mail(now, envelope),
        }
    }

    fn take_mail(&mut self, now: Time, envelope: Envelope<Order>) {
        if let Envelope::Message { message, .. } = envelope {
            self.order(now, message);
        }
        self.confirm_mail();
    }

    /// Confirms what was taken; one confirmation in a batch is enough.
    fn confirm_mail(&mut self) {
        let Some(routing) = self.routing() else { return };
        let confirmation = routing.mailbox.confirmation();
        if let Some(last) = self.outputs.last_mut()
            && matches!(last.action, Action::Mail(Envelope::Confirmed(_)))
        {
            last.action = Action::Mail(confirmation);
        } else {
            self.mail_out(confirmation);
        }
    }

    fn resend(&mut self, after: u64) {
        self.forget_letters(after);
        let Some(routing) = self.routing_mut() else { return };
        routing.line = Line::Up;
        let stream = routing.mailbox.stream;
        let keys: Vec<RecordKey> = self.store.keys(LETTER, Some(after)).collect();
        for key in keys {
            if let Some(Value(Content::Letter(news))) = self.store.get(key) {
                let message = news.clone();
                self.mail_out(Envelope::Message { stream, number: key.id, message });
            }
        }
    }

    /// Tells the Routing Server everything in a new stream.
    fn tell_anew(&mut self) {
        self.forget_letters(u64::MAX);
        let stream = self.draw_key(ROUTING).id;
        let Some(routing) = self.routing_mut() else { return };
        routing.mailbox.start_over(stream);
        routing.line = Line::Up;
        for key in self.waiting_calls() {
            let call = self.store.get(RecordKey::new(CALL, key)).and_then(Value::as_call);
            if let Some(news) = call.and_then(|call| call.waiting()).and_then(|waiting| waiting.news(key)) {
                self.post(news);
            }
        }
        let extensions: Vec<String> = self.settings.agents.keys().cloned().collect();
        extensions.iter().for_each(|extension| self.tell_extension(extension));
        self.post(News::AllTold);
        self.log(Event::RoutingToldAnew);
    }

    /// Tells how an agent's extension stands; nothing about other extensions.
    pub(super) fn tell_extension(&mut self, number: &str) {
        if !self.settings.agents.contains_key(number) {
            return;
        }
        // Contacts that are about to expire count until their deadline is handled, as it tells again.
        let reachable = !self.targets(Time::ZERO, number).is_empty();
        let calls = self.calls_of(number).into_iter().map(CallNumber).collect();
        self.post(News::Extension { number: number.to_owned(), reachable, calls });
    }

    fn order(&mut self, now: Time, order: Order) {
        match order {
            Order::Queued { call } => {
                self.with_call(now, call.0, Call::queued);
            }
            Order::Refuse { call, status } => {
                self.with_call(now, call.0, |call, desk| call.turn_away(desk, status));
            }
            Order::Ring { call, offer, patience } => {
                let targets = self.targets(now, &offer.extension);
                self.with_call(now, call.0, |call, desk| call.offer(desk, offer, &targets, now + patience));
            }
            Order::Withdraw { call, offer } => {
                self.with_call(now, call.0, |call, desk| call.withdraw(desk, offer));
            }
            Order::Audit { extension } => self.tell_extension(&extension),
            Order::AllTold => self.each_waiting(now, Call::drop_unnamed_offer),
        }
    }

    fn waiting_calls(&self) -> Vec<u64> {
        self.store.keys(WAITING, None).map(|key| key.id).collect()
    }

    fn each_waiting(&mut self, now: Time, handle: fn(&mut Call, &mut Desk<'_>)) {
        for call in self.waiting_calls() {
            self.with_call(now, call, handle);
        }
    }

    /// Sends a waiting caller to the default target of its queue, if the Routing Server is missed.
    pub(super) fn divert(&mut self, now: Time, call: Option<RecordKey>) {
        let Some(call) = call.filter(|_| self.is_routing_missed()) else { return };
        let queue = self.store.get(call).and_then(Value::as_call).and_then(|call| call.waiting()).map(Waiting::queue);
        let default = queue.and_then(|queue| self.settings.queues.get(queue)).and_then(|queue| queue.default.clone());
        if let Some(default) = default {
            // A crowded one is tried again later.
            let targets = if self.is_crowded(&default) { Vec::new() } else { self.targets(now, &default) };
            self.with_call(now, call.id, |call, desk| call.go_to_default(desk, &targets));
        }
    }

    /// The patience with the Routing Server is at its end: sends those who wait elsewhere, a number at a time.
    pub(super) fn expire_routing(&mut self, now: Time) {
        let Some(routing) = self.routing_mut() else { return self.store.remove(ROUTING_KEY) };
        let after = match routing.line {
            Line::Gone { .. } => {
                routing.line = Line::Diverting { after: None };
                return self.log(Event::RoutingMissed);
            }
            Line::Diverting { after } => after,
            Line::Up | Line::Missed => return,
        };
        let calls: Vec<RecordKey> = self.store.keys(WAITING, after).take(EXPIRE_AT_ONCE).collect();
        let line = calls.last().map_or(Line::Missed, |last| Line::Diverting { after: Some(last.id) });
        if let Some(routing) = self.routing_mut() {
            routing.line = line;
        }
        for key in calls {
            self.divert(now, Some(RecordKey::new(CALL, key.id)));
        }
    }
}
