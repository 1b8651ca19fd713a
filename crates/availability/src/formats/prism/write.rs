//! Chains as texts of the PRISM language.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Error;
use crate::chain::Chain;
use crate::formats::usual;

/// Writes a chain as a model of one module whose variable `s` is the number of the state. Arcs that earn something have an
/// action, the same for all that earn the same.
///
/// # Errors
/// If the chain begins in several states: the module has no words for that. If a label has the name of another one that is there
/// always: `init`, `deadlock`.
pub fn write(chain: &Chain<f64>) -> Result<String, Error> {
    let initial = chain.initial();
    let [(start, _)] = initial[..] else {
        return Err(Error::new("the chain begins in several states", "a module has one state to begin in"));
    };
    let labels = usual::labels(chain, start)?;
    let count = chain.states().len();
    let mut text = String::from("ctmc\n\n");
    // Writing to a text cannot fail.
    for (number, state) in chain.states().iter().enumerate() {
        let _ = writeln!(text, "// {number}: {state}");
    }
    let _ = writeln!(text, "module chain\n  s : [0..{}] init {start};", count.saturating_sub(1));
    let (actions, amounts) = earned_by_arcs(chain);
    commands(&mut text, chain, &actions);
    text.push_str("endmodule\n");
    for (name, states) in labels {
        let members: Vec<String> =
            states.iter().filter(|&state| state < count).map(|state| format!("s={state}")).collect();
        let condition = if members.is_empty() { "false".to_owned() } else { members.join(" | ") };
        let _ = writeln!(text, "label \"{name}\" = {condition};");
    }
    for (place, (name, rewards)) in chain.all_rewards().iter().enumerate() {
        let name = if name.is_empty() { String::new() } else { format!(" \"{name}\"") };
        let _ = writeln!(text, "rewards{name}");
        for state in (0..count).filter(|&state| rewards.state(state) != 0.0) {
            let _ = writeln!(text, "  s={state} : {:e};", rewards.state(state));
        }
        for (action, amounts) in amounts.iter().enumerate().filter(|(_, amounts)| amounts[place] != 0.0) {
            let _ = writeln!(text, "  [{}] true : {:e};", name_of(Some(action)), amounts[place]);
        }
        text.push_str("endrewards\n");
    }
    Ok(text)
}

/// For each arc the action that it needs, none if it earns nothing; and for each action what it earns of each reward.
fn earned_by_arcs(chain: &Chain<f64>) -> (Vec<Option<usize>>, Vec<Vec<f64>>) {
    let (mut known, mut all) = (BTreeMap::new(), Vec::new());
    let mut actions = Vec::new();
    for arc in 0..chain.arcs().len() {
        let amounts: Vec<f64> = chain.all_rewards().values().map(|rewards| rewards.arc(arc)).collect();
        if amounts.iter().all(|amount| *amount == 0.0) {
            actions.push(None);
            continue;
        }
        let bits: Vec<u64> = amounts.iter().map(|amount| amount.to_bits()).collect();
        let action = *known.entry(bits).or_insert(all.len());
        if action == all.len() {
            all.push(amounts);
        }
        actions.push(Some(action));
    }
    (actions, all)
}

fn name_of(action: Option<usize>) -> String {
    action.map_or_else(String::new, |action| format!("earns{}", action + 1))
}

/// A command for each state and each action that leaves it.
fn commands(text: &mut String, chain: &Chain<f64>, actions: &[Option<usize>]) {
    let mut moves = vec![BTreeMap::<Option<usize>, Vec<String>>::new(); chain.states().len()];
    for (arc, &action) in chain.arcs().iter().zip(actions) {
        // An arc back to its own state changes nothing, unless it earns something.
        if arc.rate > 0.0 && (arc.to != arc.from || action.is_some()) {
            moves[arc.from].entry(action).or_default().push(format!("{:e}:(s'={})", arc.rate, arc.to));
        }
    }
    for (state, moves) in moves.iter().enumerate() {
        for (&action, moves) in moves {
            let _ = writeln!(text, "  [{}] s={state} -> {};", name_of(action), moves.join(" + "));
        }
    }
}
