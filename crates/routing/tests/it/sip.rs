//! An honest SIP Server as seen from the Routing Server: callers, telephones, a mailbox.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::Time;
use model::route::{CallNumber, News, Offer, OfferNumber, Order, Unanswered};
use redundancy::mailbox::{Arrival, Envelope, Mailbox};

#[derive(Default)]
pub(crate) struct Sip {
    mailbox: Mailbox,
    kept: BTreeMap<u64, News>,
    streams: u64,
    talking: bool,
    /// On its way to the Routing Server.
    pub(crate) out: VecDeque<Envelope<News>>,
    pub(crate) callers: BTreeMap<CallNumber, Waiting>,
    pub(crate) phones: BTreeMap<String, Phone>,
    dialled: u64,
    /// Offers that were named in the present stream of the Routing Server.
    named: BTreeSet<OfferNumber>,
    /// Every offer that ever rang.
    rung: BTreeSet<OfferNumber>,
    pub(crate) refused: usize,
    pub(crate) answered: usize,
}

pub(crate) struct Waiting {
    pub(crate) queue: String,
    since: Time,
    pub(crate) queued: bool,
    pub(crate) offer: Option<Ringing>,
    /// The highest offer that was heard of for this caller.
    latest: OfferNumber,
    /// What became of it.
    why: Unanswered,
}

pub(crate) struct Ringing {
    pub(crate) offer: Offer,
    until: Time,
}

pub(crate) struct Phone {
    pub(crate) reachable: bool,
    pub(crate) legs: BTreeSet<CallNumber>,
}

impl Sip {
    pub(crate) fn new(extensions: impl Iterator<Item = String>) -> Self {
        let phones = extensions.map(|number| (number, Phone { reachable: true, legs: BTreeSet::new() }));
        Self { phones: phones.collect(), ..Self::default() }
    }

    pub(crate) fn greet(&mut self) {
        self.talking = false;
        self.out = [self.mailbox.greeting()].into();
    }

    pub(crate) fn arrive(&mut self, now: Time, envelope: Envelope<Order>) {
        match self.mailbox.arrive(&envelope) {
            Arrival::Nothing => {}
            arrival @ (Arrival::Take | Arrival::TakeFirst) => {
                if arrival == Arrival::TakeFirst {
                    self.named.clear();
                }
                if let Envelope::Message { message, .. } = envelope {
                    self.obey(now, message);
                }
                self.out.push_back(self.mailbox.confirmation());
            }
            Arrival::Repeated => self.out.push_back(self.mailbox.confirmation()),
            Arrival::Forget { up_to } => self.kept.retain(|number, _| *number > up_to),
            Arrival::Resend { after } => {
                self.talking = true;
                self.kept.retain(|number, _| *number > after);
                let stream = self.mailbox.stream;
                let kept = self.kept.iter().map(|(number, news)| (*number, news.clone()));
                self.out.extend(kept.map(|(number, message)| Envelope::Message { stream, number, message }));
            }
            Arrival::StartOver => {
                self.talking = true;
                self.tell_all();
            }
            Arrival::Gap => panic!("nothing is lost on one connection"),
        }
    }

    fn say(&mut self, message: News) {
        let (stream, number) = (self.mailbox.stream, self.mailbox.post());
        self.kept.insert(number, message.clone());
        if self.talking {
            self.out.push_back(Envelope::Message { stream, number, message });
        }
    }

    fn tell_all(&mut self) {
        self.kept.clear();
        self.streams += 1;
        self.mailbox.start_over(self.streams);
        for call in self.callers.keys().copied().collect::<Vec<_>>() {
            self.say_waiting(call);
        }
        for number in self.phones.keys().cloned().collect::<Vec<_>>() {
            self.say_extension(&number);
        }
        self.say(News::AllTold);
    }

    fn say_waiting(&mut self, call: CallNumber) {
        let caller = &self.callers[&call];
        let offer = caller.offer.as_ref().map(|ringing| ringing.offer.clone());
        self.say(News::Waiting { call, queue: caller.queue.clone(), since: caller.since, offer });
    }

    fn say_extension(&mut self, number: &str) {
        if let Some(phone) = self.phones.get(number) {
            let calls = phone.legs.iter().copied().collect();
            self.say(News::Extension { number: number.into(), reachable: phone.reachable, calls });
        }
    }

    fn obey(&mut self, now: Time, order: Order) {
        match order {
            Order::Queued { call } => {
                if let Some(caller) = self.callers.get_mut(&call) {
                    caller.queued = true;
                }
            }
            Order::Refuse { call, .. } => {
                if self.callers.remove(&call).is_some() {
                    self.refused += 1;
                    self.say(News::Left { call });
                }
            }
            Order::Ring { call, offer, patience } => self.ring(call, offer, now + patience),
            Order::Withdraw { call, offer } => {
                if self.standing(call) == Some(offer) {
                    self.end_offer(call, Unanswered::Declined);
                }
            }
            Order::Audit { extension } => self.say_extension(&extension),
            Order::AllTold => {
                for call in self.callers.keys().copied().collect::<Vec<_>>() {
                    if self.standing(call).is_some_and(|offer| !self.named.contains(&offer)) {
                        self.end_offer(call, Unanswered::Declined);
                    }
                }
            }
        }
    }

