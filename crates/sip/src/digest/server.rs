//! The side that asks who it is.

use std::borrow::Cow;
use std::fmt;

use model::{Span, Time};

use super::fields::Fields;
use super::hash::{Algorithm, Ingredients, Secret};
use super::nonce;
use crate::build::Outgoing;
use crate::message::{Fault, HeaderName, Message};
use crate::uri::Uri;

/// How far ahead of our time a nonce of the other side of the pair may lie.
const SKEW: Span = Span::from_secs(5);
/// Challenges of so long are one: as long as a request is repeated (RFC 3261 17.1.1.2).
const ALIKE: Span = Span::from_secs(32);

/// Asks for credentials and checks them, without memory: any process with the same key checks what another asked.
///
/// It does not count uses of a nonce, as that would need a record for each; a nonce is bound to its age and to
/// what the caller binds it to, and a response to its method and URI.
#[derive(Clone)]
pub struct Authenticator {
    realm: String,
    key: Vec<u8>,
    lifetime: Span,
}

/// Why credentials are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The secret is right, the nonce too old or not ours: ask again with `stale=true` (RFC 7616 3.3).
    Stale,
    /// The secret is wrong, or not known for this algorithm: ask again.
    Wrong,
    /// The response was made for another request: 400 (RFC 7616 3.4.6).
    OtherUri,
}

/// What a request says about who sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials<'a> {
    username: Cow<'a, str>,
    realm: Cow<'a, str>,
    nonce: Cow<'a, str>,
    uri: Cow<'a, str>,
    response: Cow<'a, str>,
    /// `None`: one that we do not know.
    algorithm: Option<Algorithm>,
    auth: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Credentials<'a> {
    /// Reads an Authorization or Proxy-Authorization value; `None` if its scheme is not Digest.
    ///
    /// # Errors
    /// [`Fault::Digest`] if a field is missing, malformed or repeated.
    pub fn parse(value: &'a [u8]) -> Result<Option<Self>, Fault> {
        let Some(fields) = Fields::parse(value)? else { return Ok(None) };
        let auth = match fields.get("qop") {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some((fields.need("nc")?, fields.need("cnonce")?)),
            Some(_) => return Err(Fault::Digest("only qop=auth was offered")),
        };
        Ok(Some(Self {
            username: fields.need("username")?,
            realm: fields.need("realm")?,
            nonce: fields.need("nonce")?,
            uri: fields.need("uri")?,
            response: fields.need("response")?,
            algorithm: fields.get("algorithm").map_or(Some(Algorithm::Md5), |name| Algorithm::from_name(&name)),
            auth,
        }))
    }

    /// Who it says it is.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// For which realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }
}

/// Without the user and the response, which have no place in a log.
impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("realm", &self.realm).field("algorithm", &self.algorithm).finish()
    }
}

impl Authenticator {
    /// Asks in the name of `realm`; `key` is a secret of both sides of a pair, at least 32 random bytes.
    #[must_use]
    pub fn new(realm: impl Into<String>, key: impl Into<Vec<u8>>, lifetime: Span) -> Self {
        Self { realm: realm.into(), key: key.into(), lifetime }
    }

    /// The realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Writes a challenge for each algorithm, to be listed from the best to the least (RFC 8760 2.3).
    ///
    /// `name` is WWW-Authenticate for a 401, Proxy-Authenticate for a 407. `binding` is what the nonce is good
    /// for, the address of the peer for instance; give the same to [`Self::check`].
    pub fn challenge<'b>(
        &self,
        answer: Outgoing<'b>,
        name: HeaderName<'_>,
        algorithms: &[Algorithm],
        binding: &[u8],
        now: Time,
        denial: Option<Denial>,
    ) -> Outgoing<'b> {
        // RFC 3261 8.2.7: a request that comes again is answered alike, although nothing is remembered of it.
        let made = Time::from_micros(now.as_micros() / ALIKE.as_micros() * ALIKE.as_micros());
        let nonce = nonce::make(&self.key, &self.realm, binding, made);
        let stale = if denial == Some(Denial::Stale) { ", stale=true" } else { "" };
        algorithms.iter().fold(answer, |answer, algorithm| {
            let algorithm = algorithm.as_str();
            let realm = crate::build::Quoted(&self.realm);
            answer.format(
                name,
                format_args!("Digest realm={realm}, nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}{stale}"),
            )
        })
    }

    /// The credentials that a request carries for this realm, the first if there are several.
    ///
    /// # Errors
    /// [`Fault::Digest`] if they are malformed: 400 (RFC 3261 22.4).
    pub fn credentials<'a>(
        &self,
        request: &Message<'a>,
        name: HeaderName<'_>,
    ) -> Result<Option<Credentials<'a>>, Fault> {
        for value in request.values(name) {
            if let Some(credentials) = Credentials::parse(value)?
                && credentials.realm == self.realm
            {
                return Ok(Some(credentials));
            }
        }
        Ok(None)
    }

    /// Checks credentials with the secret of the user that they name.
    ///
    /// # Errors
    /// The [`Denial`], which says what to answer.
    pub fn check(
        &self,
        credentials: &Credentials<'_>,
        request: &Message<'_>,
        secret: Secret<'_>,
        binding: &[u8],
        now: Time,
    ) -> Result<(), Denial> {
        let right = credentials.algorithm.and_then(|algorithm| {
            let ingredients = Ingredients {
                algorithm,
                username: &credentials.username,
                realm: &self.realm,
                nonce: &credentials.nonce,
                auth: credentials.auth.as_ref().map(|(nc, cnonce)| (nc.as_ref(), cnonce.as_ref())),
                method: request.method().as_str(),
                uri: &credentials.uri,
            };
            ingredients.response(secret)
        });
        if !right.is_some_and(|right| right.matches(&credentials.response)) || credentials.realm != self.realm {
            return Err(Denial::Wrong);
        }
        if !request.request_uri().is_some_and(|uri| same_target(uri, &credentials.uri)) {
            return Err(Denial::OtherUri);
        }
        let made = nonce::made_at(&credentials.nonce, &self.key, &self.realm, binding).ok_or(Denial::Stale)?;
        if now.since(made) > self.lifetime + ALIKE || made.since(now) > SKEW { Err(Denial::Stale) } else { Ok(()) }
    }
}

/// Whether the `uri` field means the Request-URI: phones leave out the port and parameters in one of the two, and
/// proxies change them, but who is called where is what the response must be good for.
fn same_target(request: &Uri<'_>, field: &str) -> bool {
    match (request, Uri::parse(field.as_bytes())) {
        (Uri::Sip(request), Ok(Uri::Sip(field))) => request.user() == field.user() && request.host() == field.host(),
        (request, Ok(field)) => request.as_str() == field.as_str(),
        (_, Err(_)) => false,
    }
}
