//! A call that ended in the moment that a cold start has lost is over all the same: its parties are asked (rule 15).

use sim::case::Case;
use sim::outcome;

/// The coordinator is away when the backup becomes level. The link breaks, somebody hangs up, the primary dies, and the
/// side that nobody had admitted begins with the call.
const PLAN: &str = "\
seed 7
world calls
sabotage none
layout one-host
clients 1 repeating
network 0 0 20 100
stalls 0
link 20 200
control 100 1000
restart 20000 60000
telling 100 500
scheduler 0 0
clock-a 0 0 1795500000000000
clock-b 0 0 1795500000000000
calm 1800000
phone 1001 answers rings 20000 acts 60000 talks never holds never leaves never udp
phone 1002 answers rings 20000 acts 60000 talks never holds never leaves never udp
phone 1003 answers rings 20000 acts 60000 talks never holds never leaves never udp
phone 1004 answers rings 20000 acts 60000 talks never holds never leaves never udp
phone 1004 answers rings 20000 acts 60000 talks never holds never leaves never udp
phone 1005 answers rings 20000 acts 60000 talks never holds never leaves never udp
phone 1006 answers rings 20000 acts 60000 talks never holds never leaves never udp
call 155102 from 7 to TO cancels never talks 600000 holds never acknowledges speaks-once
fault CRASH control-crash 1300000
fault BREAK link-break 0
fault KILL strike 0 primary kill
";

#[test]
fn nobody_stays_in_a_call_that_is_over() {
    let mut over = 0;
    for to in ["1005", "9000"] {
        for crash in [15_000, 20_000, 30_000, 60_230_u64] {
            for at in (0..60).map(|step| 700_000 + 5_000 * step) {
                let text = PLAN
                    .replace("TO", to)
                    .replace("CRASH", &crash.to_string())
                    .replace("BREAK", &at.to_string())
                    .replace("KILL", &(at + 40_000).to_string());
                let outcome = outcome::run(&Case::read(&text).unwrap().plan, true);
                assert_eq!(outcome.violation, None, "{text}\n{}", outcome.ladder);
                over += u32::from(outcome.ladder.contains("481 (1001 OPTIONS)"));
            }
        }
    }
    assert!(over > 20, "the scene is not the one that was meant: {over}");
}
