//! Passes over all arcs.

use crate::chain::Sparse;
use crate::chain::sparse::Rates;

/// How the rates of arcs are read.
pub(super) trait Read {
    fn at(&self, place: usize) -> f64;
}

struct Few<'a>(&'a [u16], &'a [f64]);

impl Read for Few<'_> {
    #[inline]
    fn at(&self, place: usize) -> f64 {
        self.1[self.0[place] as usize]
    }
}

impl Read for &[f64] {
    #[inline]
    fn at(&self, place: usize) -> f64 {
        self[place]
    }
}

/// A pass over all arcs that is compiled for each way to read rates.
pub(super) trait Pass {
    type Output;
    fn run(self, arcs: &Sparse, rates: &impl Read) -> Self::Output;
}

impl Sparse {
    pub(super) fn pass<P: Pass>(&self, pass: P) -> P::Output {
        match &self.rates {
            Rates::Few { places, table } => pass.run(self, &Few(places, &table.values)),
            Rates::Many(rates) => pass.run(self, &rates.as_slice()),
        }
    }

    #[inline]
    pub(super) fn places(&self, state: usize) -> std::ops::Range<usize> {
        self.offsets[state] as usize..self.offsets[state + 1] as usize
    }
}

/// The sum of the rates out of each state; not a number if one of them is negative or none.
pub(super) struct Exits;

impl Pass for Exits {
    type Output = Vec<f64>;
    fn run(self, arcs: &Sparse, rates: &impl Read) -> Vec<f64> {
        let rate = |place| if rates.at(place) >= 0.0 { rates.at(place) } else { f64::NAN };
        (0..arcs.states()).map(|state| arcs.places(state).map(rate).sum()).collect()
    }
}

/// A Gauss-Seidel sweep of `x Q = wanted` in the order of the states.
///
/// `pending` holds for each state what flows into it from states behind it; the sweep uses that up, adds what flows in from
/// states before it, and leaves the pending flows of the next sweep. So one array is the whole state of the iteration, and
/// arcs are needed by their source only. `weights`, if given, receives the weight of each state.
pub(super) struct Push<'a> {
    pub(super) exits: &'a [f64],
    /// What `x Q` should be; 0 if it is not told.
    pub(super) wanted: Option<&'a [f64]>,
    pub(super) pending: &'a mut [f64],
    pub(super) weights: Option<&'a mut [f64]>,
}

impl Pass for Push<'_> {
    type Output = ();
    fn run(self, arcs: &Sparse, rates: &impl Read) {
        let Self { exits, wanted, pending, mut weights } = self;
        for state in 0..arcs.states() {
            let weight = (pending[state] - wanted.map_or(0.0, |wanted| wanted[state])) / exits[state];
            pending[state] = 0.0;
            if let Some(weights) = &mut weights {
                weights[state] = weight;
            }
            for place in arcs.places(state) {
                pending[arcs.ends[place] as usize] += weight * rates.at(place);
            }
        }
    }
}

/// Adds the flows of these weights that a sweep would leave pending: those to states before their source.
pub(super) struct Settle<'a> {
    pub(super) weights: &'a [f64],
    pub(super) pending: &'a mut [f64],
}

impl Pass for Settle<'_> {
    type Output = ();
    fn run(self, arcs: &Sparse, rates: &impl Read) {
        for (state, weight) in self.weights.iter().enumerate() {
            for place in arcs.places(state) {
                let end = arcs.ends[place] as usize;
                if end < state {
                    self.pending[end] += weight * rates.at(place);
                }
            }
        }
    }
}

/// What flows into each state, and from how many.
pub(super) struct Inflow<'a>(pub(super) &'a [f64]);

impl Pass for Inflow<'_> {
    type Output = (Vec<f64>, Vec<u32>);
    fn run(self, arcs: &Sparse, rates: &impl Read) -> Self::Output {
        let (mut sums, mut terms) = (vec![0.0; arcs.states()], vec![0; arcs.states()]);
        for state in 0..arcs.states() {
            for place in arcs.places(state) {
                let end = arcs.ends[place] as usize;
                sums[end] += self.0[state] * rates.at(place);
                terms[end] += 1;
            }
        }
        (sums, terms)
    }
}

