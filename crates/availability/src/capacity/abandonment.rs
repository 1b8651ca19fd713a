//! Abandonment: callers wait until they are answered or their patience ends (Palm 1946, M/M/n+M, "Erlang A").

use super::loss::blocking;
use super::{positive, some_servers};
use crate::Error;
use crate::estimate::special::{Tails, beta_tails};

/// The most queue lengths that are summed up; a longer queue than that no centre has.
const MOST_QUEUE: f64 = 2e7;

/// A queue of callers with exponential patience in front of n agents. It is stable under any load.
#[derive(Clone, Debug)]
pub struct ErlangA {
    agents: f64,
    arrivals: f64,
    service: f64,
    patience: f64,
    /// P(fewer than n callers are there).
    free: f64,
    /// P(n + j callers are there), from the first queue length j that is not negligible.
    first: usize,
    queue: Vec<f64>,
}

impl ErlangA {
    /// So many agents; rates per unit of time: callers who arrive, callers that one agent serves, and 1/mean patience at
    /// which a waiting caller hangs up.
    ///
    /// Probabilities are built from the most probable queue outwards, up to where they are below 1e-320 downwards and below a
    /// geometric rest of 1e-18 upwards.
    ///
    /// # Errors
    /// Unless all rates are positive and finite; if the queue would be longer than twenty million.
    pub fn new(agents: u64, arrivals: f64, service: f64, patience: f64) -> Result<Self, Error> {
        some_servers(agents)?;
        for (what, rate) in [("an arrival rate", arrivals), ("a service rate", service), ("a patience rate", patience)]
        {
            positive(what, rate)?;
        }
        let n = agents as f64;
        let mode = ((arrivals - n * service) / patience).floor().max(0.0);
        let spread = (arrivals / patience).sqrt() + arrivals / (n * service + mode * patience);
        if mode + 40.0 * spread > MOST_QUEUE {
            return Err(Error::new(
                format!("a queue of some {mode:.0} callers"),
                "their patience is too long for so many more calls than agents; check the rates",
            ));
        }
        let mut model = Self { agents: n, arrivals, service, patience, free: 0.0, first: 0, queue: Vec::new() };
        model.solve(mode as usize);
        Ok(model)
    }

    /// P(n + j) / P(n + j - 1).
    fn ratio(&self, j: usize) -> f64 {
        self.arrivals / (self.agents * self.service + j as f64 * self.patience)
    }

    fn solve(&mut self, mode: usize) {
        let mut down = Vec::new();
        let mut weight = 1.0;
        for j in (1..=mode).rev() {
            weight /= self.ratio(j);
            if weight < 1e-320 {
                break;
            }
            down.push(weight);
        }
        self.first = mode - down.len();
        down.reverse();
        self.queue = down;
        self.queue.push(1.0);
        weight = 1.0;
        for j in mode + 1.. {
            let ratio = self.ratio(j);
            weight *= ratio;
            self.queue.push(weight);
            // What follows falls faster than a geometric series; queue lengths weigh it with j at most.
            if ratio < 1.0 && weight * (j - mode + 1) as f64 / ((1.0 - ratio) * (1.0 - ratio)) < 1e-18 {
                break;
            }
        }
        // Fewer than n, relative to n: 1/B - 1 is a sum of positive terms of its own.
        let at_n = if self.first == 0 { self.queue[0] } else { 0.0 };
        let b = blocking(self.agents, self.arrivals / self.service);
        let free = at_n * (1.0 - b) / b;
        // The smallest first.
        let total = self.queue.iter().rev().sum::<f64>() + free;
        self.free = free / total;
        for weight in &mut self.queue {
            *weight /= total;
        }
    }

    /// Queue lengths with their probabilities.
    fn queue(&self) -> impl DoubleEndedIterator<Item = (f64, f64)> {
        self.queue.iter().enumerate().map(|(k, p)| ((self.first + k) as f64, *p))
    }

    /// The share of callers who do not find a free agent.
    #[must_use]
    pub fn waiting_share(&self) -> f64 {
        self.queue().rev().map(|(_, p)| p).sum()
    }

    /// The mean number of callers in the queue.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.queue().rev().map(|(j, p)| j * p).sum()
    }

    /// The share of callers who hang up before they are answered: patience rate times mean queue over arrivals.
    #[must_use]
    pub fn abandoning_share(&self) -> f64 {
        self.patience * self.mean_queue() / self.arrivals
    }

    /// The mean wait of all callers, whether answered or not, by Little's law.
    #[must_use]
    pub fn mean_wait(&self) -> f64 {
        self.mean_queue() / self.arrivals
    }

    /// The share of their time that agents are busy.
    #[must_use]
    pub fn occupancy(&self) -> f64 {
        (self.arrivals - self.patience * self.mean_queue()) / (self.agents * self.service)
    }

    /// The share of callers who are answered within this time.
    ///
    /// A caller who finds n + j is served at a time V with exp(-patience V) of beta law (n service/patience, j + 1), unless
    /// his patience ends first.
    #[must_use]
    pub fn served_within(&self, time: f64) -> f64 {
        let alpha = self.agents * self.service / self.patience;
        let served = self
            .queue()
            .rev()
            .map(|(j, p)| p * alpha / (alpha + j + 1.0) * self.beta(alpha + 1.0, j + 1.0, time).upper);
        served.sum::<f64>() + self.free
    }

    /// The share of callers who are still waiting after this time.
    #[must_use]
    pub fn still_waiting(&self, time: f64) -> f64 {
        let alpha = self.agents * self.service / self.patience;
        let waiting: f64 = self.queue().rev().map(|(j, p)| p * self.beta(alpha, j + 1.0, time).lower).sum();
        waiting * (-self.patience * time).exp()
    }

    fn beta(&self, a: f64, b: f64, time: f64) -> Tails {
        beta_tails(a, b, (-self.patience * time).exp(), -(-self.patience * time).exp_m1())
    }
}
