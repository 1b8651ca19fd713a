//! A second page of shared memory: the helper threads of this process, each with its name and a beat of its own.
//!
//! There is one for each process, and the local control agent gets it together with the [`Pulse`](super::Pulse), which is that of
//! the serving thread. What a helper thread owes is in [`management::helpers`].

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use management::helpers::{Seen, TURN, Wait};
use nix::unistd::gettid;
use tokio::time::{MissedTickBehavior, interval};

use super::shared::{Layout, Shared};

/// Helper threads of one process at most; those beyond are not watched.
const MOST: usize = 24;
/// The longest name, as that of a thread (`pthread_setname_np(3)`).
const NAME: usize = 16;
/// A place that somebody is about to take.
const TAKEN: u32 = u32::MAX;

#[repr(C)]
struct Page {
    magic: AtomicU64,
    places: [Place; MOST],
}

#[repr(C)]
struct Place {
    name: [AtomicU64; NAME / 8],
    /// Thread id; zero where the place is free.
    thread: AtomicU32,
    waits: AtomicU32,
    beats: AtomicU64,
}

// SAFETY: every field is atomic.
unsafe impl Layout for Page {
    const MAGIC: u64 = u64::from_le_bytes(*b"threads\x01");
    const NAME: &str = "threads";

    fn magic(&self) -> &AtomicU64 {
        &self.magic
    }
}

/// The page of a process, in itself or in the one that watches it.
#[derive(Debug)]
pub struct Threads(Shared<Page>);

impl Threads {
    fn create() -> io::Result<(Self, Arc<OwnedFd>)> {
        let (page, descriptor) = Shared::create(|_| Ok(()))?;
        Ok((Self(page), descriptor.into()))
    }

    /// The page behind a descriptor that came from another process.
    ///
    /// # Errors
    /// If it is not such a page, or one of another version.
    pub fn open(descriptor: &OwnedFd) -> io::Result<Self> {
        Shared::open(descriptor).map(Self)
    }

    /// All helper threads, as they show themselves now.
    pub fn seen(&self) -> Vec<Seen> {
        self.0.places.iter().filter_map(Place::seen).collect()
    }

    /// Gives the calling thread a place, if one is free.
    fn enter(&'static self, name: &str) -> Option<&'static Place> {
        let is_free =
            |place: &&Place| place.thread.compare_exchange(0, TAKEN, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        let place = self.0.places.iter().find(is_free)?;
        let mut text = [0; NAME];
        text.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
        for (to, from) in place.name.iter().zip(text.chunks_exact(8)) {
            to.store(u64::from_le_bytes(from.try_into().unwrap_or_default()), Ordering::Relaxed);
        }
        place.beats.store(0, Ordering::Relaxed);
        place.waits.store(Wait::None as u32, Ordering::Relaxed);
        place.thread.store(gettid().as_raw().unsigned_abs(), Ordering::Release);
        Some(place)
    }
}

impl Place {
    fn seen(&self) -> Option<Seen> {
        let thread = Some(self.thread.load(Ordering::Acquire)).filter(|thread| ![0, TAKEN].contains(thread))?;
        let words = self.name.iter().map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        let name: Vec<u8> = words.flatten().take_while(|byte| *byte != 0).collect();
        let waits = match self.waits.load(Ordering::Relaxed) {
            waits if waits == Wait::None as u32 => Wait::None,
            waits if waits == Wait::Disk as u32 => Wait::Disk,
            _ => Wait::Outside,
        };
        let beats = self.beats.load(Ordering::Relaxed);
        Some(Seen { name: String::from_utf8_lossy(&name).into_owned(), thread, beats, waits })
    }
}

/// The page of this process, made for its first helper thread; none if the system refuses it.
fn own() -> Option<&'static (Threads, Arc<OwnedFd>)> {
    static OWN: OnceLock<Option<(Threads, Arc<OwnedFd>)>> = OnceLock::new();
    OWN.get_or_init(|| Threads::create().ok()).as_ref()
}

/// What opens the page of this process in another one.
pub fn descriptor() -> Option<Arc<OwnedFd>> {
    own().map(|(_, descriptor)| Arc::clone(descriptor))
}

/// The calling thread is watched until this is dropped. One that dies of a panic has not ended in order: it is found.
#[derive(Debug)]
pub struct Helper(Option<&'static Place>);

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.seen().fmt(f)
    }
}

