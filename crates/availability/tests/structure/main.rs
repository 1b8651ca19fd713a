//! Fault trees, block diagrams and graphs against published and recomputed figures, and against counting all cases.

mod aircraft;
mod blocks_and_graphs;
mod brute_force;
mod capacity;
mod chinese;
mod dependencies;
mod formats;
mod minimal_sets;
mod random_trees;
mod reference;
mod scale;
mod sip;
