//! The toy server: sessions that add up, counts that last.

use model::{Epoch, Kind, RecordKey, Span, Time};
use redundancy::change::Aliases;
use redundancy::hot_standby::Engine;
use redundancy::store::{Record, Store};
use serde::{Deserialize, Serialize};

use super::wire::{Answer, Reply, Request};
use crate::checkers::exactly_once::add;

const SESSION: Kind = Kind(1);
const COUNT: Kind = Kind(2);

/// An unacknowledged answer is repeated so often.
const MOST_TRIES: u32 = 12;
/// First and longest pause before it is repeated.
const FIRST_PAUSE: Span = Span::from_millis(80);
const LONGEST_PAUSE: Span = Span::from_millis(640);

/// Key of a session.
pub(super) const fn session_key(session: u64) -> RecordKey {
    RecordKey::new(SESSION, session)
}

/// A record of the toy server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counter {
    /// A session.
    Session {
        /// Whose it is.
        client: u8,
        /// The last request.
        last: u32,
        /// The sum.
        total: u64,
        /// The answer that is waited for, or not acknowledged.
        waiting: Option<Waiting>,
    },
    /// A durable count.
    Count {
        /// Where it stands.
        last: u32,
    },
}

/// An answer that is due at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    at: Time,
    tries: u32,
}

impl Record for Counter {
    fn encode(&self, out: &mut Vec<u8>) {
        if let Ok(bytes) = postcard::to_allocvec(self) {
            out.extend_from_slice(&bytes);
        }
    }

    fn decode(_: Kind, bytes: &[u8]) -> Option<(Self, usize)> {
        let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
        Some((value, bytes.len() - rest.len()))
    }

    fn understands(kind: Kind, _: &[u8]) -> bool {
        kind == SESSION || kind == COUNT
    }

    fn deadline(&self) -> Time {
        match self {
            Self::Session { waiting: Some(waiting), .. } => waiting.at,
            Self::Session { waiting: None, .. } | Self::Count { .. } => Time::NEVER,
        }
    }

    fn aliases(&self) -> Aliases {
        Aliases::new()
    }
}

/// The toy server's decisions.
#[derive(Debug, Default)]
pub struct ToyEngine {
    store: Store<Counter>,
    outputs: Vec<Reply>,
    /// The last input ended the process.
    pub(super) died: bool,
}

impl ToyEngine {
    /// How many sessions there are.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.store.keys(SESSION, None).count() as u64
    }

    /// Where the durable count of a client stands.
    pub fn count(&mut self, client: u8) -> u32 {
        match self.store.get(RecordKey::new(COUNT, client.into())) {
            Some(Counter::Count { last }) => *last,
            _ => 0,
        }
    }

    fn say(&mut self, client: u8, session: u64, answer: Answer) {
        self.outputs.push(Reply { client, session, answer });
    }

    fn ask(&mut self, now: Time, client: u8, session: u64, number: u32, amount: u32, wait: Span) {
        let known = self.store.get(session_key(session)).copied();
        let (last, total, waiting) = match known {
            Some(Counter::Session { last, total, waiting, .. }) => (last, total, waiting),
            _ => (0, 0, None),
        };
        if number < last {
            return;
        }
        if number > last + 1 {
            return self.say(client, session, Answer::Missing { number, known: last });
        }
        if number == last {
            let answer = match waiting {
                Some(Waiting { tries: 0, .. }) => Answer::Heard(number),
                _ => Answer::Done { number, total, repeats: waiting.is_some() },
            };
            return self.say(client, session, answer);
        }
        let total = add(total, amount);
        let waiting = (wait > Span::ZERO).then(|| Waiting { at: now + wait, tries: 0 });
        self.store.insert(session_key(session), Counter::Session { client, last: number, total, waiting });
        let done = Answer::Done { number, total, repeats: false };
        self.say(client, session, if waiting.is_some() { Answer::Heard(number) } else { done });
    }

    fn enter(&mut self, client: u8, number: u32) {
        let key = RecordKey::new(COUNT, client.into());
        let last = self.count(client);
        if number > last + 1 {
            return self.say(client, client.into(), Answer::Missing { number, known: last });
        }
        if number == last + 1 {
            self.store.insert(key, Counter::Count { last: number });
        }
        if number >= last {
            self.say(client, client.into(), Answer::Entered(number));
        }
    }

    fn acknowledge(&mut self, session: u64, acknowledged: u32) {
        if let Some(Counter::Session { last, waiting: Some(Waiting { tries: 1.., .. }), .. }) =
            self.store.get(session_key(session))
            && *last == acknowledged
            && let Some(Counter::Session { waiting, .. }) = self.store.get_mut(session_key(session))
        {
            *waiting = None;
        }
    }

    fn answer_due(&mut self, key: RecordKey, now: Time) {
        let Some(Counter::Session { client, last, total, waiting }) = self.store.get_mut(key) else {
            return;
        };
        let (client, number, total) = (*client, *last, *total);
        *waiting = waiting.filter(|waiting| waiting.tries < MOST_TRIES).map(|Waiting { tries, .. }| Waiting {
            at: now + FIRST_PAUSE.times(1 << tries.min(8)).min(LONGEST_PAUSE),
            tries: tries + 1,
        });
        if waiting.is_some() {
            self.say(client, key.id, Answer::Done { number, total, repeats: true });
        }
    }
}

impl Engine for ToyEngine {
    type Value = Counter;
    type Input<'a> = &'a Request;
    type Output = Reply;

    fn handle(&mut self, now: Time, input: &Request) {
        match *input {
            Request::Ask { client, session, number, amount, wait } => {
                self.ask(now, client, session, number, amount, wait);
            }
            Request::Ack { session, number } => self.acknowledge(session, number),
            Request::Bye { client, session } => {
                self.store.remove(session_key(session));
                self.say(client, session, Answer::Gone);
            }
            Request::Enter { client, number } => self.enter(client, number),
            Request::Poison { session } => {
                let _ = self.store.get_mut(session_key(session));
                // Not `panic!`: its hook would print the panic that is wanted here.
                std::panic::resume_unwind(Box::new("poison"));
            }
            Request::Abort { .. } => self.died = true,
        }
        self.store.settle();
    }

    fn expire(&mut self, now: Time) {
        while let Some(key) = self.store.due(now) {
            self.answer_due(key, now);
            self.store.settle();
        }
    }

    fn begin(&mut self, _: Time, _: Epoch, _: u64) {}

    fn store(&self) -> &Store<Counter> {
        &self.store
    }

    fn store_mut(&mut self) -> &mut Store<Counter> {
        &mut self.store
    }

    fn outputs(&mut self) -> &mut Vec<Reply> {
        &mut self.outputs
    }

    fn abandon(&mut self, _: Time, touched: &[RecordKey]) {
        touched.iter().filter(|key| key.kind == SESSION).for_each(|key| self.store.remove(*key));
    }

    fn durable(kind: Kind) -> bool {
        kind == COUNT
    }
}
