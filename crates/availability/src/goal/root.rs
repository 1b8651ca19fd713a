//! The search along one coordinate.

use super::{Found, Range, Root, Steps, Trend};
use crate::{Certain, Error};

/// How near in coordinates the ends of a bracket come, before they are proven.
const WIDTH: f64 = 1e-12;
/// The widest bracket that is still offered as a proof, in coordinates.
const WIDEST: f64 = 1e-4;
/// A measure that is farther than this share from the target at the ends of a bracket jumps over it.
const JUMP: f64 = 1e-2;
/// Rounds of the search for a lowest or highest point; each keeps 0.618 of the interval.
const ROUNDS: usize = 40;

/// The measure at a value of the parameter.
type Solved<'a> = &'a dyn Fn(f64) -> Result<Certain, Error>;

/// A coordinate, and how much the measure is above the target there.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    at: f64,
    above: f64,
}

pub(super) struct Search<'a> {
    range: Range,
    target: f64,
    solved: Solved<'a>,
}

impl<'a> Search<'a> {
    /// A search that can begin: the model is solved at the present value.
    pub(super) fn new(range: Range, target: f64, solved: Solved<'a>) -> Result<Self, Error> {
        solved(range.value(range.now()))?;
        Ok(Self { range, target, solved })
    }

    fn point(&self, at: f64) -> Option<Point> {
        let value = (self.solved)(self.range.value(at)).ok()?.value;
        value.is_finite().then_some(Point { at, above: value - self.target })
    }

