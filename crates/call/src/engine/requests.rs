//! Requests that begin something: RFC 3261 8.2, step by step.

use model::Time;
use sip::{HeaderName, Message, Method, Uri};

use super::Engine;
use super::invite::Way;
use crate::call::{ALLOW, Arrival, EXTENSIONS, METHODS, reply_with, unsupported};
use crate::output::Event;

impl Engine {
    /// A request that belongs to no dialog and no transaction that is known here.
    pub(super) fn new_request(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival) {
        let method = request.method();
        match method {
            // RFC 3261 17.1.1.3: nobody waits for an answer to an ACK.
            Method::Ack => return self.log(Event::Stray { response: false }),
            Method::Other(_) => return self.refuse_method(now, request, arrival, 501),
            Method::Cancel => return self.answer(now, request, arrival, 481),
            _ if !METHODS.contains(&method) => return self.refuse_method(now, request, arrival, 405),
            _ => {}
        }
        // RFC 3261 8.2.2.1; and there is no TLS here that a sips URI asks for (26.2.2).
        let known = match request.request_uri() {
            Some(Uri::Sip(uri)) => !uri.is_secure(),
            Some(Uri::Tel(_)) => true,
            Some(Uri::Other(_)) | None => false,
        };
        if !known {
            return self.answer(now, request, arrival, 416);
        }
        // RFC 3261 12.2.2: a To tag speaks of a dialog.
        if request.to().tag().is_some() {
            return self.answer(now, request, arrival, 481);
        }
        if unsupported(request).next().is_some() {
            return self.refuse_extensions(now, request, arrival);
        }
        match method {
            Method::Invite => self.invite(now, request, arrival),
            Method::Register => self.register(now, request, arrival),
            Method::Options => self.options(now, request, arrival),
            Method::Message if self.called(request).is_none() => self.answer(now, request, arrival, 404),
            // This server passes them on within calls only, whoever they are for.
            Method::Message => self.refuse_method(now, request, arrival, 405),
            // BYE, UPDATE, INFO, PRACK and NOTIFY mean something within a dialog only.
            _ => self.answer(now, request, arrival, 481),
        }
    }

    fn refuse_method(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival, status: u16) {
        reply_with(&mut self.desk(now), request, arrival, status, |answer| answer.header(HeaderName::Allow, ALLOW));
    }

    /// RFC 3261 8.2.2.3.
    fn refuse_extensions(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival) {
        let tags: Vec<&[u8]> = unsupported(request).collect();
        let tags = tags.join(&b", "[..]);
        reply_with(&mut self.desk(now), request, arrival, 420, |answer| answer.header(HeaderName::Unsupported, tags));
    }

    /// The number that a request is for; `None` if it is for another server.
    pub(super) fn called(&self, request: &Message<'_>) -> Option<String> {
        let uri = request.request_uri()?;
        let ours = match uri {
            Uri::Sip(uri) => self.settings.is_ours(uri.host()),
            Uri::Tel(_) => true,
            Uri::Other(_) => false,
        };
        ours.then(|| uri.user().map(std::borrow::Cow::into_owned).unwrap_or_default())
    }

    /// What this server can do, or what it would say to an INVITE for the same number (RFC 3261 11.2).
    fn options(&mut self, now: Time, request: &Message<'_>, arrival: &Arrival) {
        match self.called(request) {
            None => return self.answer(now, request, arrival, 404),
            Some(number) if number.is_empty() => {}
            Some(number) => {
                if self.who(now, request, arrival).is_none() {
                    return;
                }
                let status = match self.way(now, &number) {
                    None => 404,
                    Some(Way::Targets(targets)) if targets.is_empty() => 480,
                    Some(Way::Targets(_)) if self.is_crowded(&number) => 486,
                    Some(_) => 200,
                };
                if status != 200 {
                    return self.answer(now, request, arrival, status);
                }
            }
        }
        reply_with(&mut self.desk(now), request, arrival, 200, |answer| {
            answer
                .header(HeaderName::Allow, ALLOW)
                .header(HeaderName::Accept, "application/sdp")
                .header(HeaderName::AcceptEncoding, "identity")
                .header(HeaderName::AcceptLanguage, "en")
                .header(HeaderName::Supported, EXTENSIONS.join(", "))
        });
    }
}
