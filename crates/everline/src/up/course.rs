//! What `up` does when: a value that is told what happens and says what to do. It knows the time only as an argument.

use std::collections::{BTreeMap, BTreeSet};

use management::Restart;
use model::{Span, Time};
use node::wire::{ApplicationRow, Trouble};

use super::news::News;
use crate::failure::Failure;

/// How long everything may take to come up.
const START: Span = Span::from_secs(30);

/// After this long a person is told what is waited for.
const PATIENCE: Span = Span::from_secs(1);

/// How long everything may take to end. The local control agent kills what takes longer than 4 s; this is for the
/// case that it cannot, within the 5 s that a person is promised.
const STOP: Span = Span::from_millis(4_500);

/// Two signals within this time are one: who sends it to a group of processes may send it twice.
const TWICE: Span = Span::from_millis(200);

/// No call pays for a terminal that closes, `SIGHUP`; there may still be a file that standard error goes to.
const RUNS_ON: &str = "The terminal has closed; everything runs on, and `everline stop` ends it.";

/// Starts of the local control agent after which a solution that was never up is given up.
const STARTS_MAX: u32 = 3;

/// What happens.
#[derive(Debug)]
pub(super) enum Input {
    /// Why the local control agent cannot be started, or cannot go on, as it says itself; its end follows.
    LastWord(Trouble),
    /// The local control agent has ended, with this exit code if it was not killed; or it could not be started.
    Ended(Option<i32>),
    /// The applications as they stand now.
    Applications(Vec<ApplicationRow>),
    /// A signal asks for the end.
    Signal,
    /// The terminal has closed.
    HangUp,
    /// Time has passed.
    Tick,
}

/// What is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Start the local control agent.
    Start,
    /// Tell the person.
    Say(String),
    /// Everything is up: say how to use it.
    Welcome,
    /// Ask the local control agent to end everything.
    Stop,
    /// Kill the local control agent and all that it started.
    Kill,
    /// End with this result, and kill what may be left.
    Finish(Result<(), Failure>),
}

/// Where `up` stands.
#[derive(Debug)]
pub(super) struct Course {
    phase: Phase,
    rows: Vec<ApplicationRow>,
    news: News,
    /// When the local control agent was started last; none while it is not running.
    started: Option<Time>,
    /// When it is to be started.
    start_at: Option<Time>,
    /// Whether it has told of its applications since.
    has_told: bool,
    restart: Restart,
    starts: u32,
    /// Why the local control agent does not start.
    last_word: Option<Trouble>,
    /// What it waits for may come from another host, so it never gives up.
    waits: bool,
    /// While it waits for that: what each application said last that people should know.
    said: BTreeMap<String, String>,
}

#[derive(Debug)]
enum Phase {
    Starting { since: Time, said: bool },
    Serving,
    Stopping { until: Time, result: Result<(), Failure> },
    Killing { result: Result<(), Failure> },
}

impl Course {
    /// The course of a solution that is started `now`, or whose local control agent runs already.
    pub(super) fn new(now: Time, is_running: bool) -> Self {
        let (started, start_at) = if is_running { (Some(now), None) } else { (None, Some(now)) };
        let phase = Phase::Starting { since: now, said: false };
        Self {
            phase,
            rows: Vec::new(),
            news: News::default(),
            started,
            start_at,
            has_told: false,
            restart: Restart::default(),
            starts: 0,
            last_word: None,
            waits: false,
            said: BTreeMap::new(),
        }
    }

    /// The same for one of several hosts, which waits for the others as long as it takes.
    pub(super) fn of_host(now: Time, is_running: bool) -> Self {
        Self { waits: true, ..Self::new(now, is_running) }
    }

    /// Whether it still waits for what may come from another host.
    pub(super) const fn waits(&self) -> bool {
        self.waits && matches!(self.phase, Phase::Starting { .. })
    }

