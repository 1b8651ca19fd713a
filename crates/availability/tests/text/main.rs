//! Models as texts: the reference cases, errors, other formats, samples.

mod cases;
mod errors;
mod formats;
mod sip;
mod support;
mod uncertainty;
