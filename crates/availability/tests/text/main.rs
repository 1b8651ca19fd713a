//! Models as texts: the reference cases, errors, other formats, samples.

mod cases;
mod errors;
mod exports;
mod extremes;
mod formats;
mod guide;
mod long_chains;
mod mistakes;
#[path = "../repository/mod.rs"]
mod repository;
mod sip;
mod structures;
mod support;
mod traffic;
mod uncertainty;
