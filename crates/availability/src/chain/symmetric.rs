//! Measures of symmetric chains, on the chain of the states that behave alike.

use super::{Chain, Measure, Quantity, Rewards, States};

/// Lumping is worth its work if it leaves at most so many of a hundred states.
const WORTH: usize = 60;

impl Chain<f64> {
    /// A smaller chain of which the measure is the same, and the measure there; nothing if few states behave alike.
    ///
    /// States are put together that behave alike towards what the measure looks at, and towards nothing else: labels and other
    /// rewards of the chain do not keep them apart.
    #[must_use]
    pub fn lumped_for(&self, measure: &Measure<f64>) -> Option<(Self, Measure<f64>)> {
        let mut watched = self.unlabelled();
        let mut sets = Vec::new();
        let mut rewards = Vec::new();
        for quantity in [&measure.gain, &measure.per] {
            match quantity {
                Quantity::TimeIn(set) | Quantity::TimeOutside(set) | Quantity::Entries(set) => sets.push(set),
                Quantity::Reward(reward) => rewards.push(reward),
                Quantity::Time | Quantity::Arrivals => {}
            }
        }
        sets.extend(&measure.until);
        for (number, set) in sets.into_iter().enumerate() {
            watched.set_label(number.to_string(), set.clone());
        }
        for (number, reward) in rewards.into_iter().enumerate() {
            watched.set_rewards(number.to_string(), reward.clone());
        }
        let lumped = watched.lump().ok()?;
        let blocks = lumped.chain.states().len();
        if blocks * 100 > self.states().len() * WORTH {
            return None;
        }
        let set = |set: &States| {
            let mut members = vec![false; blocks];
            set.iter()
                .filter(|&state| state < lumped.block_of.len())
                .for_each(|state| members[lumped.block_of[state]] = true);
            States::new(members)
        };
        let mut left = lumped.chain.all_rewards().values();
        let mut quantity = |quantity: &Quantity<f64>| match quantity {
            Quantity::Time => Quantity::Time,
            Quantity::Arrivals => Quantity::Arrivals,
            Quantity::TimeIn(states) => Quantity::TimeIn(set(states)),
            Quantity::TimeOutside(states) => Quantity::TimeOutside(set(states)),
            Quantity::Entries(states) => Quantity::Entries(set(states)),
            // The rewards were named in the order in which they are asked for here.
            Quantity::Reward(_) => Quantity::Reward(left.next().cloned().unwrap_or_else(Rewards::default)),
        };
        let (gain, per) = (quantity(&measure.gain), quantity(&measure.per));
        let until = measure.until.as_ref().map(set);
        Some((lumped.chain, Measure { gain, per, until }))
    }
}
