//! The load while it runs, as a drill holds it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::{Time, Trouble};
use network::rehearsal::Place;

use super::call::Stage;
use super::crowd::{Crowd, Seat};
use super::order::Overtaken;
use super::people::People;
use super::shell::{Shell, now};
use super::sockets::{Net, open, open_carriers};
use super::stream::Line;
use super::watch::{Counts, LostCall, Watch};
use crate::gap::Record;
use crate::history::{Breach, Nanos, Rule};

/// The load while it runs.
pub struct Load {
    crowd: Arc<Mutex<Crowd>>,
    begun: Instant,
    stops: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), Trouble>>>,
}

/// How a load stands.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its counts.
    pub counts: Counts,
    /// Calls in each state.
    pub standing: BTreeMap<Stage, u64>,
    /// Phones that are registered, and all of them.
    pub registered: (usize, usize),
    /// Calls that are not over.
    pub live: usize,
    /// How often phones had to come back because their connection was lost.
    pub comebacks: u64,
    /// Connections that stood while nothing came on them any more.
    pub silent_connections: u64,
    /// Registrations that failed.
    pub failures: u64,
    /// Registrations whose connection ended before they were answered.
    pub cut: u64,
    /// How often each rule of SIP was broken.
    pub breaches: Vec<(Rule, u64)>,
}

/// What is left of a load when it has ended.
#[derive(Debug)]
pub struct Remains {
    /// Its counts.
    pub counts: Counts,
    /// The calls that were lost.
    pub losses: Vec<LostCall>,
    /// Callers whose turn was taken, and in which run.
    pub disorder: Vec<(u32, Overtaken)>,
    /// Messages that no RFC allows.
    pub breaches: Vec<(Rule, u64)>,
    /// The first of them.
    pub examples: Vec<Breach>,
}

