//! Agent states equal live legs: nobody stays busy with no call, and whoever can take calls is offered them.

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "agents";

/// What the Routing Server says of an agent.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Busy or ringing.
    pub engaged: bool,
    /// Ready.
    pub ready: bool,
    /// Not to be reached.
    pub unreachable: bool,
}

/// Looks at an agent when no telephone is in a call.
///
/// # Errors
/// If the state does not fit the telephone.
pub fn at_rest(agent: &str, seen: Seen, registered: bool, willing: bool) -> Verdict {
    if seen.engaged {
        return Err(format!("{agent} is busy or ringing although no telephone is in a call"));
    }
    if registered && seen.unreachable && willing {
        return Err(format!("{agent} counts as unreachable although the telephone is registered"));
    }
    if !registered && seen.ready {
        return Err(format!("{agent} counts as ready although the telephone is not registered"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_notices_states_that_do_not_fit() {
        let ready = Seen { engaged: false, ready: true, unreachable: false };
        at_rest("anna", ready, true, true).unwrap();
        at_rest("anna", ready, false, true).unwrap_err();
        at_rest("anna", Seen { engaged: true, ready: false, ..ready }, true, true).unwrap_err();
        at_rest("anna", Seen { ready: false, unreachable: true, ..ready }, true, true).unwrap_err();
    }
}
