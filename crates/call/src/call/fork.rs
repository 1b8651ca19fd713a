//! What callees answer to the INVITEs of a call.

use sip::transaction::Action;
use sip::{Answer, Dialog, HeaderName, Message, Method, Outgoing};

use super::desk::Desk;
use super::incoming::plain;
use super::outgoing::{InviteOut, Purpose, RequestOut, Role};
use super::pair::{Callee, End, Pair, Side};
use super::setup::phrase_of;
use super::{Call, Stage, relay};
use crate::limits::{MAX_EARLY_DIALOGS, MAX_TALK};
use crate::output::Event;
use crate::token::{Kind, Token};

/// Why the other phones stop ringing (RFC 3326).
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

impl Call {
    /// A response to the INVITE at this place of the list, which went to a callee.
    pub(super) fn fork_response(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let Some(fork) = self.invites_out.get_mut(at) else { return };
        let status = response.status().unwrap_or_default();
        match fork.respond(desk, response) {
            Action::Pass if status < 200 => self.provisional(desk, at, response),
            Action::Pass => self.answered(desk, at, response),
            Action::AcknowledgeAndPass => self.branch_failed(desk, at, status, response.bytes()),
            _ => {}
        }
    }

    fn provisional(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let Some(fork) = self.invites_out.get(at) else { return };
        if response.status() == Some(100) || fork.is_cancelled() || self.stage != Stage::Setup {
            return;
        }
        // RFC 3262 3, RFC 3261 13.2.1: from here on the caller's dialog means this callee.
        let commits = response.value(HeaderName::RSeq).is_some() || !response.body().is_empty();
        let pair = match response.to().tag() {
            Some(_) => self.pair_with(desk, at, response, commits, MAX_EARLY_DIALOGS),
            None => (!self.pairs.is_empty()).then_some(0),
        };
        if let Some(pair) = pair {
            self.relay_to_caller(desk, pair, response);
            self.told_waiting(desk);
        }
    }

    /// The pair of the callee's dialog that this response belongs to, made where there is none; `None` if the call
    /// has as many as `most`.
    fn pair_with(
        &mut self,
        desk: &mut Desk<'_>,
        at: usize,
        response: &Message<'_>,
        commits: bool,
        most: usize,
    ) -> Option<usize> {
        let fork = self.invites_out.get(at)?;
        let Role::Fork { follow, .. } = fork.role else { return None };
        let (leg, hop) = (fork.part, fork.hop);
        let tag = response.to().tag().unwrap_or_default();
        let known = self.pairs.iter().position(|pair| pair.is_with(leg, tag));
        let place = match known.or_else(|| self.pairs.iter().position(|pair| !pair.committed)) {
            Some(place) => place,
            None if self.pairs.len() < most => self.add_pair(desk)?,
            None => return None,
        };
        let pair = self.pairs.get_mut(place)?;
        if known.is_none() {
            pair.callee = Some(Callee { leg, side: Side::new(Dialog::caller(response), hop, follow) });
        }
        pair.committed |= commits;
        Some(place)
    }

    /// One more early dialog with the caller.
    fn add_pair(&mut self, desk: &mut Desk<'_>) -> Option<usize> {
        let seq = self.first_invite()?.seq;
        let number = self.part();
        let tag = Token::draw(Kind::Caller, self.number, number, desk.draw);
        let pattern = &self.pairs.first()?.caller;
        let caller = Side { dialog: pattern.dialog.forked(&tag.to_string(), seq), ..*pattern };
        self.pairs.push(Pair { number, committed: false, caller, callee: None });
        Some(self.pairs.len() - 1)
    }

    /// Passes a provisional or successful response on to the caller, in the dialog of this pair.
    fn relay_to_caller(&mut self, desk: &mut Desk<'_>, pair: usize, response: &Message<'_>) {
        let status = response.status().unwrap_or_default();
        self.hear(desk, End::Callee, response);
        let Some(pair) = self.pairs.get(pair) else { return };
        let dialog = &pair.caller.dialog;
        let first = self.invites_in.iter_mut().find(|invite| invite.origin.is_none() && invite.tx.is_open());
        let Some(invite) = first else { return };
        let contact = invite.contact(desk);
        let answer = Answer::new(status).reason(phrase_of(response)).tag(dialog.local_tag());
        invite.answer(desk, answer, |answer| {
            relay::pass(response, dialog.record_route(answer).header(HeaderName::Contact, contact));
        });
    }

    fn answered(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let Some(fork) = self.invites_out.get(at) else { return };
        let (leg, tag) = (fork.part, response.to().tag().unwrap_or_default());
        if fork.has_acknowledged(tag) {
            return fork.repeat_ack(desk, tag);
        }
        if self.stage == Stage::Setup
            && !fork.is_cancelled()
            && self.first_invite().is_some()
            && let Some(pair) = self.pair_with(desk, at, response, true, usize::MAX)
        {
            return self.connect(desk, at, pair, response);
        }
        // The winner's answer, which waits for the caller's ACK; or one that came too late.
        if !self.pairs.iter().any(|pair| pair.is_with(leg, tag)) {
            self.decline_answer(desk, at, response);
        }
    }

