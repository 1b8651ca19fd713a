//! SIP on the wire, as values: messages and URIs read in place, messages written, streams framed, digest, SDP.
//!
//! This crate knows the grammar and the rules of RFC 3261 and its companions. It knows nothing of calls,
//! queues or replication, and it never reads a clock, a socket or a random number: bytes, time and chance
//! come in as arguments. Start reading at [`Message`], then [`build`].
#![forbid(unsafe_code)]

pub mod build;
pub mod dialog;
pub mod digest;
mod lex;
pub mod limits;
pub mod message;
pub mod sdp;
pub mod stream;
pub mod transaction;
pub mod uri;

pub use build::{Answer, AnswerHead, Outgoing};
pub use dialog::Dialog;
pub use message::{
    CSeq, Fault, Header, HeaderName, Message, Method, NameAddr, Params, RAck, Refusal, Start, Transport, Via,
};
pub use stream::{Frame, Framer};
pub use uri::{Host, SipUri, TelUri, Uri};
