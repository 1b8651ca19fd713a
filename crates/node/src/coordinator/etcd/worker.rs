//! The thread that talks to etcd: it has a session with each member that can be asked, and asks the next ones too where the
//! first one does not answer at once.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use model::Incarnation;
use nix::sys::eventfd::EventFd;
use redundancy::coordinator::{PairEntry, Versioned};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};

use super::cluster::Cluster;
use super::entries::Entries;
use super::leader::{self, Seat, Serving};
use super::messages::{STATUS, StatusRequest, StatusResponse};
use super::problem::Problem;
use super::visit::{Visit, Word};
use crate::coordinator::guest::Answer;
use crate::coordinator::member::TlsFiles;
use crate::hub::MOST_GUESTS;
use crate::pulse::threads;
use crate::wire::{CoordinatorRequest, Trouble};

/// A request is answered within this time, or it is unknown what has become of it.
const REQUEST: Duration = Duration::from_secs(1);
/// While there is no answer it is asked again after this time, of all members; then after half as much more each time.
const AGAIN: Duration = Duration::from_millis(20);
/// If no member could be asked for this long, the members of the pairs are told.
const LONGEST_SEARCH: Duration = Duration::from_secs(1);
/// The same at the start, when members have to begin as well.
const FIRST_SEARCH: Duration = Duration::from_secs(3);
/// How often to look whether another member should lead, and whether an alarm is raised.
const REVIEW: Duration = Duration::from_secs(1);
/// What waits for the serving thread at most; then etcd is read no further.
const MOST_NEWS: usize = 1_024;

/// A request that is to be carried out.
#[derive(Debug)]
pub(super) struct Ask {
    /// Names the connection that asks.
    pub(super) asker: Asker,
    /// What it asks.
    pub(super) request: CoordinatorRequest,
}

/// A connection of a member of a pair: its number, and how many times there was no coordinator before it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) era: u64,
    pub(super) number: u64,
}

/// What the serving thread is told.
#[derive(Debug)]
pub(super) enum News {
    /// A member can be asked, and this is what it holds; what it told before is not undone.
    Up(Vec<(String, Versioned)>),
    /// No member can be asked any more.
    Down,
    /// An entry has changed.
    Changed(String, Versioned),
    /// These alarms are raised now, and no others.
    Alarms(BTreeSet<String>),
    /// The members at these places cannot be asked, and could not a moment ago.
    Lacking(BTreeSet<usize>),
    /// At these places, and no others, somebody answers who must not be asked, and why.
    Refused(BTreeMap<usize, Trouble>),
    /// A request has this outcome.
    Answered(Asker, Result<Answer, Problem>),
}

/// What the thread must know.
pub(super) struct Plan {
    pub(super) addresses: Vec<String>,
    pub(super) seats: Vec<Vec<String>>,
    pub(super) solution: String,
    pub(super) tls: Option<TlsFiles>,
    pub(super) cluster: Cluster,
}

/// The thread, as the serving thread knows it. It ends with this value.
#[derive(Debug)]
pub(super) struct Worker {
    asks: mpsc::Sender<(Ask, Instant)>,
    news: mpsc::Receiver<News>,
    /// Readable when there is news.
    bell: Arc<EventFd>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread, which begins to look for a member.
    ///
    /// # Errors
    /// If the system has no threads or descriptors left.
    pub(super) fn start(plan: Plan, bell: EventFd) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bell = Arc::new(bell);
        let (asks, asked) = mpsc::channel(MOST_GUESTS);
        let (sender, news) = mpsc::channel(MOST_NEWS);
        let (end, ended) = oneshot::channel::<()>();
        let teller = Teller { news: sender, bell: Arc::clone(&bell) };
        let live = move || {
            runtime.block_on(async {
                threads::watch_runtime("etcd");
                tokio::select! {
                    () = Desk::new(plan, asked, teller).live() => {}
                    // Nothing is ever sent: the other end is dropped.
                    _ = ended => {}
                }
            });
            // A name server that does not answer holds nobody up.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("etcd".into()).spawn(live)?;
        Ok(Self { asks, news, bell, end: Some(end), thread: Some(thread) })
    }

    /// What can be polled for news.
    pub(super) fn bell(&self) -> &EventFd {
        &self.bell
    }

