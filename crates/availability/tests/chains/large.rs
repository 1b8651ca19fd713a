//! Steady states by iteration: their proofs hold.

use availability::chain::{Sparse, States, Steady};

use crate::generated::cluster;
use crate::reference::{near, read, value};

#[test]
fn the_workstation_cluster_is_enclosed() {
    let file = read("workstation-cluster");
    for n in [2, 4, 16] {
        let expected = &file["expected"][format!("N={n}")];
        let space = cluster(&file, n).expect("a space");
        let premium = space.label("premium").expect("a label");
        let earned: Vec<f64> = (0..space.states()).map(|state| f64::from(u8::from(!premium.contains(state)))).collect();
        let steady = Steady::of(space.arcs()).expect("a steady state");
        let got = steady.certain(&earned).expect("a number");
        assert!(got.relative_error < 1e-12, "N={n}: {got:?}");
        near(&format!("U, N={n}"), got.value, value(&expected["U = P(not premium)"]), got.relative_error + 5e-15);
        let repairs = steady.certain(&space.reward_rates("repairs").expect("rewards")).expect("a number");
        let key = "repairs finished per hour";
        near(key, repairs.value, value(&expected[key]), repairs.relative_error + 5e-15);
        let below = space.label("below_minimum").expect("a label");
        let life = space.arcs().mean_time_to(&below).expect("a number");
        near("MTTF", life.value, value(&expected["MTTF to below minimum"]), life.relative_error + 5e-15);
        assert!(life.relative_error < 1e-9, "N={n}: {life:?}");
    }
}

#[test]
fn a_chain_without_a_way_back_is_refused() {
    let mut arcs = Sparse::new();
    for row in [vec![(1, 1.0)], vec![(0, 2.0), (2, 1.0)], vec![(3, 1.0)], vec![(2, 1.0)]] {
        row.into_iter().for_each(|(end, rate)| arcs.add(end, rate));
        arcs.end_row();
    }
    let what = Steady::of(&arcs).err().expect("no steady state").what;
    assert!(what.starts_with("the chain is reducible: from state number"), "{what}");
    assert_eq!(
        arcs.mean_time_to(&States::of(&[0])).expect_err("no passage").what,
        "the chain begins at the end of the passage"
    );
    // t0 = 1 + t1, t1 = 1/3 + 2/3 t0.
    near("passage", arcs.mean_time_to(&States::of(&[2])).expect("a number").value, 4.0, 1e-14);
}
