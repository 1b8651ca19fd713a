//! How much traffic so many agents or ports carry, and how much of the capacity is up how long.
//!
//! | question | begin with |
//! |---|---|
//! | calls refused when all ports are busy (loss) | [`erlang_b`], inverses [`traffic_for_loss`], [`servers_for_loss`] |
//! | callers who wait as long as it takes (delay) | [`ErlangC`], inverse [`agents_for_answer_share`] |
//! | callers who hang up (abandonment) | [`ErlangA`] |
//! | units that fail: the share of time with k of n up, and the traffic lost by it | [`Levels`] |
//!
//! Traffic is in Erlang: the arrival rate times the mean holding time. Times are in any unit, the same in all arguments.
//! Probabilities that a model wants small are computed as such and never as one less the other.
//!
//! In the expressions of models `erlang_b(servers, load)` and `erlang_c(servers, load)` are the first two, with derivatives by the load.

mod abandonment;
mod delay;
mod levels;
mod loss;
mod recursion;

pub use abandonment::ErlangA;
pub use delay::{ErlangC, agents_for_answer_share};
pub use levels::Levels;
pub use loss::{erlang_b, erlang_b_slope, fresh_traffic, servers_for_loss, traffic_for_loss};
pub(crate) use recursion::{MOST_COUNTED, counted, refused_share, roundings, waiting_share};

use crate::Error;

/// The most servers that a question may be about.
const MOST_SERVERS: u64 = 1_000_000_000;

/// Refuses what is not positive and finite, by the name of the quantity.
fn positive(what: &str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::new(format!("{what} of {value}"), "it is positive and finite"))
}

fn probability(what: &str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(Error::new(format!("{what} of {value}"), "it lies between 0 and 1, both excluded"))
}

fn some_servers(servers: u64) -> Result<(), Error> {
    if (1..=MOST_SERVERS).contains(&servers) {
        return Ok(());
    }
    Err(Error::new(format!("{servers} servers"), format!("give 1 to {MOST_SERVERS}")))
}

/// The least number of servers for which `enough` holds, which it does for all above: doubling, then halving.
fn least_servers(first: u64, enough: impl Fn(u64) -> Result<bool, Error>) -> Result<u64, Error> {
    let mut high = first.max(1);
    while !enough(high)? {
        if high > MOST_SERVERS / 2 {
            return Err(Error::new(
                format!("more than {high} servers are needed"),
                "ask for less, or give less traffic",
            ));
        }
        high *= 2;
    }
    let mut low = first.max(1) - 1;
    while high - low > 1 {
        let middle = low.midpoint(high);
        if middle > 0 && enough(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}
