//! Loss: calls that find all servers busy are refused (Erlang 1917, M/M/n/n; true for any law of the holding time).

use super::{least_servers, positive, probability, some_servers};
use crate::Error;
use crate::estimate::special::{gamma_tails, increasing_root, poisson_weight};

/// B(n, a): the share of calls that n servers refuse if traffic of a Erlang is offered.
///
/// It is the probability that a Poisson count of mean a is n, given that it is at most n. Below n Erlang both come from the
/// saddle-point form, above from the sum that the recursion 1/B(k) = 1 + k/(a B(k-1)) unrolls to: the steps grow with the
/// square root of n, nothing overflows, and the relative error stays below 1e-13 down to B = 1e-100.
///
/// # Errors
/// Unless there are 1 to 1e9 servers and the traffic is positive and finite.
pub fn erlang_b(servers: u64, traffic: f64) -> Result<f64, Error> {
    some_servers(servers)?;
    positive("a traffic", traffic)?;
    Ok(blocking(servers as f64, traffic))
}

/// B for arguments that were checked.
pub(super) fn blocking(n: f64, a: f64) -> f64 {
    if a < n {
        return poisson_weight(n, a) / gamma_tails(n + 1.0, a).upper;
    }
    // 1/B = 1 + n/a + n(n-1)/a^2 + ..., whose terms fall here.
    let (mut term, mut sum, mut left) = (1.0, 1.0, n);
    while left > 0.0 && term > sum * f64::EPSILON * 0.01 {
        term *= left / a;
        sum += term;
        left -= 1.0;
    }
    sum.recip()
}

/// dB/da = B (n/a - 1 + B): what one Erlang more does to the share refused.
///
/// # Errors
/// As [`erlang_b`].
pub fn erlang_b_slope(servers: u64, traffic: f64) -> Result<f64, Error> {
    let b = erlang_b(servers, traffic)?;
    Ok(b * ((servers as f64 - traffic) / traffic + b))
}

/// The traffic in Erlang of which n servers refuse just this share: the inverse of [`erlang_b`] by a.
///
/// # Errors
/// Unless there are 1 to 1e9 servers and the share lies between 0 and 1.
pub fn traffic_for_loss(servers: u64, loss: f64) -> Result<f64, Error> {
    some_servers(servers)?;
    probability("a share of calls refused", loss)?;
    let n = servers as f64;
    // The logarithm of B rises with that of a; its slope there is n - a + a B.
    let off = |a: f64| {
        let b = blocking(n, a);
        (b.ln() - loss.ln(), (n - a) + a * b)
    };
    let a = increasing_root(n.ln(), |u| off(u.exp())).exp();
    let (value, slope) = off(a);
    Ok(a - a * value / slope)
}

/// The least number of servers that refuse at most this share of a traffic.
///
/// # Errors
/// Unless the share lies between 0 and 1 and the traffic is positive and finite; if more than 1e9 servers were needed.
pub fn servers_for_loss(traffic: f64, loss: f64) -> Result<u64, Error> {
    positive("a traffic", traffic)?;
    probability("a share of calls refused", loss)?;
    least_servers(1, |n| Ok(blocking(n as f64, traffic) <= loss))
}

/// The fresh traffic for which n servers refuse this share of all attempts, if a share `retrying` of the refused call again
/// at once (extended Erlang B): `a (1 - retrying * loss)` with a the whole traffic.
///
/// # Errors
/// As [`traffic_for_loss`], and unless the share of those who retry lies within 0 and 1.
pub fn fresh_traffic(servers: u64, loss: f64, retrying: f64) -> Result<f64, Error> {
    if !(0.0..=1.0).contains(&retrying) {
        return Err(Error::new(format!("a share of {retrying} who retry"), "it lies within 0 and 1"));
    }
    Ok(traffic_for_loss(servers, loss)? * (1.0 - retrying * loss))
}
