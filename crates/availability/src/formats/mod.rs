//! File formats of other tools.

pub mod galileo;
mod lines;
pub mod open_psa;
