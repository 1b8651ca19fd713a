//! Makes a failing plan as small as it gets while the same checker still notices: fewer faults, shorter ones, fewer
//! clients, plainer surroundings.

use model::{Span, Time};

use crate::kernel::{Delay, Violation};
use crate::plan::{Act, CallPlan, Kind, PhonePlan, Plan};

/// Runs that a shrinking may take.
const MOST_RUNS: u32 = 3_000;

/// Looks for smaller plans that still fail.
struct Shrinker<R> {
    run: R,
    checker: &'static str,
    best: Plan,
    runs: u32,
}

/// The smallest plan found that breaks the promise of the same checker as `plan` does.
pub fn shrink(plan: &Plan, checker: &'static str, run: impl Fn(&Plan) -> Option<Violation>) -> Plan {
    let mut shrinker = Shrinker { run, checker, best: plan.clone(), runs: 0 };
    loop {
        let before = shrinker.best.clone();
        shrinker.remove_faults();
        shrinker.remove_calls();
        shrinker.plainer();
        shrinker.shorter();
        if shrinker.best == before || shrinker.runs >= MOST_RUNS {
            return shrinker.best;
        }
    }
}

impl<R: Fn(&Plan) -> Option<Violation>> Shrinker<R> {
    /// Takes a change over if the plan still fails.
    fn attempt(&mut self, change: impl FnOnce(&mut Plan)) -> bool {
        let mut plan = self.best.clone();
        change(&mut plan);
        if plan == self.best || self.runs >= MOST_RUNS {
            return false;
        }
        self.runs += 1;
        let fails = (self.run)(&plan).is_some_and(|violation| violation.checker == self.checker);
        if fails {
            self.best = plan;
        }
        fails
    }

    /// Leaves out runs of faults, long ones first.
    fn remove_faults(&mut self) {
        let mut length = self.best.faults.len();
        while length > 0 {
            let mut start = 0;
            while start < self.best.faults.len() {
                let end = (start + length).min(self.best.faults.len());
                if !self.attempt(|plan| drop(plan.faults.drain(start..end))) {
                    start += 1;
                }
            }
            length /= 2;
        }
    }

    /// Leaves out calls, and gives telephones and callers better manners.
    fn remove_calls(&mut self) {
        let mut index = 0;
        while index < self.best.calls.len() {
            if !self.attempt(|plan| drop(plan.calls.drain(index..=index))) {
                index += 1;
            }
        }
        for index in 0..self.best.calls.len() {
            let CallPlan { at, from, to, .. } = self.best.calls[index];
            self.attempt(|plan| plan.calls[index] = CallPlan::honest(at, from, to));
            self.attempt(|plan| plan.calls[index].says = None);
            self.attempt(|plan| plan.calls[index].holds = None);
            self.attempt(|plan| plan.calls[index].reliable = false);
        }
        for index in 0..self.best.phones.len() {
            let number = self.best.phones[index].number;
            self.attempt(|plan| plan.phones[index] = PhonePlan::honest(number));
            self.attempt(|plan| plan.phones[index].says = None);
            self.attempt(|plan| plan.phones[index].holds = None);
            self.attempt(|plan| plan.phones[index].leaves = None);
            self.attempt(|plan| plan.phones[index].reliable = false);
        }
    }

    fn plainer(&mut self) {
        let quiet = Plan::quiet(self.best.seed, self.best.layout);
        self.attempt(|plan| plan.network = quiet.network);
        self.attempt(|plan| plan.network.loss = 0);
        self.attempt(|plan| plan.network.duplicates = 0);
        self.attempt(|plan| plan.network.delay = quiet.network.delay);
        self.attempt(|plan| plan.link = quiet.link);
        self.attempt(|plan| plan.control = quiet.control);
        self.attempt(|plan| plan.restart = quiet.restart);
        self.attempt(|plan| plan.telling = quiet.telling);
        self.attempt(|plan| plan.scheduler = Delay::micros(0, 0));
        self.attempt(|plan| plan.clocks = quiet.clocks);
        self.attempt(|plan| plan.stalls = 0);
        while self.best.clients > 1 && self.attempt(|plan| plan.clients -= 1) {}
        let last = self.best.faults.iter().map(|fault| fault.at).max().unwrap_or(Time::ZERO);
        self.attempt(|plan| plan.calm = plan.calm.min(last + Span::from_millis(50)));
    }

