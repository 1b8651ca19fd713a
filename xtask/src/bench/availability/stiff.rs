//! Chains whose rates lie twelve decades apart, as texts that every side reads.

use std::fmt::Write as _;

/// A chain by arcs, each rate a decimal text, so that all sides take the same numbers. It begins in state 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stiff {
    pub(super) name: String,
    states: usize,
    arcs: Vec<(usize, usize, String)>,
    down: Vec<usize>,
}

/// Units of which all have failed when the chain of modes is down.
const UNITS: usize = 3;

impl Stiff {
    /// `units` alike, failing at 1e-9 and repaired one by one at 1e3; down when all have failed: the reference case
    /// stiff-birth-death.
    pub(super) fn units(units: usize) -> Self {
        let arcs = (0..units).flat_map(|failed| {
            [(failed, failed + 1, format!("{}e-9", units - failed)), (failed + 1, failed, "1e3".to_owned())]
        });
        Self { name: format!("units-{units}"), states: units + 1, arcs: arcs.collect(), down: vec![units] }
    }

    /// Three units in a place that goes around so many modes, each left at a power of ten from 1e3 down to 1e-9; in each
    /// mode the units fail at 1e-9 to 9e-9 and are repaired at 1e2 to 1e3.
    pub(super) fn modes(modes: usize) -> Self {
        let state = |mode: usize, failed: usize| mode % modes * (UNITS + 1) + failed;
        let mut arcs = Vec::new();
        for mode in 0..modes {
            for failed in 0..=UNITS {
                let from = state(mode, failed);
                if failed < UNITS {
                    arcs.push((from, from + 1, format!("{}e-9", (UNITS - failed) * (1 + mode % 9))));
                    arcs.push((from + 1, from, format!("{}e2", 1 + mode % 10)));
                }
                arcs.push((from, state(mode + 1, failed), format!("1e{}", 3 - (mode % 13) as i32)));
            }
        }
        let down = (0..modes).map(|mode| state(mode, UNITS)).collect();
        Self { name: format!("modes-{}", modes * (UNITS + 1)), states: modes * (UNITS + 1), arcs, down }
    }

    /// How many states it has.
    pub(super) fn states(&self) -> usize {
        self.states
    }

    /// The arcs as an explicit file, `.tra`.
    pub(super) fn transitions(&self) -> String {
        let mut text = format!("{} {}\n", self.states, self.arcs.len());
        for (from, to, rate) in &self.arcs {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{from} {to} {rate}");
        }
        text
    }

    /// The down states as an explicit file, `.lab`.
    pub(super) fn labels(&self) -> String {
        let mut text = "0=\"init\" 1=\"down\"\n0: 0\n".to_owned();
        for state in &self.down {
            let _ = writeln!(text, "{state}: 1");
        }
        text
    }

    /// The chain in the PRISM language: one command for each state.
    pub(super) fn prism(&self) -> String {
        let mut leaving = vec![Vec::new(); self.states];
        for (from, to, rate) in &self.arcs {
            leaving[*from].push(format!("{rate}:(s'={to})"));
        }
        let mut text = format!("ctmc\nmodule chain\n  s : [0..{}] init 0;\n", self.states - 1);
        for (state, arcs) in leaving.iter().enumerate() {
            let _ = writeln!(text, "  [] s={state} -> {};", arcs.join(" + "));
        }
        let down: Vec<String> = self.down.iter().map(|state| format!("s={state}")).collect();
        let _ = writeln!(text, "endmodule\nlabel \"down\" = {};", down.join(" | "));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_hold_the_same_chain() {
        let chain = Stiff::units(2);
        assert_eq!(chain.transitions(), "3 4\n0 1 2e-9\n1 0 1e3\n1 2 1e-9\n2 1 1e3\n");
        assert_eq!(chain.labels(), "0=\"init\" 1=\"down\"\n0: 0\n2: 1\n");
        let prism = chain.prism();
        assert!(prism.contains("  [] s=1 -> 1e3:(s'=0) + 1e-9:(s'=2);\n"), "{prism}");
        assert!(prism.ends_with("label \"down\" = s=2;\n"), "{prism}");
    }

    #[test]
    fn the_modes_go_round_and_span_twelve_decades() {
        let chain = Stiff::modes(750);
        assert_eq!((chain.states(), chain.down.len(), chain.name.as_str()), (3_000, 750, "modes-3000"));
        assert!(chain.arcs.contains(&(2_999, 3, "1e-5".to_owned())));
        for rate in ["1e3", "1e-9"] {
            assert!(chain.arcs.iter().any(|(_, _, own)| own == rate), "{rate}");
        }
    }
}
