//! One call as a value: the caller's leg, the legs to callees, and everything that is going on between them.
//!
//! The server is a back-to-back user agent (RFC 7092): towards the caller it is the callee, towards each callee a
//! caller. [`setup`] takes a call from its INVITE to the answer, [`inside`] relays what the parties say to each other
//! in the dialog, [`ending`] takes it down, [`doubt`] asks whether it
//! has ended, [`queue`] knows of waiting, [`timers`] of time. [`moved`] takes it over from a host with another address, of which
//! [`refresh`] tells the parties.

mod answer;
mod desk;
mod doubt;
mod ending;
mod flow;
mod fork;
mod incoming;
mod inside;
mod moved;
mod outgoing;
mod pair;
mod party;
mod queue;
mod refresh;
mod reinvite;
mod relay;
mod setup;
mod timers;
mod view;

use model::{Alias, Time, hash64};
use redundancy::change::Aliases;
use serde::{Deserialize, Serialize};
use sip::{Message, Method};

use crate::limits::MAX_ANSWERED;
use crate::settings::Settings;
use crate::token::Token;
pub(crate) use answer::{answer_with, reply, reply_with, stable_tag};
pub(crate) use desk::{Desk, Effect, Target};
pub(crate) use incoming::{Arrival, key_of};
use incoming::{InviteIn, RequestIn};
use outgoing::{InviteOut, RequestOut, Role};
use pair::{Callee, End, Pair};
use party::Party;
pub(crate) use queue::Waiting;
use refresh::Refresh;
pub(crate) use relay::{ALLOW, EXTENSIONS, METHODS, unsupported};
pub(crate) use setup::{Caller, is_translated, merge_key};

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The caller's INVITE has no final answer.
    Setup,
    /// A callee has answered.
    Talking,
    /// What is left are repetitions, acknowledgements and goodbyes.
    Ended,
}

/// A refusal of a callee, the best so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Best {
    status: u16,
    /// The response; empty if there was none.
    #[serde(with = "serde_bytes")]
    response: Box<[u8]>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    number: u64,
    stage: Stage,
    since: Time,
    /// The caller's number or address, for people.
    from: Box<str>,
    /// The number that was called.
    to: Box<str>,
    /// The caller's extension, if it is one of ours.
    caller: Option<Box<str>>,
    /// True if what the caller asserts of its identity is believed (RFC 3325 5).
    trusted: bool,
    /// The extension that answered.
    callee: Option<Box<str>>,
    /// The next number of a dialog, leg or transaction within the call.
    next_part: u32,
    /// The caller's INVITE, while it may be needed for another callee.
    #[serde(with = "serde_bytes")]
    invite: Box<[u8]>,
    /// From tag, Call-ID and CSeq of the INVITE: the same under another branch is the same request on another way
    /// (RFC 3261 8.2.2.2). Empty once the INVITE is answered and acknowledged.
    #[serde(with = "serde_bytes")]
    merge: Box<[u8]>,
    /// The dialogs with the caller, each with the dialog of a callee or still without.
    pairs: Vec<Pair>,
    invites_in: Vec<InviteIn>,
    invites_out: Vec<InviteOut>,
    requests_in: Vec<RequestIn>,
    requests_out: Vec<RequestOut>,
    best: Option<Best>,
    /// Until when the callees may ring, or the parties talk.
    until: Time,
    waiting: Option<Box<Waiting>>,
    /// The queue that the call came through, once it is answered.
    queue: Option<Box<str>>,
    /// The agent who answered.
    agent: Option<Box<str>>,
    /// The agents' extensions that were last told to have a leg here.
    present: Vec<Box<str>>,
    /// The callees' ends of early dialogs that were let go of: who answers all the same is told so in order.
    parted: Vec<Callee>,
    /// Until when the caller wants to be answered (RFC 3261 13.3.1).
    #[serde(deserialize_with = "crate::record::never_if_absent")]
    expires: Time,
    /// The parties are to be asked whether they are still in the call.
    #[serde(deserialize_with = "crate::record::default_if_absent")]
    is_doubted: bool,
    /// When the parties are asked whether they are still in the call, as a connection with one of them has ended.
    #[serde(deserialize_with = "crate::record::never_if_absent")]
    ask_at: Time,
    /// The caller did not know of the call, or said nothing, when he was asked.
    #[serde(deserialize_with = "crate::record::default_if_absent")]
    is_missed: bool,
    /// The caller, and who answered. Kept only where each host serves at an address of its own.
    #[serde(deserialize_with = "crate::record::default_if_absent")]
    parties: [Party; 2],
    /// The parties that do not know yet where the call is now.
    #[serde(deserialize_with = "crate::record::default_if_absent")]
    refreshes: Vec<Refresh>,
    /// The caller's INVITE came to another host.
    #[serde(deserialize_with = "crate::record::default_if_absent")]
    is_moved: bool,
    /// The host that has the call: see [`Settings::home`].
    #[serde(deserialize_with = "crate::record::default_if_absent")]
    home: u64,
}

