//! `sip:` and `sips:` URIs.

use std::borrow::Cow;

use super::{Host, decode, escapes_are_whole};
use crate::lex::{self, Cursor};
use crate::message::{Fault, Params};

/// A `sip:` or `sips:` URI (RFC 3261 19.1.1).
#[derive(Clone, Copy, Debug)]
pub struct SipUri<'a> {
    raw: &'a [u8],
    secure: bool,
    userinfo: Option<&'a [u8]>,
    host: Host<'a>,
    port: Option<u16>,
    params: Params<'a>,
    headers: Option<&'a [u8]>,
}

impl<'a> SipUri<'a> {
    /// Reads what follows the scheme; all of it was found to be made of characters of URIs.
    pub(super) fn parse(raw: &'a [u8], rest: &'a [u8], secure: bool) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(rest);
        // Everything left of the @ is the user, semicolons and question marks included (RFC 4475 3.1.1.9).
        let userinfo = match rest.iter().position(|&byte| byte == b'@') {
            Some(at) => Some(cursor.take(at)).filter(|_| cursor.eat(b'@')),
            None => None,
        };
        if userinfo.is_some_and(|info| matches!(info, [] | [b':', ..]) || !escapes_are_whole(info)) {
            return Err(Fault::Uri("the part before the @ is empty or has a broken % escape"));
        }
        let (host, port) = Host::read_with_port(&mut cursor, false).ok_or(Fault::Uri("the host or port is not one"))?;
        let params = Params::read(&mut cursor)?;
        let headers = cursor.eat(b'?').then(|| cursor.take(usize::MAX));
        if !cursor.is_done() {
            return Err(Fault::Uri("something that is no parameter follows the host"));
        }
        Ok(Self { raw, secure, userinfo, host, port, params, headers })
    }

    /// The URI as it was written.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        lex::text(self.raw)
    }

    /// Whether it is a `sips:` URI.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The user as it was written, without the password.
    #[must_use]
    pub fn raw_user(&self) -> Option<&'a str> {
        let info = lex::text(self.userinfo?);
        Some(info.split_once(':').map_or(info, |(user, _)| user))
    }

    /// The user with its % escapes decoded, once (RFC 3261 19.1.2, RFC 4475 3.1.1.3).
    #[must_use]
    pub fn user(&self) -> Option<Cow<'a, str>> {
        self.raw_user().map(decode)
    }

    /// The password as it was written.
    #[must_use]
    pub fn raw_password(&self) -> Option<&'a str> {
        lex::text(self.userinfo?).split_once(':').map(|(_, password)| password)
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port, if one is given.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The headers behind the `?`, as they were written.
    #[must_use]
    pub fn headers(&self) -> Option<&'a str> {
        self.headers.map(lex::text)
    }
}
