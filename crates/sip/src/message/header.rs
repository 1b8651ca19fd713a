//! Header names, and which of them may stand once only.

use std::fmt;

macro_rules! headers {
    ($($variant:ident $text:literal $compact:literal $often:ident,)*) => {
        /// The name of a header field, whatever its case and whether it was written in compact form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum HeaderName<'a> {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// A name that this crate does not know, as it was written.
            Other(&'a str),
        }

        const KNOWN: &[Known] = &[
            $(Known { name: HeaderName::$variant, text: $text, compact: $compact, single: Often::$often as u8 == 0 },)*
        ];

        impl<'a> HeaderName<'a> {
            /// Its long form (RFC 3261 7.3.3).
            #[must_use]
            pub const fn as_str(&self) -> &'a str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(name) => name,
                }
            }

            /// Where it stands among the known names; [`NONE`] if it does not.
            const fn index(&self) -> u8 {
                match self {
                    $(Self::$variant => Index::$variant as u8,)*
                    Self::Other(_) => NONE,
                }
            }
        }

        #[repr(u8)]
        enum Index { $($variant,)* }
    };
}

struct Known {
    name: HeaderName<'static>,
    text: &'static str,
    compact: u8,
    single: bool,
}

#[repr(u8)]
enum Often {
    Once,
    Many,
}

// Long form, compact form (0 if none), and whether more than one value may stand in a message
// (RFC 3261 7.3.1 and the sections of the headers).
headers! {
    Via "Via" b'v' Many,
    From "From" b'f' Once,
    To "To" b't' Once,
    CallId "Call-ID" b'i' Once,
    CSeq "CSeq" 0 Once,
    MaxForwards "Max-Forwards" 0 Once,
    Contact "Contact" b'm' Many,
    Route "Route" 0 Many,
    RecordRoute "Record-Route" 0 Many,
    ContentLength "Content-Length" b'l' Once,
    ContentType "Content-Type" b'c' Once,
    ContentEncoding "Content-Encoding" b'e' Many,
    ContentDisposition "Content-Disposition" 0 Once,
    ContentLanguage "Content-Language" 0 Many,
    MimeVersion "MIME-Version" 0 Once,
    Supported "Supported" b'k' Many,
    Require "Require" 0 Many,
    ProxyRequire "Proxy-Require" 0 Many,
    Unsupported "Unsupported" 0 Many,
    Allow "Allow" 0 Many,
    AllowEvents "Allow-Events" b'u' Many,
    Event "Event" b'o' Once,
    Accept "Accept" 0 Many,
    AcceptEncoding "Accept-Encoding" 0 Many,
    AcceptLanguage "Accept-Language" 0 Many,
    AcceptContact "Accept-Contact" b'a' Many,
    RejectContact "Reject-Contact" b'j' Many,
    RequestDisposition "Request-Disposition" b'd' Many,
    Expires "Expires" 0 Once,
    MinExpires "Min-Expires" 0 Once,
    SessionExpires "Session-Expires" b'x' Once,
    MinSe "Min-SE" 0 Once,
    UserAgent "User-Agent" 0 Many,
    Server "Server" 0 Many,
    Subject "Subject" b's' Many,
    Authorization "Authorization" 0 Many,
    ProxyAuthorization "Proxy-Authorization" 0 Many,
    WwwAuthenticate "WWW-Authenticate" 0 Many,
    ProxyAuthenticate "Proxy-Authenticate" 0 Many,
    AuthenticationInfo "Authentication-Info" 0 Many,
    RSeq "RSeq" 0 Once,
    RAck "RAck" 0 Once,
    Date "Date" 0 Once,
    Timestamp "Timestamp" 0 Once,
    Warning "Warning" 0 Many,
    Reason "Reason" 0 Many,
    RetryAfter "Retry-After" 0 Once,
    ReferTo "Refer-To" b'r' Once,
    ReferredBy "Referred-By" b'b' Once,
    ReplyTo "Reply-To" 0 Once,
    Replaces "Replaces" 0 Once,
    InReplyTo "In-Reply-To" 0 Many,
    SubscriptionState "Subscription-State" 0 Once,
    PAssertedIdentity "P-Asserted-Identity" 0 Many,
    PPreferredIdentity "P-Preferred-Identity" 0 Many,
    Privacy "Privacy" 0 Many,
    Diversion "Diversion" 0 Many,
    HistoryInfo "History-Info" 0 Many,
    Path "Path" 0 Many,
    ServiceRoute "Service-Route" 0 Many,
    Organization "Organization" 0 Many,
    Priority "Priority" 0 Once,
    AlertInfo "Alert-Info" 0 Many,
    CallInfo "Call-Info" 0 Many,
    ErrorInfo "Error-Info" 0 Many,
    SipEtag "SIP-ETag" 0 Once,
    SipIfMatch "SIP-If-Match" 0 Once,
    Identity "Identity" b'y' Many,
    UserToUser "User-to-User" 0 Many,
}

