//! What can be wrong with a message, and the answer that each fault earns.

use thiserror::Error;

use crate::limits::{MAX_HEADERS, MAX_MESSAGE, MAX_VIAS};

/// What is wrong with a message or with one of its values, in words for whoever has to repair the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The bytes do not begin like a SIP message; nobody waits for an answer.
    #[error("not a SIP message: it begins with neither a request line nor a status line")]
    NotSip,
    /// The header section does not end.
    #[error("the header section has no empty line at its end (RFC 3261 7)")]
    Unterminated,
    /// The request line breaks RFC 3261 7.1.
    #[error("malformed request line: {0} (RFC 3261 7.1)")]
    RequestLine(&'static str),
    /// The status line breaks RFC 3261 7.2.
    #[error("malformed status line: {0} (RFC 3261 7.2)")]
    StatusLine(&'static str),
    /// A version other than SIP/2.0.
    #[error("only SIP/2.0 is spoken here")]
    Version,
    /// Larger than [`MAX_MESSAGE`].
    #[error("the message is larger than {MAX_MESSAGE} bytes")]
    TooLarge,
    /// More header lines than [`MAX_HEADERS`].
    #[error("the message has more than {MAX_HEADERS} header lines")]
    TooManyHeaders,
    /// More Via values than [`MAX_VIAS`].
    #[error("the message has more than {MAX_VIAS} Via values")]
    TooManyVias,
    /// A header line that is none.
    #[error("malformed header line: {0} (RFC 3261 7.3.1)")]
    HeaderLine(&'static str),
    /// A header that every message needs is absent (RFC 3261 8.1.1).
    #[error("missing {0} header")]
    Missing(&'static str),
    /// A header that may stand once stands more often (RFC 3261 7.3.1).
    #[error("{0} stands more than once")]
    Repeated(&'static str),
    /// A malformed Via (RFC 3261 20.42).
    #[error("malformed Via: {0}")]
    Via(&'static str),
    /// A malformed CSeq, or one that does not fit the request line (RFC 3261 8.1.1.5).
    #[error("malformed CSeq: {0}")]
    CSeq(&'static str),
    /// A malformed Call-ID (RFC 3261 20.8).
    #[error("malformed Call-ID: it is one word without white space")]
    CallId,
    /// A Content-Length that is no number (RFC 3261 20.14).
    #[error("malformed Content-Length: it is a number of bytes")]
    ContentLength,
    /// Fewer bytes came than Content-Length says (RFC 3261 18.3).
    #[error("Content-Length is larger than the body that came")]
    Truncated,
    /// A header whose value should be a number is not.
    #[error("malformed {0}: it is a number")]
    Number(&'static str),
    /// A malformed address in From, To, Contact, Route or Record-Route.
    #[error("malformed address: {0}")]
    Address(&'static str),
    /// A malformed URI (RFC 3261 19.1.1).
    #[error("malformed URI: {0}")]
    Uri(&'static str),
    /// A malformed parameter (RFC 3261 25.1, `generic-param`).
    #[error("malformed parameter: {0}")]
    Parameter(&'static str),
    /// Malformed Digest credentials or a malformed challenge (RFC 3261 22.4): what is missing, or what is wrong.
    #[error("malformed Digest: {0}")]
    Digest(&'static str),
}

impl Fault {
    /// The status of the answer to a request with this fault.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Version => 505,
            Self::TooLarge | Self::TooManyHeaders | Self::TooManyVias => 513,
            _ => 400,
        }
    }
}
