//! Dialogs as values (RFC 3261 12).

use serde::{Deserialize, Serialize};

use crate::build::Outgoing;
use crate::message::{HeaderName, Message, Method, NameAddr};
use crate::uri::{SipUri, Uri};

/// One side's view of a dialog, early or confirmed.
///
/// Its texts lie in one buffer, so that a held call is small and quick to write down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    #[serde(with = "serde_bytes")]
    text: Box<[u8]>,
    /// Where each [`Part`] but the last ends.
    ends: [u32; PARTS - 1],
    local_seq: u32,
    remote_seq: Option<u32>,
}

#[derive(Clone, Copy)]
enum Part {
    CallId,
    Local,
    LocalTag,
    Remote,
    RemoteTag,
    Target,
    /// The first route.
    Route,
    /// The other routes, as one header value.
    Routes,
}

const PARTS: usize = 8;

impl Dialog {
    /// The dialog that `local_tag` makes of a request that came in (RFC 3261 12.1.1).
    #[must_use]
    pub fn callee(request: &Message<'_>, local_tag: &str) -> Self {
        let routes = Routes::of(request.list(HeaderName::RecordRoute));
        let parts = [
            request.call_id().as_bytes(),
            &untagged(request.to()),
            local_tag.as_bytes(),
            &untagged(request.from()),
            request.from().tag().unwrap_or_default().as_bytes(),
            &target(request),
            &routes.first,
            &routes.others,
        ];
        Self::of(parts, 0, Some(request.cseq().number))
    }

    /// The dialog that a response to a request of ours makes (RFC 3261 12.1.2).
    #[must_use]
    pub fn caller(response: &Message<'_>) -> Self {
        let routes = Routes::reversed(response);
        let parts = [
            response.call_id().as_bytes(),
            &untagged(response.from()),
            response.from().tag().unwrap_or_default().as_bytes(),
            &untagged(response.to()),
            response.to().tag().unwrap_or_default().as_bytes(),
            &target(response),
            &routes.first,
            &routes.others,
        ];
        Self::of(parts, response.cseq().number, None)
    }

    fn of(parts: [&[u8]; PARTS], local_seq: u32, remote_seq: Option<u32>) -> Self {
        let mut ends = [0; PARTS - 1];
        let mut end = 0_u32;
        for (part, slot) in parts.iter().zip(&mut ends) {
            // Parts of one message or of two, each below 64 KiB.
            end = end.saturating_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
            *slot = end;
        }
        Self { text: parts.concat().into_boxed_slice(), ends, local_seq, remote_seq }
    }

    fn part(&self, part: Part) -> &[u8] {
        let end_of = |at: usize| self.ends.get(at).map_or(self.text.len(), |end| *end as usize);
        let at = part as usize;
        let start = at.checked_sub(1).map_or(0, end_of);
        self.text.get(start..end_of(at)).unwrap_or_default()
    }

    fn retarget(&mut self, target: &[u8], routes: &Routes) {
        let parts = [
            self.part(Part::CallId),
            self.part(Part::Local),
            self.part(Part::LocalTag),
            self.part(Part::Remote),
            self.part(Part::RemoteTag),
            target,
            &routes.first,
            &routes.others,
        ];
        *self = Self::of(parts, self.local_seq, self.remote_seq);
    }

