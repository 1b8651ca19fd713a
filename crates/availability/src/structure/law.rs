//! How the probability of a basic event comes about.

use super::{FaultTree, Probability};
use crate::Error;

/// The law by which a basic event occurs in time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// It has occurred with this probability, at any time.
    Fixed(Probability),
    /// It occurs once and for all, after an exponential time: `1 - exp(-rate t)`.
    Exponential {
        /// Per unit of time.
        rate: f64,
    },
    /// A unit that is down at the beginning with a probability, fails, and is repaired (the GLM of Open-PSA):
    /// `lambda / (lambda + mu) (1 - e) + gamma e` with `e = exp(-(lambda + mu) t)`.
    Repaired {
        /// The probability `gamma` that it is down at the beginning.
        at_start: f64,
        /// The failure rate `lambda`, per unit of time.
        failure_rate: f64,
        /// The repair rate `mu`, per unit of time.
        repair_rate: f64,
    },
    /// It occurs once and for all, after a time of Weibull's distribution: `1 - exp(-((t - shift) / scale)^shape)`.
    Weibull {
        /// A time.
        scale: f64,
        /// Above 1: it wears out; 1: exponential; below 1: it fails early.
        shape: f64,
        /// It does not occur before this time.
        shift: f64,
    },
}

impl Law {
    /// The probability that the event has occurred at a time, and that it has not: two numbers, none of them the
    /// difference of the other from 1.
    #[must_use]
    pub fn at(&self, time: f64) -> Probability {
        match *self {
            Self::Fixed(probability) => probability,
            Self::Exponential { rate } => Probability::failed_by(rate, time),
            Self::Repaired { at_start, failure_rate, repair_rate } => {
                let start = Probability::of(at_start);
                if failure_rate + repair_rate == 0.0 {
                    return start;
                }
                let end = Probability::down(failure_rate, repair_rate);
                let forgotten = Probability::failed_by(failure_rate + repair_rate, time);
                Probability {
                    yes: end.yes * forgotten.yes + start.yes * forgotten.no,
                    no: end.no * forgotten.yes + start.no * forgotten.no,
                }
            }
            Self::Weibull { scale, shape, shift } => {
                Probability::failed_by(((time - shift).max(0.0) / scale).powf(shape), 1.0)
            }
        }
    }

    /// Whether the numbers of the law make sense.
    ///
    /// # Errors
    /// If one does not; the error names the event and the number.
    pub fn check(&self, event: &str) -> Result<(), Error> {
        let not_negative = |name: &str, value: f64| {
            if value >= 0.0 && value.is_finite() {
                return Ok(());
            }
            let what = format!("the event {event:?} has the {name} {value}");
            Err(Error::new(what, format!("a {name} is a number and not negative")))
        };
        match *self {
            Self::Fixed(probability) => probability.check(event),
            Self::Exponential { rate } => not_negative("failure rate", rate),
            Self::Repaired { at_start, failure_rate, repair_rate } => {
                Probability::of(at_start).check(event)?;
                not_negative("failure rate", failure_rate)?;
                not_negative("repair rate", repair_rate)
            }
            Self::Weibull { scale, shape, shift } => {
                not_negative("time shift", shift)?;
                if scale > 0.0 && shape > 0.0 && scale.is_finite() && shape.is_finite() {
                    return Ok(());
                }
                let what = format!("the event {event:?} has the Weibull scale {scale} and shape {shape}");
                Err(Error::new(what, "both must be above 0"))
            }
        }
    }
}

/// A fault tree with the law of each of its basic events: what the file formats of the trade hold.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantifiedTree {
    /// The tree.
    pub tree: FaultTree,
    /// A law for each basic event, in the order of [`FaultTree::events`].
    pub laws: Vec<Law>,
}

impl QuantifiedTree {
    /// The probabilities of the basic events at a time.
    #[must_use]
    pub fn at(&self, time: f64) -> Vec<Probability> {
        self.laws.iter().map(|law| law.at(time)).collect()
    }

