//! Who sends a request.

use std::net::IpAddr;

use model::Time;
use sip::digest::{Algorithm, Denial, Secret};
use sip::{HeaderName, Message};

use super::Engine;
use crate::call::{Arrival, reply_with};
use crate::output::Event;

/// What a request proves about its sender.
pub(super) enum Proof {
    /// It is who it says it is.
    Given,
    /// The request was answered with a challenge or a refusal.
    Answered,
}

/// The algorithms on offer, the best first (RFC 8760 2.3).
const fn algorithms(sha_256: bool) -> &'static [Algorithm] {
    if sha_256 { &[Algorithm::Sha256, Algorithm::Md5] } else { &[Algorithm::Md5] }
}

impl Engine {
    /// Asks for the password of an extension until it is given (RFC 3261 22.2). One that has none is asked all the same and
    /// never believed, so that nobody can tell which numbers there are.
    pub(super) fn prove(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival, number: &str) -> Proof {
        let Ok(credentials) = self.authenticator.credentials(request, HeaderName::Authorization) else {
            self.answer(now, request, arrival, 400);
            return Proof::Answered;
        };
        let binding = binding_of(arrival);
        let denial = match &credentials {
            None => None,
            // RFC 3261 22.2: a password of somebody else proves nothing.
            Some(given) if given.username() != number => Some(Denial::Wrong),
            Some(given) => {
                let known = self.settings.extensions.get(number).and_then(|extension| extension.password.as_deref());
                let secret = Secret::Password(known.unwrap_or_default());
                match self.authenticator.check(given, request, secret, &binding, now) {
                    Ok(()) if known.is_some() => return Proof::Given,
                    Ok(()) => Some(Denial::Wrong),
                    Err(denial) => Some(denial),
                }
            }
        };
        if denial == Some(Denial::Wrong) {
            let registration = super::register::key_of(number).id;
            self.log(Event::WrongPassword { registration, source: arrival.source });
        }
        match denial {
            Some(Denial::OtherUri) => self.answer(now, request, arrival, 400),
            denial => self.challenge(now, request, arrival, denial),
        }
        Proof::Answered
    }

    fn challenge(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival, denial: Option<Denial>) {
        let authenticator = self.authenticator.clone();
        let algorithms = algorithms(self.settings.sha_256);
        reply_with(&mut self.desk(now), request, arrival, 401, |answer| {
            authenticator.challenge(answer, HeaderName::WwwAuthenticate, algorithms, &binding_of(arrival), now, denial)
        });
    }
}

/// What a nonce is good for: the address that the request came from.
fn binding_of(arrival: &Arrival) -> Vec<u8> {
    match arrival.source.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}
