//! Two bundles and the paths between them under virtual time: paths break, stall in one direction, swallow long packets, slow
//! down and come back, by chance from one seed.

use std::collections::VecDeque;

use model::{Chance, Span, Time};

use super::{Bundle, Effect, Full};

const HEARTBEAT: Span = Span::from_millis(50);
const ROOM: usize = 1 << 20;
const PATHS: usize = 2;
/// How long a broken path takes to be connected again, where it can.
const RECONNECT: Span = Span::from_millis(30);

/// One direction of a path, as what happens to it.
#[derive(Clone, Debug)]
struct Way {
    delay: Span,
    /// Nothing passes before then; what was sent waits, as a stream's kernel keeps it.
    stalled_until: Time,
    /// Packets that are longer wait for ever, and what follows them in the stream.
    longest: usize,
    packets: VecDeque<(Time, Vec<u8>)>,
}

/// One path: both directions, and since when they belong together.
#[derive(Clone, Debug)]
struct Cable {
    ways: [Way; 2],
    stands: bool,
    reconnects: Time,
    /// When a side learns that the other one has ended the path.
    told: [Time; 2],
}

struct World {
    now: Time,
    sides: [Bundle; 2],
    cables: Vec<Cable>,
    sent: [u64; 2],
    delivered: [u64; 2],
    /// When each message of each side was sent.
    times: [Vec<Time>; 2],
    slowest: Span,
    resets: usize,
}

impl Way {
    fn new(delay: Span) -> Self {
        Self { delay, stalled_until: Time::ZERO, longest: usize::MAX, packets: VecDeque::new() }
    }

    /// When the first packet arrives.
    fn next(&self) -> Time {
        let first = self.packets.front().filter(|(_, packet)| packet.len() <= self.longest);
        first.map_or(Time::NEVER, |(at, _)| (*at).max(self.stalled_until))
    }
}

impl World {
    fn new(delays: [u64; PATHS]) -> Self {
        let cable = |millis| Cable {
            ways: [Way::new(Span::from_millis(millis)), Way::new(Span::from_millis(millis))],
            stands: false,
            reconnects: Time::ZERO,
            told: [Time::NEVER; 2],
        };
        Self {
            now: Time::ZERO,
            sides: [Bundle::new(PATHS, HEARTBEAT, ROOM), Bundle::new(PATHS, HEARTBEAT, ROOM)],
            cables: delays.map(cable).into(),
            sent: [0; 2],
            delivered: [0; 2],
            times: [Vec::new(), Vec::new()],
            slowest: Span::ZERO,
            resets: 0,
        }
    }

    /// A path ends, by chance or because `by` ended it; the other one learns of it if anything passes.
    fn ends(&mut self, path: usize, by: Option<usize>) {
        let now = self.now;
        let cable = &mut self.cables[path];
        if !std::mem::take(&mut cable.stands) {
            return;
        }
        cable.reconnects = now + RECONNECT;
        for side in 0..2 {
            cable.ways[side].packets.clear();
            if by != Some(side) {
                let way = &cable.ways[1 - side];
                cable.told[side] = (now + way.delay).max(way.stalled_until);
            }
        }
    }

    fn send(&mut self, side: usize, octets: usize) -> Result<(), Full> {
        let number = self.sent[side] + 1;
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.resize(bytes.len() + octets, 7);
        self.sides[side].send(self.now, &bytes)?;
        self.sent[side] = number;
        self.times[side].push(self.now);
        self.carry_out(side);
        Ok(())
    }

    fn carry_out(&mut self, side: usize) {
        let effects: Vec<_> = self.sides[side].take_effects().collect();
        for effect in effects {
            match effect {
                Effect::Write { path, packet } => {
                    let cable = &mut self.cables[path];
                    let way = &mut cable.ways[side];
                    if cable.stands {
                        way.packets.push_back((self.now + way.delay, packet));
                    }
                }
                Effect::Deliver(bytes) => {
                    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
                    assert_eq!(number, self.delivered[side] + 1, "once and in order");
                    self.delivered[side] = number;
                    let sent = self.times[1 - side][number as usize - 1];
                    self.slowest = self.slowest.max(self.now.since(sent));
                }
                Effect::Reset { path, .. } => {
                    self.resets += 1;
                    self.ends(path, Some(side));
                }
                Effect::Chosen(_) => {}
            }
        }
    }

