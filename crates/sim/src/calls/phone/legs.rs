//! A leg of a call as a phone has it.

use std::collections::BTreeSet;

use model::{Span, Time};
use sip::{Dialog, Message};

use super::Phone;
use super::reliable::{Early, Unpracked};
use super::wire::call_of;
use super::words::MOST_TRIES;
use crate::plan::{CallPlan, PhonePlan, Says};

/// A leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) number: u64,
    pub(super) call: u32,
    pub(super) is_caller: bool,
    pub(super) state: State,
    pub(super) dialog: Option<Dialog>,
    /// The INVITE that began it.
    pub(super) invite: Vec<u8>,
    /// The number that was dialled.
    pub(super) to: u32,
    /// The last ACK, for repeated answers.
    pub(super) ack: Option<Vec<u8>>,
    /// The 2xx that waits for its ACK, with the sequence number of its INVITE, the pause and the end of repeating it.
    pub(super) unacknowledged: Option<(Vec<u8>, u32, Span, Time)>,
    /// The refusal that waits for its ACK.
    pub(super) refusal: Option<(Vec<u8>, Span, Time)>,
    pub(super) cancelled: bool,
    pub(super) acknowledges: bool,
    pub(super) stutters: bool,
    /// It takes reliable provisional responses.
    pub(super) reliable: bool,
    pub(super) talks: Option<Span>,
    pub(super) holds: Option<Span>,
    /// Re-INVITEs that may still be tried.
    pub(super) hold_tries: u32,
    /// What it says within the dialog, and how often it may still try.
    pub(super) says: Option<Says>,
    pub(super) says_tries: u32,
    /// The tags of the provisional responses that a caller has heard: each is an early dialog (RFC 3261 12.1).
    pub(super) rung: BTreeSet<String>,
    /// The callees who have rung reliably, for a caller.
    pub(super) early: Vec<Early>,
    /// The ringing that waits for its PRACK, for a callee.
    pub(super) unpracked: Option<Unpracked>,
    /// Its final answer was told.
    pub(super) told: bool,
}

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The caller waits for an answer, or the callee has not given one.
    Inviting,
    /// The callee has answered and waits for the ACK.
    Answered,
    /// Both ends talk.
    Talking,
    /// A BYE of this side is on its way.
    Ending,
    /// Nothing more comes.
    Over,
}

impl Leg {
    /// The end of a caller who has just sent this INVITE.
    pub(super) fn calling(number: u64, call: u32, plan: &CallPlan, invite: Vec<u8>) -> Self {
        Self {
            number,
            call,
            is_caller: true,
            state: State::Inviting,
            dialog: None,
            invite,
            to: plan.to,
            ack: None,
            unacknowledged: None,
            refusal: None,
            cancelled: false,
            acknowledges: plan.acknowledges,
            stutters: plan.stutters,
            reliable: plan.reliable,
            talks: plan.talks,
            holds: plan.holds,
            hold_tries: 2,
            says: plan.says,
            says_tries: MOST_TRIES,
            rung: BTreeSet::new(),
            early: Vec::new(),
            unpracked: None,
            told: false,
        }
    }

    /// The end of a callee who gets this INVITE, and answers with this tag.
    pub(super) fn called(number: u64, plan: &PhonePlan, invite: &Message<'_>, tag: &str) -> Self {
        let as_call = CallPlan {
            talks: plan.talks,
            holds: plan.holds,
            says: plan.says,
            ..CallPlan::honest(Time::ZERO, 0, plan.number)
        };
        let call = call_of(invite).unwrap_or_default();
        Self {
            is_caller: false,
            dialog: Some(Dialog::callee(invite, tag)),
            ..Self::calling(number, call, &as_call, invite.bytes().to_vec())
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over && self.unacknowledged.is_none() && self.refusal.is_none()
    }

    pub(super) fn describe(&self) -> String {
        format!("call {} as {} {:?}", self.call, if self.is_caller { "caller" } else { "callee" }, self.state)
    }
}

impl Phone {
    pub(super) fn leg_mut(&mut self, number: u64) -> Option<&mut Leg> {
        self.legs.iter_mut().find(|leg| leg.number == number)
    }

    /// The leg whose dialog a request belongs to.
    pub(super) fn leg_of(&self, request: &Message<'_>) -> Option<u64> {
        let has = |leg: &&Leg| leg.dialog.as_ref().is_some_and(|dialog| dialog.has(request));
        self.legs.iter().find(has).map(|leg| leg.number)
    }

    /// True if a request belongs to an early dialog of a caller.
    pub(super) fn is_early(&self, request: &Message<'_>) -> bool {
        let tag = request.from().tag().unwrap_or_default();
        let has = |leg: &Leg| {
            leg.rung.contains(tag)
                && Message::parse(&leg.invite).is_ok_and(|known| known.call_id() == request.call_id())
        };
        self.legs.iter().any(|leg| leg.state == State::Inviting && has(leg))
    }

    /// The leg whose refusal this ACK is for.
    pub(super) fn leg_refused(&self, ack: &Message<'_>) -> Option<u64> {
        let of = |leg: &&Leg| {
            Message::parse(&leg.invite).is_ok_and(|invite| {
                invite.call_id() == ack.call_id() && invite.top_via().branch() == ack.top_via().branch()
            })
        };
        self.legs.iter().filter(|leg| leg.refusal.is_some()).find(of).map(|leg| leg.number)
    }
}
