//! The Routing Server's engine: queues, agents, who gets which caller.
//!
//! The SIP Server tells it by mail who waits and how the agents' extensions stand ([`model::route::News`]); it answers
//! with orders ([`model::route::Order`]). It knows no SIP, no socket and no clock. All it knows is records
//! (`record`); what a decision needs in order (`index`) is derived from them, so a successor that has the records goes
//! on in its place.
//!
//! Start reading at [`Engine`]; then `engine::callers` for the way of one caller, `engine::agents` for what an agent
//! is doing, `engine::mail` for how the two servers find together again after either has lost its memory.
#![forbid(unsafe_code)]

mod engine;
mod index;
mod output;
mod record;
mod request;
mod settings;

pub use engine::{
    ANSWERED_FOR, ANSWERED_MAX, AUDIT_AWAY_EVERY, AUDIT_EVERY, CALLERS_MAX, CALLS_MAX, EXPIRE_BATCH, Engine, Input,
    MAIL_MAX, OFFER_GRACE,
};
pub use output::{Event, Output};
pub use record::{Agent, Answered, Caller, Extension, Post, Value};
pub use request::{AgentRow, Answer, Ask, Choice, QueueRow, REASON_MAX, Refusal, RequestNumber, State};
pub use settings::{AgentSettings, QueueSettings, Settings};