    /// Joins the caller with the callee who answered.
    fn connect(&mut self, desk: &mut Desk<'_>, at: usize, pair: usize, response: &Message<'_>) {
        self.relay_to_caller(desk, pair, response);
        let mut winner = self.pairs.swap_remove(pair);
        if let Some(callee) = &mut winner.callee {
            callee.side.confirm(response);
        }
        let losers = std::mem::replace(&mut self.pairs, vec![winner]);
        self.part_with(losers);
        self.callee = self.invites_out.get(at).and_then(|fork| fork.extension().map(Into::into));
        (self.stage, self.best, self.invite) = (Stage::Talking, None, Box::default());
        self.cancel_forks(desk, ELSEWHERE);
        self.until = desk.after(MAX_TALK);
        self.offer_answered(desk);
        desk.event(Event::CallAnswered { call: self.number });
    }

    /// Acknowledges an answer that nobody wants any more, and hangs up (RFC 3261 13.2.2.4). A branch that has given as
    /// many answers as it may is heard no more, since each would be sent a goodbye of its own.
    fn decline_answer(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let Some(fork) = self.invites_out.get(at).filter(|fork| fork.takes_answers()) else { return };
        let (leg, follow, hop) = (fork.part, matches!(fork.role, Role::Fork { follow: true, .. }), fork.hop);
        let tag = response.to().tag().unwrap_or_default();
        // RFC 3261 12.2.1.1: the numbers go on where a PRACK has left them.
        let known = self.parted.iter().position(|callee| callee.is(leg, tag));
        let mut side = match known {
            Some(at) => self.parted.swap_remove(at).side,
            None => Side::new(Dialog::caller(response), hop, follow),
        };
        side.confirm(response);
        self.acknowledge(desk, at, &side, None);
        self.say_bye(desk, &mut side, None, None);
    }

    /// Sends the ACK of the answer in this dialog to the INVITE at this place; with what the other party's ACK said.
    pub(super) fn acknowledge(&mut self, desk: &mut Desk<'_>, at: usize, side: &Side, said: Option<&Message<'_>>) {
        let branch = self.branch(desk);
        let Some(invite) = self.invites_out.get_mut(at) else { return };
        let mut bytes = Vec::with_capacity(512);
        let ack = side.dialog.request(Method::Ack, invite.seq, &desk.via(side.hop, branch), &mut bytes);
        let ack = ack.number(HeaderName::MaxForwards, hops_left(said));
        finish(ack, said);
        invite.acknowledge(desk, side.dialog.remote_tag(), side.hop, bytes);
    }

    /// Sends a BYE in this dialog; with what the other party's BYE said. What has not reached it yet does not follow: whoever
    /// asked for it hears 481, as from a party that has hung up.
    pub(super) fn say_bye(
        &mut self,
        desk: &mut Desk<'_>,
        side: &mut Side,
        to: Option<End>,
        said: Option<&Message<'_>>,
    ) {
        for request in self.requests_out.extract_if(.., |out| out.tx.is_open() && out.is_within(&side.dialog)) {
            let Purpose::Relay { request_in, .. } = request.purpose else { continue };
            if let Some(known) = self.requests_in.iter_mut().find(|known| known.part == request_in) {
                known.answer(desk, Answer::new(481), plain);
            }
        }
        let branch = self.branch(desk);
        let seq = side.dialog.next_seq();
        let mut bytes = Vec::with_capacity(512);
        let bye = side.dialog.request(Method::Bye, seq, &desk.via(side.hop, branch), &mut bytes);
        let bye = bye.number(HeaderName::MaxForwards, hops_left(said));
        finish(bye, said);
        self.requests_out.push(RequestOut::send(desk, branch, Purpose::Bye { to }, side.hop, bytes));
    }

    /// A callee refused or could not be reached.
    pub(super) fn branch_failed(&mut self, desk: &mut Desk<'_>, at: usize, status: u16, response: &[u8]) {
        let Some(fork) = self.invites_out.get(at) else { return };
        let (leg, cancelled) = (fork.part, fork.is_cancelled());
        if self.stage != Stage::Setup {
            return;
        }
        self.forget_callee(leg);
        if cancelled {
            return;
        }
        self.keep_best(status, response);
        if status >= 600 {
            // RFC 3261 16.7 point 5: nobody else is to be asked.
            self.cancel_forks(desk, "");
        }
        if !self.is_ringing() {
            self.until = model::Time::NEVER;
            self.all_failed(desk);
        }
    }

    /// Lets go of these dialogs with callees. Only one that is committed can have been used yet.
    pub(super) fn part_with(&mut self, pairs: Vec<Pair>) {
        let committed = pairs.into_iter().filter(|pair| pair.committed);
        self.parted.extend(committed.filter_map(|pair| pair.callee));
    }

    /// Parts the caller's dialogs from those of a leg that is no more.
    pub(super) fn forget_callee(&mut self, leg: u32) {
        for pair in &mut self.pairs {
            let callee = pair.callee.take_if(|callee| callee.leg == leg);
            self.parted.extend(callee.filter(|_| pair.committed));
        }
        // A dialog that was committed means nobody any more; one is kept as the pattern of others.
        while self.pairs.len() > 1 {
            let Some(dead) = self.pairs.iter().position(|pair| pair.committed && pair.callee.is_none()) else { break };
            self.pairs.swap_remove(dead);
        }
    }
}

impl InviteOut {
    /// True if this is the INVITE to the callee of that leg.
    pub(super) const fn is_leg(&self, leg: u32) -> bool {
        self.is_fork() && self.part == leg
    }
}

/// How many hops a request may still go on the other leg.
pub(super) fn hops_left(said: Option<&Message<'_>>) -> u32 {
    said.and_then(Message::max_forwards).unwrap_or(70).saturating_sub(1).into()
}

fn finish(request: Outgoing<'_>, said: Option<&Message<'_>>) {
    match said {
        Some(said) => relay::pass(said, request),
        None => request.finish(),
    }
}
