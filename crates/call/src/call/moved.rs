//! A call that another host has taken over, which serves at an address of its own: nothing that the parties send to the former
//! address is heard any more. [`super::refresh`] tells the parties of a conversation; here is what was under way.
//!
//! What was sent from the former address is answered there, and a server transaction answers each repetition where it has
//! answered first (RFC 3261 17.2.3, 18.2.2). So what waits for an answer is sent as something new, or taken back
//! (docs/decisions/0012).

use model::Time;
use sip::{Answer, HeaderName, Message, Method};

use super::desk::Desk;
use super::incoming::plain;
use super::outgoing::{InviteOut, Purpose, Role, anew};
use super::pair::End;
use super::refresh::Refresh;
use super::{Call, Stage};
use crate::token::{Kind, Token};

impl Call {
    /// True if another host with an address of its own had this call last.
    pub(crate) const fn is_elsewhere(&self, home: u64) -> bool {
        self.home != home
    }

    /// Takes the call over from another host.
    pub(crate) fn come_here(&mut self, desk: &mut Desk<'_>) {
        (self.home, self.is_moved) = (desk.settings.home, true);
        self.refreshes.clear();
        self.invites_in.iter_mut().for_each(|invite| invite.moved(desk));
        self.invites_in.iter_mut().filter(|invite| invite.awaits_ack()).for_each(|invite| invite.flow_lost(desk));
        self.requests_in.iter_mut().for_each(|request| request.moved(desk));
        let mut changed = self.drop_changes(desk);
        self.invites_out.iter().filter(|out| out.is_accepted()).for_each(|out| out.repeat_acks(desk));
        self.acknowledge_pending(desk);
        changed.extend(self.ask_anew(desk));
        match self.stage {
            Stage::Setup => {
                self.ring_anew(desk);
                self.ask_at = desk.now;
            }
            Stage::Talking => {
                self.cancel_anew(desk);
                let ends = self.pairs.iter().flat_map(|pair| [(pair.number, End::Caller), (pair.number, End::Callee)]);
                let refresh = |(pair, to)| Refresh::new(pair, to, changed.contains(&to), desk.now);
                self.refreshes = ends.map(refresh).collect();
            }
            Stage::Ended => {
                self.cancel_anew(desk);
                // The caller's ACK, which his goodbye waits for, has gone elsewhere.
                if self.awaits_ack() {
                    self.invites_in.iter_mut().for_each(super::InviteIn::settle);
                    self.late_bye(desk);
                }
            }
        }
        self.tidy(desk);
    }

    /// INVITEs within the dialog: who has sent one is asked to do so again later. Who got it may have answered, and gives the
    /// session up if nobody acknowledges that (RFC 3261 13.3.1.4), so an ACK follows the CANCEL; it means nothing to one who
    /// had not. Gives the ends whose session may be another one now.
    fn drop_changes(&mut self, desk: &mut Desk<'_>) -> Vec<End> {
        let mut changed = Vec::new();
        for at in 0..self.invites_out.len() {
            let Some(out) = self.invites_out.get_mut(at).filter(|out| !out.is_fork() && out.tx.is_open()) else {
                continue;
            };
            let (Role::Within { pair, to, .. } | Role::Refresh { pair, to }) = out.role else { continue };
            out.take_back(desk);
            changed.push(to);
            if let Some(side) = self.side_of(pair, to).map(|side| side.clone()) {
                self.acknowledge(desk, at, &side, None);
            }
        }
        for invite in self.invites_in.iter_mut().filter(|invite| invite.origin.is_some() && invite.tx.is_open()) {
            invite.answer(desk, Answer::new(491), plain);
        }
        changed
    }

