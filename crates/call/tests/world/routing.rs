//! A Routing Server that says what a script tells it to.

use call::Input;
use model::Span;
use model::route::{CallNumber, News, Offer, OfferNumber, Order};
use redundancy::mailbox::{Arrival, Envelope, Mailbox};

use super::World;

/// The other end of the mailbox.
#[derive(Default)]
pub(crate) struct RoutingServer {
    connected: bool,
    mailbox: Mailbox,
    streams: u64,
    /// Orders that are not confirmed.
    kept: Vec<(u64, Order)>,
    /// Calls in the order in which they were first heard of.
    calls: Vec<CallNumber>,
    offers: u64,
}

impl World {
    pub(crate) fn routing_connect(&mut self) {
        self.routing.connected = true;
        self.feed(Input::RoutingConnected);
        let greeting = self.routing.mailbox.greeting();
        self.feed(Input::Mail(greeting));
    }

    pub(crate) fn routing_gone(&mut self) {
        self.routing.connected = false;
        self.feed(Input::RoutingGone);
    }

    /// Forgets everything, as after a cold start.
    pub(crate) fn routing_forget(&mut self) {
        self.routing.mailbox = Mailbox::default();
        self.routing.kept.clear();
    }

    /// The connection has ended with the primary; the successor opens a new one.
    pub(crate) fn routing_after_takeover(&mut self) {
        if self.routing.connected {
            self.routing_connect();
        }
    }

    pub(crate) fn mail_from_engine(&mut self, envelope: Envelope<News>) {
        if !self.routing.connected {
            return;
        }
        match self.routing.mailbox.arrive(&envelope) {
            Arrival::Take | Arrival::TakeFirst => {
                if let Envelope::Message { message, .. } = envelope {
                    let line = format!("routing <  {}", self.describe(message));
                    self.note(&line);
                }
                let confirmation = self.routing.mailbox.confirmation();
                self.feed(Input::Mail(confirmation));
            }
            Arrival::Repeated => {
                let confirmation = self.routing.mailbox.confirmation();
                self.feed(Input::Mail(confirmation));
            }
            Arrival::Forget { up_to } => self.routing.kept.retain(|(number, _)| *number > up_to),
            Arrival::Resend { after } => {
                let stream = self.routing.mailbox.stream;
                let kept: Vec<_> = self.routing.kept.iter().filter(|(number, _)| *number > after).cloned().collect();
                for (number, message) in kept {
                    self.feed(Input::Mail(Envelope::Message { stream, number, message }));
                }
            }
            Arrival::StartOver => {
                self.routing.streams += 1;
                self.routing.mailbox.start_over(self.routing.streams);
                self.routing.kept.clear();
            }
            Arrival::Nothing => {}
            Arrival::Gap => panic!("the engine left out a message"),
        }
    }

    pub(crate) fn order(&mut self, order: Order) {
        let line = format!("routing >  {}", self.describe_order(&order));
        self.note(&line);
        let mailbox = &mut self.routing.mailbox;
        if mailbox.stream == 0 {
            self.routing.streams += 1;
            mailbox.start_over(self.routing.streams);
        }
        let (number, stream) = (mailbox.post(), mailbox.stream);
        self.routing.kept.push((number, order.clone()));
        if self.routing.connected {
            self.feed(Input::Mail(Envelope::Message { stream, number, message: order }));
        }
    }

    /// An order as a script says it: `ring 1 anna 1001 20s`.
    pub(crate) fn order_from(&mut self, words: &[&str]) {
        // On a bad line the call may never have come; then the order is for a call that nobody knows.
        let call = |text: &str, world: &Self| {
            let at = text.parse::<usize>().expect("a call") - 1;
            let known = world.routing.calls.get(at).copied();
            known.or(world.is_noisy().then_some(CallNumber(0))).expect("the call was told of")
        };
        let order = match words {
            ["queued", number] => Order::Queued { call: call(number, self) },
            ["refuse", number, status] => {
                Order::Refuse { call: call(number, self), status: status.parse().expect("a status") }
            }
            ["ring", number, agent, extension, seconds, told_before @ ..] => {
                self.routing.offers += u64::from(told_before.is_empty());
                let told_before = told_before.first().map(|offer| offer.parse().expect("an offer"));
                let offer = Offer {
                    number: OfferNumber(told_before.unwrap_or(self.routing.offers)),
                    agent: (*agent).to_owned(),
                    extension: (*extension).to_owned(),
                };
                let patience = Span::from_secs(seconds.trim_end_matches('s').parse().expect("seconds"));
                Order::Ring { call: call(number, self), offer, patience }
            }
            ["withdraw", number, offer] => {
                Order::Withdraw { call: call(number, self), offer: OfferNumber(offer.parse().expect("an offer")) }
            }
            ["audit", extension] => Order::Audit { extension: (*extension).to_owned() },
            ["all-told"] => Order::AllTold,
            _ => panic!("no such order: {words:?}"),
        };
        self.order(order);
    }

    fn call_label(&mut self, call: CallNumber) -> usize {
        let at = self.routing.calls.iter().position(|known| *known == call);
        at.unwrap_or_else(|| {
            self.routing.calls.push(call);
            self.routing.calls.len() - 1
        }) + 1
    }

    fn describe(&mut self, news: News) -> String {
        match news {
            News::Waiting { call, queue, since, offer } => {
                let offer = offer.map_or(String::new(), |offer| format!(", offer {} stands", offer.number.0));
                let since = since.as_micros() / 1_000 - 1_000;
                format!("Waiting: call {} in {queue} since {since} ms{offer}", self.call_label(call))
            }
            News::Left { call } => format!("Left: call {}", self.call_label(call)),
            News::Answered { call, offer } => format!("Answered: call {}, offer {}", self.call_label(call), offer.0),
            News::NotAnswered { call, offer, why } => {
                format!("NotAnswered: call {}, offer {}, {why:?}", self.call_label(call), offer.0)
            }
            News::Extension { number, reachable, calls } => {
                let calls: Vec<usize> = calls.into_iter().map(|call| self.call_label(call)).collect();
                format!("Extension: {number}, reachable {reachable}, calls {calls:?}")
            }
            News::AllTold => "AllTold".to_owned(),
        }
    }

    fn describe_order(&mut self, order: &Order) -> String {
        match order {
            Order::Queued { call } => format!("Queued: call {}", self.call_label(*call)),
            Order::Refuse { call, status } => format!("Refuse: call {}, {status}", self.call_label(*call)),
            Order::Ring { call, offer, patience } => {
                let call = self.call_label(*call);
                format!(
                    "Ring: call {call}, offer {} of {} at {} for {patience}",
                    offer.number.0, offer.agent, offer.extension
                )
            }
            Order::Withdraw { call, offer } => format!("Withdraw: call {}, offer {}", self.call_label(*call), offer.0),
            Order::Audit { extension } => format!("Audit: {extension}"),
            Order::AllTold => "AllTold".to_owned(),
        }
    }
}
