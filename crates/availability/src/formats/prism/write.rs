//! Chains as texts of the PRISM language.

use std::fmt::Write as _;

use crate::Error;
use crate::chain::Chain;

/// Writes a chain as a model of one module whose variable `s` is the number of the state.
///
/// # Errors
/// If the chain begins in several states, or arcs have rewards: the module has no words for either.
pub fn write(chain: &Chain<f64>) -> Result<String, Error> {
    let initial = chain.initial();
    let [(start, _)] = initial[..] else {
        return Err(Error::new("the chain begins in several states", "a module has one state to begin in"));
    };
    let count = chain.states().len();
    let mut text = String::from("ctmc\n\n");
    // Writing to a text cannot fail.
    for (number, state) in chain.states().iter().enumerate() {
        let _ = writeln!(text, "// {number}: {state}");
    }
    let _ = writeln!(text, "module chain\n  s : [0..{}] init {start};", count.saturating_sub(1));
    for state in 0..count {
        let arcs = chain.arcs().iter().filter(|arc| arc.from == state && arc.to != state && arc.rate > 0.0);
        let moves: Vec<String> = arcs.map(|arc| format!("{:e}:(s'={})", arc.rate, arc.to)).collect();
        if !moves.is_empty() {
            let _ = writeln!(text, "  [] s={state} -> {};", moves.join(" + "));
        }
    }
    text.push_str("endmodule\n");
    for (name, states) in chain.labels() {
        let members: Vec<String> =
            states.iter().filter(|&state| state < count).map(|state| format!("s={state}")).collect();
        let condition = if members.is_empty() { "false".to_owned() } else { members.join(" | ") };
        let _ = writeln!(text, "label \"{name}\" = {condition};");
    }
    for (name, rewards) in chain.all_rewards() {
        if rewards.arcs.iter().any(|earned| *earned != 0.0) {
            let what = format!("the reward '{name}' is earned by arcs");
            return Err(Error::new(what, "write rewards of states only"));
        }
        let _ = writeln!(text, "rewards \"{name}\"");
        for state in (0..count).filter(|&state| rewards.state(state) != 0.0) {
            let _ = writeln!(text, "  s={state} : {:e};", rewards.state(state));
        }
        text.push_str("endrewards\n");
    }
    Ok(text)
}
