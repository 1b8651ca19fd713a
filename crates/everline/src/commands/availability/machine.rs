//! What a model may use of this machine, and on a terminal how far the exploring of its states is.

use std::cell::Cell;
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use availability::Memory;
use availability::model::Resources;

use crate::output;

/// What takes less needs no progress.
const QUIET: Duration = Duration::from_millis(500);
/// How often the progress is shown.
const GLANCE: Duration = Duration::from_millis(200);

/// Reads a model by a function that is told how much memory there is. If many states are explored meanwhile, a terminal is
/// shown how many.
pub(super) fn with_resources<T>(read: impl FnOnce(Resources<'_>) -> T) -> T {
    let memory = Memory::left(&|path| fs::read_to_string(path).ok());
    let first = Instant::now() + QUIET;
    let due = Cell::new(first);
    let shows = output::colours(&io::stderr());
    let explored = |states: usize| {
        let now = Instant::now();
        if shows && now >= due.get() {
            eprint!("\rexplored {states} states");
            due.set(now + GLANCE);
        }
    };
    let resources = Resources { explored: &explored, ..memory.map_or_else(Resources::default, Resources::within) };
    let result = read(resources);
    if due.get() != first {
        eprint!("\r\x1b[K");
    }
    result
}
