//! Waiting at a routing point.

use model::Time;
use model::route::{CallNumber, News, Offer, OfferNumber, Unanswered};
use serde::{Deserialize, Serialize};
use sip::{Answer, HeaderName, Message};

use super::desk::{Desk, Effect, Target};
use super::{Call, Stage};
use crate::limits::{DEFAULT_PAUSE, MAX_BRANCHES, QUEUED_AGAIN, QUEUED_AT_LATEST, RING_PATIENCE};

/// Where the caller stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// In the queue.
    InLine,
    /// An agent rings.
    Offered {
        offer: Offer,
        /// False from the moment when the Routing Server begins to tell everything anew until it names this offer.
        named: bool,
    },
    /// The default target rings, as no Routing Server answers.
    AtDefault,
}

/// What is known of a caller at a routing point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    queue: Box<str>,
    since: Time,
    place: Place,
    /// The latest offer that was heard of; the Routing Server numbers its offers upwards. One that is told again after
    /// it came to nothing must not ring again.
    latest: Option<OfferNumber>,
    /// When to send the next 182.
    tell_at: Time,
    /// When to try the default target again, after it gave no answer.
    default_at: Time,
}

impl Waiting {
    pub(super) fn deadline(&self) -> Time {
        self.tell_at.min(self.default_at)
    }

    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    /// The offer that stands.
    pub(crate) const fn offer(&self) -> Option<&Offer> {
        match &self.place {
            Place::Offered { offer, .. } => Some(offer),
            Place::InLine | Place::AtDefault => None,
        }
    }

    /// What the Routing Server has to know; nothing while the default target has the caller.
    pub(crate) fn news(&self, call: u64) -> Option<News> {
        let news = News::Waiting {
            call: CallNumber(call),
            queue: self.queue.to_string(),
            since: self.since,
            offer: self.offer().cloned(),
        };
        (self.place != Place::AtDefault).then_some(news)
    }
}

impl Call {
    /// Puts the caller into the line of a queue; `invite` is kept for the agents to come.
    pub(crate) fn enter_queue(&mut self, desk: &mut Desk<'_>, queue: &str, invite: &Message<'_>) {
        self.invite = invite.bytes().into();
        self.waiting = Some(Box::new(Waiting {
            queue: queue.into(),
            since: desk.now,
            place: Place::InLine,
            latest: None,
            tell_at: desk.after(QUEUED_AT_LATEST),
            default_at: Time::NEVER,
        }));
        desk.effects.push(Effect::Waits(true));
        self.tell_waiting(desk);
        self.tidy(desk);
    }

    fn tell_waiting(&self, desk: &mut Desk<'_>) {
        if let Some(news) = self.waiting().and_then(|waiting| waiting.news(self.number)) {
            desk.news(news);
        }
    }

    /// The Routing Server says that no agent is free: tells the caller.
    pub(crate) fn queued(&mut self, desk: &mut Desk<'_>) {
        if self.waiting().is_some_and(|waiting| waiting.place == Place::InLine) {
            self.send_queued(desk);
        }
    }

    /// Sends 182, again within the time in which a proxy would lose patience (RFC 3261 13.3.1.1).
    ///
    /// A caller that requires reliable provisional responses gets none: ours has no session description to offer
    /// where the INVITE has none (RFC 3262 5), and nobody else speaks yet.
    fn send_queued(&mut self, desk: &mut Desk<'_>) {
        let Some(waiting) = &mut self.waiting else { return };
        waiting.tell_at = desk.after(QUEUED_AGAIN);
        let requires = |invite: Message<'_>| invite.lists(HeaderName::Require, "100rel");
        if Message::parse(&self.invite).is_ok_and(requires) {
            return;
        }
        let Some(dialog) = self.pairs.first().map(|pair| &pair.caller.dialog) else { return };
        let first = self.invites_in.iter_mut().find(|invite| invite.origin.is_none() && invite.tx.is_open());
        if let Some(invite) = first {
            let contact = invite.contact(desk);
            invite.answer(desk, Answer::new(182).tag(dialog.local_tag()), |answer| {
                dialog.record_route(answer).header(HeaderName::Contact, contact).finish();
            });
        }
    }

    /// The caller heard of the phone that rings, which leaves a 182 nothing to say for a while.
    pub(super) fn told_waiting(&mut self, desk: &Desk<'_>) {
        if let Some(waiting) = &mut self.waiting {
            waiting.tell_at = desk.after(QUEUED_AGAIN);
        }
    }

    /// The Routing Server refuses the caller.
    pub(crate) fn turn_away(&mut self, desk: &mut Desk<'_>, status: u16) {
        if self.waiting.is_some() {
            self.refuse(desk, status.clamp(400, 699), None);
        }
    }

    /// Rings an agent for the caller, in place of who rings now; `targets` are the contacts of the extension.
    pub(crate) fn offer(&mut self, desk: &mut Desk<'_>, offer: Offer, targets: &[Target], until: Time) {
        if self.next_part >= MAX_BRANCHES {
            return self.turn_away(desk, 480);
        }
        let Some(waiting) = &mut self.waiting else { return };
        match &mut waiting.place {
            Place::Offered { offer: known, named } if known.number == offer.number => {
                *named = true;
                return;
            }
            // The Routing Server heard that the caller left its queue, and is not to be heard about this call.
            Place::AtDefault => return,
            Place::Offered { .. } | Place::InLine => {}
        }
        if waiting.latest >= Some(offer.number) {
            // Said once more, in case it was not heard: an offer that nobody ends would keep its agent busy.
            let why = Unanswered::NoAnswer;
            return desk.news(News::NotAnswered { call: CallNumber(self.number), offer: offer.number, why });
        }
        waiting.latest = Some(offer.number);
        waiting.default_at = Time::NEVER;
        waiting.place = Place::Offered { offer, named: true };
        self.take_back(desk);
        self.ring_for_waiting(desk, targets, until);
    }