    /// When [`Input::Tick`] is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        let phase = match &self.phase {
            Phase::Starting { since, said: false } => Some(*since + PATIENCE),
            Phase::Starting { said: true, .. } if self.waits => None,
            Phase::Starting { since, said: true } => Some(*since + START),
            Phase::Stopping { until, .. } => Some(*until),
            Phase::Serving | Phase::Killing { .. } => None,
        };
        phase.into_iter().chain(self.start_at).min()
    }

    /// Takes in what happened, and says what to do, in order.
    pub(super) fn handle(&mut self, now: Time, input: Input) -> Vec<Action> {
        match input {
            Input::LastWord(trouble) => {
                self.last_word = Some(trouble);
                Vec::new()
            }
            Input::Ended(code) => self.ended(now, code),
            Input::Applications(rows) => self.applications(now, rows),
            Input::Signal => self.signal(now),
            Input::HangUp => vec![Action::Say(RUNS_ON.into())],
            Input::Tick => self.tick(now),
        }
    }

    fn ended(&mut self, now: Time, code: Option<i32>) -> Vec<Action> {
        let lived = self.started.take().map(|started| now.since(started));
        let pause = self.restart.ended(lived.filter(|_| std::mem::take(&mut self.has_told)));
        let last_word = self.last_word.take();
        match &mut self.phase {
            Phase::Stopping { result, .. } | Phase::Killing { result } => {
                let result = std::mem::replace(result, Ok(()));
                vec![Action::Finish(result)]
            }
            Phase::Starting { .. } | Phase::Serving if code == Some(0) => vec![Action::Finish(Ok(()))],
            // Once it has told of applications these may serve, and none of them ends because it cannot be started again.
            Phase::Starting { .. } if self.rows.is_empty() && (last_word.is_some() || self.starts >= STARTS_MAX) => {
                let what = "the local control agent ends as soon as it is started";
                let trouble = last_word.unwrap_or_else(|| Trouble::new(what, "log/lca.log says why"));
                vec![Action::Finish(Err(trouble.into()))]
            }
            Phase::Starting { .. } | Phase::Serving => {
                self.start_at = Some(now + pause);
                let how = last_word.map_or_else(|| "has ended".to_owned(), |why| format!("does not start: {why}"));
                let said = format!("The local control agent {how}; starting it again. No call notices.");
                let mut actions = vec![Action::Say(said)];
                actions.extend(self.tick(now));
                actions
            }
        }
    }

    fn applications(&mut self, now: Time, rows: Vec<ApplicationRow>) -> Vec<Action> {
        self.has_told = true;
        self.rows = rows;
        let news = self.news.tell(&self.rows);
        match &self.phase {
            Phase::Starting { .. } => {
                let hopeless = self.rows.iter().find_map(failed).filter(|_| !self.waits);
                if let Some(trouble) = hopeless {
                    let failure = trouble.clone().into();
                    return self.stop(now, Err(failure));
                }
                if self.rows.is_empty() || !self.waited_for().is_empty() {
                    return self.reasons();
                }
                self.phase = Phase::Serving;
                self.notes().into_iter().map(Action::Say).chain([Action::Welcome]).collect()
            }
            Phase::Serving => news.into_iter().map(Action::Say).collect(),
            Phase::Stopping { .. } | Phase::Killing { .. } => Vec::new(),
        }
    }

    fn signal(&mut self, now: Time) -> Vec<Action> {
        match &mut self.phase {
            Phase::Starting { .. } | Phase::Serving => self.stop(now, Ok(())),
            Phase::Stopping { until, .. } if *until + TWICE <= now + STOP => self.kill("when it was asked again"),
            Phase::Stopping { .. } | Phase::Killing { .. } => Vec::new(),
        }
    }

    fn tick(&mut self, now: Time) -> Vec<Action> {
        if self.start_at.is_some_and(|at| at <= now) {
            self.start_at = None;
            self.started = Some(now);
            self.starts += 1;
            return vec![Action::Start];
        }
        let waited_for = self.waited_for().join(", ");
        match &mut self.phase {
            Phase::Starting { since, .. } if *since + START <= now && !self.waits => {
                let what = format!("not everything is up after {START}; still missing: {waited_for}");
                self.stop(now, Err(Failure::failed(what).help("the files in log/ say why")))
            }
            Phase::Starting { since, said: said @ false } if *since + PATIENCE <= now => {
                *said = true;
                let waits = Action::Say(format!("Waiting for {waited_for} ..."));
                std::iter::once(waits).chain(self.reasons()).collect()
            }
            Phase::Stopping { until, .. } if *until <= now => self.kill(&format!("after {STOP}")),
            _ => Vec::new(),
        }
    }

    /// Ends what has not ended; `when` says when that was.
    fn kill(&mut self, when: &str) -> Vec<Action> {
        let Phase::Stopping { result, .. } = &mut self.phase else { return Vec::new() };
        let living = self.rows.iter().filter(|row| row.pid.is_some()).map(|row| row.name.as_str());
        let living = Vec::from_iter(BTreeSet::from_iter(living.chain(["lca"]))).join(", ");
        let forced = format!("killed what had not ended {when}: {living}");
        let result = std::mem::replace(result, Ok(())).and(Err(Failure::failed(forced)));
        self.phase = Phase::Killing { result };
        vec![Action::Kill]
    }

    /// Begins the end.
    fn stop(&mut self, now: Time, result: Result<(), Failure>) -> Vec<Action> {
        self.start_at = None;
        if self.started.is_none() {
            return vec![Action::Finish(result)];
        }
        self.phase = Phase::Stopping { until: now + STOP, result };
        vec![Action::Say("Stopping ...".into()), Action::Stop]
    }

    /// What the applications say that people should know.
    fn notes(&self) -> Vec<String> {
        let note = |row: &ApplicationRow| Some(format!("{}: {}", row.name, row.report.as_ref()?.note.as_ref()?));
        self.rows.iter().filter_map(note).collect()
    }

    /// Of one of several hosts that still waits: why, as far as it was not said. What fails is started again and again.
    fn reasons(&mut self) -> Vec<Action> {
        if !self.waits || !matches!(self.phase, Phase::Starting { said: true, .. }) {
            return Vec::new();
        }
        let mut actions = Vec::new();
        for row in &self.rows {
            let note = || row.report.as_ref()?.note.as_ref().map(|note| format!("{}: {note}", row.name));
            let Some(reason) = failed(row).map(ToString::to_string).or_else(note) else { continue };
            if self.said.get(&row.name) != Some(&reason) {
                self.said.insert(row.name.clone(), reason.clone());
                actions.push(Action::Say(reason));
            }
        }
        actions
    }

    /// The applications that are not up yet.
    fn waited_for(&self) -> Vec<&str> {
        if self.rows.is_empty() {
            return vec!["the local control agent"];
        }
        let is_up = |row: &ApplicationRow| {
            let serves = |report: &node::wire::ServerReport| report.ready && report.role.is_some();
            row.state == "started" && (row.pair.is_none() || row.report.as_ref().is_some_and(serves))
        };
        self.rows.iter().filter(|row| !is_up(row)).map(|row| row.name.as_str()).collect()
    }
}