impl Load {
    /// Opens the sockets of everybody, and lets the phones register; nobody calls yet.
    ///
    /// # Errors
    /// There is nobody to play, or a socket cannot be had.
    pub fn start(net: Net, people: People, rate: u32, seed: u64) -> Result<Self, Trouble> {
        let server = people.udp.or(people.tcp).filter(|_| people.is_enough()).ok_or_else(nobody)?;
        let refused = |error: io::Error| {
            Trouble::new(format!("the phones have no sockets: {error}"), "let more files be open: `ulimit -n 4096`")
        };
        let (lines, cast) = net.in_place(Place::Phones, || open(&net, &people, server))?.map_err(refused)?;
        let (mut lines, mut cast) = (lines, cast);
        let carriers = net.in_place(Place::Carriers, || open_carriers(&people))?;
        let probes = lines.pop();
        for socket in carriers {
            cast.carriers.push(Seat { place: socket.local_addr().map_err(refused)?, tcp: false });
            lines.push(Line::Datagrams(socket));
        }
        lines.extend(probes);
        let mut people = people;
        if cast.carriers.is_empty() {
            people.carriers.clear();
        }
        let zero = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Nanos);
        let begun = Instant::now();
        let agents = people.extensions.iter().filter(|one| one.agent.is_some()).map(|one| one.number.clone());
        let watch = Watch::new(zero, agents);
        let targets = (people.udp, people.tcp);
        // The phones of a real solution are its own business.
        let alone = matches!(net, Net::Rehearsal(_));
        // What two drills of one seed draw must differ on the wire: the server may remember the first.
        let salt = zero / 1_000_000;
        let crowd = Arc::new(Mutex::new(Crowd::new(people, &cast, rate, seed, salt, watch, alone)));
        let stops = Arc::new(AtomicBool::new(false));
        let (for_thread, ends) = (Arc::clone(&crowd), Arc::clone(&stops));
        let body = move || {
            let shell = Shell { crowd: for_thread, lines, targets, begun, stops: ends };
            net.in_place(Place::Phones, move || shell.run())?
                .map_err(|error| Trouble::new(format!("the phones have ended: {error}"), "look at the system's log"))
        };
        let thread = std::thread::Builder::new().name("phones".into()).spawn(body);
        let thread =
            thread.map_err(|error| Trouble::new(format!("no thread for the phones: {error}"), "end other programs"))?;
        Ok(Self { crowd, begun, stops, thread: Some(thread) })
    }

    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        now(self.begun)
    }

    /// Whether the phones still play.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// The moment now, as results tell it.
    #[must_use]
    pub fn nanos(&self) -> Nanos {
        self.crowd().watch.nanos(self.now())
    }

    /// Begins to call, or begins no more calls.
    pub fn call(&self, calls: bool) {
        self.crowd().call(self.now(), calls);
    }

    /// Begins so many calls besides, which stand until [`call`](Self::call) ends all.
    pub fn hold(&self, calls: u32) {
        self.crowd().hold(self.now(), calls);
    }

    /// Lets everybody wait with what they would do by themselves, or go on.
    pub fn set_quiet(&self, quiet: bool) {
        self.crowd().set_quiet(self.now(), quiet);
    }

    /// Lets all phones refresh their registrations within a second, so that there is much to be kept.
    pub fn renew(&self) {
        self.crowd().renew(self.now());
    }

    /// Begins a run: all calls that stand are touched by it. Probes and writes down silences from now on.
    pub fn begin_run(&self, run: u32) {
        let mut crowd = self.crowd();
        crowd.touch(run);
        crowd.watch.gaps.record();
        crowd.probe(self.now(), true);
    }

    /// Probes no more, and gives the silences since [`begin_run`](Self::begin_run).
    #[must_use]
    pub fn silences(&self) -> Record {
        let mut crowd = self.crowd();
        let now = self.now();
        crowd.probe(now, false);
        let now = crowd.watch.nanos(now);
        crowd.watch.gaps.take_record(now)
    }

    /// How it stands.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let crowd = self.crowd();
        Snapshot {
            counts: crowd.watch.counts,
            standing: crowd.standing(),
            registered: crowd.registered(),
            live: crowd.live(),
            comebacks: crowd.phones().map(|phone| phone.comebacks).sum(),
            silent_connections: crowd.phones().map(|phone| phone.silences).sum(),
            failures: crowd.phones().map(|phone| phone.failures).sum(),
            cut: crowd.phones().map(|phone| phone.cut).sum(),
            breaches: crowd.watch.breaches(),
        }
    }

    /// What each agent does: the id, whether the phone is registered, and how many calls it has at hand.
    #[must_use]
    pub fn agents(&self) -> Vec<(String, bool, usize)> {
        self.crowd().agents()
    }

    /// All phones take their leave of the server.
    pub fn leave(&self) {
        self.crowd().leave(self.now());
    }

    /// Ends it at once, and gives what was noted; what is missing counts only if it was `drained`.
    ///
    /// # Errors
    /// The phones had ended before.
    pub fn finish(mut self, drained: bool) -> Result<Remains, Trouble> {
        self.stops.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let gone = || Trouble::new("the phones have ended by an error of the drill", "report it");
            thread.join().map_err(|_| gone())??;
        }
        let mut crowd = self.crowd();
        let counts = crowd.watch.counts;
        let (losses, disorder) = (std::mem::take(&mut crowd.watch.losses), std::mem::take(&mut crowd.watch.disorder));
        let history = std::mem::take(&mut crowd.watch.history);
        let verdict = if drained { history.finish() } else { history.so_far() };
        let breaches = verdict.breaches.into_iter().collect();
        Ok(Remains { counts, losses, disorder, breaches, examples: verdict.examples })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // What is wrong was told already, or nobody asks any more.
            drop(thread.join());
        }
    }
}

fn nobody() -> Trouble {
    let remedy =
        "give phones to the solution: `everline drill config` prints a configuration with all that a drill needs";
    Trouble::new("the configuration has no extension with a password that the drill could play", remedy)
}
