//! The shells of Everline: everything that touches a socket, a file, a process or a clock.
//!
//! This crate decides nothing about a call: the engines do, and the rules of restart and of hangs stand in
//! `management`. Start reading at [`wire`], which names every message between the processes of one host.

pub mod authority;
pub mod channel;
pub mod client;
pub mod clock;
pub mod configuration;
pub mod control_server;
pub mod coordinator;
pub mod descriptors;
mod files;
pub mod folder;
pub mod frames;
pub mod hub;
pub mod identity;
pub mod journal;
pub mod last_word;
pub mod lca;
mod life;
pub mod local;
pub mod log;
pub mod open_files;
pub mod process;
pub mod prompt;
pub mod pulse;
mod remains;
mod repeating;
pub mod secure;
pub mod server;
mod services;
pub mod switchboard;
pub mod wire;
