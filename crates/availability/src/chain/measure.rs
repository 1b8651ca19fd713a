//! What can be asked of a chain: ratios of what it collects.

use super::{Rewards, States};

/// Something that a chain collects while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Quantity<T> {
    /// All time.
    Time,
    /// The time in these states.
    TimeIn(States),
    /// The time outside these states.
    TimeOutside(States),
    /// How often these states are entered from outside of them.
    Entries(States),
    /// How often the end of a passage is reached: once in each passage. Only for measures with an end.
    Arrivals,
    /// Rewards of states and arcs.
    Reward(Rewards<T>),
}

/// A measure: how much of one [`Quantity`] there is for each unit of another, in the long run, or until a set of states is
/// entered for the first time.
///
/// Every steady-state measure and every mean until a first passage is such a ratio. Both parts are sums of positive terms
/// that elimination carries along, so that no measure needs a subtraction: `U` is time in down states for each unit of time,
/// the MTTF is time for each arrival (Trivedi 2002, sections 8.2 and 8.5; Kemeny and Snell 1960, chapters 3 and 6).
#[derive(Clone, Debug, PartialEq)]
pub struct Measure<T> {
    pub(super) gain: Quantity<T>,
    pub(super) per: Quantity<T>,
    /// Where a passage ends; none for the long run.
    pub(super) until: Option<States>,
}

impl<T> Measure<T> {
    /// Any ratio in the long run.
    #[must_use]
    pub const fn long_run(gain: Quantity<T>, per: Quantity<T>) -> Self {
        Self { gain, per, until: None }
    }

    /// Any ratio of what is collected from the beginning until `target` is entered for the first time.
    #[must_use]
    pub const fn passage(gain: Quantity<T>, per: Quantity<T>, target: States) -> Self {
        Self { gain, per, until: Some(target) }
    }

    /// What it collects.
    #[must_use]
    pub const fn gain(&self) -> &Quantity<T> {
        &self.gain
    }

    /// Steady-state unavailability: the share of time in down states, `U = sum of pi_i over down states`.
    #[must_use]
    pub const fn unavailability(down: States) -> Self {
        Self::long_run(Quantity::TimeIn(down), Quantity::Time)
    }

    /// Steady-state availability: the share of time in the other states, summed by itself.
    #[must_use]
    pub const fn availability(down: States) -> Self {
        Self::long_run(Quantity::TimeOutside(down), Quantity::Time)
    }

    /// Failure frequency: how often down states are entered from up states, per unit of time,
    /// `f = sum of pi_i * q_ij, i up, j down`. In the long run repairs are as frequent.
    #[must_use]
    pub const fn failure_frequency(down: States) -> Self {
        Self::long_run(Quantity::Entries(down), Quantity::Time)
    }

    /// Mean time between failures, `1 / f`: from one failure to the next, repair included.
    #[must_use]
    pub const fn time_between_failures(down: States) -> Self {
        Self::long_run(Quantity::Time, Quantity::Entries(down))
    }

    /// Mean length of a down spell, `U / f` (MDT).
    #[must_use]
    pub fn down_spell(down: States) -> Self {
        Self::long_run(Quantity::TimeIn(down.clone()), Quantity::Entries(down))
    }

    /// Mean length of an up spell, `A / f` (MUT): what a repaired system lasts, not the MTTF of a fresh one.
    #[must_use]
    pub fn up_spell(down: States) -> Self {
        Self::long_run(Quantity::TimeOutside(down.clone()), Quantity::Entries(down))
    }

    /// What is earned per unit of time in the long run.
    #[must_use]
    pub const fn reward_rate(rewards: Rewards<T>) -> Self {
        Self::long_run(Quantity::Reward(rewards), Quantity::Time)
    }

    /// Mean time until a state of `target` is entered first: the MTTF, if these are the down states.
    #[must_use]
    pub const fn time_to(target: States) -> Self {
        Self::passage(Quantity::Time, Quantity::Arrivals, target)
    }

    /// Mean time spent in `states` before a state of `target` is entered first.
    #[must_use]
    pub const fn time_before(target: States, states: States) -> Self {
        Self::passage(Quantity::TimeIn(states), Quantity::Arrivals, target)
    }

    /// What is earned, on the mean, before a state of `target` is entered first; the arc that enters it earns too.
    #[must_use]
    pub const fn reward_before(target: States, rewards: Rewards<T>) -> Self {
        Self::passage(Quantity::Reward(rewards), Quantity::Arrivals, target)
    }

    /// The probability that the first state of `target` to be entered is one of `cause`.
    #[must_use]
    pub const fn first_cause(target: States, cause: States) -> Self {
        Self::passage(Quantity::Entries(cause), Quantity::Arrivals, target)
    }
}
