//! The course of a drill: one fault after another, each followed by the wait until everything is level, and by the checks.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use model::{Chance, Trouble};

use crate::hands::{Hands, Struck};
use crate::history::Nanos;
use crate::judge;
use crate::load::{Load, Snapshot, Stage};
use crate::plan::{Deed, Plan, Step};
use crate::result::{Check, Ending, Run, Silence};
use crate::roles::{no_takeover, said, served_twice};
use crate::site::{self, Site};
use crate::stalls::Stalls;
use crate::status::Status;

/// A solution that is not level by then does not get so by itself any more.
const LEVEL_LIMIT: Duration = Duration::from_secs(60);
/// Phones that are not registered by then do not come back.
const PHONES_LIMIT: Duration = Duration::from_secs(45);
/// The calls that are to be held stand by then.
const HOLD_LIMIT: Duration = Duration::from_secs(180);

/// Calls must stand in every state before the first fault.
const WARM_UP: Duration = Duration::from_secs(5);
/// How often it is asked how things are.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// The prober asks for so long before the deed.
const PROBE_BEFORE: Duration = Duration::from_millis(100);
/// What a fault at once does shows by then.
const AFTERMATH: Duration = Duration::from_millis(1_500);
/// While a disk is full all phones register again this often.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// So long people may be quiet for a comparison: what a fault has taken is repeated by then, after T1 and again after 2 T1 (RFC
/// 3261 17.1.2.2).
const QUIET_LIMIT: Duration = Duration::from_millis(2_500);
/// Silences of this length are written down each, in nanoseconds.
const SHOWN: Nanos = 10_000_000;
/// A drill whose load is lost to such a degree is ended: it measures nothing any more.
const MOST_LOST: u64 = 2_000;

/// What is told while a drill runs.
#[derive(Clone, Debug)]
pub enum Progress<'a> {
    /// What it waits for; soon outdated.
    Waits(String),
    /// A run is over.
    Over {
        /// The run.
        run: &'a Run,
        /// How many there will be.
        of: u32,
    },
}

/// A drill while it runs.
pub struct Course<'a> {
    /// How the solution is reached.
    pub site: Arc<dyn Site>,
    /// Who makes the faults.
    pub hands: &'a mut dyn Hands,
    /// The load.
    pub load: &'a Load,
    /// When the machine stands still, where that can be seen.
    pub(crate) stalls: Option<Stalls>,
    /// Draws the instants of the faults.
    pub chance: Chance,
    /// Is told how it goes; false: the drill is to end.
    pub tell: &'a mut dyn FnMut(Progress<'_>) -> bool,
}

