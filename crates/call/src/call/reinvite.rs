//! INVITEs within a dialog, and the ACKs of all INVITEs.

use sip::transaction::Action;
use sip::{Answer, Dialog, HeaderName, Message, Method};

use super::desk::Desk;
use super::fork::hops_left;
use super::incoming::{Arrival, InviteIn, Origin, key_of, plain};
use super::inside::{Objection, end_of};
use super::outgoing::{InviteOut, Role};
use super::pair::{End, Side};
use super::setup::passed;
use super::{Call, relay};
use crate::limits::RING_PATIENCE;
use crate::token::Token;

impl InviteIn {
    /// The end that it came from.
    pub(super) fn end(&self) -> End {
        self.origin.map_or(End::Caller, |origin| origin.end)
    }
}

impl InviteOut {
    /// True if it was sent on behalf of the INVITE that came from the other end.
    pub(super) const fn answers(&self, came: &InviteIn) -> bool {
        match self.role {
            Role::Fork { .. } => came.origin.is_none(),
            Role::Within { invite_in, .. } => came.origin.is_some() && came.part == invite_in,
            Role::Refresh { .. } => false,
        }
    }
}

impl Call {
    /// RFC 3261 14.2: one INVITE at a time, 500 for the second of the same end, 491 for two that cross.
    pub(super) fn object_to_invite(&self, end: End) -> Option<Objection> {
        if self.is_refreshing() {
            return Some(Objection::Status(491));
        }
        let busy = self.invites_in.iter().find(|invite| invite.is_busy())?;
        Some(if busy.end() == end { Objection::Pending } else { Objection::Status(491) })
    }

    /// Passes an INVITE on within the dialog.
    pub(super) fn reinvite(&mut self, desk: &mut Desk<'_>, origin: Origin, request: &Message<'_>, arrival: &Arrival) {
        let (part, branch, to) = (self.part(), self.branch(desk), origin.end.other());
        let trusted = self.trusts(origin.end);
        self.ask_no_more(desk, origin.pair, to);
        let Some(pair) = self.pairs.iter_mut().find(|pair| pair.number == origin.pair) else { return };
        if let Some(side) = pair.side_mut(origin.end) {
            side.refresh(request);
        }
        let Some(side) = pair.side_mut(to) else { return };
        let seq = side.dialog.next_seq();
        let mut bytes = Vec::with_capacity(1024);
        let onto = side
            .dialog
            .request(Method::Invite, seq, &desk.via(side.hop, branch), &mut bytes)
            .number(HeaderName::MaxForwards, hops_left(Some(request)))
            .header(HeaderName::Contact, desk.contact(side.hop));
        relay::pass_from(request, trusted, onto);
        let hop = side.hop;
        let role = Role::Within { pair: origin.pair, to, invite_in: part };
        self.invites_in.push(InviteIn::new(part, Some(origin), request, arrival));
        self.trying(desk, request);
        self.invites_out.push(InviteOut::send(desk, branch, role, hop, seq, bytes));
    }

    /// A response to the INVITE at this place of the list, which went out within a dialog.
    pub(super) fn reinvite_response(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let Some(invite) = self.invites_out.get_mut(at) else { return };
        let Role::Within { pair, to, .. } = invite.role else { return };
        let status = response.status().unwrap_or_default();
        let tag = response.to().tag().unwrap_or_default();
        let offer = invite.description();
        let action = invite.respond(desk, response);
        // Timer C of RFC 3261 16.7 point 2, since after a provisional response no other timer runs.
        invite.tx.end_at(desk.after(RING_PATIENCE));
        match action {
            Action::Pass if status < 200 && status > 100 => self.relay_reinvite_response(desk, at, response),
            Action::Pass if status >= 200 && invite.has_acknowledged(tag) => invite.repeat_ack(desk, tag),
            Action::Pass if status >= 200 => {
                self.agreed(desk, to, offer, response);
                self.reinvite_accepted(desk, at, to, response);
            }
            Action::AcknowledgeAndPass => {
                self.relay_reinvite_response(desk, at, response);
                self.lost_dialog(desk, pair, to, status);
            }
            _ => {}
        }
    }

