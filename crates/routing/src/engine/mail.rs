//! Mail to and from the SIP Server: exactly once, in order, and everything anew when either side has lost its memory.
//!
//! Who tells first? A side that cannot go on in the old stream begins a new one at once. But this side waits with the
//! story of its offers until it has heard the SIP Server's, if that is on its way: after a cold start it would
//! otherwise say "no offers", and every telephone that rings would fall silent.

use model::route::{CallNumber, News, Order};
use model::{RecordKey, Time};
use redundancy::mailbox::{Arrival, Envelope};

use super::{Engine, MAIL_MAX};
use crate::output::{Event, Output};
use crate::record::{Caller, MAIL, POST, POST_KEY, Post, Value, caller_key};

impl Engine {
    /// Greets on a new connection.
    pub(super) fn mail_connected(&mut self) {
        self.talking = false;
        let greeting = self.post().mailbox.greeting();
        self.outputs.push(Output::Mail(greeting));
    }

    /// The SIP Server says something.
    pub(super) fn mail(&mut self, now: Time, envelope: Envelope<News>) {
        let Some(post) = self.get_mut::<Post>(POST_KEY) else { return };
        match post.mailbox.arrive(&envelope) {
            Arrival::Nothing => {}
            arrival @ (Arrival::Take | Arrival::TakeFirst) => {
                if arrival == Arrival::TakeFirst {
                    // It began to tell when it heard our greeting, after its own: what it has heard of our orders
                    // since then, it confirms behind the story.
                    post.told_after = post.mailbox.confirmed;
                }
                if let Envelope::Message { message, .. } = envelope {
                    self.hear(now, message);
                }
                self.confirm();
            }
            Arrival::Repeated => self.confirm(),
            Arrival::Forget { up_to } => self.forget(up_to),
            Arrival::Resend { after } => {
                self.talking = true;
                self.forget(after);
                self.resend();
            }
            Arrival::StartOver => {
                self.talking = true;
                self.start_over();
            }
            Arrival::Gap => {
                self.tell(Event::MailMissing);
                self.reconnect();
            }
        }
    }

    /// Confirms what was taken, once for all that came in a row.
    fn confirm(&mut self) {
        if matches!(self.outputs.last(), Some(Output::Mail(Envelope::Confirmed(_)))) {
            self.outputs.pop();
        }
        let confirmation = self.post().mailbox.confirmation();
        self.outputs.push(Output::Mail(confirmation));
    }

    fn reconnect(&mut self) {
        self.talking = false;
        self.outputs.push(Output::Reconnect);
    }

    /// Posts an order and returns its number in the stream. Before the first greeting there is no stream, and nothing
    /// to keep: everything will be told.
    pub(super) fn send(&mut self, order: Order) -> u64 {
        let Some(post) = self.get_mut::<Post>(POST_KEY).filter(|post| post.mailbox.stream != 0) else { return 0 };
        if post.mailbox.unconfirmed() >= MAIL_MAX {
            self.overflow();
            return 0;
        }
        let (stream, number) = (post.mailbox.stream, post.mailbox.post());
        if self.talking {
            let message = order.clone();
            self.outputs.push(Output::Mail(Envelope::Message { stream, number, message }));
        }
        self.store.insert(RecordKey::new(MAIL, number), Value::Mail(order));
        number
    }

    /// The kept orders, those up to this number.
    fn kept(&self, up_to: u64) -> Vec<RecordKey> {
        self.store.keys(MAIL, None).take_while(|key| key.id <= up_to).collect()
    }

    /// Forgets the kept orders up to this number.
    fn forget(&mut self, up_to: u64) {
        self.kept(up_to).into_iter().for_each(|key| self.store.remove(key));
    }

    fn resend(&mut self) {
        let stream = self.post().mailbox.stream;
        for key in self.kept(u64::MAX) {
            if let Some(message) = self.get::<Order>(key).cloned() {
                self.outputs.push(Output::Mail(Envelope::Message { stream, number: key.id, message }));
            }
        }
    }

    /// Begins a new stream, in which everything will be told. Of the old one only refusals are carried over: a refused
    /// caller is in no record, so the story does not name the call.
    pub(super) fn start_over(&mut self) {
        let kept = self.kept(u64::MAX);
        let orders: Vec<Order> = kept.into_iter().filter_map(|key| self.get::<Order>(key).cloned()).collect();
        self.begin_stream();
        for order in orders {
            if matches!(order, Order::Refuse { .. }) {
                self.send(order);
            }
        }
    }

    /// Forgets what was told and heard: everything is told anew, in both directions, on the next connection.
    pub(super) fn forget_mail(&mut self) {
        self.forget(u64::MAX);
        if let Some(post) = self.get_mut::<Post>(POST_KEY) {
            *post = Post::default();
        }
    }

    /// Gives up what is kept for a SIP Server that confirms nothing.
    fn overflow(&mut self) {
        self.begin_stream();
        self.tell(Event::MailOverflow);
        self.reconnect();
    }

    fn begin_stream(&mut self) {
        self.forget(u64::MAX);
        let stream = self.draw(POST);
        if let Some(post) = self.get_mut::<Post>(POST_KEY) {
            post.mailbox.start_over(stream);
            post.owes = true;
            post.told_after = 0;
        }
    }

    /// Tells the SIP Server everything: who waits and who rings for whom.
    pub(super) fn tell_all(&mut self, now: Time) {
        if let Some(post) = self.get_mut::<Post>(POST_KEY) {
            post.owes = false;
        }
        let calls = self.calls();
        calls.iter().for_each(|call| self.tell_caller(now, *call));
        self.send(Order::AllTold);
        self.tell(Event::ToldAll { callers: calls.len() });
    }

    /// Tells how a caller stands. An offer without an agent is not named, so that it ends.
    fn tell_caller(&mut self, now: Time, call: CallNumber) {
        let Some(caller) = self.get_mut::<Caller>(caller_key(call)) else { return };
        caller.queued = caller.offer.is_none();
        let caller = caller.clone();
        let Some(standing) = caller.offer else {
            self.send(Order::Queued { call });
            return;
        };
        if standing.orphan {
            return;
        }
        let patience = self.index.line_of(&caller.queue).map(|line| self.settings.queues[line].no_answer);
        let patience = (standing.at + patience.unwrap_or_default()).since(now);
        let number = standing.offer.number;
        let mail = self.send(Order::Ring { call, offer: standing.offer, patience });
        if standing.withdrawn {
            self.send(Order::Withdraw { call, offer: number });
        }
        if let Some(standing) = self.offer_of(call) {
            standing.mail = mail;
            standing.chased = None;
        }
    }
}
