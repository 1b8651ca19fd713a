//! A whole drill: the load begins, the plan runs, the load ends, the judge speaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use model::{Chance, Trouble};

use crate::course::{Course, Progress};
use crate::hands::Hands;
use crate::history::Nanos;
use crate::judge;
use crate::load::{Load, Net, People, Remains};
use crate::machine::Machine;
use crate::plan::Plan;
use crate::result::{Phones, PlanText, Report, Run, SCHEMA, Turn, WrongSip};
use crate::site::Site;
use crate::stalls::Stalls;

/// Calls that have not ended by then never do: longer than every timer of SIP, and than the longest call.
const DRAIN_LIMIT: Duration = Duration::from_secs(90);

/// The same for a drill that was interrupted. Whoever does that wants it to end, but calls whose phones are gone would spoil the next one.
const INTERRUPTED_LIMIT: Duration = Duration::from_secs(20);

/// Phones that have not taken their leave by then are forgotten when their registration is over.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// What a drill needs.
pub struct Drill {
    /// The plan.
    pub plan: Plan,
    /// Decides all draws.
    pub seed: u64,
    /// Who is played.
    pub people: People,
    /// Where they are.
    pub net: Net,
    /// How the solution is reached.
    pub site: Arc<dyn Site>,
    /// Who makes the faults.
    pub hands: Box<dyn Hands>,
    /// The version of Everline.
    pub everline: String,
    /// The command that repeats it.
    pub command: String,
    /// Where it runs, in words.
    pub place: String,
}

/// Runs a drill; `tell` is told how it goes, and ends it by false.
///
/// # Errors
/// It cannot begin: nobody to play, no sockets, or the solution does not get level. What goes wrong later is in the report.
pub fn run(mut drill: Drill, tell: &mut dyn FnMut(Progress<'_>) -> bool) -> Result<Report, Trouble> {
    let mut chance = Chance::new(drill.seed);
    let seed = chance.next_u64();
    let load = Load::start(drill.net, drill.people, drill.plan.rate, seed)?;
    let begun_ns = load.nanos();
    let site = Arc::clone(&drill.site);
    let stalls = Stalls::watch();
    let mut course = Course { site, hands: drill.hands.as_mut(), load: &load, stalls, chance, tell };
    if let Err(trouble) = course.warm_up(drill.plan.held) {
        drain(&load, tell);
        return Err(trouble);
    }
    let (runs, ended) = course.run(&drill.plan);
    // Nothing stays broken, whatever has happened.
    let mended = drill.hands.mend();
    let ended = ended.or(mended.err());
    let (last, ended_ns) = (load.snapshot(), load.nanos());
    let drained = drain(&load, tell);
    let phones = Phones {
        count: last.registered.1,
        comebacks: last.comebacks,
        silent_connections: last.silent_connections,
        failed_registrations: last.failures,
        cut_registrations: last.cut,
    };
    let remains = load.finish(drained)?;
    let Drill { plan, seed, everline, command, place, .. } = drill;
    let frame = Frame { begun_ns, ended_ns, phones, ended, plan, seed, everline, command, place };
    Ok(report(frame, runs, remains))
}

/// Lets all calls come to their end and the phones take their leave; false if the calls have not ended.
fn drain(load: &Load, tell: &mut dyn FnMut(Progress<'_>) -> bool) -> bool {
    load.call(false);
    let begun = Instant::now();
    let mut limit = DRAIN_LIMIT;
    while load.is_alive() && load.snapshot().live > 0 && begun.elapsed() < limit {
        if !tell(Progress::Waits(format!("the last {} calls to end", load.snapshot().live))) {
            limit = limit.min(begun.elapsed() + INTERRUPTED_LIMIT);
        }
        sleep(Duration::from_millis(100));
    }
    let drained = load.snapshot().live == 0;
    load.leave();
    let begun = Instant::now();
    while load.is_alive() && load.snapshot().registered.0 > 0 && begun.elapsed() < LEAVE_LIMIT {
        // Interrupted or not, this takes no long time.
        let _ = tell(Progress::Waits("the phones to take their leave".into()));
        sleep(Duration::from_millis(50));
    }
    drained
}

/// What frames the runs of a report.
struct Frame {
    begun_ns: Nanos,
    ended_ns: Nanos,
    phones: Phones,
    ended: Option<Trouble>,
    plan: Plan,
    seed: u64,
    everline: String,
    command: String,
    place: String,
}

fn report(frame: Frame, mut runs: Vec<Run>, remains: Remains) -> Report {
    let Frame { begun_ns, ended_ns, phones, ended, plan, seed, everline, command, place } = frame;
    let Remains { counts, losses, disorder, breaches, examples } = remains;
    judge::charge(&mut runs, &losses);
    let steps = judge::sum(&plan, &runs);
    let wrong: BTreeMap<_, _> = breaches.into_iter().collect();
    let count = counts.wrong_sip.max(wrong.values().sum());
    let turn = |(run, one): (u32, crate::load::Overtaken)| Turn { run, queue: one.queue, call: one.call, by: one.by };
    let overtaken: Vec<Turn> = disorder.into_iter().map(turn).collect();
    let broken = judge::broken(&steps, &runs, &losses, count, overtaken.len() as u64);
    Report {
        schema: SCHEMA.to_owned(),
        everline,
        command,
        place,
        machine: Machine::here(),
        seed,
        plan: PlanText { name: plan.name, text: plan.text, rate: plan.rate },
        begun_ns,
        ended_ns,
        ended_early: ended.map(|trouble| trouble.to_string()),
        load: counts,
        phones,
        runs,
        steps,
        lost: losses,
        overtaken,
        wrong_sip: WrongSip { counts: wrong, examples },
        broken,
    }
}
