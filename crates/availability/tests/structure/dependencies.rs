//! A fault tree as large as the list of all packages that a platform is made of.

use availability::structure::{FaultTree, GateKind};

/// Own packages of a service, libraries of a group, and how many of these each of its services uses.
const OWN: usize = 15;
const LIBRARIES: usize = 8;
const USED: usize = 5;
/// Services of a group, of which two must work.
const SERVICES: usize = 3;

/// A platform that is down if its power is or one of so many groups: two of three services have failed, each by one of its
/// packages or of the libraries that it shares with the others. The power comes last of the events.
pub(crate) fn platform(groups: usize) -> FaultTree {
    let mut tree = FaultTree::builder();
    let mut seed = 1_u64;
    let mut chance = move |below: usize| {
        // Steele, Lea and Flood 2014, SplitMix64.
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    };
    for group in 0..groups {
        let library = |k: usize| format!("group {group} library {k}");
        tree.events((0..LIBRARIES).map(library));
        for service in 0..SERVICES {
            let own = (0..OWN).map(|k| format!("group {group} service {service} package {k}"));
            let own: Vec<_> = own.collect();
            tree.events(own.clone());
            let used: Vec<_> = (0..USED).map(|_| library(chance(LIBRARIES))).collect();
            tree.gate(format!("group {group} service {service}"), GateKind::Or, used.into_iter().chain(own));
        }
        let services = (0..SERVICES).map(|service| format!("group {group} service {service}"));
        tree.gate(format!("group {group}"), GateKind::AtLeast(2), services);
    }
    tree.event("power");
    let groups = (0..groups).map(|group| format!("group {group}"));
    tree.gate("platform", GateKind::Or, groups.chain(["power".to_owned()]));
    tree.finish("platform").expect("the tree is sound")
}
