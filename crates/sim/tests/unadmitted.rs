//! A cold start begins with what a side was sent, even if nobody could admit it: the coordinator was away (rule 15).

use model::{Span, Time};
use sim::outcome;
use sim::plan::{Act, Fault, Kind, Layout, Plan, Target, Who};

/// The backup is lost and comes back, the coordinator goes somewhere in between, and then the primary is lost: each
/// instant is one run. The clients' sessions are in nobody's journal.
#[test]
fn the_side_that_holds_every_record_begins_with_them() {
    let mut held = 0;
    for instant in 0..300 {
        let strike = |who| Kind::Strike(Target { pair: 0, who }, Act::Kill);
        let fault = |micros: u64, kind| Fault { at: Time::from_micros(micros), kind };
        let mut plan = Plan { clients: 8, ..Plan::quiet(1, Layout::OneHost) };
        plan.faults = vec![
            fault(350_000, strike(Who::Backup)),
            fault(376_000 + 13 * instant, Kind::ControlCrash(Span::from_millis(600))),
            fault(600_000, strike(Who::Primary)),
        ];
        let outcome = outcome::run(&plan, true);
        assert_eq!(outcome.violation, None, "{}", outcome.ladder);
        if outcome.ladder.contains("BeganWithHeld") {
            held += 1;
            assert_eq!(outcome.ladder.matches("ColdStart").count(), 1, "{}", outcome.ladder);
        }
    }
    assert!(held > 0, "no backup was level and not admitted");
}
