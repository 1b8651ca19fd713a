//! What the parties say to each other within a dialog: relayed from end to end.

use sip::transaction::Action;
use sip::{Answer, HeaderName, Message, Method, Outgoing};

use super::desk::Desk;
use super::fork::hops_left;
use super::incoming::{Arrival, InviteIn, Origin, RequestIn, key_of};
use super::outgoing::{Purpose, RequestOut};
use super::pair::End;
use super::setup::passed;
use super::{Call, METHODS, Stage, relay, reply};
use crate::draw::number_of;
use crate::limits::MAX_REQUESTS;
use crate::token::{Kind, Token};

/// Why a request within a dialog is refused, with the headers that say more.
pub(super) enum Objection {
    Status(u16),
    /// 420 (RFC 3261 8.2.2.3).
    Unsupported,
    /// 405 (RFC 3261 8.2.1).
    Method,
    /// 500 with a Retry-After of up to ten seconds, by chance (RFC 3261 14.2, 21.5.1, RFC 3311 5.2).
    Pending,
}

impl Call {
    /// A request other than ACK and CANCEL whose To has a tag of this call.
    pub(super) fn request_inside(&mut self, desk: &mut Desk<'_>, tag: Token, request: &Message<'_>, arrival: &Arrival) {
        let key = key_of(request);
        if let Some(invite) = self.invites_in.iter_mut().find(|invite| *invite.key() == *key) {
            return invite.again(desk, arrival);
        }
        if let Some(known) = self.requests_in.iter_mut().find(|known| *known.key() == *key) {
            return known.again(desk, arrival);
        }
        // A caller who is owed a goodbye knows the dialog.
        let is_known = |end| self.stage != Stage::Ended || end == End::Caller;
        let Some((at, end)) = self.locate(tag, request).filter(|(_, end)| is_known(*end)) else {
            return reply(desk, request, arrival, 481);
        };
        let Some(pair) = self.pairs.get_mut(at) else { return };
        let origin = Origin { pair: pair.number, end };
        // RFC 3261 12.2.2: out of order is a server error.
        let in_order = pair.side_mut(end).is_some_and(|side| {
            side.hear_from(arrival.from);
            side.dialog.take(request.cseq().number)
        });
        let objection = if in_order { self.object(at, end, request) } else { Some(Objection::Status(500)) };
        match (objection, request.method()) {
            (Some(objection), _) => self.refuse_inside(desk, origin, request, arrival, &objection),
            (None, Method::Bye) => self.bye(desk, origin, request, arrival),
            (None, Method::Invite) => self.reinvite(desk, origin, request, arrival),
            (None, _) => self.relay_request(desk, origin, request, arrival),
        }
    }

    /// What speaks against relaying a request of this pair's end.
    fn object(&self, at: usize, end: End, request: &Message<'_>) -> Option<Objection> {
        let method = request.method();
        if matches!(method, Method::Other(_)) {
            return Some(Objection::Status(501));
        }
        if method == Method::Register || !METHODS.contains(&method) {
            return Some(Objection::Method);
        }
        if relay::unsupported(request).next().is_some() {
            return Some(Objection::Unsupported);
        }
        let pair = self.pairs.get(at)?;
        if method == Method::Bye {
            // RFC 3261 15: a callee must not end a dialog that is still early.
            let early = self.stage == Stage::Setup && end == End::Callee;
            return early.then_some(Objection::Status(481));
        }
        if self.stage == Stage::Ended {
            // RFC 3261 15.1.2: as what was open when the call ended. A 481 would say that it was lost.
            return Some(Objection::Status(487));
        }
        if request.max_forwards() == Some(0) {
            return Some(Objection::Status(483));
        }
        if pair.side(end.other()).is_none() {
            // The callee whom the dialog meant is gone; or nobody has taken it yet, and a caller who waits in a queue must
            // not conclude from a 481 that the call is lost.
            return Some(if pair.committed { Objection::Status(481) } else { Objection::Pending });
        }
        let open = self.requests_in.iter().filter(|known| known.tx.is_open()).count();
        if open + self.invites_in.len() >= MAX_REQUESTS {
            return Some(Objection::Status(503));
        }
        match method {
            Method::Invite => self.object_to_invite(end),
            Method::Update => self.object_to_update(pair.number, end),
            Method::Prack => self.pracked_seq(request, end).is_none().then_some(Objection::Status(481)),
            _ => None,
        }
    }

