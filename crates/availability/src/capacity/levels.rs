//! Capacity of units that fail: how much of it is up how long, and the traffic that is lost by it.

use super::loss::blocking;
use super::positive;
use crate::Error;
use crate::estimate::special::Tails;

/// Minutes of a year of 365 days.
const MINUTES_A_YEAR: f64 = 525_600.0;

/// The distribution of the number of units that are up, of n.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// P(k units are up), k = 0..=n.
    probabilities: Vec<f64>,
}

impl Levels {
    /// The levels of a solved chain: `probabilities[k]` is that of k units up. They are taken as they are, small ones with
    /// their own digits; they must add up to 1.
    ///
    /// # Errors
    /// If there are fewer than two, one is negative or none, or they do not add up to 1.
    pub fn new(probabilities: Vec<f64>) -> Result<Self, Error> {
        if probabilities.len() < 2 {
            return Err(Error::new("a capacity without units", "give the probabilities of 0 to n units up"));
        }
        if let Some(k) = probabilities.iter().position(|p| !(*p >= 0.0 && *p <= 1.0 + 1e-9)) {
            return Err(Error::new(
                format!("the probability {} of {k} units up", probabilities[k]),
                "probabilities lie within 0 and 1",
            ));
        }
        let sum: f64 = probabilities.iter().sum();
        if (sum - 1.0).abs() > 1e-9 {
            return Err(Error::new(format!("probabilities that add up to {sum}"), "those of all levels add up to 1"));
        }
        Ok(Self { probabilities })
    }

    /// n equal units that fail at one rate, and so many crews that repair one each at another: a birth-death chain. With a
    /// crew for each unit the units are independent (binomial).
    ///
    /// Each probability is a product of rates, the largest is found first, and nothing is subtracted.
    ///
    /// # Errors
    /// Unless the rates are positive and finite and there is a unit and a crew.
    pub fn of_units(units: u32, failure: f64, repair: f64, crews: u32) -> Result<Self, Error> {
        positive("a failure rate", failure)?;
        positive("a repair rate", repair)?;
        if units == 0 || crews == 0 || units > 10_000_000 {
            return Err(Error::new(
                format!("{units} units and {crews} crews"),
                "give one of each at least, 10000000 at most",
            ));
        }
        // P(d down) / P(d - 1 down) falls with d: from the most probable level outwards no product leaves the range but into 0.
        let ratio = |d: u32| f64::from(units - d + 1) * failure / (f64::from(d.min(crews)) * repair);
        let mode = (1..=units).take_while(|d| ratio(*d) >= 1.0).count() as u32;
        let mut weights = vec![1.0; units as usize + 1];
        for d in (1..=mode).rev() {
            weights[d as usize - 1] = weights[d as usize] / ratio(d);
        }
        for d in mode + 1..=units {
            weights[d as usize] = weights[d as usize - 1] * ratio(d);
        }
        let (low, high) = weights.split_at(mode as usize);
        let total = low.iter().sum::<f64>() + high.iter().rev().sum::<f64>();
        weights.iter_mut().for_each(|weight| *weight /= total);
        weights.reverse();
        Ok(Self { probabilities: weights })
    }

    /// The number of units.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.probabilities.len() - 1
    }

    /// The share of time with fewer than k units up (lower) and with k or more (upper), each as a sum of its own.
    #[must_use]
    pub fn at_least(&self, k: usize) -> Tails {
        let (lower, upper) = self.probabilities.split_at(k.min(self.probabilities.len()));
        Tails { lower: lower.iter().sum(), upper: upper.iter().rev().sum() }
    }

    /// The minutes of a year with fewer than k units up.
    #[must_use]
    pub fn minutes_below(&self, k: usize) -> f64 {
        self.at_least(k).lower * MINUTES_A_YEAR
    }

    /// The mean share of the capacity that is missing: the unavailability of the capacity (1 less the capacity oriented
    /// availability of Heimann, Mittal and Trivedi 1990).
    #[must_use]
    pub fn missing_share(&self) -> f64 {
        let n = self.units() as f64;
        let sum: f64 = self.probabilities.iter().enumerate().map(|(k, p)| (n - k as f64) * p).sum();
        sum / n
    }

    /// The share of calls refused if each unit has so many ports and this traffic is offered to those that are up: Erlang B
    /// weighed by the levels. It holds where calls are short against failures. Without a unit up all are refused.
    ///
    /// # Errors
    /// Unless the traffic is positive and finite and each unit has a port.
    pub fn refused_share(&self, ports: u32, traffic: f64) -> Result<f64, Error> {
        positive("a traffic", traffic)?;
        positive("a number of ports", f64::from(ports))?;
        let refused = |k: usize| if k == 0 { 1.0 } else { blocking(k as f64 * f64::from(ports), traffic) };
        Ok(self.probabilities.iter().enumerate().filter(|(_, p)| **p > 0.0).map(|(k, p)| p * refused(k)).sum())
    }
}
