//! Lumping keeps every measure.

use availability::Chance;
use availability::chain::{Chain, Measure, Rewards, States};
use proptest::prelude::*;

use crate::generated::cluster;
use crate::reference::{near, read, value};
use crate::rules::rules;

#[test]
fn the_two_sides_of_the_workstation_cluster_are_alike() {
    let file = read("workstation-cluster");
    let space = cluster(&file, 4).expect("a space");
    let chain: Chain<f64> = space.chain(&rules(&file, &[("N", 4.0), ("k", 3.0)]).1).expect("a chain");
    let lumped = chain.lump().expect("a lumping");
    // Left and right exchanged is the same; states that are their own mirror image stay alone.
    assert!(lumped.chain.states().len() < chain.states().len() * 11 / 20, "{}", lumped.chain.states().len());
    let expected = &file["expected"]["N=4"];
    let below = lumped.chain.label("below_minimum").expect("a label").clone();
    let repairs = lumped.chain.rewards("repairs").expect("rewards").clone();
    for (key, measure) in [
        ("P(below minimum)", Measure::unavailability(below.clone())),
        ("flow minimum -> below minimum", Measure::failure_frequency(below.clone())),
        ("MTTF to below minimum", Measure::time_to(below)),
        ("repairs finished per hour", Measure::reward_rate(repairs)),
    ] {
        near(key, lumped.chain.evaluate(&measure).expect("a number"), value(&expected[key]), 5e-15);
    }
}

#[test]
fn what_is_alike_towards_one_measure_is_put_together_for_it() {
    let mut chain = Chain::new();
    (0..8).for_each(|state| _ = chain.add_state(format!("{state:b}")));
    for state in 0..8_usize {
        for unit in 0..3 {
            chain.add_arc(state, state ^ (1 << unit), if state >> unit & 1 == 0 { 0.01 } else { 0.5 }).expect("an arc");
        }
    }
    // Which unit it is matters for the label and the other reward, and not for the measures.
    chain.set_label("first", States::of(&[1]));
    let down = States::of(&[3, 5, 6, 7]);
    let counted =
        Rewards { states: (0..8).map(|state: u32| f64::from(state.count_ones())).collect(), arcs: Vec::new() };
    for measure in [Measure::time_to(down.clone()), Measure::unavailability(down), Measure::reward_rate(counted)] {
        let (few, alike) = chain.lumped_for(&measure).expect("a smaller chain");
        assert_eq!(few.states().len(), 4);
        let (whole, parts) = (chain.evaluate(&measure).expect("a number"), few.evaluate(&alike).expect("a number"));
        near("alike", parts, whole, 1e-14);
    }
    assert!(chain.lumped_for(&Measure::unavailability(States::of(&[1, 2]))).is_none(), "there are two kinds of units");
}

#[test]
fn a_long_row_is_folded_at_its_middle() {
    let half = 5_000;
    let mut row = Chain::new();
    (0..=2 * half).for_each(|state| _ = row.add_state(state.to_string()));
    for state in 0..2 * half {
        row.add_arc(state, state + 1, 1.0).expect("an arc");
        row.add_arc(state + 1, state, 1.0).expect("an arc");
    }
    let middle = Measure::unavailability(States::of(&[half]));
    let (few, alike) = row.lumped_for(&middle).expect("a smaller chain");
    assert_eq!(few.states().len(), half + 1);
    near("middle", few.evaluate(&alike).expect("a number"), 1.0 / (2 * half + 1) as f64, 1e-12);
}

fn below(chance: &mut Chance, count: usize) -> usize {
    (chance.bits() % count as u64) as usize
}

