//! Digest authentication (RFC 3261 22, RFC 7616, RFC 8760) with MD5 and SHA-256.
//!
//! [`Authenticator`] is the side that asks, [`Challenge`] the side that is asked.

mod client;
mod fields;
mod hash;
mod nonce;
mod server;

pub use client::{Challenge, Login};
pub use hash::{Algorithm, Secret};
pub use server::{Authenticator, Credentials, Denial};
