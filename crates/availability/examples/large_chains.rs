//! The workstation cluster at several sizes: states, time, memory, digits.
//!
//! `cargo run --release -p availability --example large_chains -- 128 256 512`

use std::time::Instant;

use availability::chain::Steady;
use availability::chain::generator::{Limits, Space};

#[path = "../tests/chains/reference.rs"]
#[allow(dead_code)] // the tests need more of it
mod reference;
#[path = "../tests/chains/rules.rs"]
mod rules;

fn main() -> Result<(), availability::Error> {
    println!(
        "{:>5} {:>9} {:>9} {:>8} {:>8} {:>8}  U (not premium), proven bound",
        "N", "states", "arcs", "build s", "all s", "MiB"
    );
    for size in std::env::args().skip(1) {
        let Ok(stations) = size.parse::<u32>() else {
            eprintln!("'{size}' is no number of stations");
            continue;
        };
        let file = reference::read("workstation-cluster");
        let counts = [("N", f64::from(stations)), ("k", f64::from(3 * stations / 4))];
        let (rules, parameters) = rules::rules(&file, &counts);
        let start = Instant::now();
        let space = Space::explore_alike(&rules, &parameters, Limits::default())?;
        let built = start.elapsed().as_secs_f64();
        let premium = space.label("premium")?;
        let down: Vec<f64> = (0..space.states()).map(|state| f64::from(u8::from(!premium.contains(state)))).collect();
        let unavailability = Steady::of_space(&space)?.certain(&down)?;
        println!(
            "{stations:>5} {:>9} {:>9} {built:>8.2} {:>8.2} {:>8}  {:.16e} {:.1e}",
            space.states_of_model(),
            space.arcs().count(),
            start.elapsed().as_secs_f64(),
            peak(),
            unavailability.value,
            unavailability.relative_error
        );
    }
    Ok(())
}

/// The most memory so far, in MiB, where the system tells.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0) / 1024
}