    /// Has a request carried out, unless too many are.
    pub(super) fn ask(&self, ask: Ask) -> bool {
        self.asks.try_send((ask, Instant::now() + REQUEST)).is_ok()
    }

    /// Everything that is new.
    pub(super) fn news(&mut self) -> Vec<News> {
        // Before the look: what comes after it rings again.
        let _ = self.bell.read();
        std::iter::from_fn(|| self.news.try_recv().ok()).collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.end.take());
        self.news.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Tells the serving thread what is new.
#[derive(Clone)]
struct Teller {
    news: mpsc::Sender<News>,
    bell: Arc<EventFd>,
}

impl Teller {
    async fn tell(&self, news: News) {
        // Refused only if the serving thread has ended.
        if self.news.send(news).await.is_ok() {
            let _ = self.bell.write(1);
        }
    }
}

/// The thread's state.
struct Desk {
    addresses: Vec<String>,
    seats: Vec<Vec<String>>,
    /// When to look next whether another member should lead.
    review: Interval,
    asked: mpsc::Receiver<(Ask, Instant)>,
    words: mpsc::Receiver<(usize, Word)>,
    /// For what is asked of a member besides.
    says: mpsc::Sender<(usize, Word)>,
    /// The alarms that were told.
    alarms: BTreeSet<String>,
    teller: Teller,
    /// Ends the session with the member of the same place in `addresses`.
    doubts: Vec<Arc<Notify>>,
    /// The members that can be asked, by their places, with their numbers in etcd.
    up: BTreeMap<usize, (Entries, u64)>,
    /// The number of the member that led when it was looked last.
    leader: Option<u64>,
    /// The places of the members that could not be asked when it was looked last, and of those of whom that was told.
    absent: BTreeSet<usize>,
    lacking: BTreeSet<usize>,
    /// The entry of each pair.
    entries: BTreeMap<String, PairEntry>,
    /// The newest revision of each pair that was told.
    told: BTreeMap<String, u64>,
    /// What is wrong with each member, so that it is logged once.
    problems: BTreeMap<usize, Problem>,
    /// Those among them, with the reason, of whom it was told that they must not be asked.
    refused: BTreeMap<usize, Trouble>,
    /// The serving thread believes that a member can be asked.
    is_up: bool,
    /// When it is told that none can, if none can.
    down_at: Option<Instant>,
}

impl Desk {
    /// Begins to visit every member.
    fn new(plan: Plan, asked: mpsc::Receiver<(Ask, Instant)>, teller: Teller) -> Self {
        let (sender, words) = mpsc::channel(MOST_NEWS);
        let Plan { addresses, seats, solution, tls, cluster } = plan;
        let (cluster, seen) = (Arc::new(Mutex::new(cluster)), Arc::default());
        let visit = |(number, address): (usize, &String)| {
            let doubt = Arc::new(Notify::new());
            let visit = Visit {
                number,
                address: address.clone(),
                solution: solution.clone(),
                tls: tls.clone(),
                cluster: Arc::clone(&cluster),
                seen: Arc::clone(&seen),
                words: sender.clone(),
                doubt: Arc::clone(&doubt),
            };
            tokio::spawn(visit.live());
            doubt
        };
        let doubts = addresses.iter().enumerate().map(visit).collect();
        let mut review = interval(REVIEW);
        review.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (up, leader, absent, lacking, entries, told, problems, refused, is_up, alarms) = Default::default();
        Self {
            addresses,
            seats,
            review,
            asked,
            words,
            says: sender,
            alarms,
            teller,
            doubts,
            up,
            leader,
            absent,
            lacking,
            entries,
            told,
            problems,
            refused,
            is_up,
            down_at: Some(Instant::now() + FIRST_SEARCH),
        }
    }

    async fn live(mut self) {
        loop {
            let down_at = self.down_at.unwrap_or_else(Instant::now);
            tokio::select! {
                Some((number, word)) = self.words.recv() => self.hear(number, word).await,
                Some((ask, until)) = self.asked.recv(), if !self.up.is_empty() => self.carry_out(ask, until),
                _ = self.review.tick() => {
                    self.review_leader();
                    self.review_status();
                    self.review_members().await;
                }
                () = sleep_until(down_at), if self.down_at.is_some() => self.give_up().await,
            }
        }
    }

