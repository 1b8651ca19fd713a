//! Who gets which caller.

mod agents;
mod audit;
mod callers;
mod mail;
mod offers;
mod rebuild;
mod requests;
mod rows;

use std::collections::BTreeSet;

use model::route::{CallNumber, News};
use model::{Epoch, Kind, RecordKey, Span, Time};
use redundancy::hot_standby;
use redundancy::mailbox::Envelope;
use redundancy::store::Store;

use crate::index::{Index, LineAt};
use crate::output::{Event, Output};
use crate::record::{AGENT, CALLER, POST_KEY, Part, Post, Value};
use crate::request::{Ask, RequestNumber};
use crate::settings::Settings;

/// The SIP Server is asked this often about an extension that rings, talks, or could not be reached by the last
/// offer, and about an offer that should have been answered.
pub const AUDIT_EVERY: Span = Span::from_secs(30);
/// The SIP Server is asked this often about an extension without a contact.
pub const AUDIT_AWAY_EVERY: Span = Span::from_secs(300);
/// An offer should be answered this long after the extension has stopped ringing.
pub const OFFER_GRACE: Span = Span::from_secs(10);
/// Callers in all queues together; the next one is refused with 503.
pub const CALLERS_MAX: usize = 50_000;
/// Orders kept for a SIP Server that does not confirm them; beyond that it is told everything anew, which needs two
/// orders for each caller at most.
pub const MAIL_MAX: u64 = 4 * CALLERS_MAX as u64;
/// Calls of one extension that are kept apart; of more than that, the rest is not looked at.
pub const CALLS_MAX: usize = 64;
/// Answered requests that are remembered; further requests are refused until the oldest are forgotten.
pub const ANSWERED_MAX: usize = 65_536;
/// How long an answered request is remembered, longer than anybody repeats one.
pub const ANSWERED_FOR: Span = Span::from_secs(60);
/// Records that are looked at in one call of [`hot_standby::Engine::expire`].
pub const EXPIRE_BATCH: usize = 256;

/// What the Routing Server takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A new connection to the SIP Server stands; an older one is gone.
    MailConnected,
    /// The connection to the SIP Server is gone.
    MailGone,
    /// The SIP Server says something.
    Mail(Envelope<News>),
    /// Somebody asks for something.
    Request {
        /// The number of the request.
        id: RequestNumber,
        /// What is asked.
        ask: Ask,
    },
}

/// The Routing Server as a value.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    store: Store<Value>,
    index: Index,
    outputs: Vec<Output>,
    epoch: Epoch,
    /// Numbers that were drawn in this epoch.
    drawn: u64,
    /// True once the SIP Server has greeted on the present connection: mail may go out.
    talking: bool,
    /// Queues that got a caller or an agent with the input in hand.
    stirred: BTreeSet<LineAt>,
    /// Callers who began to wait with the input in hand.
    fresh: Vec<CallNumber>,
}

impl Engine {
    /// An engine without a record.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let settings = settings.without_repeats();
        Self {
            index: Index::new(&settings),
            settings,
            store: Store::new(),
            outputs: Vec::new(),
            epoch: Epoch::default(),
            drawn: 0,
            talking: false,
            stirred: BTreeSet::new(),
            fresh: Vec::new(),
        }
    }

    fn get<P: Part>(&mut self, key: RecordKey) -> Option<&P> {
        self.store.get(key).and_then(P::of)
    }

    fn get_mut<P: Part>(&mut self, key: RecordKey) -> Option<&mut P> {
        self.store.get_mut(key).and_then(P::of_mut)
    }

    fn post(&mut self) -> Post {
        self.get::<Post>(POST_KEY).cloned().unwrap_or_default()
    }

    /// A number that nobody drew before and that is above all that were.
    fn draw(&mut self, kind: Kind) -> u64 {
        self.drawn += 1;
        RecordKey::drawn(kind, self.epoch, self.drawn).id
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push(Output::Event(event));
    }

    fn hear(&mut self, now: Time, news: News) {
        match news {
            News::Waiting { call, queue, since, offer } => self.waiting(now, call, queue, since, offer),
            News::Left { call } => self.left(now, call),
            News::Answered { call, offer } => self.answered(now, call, offer),
            News::NotAnswered { call, offer, why } => self.not_answered(now, call, offer, why),
            News::Extension { number, reachable, calls } => {
                if let Some(desk) = self.index.desk_at(&number) {
                    self.extension_stands(now, desk, reachable, calls);
                }
            }
            News::AllTold => self.heard_all(now),
        }
    }

    /// Ends an input: serves whoever can be served, and brings the store up to date.
    fn finish(&mut self, now: Time) {
        let post = self.post();
        if post.is_being_told() {
            // In the middle of the story neither the callers nor their order are known; its end stirs every queue.
            self.stirred.clear();
            self.fresh.clear();
        } else {
            if post.owes && self.talking && post.mailbox.heard.stream != 0 {
                self.tell_all(now);
            }
            self.serve(now);
            self.tell_queued();
        }
        self.store.settle();
    }
}

impl hot_standby::Engine for Engine {
    type Value = Value;
    type Input<'a> = Input;
    type Output = Output;

    fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::MailConnected => self.mail_connected(),
            Input::MailGone => self.talking = false,
            Input::Mail(envelope) => self.mail(now, envelope),
            Input::Request { id, ask } => self.request(now, id, ask),
        }
        self.finish(now);
    }

    fn expire(&mut self, now: Time) {
        for _ in 0..EXPIRE_BATCH {
            let Some(key) = self.store.due(now) else { break };
            self.look_after(now, key);
        }
        self.finish(now);
    }

    fn lose_track(&mut self) {
        self.forget_mail();
    }

    fn begin(&mut self, now: Time, epoch: Epoch, _seed: u64) {
        self.epoch = epoch;
        self.drawn = 0;
        self.talking = false;
        self.rebuild(now);
        self.finish(now);
    }

    fn store(&self) -> &Store<Value> {
        &self.store
    }

    fn store_mut(&mut self) -> &mut Store<Value> {
        &mut self.store
    }

    fn outputs(&mut self) -> &mut Vec<Output> {
        &mut self.outputs
    }

    /// Callers that were in hand are refused. The mail may be half written, so it begins anew.
    fn abandon(&mut self, now: Time, touched: &[RecordKey]) {
        let callers: Vec<RecordKey> = touched.iter().copied().filter(|key| key.kind == CALLER).collect();
        callers.iter().for_each(|key| self.store.remove(*key));
        self.start_over();
        self.rebuild(now);
        callers.iter().for_each(|key| self.refuse(CallNumber(key.id), 500));
        self.finish(now);
    }

    fn durable(kind: Kind) -> bool {
        kind == AGENT
    }
}
