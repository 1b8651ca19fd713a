//! Has a hook called for one address, by a thread of its own: whoever gives the order never waits, not even for the start of the
//! program.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::{Span, Time, Trouble};

use super::{Deed, Hook, VirtualAddress};

/// How often it is looked whether the program has ended, or another order has come.
const LOOK: Duration = Duration::from_millis(10);
/// The pause after a call that failed; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// When it is asked after a claim whether the address leads here, and then how often: soon at first, as a program of the last holder
/// may still be at work.
const ASK: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(10), Duration::from_secs(30)];

/// While nothing else happens the thread comes round this often, for whoever watches it.
const NAP: Duration = Duration::from_millis(100);

/// Is told by the thread whenever it comes round: whether it waits now for somebody outside, the start of a program, as long as
/// that takes.
pub type Witness = Box<dyn Fn(bool)>;

/// The thread, as its owner knows it. Dropping this ends it, and the program that it may have called.
#[derive(Debug)]
pub struct Mover {
    orders: Option<Sender<Deed>>,
    outcomes: Receiver<Result<(), Trouble>>,
    thread: Option<JoinHandle<()>>,
}

impl Mover {
    /// Calls `hook` for `address`, when there is an order.
    ///
    /// # Errors
    /// If no thread is left.
    pub fn new(hook: Hook, address: VirtualAddress) -> io::Result<Self> {
        Self::watched(hook, address, || Box::new(|_| ()))
    }

    /// The same, where somebody watches the thread: `witness` is made by it.
    ///
    /// # Errors
    /// If no thread is left.
    pub fn watched(
        hook: Hook,
        address: VirtualAddress,
        witness: impl FnOnce() -> Witness + Send + 'static,
    ) -> io::Result<Self> {
        let (orders, ordered) = mpsc::channel();
        let (outcomes, told) = mpsc::channel();
        let begun = Instant::now();
        let live = move || Caller { hook, address, ordered, outcomes, begun, witness: witness() }.live();
        let thread = thread::Builder::new().name("hook".into()).spawn(live)?;
        Ok(Self { orders: Some(orders), outcomes: told, thread: Some(thread) })
    }

    /// Claims or releases the address, in place of what was ordered before. A call that fails is repeated, with growing pauses;
    /// after a claim it is asked now and then whether the address leads here, and if not it is claimed again.
    pub fn order(&self, deed: Deed) {
        if let Some(orders) = &self.orders {
            // Refused only if the thread has ended, which it does not before this.
            let _ = orders.send(deed);
        }
    }

    /// How the next call ended, if one has ended since.
    pub fn outcome(&self) -> Option<Result<(), Trouble>> {
        self.outcomes.try_recv().ok()
    }

    /// Ends it, and waits for that: some hundredths of a second.
    pub fn end(mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Nobody gives orders any more.
struct Over;

/// The thread.
struct Caller {
    hook: Hook,
    address: VirtualAddress,
    ordered: Receiver<Deed>,
    outcomes: Sender<Result<(), Trouble>>,
    begun: Instant,
    witness: Witness,
}

impl Caller {
    fn live(self) {
        let Ok(mut wanted) = self.idle() else { return };
        // Ends with its owner.
        while let Ok(next) = self.carry_out(wanted) {
            wanted = next;
        }
    }

    /// Does what is wanted until something else is.
    fn carry_out(&self, wanted: Deed) -> Result<Deed, Over> {
        let (mut deed, mut failures, mut asked) = (wanted, 0, 0);
        loop {
            let outcome = match self.call(deed)? {
                Called::Interrupted(next) => return Ok(next),
                Called::Ended(outcome) => outcome,
            };
            let is_done = outcome.is_ok();
            let _ = self.outcomes.send(outcome);
            let pause = match (is_done, deed) {
                (true, Deed::Release) => return self.idle(),
                (true, _) => {
                    (deed, failures, asked) = (Deed::Ask, 0, asked + 1);
                    Some(ASK[(asked - 1).min(ASK.len() - 1)])
                }
                (false, Deed::Ask) => {
                    (deed, asked) = (Deed::Claim, 0);
                    None
                }
                (false, _) => {
                    failures += 1;
                    Some(FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(16)).min(LONGEST_PAUSE))
                }
            };
            if let Some(next) = pause.map(|pause| self.wait(pause)).transpose()?.flatten() {
                return Ok(next);
            }
        }
    }

    /// Waits for another order, but not for ever.
    fn wait(&self, pause: Duration) -> Result<Option<Deed>, Over> {
        let until = Instant::now() + pause;
        loop {
            (self.witness)(false);
            let left = until.saturating_duration_since(Instant::now());
            match self.ordered.recv_timeout(left.min(NAP)) {
                Ok(next) => return Ok(Some(next)),
                Err(RecvTimeoutError::Timeout) if left <= NAP => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Over),
            }
        }
    }

    /// Waits for another order.
    fn idle(&self) -> Result<Deed, Over> {
        loop {
            if let Some(next) = self.wait(NAP)? {
                return Ok(next);
            }
        }
    }

    /// Calls the program; another order ends it.
    fn call(&self, deed: Deed) -> Result<Called, Over> {
        (self.witness)(true);
        let started = self.hook.start(deed, &self.address, self.now());
        (self.witness)(false);
        let mut run = match started {
            Ok(run) => run,
            Err(trouble) => return Ok(Called::Ended(Err(trouble))),
        };
        loop {
            if let Some(outcome) = run.poll(self.now()) {
                return Ok(Called::Ended(outcome));
            }
            if let Some(next) = self.wait(LOOK)? {
                return Ok(Called::Interrupted(next));
            }
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + Span::from_micros(u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

enum Called {
    /// Something else is wanted meanwhile.
    Interrupted(Deed),
    /// The program has ended, or could not be started.
    Ended(Result<(), Trouble>),
}