    async fn hear(&mut self, number: usize, word: Word) {
        match word {
            Word::Begun { entries, member, found } => {
                self.problems.remove(&number);
                self.up.insert(number, (entries, member));
                self.down_at = None;
                if self.lacking.remove(&number) {
                    self.teller.tell(News::Lacking(self.lacking.clone())).await;
                }
                self.found(found).await;
                self.review_refusals().await;
            }
            Word::Changed(changes) => self.changed(changes).await,
            Word::Lost(problem) => {
                tracing::warn!("the coordinator leaves etcd at {}: {problem}", self.addresses[number]);
                self.up.remove(&number);
                if self.up.is_empty() && self.is_up {
                    self.down_at = Some(Instant::now() + LONGEST_SEARCH);
                }
            }
            Word::Cannot(problem) => {
                if self.problems.get(&number) != Some(&problem) {
                    tracing::warn!("etcd at {} cannot be the coordinator: {problem}", self.addresses[number]);
                    self.problems.insert(number, problem);
                    self.review_refusals().await;
                }
            }
            Word::Status { alarms, leader } => {
                self.leader = Some(leader);
                if alarms == self.alarms {
                    return;
                }
                if alarms.is_empty() {
                    tracing::info!("etcd has no alarm any more");
                } else {
                    tracing::error!("etcd has an alarm: {}", Vec::from_iter(alarms.clone()).join(", "));
                }
                self.alarms.clone_from(&alarms);
                self.teller.tell(News::Alarms(alarms)).await;
            }
        }
    }

    /// Tells how the entries stand, and that a member can be asked.
    async fn found(&mut self, found: Vec<(String, Versioned)>) {
        if self.is_up {
            return self.changed(found).await;
        }
        self.is_up = true;
        self.entries.extend(found.iter().map(|(pair, now)| (pair.clone(), now.entry.clone())));
        self.told.extend(found.iter().map(|(pair, now)| (pair.clone(), now.revision)));
        self.teller.tell(News::Up(found)).await;
    }

    /// Tells who must not be asked, if others than before: a person has to do something about them.
    async fn review_refusals(&mut self) {
        let refusal = |(number, problem): (&usize, &Problem)| match problem {
            Problem::Refused(trouble) => Some((*number, trouble.clone())),
            Problem::Lost(_) => None,
        };
        let refused: BTreeMap<usize, Trouble> = self.problems.iter().filter_map(refusal).collect();
        if refused != self.refused {
            self.refused.clone_from(&refused);
            self.teller.tell(News::Refused(refused)).await;
        }
    }

    /// Tells what no other member has told.
    async fn changed(&mut self, changes: Vec<(String, Versioned)>) {
        for (pair, now) in changes {
            let told = self.told.entry(pair.clone()).or_default();
            if *told < now.revision {
                *told = now.revision;
                self.entries.insert(pair.clone(), now.entry.clone());
                self.teller.tell(News::Changed(pair, now)).await;
            }
        }
    }

    /// Has another member lead than that of this host, beside all else, if less is lost with that one.
    fn review_leader(&self) {
        let name = |incarnation: &Incarnation| incarnation.application.clone();
        let serving = Serving {
            primaries: self.entries.values().map(|entry| name(&entry.primary)).collect(),
            in_sync: self.entries.values().flat_map(|entry| &entry.in_sync).map(name).collect(),
        };
        let is_here = self.seats.first().is_some_and(|here| serving.loss(here) > 0);
        let Some((own, _)) = self.up.get(&0).filter(|_| is_here) else { return };
        let seat = |(place, (_, member)): (&usize, &(Entries, u64))| {
            Some(Seat { member: *member, applications: self.seats.get(*place)?.clone() })
        };
        let (own, seats) = (own.clone(), self.up.iter().filter_map(seat).collect::<Vec<_>>());
        tokio::spawn(async move {
            match leader::review(&own, &seats, &serving).await {
                Ok(true) => tracing::info!("another host leads etcd from now on: less is lost with that one"),
                Ok(false) => {}
                Err(problem) => tracing::debug!("the leader of etcd stays here: {problem}"),
            }
        });
    }

