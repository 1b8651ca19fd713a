//! Who has a telephone, how its owner behaves, and who calls whom.

use model::{Chance, Span, Time};

/// A telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhonePlan {
    /// Its number; two phones of one number ring together.
    pub number: u32,
    /// What its owner does with a call.
    pub manner: Manner,
    /// How long until it rings.
    pub rings: Span,
    /// How long until its owner acts.
    pub acts: Span,
    /// How long its owner talks before hanging up; `None` if that is left to the other one.
    pub talks: Option<Span>,
    /// How long after the answer its owner puts the call on hold; `None` if never.
    pub holds: Option<Span>,
    /// When it takes its registration back; it registers again a second later.
    pub leaves: Option<Time>,
    /// It speaks over TCP.
    pub stream: bool,
}

/// What the owner of a phone does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Answers.
    Answers,
    /// Plays something before it answers: 183 with a session description.
    PlaysFirst,
    /// Is busy: 486.
    Busy,
    /// Declines: 603.
    Declines,
    /// Lets it ring.
    LetsRing,
    /// The phone is rude: it answers with 200 after it was cancelled.
    AnswersLate,
    /// Nothing is heard of the phone.
    Dead,
    /// Answers and hangs up before the ACK has come.
    HangsUpAtOnce,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlan {
    /// When.
    pub at: Time,
    /// The index of the phone that calls; beyond the last one is the trunk.
    pub from: u8,
    /// The number that is dialled.
    pub to: u32,
    /// How long after the INVITE the caller gives up; `None` if never.
    pub cancels: Option<Span>,
    /// How long the caller talks before hanging up; `None` if that is left to the other one.
    pub talks: Option<Span>,
    /// How long after the answer the caller puts the call on hold; `None` if never.
    pub holds: Option<Span>,
    /// The caller acknowledges the answer, as it must.
    pub acknowledges: bool,
    /// The caller sends each request twice.
    pub stutters: bool,
}

/// The number of the queue.
pub const QUEUE: u32 = 9000;

/// The extensions of the agents.
pub const AGENTS: [(&str, u32); 3] = [("anna", 1001), ("ben", 1002), ("carl", 1003)];

/// The number whose two phones ring together.
pub const FORKED: u32 = 1004;

impl PhonePlan {
    /// A phone whose owner answers soon.
    #[must_use]
    pub const fn honest(number: u32) -> Self {
        Self {
            number,
            manner: Manner::Answers,
            rings: Span::from_millis(20),
            acts: Span::from_millis(200),
            talks: None,
            holds: None,
            leaves: None,
            stream: false,
        }
    }
}

impl CallPlan {
    /// A call whose caller waits for an answer and talks for a while.
    #[must_use]
    pub const fn honest(at: Time, from: u8, to: u32) -> Self {
        Self {
            at,
            from,
            to,
            cancels: None,
            talks: Some(Span::from_millis(600)),
            holds: None,
            acknowledges: true,
            stutters: false,
        }
    }
}

/// Draws phones: three agents, two of one number, and some more.
pub(super) fn draw_phones(chance: &mut Chance, calm: Time, streams: bool) -> Vec<PhonePlan> {
    let numbers = [1001, 1002, 1003, FORKED, FORKED, 1005, 1006];
    let rude = chance.happens(1, 2);
    numbers.iter().map(|number| draw_phone(chance, *number, calm, rude, streams)).collect()
}

fn draw_phone(chance: &mut Chance, number: u32, calm: Time, rude: bool, streams: bool) -> PhonePlan {
    let manners = [
        Manner::PlaysFirst,
        Manner::Busy,
        Manner::Declines,
        Manner::LetsRing,
        Manner::AnswersLate,
        Manner::Dead,
        Manner::HangsUpAtOnce,
    ];
    let odd = chance.happens(1, if rude { 3 } else { 8 });
    let manner = if odd { manners[chance.below(7) as usize] } else { Manner::Answers };
    let mut maybe =
        |part: u64, most: u64| chance.happens(part, 6).then(|| Span::from_micros(1_000 + chance.below(most)));
    let (talks, holds, leaves) = (maybe(3, 1_500_000), maybe(1, 500_000), maybe(1, calm.as_micros().max(2)));
    PhonePlan {
        number,
        manner,
        rings: Span::from_micros(1_000 + chance.below(60_000)),
        acts: Span::from_micros(2_000 + chance.below(700_000)),
        talks,
        holds,
        leaves: leaves.map(|span| Time::ZERO + span),
        stream: streams && chance.happens(1, 2),
    }
}

/// Draws calls until the faults stop.
pub(super) fn draw_calls(chance: &mut Chance, calm: Time, phones: u8) -> Vec<CallPlan> {
    let count = 1 + chance.below(9);
    let mut calls: Vec<CallPlan> = (0..count).map(|_| draw_call(chance, calm, phones)).collect();
    calls.sort_by_key(|call| call.at);
    calls
}

fn draw_call(chance: &mut Chance, calm: Time, phones: u8) -> CallPlan {
    let targets = [QUEUE, QUEUE, QUEUE, FORKED, 1001, 1005, 1006, 1999];
    let at = Time::from_micros(120_000 + chance.below(calm.as_micros().max(200_000)));
    // Agents only take calls: a queue whose agents wait in it themselves never moves.
    let agents = AGENTS.len() as u64;
    let from = if chance.happens(1, 2) { phones } else { (agents + chance.below(u64::from(phones) - agents)) as u8 };
    let mut maybe =
        |part: u64, most: u64| chance.happens(part, 8).then(|| Span::from_micros(1_000 + chance.below(most)));
    let (cancels, talks, holds) = (maybe(2, 900_000), maybe(6, 1_200_000), maybe(1, 400_000));
    CallPlan {
        at,
        from,
        to: targets[chance.below(8) as usize],
        cancels,
        talks,
        holds,
        acknowledges: !chance.happens(1, 20),
        stutters: chance.happens(1, 10),
    }
}
