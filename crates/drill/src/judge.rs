//! What is promised, and whether a drill has kept it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::figures::{chance_to_exceed, percentile};
use crate::load::{LostCall, Stage};
use crate::plan::{Deed, Plan, Step, Target};
use crate::result::{Ending, Run, Spread, Sum};

/// The gap that is promised after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// No more than this, in 99 of 100.
    Within(Duration),
    /// None at all: silences no longer than those of the steps `nothing` of the same drill, but for chance and a millisecond, and none
    /// longer than after the death of a process.
    NoGap,
    /// Nothing is promised about time.
    Open,
}

/// The gap that is promised after the death of a process.
const PROCESS_DEATH: Duration = Duration::from_millis(20);

/// Of all drills of a solution that keeps its promises at most so many are told that [`Promise::NoGap`] is broken.
const FALSE_ALARMS: f64 = 0.01;

/// A gap that is longer by no more than this, in microseconds, is none: phones repeat a request after 500,000 at the earliest (T1, RFC
/// 3261 17.1.1.1).
const NOTICEABLE: u64 = 1_000;

/// Applications on which no call depends; nor does it who serves, as long as a majority of those of one name is left.
const ASIDE: [&str; 3] = ["authority", "etcd", "switchboard"];

/// The kind of a deed, as results name it.
#[must_use]
pub const fn kind(deed: &Deed) -> &'static str {
    match deed {
        Deed::Nothing(_) => "nothing",
        Deed::Kill(_) => "process-death",
        Deed::Freeze(..) => "freeze",
        Deed::Switchover(_) => "switchover",
        Deed::PowerOff(..) => "host-power-off",
        Deed::Cut(stretch, _) if stretch.one_way => "partition-one-way",
        Deed::Cut(..) => "partition",
        Deed::CutOff(..) => "cut-off",
        Deed::Loss(..) => "loss",
        Deed::Delay(..) => "delay",
        Deed::BlackHole(..) => "black-hole",
        Deed::TakeCoordinator(..) => "coordinator-loss",
        Deed::StealAddress(_) => "stolen-address",
        Deed::FillDisk(..) => "full-disk",
        Deed::MoveClock(..) => "moved-clock",
        Deed::Repair => "repair",
    }
}

/// What is promised about the gap after a deed.
#[must_use]
pub fn promise(deed: &Deed) -> Promise {
    let ms = |millis| Promise::Within(Duration::from_millis(millis));
    match deed {
        Deed::Kill(targets) if targets.iter().all(|target| *target == Target::Coordinator) => Promise::NoGap,
        // The primary then cannot know whether it was superseded (rule 14 of the protocol).
        Deed::Kill(targets) if targets.contains(&Target::Coordinator) => Promise::Open,
        Deed::Kill(_) => Promise::Within(PROCESS_DEATH),
        Deed::Switchover(_) => ms(10),
        Deed::Freeze(target, _) if is_aside(target) => Promise::NoGap,
        // It is noticed by whoever asks at the address as phones do, and only after a second and a half (`docs/hot-standby.md`).
        Deed::CutOff(_, networks, _) if is_for_phones_only(networks) => Promise::Open,
        // A link that carries no data is as good as cut.
        Deed::Freeze(..) | Deed::PowerOff(..) | Deed::Cut(..) | Deed::CutOff(..) | Deed::BlackHole(..) => ms(250),
        Deed::TakeCoordinator(..) => Promise::NoGap,
        Deed::Nothing(_)
        | Deed::Loss(..)
        | Deed::Delay(..)
        | Deed::StealAddress(_)
        | Deed::FillDisk(..)
        | Deed::MoveClock(..)
        | Deed::Repair => Promise::Open,
    }
}

/// Whether nobody may take over because of a deed: it takes nothing that the primary needs to serve.
#[must_use]
pub fn leaves_roles(deed: &Deed) -> bool {
    match deed {
        Deed::Nothing(_) | Deed::TakeCoordinator(..) | Deed::FillDisk(..) | Deed::MoveClock(..) => true,
        Deed::Freeze(target, _) => is_aside(target),
        Deed::Kill(targets) => targets.iter().all(is_aside),
        _ => false,
    }
}

