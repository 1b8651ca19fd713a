//! The side that is asked who it is: towards trunks and registrars of others.

use std::borrow::Cow;

use super::fields::Fields;
use super::hash::{Algorithm, Ingredients, Secret};
use crate::build::{Outgoing, Quoted};
use crate::message::{Fault, HeaderName, Message};

/// A challenge that we can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    realm: Cow<'a, str>,
    nonce: Cow<'a, str>,
    opaque: Option<Cow<'a, str>>,
    algorithm: Algorithm,
    auth: bool,
    stale: bool,
}

/// Who we are, and the request that is sent again.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The user name.
    pub username: &'a str,
    /// Its secret.
    pub secret: Secret<'a>,
    /// The method of the request.
    pub method: &'a str,
    /// Its Request-URI.
    pub uri: &'a str,
    /// Random text of ours (RFC 7616 3.4).
    pub cnonce: &'a str,
    /// How many requests used this nonce, this one included.
    pub count: u32,
}

impl<'a> Challenge<'a> {
    /// Reads a WWW-Authenticate or Proxy-Authenticate value; `None` if it asks for something that we cannot do.
    ///
    /// # Errors
    /// [`Fault::Digest`] if a field is missing, malformed or repeated.
    pub fn parse(value: &'a [u8]) -> Result<Option<Self>, Fault> {
        let Some(fields) = Fields::parse(value)? else { return Ok(None) };
        let Some(algorithm) = fields.get("algorithm").map_or(Some(Algorithm::Md5), |name| Algorithm::from_name(&name))
        else {
            return Ok(None);
        };
        let qop = fields.get("qop");
        let auth = qop.as_ref().is_some_and(|list| list.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")));
        if qop.is_some() && !auth {
            return Ok(None);
        }
        Ok(Some(Self {
            realm: fields.need("realm")?,
            nonce: fields.need("nonce")?,
            opaque: fields.get("opaque"),
            algorithm,
            auth,
            stale: fields.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        }))
    }

    /// The first challenge of a 401 or 407 that we can answer (RFC 8760 2.4: the topmost that is supported).
    #[must_use]
    pub fn of(response: &Message<'a>, name: HeaderName<'_>) -> Option<Self> {
        response.values(name).find_map(|value| Self::parse(value).ok().flatten())
    }

    /// Who asks.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Whether only the nonce was too old: the secret need not be doubted.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        self.stale
    }

    /// Writes the credentials: Authorization after a 401, Proxy-Authorization after a 407.
    ///
    /// `None` if the secret is a hash of another algorithm than the one that is asked for.
    #[must_use]
    pub fn answer<'b>(&self, login: Login<'_>, request: Outgoing<'b>, name: HeaderName<'_>) -> Option<Outgoing<'b>> {
        let count = format!("{:08x}", login.count);
        let ingredients = Ingredients {
            algorithm: self.algorithm,
            username: login.username,
            realm: &self.realm,
            nonce: &self.nonce,
            auth: self.auth.then_some((count.as_str(), login.cnonce)),
            method: login.method,
            uri: login.uri,
        };
        let response = ingredients.response(login.secret)?;
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\", algorithm={}",
            Quoted(login.username),
            Quoted(&self.realm),
            Quoted(&self.nonce),
            Quoted(login.uri),
            response.as_str(),
            self.algorithm.as_str(),
        );
        if self.auth {
            value += &format!(", qop=auth, nc={count}, cnonce={}", Quoted(login.cnonce));
        }
        if let Some(opaque) = &self.opaque {
            value += &format!(", opaque={}", Quoted(opaque));
        }
        Some(request.header(name, value))
    }
}
