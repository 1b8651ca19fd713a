//! From the caller's INVITE to the answer.

use model::{Span, Time};
use sip::dialog::untagged;
use sip::{Answer, Dialog, HeaderName, Message, Method, Outgoing};

use super::desk::{Desk, Target};
use super::incoming::{Arrival, InviteIn};
use super::outgoing::{InviteOut, Role};
use super::pair::{End, Pair, Side};
use super::{Best, Call, Stage, relay};
use crate::limits::RETRY_AFTER;
use crate::output::Event;
use crate::token::{Kind, Token};

/// Who calls whom.
pub(crate) struct Caller<'a> {
    /// The caller's extension, if it is one of ours.
    pub(crate) extension: Option<&'a str>,
    /// True if what it asserts of its identity is believed: it is a trunk (RFC 3325 5).
    pub(crate) trusted: bool,
    /// The number that is called.
    pub(crate) called: &'a str,
}

/// From tag, Call-ID and CSeq: the same in a request that came on another way (RFC 3261 8.2.2.2).
pub(crate) fn merge_key(request: &Message<'_>) -> Box<[u8]> {
    let mut key = Vec::with_capacity(96);
    for part in [request.from().tag().unwrap_or_default(), request.call_id()] {
        key.extend_from_slice(part.as_bytes());
        key.push(0);
    }
    key.extend_from_slice(&request.cseq().number.to_be_bytes());
    key.into_boxed_slice()
}

/// True if what the peer says of itself is no way to it: it asks for a symmetric answer, and its messages do not come
/// from where its Via says (RFC 3581). A connection always comes from another port than the one where its peer listens.
pub(crate) fn is_translated(request: &Message<'_>, arrival: &Arrival) -> bool {
    let via = request.top_via();
    let other_port = !arrival.from.is_reliable() && via.sent_by_port() != arrival.source.port();
    via.rport().is_some() && (via.host().address() != Some(arrival.source.ip()) || other_port)
}

impl Call {
    /// A new call: takes the INVITE in and sends 100.
    pub(crate) fn begin(
        desk: &mut Desk<'_>,
        number: u64,
        invite: &Message<'_>,
        arrival: &Arrival,
        caller: &Caller<'_>,
    ) -> Self {
        let tag = Token::draw(Kind::Caller, number, 0, desk.draw);
        let dialog = Dialog::callee(invite, &tag.to_string());
        let side = Side::new(dialog, arrival.from, !is_translated(invite, arrival));
        let mut call = Self {
            number,
            stage: Stage::Setup,
            since: desk.now,
            from: invite.from().uri().user().map_or_else(Box::default, Into::into),
            to: caller.called.into(),
            caller: caller.extension.map(Into::into),
            trusted: caller.trusted,
            callee: None,
            next_part: 0,
            invite: Box::default(),
            merge: merge_key(invite),
            pairs: vec![Pair { number: 0, committed: false, caller: side, callee: None }],
            invites_in: vec![InviteIn::new(0, None, invite, arrival)],
            invites_out: Vec::new(),
            requests_in: Vec::new(),
            requests_out: Vec::new(),
            best: None,
            until: Time::NEVER,
            waiting: None,
            queue: None,
            agent: None,
            present: Vec::new(),
            parted: Vec::new(),
            expires: match invite.expires() {
                Ok(Some(seconds)) => desk.after(Span::from_secs(seconds.into())),
                Ok(None) | Err(_) => Time::NEVER,
            },
            is_doubted: false,
            ask_at: Time::NEVER,
            is_missed: false,
            parties: Default::default(),
            refreshes: Vec::new(),
            is_moved: false,
            home: desk.settings.home,
        };
        call.hear(desk, End::Caller, invite);
        call.trying(desk, invite);
        desk.event(Event::CallBegan { call: number });
        call
    }

    /// Sends 100, which has no To tag and the request's Timestamp (RFC 3261 8.2.6.1).
    pub(super) fn trying(&mut self, desk: &mut Desk<'_>, request: &Message<'_>) {
        if let Some(invite) = self.invites_in.last_mut() {
            invite.answer(desk, Answer::new(100), |answer| answer.copy_all(request, HeaderName::Timestamp).finish());
        }
    }

    /// Rings these targets at once, until `until`; `invite` is the caller's.
    pub(crate) fn fork(&mut self, desk: &mut Desk<'_>, invite: &Message<'_>, targets: &[Target], until: Time) {
        self.best = None;
        self.until = until;
        targets.iter().for_each(|target| self.ring(desk, invite, target));
        if !self.is_ringing() {
            self.all_failed(desk);
        }
        self.tidy(desk);
    }

