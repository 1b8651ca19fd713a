//! Tells the checkers what happens in a world of calls, and asks them in the end.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use model::{Epoch, Kind, Time};
use redundancy::hot_standby::Engine as _;
use routing::State;

use super::phone::Fact;
use super::world::{Event, World};
use crate::checkers::calls_kept::{Expected, Truth};
use crate::checkers::legal::Legal;
use crate::checkers::one_charge::OneCharge;
use crate::checkers::queue_order::QueueOrder;
use crate::checkers::taken_twice::TakenTwice;
use crate::checkers::words::Words;
use crate::checkers::{Verdict, agents, calls_kept, one_charge, quiet, words};
use crate::kernel::Core;
use crate::plan::{AGENTS, Layout, Manner, QUEUE};

/// The checkers of a world of calls.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) legal: Legal,
    pub(super) taken: TakenTwice,
    pub(super) charge: OneCharge,
    pub(super) order: QueueOrder,
    words: Words,
    truths: BTreeMap<u32, Truth>,
    /// When the SIP Server began from cold last.
    began: Option<Time>,
    /// The epoch that it began.
    since: Epoch,
    /// The newest epoch in which it has said something to a phone.
    newest: Epoch,
    /// The SIP Server began with less than it had, once.
    pub(super) has_lost: bool,
    /// Calls that are not over at rest; there are none but after a loss.
    left: BTreeSet<u64>,
}

impl Watch {
    pub(super) fn note(&self, core: &mut Core<Event>, checker: &'static str, verdict: Verdict) {
        if let Err(what) = verdict {
            core.fail(checker, || what);
        }
    }

    /// A phone calls. `connected` says since when its connection stands, if it has one: what goes by a connection from
    /// before a cold start is read by nobody (RFC 5626 lets the phone come back).
    pub(super) fn dialled(&mut self, now: Time, call: u32, from: usize, connected: Option<Time>) {
        let mut truth = Truth::new(now, from as u8);
        if connected.zip(self.began).is_some_and(|(since, began)| since <= began) {
            truth.cold_start();
        }
        self.truths.insert(call, truth);
    }

    /// The SIP Server began from cold, or with less than it had: the calls of this moment may be gone by right.
    pub(super) fn cold_start(&mut self, now: Time, epoch: Epoch) {
        (self.began, self.since) = (Some(now), epoch);
        self.charge.forget();
        self.order.forget();
        self.taken.forget();
        self.words.forget();
        self.truths.values_mut().for_each(Truth::cold_start);
    }

    /// Another host with an address of its own serves now.
    pub(super) fn moves(&mut self) {
        self.legal.moves();
        self.taken.forget();
        self.truths.values_mut().for_each(Truth::moved);
    }

    /// The connection of a phone has died with its host or process, and with it what was on its way.
    pub(super) fn loses_connection(&mut self, phone: u8) {
        self.words.forget();
        self.legal.loses_connection(phone);
        self.truths.values_mut().for_each(|truth| truth.connection_lost(phone));
    }

    /// False for what a process that was stopped in the middle, and superseded from cold meanwhile, still says when it
    /// wakes up: it is about calls that are gone by right.
    pub(super) fn counts(&self, epoch: Epoch) -> bool {
        epoch >= self.since
    }

    /// True if it speaks in this epoch, and its successor has spoken already.
    pub(super) fn is_former(&mut self, epoch: Epoch) -> bool {
        self.newest = self.newest.max(epoch);
        epoch < self.newest
    }

    /// Something happened at a phone.
    ///
    /// # Errors
    /// The name of the checker that has noticed, and what.
    pub(super) fn experienced(&mut self, now: Time, phone: u8, fact: Fact) -> Result<(), (&'static str, String)> {
        let words = |verdict: Verdict| verdict.map_err(|what| (words::NAME, what));
        let mut truth = |call: u32, note: &dyn Fn(&mut Truth)| self.truths.get_mut(&call).map_or((), note);
        match fact {
            Fact::Final { call, status } => truth(call, &|truth| truth.answered(now, status)),
            Fact::Cancelled { call, impatient } => truth(call, &|truth| truth.cancelled(impatient)),
            Fact::Connected { call, caller } => truth(call, &|truth| truth.connected(now, phone, caller)),
            Fact::Ended { call, caller, by_me } => truth(call, &|truth| truth.ended(now, phone, caller, by_me)),
            Fact::Refused { call, method, status } => truth(call, &|truth| truth.refused(now, method, status)),
            Fact::Unacknowledged { call } => truth(call, &|truth| truth.unacknowledged(phone)),
            Fact::Said { word } => self.words.says(word),
            Fact::Heard { word } => return words(self.words.hears(phone, &word)),
            Fact::Understood { word, echoed } => return words(self.words.understood(phone, &word, echoed)),
        }
        Ok(())
    }
}

