//! Exactly once: a request has the effect of one request, however often it, its server or its answer came.

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "exactly once";

/// What a session adds up to after one more request. The order counts, so that a lost, a repeated and a swapped
/// request all show.
#[must_use]
pub const fn add(total: u64, amount: u32) -> u64 {
    total.wrapping_mul(31).wrapping_add(amount as u64).wrapping_add(7)
}

/// A client hears the total of its session.
///
/// # Errors
/// If it is not what the client has counted.
pub fn hears(client: u8, number: u32, counted: u64, told: u64) -> Verdict {
    if counted == told {
        return Ok(());
    }
    Err(format!("client {client} has counted {counted} at request {number}, the server says {told}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_notices_loss_repetition_and_exchange() {
        let once = add(add(0, 3), 4);
        for wrong in [add(0, 4), add(add(add(0, 3), 3), 4), add(add(0, 4), 3)] {
            hears(0, 2, once, wrong).unwrap_err();
        }
        hears(0, 2, once, once).unwrap();
    }
}
