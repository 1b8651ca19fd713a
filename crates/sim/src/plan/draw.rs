//! Draws a plan from a seed, swarm style: each seed has its own mixture of faults, some of them none at all, so that
//! rare combinations are not drowned by common ones.

use model::{Chance, Span, Time};
use redundancy::hot_standby::Sabotage;

use super::kinds::Mixture;
use super::{Fault, Layout, Network, Plan, World, script};
use crate::kernel::{Clock, Delay};

/// The time of day at the beginning of a run, in microseconds since 1970.
const NOVEMBER_2026: u64 = 1_795_500_000_000_000;

/// Most faults of one run.
const MOST_FAULTS: u64 = 9;

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
        let several = matches!(world, World::ToyHosts | World::Hosts | World::OwnAddresses);
        let layout = match chance.happens(1, 2) {
            _ if several => Layout::ThreeHosts,
            true => Layout::OneHost,
            false => Layout::TwoHosts,
        };
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
        if world.has_calls() {
            (plan.phones, plan.calls) = script::draw(&mut chance, plan.calm, has_streams(world, layout, seed));
        }
        plan.draw_faults(&mut chance);
        plan
    }

    fn draw_faults(&mut self, chance: &mut Chance) {
        let mixture = Mixture::of(chance, self);
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

/// Whether phones may speak over TCP. What a phone says on a connection that dies with its host comes to nothing by right, so
/// some runs on several hosts have none, and are strict.
const fn has_streams(world: World, layout: Layout, seed: u64) -> bool {
    match layout {
        _ if matches!(world, World::OwnAddresses) => seed.is_multiple_of(3),
        Layout::OneHost => true,
        Layout::TwoHosts => false,
        Layout::ThreeHosts => !seed.is_multiple_of(4),
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
        Layout::TwoHosts | Layout::ThreeHosts => {
            [Delay::micros(1_000, 20_000), Delay::micros(20_000, 400_000)][chance.below(2) as usize]
        }
    }
}

fn draw_clock(chance: &mut Chance) -> Clock {
    let drift = [0, 0, 200, 5_000, 100_000][chance.below(5) as usize];
    let sign = if chance.happens(1, 2) { 1 } else { -1 };
    let offset = chance.below(1_000_000_000_000);
    // Hosts agree on the date within some seconds; deadlines of durable records rest on it after a cold start.
    Clock { offset, drift: sign * drift, wall: NOVEMBER_2026 - offset + chance.below(3_000_000) }
}