/// A Gauss-Seidel sweep of `Q h = -earned`, `h = 0` at the anchor. In the order of the distance to the anchor, the way back
/// from far states, through repairs, is known after one sweep.
pub(super) struct Pull<'a, F> {
    pub(super) exits: &'a [f64],
    pub(super) anchor: usize,
    pub(super) order: &'a [u32],
    pub(super) earned: F,
    pub(super) values: &'a mut [f64],
}

impl<F: Fn(usize) -> f64> Pass for Pull<'_, F> {
    type Output = ();
    fn run(self, arcs: &Sparse, rates: &impl Read) {
        let Self { exits, anchor, order, earned, values } = self;
        for state in order.iter().map(|&state| state as usize) {
            let mut sum = earned(state);
            for place in arcs.places(state) {
                sum += rates.at(place) * values[arcs.ends[place] as usize];
            }
            values[state] = if state == anchor { 0.0 } else { sum / exits[state] };
        }
    }
}

/// Hands for each state `sum q_ij h_j` and `sum q_ij |h_j|` to a function.
pub(super) struct Drift<'a, F> {
    pub(super) values: &'a [f64],
    pub(super) each: F,
}

impl<F: FnMut(usize, f64, f64)> Pass for Drift<'_, F> {
    type Output = ();
    fn run(mut self, arcs: &Sparse, rates: &impl Read) {
        for state in 0..arcs.states() {
            let (mut sum, mut size) = (0.0, 0.0);
            for place in arcs.places(state) {
                let term = rates.at(place) * self.values[arcs.ends[place] as usize];
                sum += term;
                size += term.abs();
            }
            (self.each)(state, sum, size);
        }
    }
}

/// For each state `sum q_ij |h_j - h_i|`.
pub(super) struct Swing<'a>(pub(super) &'a [f64]);

impl Pass for Swing<'_> {
    type Output = Vec<f64>;
    fn run(self, arcs: &Sparse, rates: &impl Read) -> Vec<f64> {
        let Self(values) = self;
        let of = |state: usize| {
            let step = |place: usize| rates.at(place) * (values[arcs.ends[place] as usize] - values[state]).abs();
            arcs.places(state).map(step).sum()
        };
        (0..arcs.states()).map(of).collect()
    }
}

/// A Gauss-Seidel sweep of `Q h = g` against the order of the states, and one back.
pub(super) struct There<'s> {
    pub(super) exits: &'s [f64],
    pub(super) wanted: &'s [f64],
    pub(super) values: &'s mut [f64],
}

impl Pass for There<'_> {
    type Output = ();
    fn run(self, arcs: &Sparse, rates: &impl Read) {
        let Self { exits, wanted, values } = self;
        let count = exits.len();
        for state in (0..count).rev().chain(0..count) {
            let mut sum = -wanted[state];
            for place in arcs.places(state) {
                sum += rates.at(place) * values[arcs.ends[place] as usize];
            }
            values[state] = sum / exits[state];
        }
    }
}

/// Hands what is left of `Q h = g` at each state to a function.
pub(super) struct Left<'s, F> {
    pub(super) exits: &'s [f64],
    pub(super) wanted: &'s [f64],
    pub(super) values: &'s [f64],
    pub(super) each: F,
}

impl<F: FnMut(usize, f64)> Pass for Left<'_, F> {
    type Output = ();
    fn run(mut self, arcs: &Sparse, rates: &impl Read) {
        for state in 0..self.exits.len() {
            let mut left = self.wanted[state] + self.exits[state] * self.values[state];
            for place in arcs.places(state) {
                left -= rates.at(place) * self.values[arcs.ends[place] as usize];
            }
            (self.each)(state, left);
        }
    }
}