    /// The same for formats that have no repair, and the names of the events that are repaired: these have the probability
    /// that they are down in the long run, `lambda / (lambda + mu)`, at any time.
    #[must_use]
    pub fn without_repair(&self) -> (Self, Vec<String>) {
        let (mut laws, mut repaired) = (Vec::new(), Vec::new());
        for (law, event) in self.laws.iter().zip(self.tree.events()) {
            if let Law::Repaired { .. } = law {
                repaired.push(event.clone());
                laws.push(Law::Fixed(law.at(f64::INFINITY)));
            } else {
                laws.push(*law);
            }
        }
        (Self { tree: self.tree.clone(), laws }, repaired)
    }

    /// The same with copies written out ([`FaultTree::expanded`]), for formats that have none.
    pub(crate) fn expanded(&self, limit: usize) -> Result<Self, Error> {
        let (tree, origins) = self.tree.expanded(limit)?;
        let laws = origins.into_iter().map(|event| self.laws[event]).collect();
        Ok(Self { tree, laws })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_each_law_are_complements_and_keep_their_digits() {
        let laws = [
            Law::Exponential { rate: 1e-9 },
            Law::Repaired { at_start: 1e-12, failure_rate: 1e-9, repair_rate: 0.5 },
            Law::Weibull { scale: 1e9, shape: 1.5, shift: 0.25 },
        ];
        for law in laws {
            for time in [0.0, 1.0, 1e3, 1e12] {
                let Probability { yes, no } = law.at(time);
                assert!((yes + no - 1.0).abs() < 1e-15, "{law:?} at {time}: {yes} {no}");
            }
        }
        assert_eq!(laws[0].at(1e11).no, (-100.0_f64).exp());
        let expected = 2e-9 * 0.5_f64.exp_m1().abs() / 0.5_f64.exp();
        let down = Law::Repaired { at_start: 0.0, failure_rate: 1e-9, repair_rate: 0.5 }.at(1.0).yes;
        assert!((down / expected - 1.0).abs() < 1e-8, "{down} {expected}");
        assert_eq!(laws[2].at(0.25), Probability::IMPOSSIBLE);
        assert!((laws[2].at(1e9 + 0.25).no - (-1.0_f64).exp()).abs() < 1e-15);
    }

    #[test]
    fn without_repair_an_event_is_down_as_in_the_long_run() {
        let mut tree = FaultTree::builder();
        tree.events(["pump", "valve", "seal"]).gate("top", crate::structure::GateKind::Or, ["pump", "valve", "seal"]);
        let tree = tree.finish("top").unwrap();
        let repaired = |failure_rate, repair_rate| Law::Repaired { at_start: 0.25, failure_rate, repair_rate };
        let laws = vec![repaired(1.0, 3.0), Law::Exponential { rate: 2.0 }, repaired(0.0, 0.0)];
        let (tree, names) = QuantifiedTree { tree, laws }.without_repair();
        assert_eq!(names, ["pump", "seal"]);
        // What neither fails nor is repaired stays as it is.
        let fixed = Law::Fixed(Probability::of(0.25));
        assert_eq!(tree.laws, [fixed, Law::Exponential { rate: 2.0 }, fixed]);
    }

    #[test]
    fn numbers_that_make_no_sense_are_named() {
        for (law, says) in [
            (Law::Exponential { rate: -1.0 }, "failure rate -1"),
            (Law::Exponential { rate: f64::NAN }, "failure rate NaN"),
            (Law::Repaired { at_start: 2.0, failure_rate: 1.0, repair_rate: 1.0 }, "probability 2"),
            (Law::Weibull { scale: 0.0, shape: 1.0, shift: 0.0 }, "scale 0"),
        ] {
            let error = law.check("pump").unwrap_err();
            assert!(error.what.contains("\"pump\"") && error.what.contains(says), "{error}");
        }
    }
}