impl Call {
    fn part(&mut self) -> u32 {
        self.next_part = self.next_part.wrapping_add(1);
        self.next_part
    }

    fn branch(&mut self, desk: &mut Desk<'_>) -> Token {
        let part = self.part();
        Token::branch(desk, self.number, part)
    }

    /// The caller's INVITE as long as it takes an answer.
    fn first_invite(&mut self) -> Option<&mut InviteIn> {
        self.invites_in.iter_mut().find(|invite| invite.origin.is_none() && invite.tx.is_open())
    }

    /// True while the caller has not acknowledged the answer to his call.
    fn awaits_ack(&self) -> bool {
        self.invites_in.iter().any(|invite| invite.origin.is_none() && invite.awaits_ack())
    }

    fn forks(&mut self) -> impl Iterator<Item = &mut InviteOut> {
        self.invites_out.iter_mut().filter(|invite| invite.is_fork())
    }

    /// True if `request` is the caller's INVITE again, or its CANCEL or ACK.
    pub(crate) fn has_key(&self, key: &[u8]) -> bool {
        self.invites_in.iter().any(|invite| invite.origin.is_none() && *invite.key() == *key)
    }

    /// True if the caller's INVITE has this [`merge_key`].
    pub(crate) fn has_merge_key(&self, key: &[u8]) -> bool {
        *self.merge == *key
    }

    /// The number that was called.
    pub(crate) fn called(&self) -> &str {
        &self.to
    }

    /// Takes in a request that names a dialog of this call.
    pub(crate) fn request(&mut self, desk: &mut Desk<'_>, tag: Token, request: &Message<'_>, arrival: &Arrival) {
        match request.method() {
            Method::Ack => self.ack(desk, tag, request),
            Method::Cancel => self.cancel(desk, request, arrival),
            _ => self.request_inside(desk, tag, request, arrival),
        }
        self.tidy(desk);
    }

    /// Takes in the CANCEL or ACK of the caller's INVITE, which needs no To tag to be known.
    pub(crate) fn first_request(&mut self, desk: &mut Desk<'_>, request: &Message<'_>, arrival: &Arrival) {
        match request.method() {
            Method::Cancel => self.cancel(desk, request, arrival),
            _ => self.ack_refusal(desk, request),
        }
        self.tidy(desk);
    }

    /// Takes in a response to a request of this call: branch and method must fit (RFC 3261 17.1.3).
    pub(crate) fn response(&mut self, desk: &mut Desk<'_>, branch: Token, response: &Message<'_>) {
        let method = response.method();
        let of_invite = matches!(method, Method::Invite | Method::Cancel);
        if let Some(at) = self.invites_out.iter().position(|invite| of_invite && invite.is(branch)) {
            match self.invites_out[at].role {
                Role::Fork { .. } => self.fork_response(desk, at, response),
                Role::Within { .. } => self.reinvite_response(desk, at, response),
                Role::Refresh { .. } => self.refresh_invite_response(desk, at, response),
            }
        } else if let Some(at) = self.requests_out.iter().position(|request| request.is(branch))
            && self.is_method_of(at, method)
        {
            self.request_response(desk, at, response);
        }
        self.tidy(desk);
    }

    /// The caller's INVITE came again.
    pub(crate) fn invite_again(&mut self, desk: &mut Desk<'_>, arrival: &Arrival) {
        if let Some(invite) = self.invites_in.iter_mut().find(|invite| invite.origin.is_none()) {
            invite.again(desk, arrival);
        }
    }

