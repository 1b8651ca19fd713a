//! The bounds of everything that a peer can make large.

/// Bytes of one message, head and body; also the most that a UDP datagram can carry (RFC 3261 18.1.1). On a stream a
/// larger one ends the connection.
pub const MAX_MESSAGE: usize = 65_535;

/// Header lines of one message. Beyond it a request is refused with 513.
pub const MAX_HEADERS: usize = 640;

/// Via values of one message, however they are spread over lines: more hops than any Max-Forwards allows.
pub const MAX_VIAS: usize = 512;

/// Media of one session description.
pub const MAX_MEDIA: usize = 32;

/// Parameters of one URI, address or Via.
pub const MAX_PARAMS: usize = 128;
