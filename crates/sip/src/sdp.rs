//! Session descriptions (RFC 8866): what a B2BUA must know of the offers and answers that it passes on.
//!
//! Bodies go end to end as they came. They are read to refuse what nobody could use, and to tell who holds whom.

use std::fmt;
use std::net::IpAddr;

use sdp_types::{Connection, MediaType, Origin, ParserError, Session, Time, TransportProto};
use thiserror::Error;

use crate::limits::MAX_MEDIA;

/// The media type of a session description (RFC 8866 8.1).
pub const CONTENT_TYPE: &str = "application/sdp";

/// A session description.
#[derive(Clone, PartialEq, Eq)]
pub struct Description(Session);

/// Why a body is of no use as a session description.
#[derive(Debug, Error)]
pub enum SdpFault {
    /// It breaks the grammar.
    #[error("the session description is malformed: {0}")]
    Malformed(#[from] ParserError),
    /// It has no media, or more than [`MAX_MEDIA`].
    #[error("the session description has no media or more than {MAX_MEDIA}")]
    Media,
    /// A medium that is to flow has no address to send it to (RFC 8866 5.7).
    #[error("a medium of the session description has no connection address (c=)")]
    Address,
}

impl SdpFault {
    /// The answer to a request with this body: 400 for garbage, 488 for what cannot be agreed on (RFC 3261 21.4.26).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Media | Self::Address => 488,
        }
    }
}

/// Which way a medium flows, seen from who wrote the description (RFC 3264 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// The writer only sends: it holds the reader.
    SendOnly,
    /// The writer only receives.
    RecvOnly,
    /// Not at all.
    Inactive,
}

impl Direction {
    const ALL: [Self; 4] = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];

    /// The attribute that says so.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The most that an answer may say to an offer of this (RFC 3264 6.1).
    #[must_use]
    pub const fn answer(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            same => same,
        }
    }

    fn among(attributes: &[sdp_types::Attribute]) -> Option<Self> {
        attributes.iter().find_map(|attribute| {
            Self::ALL.into_iter().find(|direction| attribute.attribute.eq_ignore_ascii_case(direction.as_str()))
        })
    }
}

/// One medium of a description.
#[derive(Clone, Copy)]
pub struct Media<'d> {
    session: &'d Session,
    media: &'d sdp_types::Media,
}

impl<'d> Media<'d> {
    /// `audio`, `video`, ...
    #[must_use]
    pub fn kind(&self) -> &'d str {
        &self.media.media
    }

    /// The port; 0 says that the medium is refused or over (RFC 3264 5.1, 6).
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.media.port
    }

    /// Whether it is wanted.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.media.port != 0
    }

    /// Where to send it: its own `c=`, else that of the session (RFC 8866 5.7); a name is given as it is.
    #[must_use]
    pub fn address(&self) -> Option<&'d str> {
        let connection = self.media.connections.first().or(self.session.connection.as_ref());
        connection.map(|connection| connection.connection_address.as_str())
    }

    /// Which way it flows; the address 0.0.0.0 says that nothing may be sent there (RFC 3264 8.4).
    #[must_use]
    pub fn direction(&self) -> Direction {
        let said = Direction::among(&self.media.attributes)
            .or_else(|| Direction::among(&self.session.attributes))
            .unwrap_or(Direction::SendRecv);
        match said {
            Direction::SendRecv if self.is_unspecified() => Direction::SendOnly,
            Direction::RecvOnly if self.is_unspecified() => Direction::Inactive,
            said => said,
        }
    }

    fn is_unspecified(&self) -> bool {
        self.address().and_then(|address| address.parse().ok()).is_some_and(|address: IpAddr| address.is_unspecified())
    }
}

impl Description {
    /// Reads a body.
    ///
    /// # Errors
    /// [`SdpFault`], which knows its answer.
    pub fn parse(body: &[u8]) -> Result<Self, SdpFault> {
        let description = Self(Session::parse(body)?);
        if description.0.medias.is_empty() || description.0.medias.len() > MAX_MEDIA {
            return Err(SdpFault::Media);
        }
        if description.media().any(|media| media.is_active() && media.address().is_none()) {
            return Err(SdpFault::Address);
        }
        Ok(description)
    }