/// A chain whose states behave alike within groups, but for some arcs that are drawn on top. Rates are whole numbers, so that
/// their sums are the same in any order.
fn grouped(chance: &mut Chance) -> Chain<f64> {
    let groups = 3 + below(chance, 4);
    let states = groups + below(chance, 8);
    let group_of: Vec<usize> = (0..states).map(|_| below(chance, groups)).collect();
    let rates: Vec<usize> = (0..groups * groups).map(|_| below(chance, 3)).collect();
    let up: Vec<bool> = (0..groups).map(|_| below(chance, 2) == 0).collect();
    let mut chain = Chain::new();
    (0..states).for_each(|state| _ = chain.add_state(state.to_string()));
    for (from, &own) in group_of.iter().enumerate() {
        for group in 0..groups {
            let members: Vec<usize> = (0..states).filter(|&state| group_of[state] == group).collect();
            // Each unit of the rate leads to a member by chance.
            let units = if members.is_empty() { 0 } else { rates[own * groups + group] };
            for _ in 0..units {
                chain.add_arc(from, members[below(chance, members.len())], 1.0).expect("an arc");
            }
        }
    }
    for _ in 0..below(chance, 3) {
        let (from, to) = (below(chance, states), below(chance, states));
        chain.add_arc(from, to, below(chance, 3) as f64).expect("an arc");
    }
    chain.set_label("up", States::new(group_of.iter().map(|&group| up[group]).collect()));
    chain
}

/// The coarsest lumping by its definition: the rates of each two states of a block into every other block are compared, until
/// nothing is split. Blocks are numbered in the order of their first states.
fn plainly_lumped(chain: &Chain<f64>) -> Vec<usize> {
    let count = chain.states().len();
    let mut rates = vec![vec![0.0; count]; count];
    chain.arcs().iter().for_each(|arc| rates[arc.from][arc.to] += arc.rate);
    let up = chain.label("up").expect("a label");
    let mut block_of: Vec<usize> = (0..count).map(|state| usize::from(up.contains(state))).collect();
    loop {
        let into = |state: usize, block: usize| -> f64 {
            (0..count).filter(|&to| block_of[to] == block).map(|to| rates[state][to]).sum()
        };
        let alike = |one: usize, two: usize| {
            let own = block_of[one];
            own == block_of[two] && (0..count).all(|block| block == own || into(one, block) == into(two, block))
        };
        let mut split: Vec<usize> = Vec::new();
        let mut blocks = 0;
        for state in 0..count {
            let known = (0..state).find(|&earlier| alike(earlier, state)).map(|earlier| split[earlier]);
            split.push(known.unwrap_or(blocks));
            blocks += usize::from(known.is_none());
        }
        if split == block_of {
            return split;
        }
        block_of = split;
    }
}

#[test]
fn the_lumping_is_the_coarsest_one() {
    let mut chance = Chance::new(17);
    let mut in_part = 0;
    for case in 0..300 {
        let chain = grouped(&mut chance);
        let expected = plainly_lumped(&chain);
        assert_eq!(chain.lump().expect("a lumping").block_of, expected, "case {case}: {chain:?}");
        let blocks = expected.iter().max().map_or(0, |last| last + 1);
        in_part += usize::from((3..chain.states().len()).contains(&blocks));
    }
    // Neither left as the label has them nor taken apart into single states.
    assert!(in_part > 100, "{in_part} of 300");
}

proptest! {
    /// `n` units alike, each with its own bit: 2^n states become n + 1.
    #[test]
    fn units_that_are_alike_are_counted(n in 1_usize..7, lambda in 1e-6_f64..1.0, mu in 1e-3_f64..1e3, k in 1_usize..7) {
        let k = k.min(n);
        let mut chain = Chain::new();
        (0..1_usize << n).for_each(|state| _ = chain.add_state(format!("{state:b}")));
        for state in 0..1_usize << n {
            for unit in 0..n {
                chain.add_arc(state, state ^ (1 << unit), if state >> unit & 1 == 0 { lambda } else { mu }).expect("an arc");
            }
        }
        let down = States::new((0..1_usize << n).map(|state: usize| state.count_ones() as usize >= k).collect());
        chain.set_label("down", down.clone());
        let lumped = chain.lump().expect("a lumping");
        prop_assert_eq!(lumped.chain.states().len(), n + 1);
        let merged = lumped.chain.label("down").expect("a label").clone();
        for (whole, parts) in [
            (Measure::unavailability(down.clone()), Measure::unavailability(merged.clone())),
            (Measure::time_to(down.clone()), Measure::time_to(merged.clone())),
        ] {
            let (whole, parts) = (chain.certain(&whole).expect("a number"), lumped.chain.certain(&parts).expect("a number"));
            near("lumped", parts.value, whole.value, whole.relative_error + parts.relative_error);
        }
    }
}