    /// Halves what lasts.
    fn shorter(&mut self) {
        for index in 0..self.best.faults.len() {
            while self.attempt(|plan| {
                if let Some(fault) = plan.faults.get_mut(index) {
                    fault.kind = halved(fault.kind);
                }
            }) {}
        }
    }
}

fn halved(kind: Kind) -> Kind {
    let half = |span: Span| Span::from_micros(span.as_micros() / 2);
    let act = |act: Act| match act {
        same @ (Act::Kill | Act::Signal) => same,
        Act::Pause(span) => Act::Pause(half(span)),
    };
    match kind {
        Kind::Strike(target, what) => Kind::Strike(target, act(what)),
        Kind::Trap(target, moment, point, count, what) => {
            Kind::Trap(target, moment, point, count.div_ceil(2), act(what))
        }
        Kind::ControlCrash(span) => Kind::ControlCrash(half(span)),
        Kind::Net(reach, ill, span) => Kind::Net(reach, ill, half(span)),
        Kind::Power(host, span) => Kind::Power(host, half(span)),
        Kind::Freeze(host, span) => Kind::Freeze(host, half(span)),
        Kind::MemberDown(host, span) => Kind::MemberDown(host, half(span)),
        Kind::AccessCut(corner, host, way, span) => Kind::AccessCut(corner, host, way, half(span)),
        Kind::ControlBreak(target, span) => Kind::ControlBreak(target, half(span)),
        Kind::LinkCut(pair, way, span) => Kind::LinkCut(pair, way, half(span)),
        Kind::HostCrash(target, span) => Kind::HostCrash(target, half(span)),
        Kind::Isolate(target, span) => Kind::Isolate(target, half(span)),
        Kind::AgentsDown(span) => Kind::AgentsDown(half(span)),
        Kind::ClockJump(target, span) => Kind::ClockJump(target, half(span)),
        Kind::WallForward(target, span) => Kind::WallForward(target, half(span)),
        Kind::WallBack(target, span) => Kind::WallBack(target, half(span)),
        Kind::Storm(loss, span) => Kind::Storm(loss, half(span)),
        Kind::PhoneCut(phone, way, span) => Kind::PhoneCut(phone, way, half(span)),
        Kind::ControlCut(target, way, span) => Kind::ControlCut(target, way, half(span)),
        Kind::MailCut(way, span) => Kind::MailCut(way, half(span)),
        same @ (Kind::LinkBreak(_)
        | Kind::Switchover(_)
        | Kind::Dismissal(_)
        | Kind::Poison(_)
        | Kind::Abort(_)
        | Kind::MailBreak
        | Kind::Compaction) => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redundancy::hot_standby::Sabotage;

    #[test]
    fn what_does_not_matter_is_left_out_and_what_matters_stays() {
        let plan = (0..).map(|seed| Plan::draw(seed, Sabotage::None)).find(|plan| plan.faults.len() == 9).unwrap();
        let needed = plan.faults[4].kind;
        let needs_it = |plan: &Plan| {
            let still_there = plan.faults.iter().any(|fault| fault.kind == needed);
            still_there.then(|| Violation { checker: "it", at: Time::ZERO, what: String::new() })
        };
        let small = shrink(&plan, "it", needs_it);
        assert_eq!(small.faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [needed]);
        assert_eq!((small.clients, small.stalls), (1, 0));
    }
}
