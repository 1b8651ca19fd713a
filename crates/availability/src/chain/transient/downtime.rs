//! The distribution of the time spent in down states within a time.
//!
//! `P(D(t) > s)`: of two clocks one runs in up states and the other in down states, and more than `s` of `t` is down exactly
//! if the down clock passes `s` before the up clock passes `t - s`. Each clock is uniformised by itself, with the largest
//! exit rate of its own states, so that slow up states are not slowed down by fast repairs; that is what it has over
//! de Souza e Silva and Gail (1986), whose single clock it splits. With `y[m][n]` the probability to come into a down
//! state having used up `m` ticks of the up clock and `n` of the down clock, and `M`, `N` Poisson numbers of ticks in
//! `t - s` and `s`:
//!
//! `P(D(t) > s) = sum over m, n of P(M >= m) * P(N = n) * y[m][n]`; all terms are positive.

use super::poisson::Poisson;
use crate::chain::evaluate::UNIT;
use crate::chain::{Chain, States};
use crate::{Certain, Error};

/// Steps over arcs at most.
const MOST: f64 = 1e10;

/// The jump chain with a rate for up and one for down states.
struct Clocks {
    rates: [f64; 2],
    down: Vec<bool>,
    /// By source: end and probability, itself included.
    rows: Vec<Vec<(usize, f64)>>,
    arcs: usize,
    rounding: f64,
}

impl Clocks {
    fn new(chain: &Chain<f64>, states: &States) -> Self {
        let count = chain.states().len();
        let down: Vec<bool> = (0..count).map(|state| states.contains(state)).collect();
        let mut exits = vec![0.0; count];
        let mut rows = vec![Vec::new(); count];
        for arc in chain.arcs().iter().filter(|arc| arc.from != arc.to) {
            exits[arc.from] += arc.rate;
            rows[arc.from].push((arc.to, arc.rate));
        }
        let mut rates = [0.0_f64; 2];
        for state in 0..count {
            let rate = &mut rates[usize::from(down[state])];
            // Faster than the fastest, so that no subtraction below loses more than a factor of 9.
            *rate = rate.max(1.125 * exits[state]);
        }
        for (state, row) in rows.iter_mut().enumerate() {
            let rate = rates[usize::from(down[state])];
            row.iter_mut().for_each(|(_, p)| *p /= rate);
            row.push((state, if rate > 0.0 { (rate - exits[state]) / rate } else { 1.0 }));
        }
        let degree = rows.iter().map(Vec::len).max().unwrap_or(0) as f64;
        Self { rates, down, arcs: rows.iter().map(Vec::len).sum(), rows, rounding: 10.0 * degree + 6.0 }
    }
}

impl Chain<f64> {
    /// The probability that more than `downtime` of a time is spent in `down` states, with a proven bound. For
    /// `downtime` 0 it is the probability of any downtime at all.
    ///
    /// # Errors
    /// If the times are not `0 <= downtime < time`, or the chain jumps too often within them.
    pub fn more_downtime_than(&self, down: &States, downtime: f64, time: f64) -> Result<Certain, Error> {
        if !(downtime >= 0.0 && downtime < time && time.is_finite()) {
            return Err(Error::new(
                format!("more than {downtime} of {time} is asked for"),
                "the downtime is 0 or more, and less than the time",
            ));
        }
        let clocks = Clocks::new(self, down);
        let ticks = [time - downtime, downtime];
        let [up, low] = [0, 1].map(|side| Poisson::new(clocks.rates[side] * ticks[side]));
        let cells = (up.last() as f64 + 1.0) * (low.last() as f64 + 1.0);
        if cells * clocks.arcs as f64 > MOST {
            return Err(Error::new(
                format!("the chain is too fast for this time: up to {} jumps up and {} down", up.last(), low.last()),
                "ask for shorter times, or take away the fastest states, whose share of the time is the smallest",
            ));
        }
        let value = self.walk(&clocks, &up, &low);
        let steps = (up.last() + low.last() + 2) as f64;
        let rounding = (steps * (clocks.rounding + 1.0) + 2.0 * (up.rounding + low.rounding) + 2.0 * steps) * UNIT;
        let truncation = up.left_out + low.left_out;
        let truncation = if truncation > 0.0 { truncation / (value - truncation).max(0.0) } else { 0.0 };
        Ok(Certain { value, relative_error: (1.01 * rounding + truncation).min(1.0) })
    }

    /// Sums over the grid of ticks, one row of constant up ticks after the other.
    fn walk(&self, clocks: &Clocks, up: &Poisson, low: &Poisson) -> f64 {
        let count = self.states().len();
        let columns = low.last() + 1;
        // What has come to each column (ticks down) with the present number of ticks up; and with one more.
        let (mut here, mut after) = (vec![vec![0.0; count]; columns], vec![vec![0.0; count]; columns]);
        for (state, p) in self.initial() {
            here[0][state] += p;
        }
        let mut sum = 0.0;
        for row in 0..=up.last() {
            let at_least = if row == 0 { 1.0 } else { up.more_than(row - 1) };
            let mut arrived = 0.0;
            for column in 0..columns {
                let from = std::mem::replace(&mut here[column], vec![0.0; count]);
                for (state, &mass) in from.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
                    if clocks.down[state] {
                        arrived += low.exactly(column) * mass;
                        if let Some(next) = here.get_mut(column + 1) {
                            clocks.rows[state].iter().for_each(|&(to, p)| next[to] += mass * p);
                        }
                    } else {
                        clocks.rows[state].iter().for_each(|&(to, p)| after[column][to] += mass * p);
                    }
                }
            }
            sum += at_least * arrived;
            std::mem::swap(&mut here, &mut after);
        }
        sum
    }
}