    /// Asks the first member that can be asked for the alarms of all and who leads, beside all else.
    fn review_status(&self) {
        let Some((number, (entries, _))) = self.up.first_key_value() else { return };
        let (number, connection, says) = (*number, entries.connection().clone(), self.says.clone());
        tokio::spawn(async move {
            let status = timeout(REQUEST, connection.ask::<_, StatusResponse>(STATUS, StatusRequest {})).await;
            // A member that does not answer is left by its session.
            if let Ok(Ok(StatusResponse { errors, leader, .. })) = status {
                let _ = says.send((number, Word::Status { alarms: alarms(&errors), leader })).await;
            }
        });
    }

    /// Tells which members have been away since the last look: with one more of them a majority may be.
    async fn review_members(&mut self) {
        let absent: BTreeSet<usize> = (0..self.addresses.len()).filter(|place| !self.up.contains_key(place)).collect();
        let lacking: BTreeSet<usize> = absent.intersection(&self.absent).copied().collect();
        self.absent = absent;
        if lacking != self.lacking {
            self.lacking.clone_from(&lacking);
            self.teller.tell(News::Lacking(lacking)).await;
        }
    }

    async fn give_up(&mut self) {
        tracing::error!(
            "no member of etcd can be asked: calls go on, but until one can no server can take over from a host that is gone"
        );
        (self.is_up, self.down_at) = (false, None);
        self.teller.tell(News::Down).await;
    }

    /// Carries out a request beside all others. If its outcome stays unknown, those who were asked are doubted.
    fn carry_out(&self, Ask { asker, request }: Ask, until: Instant) {
        let mut seats: Vec<&(Entries, u64)> = self.up.values().collect();
        let first = seats.first().map(|(_, member)| *member);
        // The leader besides: what another member is asked goes there and back.
        let besides = seats.iter().skip(1).position(|(_, member)| Some(*member) == self.leader && self.leader != first);
        if let Some(place) = besides {
            seats.swap(1, place + 1);
        }
        let at_once = if besides.is_some() { 2 } else { 1 };
        let entries: Vec<Entries> = seats.into_iter().map(|(entries, _)| entries.clone()).collect();
        let doubts: Vec<_> = self.up.keys().map(|number| Arc::clone(&self.doubts[*number])).collect();
        let teller = self.teller.clone();
        tokio::spawn(async move {
            let outcome = ask_until_answered(&entries, at_once, &request, until).await;
            if let Err(Problem::Lost(_)) = &outcome {
                doubts.iter().for_each(|doubt| doubt.notify_waiters());
            }
            teller.tell(News::Answered(asker, outcome)).await;
        });
    }
}

/// The names of the alarms among what a member says is wrong.
fn alarms(errors: &[String]) -> BTreeSet<String> {
    errors.iter().filter_map(|error| error.split("alarm:").nth(1)).map(|name| name.trim().to_owned()).collect()
}

/// Asks the first ones, and all of them again and again while there is no answer: one that has just lost its leader passes on to nobody
/// what it is asked, or may be the one that is cut off. Of the same compare-and-swaps at most one is done, and none after
/// another change, so it does no harm that several are on their way.
async fn ask_until_answered(
    entries: &[Entries],
    at_once: usize,
    request: &CoordinatorRequest,
    until: Instant,
) -> Result<Answer, Problem> {
    let mut attempts = JoinSet::new();
    let (mut next, mut pause, mut asked) = (Instant::now(), AGAIN, at_once);
    let mut rounds = 0;
    let mut problem = Problem::lost(format!("no answer within {} ms", REQUEST.as_millis()));
    loop {
        tokio::select! {
            () = sleep_until(until) => return Err(problem),
            () = sleep_until(next) => {
                for by in entries.iter().take(asked) {
                    let (by, request) = (by.clone(), request.clone());
                    attempts.spawn(async move { by.carry_out(request).await });
                }
                (next, pause, asked) = (next + pause, if rounds > 0 { pause * 3 / 2 } else { pause }, entries.len());
                rounds += 1;
            }
            Some(Ok(outcome)) = attempts.join_next() => match outcome {
                Err(lost @ Problem::Lost(_)) => problem = lost,
                outcome => return outcome,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_told_from_what_else_is_wrong() {
        let errors = ["etcdserver: no leader", "memberID:7 alarm:NOSPACE ", "memberID:9 alarm:NOSPACE "];
        assert_eq!(alarms(&errors.map(str::to_owned)), BTreeSet::from(["NOSPACE".to_owned()]));
    }
}
