//! Draws single faults.

use model::{Chance, Span};

use super::{Act, Direction, Ill, Kind, Layout, Moment, Plan, Point, Reach, Target, Who};

/// How likely each sort of fault is in this run, from 0 to 3.
pub(super) struct Mixture(Vec<u64>);

/// Sorts of faults that every world has, and those of a world of calls.
const SORTS: usize = 15;
const CALLS_SORTS: usize = 19;
/// Sorts of faults that only several hosts have; they stand behind those of a world of calls.
const HOSTS_SORTS: usize = 9;

impl Mixture {
    /// Swarm style: in most runs some sorts do not happen at all.
    pub(super) fn of(chance: &mut Chance, plan: &Plan) -> Self {
        let sorts = if plan.world.has_calls() { CALLS_SORTS } else { SORTS };
        let mut weights: Vec<u64> = (0..sorts).map(|_| chance.below(5).saturating_sub(1)).collect();
        if plan.layout == Layout::ThreeHosts {
            weights.resize(CALLS_SORTS, 0);
            weights.extend((0..HOSTS_SORTS).map(|_| chance.below(5).saturating_sub(1)));
        }
        Self(weights)
    }

    /// One fault; `None` for one that this plan cannot suffer.
    pub(super) fn draw(&self, chance: &mut Chance, plan: &Plan) -> Option<Kind> {
        let total: u64 = self.0.iter().sum();
        let mut left = chance.below(total.max(1));
        let which = self.0.iter().position(|weight| {
            let here = left < *weight;
            left = left.saturating_sub(*weight);
            here
        })?;
        if let Some(which) = which.checked_sub(CALLS_SORTS) {
            return Some(draw_kind_of_hosts(which, chance));
        }
        let kind = draw_kind(which, chance, plan);
        suits(plan.layout, &kind).then_some(kind)
    }
}

/// Whether there is what the fault would hit. On three hosts a link is several connections over networks, which have
/// faults of their own, and every server reaches the coordinator on its own host.
const fn suits(layout: Layout, kind: &Kind) -> bool {
    match kind {
        Kind::LinkBreak(_) | Kind::LinkCut(..) | Kind::HostCrash(..) => matches!(layout, Layout::TwoHosts),
        Kind::Isolate(..) => !matches!(layout, Layout::OneHost),
        Kind::ControlCut(..) => !matches!(layout, Layout::ThreeHosts),
        _ => true,
    }
}

fn draw_kind_of_hosts(which: usize, chance: &mut Chance) -> Kind {
    let most = if chance.happens(1, 3) { 60_000 } else { 900_000 };
    let span = Span::from_micros(chance.below(most));
    let host = chance.below(3) as u8;
    // What joins the two hosts of the pair is hit more often than what joins them with the third one.
    let hosts = [[0, 1], [0, 1], [0, 2], [1, 2]][chance.below(4) as usize];
    let network = [Some(0), Some(1), None][chance.below(3) as usize];
    let mut net = |ill: Ill| Kind::Net(Reach { network, hosts, way: draw_direction(chance) }, ill, span);
    match which {
        0 => net(Ill::Cut),
        1 => net(Ill::CarriesBeats),
        2 => net(Ill::CarriesShort),
        3 if span.as_micros().is_multiple_of(2) => net(Ill::Slows(Span::from_micros(span.as_micros() % 120_000))),
        3 => net(Ill::Loses((span.as_micros() % 300) as u32)),
        4 => Kind::Power(host, span),
        5 => Kind::Freeze(host, span),
        6 => Kind::MemberDown(host, span),
        7 => Kind::Compaction,
        _ => Kind::AccessCut(chance.below(2) as u8, host % 2, draw_direction(chance), span),
    }
}

fn draw_kind(which: usize, chance: &mut Chance, plan: &Plan) -> Kind {
    // Every other fault of a world of calls hits the Routing Servers; the toy has one pair.
    let pair = u8::from(plan.world.has_calls() && chance.happens(1, 3));
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
        12 if chance.happens(1, 3) => Kind::Dismissal(pair),
        12 => Kind::Switchover(pair),
        13 if chance.happens(1, 2) => Kind::Poison(client),
        13 => Kind::Abort(client),
        14 => Kind::Storm(chance.below(1_001) as u32, long),
        15 => Kind::PhoneCut(chance.below(plan.phones.len() as u64 + 1) as u8, draw_direction(chance), long),
        16 => Kind::ControlCut(target, draw_direction(chance), long),
        17 => Kind::MailBreak,
        _ => Kind::MailCut(draw_direction(chance), long),
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