impl Helper {
    /// Has the calling thread watched, under this name.
    #[must_use]
    pub fn begin(name: &str) -> Self {
        Self(own().and_then(|(threads, _)| threads.enter(name)))
    }

    /// It comes round; at least every [`TURN`] from now on.
    pub fn beat(&self) {
        if let Some(place) = self.0 {
            place.beats.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// It waits for something while it does this, nobody knows how long.
    pub fn waits<T>(&self, what: Wait, work: impl FnOnce() -> T) -> T {
        self.shows(what);
        let done = work();
        self.shows(Wait::None);
        done
    }

    fn shows(&self, wait: Wait) {
        if let Some(place) = self.0 {
            place.waits.store(wait as u32, Ordering::Relaxed);
        }
        self.beat();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        if let Some(place) = self.0.filter(|_| !std::thread::panicking()) {
            place.thread.store(0, Ordering::Release);
        }
    }
}

/// How long a helper thread may sleep before it comes round again.
pub(crate) const NAP: Duration = Duration::from_millis(TURN.as_millis());

/// Has the thread of the current runtime watched under this name, for as long as the runtime lives.
pub(crate) fn watch_runtime(name: &'static str) {
    tokio::spawn(async move {
        // There is one thread only, so this begins and ends on it.
        let helper = Helper::begin(name);
        let mut turns = interval(NAP);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            helper.beat();
        }
    });
}

/// Has the calling thread watched under this name, by what it is to call whenever it comes round: true where it waits now for
/// somebody outside.
pub(crate) fn outside(name: &str) -> Box<dyn Fn(bool)> {
    let helper = Helper::begin(name);
    Box::new(move |waits| helper.shows(if waits { Wait::Outside } else { Wait::None }))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// What another process would see of the thread with this name.
    fn seen(name: &str) -> Option<Seen> {
        let threads = Threads::open(&descriptor().unwrap()).unwrap();
        threads.seen().into_iter().find(|seen| seen.name == name)
    }

    #[test]
    fn a_thread_is_seen_until_it_ends_in_order() {
        let (tell, told) = mpsc::channel::<Wait>();
        let (say, said) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let helper = Helper::begin("sixteen letters!");
            say.send(gettid().as_raw().unsigned_abs()).unwrap();
            while let Ok(what) = told.recv() {
                helper.waits(what, || {
                    say.send(0).unwrap();
                    let _ = told.recv();
                });
                say.send(0).unwrap();
            }
        });
        let number = said.recv().unwrap();
        let shows = |beats, waits| Some(Seen { name: "sixteen letters!".into(), thread: number, beats, waits });
        assert_eq!(seen("sixteen letters!"), shows(0, Wait::None));
        for (turn, what) in [Wait::Disk, Wait::Outside].into_iter().enumerate() {
            tell.send(what).unwrap();
            said.recv().unwrap();
            assert_eq!(seen("sixteen letters!"), shows(2 * turn as u64 + 1, what));
            tell.send(Wait::None).unwrap();
            said.recv().unwrap();
            assert_eq!(seen("sixteen letters!"), shows(2 * turn as u64 + 2, Wait::None));
        }
        drop(tell);
        thread.join().unwrap();
        assert_eq!(seen("sixteen letters!"), None);
    }

    #[test]
    fn one_that_dies_of_a_panic_is_not_forgotten() {
        std::thread::spawn(|| {
            let _helper = Helper::begin("doomed");
            panic!("as it should");
        })
        .join()
        .unwrap_err();
        assert!(seen("doomed").is_some_and(|seen| seen.beats == 0));
    }
}
