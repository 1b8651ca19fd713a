//! Mean time to a first passage in a large chain.

use super::steady::Steady;
use crate::chain::{Sparse, States};
use crate::{Certain, Error};

impl Sparse {
    /// The mean time from state 0 until a state of `target` is entered first (the MTTF, if these are the down states), with a
    /// proven bound of its relative error.
    ///
    /// The return trick: arcs into the target lead back to state 0 instead, and the mean time is one over the frequency with
    /// which they are taken in the long run. So it keeps all digits, and the proof is that of [`Steady::certain`].
    ///
    /// # Errors
    /// If state 0 is in the target, if the target is never reached, or as [`Steady::of`].
    pub fn mean_time_to(&self, target: &States) -> Result<Certain, Error> {
        if target.contains(0) {
            return Err(Error::new("the chain begins at the end of the passage", "its mean time is 0"));
        }
        let (arcs, flows) = self.returning(target);
        if flows.iter().all(|&flow| flow == 0.0) {
            return Err(Error::new("the end of the passage is never reached", "look at its label"));
        }
        let frequency = Steady::of(&arcs)?.certain(&flows)?;
        let bound = frequency.relative_error;
        let relative_error = if bound < 0.5 { bound / (1.0 - bound) + 2.0 * f64::EPSILON } else { 1.0 };
        Ok(Certain { value: 1.0 / frequency.value, relative_error })
    }

    /// The states that are visited before the target, with arcs into it led back to state 0, and for each its rate into the
    /// target.
    fn returning(&self, target: &States) -> (Self, Vec<f64>) {
        let mut place = vec![u32::MAX; self.states()];
        place[0] = 0;
        let mut visited = vec![0];
        let (mut arcs, mut flows, mut next) = (Self::new(), Vec::new(), 0);
        while let Some(&state) = visited.get(next) {
            next += 1;
            let mut flow = 0.0;
            for (end, rate) in self.row(state) {
                let to = if target.contains(end) {
                    flow += rate;
                    0
                } else {
                    if place[end] == u32::MAX {
                        place[end] = visited.len() as u32;
                        visited.push(end);
                    }
                    place[end]
                };
                if to as usize != next - 1 {
                    arcs.add(to, rate);
                }
            }
            arcs.end_row();
            flows.push(flow);
        }
        (arcs, flows)
    }
}