    /// Forgets what is over, and tells which agents' extensions came and went.
    fn tidy(&mut self, desk: &mut Desk<'_>) {
        let now = desk.now;
        // What lingers is forgotten when its time is over; of everything else a past deadline says that a repetition is
        // due, which a successor finds when it takes in what waited for it.
        self.invites_in.retain(|invite| {
            let lingers = invite.tx.is_lingering() && !invite.is_busy();
            !invite.tx.is_terminated() && (!lingers || invite.tx.deadline() > now)
        });
        self.invites_out.retain_mut(|invite| !invite.sweep(now));
        self.parted.retain(|callee| self.invites_out.iter().any(|invite| invite.is_leg(callee.leg)));
        self.requests_in.retain(|request| {
            !request.tx.is_terminated() && (!request.tx.is_lingering() || request.tx.deadline() > now)
        });
        self.requests_out.retain(|request| {
            !request.tx.is_terminated() && (!request.tx.is_lingering() || request.tx.deadline() > now)
        });
        let mut too_many = self.requests_in.iter().filter(|request| request.tx.is_lingering()).count();
        self.requests_in.retain(|request| {
            let kept = !request.tx.is_lingering() || too_many <= MAX_ANSWERED;
            too_many -= usize::from(!kept);
            kept
        });
        if !self.invites_in.iter().any(|invite| invite.origin.is_none() && invite.is_busy()) {
            self.merge = Box::default();
        }
        let present = self.presence(desk.settings);
        if present != self.present {
            let before = std::mem::replace(&mut self.present, present);
            let parted = before.iter().filter(|number| !self.present.contains(number));
            desk.effects.extend(parted.cloned().map(Effect::Parted));
            let joined = self.present.iter().filter(|number| !before.contains(number));
            desk.effects.extend(joined.cloned().map(Effect::Joined));
        }
    }

    /// The agents' extensions that have a leg in this call, ringing or talking. Whom the end of it was told is in it until that
    /// telephone has confirmed so, or is given up: it would be offered another call first where the goodbye was lost with its connection.
    fn presence(&self, settings: &Settings) -> Vec<Box<str>> {
        let ringing = self.invites_out.iter().filter(|invite| invite.may_ring()).filter_map(InviteOut::extension);
        let is_told = |end| self.requests_out.iter().any(|request| request.is_open_bye(end));
        let talks = |end: &End| self.stage != Stage::Ended || is_told(*end);
        let ends = [(End::Caller, &self.caller), (End::Callee, &self.callee)].into_iter();
        let legs = ringing.chain(ends.filter(|(end, _)| talks(end)).filter_map(|(_, number)| number.as_deref()));
        let mut present: Vec<Box<str>> = Vec::new();
        for number in legs.filter(|number| settings.agents.contains_key(*number)) {
            if !present.iter().any(|known| **known == *number) {
                present.push(number.into());
            }
        }
        present
    }

    /// True once nothing is left to do or to wait for.
    pub(crate) fn is_over(&self) -> bool {
        self.stage == Stage::Ended
            && self.invites_in.is_empty()
            && self.invites_out.is_empty()
            && self.requests_in.is_empty()
            && self.requests_out.is_empty()
    }

    /// The agents' extensions that count this call among theirs.
    pub(crate) fn present(&self) -> &[Box<str>] {
        &self.present
    }

    /// The waiting at a routing point, if it does.
    pub(crate) fn waiting(&self) -> Option<&Waiting> {
        self.waiting.as_deref()
    }

    /// The second names: by transaction and by merge key of the caller's INVITE, while it lasts.
    pub(crate) fn aliases(&self) -> Aliases {
        let first = self.invites_in.iter().filter(|invite| invite.origin.is_none()).map(InviteIn::key);
        let merge = Some(&*self.merge).filter(|merge| !merge.is_empty());
        first.chain(merge).map(|name| Alias(hash64(name))).collect()
    }

    /// True if what comes from this end asserts identities that are believed; callees are phones.
    fn trusts(&self, end: End) -> bool {
        self.trusted && end == End::Caller
    }

    /// Where in the call a request comes from whose To has this tag of ours: its pair and the end of it.
    fn locate(&self, tag: Token, request: &Message<'_>) -> Option<(usize, End)> {
        let end = inside::end_of(tag)?;
        let found = self.pairs.iter().position(|pair| pair.side(end).is_some_and(|side| side.dialog.has(request)));
        found.map(|at| (at, end))
    }
}