    /// When something happens next.
    fn next(&self) -> Time {
        let of_cable = |cable: &Cable| {
            let ways = cable.ways.iter().map(Way::next).min().unwrap_or(Time::NEVER);
            let passes = cable.ways.iter().map(|way| way.stalled_until).max().unwrap_or_default();
            let reconnects = if cable.stands { Time::NEVER } else { cable.reconnects.max(passes) };
            ways.min(reconnects).min(cable.told[0]).min(cable.told[1])
        };
        let cables = self.cables.iter().map(of_cable).min().unwrap_or(Time::NEVER);
        self.sides.iter().map(Bundle::deadline).fold(cables, Time::min).max(self.now)
    }

    /// Lets time pass.
    fn run(&mut self, until: Time) {
        while self.next() <= until {
            self.now = self.next();
            for path in 0..PATHS {
                self.step(path);
            }
            for side in 0..2 {
                if self.sides[side].deadline() <= self.now {
                    self.sides[side].tick(self.now);
                }
                self.sides[side].flush();
                self.carry_out(side);
            }
        }
        self.now = until;
    }

    fn step(&mut self, path: usize) {
        for side in 0..2 {
            if self.cables[path].told[side] <= self.now {
                self.cables[path].told[side] = Time::NEVER;
                self.sides[side].broken(self.now, path);
                self.carry_out(side);
            }
            while self.cables[path].ways[1 - side].next() <= self.now {
                let Some((_, packet)) = self.cables[path].ways[1 - side].packets.pop_front() else { break };
                self.sides[side].receive(self.now, path, &packet).unwrap();
                self.carry_out(side);
            }
        }
        let cable = &mut self.cables[path];
        let passes = cable.ways.iter().all(|way| way.stalled_until <= self.now);
        if !cable.stands && cable.reconnects <= self.now && passes {
            cable.stands = true;
            for side in 0..2 {
                if std::mem::replace(&mut self.cables[path].told[side], Time::NEVER) < Time::NEVER {
                    self.sides[side].broken(self.now, path);
                }
                self.sides[side].connected(self.now, path);
                self.carry_out(side);
            }
        }
    }

    fn all_have_arrived(&self) -> bool {
        (0..2).all(|side| self.delivered[1 - side] == self.sent[side] && self.sides[side].waiting() == 0)
    }
}

fn at(millis: u64) -> Time {
    Time::from_micros(millis * 1_000)
}

/// Both sides send every 2 ms from `from` on.
fn talk(world: &mut World, from: u64, until: u64) {
    for millis in (from..until).step_by(2) {
        world.run(at(millis));
        for side in 0..2 {
            world.send(side, 200).unwrap();
        }
    }
}

#[test]
fn each_message_arrives_once_and_in_order_whatever_happens_to_the_paths() {
    for seed in 0..400 {
        let mut chance = Chance::new(seed);
        let mut world = World::new([chance.below(6), chance.below(6)]);
        for _ in 0..120 {
            let path = chance.below(PATHS as u64) as usize;
            let way = chance.below(2) as usize;
            match chance.below(12) {
                0 => world.ends(path, None),
                1 => world.cables[path].ways[way].stalled_until = world.now + Span::from_millis(chance.below(700)),
                2 => {
                    let until = world.now + Span::from_millis(chance.below(700));
                    world.cables[path].ways.iter_mut().for_each(|way| way.stalled_until = until);
                }
                3 => world.cables[path].ways[way].longest = 1_000,
                4 => world.cables[path].ways[way].longest = usize::MAX,
                5 => world.cables[path].ways[way].delay = Span::from_millis(chance.below(30)),
                _ => {
                    let octets = [10, 300, 5_000, 60_000][chance.below(4) as usize];
                    // A link to which too much waits is given up by its owner; here nobody does.
                    let _ = world.send(way, octets);
                }
            }
            let pause = Span::from_micros(chance.below(40_000));
            world.run(world.now + pause);
            assert!(world.sides.iter().all(|side| side.waiting() <= ROOM), "seed {seed}");
        }
        for cable in &mut world.cables {
            for way in &mut cable.ways {
                (way.stalled_until, way.longest) = (Time::ZERO, usize::MAX);
            }
        }
        world.run(world.now + Span::from_secs(5));
        assert!(world.all_have_arrived(), "seed {seed}: {:?} of {:?}", world.delivered, world.sent);
    }
}

