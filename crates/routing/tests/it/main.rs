//! The Routing Server's engine, tried from outside.

mod bounds;
mod chaos;
mod naive;
mod pair;
mod scenarios;
mod service;
mod sip;
mod tape;
