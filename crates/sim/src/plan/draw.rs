//! Draws a plan from a seed, swarm style: each seed has its own mixture of faults, some of them none at all, so that
//! rare combinations are not drowned by common ones.

use model::{Chance, Span, Time};
use redundancy::hot_standby::Sabotage;

use super::script::{draw_calls, draw_phones};
use super::{Act, Direction, Fault, Kind, Layout, Moment, Network, Plan, Point, Target, Who, World};
use crate::kernel::{Clock, Delay};

/// The time of day at the beginning of a run, in microseconds since 1970.
const NOVEMBER_2026: u64 = 1_795_500_000_000_000;

/// Most faults of one run.
const MOST_FAULTS: u64 = 9;

/// How likely each sort of fault is in this run, from 0 to 3.
struct Mixture([u64; 15]);

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, sabotage: Sabotage) -> Self {
        Self::draw_world(World::Toy, seed, sabotage)
    }

    /// The plan of a seed for one of the worlds.
    #[must_use]
    pub fn draw_world(world: World, seed: u64, sabotage: Sabotage) -> Self {
        let mut chance = Chance::new(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x0dd_ba11);
        let layout = if chance.happens(1, 2) { Layout::OneHost } else { Layout::TwoHosts };
        let network = draw_network(&mut chance);
        let calm = Time::ZERO + Span::from_millis(600 + chance.below(2_400));
        let mut plan = Self {
            seed,
            world,
            sabotage,
            layout,
            phones: Vec::new(),
            calls: Vec::new(),
            clients: 1 + chance.below(4) as u8,
            patient: layout == Layout::OneHost && network.is_faithful() && chance.happens(3, 4),
            network,
            link: [Delay::micros(5, 50), Delay::micros(20, 400), Delay::micros(100, 20_000)][chance.below(3) as usize],
            stalls: [0, 0, 5, 50, 300][chance.below(5) as usize],
            control: [Delay::micros(50, 500), Delay::micros(500, 10_000), Delay::micros(1_000, 150_000)]
                [chance.below(3) as usize],
            restart: [Delay::micros(5_000, 20_000), Delay::micros(50_000, 400_000)][chance.below(2) as usize],
            telling: draw_telling(&mut chance, layout),
            scheduler: [Delay::micros(0, 0), Delay::micros(0, 40), Delay::micros(0, 3_000)][chance.below(3) as usize],
            clocks: [draw_clock(&mut chance), draw_clock(&mut chance)],
            calm,
            faults: Vec::new(),
            signalled: Vec::new(),
        };
        if world == World::Calls {
            plan.phones = draw_phones(&mut chance, plan.calm, layout == Layout::OneHost);
            plan.calls = draw_calls(&mut chance, plan.calm, plan.phones.len() as u8);
        }
        plan.draw_faults(&mut chance);
        plan
    }

    fn draw_faults(&mut self, chance: &mut Chance) {
        let mixture = Mixture(std::array::from_fn(|_| chance.below(5).saturating_sub(1)));
        let count = chance.below(MOST_FAULTS + 1);
        let bursty = chance.happens(1, 3);
        let mut at = Time::ZERO;
        for _ in 0..count {
            let close = bursty && at > Time::ZERO && chance.happens(2, 3);
            let until = self.calm.as_micros();
            at = if close {
                at + Span::from_micros(chance.below(10_000))
            } else {
                Time::from_micros(chance.below(until))
            };
            if let Some(kind) = mixture.draw(chance, self) {
                self.faults.push(Fault { at: at.min(self.calm), kind });
            }
        }
        self.faults.sort_by_key(|fault| fault.at);
    }
}

fn draw_network(chance: &mut Chance) -> Network {
    let rates = [0, 0, 0, 10, 50, 200];
    let delays = [Delay::micros(20, 100), Delay::micros(200, 2_000), Delay::micros(500, 40_000)];
    let faithful = chance.happens(1, 2);
    let mut rate = || if faithful { 0 } else { rates[chance.below(6) as usize] };
    let (loss, duplicates) = (rate(), rate());
    Network { loss, duplicates, delay: delays[chance.below(3) as usize] }
}

