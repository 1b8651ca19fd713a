//! The SIP Server's engine: registrar, calls as values made of legs, trunks, routing points.
//!
//! A pure value: [`Engine`] takes one [`Input`] at a time and leaves [`Output`]s and changed records behind. It never
//! decides who gets a waiting caller: it asks for a route and is answered ([`model::route`]). It knows no clock, no
//! socket and no thread. Start reading at [`Engine`], then the module `call`.
#![forbid(unsafe_code)]

mod call;
mod draw;
mod engine;
mod hop;
mod input;
pub mod limits;
mod output;
mod record;
mod settings;
mod token;

pub use engine::{CallRow, Engine, PROBE_STATUS, probe_number};
pub use hop::ConnectionId;
pub use input::Input;
pub use output::{Action, Event, Output};
pub use record::Value;
pub use settings::{Carrier, Expiry, Extension, FixedContact, Listener, ListenerId, Queue, Settings, Trunk};
