//! Poisson probabilities around their mode, with what is left out.

/// The probabilities of the numbers `first ..` for a mean, computed from the mode outwards and normalised (as Fox and Glynn
/// 1988, but in numbers that neither overflow nor underflow, because they are relative to that of the mode).
pub(super) struct Poisson {
    pub(super) first: usize,
    pub(super) weights: Vec<f64>,
    /// `beyond[k]`: the probability of more than `first + k`.
    pub(super) beyond: Vec<f64>,
    /// Proven bound of the probability that is left out, on both sides.
    pub(super) left_out: f64,
    /// Proven bound of the relative rounding error of each weight, in units of 2^-53.
    pub(super) rounding: f64,
}

/// Weights below this, relative to the mode's, are left out.
const NEGLIGIBLE: f64 = 1e-60;

impl Poisson {
    /// For this mean, 0 or more and finite.
    pub(super) fn new(mean: f64) -> Self {
        let mode = mean.floor();
        let mut below = Vec::new();
        let (mut weight, mut number) = (1.0, mode);
        while number > 0.0 && weight > NEGLIGIBLE {
            weight *= number / mean;
            number -= 1.0;
            below.push(weight);
        }
        // Below the last one they fall at least by this factor each.
        let fall = if number > 0.0 { number / mean } else { 0.0 };
        let mut left_out = if number > 0.0 { weight * fall / (1.0 - fall) } else { 0.0 };
        let first = number as usize;
        let mut weights: Vec<f64> = below.into_iter().rev().collect();
        weights.push(1.0);
        (weight, number) = (1.0, mode);
        while weight > NEGLIGIBLE {
            number += 1.0;
            weight *= mean / number;
            weights.push(weight);
        }
        let fall = mean / (number + 1.0);
        left_out += weight * fall / (1.0 - fall);
        let sum: f64 = weights.iter().rev().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let mut beyond = vec![0.0; weights.len()];
        for place in (1..weights.len()).rev() {
            beyond[place - 1] = beyond[place] + weights[place];
        }
        let rounding = 4.0 * weights.len() as f64 + 4.0;
        Self { first, weights, beyond, left_out: 2.0 * left_out / sum, rounding }
    }

    /// The last number that has a weight.
    pub(super) fn last(&self) -> usize {
        self.first + self.weights.len() - 1
    }

    /// The probability of exactly `number`; 0 where it is left out.
    pub(super) fn exactly(&self, number: usize) -> f64 {
        number.checked_sub(self.first).and_then(|place| self.weights.get(place)).copied().unwrap_or(0.0)
    }

    /// The probability of more than `number`, as a sum.
    pub(super) fn more_than(&self, number: usize) -> f64 {
        number.checked_sub(self.first).map_or(1.0, |place| self.beyond.get(place).copied().unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_their_sums_are_those_of_the_distribution() {
        // e^-2 2^k / k!, and P(N > 3) = 1 - 19/3 e^-2.
        let small = Poisson::new(2.0);
        assert_eq!(small.first, 0);
        for (number, factor) in [(0, 1.0), (1, 2.0), (2, 2.0), (3, 4.0 / 3.0), (7, 128.0 / 5040.0)] {
            let expected = (-2.0_f64).exp() * factor;
            assert!((small.exactly(number) / expected - 1.0).abs() < 1e-14, "{number}");
        }
        assert!((small.more_than(3) / 0.142_876_539_501_452_93 - 1.0).abs() < 1e-14);
        let large = Poisson::new(1e6);
        assert!(large.first > 900_000 && large.last() < 1_100_000 && large.left_out < 1e-55);
        // The mean is what the sum of the tails is.
        let mean = large.first as f64 + large.beyond.iter().sum::<f64>();
        assert!((mean / 1e6 - 1.0).abs() < 1e-9, "{mean}");
        assert_eq!((Poisson::new(0.0).exactly(0), Poisson::new(0.0).more_than(0)), (1.0, 0.0));
    }
}
