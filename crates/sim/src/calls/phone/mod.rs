//! A telephone: a SIP user agent of its own, written from the RFC and not from the server, and an owner with manners.

mod callee;
mod caller;
mod legs;
mod registrar;
mod reliable;
mod talking;
mod transaction;
mod wire;
mod words;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use model::{Span, Time};
use sip::{Message, Method};

use crate::plan::{CallPlan, PhonePlan};
use legs::Leg;
use registrar::Registration;
use transaction::{ClientTransaction, ServerTransaction};
pub(super) use wire::call_of;

/// RFC 3261 17.1.1.1: an estimate of the round trip.
const T1: Span = Span::from_millis(500);
/// RFC 3261 17.1.2.2: the longest pause between repetitions.
const T2: Span = Span::from_secs(4);
/// RFC 3261 17.1.1.2: after this long without an answer a transaction is given up.
const TIMEOUT: Span = Span::from_secs(32);
/// A caller who was told to wait gives up after this long.
const LONGEST_WAIT: Span = Span::from_secs(40);

/// A telephone.
#[derive(Debug)]
pub(super) struct Phone {
    pub(super) index: u8,
    pub(super) number: u32,
    pub(super) address: SocketAddr,
    /// Its TCP connection, by the number of the world.
    pub(super) connection: Option<u64>,
    plan: PhonePlan,
    /// It takes UPDATE, and says so.
    updates: bool,
    /// It is a trunk: it never registers.
    is_trunk: bool,
    registration: Registration,
    legs: Vec<Leg>,
    clients: Vec<ClientTransaction>,
    servers: Vec<ServerTransaction>,
    jobs: BTreeMap<(Time, u64), Job>,
    planned: u64,
    /// Names that were drawn.
    drawn: u64,
    /// Messages for the network.
    pub(super) outbox: Vec<Vec<u8>>,
    /// What happened, for the checkers.
    pub(super) facts: Vec<Fact>,
}

/// Something that a phone will do. Legs and transactions are named by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
    Register,
    Unregister,
    Repeat(u64),
    GiveUp(u64),
    RepeatAnswer(u64),
    Cancel(u64),
    LosePatience(u64),
    StopWaiting(u64),
    Ring(u64),
    Act(u64),
    AnswerLate(u64),
    HangUp(u64),
    Hold(u64),
    RingAgain(u64),
    Say(u64),
}

/// What a phone has seen of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The caller has got its final answer; 0 if it gave up waiting for one.
    Final { call: u32, status: u16 },
    /// The caller took the call back.
    Cancelled { call: u32, impatient: bool },
    /// This side talks.
    Connected { call: u32, caller: bool },
    /// This side is not in the call any more; `by_me`: its owner hung up.
    Ended { call: u32, caller: bool, by_me: bool },
    /// A request of this phone within a call was refused.
    Refused { call: u32, method: &'static str, status: u16 },
    /// This phone has answered an INVITE, and nobody has acknowledged it for 64 T1.
    Unacknowledged { call: u32 },
    /// This phone says something within the dialog.
    Said { word: String },
    /// This phone hears something within the dialog.
    Heard { word: String },
    /// What this phone said was answered with 2xx; `echoed`: by these words.
    Understood { word: String, echoed: bool },
}

impl Phone {
    pub(super) fn new(index: u8, plan: &PhonePlan, address: SocketAddr, is_trunk: bool, updates: bool) -> Self {
        let mut phone = Self {
            index,
            number: plan.number,
            address,
            connection: None,
            plan: plan.clone(),
            updates,
            is_trunk,
            registration: Registration::default(),
            legs: Vec::new(),
            clients: Vec::new(),
            servers: Vec::new(),
            jobs: BTreeMap::new(),
            planned: 0,
            drawn: 0,
            outbox: Vec::new(),
            facts: Vec::new(),
        };
        if !is_trunk {
            phone.plan_job(Time::from_micros(10_000 + 7_000 * u64::from(index)), Job::Register);
            if let Some(at) = plan.leaves {
                phone.plan_job(at, Job::Unregister);
                phone.plan_job(at + Span::from_secs(1), Job::Register);
            }
        }
        phone
    }

