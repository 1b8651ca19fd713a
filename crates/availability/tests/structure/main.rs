//! Fault trees, block diagrams and graphs against published and recomputed figures, and against counting all cases.

mod brute_force;
mod chinese;
mod random_trees;
mod reference;