fn is_aside(target: &Target) -> bool {
    matches!(target, Target::Application { name, .. } if ASIDE.contains(&name.as_str()))
}

/// Whether the other hosts still hear a host that is cut off from these networks, while phones do not. None named is all.
fn is_for_phones_only(networks: &[String]) -> bool {
    let has = |name: &str| networks.iter().any(|one| one == name);
    has("access") && !(has("a") && has("b"))
}

/// Holds the last run that a lost call lived in to account for it.
pub fn charge(runs: &mut [Run], lost: &[LostCall]) {
    for call in lost {
        let Some(last) = call.runs.last() else { continue };
        if let Some(run) = runs.iter_mut().find(|run| run.run == *last) {
            *run.lost.entry(call.state).or_insert(0) += 1;
            if run.ending == Ending::Passed {
                run.ending = Ending::Broken;
            }
        }
    }
}

/// The runs of each step together, in the order of the plan.
#[must_use]
pub fn sum(plan: &Plan, runs: &[Run]) -> Vec<Sum> {
    let compared = plan.steps.iter().filter(|step| promise(&step.deed) == Promise::NoGap).count();
    let of_step = |step: &Step| {
        let all: Vec<&Run> = of(step, runs).collect();
        let made: Vec<&&Run> = all.iter().filter(|run| run.ending != Ending::NotDone).collect();
        let spread =
            |field: fn(&Run) -> Option<u64>| Spread::of(&made.iter().filter_map(|run| field(run)).collect::<Vec<_>>());
        let mut lost = BTreeMap::new();
        for (stage, count) in made.iter().flat_map(|run| &run.lost) {
            *lost.entry(*stage).or_insert(0) += count;
        }
        let mut not_done: Vec<String> = all.iter().filter_map(|run| run.not_done.clone()).collect();
        not_done.dedup();
        let judged_gaps: Vec<u64> = made.iter().filter_map(|run| judged(run)).collect();
        let promise = promise(&step.deed);
        Sum {
            step: step.text.clone(),
            kind: kind(&step.deed).to_owned(),
            planned: step.runs.into(),
            injected: made.len() as u64,
            covered: made.iter().filter(|run| run.ending == Ending::Passed).count() as u64,
            not_done,
            touched: made.iter().map(|run| run.standing.values().sum::<u64>()).sum(),
            lost,
            wrong_sip: made.iter().map(|run| run.wrong_sip).sum(),
            overtaken: made.iter().map(|run| run.overtaken).sum(),
            detection_us: spread(|run| run.detection_us),
            takeover_us: spread(|run| run.takeover_us),
            gap_us: spread(|run| run.gap_us),
            net_gap_us: spread(|run| run.net_gap_us),
            longest_wait_us: spread(|run| run.longest_wait_us),
            usual_wait_us: spread(|run| run.usual_wait_us),
            hold_us: spread(|run| run.hold_us),
            beyond_round_trip_us: spread(|run| Some(run.hold_us?.saturating_sub(run.round_trip_us?))),
            level_after_us: spread(|run| run.level_after_us),
            gap_promise_us: match promise {
                Promise::Within(limit) => u64::try_from(limit.as_micros()).ok(),
                Promise::NoGap => u64::try_from(PROCESS_DEATH.as_micros()).ok(),
                Promise::Open => None,
            },
            exceeds_idle: promise == Promise::NoGap
                && exceeds_idle(&judged_gaps, &idle_gaps(plan, runs, step.deed.lasts().unwrap_or_default()), compared),
        }
    };
    plan.steps.iter().map(of_step).collect()
}

/// The runs of a step.
fn of<'r>(step: &Step, runs: &'r [Run]) -> impl Iterator<Item = &'r Run> {
    let line = step.line;
    runs.iter().filter(move |run| run.line == line)
}