    /// The Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        text(self.part(Part::CallId))
    }

    /// The tag of this side.
    #[must_use]
    pub fn local_tag(&self) -> &str {
        text(self.part(Part::LocalTag))
    }

    /// The tag of the other side; empty for a peer of RFC 2543.
    #[must_use]
    pub fn remote_tag(&self) -> &str {
        text(self.part(Part::RemoteTag))
    }

    /// The remote target: the Contact of the other side.
    #[must_use]
    pub fn target(&self) -> &str {
        text(self.part(Part::Target))
    }

    /// The URI whose host gets the next request: the first route, or the remote target (RFC 3261 8.1.2, 12.2.1.1).
    #[must_use]
    pub fn next_hop(&self) -> Option<SipUri<'_>> {
        let uri = match self.first_route() {
            Some(route) => *route.uri(),
            None => Uri::parse(self.part(Part::Target)).ok()?,
        };
        uri.as_sip().copied()
    }

    fn first_route(&self) -> Option<NameAddr<'_>> {
        NameAddr::parse(self.part(Part::Route)).ok()
    }

    /// What another local tag makes of the same request, whose sequence number is `seq`: one more early dialog of an
    /// INVITE that was forked (RFC 3261 12.1).
    #[must_use]
    pub fn forked(&self, local_tag: &str, seq: u32) -> Self {
        let parts = [
            self.part(Part::CallId),
            self.part(Part::Local),
            local_tag.as_bytes(),
            self.part(Part::Remote),
            self.part(Part::RemoteTag),
            self.part(Part::Target),
            self.part(Part::Route),
            self.part(Part::Routes),
        ];
        Self::of(parts, 0, Some(seq))
    }

    /// Writes the Record-Route that an answer which makes this dialog has to repeat, if any (RFC 3261 12.1.1).
    pub fn record_route<'b>(&self, answer: Outgoing<'b>) -> Outgoing<'b> {
        match self.part(Part::Route) {
            b"" => answer,
            route => {
                let routes = self.part(Part::Routes);
                let comma: &[u8] = if routes.is_empty() { b"" } else { b"," };
                answer.parts(HeaderName::RecordRoute, &[route, comma, routes])
            }
        }
    }

    /// True if `request` belongs to this dialog (RFC 3261 12.2.2).
    #[must_use]
    pub fn has(&self, request: &Message<'_>) -> bool {
        self.part(Part::CallId) == request.call_id().as_bytes()
            && self.local_tag() == request.to().tag().unwrap_or_default()
            && self.remote_tag() == request.from().tag().unwrap_or_default()
    }

    /// Takes the sequence number of a request that came in; false if it is out of order (RFC 3261 12.2.2).
    #[must_use]
    pub fn take(&mut self, number: u32) -> bool {
        let in_order = self.remote_seq.is_none_or(|last| number > last);
        if in_order {
            self.remote_seq = Some(number);
        }
        in_order
    }

    /// The sequence number of the next request of this side (RFC 3261 12.2.1.1).
    pub fn next_seq(&mut self) -> u32 {
        self.local_seq = self.local_seq.saturating_add(1);
        self.local_seq
    }

    /// Leaves out `count` numbers: requests that are not known of may have had them.
    pub const fn skip(&mut self, count: u32) {
        self.local_seq = self.local_seq.saturating_add(count);
    }

    /// Takes over the Contact of a target refresh (RFC 3261 12.2.1.2, 12.2.2); nothing if there is none.
    pub fn refresh(&mut self, message: &Message<'_>) {
        let target = target(message);
        if !target.is_empty() && *target != *self.part(Part::Target) {
            let routes = Routes { first: self.part(Part::Route).to_vec(), others: self.part(Part::Routes).to_vec() };
            self.retarget(&target, &routes);
        }
    }

    /// Takes over target and route set of the 2xx that confirms an early dialog (RFC 3261 13.2.2.4).
    pub fn confirm(&mut self, response: &Message<'_>) {
        let target = target(response);
        let target = if target.is_empty() { self.part(Part::Target).to_vec() } else { target };
        self.retarget(&target, &Routes::reversed(response));
    }

    /// Writes a request in this dialog up to the headers of its own (RFC 3261 12.2.1.1): the request line, `via`,
    /// Route, From, To, Call-ID and CSeq. A peer that gave no Contact, as it must, is called by its address.
    pub fn request<'b>(&self, method: Method<'_>, seq: u32, via: &[u8], out: &'b mut Vec<u8>) -> Outgoing<'b> {
        let remote = NameAddr::parse(self.part(Part::Remote)).ok();
        let address = remote.as_ref().map_or("", |remote| remote.uri().as_str());
        let target = if self.target().is_empty() { address } else { self.target() };
        let (route, routes) = (self.part(Part::Route), self.part(Part::Routes));
        let comma: &[u8] = if routes.is_empty() { b"" } else { b"," };
        // A first route without `lr` is a strict router: it becomes the Request-URI, and the target the last route.
        let strict = self.first_route().filter(|route| route.uri().as_sip().is_some_and(|uri| !uri.params().has("lr")));
        let uri = strict.map_or(target, |route| route.uri().as_str());
        let mut request = Outgoing::request(out, method, uri).header(HeaderName::Via, via);
        if strict.is_some() {
            request = request.parts(HeaderName::Route, &[routes, comma, b"<", target.as_bytes(), b">"]);
        } else if !route.is_empty() {
            request = request.parts(HeaderName::Route, &[route, comma, routes]);
        }
        self.put_addresses(request)
            .parts(HeaderName::CallId, &[self.part(Part::CallId)])
            .format(HeaderName::CSeq, format_args!("{seq} {method}"))
    }

    fn put_addresses<'b>(&self, request: Outgoing<'b>) -> Outgoing<'b> {
        let remote_tag = self.part(Part::RemoteTag);
        let remote_mark: &[u8] = if remote_tag.is_empty() { b"" } else { b";tag=" };
        request
            .parts(HeaderName::From, &[self.part(Part::Local), b";tag=", self.part(Part::LocalTag)])
            .parts(HeaderName::To, &[self.part(Part::Remote), remote_mark, remote_tag])
    }
}