    fn ring(&mut self, desk: &mut Desk<'_>, invite: &Message<'_>, target: &Target) {
        const SEQ: u32 = 1;
        let branch = self.branch(desk);
        let tag = Token::draw(Kind::Callee, self.number, branch.part, desk.draw);
        let call_id = Token::draw(Kind::CallId, self.number, branch.part, desk.draw);
        let hops = invite.max_forwards().unwrap_or(70).saturating_sub(1);
        let mut bytes = Vec::with_capacity(1024);
        let request = Outgoing::request(&mut bytes, Method::Invite, &target.uri)
            .header(HeaderName::Via, desk.via(target.hop, branch))
            .number(HeaderName::MaxForwards, hops.into())
            .parts(HeaderName::From, &[&untagged(invite.from()), b";tag=", tag.to_string().as_bytes()])
            .header(HeaderName::To, untagged(invite.to()))
            .format(HeaderName::CallId, format_args!("{call_id}"))
            .format(HeaderName::CSeq, format_args!("{SEQ} {}", Method::Invite))
            .header(HeaderName::Contact, desk.contact(target.hop));
        relay::pass_from(invite, self.trusted, request);
        let role = Role::Fork { extension: target.extension.clone(), follow: target.follow };
        self.invites_out.push(InviteOut::send(desk, branch, role, target.hop, SEQ, bytes));
    }

    /// True while a callee that may still answer rings.
    pub(super) fn is_ringing(&mut self) -> bool {
        self.forks().any(|fork| fork.tx.is_open() && !fork.is_cancelled())
    }

    /// Takes the INVITEs back from all callees that have not answered.
    pub(super) fn cancel_forks(&mut self, desk: &mut Desk<'_>, reason: &str) {
        self.until = Time::NEVER;
        self.forks().for_each(|fork| fork.cancel(desk, reason));
    }

    /// Refuses the caller, with what a callee said where there is something, and lets go of everything.
    pub(crate) fn refuse(&mut self, desk: &mut Desk<'_>, status: u16, said: Option<&Message<'_>>) {
        let tag = self.pairs.first().map_or_else(String::new, |pair| pair.caller.dialog.local_tag().to_owned());
        if let Some(invite) = self.first_invite() {
            let phrase = said.filter(|said| said.status() == Some(status)).map_or("", phrase_of);
            invite.answer(desk, Answer::new(status).reason(phrase).tag(&tag), |answer| match said {
                // The Contact of a redirection is where to call, not who we are (RFC 3261 20.10).
                Some(said) if (300..400).contains(&status) => {
                    relay::pass(said, answer.copy_all(said, HeaderName::Contact));
                }
                Some(said) => relay::pass(said, answer),
                None if status == 503 => answer.number(HeaderName::RetryAfter, RETRY_AFTER).finish(),
                None => answer.finish(),
            });
        }
        self.cancel_forks(desk, "");
        self.end(desk, Some(status));
    }

    /// Refuses the caller before anybody was rung.
    pub(crate) fn decline(&mut self, desk: &mut Desk<'_>, status: u16) {
        self.refuse(desk, status, None);
        self.tidy(desk);
    }

    /// Keeps a refusal if it is better than the one before (RFC 3261 16.7 point 6).
    pub(super) fn keep_best(&mut self, status: u16, response: &[u8]) {
        if self.best.as_ref().is_none_or(|best| rank(status) < rank(best.status)) {
            self.best = Some(Best { status, response: response.into() });
        }
    }

    /// No callee is left that may answer.
    pub(super) fn all_failed(&mut self, desk: &mut Desk<'_>) {
        if self.stage != Stage::Setup {
            return;
        }
        let best = self.best.take().unwrap_or(Best { status: 480, response: Box::default() });
        if self.waiting.is_some() {
            return self.offer_failed(desk, best.status);
        }
        // 16.7 point 6: a 503 says something of that callee's server only, not of this one.
        let status = if best.status == 503 { 500 } else { relay::passed(best.status) };
        match Message::parse(&best.response) {
            Ok(said) => self.refuse(desk, status, Some(&said)),
            Err(_) => self.refuse(desk, status, None),
        }
    }
}

/// The reason phrase of a response; empty, which means the usual one, if it is no text.
pub(super) fn phrase_of<'a>(response: &Message<'a>) -> &'a str {
    match response.start() {
        sip::Start::Response { reason, .. } => str::from_utf8(reason).unwrap_or_default(),
        sip::Start::Request { .. } => "",
    }
}

/// The start of the answer that passes a party's response on to the other one.
pub(super) fn passed<'a>(response: &Message<'a>) -> Answer<'a> {
    let status = response.status().unwrap_or_default();
    let onto = Answer::new(relay::passed(status));
    if onto.status() == status { onto.reason(phrase_of(response)) } else { onto }
}

/// How little a refusal is worth to the caller (RFC 3261 16.7 point 6): 6xx first, then the lowest class, and within
/// 4xx those that tell how to call again. That a callee could not be reached, or asks for a secret, says the least.
const fn rank(status: u16) -> u16 {
    match status {
        600.. => 0,
        300..400 => 1,
        415 | 420 | 484 => 2,
        401 | 407 => 5,
        408 => 4,
        400..500 => 3,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn the_best_refusal_is_chosen_as_rfc_3261_16_7_says() {
        let best_first = [603, 302, 415, 486, 408, 401];
        assert!(best_first.is_sorted_by(|left, right| rank(*left) < rank(*right)));
    }
}
