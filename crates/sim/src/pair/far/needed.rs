//! One whole network is enough for a link: whoever gives it up must have another reason.

use model::{Span, Time};

use crate::checkers::link;
use crate::kernel::Core;
use crate::pair::{Pair, Service, Side, other};

/// A link whose host and networks have had no trouble for this long has no reason to end: a connection has long been made
/// anew, and has shown what it carries.
const SETTLED: Span = Span::from_millis(1_200);
/// Delays of the plan, in microseconds, within which heartbeats that are sent in time arrive in time.
const QUICK: u64 = 2_000;
/// The most that clocks may differ in their speed for that, in parts of a million.
const STEADY: u32 = 5_000;

impl<S: Service> Pair<S> {
    /// The link is given up, or who is at its other side suspected: not while one network is whole and nothing else is wrong.
    pub(in crate::pair) fn check_link_is_needed<E>(&self, core: &mut Core<E>, side: Side, why: &str) {
        let quick = [self.plan.link, self.plan.scheduler].iter().all(|delay| delay.most <= QUICK);
        let steady = self.plan.clocks.iter().all(|clock| clock.drift.unsigned_abs() <= STEADY);
        if !self.several() || !quick || !steady {
            return;
        }
        let (whole, quick) =
            (self.networks.whole_since(side, other(side)), self.networks.quick_since(side, other(side)));
        let since = whole.max(quick).max(self.untroubled);
        let both_run = [0, 1].iter().all(|side| self.process(*side).is_some_and(|process| !process.stopped));
        let troubled = !both_run || since == Time::NEVER || since + SETTLED > core.now;
        if let Err(what) = link::is_given_up(why, troubled) {
            core.fail(link::NAME, || what);
        }
    }
}