fn text(bytes: &[u8]) -> &str {
    // Tags, Call-IDs and URIs are ASCII when they were read.
    str::from_utf8(bytes).unwrap_or_default()
}

/// The Contact's URI; empty if there is none to be read.
fn target(message: &Message<'_>) -> Vec<u8> {
    let contact = message.contact().ok().flatten();
    contact.map_or_else(Vec::new, |contact| contact.uri().as_str().as_bytes().to_vec())
}

/// A route set: its first member, and the others as one header value.
#[derive(Default)]
struct Routes {
    first: Vec<u8>,
    others: Vec<u8>,
}

impl Routes {
    fn of<'a>(members: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut routes = Self::default();
        for member in members {
            if routes.first.is_empty() {
                routes.first.extend_from_slice(member);
                continue;
            }
            if !routes.others.is_empty() {
                routes.others.push(b',');
            }
            routes.others.extend_from_slice(member);
        }
        routes
    }

    /// In the order of a caller: the Record-Route upside down (RFC 3261 12.1.2).
    fn reversed(response: &Message<'_>) -> Self {
        let mut members: Vec<&[u8]> = response.list(HeaderName::RecordRoute).collect();
        members.reverse();
        Self::of(members.into_iter())
    }
}

/// An address as a header value, without its tag.
#[must_use]
pub fn untagged(address: &NameAddr<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let display = address.raw_display();
    if !display.is_empty() {
        out.extend_from_slice(display);
        out.push(b' ');
    }
    out.push(b'<');
    out.extend_from_slice(address.uri().as_str().as_bytes());
    out.push(b'>');
    for (name, value) in address.params().iter().filter(|(name, _)| !name.eq_ignore_ascii_case("tag")) {
        out.push(b';');
        out.extend_from_slice(name.as_bytes());
        if let Some(value) = value {
            out.push(b'=');
            out.extend_from_slice(value.as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite(record_route: &str) -> String {
        format!(
            "INVITE sip:9000@b.example SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{record_route}\
             Call-ID: c@a\r\nCSeq: 7 INVITE\r\nFrom: \"A, B\" <sip:1@a.example>;x=y;tag=f\r\n\
             To: <sip:9000@b.example>\r\nContact: <sip:1@192.0.2.1:5070;ob>\r\n\r\n"
        )
    }

    fn answer(record_route: &str) -> String {
        format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n{record_route}Call-ID: c@a\r\nCSeq: 7 INVITE\r\n\
             From: <sip:1@a.example>;tag=f\r\nTo: <sip:9000@b.example>;tag=t\r\nContact: <sip:9@192.0.2.2>\r\n\r\n"
        )
    }

    fn written(dialog: &Dialog, method: Method<'_>, seq: u32) -> String {
        let mut out = Vec::new();
        dialog.request(method, seq, b"SIP/2.0/UDP us;branch=z9hG4bK2", &mut out).finish();
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_called_side_sends_along_the_record_route() {
        let request = invite("Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n");
        let mut dialog = Dialog::callee(&Message::parse(request.as_bytes()).expect("sound"), "t");
        assert_eq!(dialog.next_hop().map(|uri| uri.as_str().to_owned()).as_deref(), Some("sip:p1;lr"));
        let seq = dialog.next_seq();
        assert_eq!(
            written(&dialog, Method::Bye, seq),
            "BYE sip:1@192.0.2.1:5070;ob SIP/2.0\r\nVia: SIP/2.0/UDP us;branch=z9hG4bK2\r\n\
             Route: <sip:p1;lr>,<sip:p2;lr>,<sip:p3;lr>\r\nFrom: <sip:9000@b.example>;tag=t\r\n\
             To: \"A, B\" <sip:1@a.example>;x=y;tag=f\r\nCall-ID: c@a\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn the_calling_side_sends_along_the_record_route_upside_down() {
        let response = answer("Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\n");
        let mut dialog = Dialog::caller(&Message::parse(response.as_bytes()).expect("sound"));
        assert!(written(&dialog, Method::Ack, 7).contains("\r\nRoute: <sip:p2;lr>,<sip:p1;lr>\r\n"));
        assert_eq!(dialog.next_seq(), 8);
    }

    #[test]
    fn a_strict_router_becomes_the_request_uri() {
        let request = invite("Record-Route: <sip:p1>, <sip:p2;lr>\r\n");
        let dialog = Dialog::callee(&Message::parse(request.as_bytes()).expect("sound"), "t");
        let bye = written(&dialog, Method::Bye, 1);
        assert!(bye.starts_with("BYE sip:p1 SIP/2.0\r\n"), "RFC 3261 12.2.1.1: {bye}");
        assert!(bye.contains("\r\nRoute: <sip:p2;lr>,<sip:1@192.0.2.1:5070;ob>\r\n"), "{bye}");
    }

    #[test]
    fn requests_are_taken_in_order_and_refresh_the_target() {
        let request = invite("");
        let request = Message::parse(request.as_bytes()).expect("sound");
        let mut dialog = Dialog::callee(&request, "t");
        assert!(!dialog.take(7), "the INVITE's own number is used up (RFC 3261 12.2.2)");
        assert!(dialog.take(9) && !dialog.take(8));
        let response = answer("");
        dialog.refresh(&Message::parse(response.as_bytes()).expect("sound"));
        assert_eq!(dialog.target(), "sip:9@192.0.2.2");
        assert!(!dialog.has(&request), "its To has no tag");
    }

    #[test]
    fn a_forked_dialog_counts_by_itself() {
        let request = invite("Record-Route: <sip:p1;lr>\r\n");
        let mut first = Dialog::callee(&Message::parse(request.as_bytes()).expect("sound"), "t");
        assert!(first.take(8) && first.next_seq() == 1);
        let mut second = first.forked("u", 7);
        assert_eq!((second.local_tag(), second.remote_tag(), second.call_id()), ("u", "f", "c@a"));
        assert!(second.take(8) && second.next_seq() == 1);
        assert_eq!(second.next_hop().map(|uri| uri.as_str().to_owned()).as_deref(), Some("sip:p1;lr"));
    }

    #[test]
    fn the_final_response_sets_target_and_routes_anew() {
        let early = answer("Record-Route: <sip:p1;lr>\r\n");
        let mut dialog = Dialog::caller(&Message::parse(early.as_bytes()).expect("sound"));
        let last = answer("");
        dialog.confirm(&Message::parse(last.as_bytes()).expect("sound"));
        assert_eq!(dialog.next_hop().map(|uri| uri.as_str().to_owned()).as_deref(), Some("sip:9@192.0.2.2"));
    }
}
