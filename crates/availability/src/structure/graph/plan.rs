//! In which order a network is decided, and which vertices lie between what is decided and what is not.

use std::collections::{BTreeMap, BTreeSet};

use super::ReliabilityGraph;
use crate::Error;

/// A vertex of the network, or the side of a failing one on which connections leave: its own event is the arc from the
/// one to the other.
pub(super) type Point = usize;

/// The steps in which a network is decided, one for each event.
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
}

/// What one event decides. Points are numbered within the step: those that were at the frontier before come first, in
/// their order there. Point 0 is the source.
pub(super) struct Step {
    /// How many points the frontier had before.
    pub(super) before: usize,
    /// How many points the step has.
    pub(super) points: usize,
    /// Arcs that are there in any case, and those that are there if the event does not occur.
    pub(super) links: Vec<(usize, usize)>,
    pub(super) arcs: Vec<(usize, usize)>,
    /// The frontier after it.
    pub(super) after: Vec<usize>,
    /// In the frontier after it, which points are targets, and which have arcs that are not yet decided.
    pub(super) targets: u128,
    pub(super) open: u128,
    /// Whether all targets are in the frontier after it.
    pub(super) all_targets: bool,
}

const MAX_FRONTIER: usize = 128;

impl Plan {
    pub(super) fn of(
        graph: &ReliabilityGraph,
        events: &[String],
        reached: &BTreeSet<usize>,
        source: usize,
        targets: &[usize],
    ) -> Result<Self, Error> {
        let leave = |vertex: usize| 2 * vertex + usize::from(graph.vertices[vertex].fails);
        let source = 2 * source;
        let targets: BTreeSet<Point> = targets.iter().map(|&target| leave(target)).collect();
        let (arcs, links) = arcs(graph, events, reached);
        let mut links = place_links(&arcs, links);
        let last = last_uses(&arcs, &links);
        let mut frontier = vec![source];
        let mut steps = Vec::new();
        for (level, arcs) in arcs.iter().enumerate() {
            let links = std::mem::take(&mut links[level]);
            let step = step(&mut frontier, &links, arcs, |point| last.get(&point) > Some(&level), &targets);
            if frontier.len() > MAX_FRONTIER || step.points > MAX_FRONTIER {
                let what = format!("the network is more than {MAX_FRONTIER} vertices wide");
                return Err(Error::new(what, "replace parts of it that hang on two vertices by one connection"));
            }
            steps.push(step);
        }
        Ok(Self { steps })
    }
}

type Arcs = Vec<(Point, Point)>;

/// The arcs of each event, and those that never fail.
fn arcs(graph: &ReliabilityGraph, events: &[String], reached: &BTreeSet<usize>) -> (Vec<Arcs>, Arcs) {
    let levels: BTreeMap<_, _> = events.iter().enumerate().map(|(level, event)| (event.as_str(), level)).collect();
    let (mut arcs, mut links) = (vec![Vec::new(); events.len()], Vec::new());
    for &vertex in reached {
        let fails = graph.vertices[vertex].fails;
        let own = fails.then_some((&graph.vertices[vertex].name, (2 * vertex, 2 * vertex + 1)));
        if let Some((level, arc)) = own.and_then(|(name, arc)| Some((levels.get(name.as_str())?, arc))) {
            arcs[*level].push(arc);
        }
        for (to, event) in &graph.vertices[vertex].leads {
            let arc = (2 * vertex + usize::from(fails), 2 * to);
            match event.as_ref().and_then(|event| levels.get(event.as_str())) {
                Some(&level) => arcs[level].push(arc),
                None => links.push(arc),
            }
        }
    }
    (arcs, links)
}

/// The links by the level at which the first of their ends is met.
fn place_links(arcs: &[Arcs], links: Arcs) -> Vec<Arcs> {
    let mut first = BTreeMap::new();
    for (level, arcs) in arcs.iter().enumerate() {
        for point in arcs.iter().flat_map(|&(from, to)| [from, to]) {
            first.entry(point).or_insert(level);
        }
    }
    let mut placed = vec![Vec::new(); arcs.len()];
    for (from, to) in links {
        let level = first.get(&from).into_iter().chain(first.get(&to)).min().copied().unwrap_or_default();
        if let Some(placed) = placed.get_mut(level) {
            placed.push((from, to));
        }
    }
    placed
}

/// The last level at which each point has an arc.
fn last_uses(arcs: &[Arcs], links: &[Arcs]) -> BTreeMap<Point, usize> {
    let mut last = BTreeMap::new();
    for (level, arcs) in arcs.iter().zip(links).map(|(arcs, links)| arcs.iter().chain(links)).enumerate() {
        for point in arcs.flat_map(|&(from, to)| [from, to]) {
            last.insert(point, level);
        }
    }
    last
}

/// One step; `frontier` becomes that after it.
fn step(
    frontier: &mut Vec<Point>,
    links: &[(Point, Point)],
    arcs: &[(Point, Point)],
    is_open: impl Fn(Point) -> bool,
    targets: &BTreeSet<Point>,
) -> Step {
    let before = frontier.len();
    let mut points = std::mem::take(frontier);
    let mut numbers: BTreeMap<_, _> = points.iter().enumerate().map(|(number, &point)| (point, number)).collect();
    let mut number = |point: Point| {
        *numbers.entry(point).or_insert_with(|| {
            points.push(point);
            points.len() - 1
        })
    };
    let mut numbered = |arcs: &[(Point, Point)]| arcs.iter().map(|&(a, b)| (number(a), number(b))).collect::<Vec<_>>();
    let (links, arcs) = (numbered(links), numbered(arcs));
    let (mut after, mut target_bits, mut open) = (Vec::new(), 0, 0);
    for (number, &point) in points.iter().enumerate() {
        if number == 0 || is_open(point) || targets.contains(&point) {
            let bit = 1_u128.checked_shl(after.len() as u32).unwrap_or_default();
            target_bits |= if targets.contains(&point) { bit } else { 0 };
            open |= if is_open(point) { bit } else { 0 };
            after.push(number);
            frontier.push(point);
        }
    }
    let all_targets = target_bits.count_ones() as usize == targets.len();
    Step { before, points: points.len(), links, arcs, after, targets: target_bits, open, all_targets }
}