    /// Sends the caller to the default target of its queue.
    pub(crate) fn go_to_default(&mut self, desk: &mut Desk<'_>, targets: &[Target]) {
        let Some(waiting) = &mut self.waiting else { return };
        if waiting.place != Place::InLine {
            return;
        }
        if targets.is_empty() {
            waiting.default_at = desk.after(DEFAULT_PAUSE);
            return;
        }
        waiting.default_at = Time::NEVER;
        waiting.place = Place::AtDefault;
        desk.news(News::Left { call: CallNumber(self.number) });
        self.ring_for_waiting(desk, targets, desk.after(RING_PATIENCE));
    }

    fn ring_for_waiting(&mut self, desk: &mut Desk<'_>, targets: &[Target], until: Time) {
        if targets.is_empty() {
            return self.back_in_line(desk, Unanswered::Unreachable);
        }
        let bytes = std::mem::take(&mut self.invite);
        if let Ok(invite) = Message::parse(&bytes) {
            self.fork(desk, &invite, targets, until);
        }
        if self.stage == Stage::Setup {
            self.invite = bytes;
        }
    }

    /// The Routing Server takes an offer back.
    pub(crate) fn withdraw(&mut self, desk: &mut Desk<'_>, offer: OfferNumber) {
        if self.waiting().and_then(Waiting::offer).is_some_and(|known| known.number == offer) {
            self.back_in_line(desk, Unanswered::NoAnswer);
            self.tidy(desk);
        }
    }

    /// The Routing Server begins to tell everything anew.
    pub(crate) fn unname_offer(&mut self) {
        if let Some(waiting) = &mut self.waiting
            && let Place::Offered { named, .. } = &mut waiting.place
        {
            *named = false;
        }
    }

    /// The Routing Server has told everything: an offer that it did not name is no more.
    pub(crate) fn drop_unnamed_offer(&mut self, desk: &mut Desk<'_>) {
        if self.waiting().is_some_and(|waiting| matches!(waiting.place, Place::Offered { named: false, .. })) {
            self.back_in_line(desk, Unanswered::NoAnswer);
            self.tidy(desk);
        }
    }

    /// Who rings for the waiting caller rings no more.
    fn take_back(&mut self, desk: &mut Desk<'_>) {
        let legs: Vec<u32> = self.forks().map(|fork| fork.part).collect();
        self.cancel_forks(desk, "");
        legs.into_iter().for_each(|leg| self.forget_callee(leg));
    }

    fn back_in_line(&mut self, desk: &mut Desk<'_>, why: Unanswered) {
        self.take_back(desk);
        let Some(waiting) = &mut self.waiting else { return };
        match std::mem::replace(&mut waiting.place, Place::InLine) {
            Place::Offered { offer, .. } => {
                desk.news(News::NotAnswered { call: CallNumber(self.number), offer: offer.number, why });
            }
            Place::AtDefault => {
                waiting.default_at = desk.after(DEFAULT_PAUSE);
                self.tell_waiting(desk);
            }
            Place::InLine => return,
        }
        self.send_queued(desk);
    }

    /// All that rang for the waiting caller have refused.
    pub(super) fn offer_failed(&mut self, desk: &mut Desk<'_>, status: u16) {
        let why = if matches!(status, 408 | 430 | 500..=599) { Unanswered::Unreachable } else { Unanswered::Declined };
        self.back_in_line(desk, why);
    }

    pub(super) fn offer_rang_out(&mut self, desk: &mut Desk<'_>) {
        self.back_in_line(desk, Unanswered::NoAnswer);
    }

    /// Somebody answered: the caller waits no more.
    pub(super) fn offer_answered(&mut self, desk: &mut Desk<'_>) {
        let Some(waiting) = self.waiting.take() else { return };
        desk.effects.push(Effect::Waits(false));
        if let Place::Offered { offer, .. } = waiting.place {
            desk.news(News::Answered { call: CallNumber(self.number), offer: offer.number });
            self.agent = Some(offer.agent.into());
        }
        self.queue = Some(waiting.queue);
    }

    /// The caller waits no more, whatever for.
    pub(crate) fn leave_queue(&mut self, desk: &mut Desk<'_>) {
        let Some(waiting) = self.waiting.take() else { return };
        desk.effects.push(Effect::Waits(false));
        if waiting.place != Place::AtDefault {
            desk.news(News::Left { call: CallNumber(self.number) });
        }
    }

    pub(super) fn expire_waiting(&mut self, desk: &mut Desk<'_>) {
        let Some(waiting) = &mut self.waiting else { return };
        if waiting.default_at <= desk.now {
            waiting.default_at = Time::NEVER;
            desk.effects.push(Effect::WantsDefault);
        }
        if waiting.tell_at <= desk.now {
            self.send_queued(desk);
        }
    }
}
