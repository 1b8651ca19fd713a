//! Nonsense, floods, a panic, a changed configuration: nothing panics, nothing grows without a bound.

use model::route::{CallNumber, News, Offer, OfferNumber, Order, Unanswered};
use model::{Epoch, Kind, RecordKey, Span, Time};
use proptest::prelude::*;
use redundancy::hot_standby::Engine as _;
use redundancy::mailbox::{Envelope, Heard};
use redundancy::store::Record as _;
use routing::{
    ANSWERED_FOR, ANSWERED_MAX, AgentSettings, Ask, Choice, Engine, Event, Input, MAIL_MAX, Output, QueueSettings,
    Refusal, RequestNumber, Settings, State, Value,
};

use crate::pair::Pair;
use crate::tape::Tape;

fn settings(agents: usize) -> Settings {
    let agents: Vec<AgentSettings> = (0..agents)
        .map(|at| AgentSettings { id: format!("a{at}"), extension: format!("{}", 1000 + at), auto_ready: true })
        .collect();
    let queue = QueueSettings {
        number: "9000".into(),
        agents: agents.iter().map(|agent| agent.id.clone()).collect(),
        capacity: 5,
        no_answer: Span::from_secs(20),
    };
    Settings { agents, queues: vec![queue] }
}

/// A connected pair that has heard a story with every agent reachable.
fn served(agents: usize) -> Tape {
    let mut tape = Tape::new(settings(agents), false);
    tape.greet();
    for agent in settings(agents).agents {
        tape.say(News::Extension { number: agent.extension, reachable: true, calls: Vec::new() });
    }
    tape.say(News::AllTold);
    tape.out.clear();
    tape
}

fn waiting(call: u64, queue: &str) -> News {
    News::Waiting { call: CallNumber(call), queue: queue.into(), since: Time::from_micros(call), offer: None }
}

fn orders(outputs: &mut Vec<Output>) -> Vec<Order> {
    let orders = outputs.drain(..).filter_map(|output| match output {
        Output::Mail(Envelope::Message { message, .. }) => Some(message),
        _ => None,
    });
    orders.collect()
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("9000".to_owned()), Just("a0".to_owned()), Just("1000".to_owned()), any::<String>()]
}