    pub(super) fn run(&self, steps: Steps) -> Result<Found, Error> {
        // Where the model cannot be solved (at an end that makes a state absorbing) there is no point.
        let points: Vec<Point> = self.places(steps).into_iter().filter_map(|at| self.point(at)).collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(Error::new("the model can be solved for no value of the parameter", "solve it as it is first"));
        };
        let mut brackets: Vec<(Point, Point)> =
            points.windows(2).map(|pair| (pair[0], pair[1])).filter(|(a, b)| passes(*a, *b)).collect();
        let mut closest = nearest(&points).unwrap_or(*first);
        if brackets.is_empty()
            && let Some([a, b]) = neighbours(&points, closest)
        {
            closest = self.turning(a, b, closest);
            brackets.extend([(a, closest), (closest, b)].into_iter().filter(|(a, b)| passes(*a, *b)));
        }
        let mut roots: Vec<Root> = brackets.into_iter().map(|(a, b)| self.root(a, b)).collect();
        let far = |root: &Root| root.factor.ln().abs();
        roots.sort_by(|a, b| far(a).total_cmp(&far(b)));
        Ok(Found {
            roots,
            closest: (self.range.value(closest.at), closest.above + self.target),
            trend: trend(&points, self.target),
            searched: (self.range.value(first.at), self.range.value(last.at)),
        })
    }

    /// The coordinates to look at, ascending; the present one is among them.
    fn places(&self, steps: Steps) -> Vec<f64> {
        let (low, high) = self.range.ends();
        let step = std::f64::consts::LN_10 / if steps == Steps::Many { 8.0 } else { 2.0 };
        let count = ((high - low) / step).round().max(1.0);
        let mut places: Vec<f64> = (0..count as u32).map(|k| low + (high - low) * f64::from(k) / count).collect();
        places.extend([high, self.range.now()]);
        places.sort_by(f64::total_cmp);
        places.dedup_by(|a, b| (*a - *b).abs() < WIDTH);
        places
    }

    /// The root between two points on different sides, with its proof.
    fn root(&self, a: Point, b: Point) -> Root {
        let at = self.narrowed(a, b);
        let mut proven = None;
        let mut half = WIDTH;
        while proven.is_none() && half <= WIDEST {
            let ends = ((at - half).max(a.at), (at + half).min(b.at));
            proven = self.is_between(ends).then(|| (self.range.value(ends.0), self.range.value(ends.1)));
            half *= 10.0;
        }
        Root { value: self.range.value(at), proven, factor: (at - self.range.now()).exp() }
    }

    /// The ITP method (Oliveira and Takahashi, ACM Transactions on Mathematical Software 47(1), 2020): the secant, pulled
    /// towards the middle so far that it never takes a step more than bisection.
    fn narrowed(&self, mut a: Point, mut b: Point) -> f64 {
        if b.above == 0.0 {
            return b.at;
        }
        let bisections = ((b.at - a.at) / (2.0 * WIDTH)).log2().ceil().max(0.0);
        let (mut slack, pull) = (WIDTH * (bisections + 1.0).exp2(), 0.2 / (b.at - a.at));
        while b.at - a.at > 2.0 * WIDTH {
            let (width, middle) = (b.at - a.at, f64::midpoint(a.at, b.at));
            let secant = (b.above * a.at - a.above * b.at) / (b.above - a.above);
            let side = (middle - secant).signum();
            let pulled = (pull * width * width).min((middle - secant).abs());
            let reach = slack - 0.5 * width;
            let wanted = secant + side * pulled;
            let at = if (wanted - middle).abs() <= reach { wanted } else { middle - side * reach };
            let Some(point) = self.point(at) else { return middle };
            if point.above == 0.0 {
                return at;
            }
            if (point.above > 0.0) == (b.above > 0.0) {
                b = point;
            } else {
                a = point;
            }
            slack *= 0.5;
        }
        f64::midpoint(a.at, b.at)
    }

    /// Whether the measures at two coordinates lie on different sides of the target, whatever their errors, and near it.
    fn is_between(&self, ends: (f64, f64)) -> bool {
        let side = |at: f64| {
            let Certain { value, relative_error } = (self.solved)(self.range.value(at)).ok()?;
            let (above, error) = (value - self.target, value.abs() * relative_error);
            let is_near = above.abs() <= JUMP * self.target.abs().max(value.abs());
            (above.abs() > error && is_near).then_some(above > 0.0)
        };
        matches!((side(ends.0), side(ends.1)), (Some(low), Some(high)) if low != high)
    }

    /// The point between two others where the measure comes closest to the target, or passes it: golden section.
    fn turning(&self, a: Point, b: Point, mut best: Point) -> Point {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let (mut low, mut high) = (a.at, b.at);
        for _ in 0..ROUNDS {
            let inner = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
            let [Some(left), Some(right)] = inner.map(|at| self.point(at)) else { return best };
            for point in [left, right] {
                if passes(a, point) {
                    return point;
                }
                if point.above.abs() < best.above.abs() {
                    best = point;
                }
            }
            if left.above.abs() < right.above.abs() { high = right.at } else { low = left.at }
        }
        best
    }
}

/// Whether the target lies between two points, or is one of them.
fn passes(a: Point, b: Point) -> bool {
    (a.above < 0.0 && b.above >= 0.0) || (a.above > 0.0 && b.above <= 0.0)
}

fn nearest(points: &[Point]) -> Option<Point> {
    points.iter().copied().min_by(|a, b| a.above.abs().total_cmp(&b.above.abs()))
}

/// The points before and behind one that is neither the first nor the last.
fn neighbours(points: &[Point], point: Point) -> Option<[Point; 2]> {
    points.windows(3).find(|three| three[1] == point).map(|three| [three[0], three[2]])
}

fn trend(points: &[Point], target: f64) -> Trend {
    let (mut rises, mut falls) = (false, false);
    for pair in points.windows(2) {
        // Beyond the rounding of the measures.
        let moved = pair[1].above - pair[0].above;
        let size = 1e-12 * (target.abs() + pair[0].above.abs().max(pair[1].above.abs()));
        rises |= moved > size;
        falls |= moved < -size;
    }
    match (rises, falls) {
        (true, true) => Trend::Turns,
        (true, false) => Trend::Rises,
        (false, true) => Trend::Falls,
        (false, false) => Trend::Flat,
    }
}