    /// An offer of one audio medium: G.711 and telephone events, both ways (RFC 3551 6, RFC 4733).
    #[must_use]
    pub fn audio(session: u64, version: u64, address: IpAddr, port: u16) -> Self {
        let mut audio = sdp_types::Media::new(MediaType::Audio, port, TransportProto::RtpAvp, "0 8 101");
        audio.add_attribute_with_value("rtpmap", "101 telephone-event/8000");
        audio.add_attribute_from_str(Direction::SendRecv.as_str());
        let origin = Origin::with_ip_addr(session.to_string(), version, address);
        let mut description = Session::new(origin, "-");
        description.set_connection(Connection::from_ip_addr(address));
        description.add_time(Time::new(0, 0));
        description.medias.push(audio);
        Self(description)
    }

    /// The media in their order, which an answer must keep (RFC 3264 6).
    pub fn media(&self) -> impl Iterator<Item = Media<'_>> {
        self.0.medias.iter().map(|media| Media { session: &self.0, media })
    }

    /// Whether every wanted audio medium keeps its reader from talking: a call on hold (RFC 3264 8.4).
    #[must_use]
    pub fn is_hold(&self) -> bool {
        let mut audio = self.media().filter(|media| media.is_active() && media.kind() == "audio").peekable();
        audio.peek().is_some()
            && audio.all(|media| matches!(media.direction(), Direction::SendOnly | Direction::Inactive))
    }

    /// The `o=` line's session id and version: an unchanged version means an unchanged description (RFC 3264 8).
    #[must_use]
    pub fn version(&self) -> (&str, u64) {
        (&self.0.origin.sess_id, self.0.origin.sess_version)
    }
}

/// As it is written on the wire.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Without addresses and keys, which have no place in a log.
impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media = self.media().map(|media| (media.kind(), media.direction()));
        f.debug_list().entries(media).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 7 8 IN IP4 192.0.2.1\r\ns=-\r\n";

    fn parse(tail: &str) -> Result<Description, u16> {
        Description::parse(format!("{HEAD}{tail}").as_bytes()).map_err(|fault| fault.status())
    }

    #[test]
    fn what_nobody_could_use_is_refused_with_the_right_status() {
        // RFC 3261 21.4.1, 21.4.26
        for garbage in [&b""[..], b"hello", b"v=1\r\n", b"v=0\r\nm=audio\r\n", b"\xff\x00"] {
            assert_eq!(Description::parse(garbage).map_err(|fault| fault.status()), Err(400), "{garbage:?}");
        }
        assert_eq!(parse("t=0 0\r\n"), Err(488), "no media");
        assert_eq!(parse("t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"), Err(488), "no address");
        let many = "m=audio 0 RTP/AVP 0\r\n".repeat(MAX_MEDIA + 1);
        assert_eq!(parse(&many), Err(488));
        assert!(parse("t=0 0\r\nm=audio 0 RTP/AVP 0\r\n").is_ok(), "a refused medium needs no address");
    }

    #[test]
    fn a_medium_takes_from_the_session_what_it_does_not_say_itself() {
        // RFC 8866 5.7, 6.7
        let description = parse(
            "c=IN IP4 192.0.2.1\r\nt=0 0\r\na=sendonly\r\nm=audio 4000 RTP/AVP 0\r\n\
             m=video 4002 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\n",
        );
        let description = description.expect("well formed");
        let found: Vec<_> =
            description.media().map(|media| (media.kind(), media.address(), media.direction())).collect();
        assert_eq!(
            found,
            [("audio", Some("192.0.2.1"), Direction::SendOnly), ("video", Some("2001:db8::1"), Direction::Inactive)]
        );
        assert!(description.is_hold());
    }

    #[test]
    fn both_ways_of_holding_are_known() {
        // RFC 3264 8.4: a=sendonly today, c=0.0.0.0 as RFC 2543 had it.
        for (lines, hold) in [
            ("c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", false),
            ("c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=recvonly\r\n", false),
            ("c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", true),
            ("c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", true),
            ("c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=sendonly\r\n", false),
        ] {
            assert_eq!(parse(lines).map(|description| description.is_hold()), Ok(hold), "{lines}");
        }
        assert_eq!(Direction::ALL.map(Direction::answer).map(Direction::answer), Direction::ALL);
    }

    #[test]
    fn what_we_write_we_can_read() {
        let offer = Description::audio(7, 8, IpAddr::from([192, 0, 2, 1]), 4000);
        let read = Description::parse(offer.to_string().as_bytes()).expect("ours");
        assert_eq!(read, offer);
        assert_eq!(read.version(), ("7", 8));
        assert!(!read.is_hold());
        assert_eq!(format!("{read:?}"), r#"[("audio", SendRecv)]"#);
    }
}
