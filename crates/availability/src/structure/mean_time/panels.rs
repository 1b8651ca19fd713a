//! Intervals of time, each short enough for the rule.

use super::gauss::{ACROSS, ALONG, POINTS, error};
use crate::structure::{Probability, StructureFunction};
use crate::{Error, Scalar};

/// Intervals that follow each other from time 0 on.
pub(super) struct Panels {
    intervals: Vec<(f64, f64)>,
    /// What the rule and the end may have cut off, together.
    pub(super) truncation: f64,
    integral: f64,
}

/// What one interval, and the end, may cut off of the whole.
const SHARE: f64 = 2e-18;
const MAX_INTERVALS: usize = 4096;

impl Panels {
    /// Intervals that cover all the time in which the top event may not yet have occurred.
    pub(super) fn cover(function: &StructureFunction, rates: &[f64]) -> Result<Self, Error> {
        let mut panels = Self { intervals: Vec::new(), truncation: 0.0, integral: 0.0 };
        let (mut start, mut end) = (0.0, rates.iter().sum::<f64>().recip());
        loop {
            panels.add(function, rates, start, end)?;
            let tail = tail(function, rates, end);
            if tail <= SHARE * panels.integral {
                panels.truncation += tail;
                return Ok(panels);
            }
            (start, end) = (end, 2.0 * end);
            if !end.is_finite() {
                let what = "the time to failure is longer than the largest number";
                return Err(Error::new(what, "give the rates per a longer unit of time"));
            }
        }
    }

    /// Adds an interval, halved as often as the bound asks for.
    fn add(&mut self, function: &StructureFunction, rates: &[f64], start: f64, end: f64) -> Result<(), Error> {
        let mut open = vec![(start, end)];
        while let Some((start, end)) = open.pop() {
            let error = error((end - start) / 2.0, largest(function, rates, start, end));
            let integral: f64 = terms(function, rates, (start, end), &|value| value).into_iter().sum();
            if error <= SHARE * (self.integral + integral) {
                self.intervals.push((start, end));
                self.truncation += error;
                self.integral += integral;
            } else {
                let middle = f64::midpoint(start, end);
                open.extend([(middle, end), (start, middle)]);
            }
            if self.intervals.len() + open.len() > MAX_INTERVALS {
                let what = format!("the mean time to failure needs more than {MAX_INTERVALS} intervals of integration");
                return Err(Error::new(what, "the tree has too many events for it; replace alike parts by copies"));
            }
        }
        Ok(())
    }

    /// The integral over all intervals; `read` turns a tabulated number into one that knows its error.
    pub(super) fn integral<S: Scalar>(&self, function: &StructureFunction, rates: &[S], read: impl Fn(f64) -> S) -> S {
        let mut sums = Vec::with_capacity(self.intervals.len() * 2 * POINTS.len());
        for &interval in &self.intervals {
            sums.extend(terms(function, rates, interval, &read));
        }
        // In pairs, so that the rounding errors grow as the logarithm of the number of terms.
        while sums.len() > 1 {
            sums = sums.chunks(2).map(|pair| pair.iter().fold(S::ZERO, |sum, &term| sum + term)).collect();
        }
        sums.first().copied().unwrap_or(S::ZERO)
    }
}

/// The terms of the rule for the survival function.
fn terms<S: Scalar>(
    function: &StructureFunction,
    rates: &[S],
    (start, end): (f64, f64),
    read: &impl Fn(f64) -> S,
) -> Vec<S> {
    let (start, end, two) = (S::from(start), S::from(end), S::from(2.0));
    let (middle, half) = ((start + end) / two, (end - start) / two);
    let term = |x: S, weight: f64| half * read(weight) * function.survival(rates, middle + half * x);
    POINTS.iter().flat_map(|&(x, weight)| [term(-read(x), weight), term(read(x), weight)]).collect()
}

/// A bound of the survival function in the ellipse around an interval, from bounds over the rectangle around the ellipse:
/// `|exp(-r z)| = exp(-r x)` and `|1 - exp(-r z)|^2 = (1 - exp(-r x))^2 + 4 exp(-r x) sin^2(r y / 2)`.
fn largest(function: &StructureFunction, rates: &[f64], start: f64, end: f64) -> f64 {
    let (middle, half) = (f64::midpoint(start, end), (end - start) / 2.0);
    let (left, right, across) = (middle - ALONG * half, middle + ALONG * half, ACROSS * half);
    let bound = |&rate: &f64| {
        let no = (-rate * left).exp();
        let real = (-rate * left).exp_m1().abs().max((-rate * right).exp_m1().abs());
        Probability { yes: real.hypot(no.sqrt() * (rate * across).min(2.0)), no }
    };
    // All terms of the diagram are products of these; a factor for the roundings.
    function.unchecked(&rates.iter().map(bound).collect::<Vec<_>>()).no * (1.0 + 1e-9)
}

/// A bound of the integral of the survival function from a time to infinity.
fn tail(function: &StructureFunction, rates: &[f64], time: f64) -> f64 {
    let failed: Vec<_> = rates.iter().map(|&rate| Probability::failed_by(rate, time)).collect();
    let top = function.unchecked(&failed);
    // R(T)^(t / T) = exp(-t h / T) with h = -ln R(T).
    let exponent = if top.yes < 0.5 { -(-top.yes).ln_1p() } else { -top.no.ln() };
    top.no * time / exponent * (1.0 + 1e-9)
}
