//! Telling the parties of a call where it is now: a target refresh (RFC 3261 12.2, RFC 3311), which changes nothing else.

use model::{Span, Time};
use serde::{Deserialize, Serialize};
use sip::transaction::Action;
use sip::{Dialog, HeaderName, Message, Method};

use super::desk::Desk;
use super::outgoing::{InviteOut, Purpose, RequestOut, Role};
use super::pair::{End, Side};
use super::party::SDP;
use super::{Call, Stage, relay};
use crate::draw::number_of;
use crate::limits::{ASK_AFTER, ASK_AGAIN, REFRESH_TRIES};

/// A party that has not been told yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refresh {
    pair: u32,
    to: End,
    /// By a re-INVITE, as it takes no UPDATE, or as what it knows of the session may be out of date.
    by_invite: bool,
    tries: u32,
    /// When it is told; never while its answer is awaited.
    pub(super) at: Time,
}

impl Refresh {
    pub(super) const fn new(pair: u32, to: End, by_invite: bool, at: Time) -> Self {
        Self { pair, to, by_invite, tries: 0, at }
    }
}

impl Call {
    /// Tells the parties whose time has come.
    pub(super) fn refresh_parties(&mut self, desk: &mut Desk<'_>) {
        if self.stage != Stage::Talking {
            return;
        }
        for at in 0..self.refreshes.len() {
            let Some(due) = self.refreshes.get(at).filter(|refresh| refresh.at <= desk.now) else { continue };
            let (pair, to, by_invite) = (due.pair, due.to, due.by_invite);
            let next = if self.is_changing(to) { desk.after(ASK_AFTER) } else { Time::NEVER };
            if let Some(refresh) = self.refreshes.get_mut(at) {
                refresh.at = next;
            }
            if next == Time::NEVER && !self.send_refresh(desk, pair, to, by_invite) {
                self.forget_refresh(pair, to);
                return self.refresh_parties(desk);
            }
        }
    }

    /// True while an INVITE is under way in the dialog with this party, or it waits for an ACK (RFC 3261 14.1).
    fn is_changing(&self, to: End) -> bool {
        let waits = |out: &InviteOut| out.tx.is_open() || out.is_accepted() && !out.is_acknowledged();
        self.invites_in.iter().any(|invite| invite.end() == to && invite.tx.is_open())
            || self.invites_out.iter().any(|out| out.goes_to(to) && waits(out))
    }

    /// False if there is no way to tell this party.
    fn send_refresh(&mut self, desk: &mut Desk<'_>, pair: u32, to: End, by_invite: bool) -> bool {
        let branch = self.branch(desk);
        let description = self.party(to).description.clone();
        // Whoever does not say that it takes UPDATE may do so all the same, where nothing else can be said.
        let by_invite = by_invite || (!self.party(to).updates && !description.is_empty());
        if let Some(refresh) = self.refreshes.iter_mut().find(|known| (known.pair, known.to) == (pair, to)) {
            refresh.by_invite = by_invite;
        }
        self.ask_no_more(desk, pair, to);
        let Some(side) = self.side_of(pair, to).filter(|_| !by_invite || !description.is_empty()) else { return false };
        let (method, seq, hop) =
            (if by_invite { Method::Invite } else { Method::Update }, side.dialog.next_seq(), side.hop);
        let mut bytes = Vec::with_capacity(1024);
        let request = side
            .dialog
            .request(method, seq, &desk.via(hop, branch), &mut bytes)
            .number(HeaderName::MaxForwards, 70)
            .header(HeaderName::Contact, desk.contact(hop));
        if by_invite {
            request.header(HeaderName::Allow, relay::ALLOW_INSIDE).body(SDP, &description);
            let role = Role::Refresh { pair, to };
            self.invites_out.push(InviteOut::send_anew(desk, branch, role, hop, seq, bytes));
        } else {
            request.finish();
            self.requests_out.push(RequestOut::send(desk, branch, Purpose::Refresh { pair, to }, hop, bytes));
        }
        true
    }

    pub(super) fn side_of(&mut self, pair: u32, end: End) -> Option<&mut Side> {
        self.pairs.iter_mut().find(|known| known.number == pair)?.side_mut(end)
    }

    fn forget_refresh(&mut self, pair: u32, to: End) {
        self.refreshes.retain(|refresh| (refresh.pair, refresh.to) != (pair, to));
    }

    /// A response to the re-INVITE at this place of the list, by which a party is told.
    pub(super) fn refresh_invite_response(&mut self, desk: &mut Desk<'_>, at: usize, response: &Message<'_>) {
        let Some(invite) = self.invites_out.get_mut(at) else { return };
        let Role::Refresh { pair, to } = invite.role else { return };
        let hop = invite.hop;
        let tag = response.to().tag().unwrap_or_default();
        let status = response.status().unwrap_or_default();
        match invite.respond(desk, response) {
            Action::Pass if status >= 200 && invite.has_acknowledged(tag) => invite.repeat_ack(desk, tag),
            Action::Pass if status >= 200 => {
                self.refresh_answered(desk, pair, to, response);
                let known = self.side_of(pair, to).map(|side| side.clone());
                // A goodbye that crossed the answer has taken the dialog with it.
                let side = known.unwrap_or_else(|| Side::new(Dialog::caller(response), hop, false));
                self.acknowledge(desk, at, &side, None);
            }
            Action::AcknowledgeAndPass => self.refresh_answered(desk, pair, to, response),
            _ => {}
        }
    }