    /// RFC 3311 5.2: one UPDATE at a time in each direction, and none that crosses another.
    fn object_to_update(&self, pair: u32, end: End) -> Option<Objection> {
        if self.is_refreshing() {
            return Some(Objection::Status(491));
        }
        let open = self.requests_in.iter().filter(|known| known.tx.is_open() && known.is_update);
        let origins = open.filter_map(|known| known.origin).filter(|origin| origin.pair == pair);
        origins.map(|origin| if origin.end == end { Objection::Pending } else { Objection::Status(491) }).next()
    }

    /// The CSeq number on the other leg of the INVITE whose answer a PRACK acknowledges (RFC 3262 7.2).
    fn pracked_seq(&self, prack: &Message<'_>, end: End) -> Option<u32> {
        let rack = prack.rack().ok().flatten()?;
        let came = self.invites_in.iter().find(|invite| invite.end() == end && invite.seq == rack.cseq.number)?;
        self.invites_out.iter().find(|invite| invite.answers(came)).map(|invite| invite.seq)
    }

    fn refuse_inside(
        &mut self,
        desk: &mut Desk<'_>,
        origin: Origin,
        request: &Message<'_>,
        arrival: &Arrival,
        objection: &Objection,
    ) {
        // Up to ten seconds, and the same for whoever has to say it.
        let retry_after = (number_of(&desk.settings.secret, &key_of(request)) % 11) as u32;
        let status = objection.status();
        let unsupported: Vec<&[u8]> = relay::unsupported(request).collect();
        let more = |answer: Outgoing<'_>| match objection {
            Objection::Status(501) | Objection::Method => {
                answer.header(HeaderName::Allow, relay::ALLOW_INSIDE).finish();
            }
            Objection::Unsupported => answer.header(HeaderName::Unsupported, unsupported.join(&b", "[..])).finish(),
            Objection::Pending => answer.number(HeaderName::RetryAfter, retry_after).finish(),
            Objection::Status(_) => answer.finish(),
        };
        let part = self.part();
        if request.method() == Method::Invite && self.invites_in.len() >= MAX_REQUESTS {
            // Without a record, as each would be repeated until its ACK.
            reply(desk, request, arrival, 503);
        } else if request.method() == Method::Invite {
            let mut invite = InviteIn::new(part, Some(origin), request, arrival);
            invite.answer(desk, Answer::new(status), more);
            self.invites_in.push(invite);
        } else {
            let mut known = RequestIn::new(part, Some(origin), request, arrival);
            known.answer(desk, Answer::new(status), more);
            self.requests_in.push(known);
        }
    }

    /// Passes a request on to the other end of its pair.
    fn relay_request(&mut self, desk: &mut Desk<'_>, origin: Origin, request: &Message<'_>, arrival: &Arrival) {
        let (part, branch, to) = (self.part(), self.branch(desk), origin.end.other());
        let method = request.method();
        let pracked = self.pracked_seq(request, origin.end);
        let trusted = self.trusts(origin.end);
        self.ask_no_more(desk, origin.pair, to);
        let Some(pair) = self.pairs.iter_mut().find(|pair| pair.number == origin.pair) else { return };
        pair.committed = true;
        if method == Method::Update
            && let Some(side) = pair.side_mut(origin.end)
        {
            side.refresh(request);
        }
        let Some(side) = pair.side_mut(to) else { return };
        let seq = side.dialog.next_seq();
        let mut bytes = Vec::with_capacity(1024);
        let mut onto = side
            .dialog
            .request(method, seq, &desk.via(side.hop, branch), &mut bytes)
            .number(HeaderName::MaxForwards, hops_left(Some(request)));
        if matches!(method, Method::Update | Method::Notify) {
            onto = onto.header(HeaderName::Contact, desk.contact(side.hop));
        }
        if let (Ok(Some(rack)), Some(seq)) = (request.rack(), pracked) {
            onto = onto.format(HeaderName::RAck, format_args!("{} {seq} {}", rack.rseq, rack.cseq.method));
        }
        relay::pass_from(request, trusted, onto);
        let purpose = Purpose::Relay { pair: origin.pair, to, request_in: part };
        self.requests_in.push(RequestIn::new(part, Some(origin), request, arrival));
        self.requests_out.push(RequestOut::send(desk, branch, purpose, side.hop, bytes));
    }

    /// True if the request at this place has this method.
    pub(super) fn is_method_of(&self, at: usize, method: Method<'_>) -> bool {
        match self.requests_out.get(at).map(|request| request.purpose) {
            Some(Purpose::Bye { .. }) => method == Method::Bye,
            Some(Purpose::Ask { .. } | Purpose::Probe { .. }) => method == Method::Options,
            Some(Purpose::Refresh { .. }) => method == Method::Update,
            Some(Purpose::Relay { request_in, .. }) => {
                self.requests_in.iter().any(|known| known.part == request_in && known.is_method(method))
            }
            None => false,
        }
    }

    /// A response to the request at this place of the list.
    pub(super) fn request_response(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let Some(request) = self.requests_out.get_mut(at) else { return };
        let status = response.status().unwrap_or_default();
        let offer = request.description();
        // RFC 4320 4.1: provisional responses to other requests than INVITE go no further.
        if request.respond(desk.now, status) != Action::Pass || status < 200 {
            return;
        }
        let (pair, to, request_in) = match request.purpose {
            Purpose::Relay { pair, to, request_in } => (pair, to, request_in),
            Purpose::Ask { pair, to } => return self.lost_dialog(desk, pair, to, status),
            Purpose::Probe { pair, to } => return self.party_answers(desk, pair, to, status),
            Purpose::Refresh { pair, to } => return self.refresh_answered(desk, pair, to, response),
            Purpose::Bye { .. } => return,
        };
        let side = self.pairs.iter_mut().find(|known| known.number == pair).and_then(|known| known.side_mut(to));
        if let Some(side) = side
            && response.method() == Method::Update
            && status < 300
        {
            side.refresh(response);
        }
        if (200..300).contains(&status) {
            self.agreed(desk, to, offer, response);
        }
        if let Some(known) = self.requests_in.iter_mut().find(|known| known.part == request_in) {
            let refreshes = response.method() == Method::Update && status < 300;
            let contact = known.contact(desk);
            known.answer(desk, passed(response), |answer| {
                let own = if refreshes { answer.header(HeaderName::Contact, contact) } else { answer };
                relay::pass(response, own);
            });
        }
        self.lost_dialog(desk, pair, to, status);
    }

    /// RFC 3261 12.2.1.2, RFC 5057: a peer that does not know the dialog, or does not answer, has left it. That ends the
    /// call only if the pair is the one that talks: those of other callees, who ring no more, went when it was answered. Who
    /// does not know the dialog needs no goodbye.
    pub(super) fn lost_dialog(&mut self, desk: &mut Desk<'_>, pair: u32, of: End, status: u16) {
        let talks = self.stage == Stage::Talking && self.pairs.iter().any(|known| known.number == pair);
        if matches!(status, 408 | 481) && talks {
            self.hang_up(desk, Some(of).filter(|_| status == 481), None);
        }
    }
}

impl Objection {
    const fn status(&self) -> u16 {
        match self {
            Self::Status(status) => *status,
            Self::Unsupported => 420,
            Self::Method => 405,
            Self::Pending => 500,
        }
    }
}

/// The end of a call that a tag of ours belongs to.
pub(super) const fn end_of(tag: Token) -> Option<End> {
    match tag.kind {
        Kind::Caller => Some(End::Caller),
        Kind::Callee => Some(End::Callee),
        Kind::CallId | Kind::Branch => None,
    }
}