impl World {
    /// Looks at both pairs at rest.
    pub(super) fn rest(&mut self) -> Verdict {
        let count = |engine: &call::Engine, kinds: &[u8]| {
            kinds.iter().map(|kind| engine.store().keys(Kind(*kind), None).count() as u64).sum()
        };
        // Calls, answers, presence, waiting, letters; registrations and the mailbox last. Of those who gave up waiting in a
        // moment that is lost nobody tells the server again; who talks is asked.
        let has_lost = self.watch.has_lost;
        let left = RefCell::default();
        let sip = |engine: &mut call::Engine| {
            let all = if has_lost { talking(engine, &left) } else { count(engine, &[1, 3, 5, 6, 8]) };
            quiet::Left { records: all, deadline: false }
        };
        // Callers, mail; agents, extensions and the mailbox last.
        let routing = |engine: &mut routing::Engine| {
            let all = [3, 5].iter().map(|kind| engine.store().keys(Kind(*kind), None).count() as u64).sum();
            quiet::Left { records: if has_lost { 0 } else { all }, deadline: false }
        };
        self.sip.rest(&mut self.core, sip).map_err(|what| format!("SIP Server: {what}"))?;
        self.watch.left = left.into_inner();
        self.routing.rest(&mut self.core, routing).map_err(|what| format!("Routing Server: {what}"))
    }

    /// Everything has come to its end: was it the right one?
    pub(super) fn conclude(&mut self) {
        for (call, truth) in &self.watch.truths {
            let expected = self.expected(*call);
            if let Err(what) = truth.conclude(&expected) {
                self.core.fail(calls_kept::NAME, || format!("call {call}: {what}"));
            }
        }
        if let Err(what) = self.watch.charge.conclude(&self.watch.left) {
            self.core.fail(one_charge::NAME, || what);
        }
    }

    /// What the plan lets a call expect.
    fn expected(&self, call: u32) -> Expected {
        let plan = &self.plan.calls[call as usize];
        let truth = &self.watch.truths[&call];
        let is_target = |number: u32| match plan.to {
            QUEUE => AGENTS.iter().any(|(_, agent)| *agent == number),
            to => to == number,
        };
        let willing = self.phones.iter().zip(&self.plan.phones).any(|(phone, plan)| {
            let stays = plan.leaves.is_none() && phone.registered_since().is_some_and(|since| since <= truth.at);
            is_target(plan.number) && answers(plan.manner) && stays
        });
        let manners = || self.plan.phones.iter().filter(|phone| is_target(phone.number)).map(|phone| phone.manner);
        // RFC 3261 16.7: a 6xx of one phone ends the search at the others.
        // An agent whose answer is lost again and again counts as one who does not answer, and so does one whose answer
        // the server itself has lost.
        let heard = plan.to != QUEUE || self.plan.network.loss <= 50 && !self.watch.has_lost;
        // A caller whose phone answers no requests gives his call up with its connection (RFC 3261 17.1.4), and does not say so when he is
        // asked: an agent who has answered is kept until the ACK is given up.
        let is_deaf = |from: u8| {
            let phone = self.plan.phones.get(usize::from(from));
            phone.is_some_and(|phone| phone.manner == Manner::Dead && phone.stream)
        };
        let kept = truth.is_impatient() && self.plan.calls.iter().any(|call| call.to == QUEUE && is_deaf(call.from));
        let declined = plan.to != QUEUE && manners().any(|manner| manner == Manner::Declines);
        Expected {
            answer: willing && !declined && heard && !(plan.to == QUEUE && kept) && self.knows_phones(),
            acknowledges: plan.acknowledges,
            rude: manners().any(|manner| matches!(manner, Manner::AnswersLate | Manner::HangsUpAtOnce)),
        }
    }

    /// False if registrations may be lost by right: with the journal of the host whose records were lost.
    fn knows_phones(&self) -> bool {
        self.plan.layout != Layout::ThreeHosts || !self.watch.has_lost
    }

    /// Nobody is busy or rung when all is quiet. An agent whose phone was not found is asked about after a while.
    pub(super) fn agents_at_rest(&mut self) -> Verdict {
        let Some(side) = self.routing.serving() else { return Ok(()) };
        let Some(process) = self.routing.process_mut(side) else { return Ok(()) };
        let rows = process.replica.engine_mut().agents();
        for row in rows {
            let phone =
                self.plan.phones.iter().zip(&self.phones).find(|(plan, _)| plan.number.to_string() == row.extension);
            let Some((plan, phone)) = phone else { continue };
            let registered = phone.registered_since().is_some();
            let willing = answers(plan.manner) && self.knows_phones();
            let is = agents::Seen {
                engaged: matches!(row.state, State::Busy | State::Ringing),
                ready: row.state == State::Ready,
                unreachable: row.state == State::Unreachable,
            };
            agents::at_rest(&row.id, is, registered, willing)?;
        }
        Ok(())
    }
}

/// How many calls are answered and not over; notes those that are not over.
fn talking(engine: &mut call::Engine, left: &RefCell<BTreeSet<u64>>) -> u64 {
    let (rows, _) = engine.calls(None, usize::MAX);
    left.borrow_mut().extend(rows.iter().map(|row| row.call));
    rows.iter().filter(|row| matches!(row.state, "answered" | "talking")).count() as u64
}

const fn answers(manner: Manner) -> bool {
    matches!(manner, Manner::Answers | Manner::PlaysFirst)
}