    fn standing(&self, call: CallNumber) -> Option<OfferNumber> {
        self.callers.get(&call)?.offer.as_ref().map(|ringing| ringing.offer.number)
    }

    fn ring(&mut self, call: CallNumber, offer: Offer, until: Time) {
        self.named.insert(offer.number);
        let at = offer.extension.clone();
        let elsewhere = self.ringing_at(&at).filter(|other| *other != call);
        let Some(caller) = self.callers.get_mut(&call) else { return };
        if caller.latest >= offer.number {
            // Told anew. It rings still, or the answer may have been lost with a stream.
            if caller.offer.is_none() {
                let why = caller.why;
                self.say(News::NotAnswered { call, offer: offer.number, why });
            }
            return;
        }
        assert_eq!(elsewhere, None, "an agent has one offer at a time");
        assert!(caller.offer.is_none(), "a caller has one offer at a time");
        assert!(self.rung.insert(offer.number), "an offer rings once");
        caller.latest = offer.number;
        caller.queued = false;
        caller.offer = Some(Ringing { offer, until });
        let phone = self.phones.get_mut(&at).expect("only telephones that exist are rung");
        if phone.reachable {
            phone.legs.insert(call);
            self.say_extension(&at);
        } else {
            self.end_offer(call, Unanswered::Unreachable);
        }
    }

    fn end_offer(&mut self, call: CallNumber, why: Unanswered) {
        let Some(caller) = self.callers.get_mut(&call) else { return };
        let Some(ringing) = caller.offer.take() else { return };
        caller.why = why;
        self.say(News::NotAnswered { call, offer: ringing.offer.number, why });
        self.end_leg(&ringing.offer.extension, call);
    }

    fn end_leg(&mut self, number: &str, call: CallNumber) {
        if self.phones.get_mut(number).is_some_and(|phone| phone.legs.remove(&call)) {
            self.say_extension(number);
        }
    }

    /// The caller for whom this telephone rings.
    fn ringing_at(&self, number: &str) -> Option<CallNumber> {
        let rings = |caller: &Waiting| caller.offer.as_ref().is_some_and(|ringing| ringing.offer.extension == number);
        self.callers.iter().find(|(_, caller)| rings(caller)).map(|(call, _)| *call)
    }

    pub(crate) fn dial(&mut self, now: Time, queue: &str) {
        self.dialled += 1;
        let call = CallNumber(self.dialled);
        let (latest, why) = (OfferNumber(0), Unanswered::Declined);
        let queue = queue.into();
        self.callers.insert(call, Waiting { queue, since: now, queued: false, offer: None, latest, why });
        self.say_waiting(call);
    }

    /// One of the waiting callers hangs up.
    pub(crate) fn hang_up(&mut self, nth: usize) {
        let Some(call) = self.callers.keys().nth(nth).copied() else { return };
        let caller = self.callers.remove(&call).expect("it was just found");
        self.say(News::Left { call });
        if let Some(ringing) = caller.offer {
            self.end_leg(&ringing.offer.extension, call);
        }
    }

    pub(crate) fn answer(&mut self, number: &str) {
        let Some(call) = self.ringing_at(number) else { return };
        let caller = self.callers.remove(&call).expect("it was just found");
        self.answered += 1;
        self.say(News::Answered { call, offer: caller.offer.expect("it rings").offer.number });
    }

    pub(crate) fn decline(&mut self, number: &str) {
        if let Some(call) = self.ringing_at(number) {
            self.end_offer(call, Unanswered::Declined);
        }
    }

    /// The telephone's owner calls somebody.
    pub(crate) fn call_out(&mut self, number: &str) {
        self.dialled += 1;
        let call = CallNumber(self.dialled);
        self.phones.get_mut(number).expect("a telephone").legs.insert(call);
        self.say_extension(number);
    }

    /// Ends the calls in which somebody talks at this telephone.
    pub(crate) fn end_calls(&mut self, number: &str) {
        let rings = self.ringing_at(number);
        self.phones.get_mut(number).expect("a telephone").legs.retain(|call| Some(*call) == rings);
        self.say_extension(number);
    }

    pub(crate) fn register(&mut self, number: &str, reachable: bool) {
        self.phones.get_mut(number).expect("a telephone").reachable = reachable;
        self.say_extension(number);
    }

    /// Ends what has rung for too long.
    pub(crate) fn tick(&mut self, now: Time) {
        let late = |caller: &Waiting| caller.offer.as_ref().is_some_and(|ringing| ringing.until <= now);
        let calls: Vec<_> = self.callers.iter().filter(|(_, caller)| late(caller)).map(|(call, _)| *call).collect();
        calls.into_iter().for_each(|call| self.end_offer(call, Unanswered::NoAnswer));
    }

    /// Loses the mailbox.
    pub(crate) fn forget(&mut self) {
        self.mailbox = Mailbox::default();
        self.kept.clear();
    }

    /// Loses every call and the mailbox; registrations are on disk.
    pub(crate) fn cold_start(&mut self) {
        self.forget();
        self.callers.clear();
        self.phones.values_mut().for_each(|phone| phone.legs.clear());
    }
}