#[test]
fn a_path_that_stalls_costs_a_moment_whichever_way_it_stalls() {
    for ways in [&[0][..], &[1], &[0, 1]] {
        let mut world = World::new([1, 2]);
        talk(&mut world, 0, 1_000);
        assert!(world.slowest < Span::from_millis(40), "{:?}", world.slowest);
        for way in ways {
            world.cables[0].ways[*way].stalled_until = at(60_000);
        }
        talk(&mut world, 1_000, 3_000);
        world.run(at(3_100));
        assert!(world.all_have_arrived(), "{ways:?}: {:?} of {:?}", world.delivered, world.sent);
        assert!(world.slowest < Span::from_millis(150), "{ways:?}: {}", world.slowest);
    }
}

#[test]
fn a_path_that_carries_heartbeats_and_nothing_long_is_not_taken() {
    let mut world = World::new([1, 3]);
    talk(&mut world, 0, 1_000);
    world.cables[0].ways.iter_mut().for_each(|way| way.longest = 150);
    talk(&mut world, 1_000, 4_000);
    world.run(at(4_200));
    assert!(world.all_have_arrived());
    assert!(world.slowest < Span::from_millis(150), "{}", world.slowest);
    let [first, second]: [_; PATHS] = world.sides[0].reports().collect::<Vec<_>>().try_into().unwrap();
    assert!(!first.is_chosen && !first.is_trusted && second.is_chosen && second.is_trusted, "{first:?} {second:?}");
}

#[test]
fn without_any_path_messages_wait_up_to_a_bound() {
    let mut bundle = Bundle::new(PATHS, HEARTBEAT, 1_000);
    assert!(bundle.is_down());
    for number in 0..10 {
        assert_eq!(bundle.is_crowded(), number > 5);
        bundle.send(at(1), &[0; 100]).unwrap();
    }
    assert_eq!(bundle.send(at(2), &[0; 100]), Err(Full(1_000)));
    assert_eq!((bundle.waiting(), bundle.lag(at(3)), bundle.deadline()), (1_000, Span::from_millis(2), Time::NEVER));
    assert_eq!(bundle.take_effects().count(), 0);
}

#[test]
fn on_the_only_path_a_slow_answer_is_no_fault() {
    let mut world = World::new([1, 1]);
    world.run(at(500));
    world.ends(1, None);
    world.cables[1].reconnects = at(60_000);
    world.run(at(600));
    let resets = world.resets;
    world.cables[0].ways[1].delay = Span::from_millis(120);
    talk(&mut world, 700, 3_000);
    world.run(at(4_000));
    assert!(world.all_have_arrived());
    assert_eq!(world.resets, resets);
}

/// A side that does nothing for a while, as a frozen process, is no reason to begin any path anew.
#[test]
fn a_side_that_sleeps_loses_no_path() {
    let mut world = World::new([1, 1]);
    talk(&mut world, 0, 500);
    let resets = world.resets;
    for cable in &mut world.cables {
        // What it was sent waits in its kernel, and it says nothing.
        cable.ways.iter_mut().for_each(|way| way.stalled_until = at(630));
    }
    talk(&mut world, 500, 1_000);
    world.run(at(1_100));
    assert!(world.all_have_arrived());
    assert_eq!(world.resets, resets);
}

#[test]
fn a_way_that_becomes_longer_is_no_fault() {
    for millis in [5, 50, 90] {
        let mut world = World::new([0, 0]);
        world.run(at(1_000));
        talk(&mut world, 1_000, 2_000);
        for way in world.cables.iter_mut().flat_map(|cable| &mut cable.ways) {
            way.delay = Span::from_millis(millis);
        }
        world.slowest = Span::ZERO;
        talk(&mut world, 2_000, 4_000);
        world.run(at(5_000));
        assert_eq!(world.resets, 0, "{millis} ms");
        assert_eq!(world.delivered, [world.sent[1], world.sent[0]]);
        assert!(world.slowest <= Span::from_millis(millis + 1), "{millis} ms: {}", world.slowest);
    }
}
