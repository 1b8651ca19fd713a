//! How uncertain a downtime is, from samples.

use super::BUDGETS;
use crate::Error;

/// How many bars the drawing of a distribution has.
const BINS: usize = 30;
/// The share of the samples left out at each end of the drawing.
const TAIL: f64 = 0.002;

/// Samples of the downtimes of all services, as [`crate::model::Plan::sample`] gives them.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Their seed.
    pub seed: u64,
    /// One list for each sample, with a downtime for each service.
    pub values: Vec<Vec<f64>>,
}

/// What samples say about a downtime, in minutes a year.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
    /// The standard deviation by the delta method.
    pub delta: f64,
    /// The points below which 5 %, 50 % and 95 % of them lie.
    pub points: [f64; 3],
    /// The share of them that keeps each of [`BUDGETS`].
    pub keeps: [f64; BUDGETS.len()],
    /// How many there are in ranges that are equally wide in the logarithm; a few samples at both ends are left out.
    pub bins: Vec<Bin>,
}

/// A bar of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Where it begins, in minutes a year.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
    /// How many samples lie in it.
    pub count: usize,
}

impl Spread {
    /// What the samples say about one service.
    pub(super) fn new(samples: &Samples, service: usize, delta: f64) -> Result<Self, Error> {
        let mut values: Vec<f64> = samples.values.iter().filter_map(|sample| sample.get(service).copied()).collect();
        values.sort_by(f64::total_cmp);
        let count = values.len();
        if count < 2 || count < samples.values.len() {
            let what = format!("there are {count} samples of a service");
            return Err(Error::new(what, "give two samples or more, each with the downtime of every service"));
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let keeps = BUDGETS.map(|(_, minutes)| values.partition_point(|value| *value <= minutes) as f64 / count as f64);
        let points = [0.05, 0.5, 0.95].map(|share| point(&values, share));
        Ok(Self { mean, sd: (squares / (count - 1) as f64).sqrt(), delta, points, keeps, bins: bins(&values) })
    }
}

/// The smallest of the ascending values that has this share of them at or below it.
fn point(values: &[f64], share: f64) -> f64 {
    values[((share * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1]
}

fn bins(values: &[f64]) -> Vec<Bin> {
    let (low, high) = (point(values, TAIL), point(values, 1.0 - TAIL));
    if low <= 0.0 || high <= low {
        return vec![Bin { low, high, count: values.len() }];
    }
    let edge = |index: usize| match index {
        0 => low,
        BINS => high,
        _ => low * (high / low).powf(index as f64 / BINS as f64),
    };
    let below = |edge: f64| values.partition_point(|value| *value < edge);
    let bin = |index: usize| {
        let (low, high) = (edge(index), edge(index + 1));
        let end = if index + 1 == BINS { values.partition_point(|value| *value <= high) } else { below(high) };
        Bin { low, high, count: end - below(low) }
    };
    (0..BINS).map(bin).collect()
}
