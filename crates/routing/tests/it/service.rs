//! Whatever the SIP Server and people say, callers are served as the obvious model serves them, and a takeover, be it
//! after every step, changes nothing.

use std::collections::BTreeMap;

use model::route::{CallNumber, News, OfferNumber, Order, Unanswered};
use model::{Span, Time};
use proptest::prelude::*;
use redundancy::mailbox::Envelope;
use routing::{AgentSettings, Ask, Choice, Output, QueueSettings, Settings};

use crate::naive::{Naive, Said};
use crate::tape::Tape;

const AGENTS: usize = 4;
/// The last one is no queue.
const QUEUES: [&str; 3] = ["9000", "9100", "9999"];

#[derive(Clone, Debug)]
enum Step {
    Waits { call: u64, queue: usize, since: u64 },
    Left { call: u64 },
    Answered { call: u64, latest: bool },
    NotAnswered { call: u64, latest: bool, why: Unanswered },
    Extension { agent: usize, reachable: bool, calls: Vec<u64> },
    Choose { agent: usize, ready: bool },
    Wait { seconds: u64 },
    TakeOver,
}

fn step() -> impl Strategy<Value = Step> {
    let call = 1_u64..9;
    let agent = 0..AGENTS;
    let why = prop_oneof![Just(Unanswered::NoAnswer), Just(Unanswered::Declined), Just(Unanswered::Unreachable)];
    let latest = proptest::bool::weighted(0.9);
    prop_oneof![
        5 => (call.clone(), 0..QUEUES.len(), 0_u64..4).prop_map(|(call, queue, since)| Step::Waits { call, queue, since }),
        1 => call.clone().prop_map(|call| Step::Left { call }),
        2 => (call.clone(), latest).prop_map(|(call, latest)| Step::Answered { call, latest }),
        2 => (call.clone(), latest, why).prop_map(|(call, latest, why)| Step::NotAnswered { call, latest, why }),
        4 => (agent.clone(), proptest::bool::weighted(0.8), proptest::collection::vec(call, 0..3))
            .prop_map(|(agent, reachable, calls)| Step::Extension { agent, reachable, calls }),
        3 => (agent.clone(), Just(true), Just(vec![]))
            .prop_map(|(agent, reachable, calls)| Step::Extension { agent, reachable, calls }),
        3 => (agent, proptest::bool::weighted(0.7)).prop_map(|(agent, ready)| Step::Choose { agent, ready }),
        2 => (0_u64..40).prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::TakeOver),
    ]
}

/// Two queues of three places; one agent serves both. Rings for so long that no audit looks after an offer.
fn settings() -> Settings {
    let agents = (0..AGENTS).map(|at| AgentSettings {
        id: format!("a{at}"),
        extension: format!("100{at}"),
        auto_ready: at % 2 == 0,
    });
    let queue = |number: &str, agents: &[&str]| QueueSettings {
        number: number.into(),
        agents: agents.iter().map(ToString::to_string).collect(),
        capacity: 3,
        no_answer: Span::from_secs(1_000_000),
    };
    let queues = vec![queue("9000", &["a0", "a1", "a2"]), queue("9100", &["a2", "a3", "nobody", "a2"])];
    Settings { agents: agents.collect(), queues }
}

struct Both {
    tape: Tape,
    naive: Naive,
    /// The latest offer for each call.
    offers: BTreeMap<CallNumber, OfferNumber>,
}

impl Both {
    fn new(restless: bool) -> Self {
        let mut tape = Tape::new(settings(), restless);
        tape.greet();
        tape.say(News::AllTold);
        tape.out.clear();
        Self { naive: Naive::new(settings(), tape.now), tape, offers: BTreeMap::new() }
    }

    fn offer(&self, call: CallNumber, latest: bool) -> OfferNumber {
        let number = self.offers.get(&call).filter(|_| latest);
        number.copied().unwrap_or(OfferNumber(3))
    }

    fn take(&mut self, step: &Step) {
        let now = self.tape.now;
        match step {
            Step::Waits { call, queue, since } => {
                let (call, queue, since) = (CallNumber(*call), QUEUES[*queue], Time::from_micros(*since));
                self.naive.waiting(call, queue, since);
                self.tape.say(News::Waiting { call, queue: queue.into(), since, offer: None });
            }
            Step::Left { call } => {
                self.naive.left(CallNumber(*call));
                self.tape.say(News::Left { call: CallNumber(*call) });
            }
            Step::Answered { call, latest } => {
                let call = CallNumber(*call);
                self.naive.answered(call, *latest);
                self.tape.say(News::Answered { call, offer: self.offer(call, *latest) });
            }
            Step::NotAnswered { call, latest, why } => {
                let call = CallNumber(*call);
                if *latest {
                    self.naive.not_answered(now, call, *why);
                }
                self.tape.say(News::NotAnswered { call, offer: self.offer(call, *latest), why: *why });
            }
            Step::Extension { agent, reachable, calls } => {
                let calls: Vec<CallNumber> = calls.iter().copied().map(CallNumber).collect();
                self.naive.extension(now, *agent, *reachable, &calls);
                let number = settings().agents[*agent].extension.clone();
                self.tape.say(News::Extension { number, reachable: *reachable, calls });
            }
            Step::Choose { agent, ready } => {
                let choice = if *ready { Choice::Ready } else { Choice::NotReady { reason: Some("lunch".into()) } };
                self.naive.choose(now, *agent, &choice);
                self.tape.ask(Ask::SetAgent { agent: format!("a{agent}"), choice });
            }
            Step::Wait { seconds } => self.tape.wait(Span::from_secs(*seconds)),
            Step::TakeOver => self.tape.take_over(),
        }
        self.naive.settle();
    }

    /// What was said about callers, audits aside.
    fn said(&mut self) -> Vec<Said> {
        let mut said = Vec::new();
        for output in std::mem::take(&mut self.tape.out) {
            let Output::Mail(Envelope::Message { message, .. }) = output else { continue };
            said.extend(match message {
                Order::Queued { call } => Some(Said::Queued(call)),
                Order::Refuse { call, status } => Some(Said::Refuse(call, status)),
                Order::Withdraw { call, .. } => Some(Said::Withdraw(call)),
                Order::Ring { call, offer, .. } => {
                    self.offers.insert(call, offer.number);
                    Some(Said::Ring(call, offer.agent))
                }
                Order::Audit { .. } => None,
                Order::AllTold => panic!("nobody asked for the whole story"),
            });
        }
        said
    }

    fn compare(&mut self) {
        assert_eq!(self.said(), std::mem::take(&mut self.naive.said));
        let rows = self.tape.pair.engine.agents();
        for (at, row) in rows.iter().enumerate() {
            assert_eq!(row.state, self.naive.state(at), "state of {}", row.id);
        }
        for row in self.tape.pair.engine.queues() {
            let callers = || self.naive.callers.iter().filter(|caller| caller.queue == row.number);
            assert_eq!(row.waiting, callers().filter(|caller| caller.offer.is_none()).count());
            assert_eq!(row.ringing, callers().filter(|caller| caller.offer.is_some()).count());
        }
    }
}

proptest! {
    #[test]
    fn callers_are_served_as_the_obvious_model_serves_them(
        steps in proptest::collection::vec(step(), 1..80),
        restless in any::<bool>(),
    ) {
        let mut both = Both::new(restless);
        for step in &steps {
            both.take(step);
            both.compare();
        }
    }
}
