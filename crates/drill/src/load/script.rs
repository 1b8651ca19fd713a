//! What a call is for: drawn when it begins, so that the same seed draws the same calls.

use model::{Chance, Span};
use serde::{Deserialize, Serialize};

use super::people::People;

/// The kinds of calls, whose shares make the mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Somebody is called, and talks for some seconds.
    Talk,
    /// The same, for half a minute.
    Long,
    /// The same; the caller holds the call and takes it back.
    Hold,
    /// It rings until the caller gives up.
    GiveUp,
    /// A queue with people enough.
    Queue,
    /// The queue where callers always wait; some give up.
    Wait,
    /// The call stands until the drill ends. Not part of the mix.
    Held,
}

/// The shares of the kinds, in percent.
const SHARES: [(Kind, u64); 6] =
    [(Kind::Talk, 28), (Kind::Long, 3), (Kind::Hold, 17), (Kind::GiveUp, 17), (Kind::Queue, 30), (Kind::Wait, 5)];

/// Calls from a carrier, in percent; the others are from extensions, if there are both.
const FROM_CARRIER: u64 = 60;

/// For so long a call out of a queue keeps an agent, in milliseconds: it says how many calls the agents can take.
const MEAN_HANDLING: u64 = 1_900;

/// Who hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Caller,
    Callee,
}

/// How a call goes if nothing breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) kind: Kind,
    /// From a carrier, else from this extension.
    pub(super) from: Option<usize>,
    /// The queue, else the extension that is called.
    pub(super) queue: Option<usize>,
    pub(super) extension: usize,
    /// How long a phone rings before it answers.
    pub(super) ring: Span,
    pub(super) talk: Span,
    /// How long the caller waits for an answer.
    pub(super) patience: Span,
    pub(super) end: End,
}

/// Draws scripts for the calls of a load.
#[derive(Clone, Debug)]
pub(super) struct Scripts {
    seed: u64,
    desks: Vec<usize>,
    has_carrier: bool,
    /// The queues with people enough and with too few, as far as there are.
    queues: [Option<usize>; 2],
    /// Of ten thousand calls to each queue so many go there, the others to a desk: more than its agents can take would
    /// only fill the queue.
    share: [u64; 2],
}

fn between(chance: &mut Chance, least: u64, most: u64) -> Span {
    Span::from_millis(least + chance.below(most - least + 1))
}

impl Scripts {
    pub(super) fn new(people: &People, rate: u32, seed: u64) -> Self {
        let mut served: Vec<(usize, u64)> =
            people.queues.iter().enumerate().map(|(at, queue)| (at, people.served_by(queue) as u64)).collect();
        served.retain(|(_, agents)| *agents > 0);
        served.sort_by_key(|(at, agents)| (std::cmp::Reverse(*agents), *at));
        let most = served.first().copied();
        let few = served.get(1).copied();
        let of = |kind: Kind| SHARES.iter().find(|(one, _)| *one == kind).map_or(0, |(_, share)| *share);
        let share = |queue: Option<(usize, u64)>, kind: Kind, load: u64| {
            // Both in thousandths of a call a second; the agents are to be busy to `load` percent.
            let can = queue.map_or(0, |(_, agents)| agents * 1_000_000 / MEAN_HANDLING * load / 100);
            let comes = (u64::from(rate) * of(kind) * 10).max(1);
            (can * 10_000 / comes).min(10_000)
        };
        Self {
            seed,
            desks: people.desks(),
            has_carrier: !people.carriers.is_empty(),
            queues: [most, few].map(|queue| queue.map(|(at, _)| at)),
            share: [share(most, Kind::Queue, 80), share(few, Kind::Wait, 140)],
        }
    }

    /// The same of a call that stands as long as the drill lasts.
    pub(super) fn draw_held(&self, call: u64) -> Script {
        let drawn = self.draw(call);
        let (kind, patience) = (Kind::Held, Span::from_secs(60));
        Script { kind, patience, queue: None, talk: Span::from_secs(365 * 86_400), ..drawn }
    }

    /// The script of the call with this number.
    pub(super) fn draw(&self, call: u64) -> Script {
        let mut chance = Chance::new(self.seed ^ call.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let kind = kind(&mut chance);
        let by_carrier = self.has_carrier && chance.happens(FROM_CARRIER, 100);
        let desk = |chance: &mut Chance| chance.pick(&self.desks).copied().unwrap_or(0);
        let extension = desk(&mut chance);
        // Another desk, if there is one.
        let mut from = desk(&mut chance);
        if from == extension {
            let at = self.desks.iter().position(|one| *one == from).unwrap_or(0);
            from = self.desks.get((at + 1) % self.desks.len().max(1)).copied().unwrap_or(from);
        }
        let queue = match kind {
            Kind::Queue if chance.happens(self.share[0], 10_000) => self.queues[0],
            Kind::Wait if chance.happens(self.share[1], 10_000) => self.queues[1],
            _ => None,
        };
        let talk =
            if kind == Kind::Long { between(&mut chance, 15_000, 40_000) } else { between(&mut chance, 400, 2_400) };
        let patience = match kind {
            Kind::GiveUp => between(&mut chance, 150, 2_500),
            Kind::Wait if queue.is_some() => between(&mut chance, 3_000, 9_000),
            _ => Span::from_secs(60),
        };
        Script {
            kind,
            from: (!by_carrier).then_some(from),
            queue,
            extension,
            ring: between(&mut chance, 80, 700),
            talk,
            patience,
            end: if chance.happens(1, 2) { End::Caller } else { End::Callee },
        }
    }
}

fn kind(chance: &mut Chance) -> Kind {
    let mut drawn = chance.below(SHARES.iter().map(|(_, share)| share).sum());
    for (kind, share) in SHARES {
        if drawn < share {
            return kind;
        }
        drawn -= share;
    }
    Kind::Talk
}

impl Script {
    /// Whether the caller may give up although nothing is wrong.
    pub(super) const fn may_give_up(&self) -> bool {
        matches!(self.kind, Kind::GiveUp) || (matches!(self.kind, Kind::Wait) && self.queue.is_some())
    }
}
