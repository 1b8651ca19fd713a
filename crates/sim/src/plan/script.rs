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
    /// What it says within the dialog.
    pub says: Option<Says>,
    /// It rings reliably where the caller can take that (RFC 3262).
    pub reliable: bool,
}

/// Something that one end says to the other within the dialog, so long after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Says {
    /// By which request.
    pub method: Method,
    /// When.
    pub after: Span,
}

/// A request within a dialog that goes from end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// RFC 6086.
    Info,
    /// RFC 3428.
    Message,
    /// RFC 3311.
    Update,
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
    /// What the caller says within the dialog.
    pub says: Option<Says>,
    /// The caller acknowledges reliable provisional responses (RFC 3262).
    pub reliable: bool,
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
            says: None,
            reliable: false,
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
            says: None,
            reliable: false,
        }
    }
}

/// What all telephones and callers of a run have in common, swarm style.
#[derive(Clone, Copy, Debug)]
struct Habits {
    /// Every third phone is odd, not every eighth.
    rude: bool,
    /// Phones may speak over TCP.
    streams: bool,
    /// Whoever holds does so at the same moment, so that both ends of a call glare (RFC 3261 14.1).
    glares: bool,
    /// The phones of one number answer together, so that one of them is late (RFC 3261 13.2.2.4).
    races: bool,
    /// Phones and callers use reliable provisional responses.
    reliable: bool,
}

/// When everybody holds, in a run in which they glare.
const GLARE: Span = Span::from_millis(100);

impl Habits {
    fn draw(chance: &mut Chance, streams: bool) -> Self {
        let mut one_in = |of: u64| chance.happens(1, of);
        Self { rude: one_in(2), streams, glares: one_in(6), races: one_in(4), reliable: one_in(3) }
    }

    fn holds(self, chance: &mut Chance, often: (u64, u64), most: u64) -> Option<Span> {
        let part = if self.glares { often.1.div_ceil(2) } else { often.0 };
        let holds = chance.happens(part, often.1).then(|| within(chance, most));
        if self.glares { holds.map(|_| GLARE) } else { holds }
    }
}

fn within(chance: &mut Chance, most: u64) -> Span {
    Span::from_micros(1_000 + chance.below(most))
}

fn draw_says(chance: &mut Chance) -> Option<Says> {
    let methods = [Method::Info, Method::Message, Method::Update];
    chance.happens(1, 4).then(|| Says { method: methods[chance.below(3) as usize], after: within(chance, 500_000) })
}

/// Draws phones, three agents, two of one number, and some more; and calls until the faults stop.
pub(super) fn draw(chance: &mut Chance, calm: Time, streams: bool) -> (Vec<PhonePlan>, Vec<CallPlan>) {
    let habits = Habits::draw(chance, streams);
    let numbers = [1001, 1002, 1003, FORKED, FORKED, 1005, 1006];
    let mut phones: Vec<PhonePlan> = numbers.iter().map(|number| draw_phone(chance, *number, calm, habits)).collect();
    if habits.races {
        let (rings, acts) = (phones[3].rings, phones[3].acts);
        for phone in phones.iter_mut().filter(|phone| phone.number == FORKED) {
            (phone.manner, phone.rings, phone.acts, phone.leaves) = (Manner::Answers, rings, acts, None);
        }
    }
    let count = 1 + chance.below(9);
    let mut calls: Vec<CallPlan> = (0..count).map(|_| draw_call(chance, calm, phones.len() as u8, habits)).collect();
    calls.sort_by_key(|call| call.at);
    (phones, calls)
}

fn draw_phone(chance: &mut Chance, number: u32, calm: Time, habits: Habits) -> PhonePlan {
    let manners = [
        Manner::PlaysFirst,
        Manner::Busy,
        Manner::Declines,
        Manner::LetsRing,
        Manner::AnswersLate,
        Manner::Dead,
        Manner::HangsUpAtOnce,
    ];
    let odd = chance.happens(1, if habits.rude { 3 } else { 8 });
    let manner = if odd { manners[chance.below(7) as usize] } else { Manner::Answers };
    let mut maybe = |part: u64, most: u64| chance.happens(part, 6).then(|| within(chance, most));
    let (talks, leaves) = (maybe(3, 1_500_000), maybe(1, calm.as_micros().max(2)));
    PhonePlan {
        number,
        manner,
        rings: within(chance, 60_000),
        acts: within(chance, 700_000),
        talks,
        holds: habits.holds(chance, (1, 6), 500_000),
        leaves: leaves.map(|span| Time::ZERO + span),
        stream: habits.streams && chance.happens(1, 2),
        says: draw_says(chance),
        reliable: habits.reliable && chance.happens(2, 3),
    }
}

fn draw_call(chance: &mut Chance, calm: Time, phones: u8, habits: Habits) -> CallPlan {
    let targets = [QUEUE, QUEUE, QUEUE, FORKED, 1001, 1005, 1006, 1999];
    let to = targets[chance.below(8) as usize];
    let at = Time::from_micros(120_000 + chance.below(calm.as_micros().max(200_000)));
    // Agents only take calls: a queue whose agents wait in it themselves never moves.
    let agents = AGENTS.len() as u64;
    let from = if chance.happens(1, 2) { phones } else { (agents + chance.below(u64::from(phones) - agents)) as u8 };
    // Who waits in a queue may lose patience there long after the first moment.
    let patience = if to == QUEUE && chance.happens(1, 2) { 6_000_000 } else { 900_000 };
    let mut maybe = |part: u64, most: u64| chance.happens(part, 8).then(|| within(chance, most));
    let (cancels, talks) = (maybe(2, patience), maybe(6, 1_200_000));
    CallPlan {
        at,
        from,
        to,
        cancels,
        talks,
        holds: habits.holds(chance, (1, 8), 400_000),
        acknowledges: !chance.happens(1, 20),
        stutters: chance.happens(1, 10),
        says: draw_says(chance),
        reliable: habits.reliable && chance.happens(2, 3),
    }
}
