//! Samples on all processors, and what they say.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use availability::Error;
use availability::model::Plan;

use crate::output;

/// Samples that one thread takes at a time.
const PART: u64 = 250;
/// How often the progress is shown.
const GLANCE: Duration = Duration::from_millis(200);

/// How uncertain a measure is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread {
    /// The mean of the samples.
    pub(super) mean: f64,
    /// Their standard deviation.
    pub(super) sd: f64,
    /// The values below which 5 %, 50 % and 95 % of the samples lie.
    pub(super) points: [f64; 3],
    /// The standard deviation by the delta method, if the measure has derivatives.
    pub(super) delta: Option<f64>,
}

/// What the samples say of each measure. They depend on the seed and their number, and not on the processors.
///
/// # Errors
/// If no parameter has a distribution, or the model cannot be solved for a sample.
pub(super) fn spreads(plan: &Plan<'_>, seed: u64, count: u64) -> Result<Vec<Spread>, Error> {
    let samples = all(plan, seed, count)?;
    (0..plan.measures().len())
        .map(|measure| {
            let mut values: Vec<f64> = samples.iter().map(|sample| sample[measure]).collect();
            values.sort_by(f64::total_cmp);
            let mean = values.iter().sum::<f64>() / count as f64;
            let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            let point = |share: f64| values[((share * count as f64).ceil() as usize).clamp(1, values.len()) - 1];
            let (sd, points) = ((square / (count - 1) as f64).sqrt(), [0.05, 0.5, 0.95].map(point));
            let delta = plan.has_derivatives(measure).then(|| plan.delta(measure)).transpose()?;
            Ok(Spread { mean, sd, points, delta })
        })
        .collect()
}

/// The number of the first sample of a part, and the samples.
type Part = (u64, Result<Vec<Vec<f64>>, Error>);

/// All samples, in the order of their numbers.
///
/// # Errors
/// If no parameter has a distribution, or the model cannot be solved for a sample.
pub(super) fn all(plan: &Plan<'_>, seed: u64, count: u64) -> Result<Vec<Vec<f64>>, Error> {
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        let mut parts: Vec<Part> = Vec::new();
        loop {
            let begin = next.fetch_add(PART, Ordering::Relaxed);
            if begin >= count {
                return parts;
            }
            let range: Range<u64> = begin..(begin + PART).min(count);
            let part = plan.sample(seed, range.clone());
            let is_failed = part.is_err();
            parts.push((begin, part));
            done.fetch_add(range.end - range.start, Ordering::Relaxed);
            if is_failed {
                next.store(count, Ordering::Relaxed);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut parts = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        watch(&done, count, || workers.iter().all(thread::ScopedJoinHandle::is_finished));
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    parts.sort_by_key(|(begin, _)| *begin);
    let mut samples = Vec::new();
    for (_, part) in parts {
        samples.extend(part?);
    }
    Ok(samples)
}

/// Shows on a terminal how far the work is, until it ends.
fn watch(done: &AtomicU64, count: u64, has_ended: impl Fn() -> bool) {
    let shows = output::colours(&io::stderr());
    let mut is_shown = false;
    // The first moment is for work that needs no progress.
    let mut glances = 0_u32;
    while !has_ended() {
        thread::sleep(if glances == 0 {
            Duration::from_millis(5)
        } else {
            GLANCE.min(Duration::from_millis(5) * glances)
        });
        glances = glances.saturating_add(1);
        if shows && glances > 15 {
            let done = done.load(Ordering::Relaxed).min(count);
            let filled = (done * 30 / count) as usize;
            eprint!("\r[{}{}] {done} of {count} samples", "#".repeat(filled), "-".repeat(30 - filled));
            is_shown = true;
        }
    }
    if is_shown {
        eprint!("\r\x1b[K");
    }
}