    /// When it does something by itself.
    pub(super) fn deadline(&self) -> Time {
        self.jobs.first_key_value().map_or(Time::NEVER, |((at, _), _)| *at)
    }

    fn plan_job(&mut self, at: Time, job: Job) {
        self.planned += 1;
        self.jobs.insert((at, self.planned), job);
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    /// Does what is due.
    pub(super) fn turn(&mut self, now: Time) {
        while let Some(entry) = self.jobs.first_entry().filter(|entry| entry.key().0 <= now) {
            let job = entry.remove();
            self.work(now, job);
        }
    }

    fn work(&mut self, now: Time, job: Job) {
        match job {
            Job::Register => self.register(now, 600),
            Job::Unregister => self.register(now, 0),
            Job::Repeat(transaction) => self.repeat_request(now, transaction),
            Job::GiveUp(transaction) => self.give_up_request(now, transaction),
            Job::RepeatAnswer(leg) => self.repeat_answer(now, leg),
            Job::Cancel(leg) => self.cancel(now, leg, false),
            Job::LosePatience(leg) => self.cancel(now, leg, true),
            Job::StopWaiting(leg) => self.stop_waiting(now, leg),
            Job::Ring(leg) => self.ring(now, leg),
            Job::RingAgain(leg) => self.ring_again(now, leg),
            Job::Say(leg) => self.say(now, leg),
            Job::Act(leg) => self.act(now, leg),
            Job::AnswerLate(leg) => self.answer(now, leg),
            Job::HangUp(leg) => self.hang_up(now, leg),
            Job::Hold(leg) => self.hold(now, leg),
        }
    }

    /// True if it speaks over TCP.
    pub(super) const fn is_on_stream(&self) -> bool {
        self.plan.stream
    }

    /// A message arrives.
    pub(super) fn hears(&mut self, now: Time, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        if message.is_request() {
            self.hears_request(now, &message);
        } else {
            self.hears_response(now, &message);
        }
    }

    fn hears_request(&mut self, now: Time, request: &Message<'_>) {
        if self.plan.manner == crate::plan::Manner::Dead && !self.is_trunk {
            return;
        }
        if request.method() == Method::Ack {
            return self.hears_ack(now, request);
        }
        if self.repeats_response(request) {
            return;
        }
        match (request.method(), request.to().tag()) {
            (Method::Invite, None) => self.is_called(now, request),
            (Method::Invite, Some(_)) => self.is_reinvited(now, request),
            (Method::Cancel, _) => self.is_cancelled(now, request),
            (Method::Bye, _) => self.hears_bye(request),
            (Method::Prack, _) => self.hears_prack(request),
            (Method::Options, Some(_)) => self.is_asked(request),
            (Method::Info | Method::Message | Method::Update, Some(_)) => self.hears_word(request),
            _ => self.respond(request, 501, None),
        }
    }

    fn hears_response(&mut self, now: Time, response: &Message<'_>) {
        match response.method() {
            Method::Invite => self.invite_answered(now, response),
            _ => self.request_answered(now, response),
        }
    }

    /// Calls somebody, as call number `call`.
    pub(super) fn dial(&mut self, now: Time, call: u32, plan: &CallPlan) {
        self.begin_call(now, call, plan);
    }

    /// What it still has to do, for people; `None` if nothing.
    pub(super) fn is_busy_with(&self) -> Option<String> {
        let legs: Vec<String> = self.legs.iter().filter(|leg| !leg.is_over()).map(Leg::describe).collect();
        let registers = self.registration.is_pending();
        let waits = self.clients.iter().any(|client| !client.is_done());
        let busy = !legs.is_empty() || registers || waits;
        busy.then(|| {
            let requests: Vec<&str> =
                self.clients.iter().filter(|client| !client.is_done()).map(ClientTransaction::method).collect();
            format!("phone {} ({}) is in {legs:?}, waits for answers to {requests:?}", self.index, self.number)
        })
    }
}