/// The gap that a promise is about: without the time in which the machine stood still, where that is known.
fn judged(run: &Run) -> Option<u64> {
    run.net_gap_us.or(run.gap_us)
}

/// The gaps of the whole drill where nothing was done, in times of the length of a fault: the longest silence in ten seconds is longer
/// than that in five, so as many runs as make that length count as one.
fn idle_gaps(plan: &Plan, runs: &[Run], lasts: Duration) -> Vec<u64> {
    let of_step = |step: &Step| -> Vec<u64> {
        let Deed::Nothing(span) = step.deed else { return Vec::new() };
        let together = lasts.as_millis().div_ceil(span.as_millis().max(1)).max(1) as usize;
        let gaps: Vec<u64> = of(step, runs).filter_map(judged).collect();
        gaps.chunks_exact(together).filter_map(|some| some.iter().copied().max()).collect()
    };
    plan.steps.iter().flat_map(of_step).collect()
}

/// Whether the gaps of a step, one of so many that are `compared`, are longer than where nothing was done: by more than chance
/// ([`FALSE_ALARMS`], of which each step has its share, after Bonferroni), and their median by more than [`NOTICEABLE`].
fn exceeds_idle(gaps: &[u64], idle: &[u64], compared: usize) -> bool {
    let longer = percentile(gaps, 50).saturating_sub(percentile(idle, 50));
    longer > NOTICEABLE && chance_to_exceed(gaps, idle) < FALSE_ALARMS / compared.max(1) as f64
}