impl Course<'_> {
    /// Waits until the solution is level and all phones are registered, then lets the load begin.
    ///
    /// # Errors
    /// It does not get so.
    pub fn warm_up(&mut self, held: u32) -> Result<(), Trouble> {
        self.wait_level()?;
        self.wait_phones()?;
        self.hold(held)?;
        self.load.call(true);
        let end = Instant::now() + WARM_UP;
        while Instant::now() < end {
            let standing: u64 = self.load.snapshot().standing.values().sum();
            self.pause(format!("calls to stand in every state ({standing} by now)"))?;
        }
        Ok(())
    }

    /// Waits until so many calls stand that are to stand to the end.
    fn hold(&mut self, calls: u32) -> Result<(), Trouble> {
        self.load.hold(calls);
        let begun = Instant::now();
        loop {
            let talking = self.load.snapshot().standing.get(&Stage::Talking).copied().unwrap_or(0);
            if talking >= u64::from(calls) {
                return Ok(());
            }
            if begun.elapsed() > HOLD_LIMIT {
                let what = format!("only {talking} of the {calls} calls stand that are to be held");
                return Err(Trouble::new(what, "hold fewer, or look at what the servers say"));
            }
            self.pause(format!("{calls} calls to stand ({talking} by now)"))?;
        }
    }

    /// Runs a whole plan; what ended it early is the second of both.
    pub fn run(&mut self, plan: &Plan) -> (Vec<Run>, Option<Trouble>) {
        let (mut runs, mut number) = (Vec::new(), 0);
        for step in &plan.steps {
            for _ in 0..step.runs {
                number += 1;
                match self.once(number, step) {
                    Ok(run) => {
                        let goes_on = (self.tell)(Progress::Over { run: &run, of: plan.runs() });
                        let refused = run.ending == Ending::NotDone;
                        runs.push(run);
                        if !goes_on {
                            return (runs, Some(Trouble::new("it was interrupted", "run it again")));
                        }
                        if refused {
                            // It will be refused the next time as well.
                            break;
                        }
                    }
                    Err(trouble) => return (runs, Some(trouble)),
                }
                if self.load.snapshot().counts.lost > MOST_LOST {
                    let what = format!("more than {MOST_LOST} calls are lost");
                    return (runs, Some(Trouble::new(what, "look at the first lost calls in the result")));
                }
            }
        }
        (runs, None)
    }

    /// One fault: wait, strike, wait, mend, wait, check.
    fn once(&mut self, number: u32, step: &Step) -> Result<Run, Trouble> {
        let before = self.wait_level()?;
        self.stalls.iter().for_each(|stalls| stalls.forget(Instant::now()));
        sleep(Duration::from_millis(200 + self.chance.below(1_000)));
        self.load.begin_run(number);
        sleep(PROBE_BEFORE);
        let first = self.load.snapshot();
        let mut run = blank(number, step, &first);
        let struck = match self.hands.strike(&step.deed, &before, &mut self.chance) {
            Ok(struck) => struck,
            Err(trouble) => {
                // Half of it may be done.
                self.hands.mend()?;
                drop(self.load.silences());
                return Ok(Run { ending: Ending::NotDone, not_done: Some(trouble.to_string()), ..run });
            }
        };
        run.at_ns = struck.at_ns;
        run.victims.clone_from(&struck.victims);
        if step.deed.lasts().is_none() {
            self.level_again(&struck, &mut run);
        }
        self.aftermath(step, &struck, &mut run)?;
        if step.deed.lasts().is_some() {
            self.level_again(&struck, &mut run);
        }
        self.gather(&struck, &mut run);
        let after = self.check(&mut run);
        if judge::leaves_roles(&step.deed) {
            run.checks.push(no_takeover(&run.noted, &before, &after));
        }
        let last = self.load.snapshot();
        run.wrong_sip = last.counts.wrong_sip - first.counts.wrong_sip;
        run.overtaken = last.counts.overtaken - first.counts.overtaken;
        let right = run.checks.iter().all(|check| check.ok) && run.wrong_sip == 0 && run.overtaken == 0;
        run.ending = if right { Ending::Passed } else { Ending::Broken };
        Ok(run)
    }

    /// Waits as long as the fault is to last, and mends it.
    fn aftermath(&mut self, step: &Step, struck: &Struck, run: &mut Run) -> Result<(), Trouble> {
        let lasts = step.deed.lasts();
        let watched = lasts.unwrap_or_default().max(AFTERMATH);
        let until = struck.at_ns + nanos(watched);
        // Servers set room aside for what they must keep: a full disk is not felt before that is written full.
        let writes = matches!(step.deed, Deed::FillDisk(..));
        let mut renewal = struck.at_ns;
        while self.load.nanos() < until {
            if writes && self.load.nanos() >= renewal {
                self.load.renew();
                renewal += nanos(RENEW_EVERY);
            }
            let lost = self.load.snapshot().counts.lost;
            self.pause(format!("the end of `{}` ({lost} calls lost so far)", step.text))?;
        }
        if matches!(step.deed, Deed::Nothing(_) | Deed::Delay(..)) {
            self.ask_hold(run);
        }
        if lasts.is_some() {
            let mended = self.load.nanos();
            self.hands.mend()?;
            run.mended_ns = Some(mended);
        }
        Ok(())
    }

    /// What the standby costs while nothing is broken: how long answers wait for it.
    fn ask_hold(&self, run: &mut Run) {
        let status = site::status(&self.site).unwrap_or_default();
        let Some(hold) = status.in_role("sip", "primary").and_then(|primary| primary.hold) else { return };
        let micros = |millis: f64| (millis * 1_000.0).round() as u64;
        run.hold_us = Some(micros(hold.p50_ms));
        run.round_trip_us = hold.round_trip_ms.map(micros);
    }

    /// Reads what was measured.
    fn gather(&self, struck: &Struck, run: &mut Run) {
        let micros = |nanos: Nanos| nanos.div_ceil(1_000);
        let record = self.load.silences();
        let end = run.mended_ns.unwrap_or(struck.at_ns + nanos(AFTERMATH));
        run.gap_us = Some(micros(record.gap(struck.at_ns, end)));
        if let Some(stalls) = self.stalls_since(struck.at_ns) {
            run.net_gap_us = Some(micros(record.net_gap(struck.at_ns, end, &stalls)));
            run.stalls = stalls.iter().map(|&(from_ns, to_ns)| Silence { from_ns, to_ns }).collect();
        }
        run.longest_wait_us = Some(micros(record.longest_wait(struck.at_ns, Nanos::MAX)));
        run.usual_wait_us = record.usual_wait(struck.at_ns).map(micros);
        // The return of what was away is watched to its end.
        run.gap_of_repair_us = run.mended_ns.map(|mended| micros(record.gap(mended, Nanos::MAX)));
        let long = record.silences(SHOWN).into_iter().filter(|(_, to)| *to > struck.at_ns);
        run.silences = long.map(|(from_ns, to_ns)| Silence { from_ns, to_ns }).collect();
        run.noted = site::noted(&self.site, (struck.at_ns, self.load.nanos()), struck.moved.as_ref());
        let limit = run.mended_ns.unwrap_or(Nanos::MAX);
        let in_time: Vec<_> = run.noted.iter().filter(|one| one.at_ns <= limit).cloned().collect();
        let (gone, serves) = site::takeover(&in_time, struck.pair.as_deref().unwrap_or("sip"));
        run.detection_us = gone.map(|at| micros(at.saturating_sub(struck.at_ns)));
        run.takeover_us = serves.map(|at| micros(at.saturating_sub(struck.at_ns)));
    }

    /// When the machine stood still from that moment on, if that is watched.
    fn stalls_since(&self, moment: Nanos) -> Option<Vec<(Nanos, Nanos)>> {
        let stalls = self.stalls.as_ref()?;
        let (now, now_ns) = (Instant::now(), self.load.nanos());
        let at = |moment: Instant| now_ns.saturating_sub(nanos(now.saturating_duration_since(moment)));
        let since = now.checked_sub(Duration::from_nanos(now_ns.saturating_sub(moment)))?;
        Some(stalls.since(since).into_iter().map(|(from, to)| (at(from), at(to))).collect())
    }

    fn pause(&mut self, what: String) -> Result<(), Trouble> {
        sleep(ASK_EVERY);
        if !self.load.is_alive() {
            return Err(Trouble::new("the phones have ended by an error of the drill", "report it"));
        }
        if (self.tell)(Progress::Waits(what)) {
            Ok(())
        } else {
            Err(Trouble::new("it was interrupted", "run it again"))
        }
    }

    fn wait_level(&mut self) -> Result<Status, Trouble> {
        self.wait_for(&Status::is_level)
    }

    fn wait_for(&mut self, wanted: &dyn Fn(&Status) -> bool) -> Result<Status, Trouble> {
        let begun = Instant::now();
        loop {
            let why = match site::status(&self.site) {
                Ok(status) if wanted(&status) => return Ok(status),
                Ok(status) => status.lacks().join(", "),
                Err(trouble) => trouble.what,
            };
            if begun.elapsed() > LEVEL_LIMIT {
                let what = format!("the solution is not level after {} s: {why}", LEVEL_LIMIT.as_secs());
                return Err(Trouble::new(what, "look at `everline status` and at the logs"));
            }
            self.pause(format!("everything to be level: {why}"))?;
        }
    }

    /// Waits until everything is level again, and notes how long that took from the deed, or from the repair.
    fn level_again(&mut self, struck: &Struck, run: &mut Run) {
        let since = run.mended_ns.unwrap_or(struck.at_ns);
        match self.wait_for(&|status| struck.is_known_to(status) && status.is_level()) {
            Ok(_) => run.level_after_us = Some(self.load.nanos().saturating_sub(since) / 1_000),
            Err(trouble) => run.checks.push(wrong("level again", trouble.what)),
        }
    }

    fn wait_phones(&mut self) -> Result<(), Trouble> {
        let begun = Instant::now();
        loop {
            let (registered, all) = self.load.snapshot().registered;
            if registered == all {
                return Ok(());
            }
            if begun.elapsed() > PHONES_LIMIT {
                let what = format!("of {all} phones {registered} are registered after {} s", PHONES_LIMIT.as_secs());
                return Err(Trouble::new(
                    what,
                    "look at the log of the SIP Server; the passwords are in everline.toml",
                ));
            }
            self.pause(format!("the phones to register ({registered} of {all})"))?;
        }
    }

    /// What must be right after each fault; gives how the solution stands then.
    fn check(&mut self, run: &mut Run) -> Status {
        if let Err(trouble) = self.wait_phones() {
            run.checks.push(wrong("all phones registered", trouble.what));
        }
        self.load.set_quiet(true);
        let begun = Instant::now();
        let (mut same, mut agents) = (None, self.agents());
        while begun.elapsed() < QUIET_LIMIT && (same.is_none() || !agents.ok) {
            sleep(Duration::from_millis(30));
            same = same.or_else(|| site::status(&self.site).ok().filter(Status::is_same));
            if !agents.ok {
                agents = self.agents();
            }
        }
        self.call_back();
        self.load.set_quiet(false);
        let status = same.clone().unwrap_or_else(|| site::status(&self.site).unwrap_or_default());
        let lacks = status.lacks();
        run.checks.push(Check {
            name: "level again".into(),
            ok: lacks.is_empty(),
            said: said(&lacks, "everything is level"),
        });
        let many = crate::status::PAIRS.iter().filter(|pair| status.primaries(pair) != 1);
        let many: Vec<String> = many.map(|pair| format!("{pair} has {} primaries", status.primaries(pair))).collect();
        run.checks.push(Check {
            name: "one primary".into(),
            ok: many.is_empty(),
            said: said(&many, "one in each pair"),
        });
        let twice = served_twice(&run.noted);
        run.checks.push(Check {
            name: "one primary an epoch".into(),
            ok: twice.is_empty(),
            said: said(&twice, "as the logs tell"),
        });
        let hashes =
            if same.is_some() { "the same hash" } else { "other hashes for more than a second without a call" };
        run.checks.push(Check { name: "same records on both sides".into(), ok: same.is_some(), said: hashes.into() });
        run.checks.push(agents);
        status
    }

    /// Puts agents who are held to be away ready again, so that the next fault finds everybody at work.
    fn call_back(&self) {
        let away = site::agents(&self.site).unwrap_or_default();
        for agent in away.iter().filter(|agent| agent.state == "not-ready") {
            let path = format!("/v1/agents/{}/ready", agent.id);
            // If nobody takes the order, the next check says so.
            let _ = self.site.hosts().iter().any(|host| self.site.post(host, &path).is_ok());
        }
    }

    /// Compares what the solution believes of its agents with what their phones know.
    fn agents(&self) -> Check {
        let name = "agent states".to_owned();
        let known = match site::agents(&self.site) {
            Ok(known) => known,
            Err(trouble) => return wrong(&name, trouble.what),
        };
        let phones = self.load.agents();
        let mut off = Vec::new();
        for (id, registered, calls) in &phones {
            let Some(agent) = known.iter().find(|agent| agent.id == *id) else {
                off.push(format!("{id} is not listed"));
                continue;
            };
            let fits = match agent.state.as_str() {
                "ready" => *calls == 0,
                "busy" | "ringing" => *calls > 0,
                "unreachable" => !registered,
                _ => false,
            };
            if !fits {
                let reason = agent.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
                off.push(format!("{id} is {}{reason} with {calls} calls at the phone", agent.state));
            }
        }
        let all = phones.len();
        let count = off.len();
        off.truncate(5);
        let said = if count == 0 {
            format!("as {all} phones know them")
        } else {
            format!("{count} of {all}: {}", off.join(", "))
        };
        Check { name, ok: count == 0, said }
    }
}

fn nanos(span: Duration) -> Nanos {
    Nanos::try_from(span.as_nanos()).unwrap_or(Nanos::MAX)
}

fn wrong(name: &str, said: String) -> Check {
    Check { name: name.to_owned(), ok: false, said }
}

fn blank(number: u32, step: &Step, now: &Snapshot) -> Run {
    Run {
        run: number,
        step: step.text.clone(),
        line: step.line,
        kind: judge::kind(&step.deed).to_owned(),
        ending: Ending::Passed,
        not_done: None,
        at_ns: 0,
        victims: Vec::new(),
        detection_us: None,
        takeover_us: None,
        gap_us: None,
        net_gap_us: None,
        longest_wait_us: None,
        usual_wait_us: None,
        hold_us: None,
        round_trip_us: None,
        mended_ns: None,
        gap_of_repair_us: None,
        level_after_us: None,
        standing: now.standing.clone(),
        lost: std::collections::BTreeMap::new(),
        wrong_sip: 0,
        overtaken: 0,
        checks: Vec::new(),
        silences: Vec::new(),
        stalls: Vec::new(),
        noted: Vec::new(),
    }
}
