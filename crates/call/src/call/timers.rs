//! What is due in a call.

use model::Time;
use sip::transaction::Action;

use super::desk::Desk;
use super::outgoing::{InviteOut, Purpose, RequestOut, Role};
use super::{Call, Stage};

impl Call {
    /// When something is due. What lingers for repeated messages only is swept out all at once, when the last of it
    /// is over, so that it costs one visit.
    pub(crate) fn deadline(&self) -> Time {
        if self.is_doubted {
            return Time::ZERO;
        }
        let mut due = if self.stage == Stage::Setup { self.until.min(self.expires) } else { self.until };
        let mut linger = Time::ZERO;
        for invite in &self.invites_in {
            due = due.min(invite.deadline());
            if invite.tx.is_lingering() {
                linger = linger.max(invite.tx.deadline());
            }
        }
        for invite in &self.invites_out {
            due = due.min(invite.deadline());
            linger = linger.max(invite.linger());
        }
        for request in self.requests_in.iter().filter(|request| request.tx.is_lingering()) {
            linger = linger.max(request.tx.deadline());
        }
        for request in &self.requests_out {
            if request.tx.is_lingering() {
                linger = linger.max(request.tx.deadline());
            } else {
                due = due.min(request.tx.deadline());
            }
        }
        if self.stage != Stage::Ended {
            due = due.min(self.ask_at).min(self.refresh_deadline());
        }
        if let Some(waiting) = &self.waiting {
            due = due.min(waiting.deadline());
        }
        if linger > Time::ZERO { due.min(linger) } else { due }
    }

    /// Does what is due.
    pub(crate) fn expire(&mut self, desk: &mut Desk<'_>) {
        self.ask_parties(desk);
        self.ask_about_flows(desk);
        self.refresh_parties(desk);
        self.expire_invites_in(desk);
        self.expire_invites_out(desk);
        self.expire_requests_out(desk);
        if self.stage == Stage::Setup && self.expires <= desk.now {
            self.refuse(desk, 487, None);
        }
        if self.until <= desk.now {
            self.until = Time::NEVER;
            self.run_out(desk);
        }
        self.expire_waiting(desk);
        self.tidy(desk);
    }

    fn expire_invites_in(&mut self, desk: &mut Desk<'_>) {
        let mut unacknowledged = false;
        for invite in &mut self.invites_in {
            unacknowledged |= invite.expire(desk);
        }
        match (unacknowledged, self.stage) {
            // RFC 3261 13.3.1.4: without an ACK the dialog is confirmed, but the session ends.
            (true, Stage::Talking) => self.hang_up(desk, None, None),
            (true, Stage::Ended) => self.late_bye(desk),
            _ => {}
        }
    }

    fn expire_invites_out(&mut self, desk: &mut Desk<'_>) {
        for at in 0..self.invites_out.len() {
            let Some(invite) = self.invites_out.get_mut(at).filter(|invite| invite.deadline() <= desk.now) else {
                continue;
            };
            if invite.expire(desk) == Action::TimedOut {
                self.no_answer(desk, at, 408);
            }
        }
    }

    /// The INVITE at this place came to nothing, for want of an answer or of a connection.
    fn no_answer(&mut self, desk: &mut Desk<'_>, at: usize, status: u16) {
        let Some(invite) = self.invites_out.get(at) else { return };
        match invite.role {
            Role::Fork { .. } => self.branch_failed(desk, at, status, &[]),
            Role::Within { .. } => self.reinvite_failed(desk, at, status),
            Role::Refresh { pair, to } => self.refresh_unanswered(desk, pair, to),
        }
        if let Some(invite) = self.invites_out.get_mut(at) {
            invite.give_up();
        }
    }

    fn expire_requests_out(&mut self, desk: &mut Desk<'_>) {
        for at in 0..self.requests_out.len() {
            let Some(request) = self.requests_out.get_mut(at).filter(|request| request.tx.deadline() <= desk.now)
            else {
                continue;
            };
            if request.expire(desk) == Action::TimedOut {
                self.request_failed(desk, at);
            }
        }
    }

    /// The request at this place got no answer. Who sent it gets none either: by now its own transaction is over
    /// (RFC 4320 4.2).
    fn request_failed(&mut self, desk: &mut Desk<'_>, at: usize) {
        let Some(request) = self.requests_out.get(at) else { return };
        match request.purpose {
            Purpose::Relay { pair, to, request_in } => {
                self.requests_in.retain(|known| known.part != request_in);
                self.lost_dialog(desk, pair, to, 408);
            }
            Purpose::Ask { pair, to } => self.lost_dialog(desk, pair, to, 408),
            Purpose::Probe { to, .. } => self.party_is_silent(desk, to),
            Purpose::Refresh { pair, to } => self.refresh_unanswered(desk, pair, to),
            Purpose::Bye { .. } => {}
        }
    }

    /// It rang, or the parties talked, for as long as they may.
    fn run_out(&mut self, desk: &mut Desk<'_>) {
        match self.stage {
            Stage::Setup if self.waiting.is_some() => self.offer_rang_out(desk),
            // RFC 3261 16.8: as if the callee had answered 408.
            Stage::Setup => self.refuse(desk, 408, None),
            Stage::Talking => self.hang_up(desk, None, None),
            Stage::Ended => {}
        }
    }

    /// A connection to this peer stands. What something said meanwhile would have overtaken has not waited for it, and is said now if it
    /// still is to be.
    pub(crate) fn reachable(&mut self, desk: &mut Desk<'_>, peer: std::net::SocketAddr) {
        for invite in self.invites_in.iter().filter(|invite| invite.hop().is_stream_to(peer)) {
            invite.say_again(desk);
        }
        let is_wanted = |out: &&InviteOut| !out.is_fork() && self.stage != Stage::Ended;
        for invite in self.invites_out.iter().filter(|out| out.hop.is_stream_to(peer) && is_wanted(out)) {
            invite.say_again(desk);
        }
        for request in self.requests_out.iter().filter(|out| out.hop.is_stream_to(peer) && !out.is_bye()) {
            request.say_again(desk);
        }
    }

    /// A connection to this peer could not be opened: what was sent there did not arrive (RFC 3261 17.1.4, 18.4). A new call tries
    /// somebody else. Who is in a call may have lost his connection a moment ago and comes back: he is asked again until then, as is what
    /// has been sent before on a connection that has ended.
    pub(crate) fn unreachable(&mut self, desk: &mut Desk<'_>, peer: std::net::SocketAddr) {
        for at in 0..self.invites_out.len() {
            let Some(invite) =
                self.invites_out.get_mut(at).filter(|invite| invite.hop.is_stream_to(peer) && invite.tx.is_reliable())
            else {
                continue;
            };
            if !matches!(invite.role, Role::Fork { .. }) {
                invite.flow_lost(desk);
            } else if invite.tx.fail(desk.now) == Action::Failed {
                self.no_answer(desk, at, 503);
            }
        }
        let unanswered = |request: &&mut RequestOut| request.hop.is_stream_to(peer) && request.tx.is_reliable();
        for request in self.requests_out.iter_mut().filter(unanswered) {
            request.flow_lost(desk);
        }
        self.tidy(desk);
    }
}