/// Places in [`KNOWN`] by [`slot`], the next free one where that is taken: a lookup compares with one name or two.
static SLOTS: [u8; 256] = slots();
static COMPACT: [u8; 256] = compact();
const NONE: u8 = u8::MAX;

/// A number that tells the known names apart well: from the length, the first, a middle and the last letter.
const fn slot(name: &[u8]) -> u8 {
    let length = name.len();
    let (first, middle, last) = (name[0] | 32, name[length / 2] | 32, name[length - 1] | 32);
    first.wrapping_mul(31) ^ middle.wrapping_mul(7) ^ last.wrapping_mul(13) ^ (length as u8).wrapping_mul(97)
}

const fn slots() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut at = 0;
    while at < KNOWN.len() {
        let mut slot = slot(KNOWN[at].text.as_bytes());
        while table[slot as usize] != NONE {
            slot = slot.wrapping_add(1);
        }
        table[slot as usize] = at as u8;
        at += 1;
    }
    table
}

const fn compact() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut at = 0;
    while at < KNOWN.len() {
        let letter = KNOWN[at].compact;
        if letter != 0 {
            table[letter as usize] = at as u8;
            table[letter.to_ascii_uppercase() as usize] = at as u8;
        }
        at += 1;
    }
    table
}

/// A known name in one byte, for the parser's table; all unknown names are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u8);

impl Id {
    /// Looks a name up, long or compact, in any case (RFC 3261 7.3.1, 7.3.3).
    pub(super) fn of(name: &[u8]) -> Self {
        if let [letter] = name {
            return Self(COMPACT[usize::from(*letter)]);
        }
        if name.is_empty() {
            return Self(NONE);
        }
        let mut slot = slot(name);
        // There are more slots than names, so a free one ends the search.
        while let Some(known) = KNOWN.get(usize::from(SLOTS[usize::from(slot)])) {
            let text = known.text.as_bytes();
            if text == name || text.eq_ignore_ascii_case(name) {
                return Self(SLOTS[usize::from(slot)]);
            }
            slot = slot.wrapping_add(1);
        }
        Self(NONE)
    }

    /// The id of a name.
    pub(super) const fn of_name(name: HeaderName<'_>) -> Self {
        Self(name.index())
    }

    /// The known name, `None` for all others.
    pub(super) fn known(self) -> Option<HeaderName<'static>> {
        KNOWN.get(usize::from(self.0)).map(|known| known.name)
    }

    /// Its place among the known names; beyond all of them for the unknown.
    pub(super) const fn place(self) -> usize {
        self.0 as usize
    }

    /// Its bit in a set of known names; nothing for the unknown.
    pub(super) const fn bit(self) -> u128 {
        if self.0 == NONE { 0 } else { 1 << self.0 }
    }
}

/// The known names that may stand only once.
pub(super) const SINGLE: u128 = single();

const fn single() -> u128 {
    assert!(KNOWN.len() <= 128, "a set of names is 128 bits");
    let mut set = 0;
    let mut at = 0;
    while at < KNOWN.len() {
        if KNOWN[at].single {
            set |= 1 << at;
        }
        at += 1;
    }
    set
}

/// The name of the lowest bit of a set of known names.
pub(super) fn lowest(set: u128) -> &'static str {
    KNOWN.get(set.trailing_zeros() as usize).map_or("header", |known| known.text)
}

impl<'a> HeaderName<'a> {
    /// The name as it is written on the wire, in any case, long or compact.
    #[must_use]
    pub fn from_name(name: &'a str) -> Self {
        Id::of(name.as_bytes()).known().unwrap_or(HeaderName::Other(name))
    }
}

impl fmt::Display for HeaderName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_found_in_any_case_and_in_compact_form() {
        for known in KNOWN {
            assert_eq!(HeaderName::from_name(known.text), known.name);
            assert_eq!(HeaderName::from_name(&known.text.to_uppercase()), known.name);
            if known.compact != 0 {
                let letter = char::from(known.compact).to_string();
                assert_eq!(HeaderName::from_name(&letter), known.name, "compact form {letter}");
            }
        }
        assert_eq!(HeaderName::from_name("X-Thing"), HeaderName::Other("X-Thing"));
        assert_eq!(HeaderName::from_name("z"), HeaderName::Other("z"));
        assert_eq!(HeaderName::from_name(""), HeaderName::Other(""));
    }
}
