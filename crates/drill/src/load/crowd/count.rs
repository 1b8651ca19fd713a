//! How the crowd stands.

use std::collections::BTreeMap;

use super::Crowd;
use crate::load::call::Stage;

impl Crowd {
    /// How many phones are registered, and how many there are.
    pub(in crate::load) fn registered(&self) -> (usize, usize) {
        (self.phones().filter(|phone| phone.registered).count(), self.first_carrier)
    }

    /// How many calls stand in each state now.
    pub(in crate::load) fn standing(&self) -> BTreeMap<Stage, u64> {
        let mut counts: BTreeMap<Stage, u64> = Stage::ALL.into_iter().map(|stage| (stage, 0)).collect();
        for call in self.calls.values().filter(|call| call.is_live()) {
            *counts.entry(call.stage).or_insert(0) += 1;
        }
        counts
    }

    /// Marks all calls that live now as touched by a run.
    pub(in crate::load) fn touch(&mut self, run: u32) {
        for call in self.calls.values_mut().filter(|call| call.is_live()) {
            call.runs.push(run);
        }
        self.watch.run = run;
    }

    /// Calls that are not over.
    pub(in crate::load) fn live(&self) -> usize {
        self.calls.values().filter(|call| call.is_live()).count()
    }

    /// What each agent does, as the phones know it: the agent's id, whether the phone is registered, and how many calls of
    /// other people it has at hand.
    pub(in crate::load) fn agents(&self) -> Vec<(String, bool, usize)> {
        let mut busy: BTreeMap<usize, usize> = BTreeMap::new();
        for call in self.calls.values() {
            for (_, leg) in call.callees.iter().enumerate().filter(|(at, _)| call.occupies(*at)) {
                *busy.entry(leg.phone).or_default() += 1;
            }
            if call.is_live() && !call.caller.ends {
                *busy.entry(call.caller.phone).or_default() += 1;
            }
        }
        let agents = self.phones().enumerate().filter_map(|(at, phone)| Some((at, phone, phone.agent.clone()?)));
        agents.map(|(at, phone, agent)| (agent, phone.registered, busy.get(&at).copied().unwrap_or(0))).collect()
    }
}
