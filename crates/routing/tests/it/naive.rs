//! Who gets which caller, the obvious way: lists that are searched from end to end.
//!
//! It knows nothing of mail, records or time-outs; it says what has to come of each piece of news.

use model::Time;
use model::route::{CallNumber, Unanswered};
use routing::{AUDIT_EVERY, Choice, Settings, State};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    Ready,
    ByChoice,
    Imposed,
}

pub(crate) struct Agent {
    pub(crate) chosen: Chosen,
    pub(crate) reachable: bool,
    pub(crate) failed: Option<Time>,
    pub(crate) calls: Vec<CallNumber>,
    rung: Option<CallNumber>,
    idle_since: Time,
}

#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) call: CallNumber,
    pub(crate) queue: String,
    pub(crate) since: Time,
    pub(crate) offer: Option<Offer>,
    new: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) agent: usize,
    pub(crate) withdrawn: bool,
}

/// What has to be said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    Ring(CallNumber, String),
    Queued(CallNumber),
    Refuse(CallNumber, u16),
    Withdraw(CallNumber),
}

pub(crate) struct Naive {
    settings: Settings,
    pub(crate) agents: Vec<Agent>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) said: Vec<Said>,
}

impl Naive {
    pub(crate) fn new(settings: Settings, now: Time) -> Self {
        let agents = settings.agents.iter().map(|agent| Agent {
            chosen: if agent.auto_ready { Chosen::Ready } else { Chosen::ByChoice },
            reachable: false,
            failed: None,
            calls: Vec::new(),
            rung: None,
            idle_since: now,
        });
        Self { agents: agents.collect(), settings, callers: Vec::new(), said: Vec::new() }
    }

    pub(crate) fn caller(&mut self, call: CallNumber) -> Option<&mut Caller> {
        self.callers.iter_mut().find(|caller| caller.call == call)
    }

    pub(crate) fn waiting(&mut self, call: CallNumber, queue: &str, since: Time) {
        let known = self.caller(call).is_some();
        let length = self.callers.iter().filter(|caller| caller.queue == queue).count();
        match self.settings.queues.iter().find(|settings| settings.number == queue) {
            None => {
                self.left(call);
                self.said.push(Said::Refuse(call, 404));
            }
            Some(settings) if !known && length >= settings.capacity => self.said.push(Said::Refuse(call, 486)),
            Some(_) => {
                if let Some(caller) = self.caller(call).filter(|caller| caller.offer.is_some()) {
                    // The offer is on its way.
                    caller.queue = queue.into();
                    caller.since = since;
                    return;
                }
                self.left(call);
                self.callers.push(Caller { call, queue: queue.into(), since, offer: None, new: true });
            }
        }
    }

    pub(crate) fn left(&mut self, call: CallNumber) {
        self.callers.retain(|caller| caller.call != call);
    }

    pub(crate) fn answered(&mut self, call: CallNumber, is_latest: bool) {
        let Some(offer) = self.caller(call).map(|caller| caller.offer.clone()) else { return };
        self.left(call);
        if let Some(offer) = offer.filter(|_| is_latest) {
            let agent = &mut self.agents[offer.agent];
            agent.rung = None;
            if !agent.calls.contains(&call) {
                agent.calls.push(call);
            }
        }
    }

    pub(crate) fn not_answered(&mut self, now: Time, call: CallNumber, why: Unanswered) {
        let Some(caller) = self.caller(call) else { return };
        let Some(offer) = caller.offer.take() else { return };
        caller.new = true;
        let agent = &mut self.agents[offer.agent];
        let talks = agent.calls.iter().any(|other| *other != call);
        match why {
            _ if offer.withdrawn => {}
            Unanswered::Declined if talks => {}
            Unanswered::NoAnswer | Unanswered::Declined => agent.chosen = Chosen::Imposed,
            Unanswered::Unreachable => agent.failed = Some(now),
        }
    }

    pub(crate) fn extension(&mut self, now: Time, agent: usize, reachable: bool, calls: &[CallNumber]) {
        let auto_ready = self.settings.agents[agent].auto_ready;
        let agent = &mut self.agents[agent];
        let ended = agent.calls.iter().any(|call| !calls.contains(call) && agent.rung != Some(*call));
        let returned = reachable && !agent.reachable;
        let retried = reachable && agent.failed.is_some_and(|failed| now >= failed + AUDIT_EVERY);
        if ended || returned || retried {
            agent.idle_since = now;
        }
        if returned && auto_ready && agent.chosen == Chosen::Imposed {
            agent.chosen = Chosen::Ready;
        }
        if retried || !reachable {
            agent.failed = None;
        }
        agent.reachable = reachable;
        agent.calls = calls.to_vec();
    }

    pub(crate) fn choose(&mut self, now: Time, agent: usize, choice: &Choice) {
        let state = &mut self.agents[agent];
        if *choice == Choice::Ready {
            if state.failed.take().is_some() || state.chosen != Chosen::Ready {
                state.idle_since = now;
            }
            state.chosen = Chosen::Ready;
            return;
        }
        state.chosen = Chosen::ByChoice;
        for caller in &mut self.callers {
            if let Some(offer) = caller.offer.as_mut().filter(|offer| offer.agent == agent && !offer.withdrawn) {
                offer.withdrawn = true;
                self.said.push(Said::Withdraw(caller.call));
            }
        }
    }

    pub(crate) fn state(&self, at: usize) -> State {
        let agent = &self.agents[at];
        if self.callers.iter().any(|caller| caller.offer.as_ref().is_some_and(|offer| offer.agent == at)) {
            State::Ringing
        } else if !agent.calls.is_empty() {
            State::Busy
        } else if !agent.reachable || agent.failed.is_some() {
            State::Unreachable
        } else if agent.chosen == Chosen::Ready {
            State::Ready
        } else {
            State::NotReady
        }
    }

    /// The agent who has to be rung for this caller.
    fn agent_for(&self, caller: &Caller) -> Option<usize> {
        let queue = self.settings.queues.iter().find(|queue| queue.number == caller.queue)?;
        let serves = |at: &usize| queue.agents.contains(&self.settings.agents[*at].id);
        let ready = (0..self.agents.len()).filter(serves).filter(|at| self.state(*at) == State::Ready);
        ready.min_by_key(|at| (self.agents[*at].idle_since, *at))
    }

    /// Serves whoever can be served, and says who waits.
    pub(crate) fn settle(&mut self) {
        let waiting = |caller: &&Caller| caller.offer.is_none();
        while let Some((caller, agent)) = self
            .callers
            .iter()
            .filter(waiting)
            .filter_map(|caller| Some((caller.clone(), self.agent_for(caller)?)))
            .min_by_key(|(caller, _)| (caller.since, caller.call))
        {
            self.said.push(Said::Ring(caller.call, self.settings.agents[agent].id.clone()));
            self.agents[agent].rung = Some(caller.call);
            let caller = self.caller(caller.call).expect("it was just found");
            caller.offer = Some(Offer { agent, withdrawn: false });
        }
        for caller in &mut self.callers {
            if std::mem::take(&mut caller.new) && caller.offer.is_none() {
                self.said.push(Said::Queued(caller.call));
            }
        }
    }
}