fn draw_telling(chance: &mut Chance, layout: Layout) -> Delay {
    match layout {
        Layout::OneHost => [Delay::micros(10, 300), Delay::micros(100, 30_000)][chance.below(2) as usize],
        Layout::TwoHosts => [Delay::micros(1_000, 20_000), Delay::micros(20_000, 400_000)][chance.below(2) as usize],
    }
}

fn draw_clock(chance: &mut Chance) -> Clock {
    let drift = [0, 0, 200, 5_000, 100_000][chance.below(5) as usize];
    let sign = if chance.happens(1, 2) { 1 } else { -1 };
    let offset = chance.below(1_000_000_000_000);
    // Hosts agree on the date within some seconds; deadlines of durable records rest on it after a cold start.
    Clock { offset, drift: sign * drift, wall: NOVEMBER_2026 - offset + chance.below(3_000_000) }
}

impl Mixture {
    fn draw(&self, chance: &mut Chance, plan: &Plan) -> Option<Kind> {
        let total: u64 = self.0.iter().sum();
        let mut left = chance.below(total.max(1));
        let which = self.0.iter().position(|weight| {
            let here = left < *weight;
            left = left.saturating_sub(*weight);
            here
        })?;
        let kind = draw_kind(which, chance, plan);
        (plan.layout == Layout::TwoHosts || !needs_two_hosts(&kind)).then_some(kind)
    }
}

const fn needs_two_hosts(kind: &Kind) -> bool {
    matches!(kind, Kind::LinkBreak(_) | Kind::LinkCut(..) | Kind::HostCrash(..) | Kind::Isolate(..))
}

fn draw_kind(which: usize, chance: &mut Chance, plan: &Plan) -> Kind {
    // Every other fault of a world of calls hits the Routing Servers; the toy has one pair.
    let pair = u8::from(plan.world == World::Calls && chance.happens(1, 3));
    let target = Target { pair, who: draw_who(chance) };
    let short = Span::from_micros(chance.below(40_000));
    let long = Span::from_micros(chance.below(900_000));
    let client = chance.below(u64::from(plan.clients)) as u8;
    match which {
        0 => Kind::Strike(target, Act::Kill),
        1 => Kind::Strike(target, Act::Pause(if chance.happens(1, 2) { short } else { long })),
        2 => draw_trap(chance, target, Act::Kill),
        3 => draw_trap(chance, target, Act::Pause(long)),
        4 => Kind::ControlCrash(long),
        5 => Kind::ControlBreak(target, if chance.happens(1, 2) { short } else { long }),
        6 => Kind::LinkBreak(pair),
        7 => Kind::LinkCut(pair, draw_direction(chance), if chance.happens(1, 2) { short } else { long }),
        8 => Kind::HostCrash(target, long),
        9 => Kind::Isolate(target, long),
        10 => Kind::AgentsDown(long),
        11 if chance.happens(1, 2) => Kind::ClockJump(target, long),
        11 => {
            let span = Span::from_micros(chance.below(60_000_000));
            if chance.happens(1, 2) { Kind::WallForward(target, span) } else { Kind::WallBack(target, span) }
        }
        12 => Kind::Switchover(pair),
        13 if chance.happens(1, 2) => Kind::Poison(client),
        13 => Kind::Abort(client),
        _ => Kind::Storm(chance.below(1_001) as u32, long),
    }
}

fn draw_who(chance: &mut Chance) -> Who {
    [Who::A, Who::B, Who::Primary, Who::Primary, Who::Backup][chance.below(5) as usize]
}

fn draw_direction(chance: &mut Chance) -> Direction {
    [Direction::AToB, Direction::BToA, Direction::Both][chance.below(3) as usize]
}

fn draw_trap(chance: &mut Chance, target: Target, act: Act) -> Kind {
    let points = [
        Point::Checkpoint,
        Point::Checkpoint,
        Point::Frame,
        Point::Release,
        Point::Release,
        Point::Ask,
        Point::Journal,
        Point::Serve,
    ];
    let point = points[chance.below(points.len() as u64) as usize];
    let moment = if chance.happens(1, 2) { Moment::Before } else { Moment::After };
    let count = match point {
        Point::Ask | Point::Serve => 1,
        _ => 1 + chance.below(8) as u32,
    };
    Kind::Trap(target, moment, point, count, act)
}
