//! Uniformisation of a chain, backwards: values of all starts at once.

use super::poisson::Poisson;
use crate::chain::Chain;
use crate::chain::evaluate::UNIT;
use crate::chain::graph::Graph;
use crate::{Certain, Error, Scalar};

/// A number that depends on where the chain begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed<T> {
    /// For each state in which the chain could begin.
    pub by_start: Vec<T>,
    /// Proven bound of the relative error from rounding; the rates are taken for exact.
    pub(super) rounding: f64,
    /// Proven bound of the absolute error from truncation.
    pub(super) truncation: f64,
    /// Whether nothing that counts can be reached from where the chain begins: then the number is 0.
    pub(super) impossible: bool,
    /// How many jumps were followed.
    pub(super) steps: usize,
}

impl<T: Scalar> Timed<T> {
    /// The number for the beginning of a chain.
    #[must_use]
    pub fn value(&self, chain: &Chain<T>) -> T {
        let mut sum = T::ZERO;
        for (state, p) in chain.initial() {
            sum += p * self.by_start[state];
        }
        sum
    }

    /// The number for the beginning of a chain, with its proven bound.
    #[must_use]
    pub fn certain(&self, chain: &Chain<T>) -> Certain {
        let value = self.value(chain).value();
        if self.impossible {
            return Certain::exact(0.0);
        }
        let terms = chain.initial().len() as f64;
        let truncation =
            if self.truncation == 0.0 { 0.0 } else { self.truncation / (value - self.truncation).max(0.0) };
        Certain { value, relative_error: (self.rounding + (terms + 1.0) * UNIT + truncation).min(1.0) }
    }

    /// A bound of the share by which the number can be off if all rates are off by at most a share of them, and what states
    /// earn by another.
    ///
    /// With the same `q`, a way through the jumps that were followed has another probability by at most the share of the rates
    /// for each jump: that to stay is a half at least, so that its share is no larger. What was taken for stationary lies
    /// between the least and the largest value that these jumps lead to, whatever the rates are.
    pub(crate) fn moved(&self, rates: f64, earned: f64) -> f64 {
        ((self.steps + 1) as f64 * rates + earned).exp_m1()
    }
}

/// What is wanted of the earnings of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Their mean at the end of the time.
    AtTheEnd,
    /// Their mean integral over the time.
    Integral,
}

/// Steps over arcs at most: some ten seconds of work.
const MOST: f64 = 1e10;
/// Steps between two looks whether the values of all starts are the same.
const STRETCH: usize = 32;
/// `q` over the largest exit rate: each state then stays with a probability of at least a half, which the bound of the
/// rounding in [`Jumps::step`] needs.
const FASTER: f64 = 2.0;

/// The jump chain of a chain that stays in its frozen states.
struct Jumps<T> {
    rate: f64,
    /// By source: end and probability.
    rows: Vec<Vec<(usize, T)>>,
    arcs: usize,
    /// Relative rounding error of one step, in units of 2^-53.
    rounding: f64,
}

impl<T: Scalar> Jumps<T> {
    fn new(chain: &Chain<T>, frozen: impl Fn(usize) -> bool) -> Self {
        let count = chain.states().len();
        let (mut rows, mut exits) = (vec![Vec::new(); count], vec![0.0; count]);
        for arc in chain.arcs().iter().filter(|arc| arc.from != arc.to && !frozen(arc.from)) {
            rows[arc.from].push((arc.to, arc.rate));
            exits[arc.from] += arc.rate.value();
        }
        let rate = FASTER * exits.into_iter().fold(0.0, f64::max);
        let all = T::from(if rate > 0.0 { rate } else { 1.0 });
        rows.iter_mut().flatten().for_each(|(_, rate)| *rate = *rate / all);
        let degree = rows.iter().map(Vec::len).max().unwrap_or(0) as f64;
        let arcs = rows.iter().map(Vec::len).sum::<usize>() + count;
        Self { rate, rows, arcs, rounding: 2.0 * degree + 6.0 }
    }

    /// `P f`, as `f_i + sum of p_ij (f_j - f_i)`: what is equal for all states stays exactly so, and rounding leans to no
    /// side, as it would if the probability to stay were rounded once for all steps. The differences are at most
    /// `f_j + f_i`, and `(P f)_i` is at least `f_i / 2`, so that the sum of their sizes is at most twice the result.
    fn step(&self, values: &[T], into: &mut [T]) {
        for (state, value) in into.iter_mut().enumerate() {
            let present = values[state];
            let mut change = T::ZERO;
            for &(to, p) in &self.rows[state] {
                change += p * (values[to] - present);
            }
            *value = present + change;
        }
    }
}

/// Sums of many terms, by Kahan's method: their error does not grow with the number of terms.
struct Sum<T> {
    values: Vec<T>,
    lost: Vec<T>,
}

impl<T: Scalar> Sum<T> {
    fn add(&mut self, share: f64, terms: &[T]) {
        for ((value, lost), &term) in self.values.iter_mut().zip(&mut self.lost).zip(terms) {
            let term = T::from(share) * term - *lost;
            let next = *value + term;
            *lost = (next - *value) - term;
            *value = next;
        }
    }
}

