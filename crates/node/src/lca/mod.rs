//! The local control agent (LCA): starts, watches and ends the applications of one host.

mod link;

pub use link::{LcaLink, News};