/// Every promise that was broken: what the drill as a whole must keep, and what each step must.
#[must_use]
pub fn broken(sums: &[Sum], runs: &[Run], lost: &[LostCall], wrong_sip: u64, overtaken: u64) -> Vec<String> {
    let mut broken = Vec::new();
    if !lost.is_empty() {
        let by_state = Stage::ALL.map(|stage| (stage, lost.iter().filter(|call| call.state == stage).count()));
        let states =
            by_state.iter().filter(|(_, count)| *count > 0).map(|(stage, count)| format!("{count} {}", stage.name()));
        let untouched = lost.iter().filter(|call| call.runs.is_empty()).count();
        let states = states.collect::<Vec<_>>().join(", ");
        broken.push(format!("{} calls lost: {states}; {untouched} of them by no fault", lost.len()));
    }
    if wrong_sip > 0 {
        broken.push(format!("{wrong_sip} messages that no RFC allows, or that are missing"));
    }
    if overtaken > 0 {
        broken.push(format!("{overtaken} callers of a queue were not served in their turn"));
    }
    for sum in sums {
        if sum.exceeds_idle {
            let what = "its gaps are longer than where nothing is done, by more than chance and a millisecond";
            broken.push(format!("{}: {what}", sum.step));
        }
        if let (Some(gap), Some(limit)) = (sum.promised_gap(), sum.gap_promise_us)
            && gap.p99 > limit
        {
            let millis = |micros: u64| format!("{:.1}", micros as f64 / 1_000.0);
            broken.push(format!("{}: gap p99 of {} ms, promised are {} ms", sum.step, millis(gap.p99), millis(limit)));
        }
    }
    for run in runs {
        for check in run.checks.iter().filter(|check| !check.ok) {
            broken.push(format!("run {}, {}: {}: {}", run.run, run.step, check.name, check.said));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hands::IMPOSSIBLE;
    use crate::load::Kind;
    use crate::result::Check;

    fn run(number: u32, line: usize, gap_us: u64) -> Run {
        Run {
            run: number,
            step: String::new(),
            line,
            kind: String::new(),
            ending: Ending::Passed,
            not_done: None,
            at_ns: 0,
            victims: Vec::new(),
            detection_us: None,
            takeover_us: None,
            gap_us: Some(gap_us),
            net_gap_us: None,
            longest_wait_us: None,
            usual_wait_us: None,
            hold_us: None,
            round_trip_us: None,
            mended_ns: None,
            gap_of_repair_us: None,
            level_after_us: None,
            standing: BTreeMap::new(),
            lost: BTreeMap::new(),
            wrong_sip: 0,
            overtaken: 0,
            checks: Vec::new(),
            silences: Vec::new(),
            stalls: Vec::new(),
            noted: Vec::new(),
        }
    }

    fn plan() -> Plan {
        Plan::parse("test", "nothing\nkill sip.primary\ntake coordinator 1\nsteal address\n").expect("it is right")
    }

    fn lost(runs: &[u32]) -> LostCall {
        let (kind, state) = (Kind::Talk, Stage::Ringing);
        LostCall {
            call: 7,
            kind,
            state,
            why: "refused by 500".into(),
            at_ns: 0,
            runs: runs.to_vec(),
            ladders: Vec::new(),
        }
    }

    #[test]
    fn a_lost_call_breaks_the_drill_and_is_charged_to_its_last_run() {
        let mut runs = [run(1, 1, 0), run(2, 2, 0)];
        charge(&mut runs, &[lost(&[1, 2])]);
        assert_eq!((runs[0].ending, runs[1].ending), (Ending::Passed, Ending::Broken));
        let sums = sum(&plan(), &runs);
        assert_eq!((sums[1].injected, sums[1].covered, sums[1].lost[&Stage::Ringing]), (1, 0, 1));
        let said = broken(&sums, &runs, &[lost(&[1, 2])], 0, 0);
        assert_eq!(said, ["1 calls lost: 1 ringing; 0 of them by no fault"]);
    }

    #[test]
    fn a_call_that_is_lost_without_a_fault_is_told() {
        let said = broken(&[], &[], &[lost(&[])], 0, 0);
        assert_eq!(said, ["1 calls lost: 1 ringing; 1 of them by no fault"]);
    }

    #[test]
    fn a_long_gap_is_told_and_a_short_one_is_not() {
        let runs = [run(1, 2, 20_000)];
        assert!(broken(&sum(&plan(), &runs), &runs, &[], 0, 0).is_empty());
        let runs = [run(1, 2, 20_001)];
        assert!(broken(&sum(&plan(), &runs), &runs, &[], 0, 0)[0].contains("promised are 20.0 ms"));
        let net = |at: u64| Run { net_gap_us: Some(at), ..run(1, 2, 30_000) };
        let said = |runs: &[Run]| broken(&sum(&plan(), runs), runs, &[], 0, 0);
        assert_eq!(said(&[net(20_000)]), Vec::<String>::new(), "the machine stood still");
        assert!(said(&[net(20_001)])[0].contains("p99 of 20.0 ms"));
        assert!(said(&[net(0), run(2, 2, 30_000)])[0].contains("p99 of 30.0 ms"), "that is not known of each run");
    }

    #[test]
    fn no_gap_means_none_that_is_longer_than_without_a_fault() {
        let drill = |step: usize, longer: u64| {
            let gaps = (0..10).map(|at| 3_000 + 100 * at);
            let runs: Vec<Run> = gaps.flat_map(|gap| [run(1, 1, gap), run(2, step, gap + longer)]).collect();
            broken(&sum(&plan(), &runs), &runs, &[], 0, 0)
        };
        assert_eq!(drill(3, 100), Vec::<String>::new());
        assert_eq!(drill(3, 1_000), Vec::<String>::new(), "nobody notices that");
        let said =
            "take coordinator 1: its gaps are longer than where nothing is done, by more than chance and a millisecond";
        assert_eq!(drill(3, 1_100), [said]);
        assert_eq!(drill(2, 1_100), Vec::<String>::new(), "another fault may cost a gap");
        let runs = [run(1, 1, 3_000), run(2, 3, 20_001)];
        assert!(broken(&sum(&plan(), &runs), &runs, &[], 0, 0)[0].starts_with("take coordinator 1: gap p99"));
    }

    #[test]
    fn a_long_fault_is_compared_with_as_long_a_time_of_nothing_and_by_what_the_machine_did_not_take() {
        let plan = Plan::parse("test", "nothing 5s\nkill lca\nnothing 5s\nfreeze etcd 10s\n").expect("it is right");
        let drill = |longest: [u64; 2], frozen: u64, taken: u64| {
            let idle = (0..10).map(|at| run(at, if at < 4 { 1 } else { 3 }, longest[at as usize % 2]));
            let froze = (0..10).map(|at| Run { net_gap_us: Some(frozen - taken), ..run(at, 4, frozen) });
            let runs: Vec<Run> = idle.chain(froze).collect();
            broken(&sum(&plan, &runs), &runs, &[], 0, 0)
        };
        // Ten seconds of nothing have a silence of 6 ms, though half of all five seconds have one of 3.
        assert_eq!(drill([3_000, 6_000], 7_000, 0), Vec::<String>::new());
        assert!(drill([3_000, 3_000], 7_000, 0)[0].starts_with("freeze etcd 10s: its gaps are longer"));
        assert_eq!(drill([3_000, 3_000], 7_000, 3_500), Vec::<String>::new(), "the machine stood still");
    }

    #[test]
    fn several_comparisons_share_one_false_alarm() {
        let (gaps, idle) = ([10_000, 10_001, 10_002, 10_003, 10_004], [1, 2, 3, 4, 5]);
        // 0.6 % by the test: enough for one comparison, too much for one of two.
        assert!(exceeds_idle(&gaps, &idle, 1) && !exceeds_idle(&gaps, &idle, 2));
        assert!(!exceeds_idle(&gaps, &[], 1) && !exceeds_idle(&[], &idle, 1));
    }

    #[test]
    fn each_fault_has_its_promise() {
        let promised = |step: &str| {
            let plan = Plan::parse("test", step).expect("it is right");
            let deed = &plan.steps[0].deed;
            (promise(deed), leaves_roles(deed))
        };
        let within = |millis| Promise::Within(Duration::from_millis(millis));
        for (step, expected, keeps_roles) in [
            ("kill etcd", within(20), true),
            ("kill etcd + sip.primary", within(20), false),
            ("kill coordinator", Promise::NoGap, false),
            ("freeze etcd", Promise::NoGap, true),
            ("freeze authority@h1", Promise::NoGap, true),
            ("freeze sip.primary", within(250), false),
            ("freeze control", within(250), false),
            ("cut off h1 on access", Promise::Open, false),
            ("cut off h1 on a,b,access", within(250), false),
            ("cut off h1 on a,b", within(250), false),
            ("cut off h1", within(250), false),
            ("cut h1 -> h3 on a", within(250), false),
        ] {
            assert_eq!(promised(step), (expected, keeps_roles), "{step}");
        }
    }

    #[test]
    fn a_fault_that_could_not_be_made_is_neither_injected_nor_covered() {
        let mut refused = run(1, 4, 0);
        (refused.ending, refused.not_done) = (Ending::NotDone, Some("no".into()));
        let sums = sum(&plan(), &[refused.clone()]);
        assert_eq!((sums[3].injected, sums[3].covered, sums[3].not_done.as_slice()), (0, 0, &["no".to_owned()][..]));
        assert!(sums[3].is_unmade() && !sums[2].is_unmade());
        (refused.ending, refused.not_done) = (Ending::NotDone, Some(format!("h3: {IMPOSSIBLE}no")));
        assert!(!sum(&plan(), &[refused.clone()])[3].is_unmade(), "nobody expects it there");
        let made = run(2, 4, 0);
        refused.not_done = Some("no more".into());
        assert!(!sum(&plan(), &[made, refused])[3].is_unmade(), "it was made once");
    }

    #[test]
    fn whatever_else_is_wrong_is_told() {
        let mut wrong = run(3, 2, 0);
        wrong.checks.push(Check { name: "one primary".into(), ok: false, said: "sip has 2 primaries".into() });
        let said = broken(&[], &[wrong], &[], 4, 1);
        assert_eq!(said[0], "4 messages that no RFC allows, or that are missing");
        assert_eq!(said[1], "1 callers of a queue were not served in their turn");
        assert_eq!(said[2], "run 3, : one primary: sip has 2 primaries");
    }
}
