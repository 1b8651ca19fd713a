//! The world of calls: the SIP Server pair and the Routing Server pair, the mail between them, and telephones whose
//! owners are honest, slow or rude.

mod faults;
mod mail;
mod network;
mod news;
mod phone;
mod places;
mod services;
mod settings;
mod streams;
mod watch;
mod world;

pub use world::run;