    fn reinvite_accepted(&mut self, desk: &mut Desk<'_>, at: usize, to: End, response: &Message<'_>) {
        let Some(hop) = self.invites_out.get(at).map(|invite| invite.hop) else { return };
        if let Some(side) = self.pairs.first_mut().and_then(|pair| pair.side_mut(to)) {
            side.refresh(response);
        }
        if self.came_for(at).is_some_and(|invite| invite.tx.is_open()) {
            return self.relay_reinvite_response(desk, at, response);
        }
        // The other end was refused meanwhile, so nobody will acknowledge this (RFC 3261 13.2.2.4).
        if self.came_for(at).is_none_or(|invite| !invite.awaits_ack()) {
            let ours = self.pairs.first().and_then(|pair| pair.side(to)).cloned();
            // A goodbye that crossed the answer has taken the dialog with it.
            let side = ours.unwrap_or_else(|| Side::new(Dialog::caller(response), hop, false));
            self.acknowledge(desk, at, &side, None);
        }
    }

    /// The INVITE on behalf of which the one at this place of the list was sent.
    fn came_for(&mut self, at: usize) -> Option<&mut InviteIn> {
        let out = self.invites_out.get(at)?;
        self.invites_in.iter_mut().find(|invite| out.answers(invite))
    }

    fn relay_reinvite_response(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let status = response.status().unwrap_or_default();
        let Some(invite) = self.came_for(at) else { return };
        let contact = invite.contact(desk);
        invite.answer(desk, passed(response), |answer| {
            let own = if status < 300 { answer.header(HeaderName::Contact, contact) } else { answer };
            relay::pass(response, own);
        });
    }

    /// Answers the INVITE that the one at this place was sent for, as nothing came back.
    pub(super) fn reinvite_failed(&mut self, desk: &mut Desk<'_>, at: usize, status: u16) {
        if let Some(invite) = self.came_for(at) {
            invite.answer(desk, Answer::new(status), plain);
        }
        if let Some(&Role::Within { pair, to, .. }) = self.invites_out.get(at).map(|invite| &invite.role) {
            self.lost_dialog(desk, pair, to, 408);
        }
    }

    /// The ACK of a refusal came without a tag of ours.
    pub(super) fn ack_refusal(&mut self, desk: &mut Desk<'_>, ack: &Message<'_>) {
        let key = key_of(ack);
        if let Some(invite) = self.invites_in.iter_mut().find(|invite| *invite.key() == *key && !invite.awaits_ack()) {
            invite.ack(desk.now);
        }
    }

    /// An ACK came: that of a refusal ends a transaction, that of an answer goes on to who answered, with its body.
    pub(super) fn ack(&mut self, desk: &mut Desk<'_>, tag: Token, ack: &Message<'_>) {
        let key = key_of(ack);
        let end = end_of(tag);
        let seq = ack.cseq().number;
        let named = |invite: &InviteIn| *invite.key() == *key || (invite.seq == seq && Some(invite.end()) == end);
        let Some(at) = self.invites_in.iter().position(named) else { return };
        let Some(invite) = self.invites_in.get_mut(at) else { return };
        if !invite.ack(desk.now) {
            return;
        }
        let end = invite.end();
        let Some(place) = self.locate(tag, ack).map(|(pair, _)| pair) else { return };
        if self.stage == super::Stage::Ended {
            return self.late_bye(desk);
        }
        let Some(invite) = self.invites_in.get(at) else { return };
        let Some(callee) = self.pairs.get(place).and_then(|pair| pair.callee.as_ref()) else { return };
        let of_leg = |out: &InviteOut| out.answers(invite) && (!out.is_fork() || out.is_leg(callee.leg));
        let Some(out) = self.invites_out.iter().position(of_leg) else { return };
        self.hear(desk, end, ack);
        let side = self.pairs.get(place).and_then(|pair| pair.side(end.other())).cloned();
        if let Some(side) = side {
            self.acknowledge(desk, out, &side, Some(ack));
        }
    }
}
