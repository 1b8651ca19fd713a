//! What a decision costs with 10,000 agents and 10,000 callers waiting, replication included.
//!
//! One sample is one decision, so "slowest" of 1,000 samples stands above the 99th percentile.

use divan::{Bencher, black_box};
use model::route::{CallNumber, News};
use model::{Epoch, Span, Time};
use redundancy::change::Changes;
use redundancy::hot_standby::Engine as _;
use redundancy::mailbox::{Envelope, Heard};
use routing::{AgentSettings, Engine, Input, Output, QueueSettings, Settings};

const AGENTS: usize = 10_000;
const CALLERS: u64 = 10_000;
/// Each agent serves three of them.
const QUEUES: usize = 50;
const SAMPLES: u32 = 1_000;

fn main() {
    divan::main();
}

fn settings() -> Settings {
    let agents =
        (0..AGENTS).map(|at| AgentSettings { id: format!("agent-{at}"), extension: extension(at), auto_ready: true });
    let queues = (0..QUEUES).map(|queue| QueueSettings {
        number: number(queue),
        agents: (0..AGENTS)
            .filter(|at| (0..3).any(|more| (at + more) % QUEUES == queue))
            .map(|at| format!("agent-{at}"))
            .collect(),
        capacity: CALLERS as usize,
        no_answer: Span::from_secs(20),
    });
    Settings { agents: agents.collect(), queues: queues.collect() }
}

fn extension(at: usize) -> String {
    format!("{}", 100_000 + at)
}

fn number(queue: usize) -> String {
    format!("{}", 9_000 + queue)
}

/// An engine with its place in the talk with the SIP Server.
struct Busy {
    engine: Engine,
    now: Time,
    said: u64,
    bytes: Vec<u8>,
}

impl Busy {
    /// The SIP Server has greeted and not yet told anything.
    fn greeted() -> Self {
        let mut busy = Self { engine: Engine::new(settings()), now: Time::ZERO, said: 0, bytes: Vec::new() };
        busy.engine.begin(busy.now, Epoch(1), 0);
        busy.input(Input::MailConnected);
        busy.input(Input::Mail(Envelope::Greeting(Heard::default())));
        busy
    }

    /// Every agent talks, every caller waits.
    fn full() -> Self {
        let mut busy = Self::greeted();
        (0..AGENTS).for_each(|at| busy.talks(at, &[1_000_000 + at as u64]));
        busy.say(News::AllTold);
        (0..CALLERS).for_each(|call| busy.waits(call));
        busy
    }

    /// Every agent is ready, nobody waits.
    fn idle() -> Self {
        let mut busy = Self::greeted();
        (0..AGENTS).for_each(|at| busy.talks(at, &[]));
        busy.say(News::AllTold);
        busy
    }

    fn input(&mut self, input: Input) {
        self.now += Span::from_micros(1);
        self.engine.handle(self.now, input);
        self.bytes.clear();
        self.engine.store_mut().drain(&mut self.bytes, |_, _| ());
        // The SIP Server confirms every order.
        let heard = self.engine.outputs().iter().rev().find_map(|output| match output {
            Output::Mail(Envelope::Message { stream, number, .. }) => Some(Heard { stream: *stream, taken: *number }),
            _ => None,
        });
        self.engine.outputs().clear();
        if let Some(heard) = heard {
            self.engine.handle(self.now, Input::Mail(Envelope::Confirmed(heard)));
        }
    }

    fn say(&mut self, message: News) {
        self.said += 1;
        self.input(Input::Mail(Envelope::Message { stream: 1, number: self.said, message }));
    }

    fn talks(&mut self, at: usize, calls: &[u64]) {
        let calls = calls.iter().copied().map(CallNumber).collect();
        self.say(News::Extension { number: extension(at), reachable: true, calls });
    }

    fn waits(&mut self, call: u64) {
        let queue = number(call as usize % QUEUES);
        self.say(News::Waiting { call: CallNumber(call), queue, since: self.now, offer: None });
    }
}

/// An agent hangs up and gets the caller who waits longest in three queues.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn an_agent_becomes_free(bencher: Bencher) {
    let mut busy = Busy::full();
    let mut next = 0;
    bencher.bench_local(|| {
        busy.talks(next, &[]);
        next += 1;
    });
}

/// A caller arrives and joins the queue.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn a_caller_has_to_wait(bencher: Bencher) {
    let mut busy = Busy::full();
    let mut next = CALLERS;
    bencher.bench_local(|| {
        busy.waits(next);
        next += 1;
    });
}

/// A caller arrives and gets the agent who is idle longest.
#[divan::bench(sample_count = SAMPLES, sample_size = 1)]
fn a_caller_is_served(bencher: Bencher) {
    let mut busy = Busy::idle();
    let mut next = 0;
    bencher.bench_local(|| {
        busy.waits(next);
        next += 1;
    });
}

/// A backup that holds every record derives what it needs to serve.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn taking_over(bencher: Bencher) {
    let busy = Busy::full();
    let mut snapshot = Vec::new();
    let mut next = busy.engine.store().next_key(model::RecordKey::new(model::Kind(0), 0));
    while let Some(key) = next {
        busy.engine.store().write_snapshot(key, &mut snapshot);
        next = busy.engine.store().next_key(model::RecordKey::new(key.kind, key.id + 1));
    }
    let successor = || {
        let mut engine = Engine::new(settings());
        for change in Changes::new(&snapshot) {
            engine.store_mut().absorb(&change.expect("a snapshot is undamaged"));
        }
        engine
    };
    bencher.with_inputs(successor).bench_local_values(|mut engine| {
        engine.begin(busy.now, Epoch(2), 0);
        black_box(engine)
    });
}
