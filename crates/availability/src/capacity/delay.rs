//! Delay: callers wait as long as it takes (Erlang 1917, M/M/n).

use super::loss::blocking;
use super::{least_servers, positive, probability, some_servers};
use crate::Error;

/// A queue of callers who wait as long as it takes, in front of n agents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangC {
    agents: f64,
    traffic: f64,
    holding: f64,
    waits: f64,
}

impl ErlangC {
    /// So many agents, offered this traffic in Erlang, with this mean holding time (talk and wrap-up).
    ///
    /// # Errors
    /// Unless traffic and holding time are positive and finite, and the traffic is less than the agents: else the queue grows
    /// without end.
    pub fn new(agents: u64, traffic: f64, holding: f64) -> Result<Self, Error> {
        some_servers(agents)?;
        positive("a traffic", traffic)?;
        positive("a holding time", holding)?;
        let n = agents as f64;
        if traffic >= n {
            return Err(Error::new(
                format!("a traffic of {traffic} Erlang for {agents} agents"),
                "more agents than Erlang are needed, else the queue grows without end; or model callers who hang up",
            ));
        }
        let b = blocking(n, traffic);
        Ok(Self { agents: n, traffic, holding, waits: n * b / ((n - traffic) + traffic * b) })
    }

    /// P(wait): the share of callers who wait. C = n B / (n - a (1 - B)).
    #[must_use]
    pub const fn waiting_share(&self) -> f64 {
        self.waits
    }

    /// The mean wait of all callers, in the unit of the holding time: C holding / (n - a).
    #[must_use]
    pub fn mean_wait(&self) -> f64 {
        self.waits * self.holding / (self.agents - self.traffic)
    }

    /// The mean number of callers in the queue: C a / (n - a).
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.waits * self.traffic / (self.agents - self.traffic)
    }

    /// The share of their time that agents are busy.
    #[must_use]
    pub fn occupancy(&self) -> f64 {
        self.traffic / self.agents
    }

    /// The share of callers who wait longer than this: C exp(-(n - a) time / holding).
    #[must_use]
    pub fn waiting_beyond(&self, time: f64) -> f64 {
        self.waits * (-self.drained(time)).exp()
    }

    /// The share of callers who are answered within this time: the service level.
    #[must_use]
    pub fn answered_within(&self, time: f64) -> f64 {
        // Those who do not wait, 1 - C as a quotient of its own, and those whose wait is over by then.
        let (n, a, b) = (self.agents, self.traffic, blocking(self.agents, self.traffic));
        let at_once = (n - a) * (1.0 - b) / ((n - a) + a * b);
        at_once - self.waits * (-self.drained(time)).exp_m1()
    }

    fn drained(&self, time: f64) -> f64 {
        (self.agents - self.traffic) * time / self.holding
    }
}

/// The least number of agents for which this share of callers is answered within `time`.
///
/// # Errors
/// Unless traffic and holding time are positive and finite, the time is not negative, and the share lies between 0 and 1.
pub fn agents_for_answer_share(traffic: f64, holding: f64, time: f64, share: f64) -> Result<u64, Error> {
    positive("a traffic", traffic)?;
    probability("a share of callers answered", share)?;
    if !(time >= 0.0 && time.is_finite()) {
        return Err(Error::new(format!("an answer time of {time}"), "it is finite and not negative"));
    }
    let first = traffic.floor() + 1.0;
    if first > 1e9 {
        return Err(Error::new(format!("a traffic of {traffic} Erlang"), "it is at most 1e9"));
    }
    least_servers(first as u64, |n| Ok(ErlangC::new(n, traffic, holding)?.waiting_beyond(time) <= 1.0 - share))
}