/// Why an application does not run, and is not about to.
fn failed(row: &ApplicationRow) -> Option<&Trouble> {
    row.trouble.as_ref().filter(|_| row.state == "failed")
}

#[cfg(test)]
mod tests {
    use model::Epoch;
    use node::wire::{Role, ServerReport};

    use super::*;

    const fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    fn row(name: &str, run: u64, role: Option<Role>) -> ApplicationRow {
        let report =
            role.map(|role| ServerReport { role: Some(role), ready: true, epoch: Epoch(1), ..Default::default() });
        let pair = name.split_once('-').map(|(pair, _)| pair.to_owned());
        let state = "started".into();
        ApplicationRow { name: name.into(), pair, run, state, pid: Some(1), report, trouble: None }
    }

    fn up() -> Vec<ApplicationRow> {
        vec![row("control", 1, None), row("sip-a", 1, Some(Role::Primary)), row("sip-b", 1, Some(Role::Backup))]
    }

    fn serving() -> Course {
        let mut course = Course::new(at(0), false);
        assert_eq!(course.deadline(), Some(at(0)));
        assert_eq!(course.handle(at(0), Input::Tick), [Action::Start]);
        assert_eq!(course.handle(at(300), Input::Applications(up())), [Action::Welcome]);
        assert_eq!(course.deadline(), None);
        course
    }

    fn said(actions: &[Action]) -> Vec<&str> {
        actions
            .iter()
            .filter_map(|action| if let Action::Say(text) = action { Some(text.as_str()) } else { None })
            .collect()
    }