    /// Other requests. A goodbye is said anew; whether what was passed on has arrived, nobody knows, and it might mean twice
    /// as much the second time. Gives the ends whose session may be another one now.
    fn ask_anew(&mut self, desk: &mut Desk<'_>) -> Vec<End> {
        let mut changed = Vec::new();
        for request in std::mem::take(&mut self.requests_out).into_iter().filter(|request| request.tx.is_open()) {
            match request.purpose {
                Purpose::Bye { .. } => {
                    let branch = self.branch(desk);
                    self.requests_out.extend(request.said_anew(desk, branch));
                }
                Purpose::Relay { to, request_in, .. } => {
                    changed.extend(Some(to).filter(|_| !request.description().is_empty()));
                    if let Some(known) = self.requests_in.iter_mut().find(|known| known.part == request_in) {
                        // RFC 3311 5.1: after a 491 it is tried again.
                        let status = if known.is_update { 491 } else { 504 };
                        known.answer(desk, Answer::new(status), plain);
                    }
                }
                Purpose::Ask { .. } | Purpose::Probe { .. } | Purpose::Refresh { .. } => {}
            }
        }
        changed
    }

    /// Rings everybody anew who rings.
    fn ring_anew(&mut self, desk: &mut Desk<'_>) {
        for at in 0..self.invites_out.len() {
            let Some(fork) = self.invites_out.get(at).filter(|out| out.is_fork() && out.tx.is_open()) else { continue };
            let (leg, cancelled, rung) = (fork.part, fork.is_cancelled(), fork.anew());
            self.free(desk, at);
            if !cancelled && let Some((request, role, hop)) = rung {
                self.forget_callee(leg);
                self.ring_like(desk, &request, role, hop);
            }
        }
    }

    fn cancel_anew(&mut self, desk: &mut Desk<'_>) {
        for at in 0..self.invites_out.len() {
            if self.invites_out.get(at).is_some_and(|out| out.is_fork() && out.tx.is_open()) {
                self.free(desk, at);
            }
        }
    }

    /// Takes the INVITE at this place back from a phone that rings, or has answered meanwhile: a goodbye in the dialog that its
    /// ringing has made frees it then (RFC 3261 15).
    fn free(&mut self, desk: &mut Desk<'_>, at: usize) {
        let Some(fork) = self.invites_out.get_mut(at) else { return };
        let leg = fork.part;
        fork.take_back(desk);
        let of_leg = |callee: &&super::Callee| callee.leg == leg;
        let ringing = self.pairs.iter().filter_map(|pair| pair.callee.as_ref()).chain(&self.parted).filter(of_leg);
        let sides: Vec<_> = ringing.map(|callee| callee.side.clone()).collect();
        for mut side in sides {
            self.say_bye(desk, &mut side, None, None);
        }
    }

    /// Rings with an INVITE like this one.
    fn ring_like(&mut self, desk: &mut Desk<'_>, request: &[u8], role: Role, hop: crate::hop::Hop) {
        const SEQ: u32 = 1;
        let Ok(request) = Message::parse(request) else { return };
        let branch = self.branch(desk);
        let tag = Token::draw(Kind::Callee, self.number, branch.part, desk.draw);
        let call_id = Token::draw(Kind::CallId, self.number, branch.part, desk.draw);
        let from = [&sip::dialog::untagged(request.from())[..], format!(";tag={tag}").as_bytes()].concat();
        let bytes = anew(&request, |name| match name {
            HeaderName::Via => Some(desk.via(hop, branch)),
            HeaderName::From => Some(from.clone()),
            HeaderName::CallId => Some(call_id.to_string().into_bytes()),
            HeaderName::CSeq => Some(format!("{SEQ} {}", Method::Invite).into_bytes()),
            HeaderName::Contact => Some(desk.contact(hop)),
            _ => None,
        });
        self.invites_out.push(InviteOut::send_anew(desk, branch, role, hop, SEQ, bytes));
    }

    /// True if what the caller says outside of a dialog, as his CANCEL, goes to another host.
    pub(super) const fn is_called_elsewhere(&self) -> bool {
        self.is_moved
    }

    /// When the first party is told where the call is.
    pub(super) fn refresh_deadline(&self) -> Time {
        self.refreshes.iter().map(|refresh| refresh.at).min().unwrap_or(Time::NEVER)
    }
}
