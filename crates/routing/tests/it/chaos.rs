//! A Routing Server pair and a SIP Server over connections that break at any message, with takeovers and lost
//! memories on either side: nobody is lost, nothing is done twice, and both sides agree in the end.

use std::collections::{BTreeMap, VecDeque};

use model::route::Order;
use model::{Span, Time};
use proptest::prelude::*;
use redundancy::mailbox::Envelope;
use routing::{AgentSettings, Answer, Ask, Choice, Input, Output, QueueSettings, RequestNumber, Settings, State};

use crate::pair::Pair;
use crate::sip::Sip;

const AGENTS: usize = 3;
const QUEUES: [&str; 3] = ["9000", "9100", "9999"];

#[derive(Clone, Debug)]
enum Fault {
    /// The connection breaks with all that is on its way, and another one is made.
    Reconnect,
    TakeOver,
    /// The primary dies with an input in hand: neither its checkpoint nor its outputs got out.
    Torn,
    ColdStart,
    SipForgets,
    SipColdStart,
}

#[derive(Clone, Debug)]
enum Step {
    Dial(usize),
    HangUp(usize),
    Answer(usize),
    Decline(usize),
    CallOut(usize),
    EndCalls(usize),
    Register(usize, bool),
    Choose(usize, bool),
    AskAgain,
    Wait(u64),
    ToSip(usize),
    ToRouting(usize),
    Fault(Fault),
}

fn step() -> impl Strategy<Value = Step> {
    let agent = 0..AGENTS;
    let fault = prop_oneof![
        8 => Just(Fault::Reconnect),
        4 => Just(Fault::TakeOver),
        4 => Just(Fault::Torn),
        1 => Just(Fault::ColdStart),
        1 => Just(Fault::SipForgets),
        1 => Just(Fault::SipColdStart),
    ];
    prop_oneof![
        6 => (0..QUEUES.len()).prop_map(Step::Dial),
        1 => (0_usize..6).prop_map(Step::HangUp),
        4 => agent.clone().prop_map(Step::Answer),
        1 => agent.clone().prop_map(Step::Decline),
        1 => agent.clone().prop_map(Step::CallOut),
        3 => agent.clone().prop_map(Step::EndCalls),
        2 => (agent.clone(), proptest::bool::weighted(0.7)).prop_map(|(agent, up)| Step::Register(agent, up)),
        4 => (agent, proptest::bool::weighted(0.8)).prop_map(|(agent, ready)| Step::Choose(agent, ready)),
        1 => Just(Step::AskAgain),
        1 => (1_u64..45).prop_map(Step::Wait),
        10 => (1_usize..5).prop_map(Step::ToSip),
        10 => (1_usize..5).prop_map(Step::ToRouting),
        3 => fault.prop_map(Step::Fault),
    ]
}

fn settings() -> Settings {
    let agents = (0..AGENTS).map(|at| AgentSettings {
        id: format!("a{at}"),
        extension: format!("100{at}"),
        auto_ready: at != 0,
    });
    let queue = |number: &str, agents: &[&str]| QueueSettings {
        number: number.into(),
        agents: agents.iter().map(ToString::to_string).collect(),
        capacity: 4,
        no_answer: Span::from_secs(20),
    };
    Settings { agents: agents.collect(), queues: vec![queue("9000", &["a0", "a1"]), queue("9100", &["a1", "a2"])] }
}

struct World {
    pair: Pair,
    sip: Sip,
    now: Time,
    to_sip: VecDeque<Envelope<Order>>,
    asked: Option<(RequestNumber, Ask)>,
    answers: BTreeMap<RequestNumber, Answer>,
}