    #[test]
    fn it_waits_until_both_sides_of_each_pair_can_serve() {
        let mut course = Course::new(at(0), false);
        course.handle(at(0), Input::Tick);
        assert_eq!(course.handle(at(10), Input::Applications(Vec::new())), []);
        let mut rows = up();
        rows[2].report = None;
        assert_eq!(course.handle(at(20), Input::Applications(rows)), []);
        assert_eq!(course.deadline(), Some(at(1_000)));
        assert_eq!(said(&course.handle(at(1_000), Input::Tick)), ["Waiting for sip-b ..."]);
        assert_eq!(course.handle(at(1_100), Input::Applications(up())), [Action::Welcome]);
    }

    #[test]
    fn what_was_lost_is_told_before_it_is_ready_and_once() {
        let mut course = Course::new(at(0), false);
        course.handle(at(0), Input::Tick);
        let mut rows = up();
        rows[2].report.as_mut().expect("it reports").note = Some("its journal was lost".into());
        course.handle(at(10), Input::Applications(vec![rows[0].clone(), row("sip-a", 1, None), rows[2].clone()]));
        let actions = course.handle(at(20), Input::Applications(rows.clone()));
        assert_eq!(actions, [Action::Say("sip-b: its journal was lost".into()), Action::Welcome]);
        assert_eq!(course.handle(at(30), Input::Applications(rows)), []);
    }

    #[test]
    fn a_server_that_cannot_start_ends_it_with_the_servers_own_words() {
        let mut course = Course::new(at(0), false);
        course.handle(at(0), Input::Tick);
        let mut rows = up();
        rows[1] = ApplicationRow {
            state: "failed".into(),
            pid: None,
            trouble: Some(Trouble::new("no memory", "buy some")),
            ..rows[1].clone()
        };
        let actions = course.handle(at(50), Input::Applications(rows));
        assert_eq!(actions.last(), Some(&Action::Stop));
        let failure = Failure::failed("no memory").help("buy some");
        assert_eq!(course.handle(at(60), Input::Ended(Some(0))), [Action::Finish(Err(failure))]);
    }

    #[test]
    fn a_start_that_takes_for_ever_is_given_up() {
        let mut course = Course::new(at(0), false);
        course.handle(at(0), Input::Tick);
        course.handle(at(1_000), Input::Tick);
        assert_eq!(course.deadline(), Some(at(30_000)));
        assert_eq!(course.handle(at(30_000), Input::Tick).last(), Some(&Action::Stop));
        let actions = course.handle(at(30_100), Input::Ended(Some(0)));
        assert!(format!("{actions:?}").contains("still missing: the local control agent"), "{actions:?}");
    }

    #[test]
    fn one_of_several_hosts_waits_for_the_others() {
        let mut course = Course::of_host(at(0), false);
        course.handle(at(0), Input::Tick);
        course.handle(at(1_000), Input::Tick);
        assert_eq!(course.deadline(), None);
        assert_eq!(course.handle(at(3_600_000), Input::Tick), []);
        assert_eq!(course.handle(at(3_600_001), Input::Applications(up())), [Action::Welcome]);
    }

    #[test]
    fn one_of_several_hosts_says_why_it_waits_and_ends_for_no_server_that_does_not_start() {
        let mut course = Course::of_host(at(0), false);
        course.handle(at(0), Input::Tick);
        let mut rows = vec![row("control", 1, None), row("sip-a", 1, None)];
        rows[0].report = Some(ServerReport { note: Some("h2 does not answer".into()), ..Default::default() });
        assert_eq!(course.handle(at(10), Input::Applications(rows.clone())), []);
        let waiting = course.handle(at(1_000), Input::Tick);
        assert_eq!(said(&waiting), ["Waiting for sip-a ...", "control: h2 does not answer"]);
        (rows[1].state, rows[1].trouble) = ("failed".into(), Some(Trouble::new("the disk is full", "make room")));
        for (after, expected) in [(60_000, &["the disk is full (make room)"][..]), (61_000, &[])] {
            assert_eq!(said(&course.handle(at(after), Input::Applications(rows.clone()))), expected);
            rows[1].state = "starting".into();
            assert_eq!(course.handle(at(after + 1), Input::Applications(rows.clone())), []);
            rows[1].state = "failed".into();
        }
        assert_eq!(course.handle(at(3_600_000), Input::Applications(up())), [Action::Welcome]);
    }

