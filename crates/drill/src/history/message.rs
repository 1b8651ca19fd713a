//! The few fields of a SIP message that a checker of histories looks at.
//!
//! The reader shares nothing with the crate `sip`: an error there must not be able to hide itself here.

use std::str;

use model::hash64;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A request.
    Request {
        /// Its method.
        method: String,
        /// Its Request-URI.
        uri: String,
    },
    /// A response.
    Response {
        /// Its status.
        status: u16,
    },
}

/// One message, as far as histories are concerned.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its first line.
    pub start: Start,
    /// Call-ID.
    pub call_id: String,
    /// The user part of the From URI.
    pub from_user: String,
    /// The tag of From; empty where there is none.
    pub from_tag: String,
    /// The tag of To; empty where there is none.
    pub to_tag: String,
    /// The number of CSeq.
    pub cseq: u32,
    /// The method that CSeq names: that of the request, also in a response.
    pub method: String,
    /// The branch of the topmost Via.
    pub branch: String,
    /// How many Via values there are.
    pub vias: usize,
    /// Whether there is a Contact.
    pub has_contact: bool,
    /// A hash over all bytes, but the nonces of a challenge: the same only for a repeat.
    pub fingerprint: u64,
}

impl Message {
    /// Reads a message; `None` if it lacks what every message must have (RFC 3261 8.1.1, 8.2.6).
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = str::from_utf8(bytes.get(..head)?).ok()?;
        let mut lines = head.split("\r\n");
        let start = start(lines.next()?)?;
        let (mut call_id, mut from, mut to, mut cseq, mut branch) = (None, None, None, None, None);
        let (mut vias, mut has_contact) = (0, false);
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "call-id" | "i" => call_id = Some(value),
                "from" | "f" => from = Some(value),
                "to" | "t" => to = Some(value),
                "cseq" => cseq = value.split_once(char::is_whitespace),
                "contact" | "m" => has_contact = true,
                "via" | "v" => {
                    branch = branch.or_else(|| parameter(value.split(',').next()?, "branch"));
                    vias += value.split(',').count();
                }
                _ => {}
            }
        }
        let (number, method) = cseq?;
        Some(Self {
            fingerprint: fingerprint(&start, bytes),
            start,
            call_id: call_id?.to_owned(),
            from_user: user(from?).to_owned(),
            from_tag: parameter(from?, "tag").unwrap_or_default().to_owned(),
            to_tag: parameter(to?, "tag").unwrap_or_default().to_owned(),
            cseq: number.parse().ok()?,
            method: method.trim().to_owned(),
            branch: branch?.to_owned(),
            vias,
            has_contact,
        })
    }

    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// The user part of the Request-URI; empty in a response.
    #[must_use]
    pub fn called_user(&self) -> &str {
        match &self.start {
            Start::Request { uri, .. } => user(uri),
            Start::Response { .. } => "",
        }
    }

    /// What stands on a rung of a ladder: "INVITE (1)", "180 of INVITE (1)".
    #[must_use]
    pub fn label(&self) -> String {
        match &self.start {
            Start::Request { method, .. } => format!("{method} ({})", self.cseq),
            Start::Response { status } => format!("{status} of {} ({})", self.method, self.cseq),
        }
    }
}

/// A server keeps nothing of whom it does not know yet (RFC 3261 26.3.2.4), so that it challenges a repeated request anew.
fn fingerprint(start: &Start, bytes: &[u8]) -> u64 {
    if !matches!(start, Start::Response { status: 401 | 407 }) {
        return hash64(bytes);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.split("nonce=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    let kept = parts.fold(first, |kept, part| kept + part.split_once('"').map_or("", |(_, rest)| rest));
    hash64(kept.as_bytes())
}

fn start(line: &str) -> Option<Start> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        return Some(Start::Response { status: rest.get(..3)?.parse().ok()? });
    }
    let mut words = line.split(' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    (version == "SIP/2.0").then(|| Start::Request { method: method.to_owned(), uri: uri.to_owned() })
}

/// The value of a header parameter: what stands behind the address, if that is in angle brackets.
fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let parameters = value.rsplit_once('>').map_or(value, |(_, parameters)| parameters);
    parameters.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn user(value: &str) -> &str {
    let uri = value.split_once("sip:").map_or("", |(_, uri)| uri);
    uri.split_once('@').map_or("", |(user, _)| user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_response_are_read_in_long_and_in_short_form() {
        let long = "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2\r\n\
                    From: \"A ; tag=no\" <sip:ann@a;tag=no>;tag=f\r\nTo: <sip:bob@b>;x=1;Tag=t\r\nCall-ID: c@d\r\n\
                    CSeq: 7 INVITE\r\nContact: <sip:bob@b>\r\n\r\n";
        let short = long
            .replace("Via:", "v:")
            .replace("From:", "f :")
            .replace("To:", "t:")
            .replace("Call-ID:", "i:")
            .replace("Contact:", "m:");
        for text in [long, &short] {
            let message = Message::parse(text.as_bytes()).expect("it is well-formed");
            assert_eq!(message.status(), Some(180));
            assert_eq!((message.from_user.as_str(), message.from_tag.as_str()), ("ann", "f"));
            assert_eq!((message.to_tag.as_str(), message.call_id.as_str()), ("t", "c@d"));
            assert_eq!((message.branch.as_str(), message.vias, message.has_contact), ("z9hG4bK1", 2, true));
            assert_eq!(message.label(), "180 of INVITE (7)");
        }
    }

    #[test]
    fn what_lacks_a_needed_header_is_no_message() {
        assert!(Message::parse(b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n").is_none());
        assert!(Message::parse(b"hello").is_none());
        assert!(Message::parse(b"\xff\xfe\r\n\r\n").is_none());
    }
}
