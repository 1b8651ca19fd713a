//! Who a host is: the certificate that the solution's own authority gave it, and the TLS that rests on it.
//!
//! Hosts of one solution trust nobody but its [`Authority`]. Both sides of a connection show their certificate, whose one name
//! says which host they are. Whoever opens connections asks a [`Keyring`] each time, so that a certificate is renewed by
//! writing a new file.

mod authority;
mod installed;
mod keyring;
mod request;
mod revocation;
mod words;

pub use authority::{Authority, DOOR, HOST_LIFETIME};
pub(crate) use authority::{DOOR_LIFETIME, SKEW};
pub use installed::{install, tls_files};
pub use keyring::{Identity, Keyring, host_of};
pub(crate) use request::FINGERPRINT;
pub use request::{Fingerprint, Issued, KeyRequest};
pub(crate) use revocation::{REVOKED, serial_of};
pub(crate) use words::SET_CLOCKS;
pub use words::{Reason, explain};

/// The name in the certificate of a host: what others check when they connect with it.
#[must_use]
pub fn name_of(host: &str, solution: &str) -> String {
    format!("{host}.{solution}.everline.internal")
}
