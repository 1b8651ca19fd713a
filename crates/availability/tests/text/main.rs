//! Models as texts: the reference cases, errors, other formats, samples.

mod cases;
mod decimals;
mod errors;
mod exports;
mod extremes;
mod formats;
mod guide;
mod long_chains;
mod long_times;
mod mistakes;
#[path = "../repository/mod.rs"]
mod repository;
mod sip;
mod structures;
mod support;
mod traffic;
mod uncertainty;