/// The mean of what states earn at a time, or until it, for each start. Earnings are not negative; frozen states are not
/// left.
pub(super) fn evolve<T: Scalar>(
    chain: &Chain<T>,
    frozen: impl Fn(usize) -> bool,
    earned: Vec<T>,
    time: f64,
    wanted: Wanted,
) -> Result<Timed<T>, Error> {
    if !(time >= 0.0 && time.is_finite()) {
        return Err(Error::new(format!("the time is {time}"), "a time is a finite number, 0 or more"));
    }
    let no_time = time == 0.0 && wanted == Wanted::Integral;
    let impossible = no_time || is_impossible(chain, &frozen, &earned, time);
    let jumps = Jumps::new(chain, frozen);
    if jumps.rate == 0.0 {
        let factor = T::from(if wanted == Wanted::Integral { time } else { 1.0 });
        let by_start = earned.into_iter().map(|value| value * factor).collect();
        return Ok(Timed { by_start, rounding: UNIT, truncation: 0.0, impossible, steps: 0 });
    }
    let mean = jumps.rate * time;
    if mean > Poisson::MOST {
        return Err(too_stiff(mean, 0));
    }
    let poisson = Poisson::new(mean);
    let weight = |step: usize| match wanted {
        Wanted::AtTheEnd => poisson.exactly(step),
        Wanted::Integral => poisson.more_than(step) / jumps.rate,
    };
    // All weights behind a step. Before the first one that counts each is 1, and those of all steps together are the mean.
    let rest = |step: usize| match wanted {
        Wanted::AtTheEnd => poisson.more_than(step),
        Wanted::Integral if step < poisson.first => (mean - (step + 1) as f64) / jumps.rate,
        Wanted::Integral => (step + 1..=poisson.last()).map(|step| poisson.more_than(step)).sum::<f64>() / jumps.rate,
    };
    let scale = if wanted == Wanted::Integral { time } else { 1.0 };
    let most = earned.iter().map(|value| value.value()).fold(0.0, f64::max);
    let mut sum = Sum { values: vec![T::ZERO; earned.len()], lost: vec![T::ZERO; earned.len()] };
    let (mut now, mut next) = (earned.clone(), earned);
    let (mut steps, mut early, mut weights) = (0, 0.0, 2.0 * poisson.rounding);
    for step in 0..=poisson.last() {
        let share = weight(step);
        if share > 0.0 {
            sum.add(share, &now);
        }
        steps = step;
        if step % STRETCH == STRETCH - 1 {
            if let Some((low, high)) = settled(&now, step as f64 * jumps.rounding) {
                let rest = rest(step);
                sum.add(rest, &now);
                // The second term is for the rounding of the time and of what is left of it.
                early = rest * (high - low) + 8.0 * UNIT * scale * high;
                if step < poisson.first {
                    weights = 0.0;
                }
                break;
            }
            if step as f64 * jumps.arcs as f64 > MOST {
                return Err(too_stiff(mean, step));
            }
        }
        jumps.step(&now, &mut next);
        std::mem::swap(&mut now, &mut next);
    }
    let rounding = (steps as f64 * jumps.rounding + weights + 8.0) * UNIT;
    let truncation = poisson.left_out * most * scale + early;
    Ok(Timed { by_start: sum.values, rounding: 1.01 * rounding, truncation, impossible, steps })
}

/// The least and the largest value of all starts, if they are so near that the rest of the time may be taken for stationary:
/// all values to come lie between them, each being a mean of those before. The values are wrong by `rounding` units of 2^-53
/// at most, so that a sixteenth of that is near enough; to the last bit they may never agree, since a step is lost
/// that changes them by less than half of it.
fn settled<T: Scalar>(values: &[T], rounding: f64) -> Option<(f64, f64)> {
    // A derivative that comes along may still change when the values do not; it has no bound, and is waited for.
    let plain = values.iter().all(|&value| value == T::from(value.value()));
    let stands = plain || values.iter().all(|&value| value.is_near(values[0], 4.0 * UNIT));
    let numbers = values.iter().map(|value| value.value());
    let (low, high) = numbers.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    (stands && high - low <= (rounding / 16.0).max(4.0) * UNIT * low).then_some((low, high))
}

/// Whether no way leads to a state that earns, or there is no time for one.
fn is_impossible<T: Scalar>(chain: &Chain<T>, frozen: impl Fn(usize) -> bool, earned: &[T], time: f64) -> bool {
    let taken = chain.arcs().iter().filter(|arc| arc.rate.value() > 0.0).map(|arc| (arc.from, arc.to));
    let begins = chain.initial().into_iter().filter(|(_, p)| p.value() > 0.0).map(|(state, _)| state);
    let reached = Graph::new(chain.states().len(), taken).reach(begins, |state| frozen(state) || time == 0.0);
    reached.iter().zip(earned).all(|(&reached, earned)| !reached || earned.value() == 0.0)
}

/// `followed` of the jumps did not suffice.
fn too_stiff(jumps: f64, followed: usize) -> Error {
    let why = if followed == 0 {
        format!("and {:.0e} are the most", Poisson::MOST)
    } else {
        format!("and all have to be followed, since after {followed} of them its starts still differ")
    };
    Error::new(
        format!("the chain is too stiff for this time: it makes up to {jumps:.1e} jumps, {why}"),
        "ask for a shorter time or the long run, or take away the fastest states, whose share of the time is the smallest",
    )
}