fn news() -> impl Strategy<Value = News> {
    let number = || prop_oneof![0_u64..4, any::<u64>()];
    let call = move || number().prop_map(CallNumber);
    let offer = move || (number().prop_map(OfferNumber), name(), name());
    let offer = move || offer().prop_map(|(number, agent, extension)| Offer { number, agent, extension });
    let why = prop_oneof![Just(Unanswered::NoAnswer), Just(Unanswered::Declined), Just(Unanswered::Unreachable)];
    let since = number().prop_map(Time::from_micros);
    prop_oneof![
        (call(), name(), since, proptest::option::of(offer())).prop_map(|(call, queue, since, offer)| News::Waiting {
            call,
            queue,
            since,
            offer
        }),
        call().prop_map(|call| News::Left { call }),
        (call(), number()).prop_map(|(call, offer)| News::Answered { call, offer: OfferNumber(offer) }),
        (call(), number(), why).prop_map(|(call, offer, why)| News::NotAnswered {
            call,
            offer: OfferNumber(offer),
            why
        }),
        (name(), any::<bool>(), proptest::collection::vec(call(), 0..80))
            .prop_map(|(number, reachable, calls)| News::Extension { number, reachable, calls }),
        Just(News::AllTold),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let number = || prop_oneof![0_u64..4, any::<u64>()];
    let heard = move || (number(), number()).prop_map(|(stream, taken)| Heard { stream, taken });
    let message = (number(), number(), news());
    let choice = prop_oneof![
        Just(Choice::Ready),
        proptest::option::of(any::<String>()).prop_map(|reason| Choice::NotReady { reason })
    ];
    prop_oneof![
        1 => Just(Input::MailConnected),
        1 => Just(Input::MailGone),
        1 => heard().prop_map(|heard| Input::Mail(Envelope::Greeting(heard))),
        1 => heard().prop_map(|heard| Input::Mail(Envelope::Confirmed(heard))),
        10 => message.prop_map(|(stream, number, message)| Input::Mail(Envelope::Message { stream, number, message })),
        1 => (number(), name(), choice)
            .prop_map(|(id, agent, choice)| Input::Request { id: RequestNumber(id), ask: Ask::SetAgent { agent, choice } }),
    ]
}

proptest! {
    #[test]
    fn no_input_makes_it_panic(inputs in proptest::collection::vec((input(), 0_u64..40), 0..60)) {
        let mut now = Time::ZERO;
        let mut pair = Pair::new(settings(2), now);
        for (input, seconds) in inputs {
            pair.handle(now, input);
            now += Span::from_secs(seconds);
            pair.expire(now);
            pair.take_over(now);
        }
    }

    /// As above, with messages in the order in which a mailbox lets them through.
    #[test]
    fn no_news_makes_it_panic(all in proptest::collection::vec(news(), 0..60)) {
        let mut tape = served(2);
        for (at, news) in all.into_iter().enumerate() {
            if at % 7 == 6 {
                tape.start_over();
            }
            tape.say(news);
            tape.wait(Span::from_secs(5));
        }
        tape.say(News::AllTold);
        let queue = &tape.pair.engine.queues()[0];
        prop_assert!(queue.waiting == 0 || queue.ready == 0, "nobody waits while an agent is ready");
    }

    #[test]
    fn damaged_records_are_not_understood_and_do_no_harm(kind in 0_u8..8, id in 0_u64..3, bytes in any::<Vec<u8>>()) {
        let understood = Value::decode(Kind(kind), &bytes).is_some();
        prop_assert_eq!(Value::understands(Kind(kind), &bytes), understood);
        let mut engine = Engine::new(settings(1));
        let state = redundancy::change::State { deadline: Time::ZERO, aliases: Default::default(), value: &bytes };
        let key = RecordKey::new(Kind(kind), id);
        engine.store_mut().absorb(&redundancy::change::Change { key, state: Some(state) });
        engine.begin(Time::ZERO, Epoch(1), 0);
        engine.handle(Time::ZERO, Input::MailConnected);
        for _ in 0..3 {
            engine.expire(Time::ZERO);
        }
        prop_assert!(engine.store().deadline() > Time::ZERO, "nothing stays due");
    }
}

#[test]
fn a_sip_server_that_confirms_nothing_is_told_everything_anew() {
    let now = Time::ZERO;
    let mut engine = Engine::new(settings(1));
    engine.begin(now, Epoch(1), 0);
    engine.handle(now, Input::MailConnected);
    engine.handle(now, Input::Mail(Envelope::Greeting(Heard::default())));
    let flood = (1..).map(|number| match number {
        1 => News::AllTold,
        _ => waiting(number, "no queue"),
    });
    let mut posted = 0;
    for (number, message) in (1..).zip(flood).take(MAIL_MAX as usize + 10) {
        engine.handle(now, Input::Mail(Envelope::Message { stream: 1, number, message }));
        posted += orders(engine.outputs()).len() as u64;
    }
    assert_eq!(posted, MAIL_MAX, "then the connection is given up");
    assert!(engine.store().len() < 20, "what was kept is dropped");
    engine.handle(now, Input::MailConnected);
    engine.handle(now, Input::Mail(Envelope::Greeting(Heard { stream: 1, taken: 7 })));
    let told = engine.outputs().iter().any(|output| matches!(output, Output::Event(Event::ToldAll { .. })));
    assert!(told, "a new story in a new stream");
}

#[test]
fn answered_requests_are_bounded_and_forgotten() {
    let mut pair = Pair::new(settings(1), Time::ZERO);
    let ask = |agent: &str| Ask::SetAgent { agent: agent.into(), choice: Choice::Ready };
    let answer = |outputs: Vec<Output>| {
        let answer = outputs.into_iter().find_map(|output| match output {
            Output::Answer(answer) => Some(answer.result),
            _ => None,
        });
        answer.expect("every request is answered")
    };
    for id in 0..ANSWERED_MAX as u64 {
        let result = answer(pair.handle(Time::ZERO, Input::Request { id: RequestNumber(id), ask: ask("a0") }));
        assert_eq!(result.map(|row| row.state), Ok(State::Unreachable));
    }
    let one_more = || Input::Request { id: RequestNumber(u64::MAX), ask: ask("a0") };
    assert_eq!(answer(pair.handle(Time::ZERO, one_more())), Err(Refusal::TooManyRequests));
    pair.take_over(Time::ZERO);
    assert_eq!(answer(pair.handle(Time::ZERO, one_more())), Err(Refusal::TooManyRequests));
    let later = Time::ZERO + ANSWERED_FOR;
    pair.expire(later);
    assert!(answer(pair.handle(later, one_more())).is_ok(), "the oldest are forgotten");
}

#[test]
fn a_panic_costs_the_caller_in_hand_and_no_other() {
    let mut tape = served(1);
    tape.say(waiting(1, "9000"));
    tape.say(waiting(2, "9000"));
    tape.say(waiting(3, "9000"));
    tape.out.clear();
    let touched = [RecordKey::new(Kind(3), 2)];
    tape.pair.engine.abandon(tape.now, &touched);
    let orders = orders(tape.pair.engine.outputs());
    assert!(matches!(orders[0], Order::Refuse { call: CallNumber(2), status: 500 }), "{orders:?}");
    assert!(matches!(orders[1], Order::Ring { call: CallNumber(1), .. }), "{orders:?}");
    assert_eq!(orders[2..], [Order::Queued { call: CallNumber(3) }, Order::AllTold]);
}

#[test]
fn a_successor_with_another_configuration_lets_go_of_what_it_does_not_know() {
    let mut tape = served(2);
    tape.say(waiting(1, "9000"));
    tape.say(waiting(2, "9000"));
    tape.out.clear();
    let mut fewer = settings(3);
    fewer.agents.remove(0);
    tape.pair.configure(fewer.clone());
    tape.take_over();
    assert!(matches!(orders(&mut tape.out)[..], [Order::Withdraw { call: CallNumber(1), .. }]));
    let states: Vec<_> = tape.pair.engine.agents().into_iter().map(|row| (row.id, row.state)).collect();
    assert_eq!(states, [("a1".to_owned(), State::Ringing), ("a2".to_owned(), State::Unreachable)]);
    tape.pair.configure(Settings { queues: Vec::new(), ..fewer });
    tape.take_over();
    let refused = [1, 2].map(|call| Order::Refuse { call: CallNumber(call), status: 404 });
    assert_eq!(orders(&mut tape.out), refused);
}

#[test]
fn an_overdue_offer_is_not_given_up_before_the_sip_server_has_heard_the_question() {
    let mut tape = served(1);
    tape.say(waiting(1, "9000"));
    let engine = &mut tape.pair.engine;
    let now = tape.now + Span::from_secs(30);
    engine.expire(now);
    let posted = engine.outputs().drain(..).rev().find_map(|output| match output {
        Output::Mail(Envelope::Message { stream, number, .. }) => Some(Heard { stream, taken: number }),
        _ => None,
    });
    let asked = posted.expect("it asks about the offer");
    // Said before the question, perhaps before the telephone rang.
    let nothing = |number| {
        let message = News::Extension { number: "1000".into(), reachable: true, calls: Vec::new() };
        Input::Mail(Envelope::Message { stream: 1, number, message })
    };
    engine.handle(now, nothing(4));
    assert!(!gave_up(engine.outputs()));
    engine.handle(now, Input::Mail(Envelope::Confirmed(asked)));
    engine.handle(now, nothing(5));
    assert!(gave_up(engine.outputs()));
}

fn gave_up(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Event(Event::OfferLost { .. })))
}

#[test]
fn of_agents_who_share_an_extension_the_first_has_it() {
    let mut both = settings(1);
    both.agents.push(AgentSettings { id: "twin".into(), ..both.agents[0].clone() });
    both.queues[0].agents.push("twin".into());
    let mut pair = Pair::new(both, Time::ZERO);
    assert_eq!(pair.engine.agents().len(), 1);
}