impl World {
    fn new() -> Self {
        let now = Time::ZERO + Span::from_secs(1);
        let mut world = Self {
            pair: Pair::new(settings(), now),
            sip: Sip::new(settings().agents.into_iter().map(|agent| agent.extension)),
            now,
            to_sip: VecDeque::new(),
            asked: None,
            answers: BTreeMap::new(),
        };
        world.reconnect();
        world
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Mail(envelope) => self.to_sip.push_back(envelope),
                Output::Answer(answer) => {
                    let given = self.answers.entry(answer.request).or_insert_with(|| answer.clone());
                    assert_eq!(*given, answer, "a repeated request gets the same answer");
                }
                Output::Event(_) => {}
                Output::Reconnect => panic!("nothing is lost on one connection"),
            }
        }
    }

    fn input(&mut self, input: Input) {
        let outputs = self.pair.handle(self.now, input);
        self.take(outputs);
    }

    fn reconnect(&mut self) {
        self.to_sip.clear();
        self.sip.greet();
        self.input(Input::MailConnected);
    }

    fn hand_to_sip(&mut self, most: usize) -> usize {
        let count = most.min(self.to_sip.len());
        for envelope in self.to_sip.drain(..count) {
            self.sip.arrive(self.now, envelope);
        }
        count
    }

    fn hand_to_routing(&mut self, most: usize) -> usize {
        let count = most.min(self.sip.out.len());
        for envelope in self.sip.out.drain(..count).collect::<Vec<_>>() {
            self.input(Input::Mail(envelope));
        }
        count
    }

    fn wait(&mut self, span: Span) {
        let until = self.now + span;
        while self.pair.deadline() <= until {
            self.now = self.now.max(self.pair.deadline());
            let outputs = self.pair.expire(self.now);
            self.take(outputs);
        }
        self.now = until;
        self.sip.tick(self.now);
    }

    fn ask(&mut self, id: RequestNumber, ask: Ask) {
        self.asked = Some((id, ask.clone()));
        self.input(Input::Request { id, ask });
    }

    fn fault(&mut self, fault: &Fault) {
        match fault {
            Fault::Reconnect => {}
            Fault::Torn => {
                if let Some(envelope) = self.sip.out.pop_front() {
                    self.pair.handle_in_vain(self.now, Input::Mail(envelope));
                }
                let outputs = self.pair.take_over(self.now);
                self.take(outputs);
            }
            Fault::TakeOver => {
                let outputs = self.pair.take_over(self.now);
                self.take(outputs);
            }
            Fault::ColdStart => {
                // Answers are not durable: nobody repeats a request for so long.
                self.asked = None;
                let outputs = self.pair.cold_start(self.now);
                self.take(outputs);
            }
            Fault::SipForgets => self.sip.forget(),
            Fault::SipColdStart => self.sip.cold_start(),
        }
        self.reconnect();
    }

    fn step(&mut self, step: &Step) {
        let extension = |at: &usize| format!("100{at}");
        match step {
            Step::Dial(queue) => self.sip.dial(self.now, QUEUES[*queue]),
            Step::HangUp(nth) => self.sip.hang_up(*nth),
            Step::Answer(at) => self.sip.answer(&extension(at)),
            Step::Decline(at) => self.sip.decline(&extension(at)),
            Step::CallOut(at) => self.sip.call_out(&extension(at)),
            Step::EndCalls(at) => self.sip.end_calls(&extension(at)),
            Step::Register(at, reachable) => self.sip.register(&extension(at), *reachable),
            Step::Choose(at, ready) => {
                let choice = if *ready { Choice::Ready } else { Choice::NotReady { reason: None } };
                let id = RequestNumber(self.answers.len() as u64);
                self.ask(id, Ask::SetAgent { agent: extension(at), choice });
            }
            Step::AskAgain => {
                if let Some((id, ask)) = self.asked.clone() {
                    self.ask(id, ask);
                }
            }
            Step::Wait(seconds) => {
                // Whoever asked has given up by then.
                self.asked = None;
                self.wait(Span::from_secs(*seconds));
            }
            Step::ToSip(count) => _ = self.hand_to_sip(*count),
            Step::ToRouting(count) => _ = self.hand_to_routing(*count),
            Step::Fault(fault) => self.fault(fault),
        }
    }

    /// Lets everything arrive that is on its way.
    fn deliver(&mut self) {
        let mut left = 100_000;
        while self.hand_to_sip(usize::MAX) + self.hand_to_routing(usize::MAX) > 0 {
            left -= 1;
            assert!(left > 0, "the two servers come to rest");
        }
    }

    /// Both sides know the same, and whoever can be served is served.
    fn check_level(&mut self) {
        let rows = self.pair.engine.agents();
        for row in &rows {
            let phone = &self.sip.phones[&row.extension];
            let offers = self.sip.callers.values().filter_map(|caller| caller.offer.as_ref());
            let rings = offers.filter(|ringing| ringing.offer.agent == row.id).count();
            let failed = row.reason.as_deref().is_some_and(|why| why.starts_with("no contact answers"));
            match row.state {
                State::Ringing => assert_eq!(rings, 1, "{row:?}"),
                State::Busy => assert!(rings == 0 && !phone.legs.is_empty(), "{row:?}"),
                State::Unreachable => assert!(rings == 0 && phone.legs.is_empty() && (failed || !phone.reachable)),
                State::Ready | State::NotReady => assert!(rings == 0 && phone.legs.is_empty() && phone.reachable),
            }
        }
        for row in self.pair.engine.queues() {
            let callers = || self.sip.callers.values().filter(|caller| caller.queue == row.number);
            assert_eq!(row.ringing, callers().filter(|caller| caller.offer.is_some()).count(), "{row:?}");
            assert_eq!(row.waiting, callers().filter(|caller| caller.offer.is_none()).count(), "{row:?}");
            assert!(row.waiting == 0 || row.ready == 0, "nobody waits while an agent is ready: {row:?}");
            assert!(row.waiting + row.ringing <= 4, "no queue holds more than its capacity: {row:?}");
        }
        for caller in self.sip.callers.values() {
            assert_ne!(caller.queue, "9999", "nobody waits where there is no queue");
            assert!(caller.offer.is_some() || caller.queued, "a caller hears of the queue");
        }
    }
}

proptest! {
    #[test]
    fn nobody_is_lost_and_nothing_is_done_twice(steps in proptest::collection::vec(step(), 1..150)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.reconnect();
        world.deliver();
        world.check_level();
        // Whatever rings is answered or not, whoever could not be reached is tried again.
        for _ in 0..2 * AGENTS {
            world.wait(Span::from_secs(31));
            world.deliver();
            world.check_level();
        }
        assert_eq!(world.sip.callers.values().filter(|caller| caller.offer.is_some()).count(), 0);
    }
}

/// The steps above reach what they are meant to reach: without it, a world in which nothing happens would pass.
#[test]
fn a_quiet_world_connects_refuses_and_queues() {
    let mut world = World::new();
    world.deliver();
    for _ in 0..7 {
        world.sip.dial(world.now, "9100");
    }
    world.sip.dial(world.now, "9999");
    world.deliver();
    world.sip.answer("1001");
    world.sip.answer("1002");
    world.deliver();
    world.check_level();
    assert_eq!((world.sip.answered, world.sip.refused, world.sip.callers.len()), (2, 4, 2));
}
