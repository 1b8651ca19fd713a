//! Reading the headers of a message.

use super::value::{members, seconds};
use super::{CSeq, Fault, HeaderName, Message, Method, NameAddr, RAck, Start, Via};
use crate::lex::{self, Cursor};
use crate::uri::Uri;

/// One header line.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Its name.
    pub name: HeaderName<'a>,
    /// Its value as it was written, folds included, without white space at the ends.
    pub value: &'a [u8],
}

impl<'a> Message<'a> {
    /// The bytes that were read, from before the start line to behind the body.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The start line.
    #[must_use]
    pub const fn start(&self) -> &Start<'a> {
        &self.start
    }

    /// Whether it is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    /// The method of a request, or of the request that a response answers (from CSeq).
    #[must_use]
    pub const fn method(&self) -> Method<'a> {
        self.core.cseq.method
    }

    /// The Request-URI of a request.
    #[must_use]
    pub const fn request_uri(&self) -> Option<&Uri<'a>> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }

    /// The status of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(*status),
        }
    }

    /// The top Via.
    #[must_use]
    pub const fn top_via(&self) -> &Via<'a> {
        &self.core.via
    }

    /// What follows the top Via in its line: nothing, or a comma and more Via values.
    pub(crate) const fn after_top_via(&self) -> &'a [u8] {
        self.core.after_via
    }

    /// From.
    #[must_use]
    pub const fn from(&self) -> &NameAddr<'a> {
        &self.core.from
    }

    /// To.
    #[must_use]
    pub const fn to(&self) -> &NameAddr<'a> {
        &self.core.to
    }

    /// Call-ID.
    #[must_use]
    pub const fn call_id(&self) -> &'a str {
        self.core.call_id
    }

    /// CSeq.
    #[must_use]
    pub const fn cseq(&self) -> CSeq<'a> {
        self.core.cseq
    }

    /// Max-Forwards, `None` if it is absent (RFC 2543); what is above 255 counts as 255.
    #[must_use]
    pub const fn max_forwards(&self) -> Option<u8> {
        self.core.max_forwards
    }

    /// The body; empty if there is none.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// All header lines in their order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + '_ {
        self.table.lines().iter().map(|line| {
            let name = line.id.known().unwrap_or_else(|| HeaderName::Other(lex::text(line.name(self.bytes))));
            Header { name, value: line.value(self.bytes) }
        })
    }

    /// The values of all lines of this name, in their order.
    pub fn values<'m>(&'m self, name: HeaderName<'m>) -> impl Iterator<Item = &'a [u8]> + 'm {
        self.table.all(self.bytes, name)
    }

    /// The value of the first line of this name.
    #[must_use]
    pub fn value(&self, name: HeaderName<'_>) -> Option<&'a [u8]> {
        self.table.first(self.bytes, name)
    }

    /// The members of all comma lists of this name, trimmed; commas in quotes and < > do not separate.
    ///
    /// Not for Date, Authorization and its like, whose commas are part of one value.
    pub fn list<'m>(&'m self, name: HeaderName<'m>) -> impl Iterator<Item = &'a [u8]> + 'm {
        self.values(name).flat_map(members)
    }

    /// Whether a list of tokens holds this one, in any case (Supported, Require, Allow).
    #[must_use]
    pub fn lists(&self, name: HeaderName<'_>, token: &str) -> bool {
        self.list(name).any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// All Via values from the top, however they are spread over lines.
    pub fn vias(&self) -> impl Iterator<Item = Via<'a>> + '_ {
        self.values(HeaderName::Via).flat_map(|value| {
            let mut cursor = Cursor::new(value);
            std::iter::from_fn(move || {
                let via = Via::read(&mut cursor).ok()?;
                cursor.eat(b',');
                Some(via)
            })
        })
    }

    /// The addresses of all lines of this name: Contact (without `*`), Route, Record-Route, Path,
    /// P-Asserted-Identity, Diversion.
    pub fn addresses<'m>(&'m self, name: HeaderName<'m>) -> impl Iterator<Item = Result<NameAddr<'a>, Fault>> + 'm {
        self.list(name).map(NameAddr::parse)
    }

    /// The first Contact, which is the remote target of a dialog (RFC 3261 12.1).
    ///
    /// # Errors
    /// The [`Fault`] of a malformed Contact.
    pub fn contact(&self) -> Result<Option<NameAddr<'a>>, Fault> {
        self.addresses(HeaderName::Contact).next().transpose()
    }

    /// Whether the only Contact is `*`: remove all bindings (RFC 3261 10.2.2).
    #[must_use]
    pub fn contact_is_star(&self) -> bool {
        self.value(HeaderName::Contact) == Some(b"*")
    }

    /// Expires in seconds; too large a number is the largest there is (RFC 3261 20.19).
    ///
    /// # Errors
    /// [`Fault::Number`] if it is no number.
    pub fn expires(&self) -> Result<Option<u32>, Fault> {
        self.seconds(HeaderName::Expires)
    }

    /// The number at the beginning of a header: Expires, Min-Expires, Session-Expires, Min-SE, RSeq, Retry-After.
    ///
    /// # Errors
    /// [`Fault::Number`] if there is none.
    pub fn seconds(&self, name: HeaderName<'static>) -> Result<Option<u32>, Fault> {
        self.value(name).map(|value| seconds(value).ok_or(Fault::Number(name.as_str()))).transpose()
    }

    /// RAck (RFC 3262 7.2).
    ///
    /// # Errors
    /// The [`Fault`] of a malformed one.
    pub fn rack(&self) -> Result<Option<RAck<'a>>, Fault> {
        self.value(HeaderName::RAck).map(RAck::parse).transpose()
    }

    /// The media type of the body without its parameters, `application/sdp`; to be compared without case.
    #[must_use]
    pub fn content_type(&self) -> Option<&'a str> {
        let value = self.value(HeaderName::ContentType)?;
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        str::from_utf8(lex::trim(value.get(..end)?)).ok()
    }
}