    /// A party has answered what it was told.
    pub(super) fn refresh_answered(&mut self, desk: &mut Desk<'_>, pair: u32, to: End, response: &Message<'_>) {
        let status = response.status().unwrap_or_default();
        let (ours, waits) = (desk.settings.secret, self.awaits_ack());
        let Some(refresh) = self.refreshes.iter_mut().find(|known| (known.pair, known.to) == (pair, to)) else {
            return self.lost_dialog(desk, pair, to, status);
        };
        refresh.tries += 1;
        let again = refresh.tries < REFRESH_TRIES;
        let wait = response.seconds(HeaderName::RetryAfter).ok().flatten().map(|wait| Span::from_secs(wait.into()));
        match status {
            200..300 => {
                self.forget_refresh(pair, to);
                self.is_told(desk, pair, to, response);
            }
            // A caller who has not had our answer yet does not know the dialog.
            481 if again && to == End::Caller && waits => self.refresh_later(desk, pair, to, ASK_AFTER),
            408 | 481 => self.lost_dialog(desk, pair, to, status),
            491 if again => {
                let pause = glare_pause(&ours, response.call_id(), refresh.tries, to == End::Callee);
                self.refresh_later(desk, pair, to, pause);
            }
            500 | 503 | 504 if again => self.refresh_later(desk, pair, to, wait.unwrap_or(ASK_AFTER).min(ASK_AGAIN)),
            _ if !refresh.by_invite && !matches!(status, 401 | 407) => {
                (refresh.by_invite, refresh.tries) = (true, 0);
                self.refresh_later(desk, pair, to, Span::ZERO);
            }
            // It stays in the call, and what it says goes astray.
            _ => self.forget_refresh(pair, to),
        }
    }

    fn refresh_later(&mut self, desk: &mut Desk<'_>, pair: u32, to: End, pause: Span) {
        let at = desk.after(pause);
        if let Some(refresh) = self.refreshes.iter_mut().find(|known| (known.pair, known.to) == (pair, to)) {
            refresh.at = at;
        }
        self.refresh_parties(desk);
    }

    /// Who knows that the call is here is in it, so an ACK that has gone elsewhere is not waited for.
    fn is_told(&mut self, desk: &Desk<'_>, pair: u32, to: End, response: &Message<'_>) {
        if let Some(side) = self.side_of(pair, to) {
            side.refresh(response);
        }
        self.hear(desk, to, response);
        let waits = |invite: &&mut super::InviteIn| invite.end() == to && invite.awaits_ack();
        self.invites_in.iter_mut().filter(waits).for_each(super::InviteIn::settle);
    }

    /// A party does not answer. On a connection it may come back later, as with [`Purpose::Probe`].
    pub(super) fn refresh_unanswered(&mut self, desk: &mut Desk<'_>, pair: u32, to: End) {
        match self.side_of(pair, to).map(|side| side.hop.is_reliable()) {
            Some(true) => self.refresh_later(desk, pair, to, ASK_AGAIN),
            _ => self.lost_dialog(desk, pair, to, 408),
        }
    }

    /// True while a party is being told by a re-INVITE: no other may cross it (RFC 3261 14.1).
    pub(super) fn is_refreshing(&self) -> bool {
        let mut invites = self.invites_out.iter();
        invites.any(|out| matches!(out.role, Role::Refresh { .. }) && out.tx.is_open())
    }
}

/// RFC 3261 14.1: who has made the Call-ID waits between 2.1 and 4 seconds, the other one less than 2. By chance, and the same
/// for whoever has to wait.
fn glare_pause(secret: &[u8; 32], call_id: &str, tries: u32, is_ours: bool) -> Span {
    let chance = number_of(secret, format!("glare {call_id} {tries}").as_bytes());
    Span::from_millis(if is_ours { 2_100 + chance % 191 * 10 } else { chance % 200 * 10 })
}

#[cfg(test)]
mod tests {
    use super::glare_pause;

    #[test]
    fn who_made_the_call_id_waits_longer_than_the_other_one_as_rfc_3261_14_1_says() {
        for tries in 0..500 {
            let [ours, theirs] =
                [true, false].map(|ours| glare_pause(&[7; 32], "call", tries, ours).as_micros() / 1_000);
            assert!((2_100..=4_000).contains(&ours) && ours % 10 == 0, "{ours}");
            assert!(theirs < 2_000 && theirs % 10 == 0, "{theirs}");
        }
    }
}
