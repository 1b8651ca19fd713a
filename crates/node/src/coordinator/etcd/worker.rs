//! The thread that talks to etcd: it looks for a member that can be asked, carries out requests there, and goes to
//! another one when it is lost.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::eventfd::EventFd;
use redundancy::coordinator::Versioned;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::cluster::Cluster;
use super::problem::Problem;
use super::session::Session;
use crate::coordinator::guest::Answer;
use crate::coordinator::member::TlsFiles;
use crate::hub::MOST_GUESTS;
use crate::wire::CoordinatorRequest;

/// A request is answered within this time, or it is unknown what has become of it.
const REQUEST: Duration = Duration::from_secs(1);
/// How long a member may take until it has shown that it can be asked; then the next one is tried.
const ATTEMPT: Duration = Duration::from_millis(500);
/// If no member could be asked for this long, the members of the pairs are told.
const LONGEST_SEARCH: Duration = Duration::from_secs(1);
/// First pause after all members were tried in vain; it doubles.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_millis(320);
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
    /// A request has this outcome.
    Answered(Asker, Result<Answer, Problem>),
}

/// What the thread must know.
pub(super) struct Plan {
    pub(super) addresses: Vec<String>,
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
        let searcher = Searcher { plan, asked, teller, problems: BTreeMap::new(), seen: 0, last: None };
        let live = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = searcher.live() => {}
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
struct Searcher {
    plan: Plan,
    asked: mpsc::Receiver<(Ask, Instant)>,
    teller: Teller,
    /// What is wrong with each member, so that it is logged once.
    problems: BTreeMap<String, Problem>,
    /// The newest revision that was seen.
    seen: u64,
    /// The member that was asked last.
    last: Option<String>,
}

impl Searcher {
    async fn live(mut self) {
        let mut was_up = false;
        loop {
            let session = self.find(was_up).await;
            was_up = true;
            let problem = self.serve(session).await;
            let address = self.last.as_deref().unwrap_or_default();
            tracing::warn!("the coordinator leaves etcd at {address}: {problem}");
        }
    }

    /// Looks for a member; if there was one and that takes long, the serving thread is told.
    async fn find(&mut self, was_up: bool) -> Session {
        let teller = self.teller.clone();
        let mut search = std::pin::pin!(self.search());
        if was_up {
            if let Ok(session) = timeout(LONGEST_SEARCH, &mut search).await {
                return session;
            }
            tracing::error!("no member of etcd can be asked: calls go on, but no server can take over until one can");
            teller.tell(News::Down).await;
        }
        search.await
    }

    /// Tries the members in their order until one can be asked, the one that was just lost last.
    async fn search(&mut self) -> Session {
        let mut pause = PAUSE;
        loop {
            let mut addresses = self.plan.addresses.clone();
            addresses.sort_by_key(|address| Some(address) == self.last.as_ref());
            for address in addresses {
                let Plan { solution, tls, cluster, .. } = &mut self.plan;
                let attempt = Session::begin(&address, tls.as_ref(), solution, cluster, self.seen);
                let late = |_| Err(Problem::lost(format!("it cannot be asked within {} ms", ATTEMPT.as_millis())));
                match timeout(ATTEMPT, attempt).await.unwrap_or_else(late) {
                    Ok(session) => {
                        self.problems.clear();
                        self.last = Some(address);
                        return session;
                    }
                    Err(problem) => self.note(address, problem),
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn note(&mut self, address: String, problem: Problem) {
        if self.problems.get(&address) != Some(&problem) {
            tracing::warn!("etcd at {address} cannot be the coordinator: {problem}");
            self.problems.insert(address, problem);
        }
    }

    /// Carries out what is asked, and tells what changes, until the member is lost.
    async fn serve(&mut self, mut session: Session) -> Problem {
        self.seen = session.revision;
        self.teller.tell(News::Up(std::mem::take(&mut session.found))).await;
        let (doubt, mut doubts) = mpsc::channel(1);
        loop {
            tokio::select! {
                Some((ask, until)) = self.asked.recv() => self.carry_out(&session, ask, until, doubt.clone()),
                changes = session.changes() => match changes {
                    Ok(changes) => for (pair, now) in changes {
                        self.seen = self.seen.max(now.revision);
                        self.teller.tell(News::Changed(pair, now)).await;
                    },
                    Err(problem) => return problem,
                },
                Some(problem) = doubts.recv() => return problem,
            }
        }
    }

    /// Carries out a request beside all others. If its outcome stays unknown, the member is doubted.
    fn carry_out(&self, session: &Session, Ask { asker, request }: Ask, until: Instant, doubt: mpsc::Sender<Problem>) {
        let (entries, teller) = (session.entries.clone(), self.teller.clone());
        tokio::spawn(async move {
            let late = |_| Err(Problem::lost(format!("no answer within {} ms", REQUEST.as_millis())));
            let outcome = timeout_at(until, entries.carry_out(request)).await.unwrap_or_else(late);
            if let Err(problem @ Problem::Lost(_)) = &outcome {
                // One doubt is enough.
                let _ = doubt.try_send(problem.clone());
            }
            teller.tell(News::Answered(asker, outcome)).await;
        });
    }
}