    #[test]
    fn a_local_control_agent_that_dies_is_started_again_at_once_and_with_pauses_if_it_cannot_live() {
        let mut course = serving();
        for n in 1..=5 {
            assert_eq!(course.handle(at(n * 1_000), Input::Ended(None)).last(), Some(&Action::Start));
            course.handle(at(n * 1_000), Input::Applications(up()));
        }
        assert_eq!(course.handle(at(6_000), Input::Ended(None)).last(), Some(&Action::Start));
        for pause in [100, 200, 400] {
            let (now, again) = (at(10_000), at(10_000) + Span::from_millis(pause));
            assert_eq!(said(&course.handle(now, Input::Ended(Some(1)))).len(), 1);
            assert_eq!(course.deadline(), Some(again));
            assert_eq!(course.handle(again, Input::Tick), [Action::Start]);
        }
    }

    #[test]
    fn a_local_control_agent_that_says_why_it_cannot_start_is_believed() {
        let mut course = Course::new(at(0), false);
        course.handle(at(0), Input::Tick);
        assert_eq!(course.handle(at(1), Input::LastWord(Trouble::new("no disk", "buy one"))), []);
        let failure = Failure::failed("no disk").help("buy one");
        assert_eq!(course.handle(at(1), Input::Ended(Some(1))), [Action::Finish(Err(failure))]);
    }

    #[test]
    fn a_local_control_agent_that_never_lives_is_given_up() {
        let mut course = Course::new(at(0), false);
        course.handle(at(0), Input::Tick);
        for (ended, again) in [(1, 101), (102, 302)] {
            course.handle(at(ended), Input::Ended(Some(1)));
            assert_eq!(course.handle(at(again), Input::Tick), [Action::Start]);
        }
        let actions = course.handle(at(303), Input::Ended(Some(1)));
        assert!(matches!(actions[..], [Action::Finish(Err(_))]), "{actions:?}");
    }

    #[test]
    fn one_that_cannot_be_started_again_ends_nothing_and_is_tried_until_it_can() {
        let mut waiting = Course::of_host(at(0), false);
        waiting.handle(at(0), Input::Tick);
        waiting.handle(at(300), Input::Applications(vec![row("sip-a", 1, None)]));
        for mut course in [serving(), waiting] {
            course.handle(at(300), Input::Ended(None));
            for (now, again) in [(300, 400), (400, 600), (600, 1_000)] {
                course.handle(at(now), Input::LastWord(Trouble::new("full", "wait")));
                let told = "The local control agent does not start: full (wait); starting it again. No call notices.";
                assert_eq!(course.handle(at(now), Input::Ended(Some(1))), [Action::Say(told.into())]);
                assert_eq!(course.handle(at(again), Input::Tick), [Action::Start]);
            }
        }
    }

    #[test]
    fn it_ends_within_its_time_or_by_force_and_at_once_when_asked_twice() {
        let mut course = serving();
        assert_eq!(course.handle(at(5_000), Input::Signal).last(), Some(&Action::Stop));
        assert_eq!(course.handle(at(5_200), Input::Ended(Some(0))), [Action::Finish(Ok(()))]);

        for (when, input) in [(9_500, Input::Tick), (5_300, Input::Signal)] {
            let mut course = serving();
            course.handle(at(5_000), Input::Signal);
            assert_eq!(course.deadline(), Some(at(9_500)));
            assert_eq!(course.handle(at(5_100), Input::Signal), [], "it was sent to a group, and to this one");
            assert_eq!(course.handle(at(when), input), [Action::Kill]);
            assert!(matches!(course.handle(at(9_501), Input::Ended(None))[..], [Action::Finish(Err(_))]));
        }
    }

    #[test]
    fn a_terminal_that_closes_ends_nothing() {
        let mut course = serving();
        assert_eq!(course.handle(at(5_000), Input::HangUp), [Action::Say(RUNS_ON.into())]);
        assert_eq!(course.handle(at(5_001), Input::Signal).last(), Some(&Action::Stop));
    }

    #[test]
    fn whoever_else_stops_it_is_obeyed_and_a_signal_between_two_starts_too() {
        assert_eq!(serving().handle(at(5_000), Input::Ended(Some(0))), [Action::Finish(Ok(()))]);
        let mut course = serving();
        course.handle(at(1_000), Input::Ended(None));
        course.handle(at(1_001), Input::Ended(Some(1)));
        assert!(course.deadline().is_some(), "a pause");
        assert_eq!(course.handle(at(1_002), Input::Signal), [Action::Finish(Ok(()))]);
    }
}
