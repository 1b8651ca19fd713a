//! `everline stop`.

use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::control::Control;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::lock::Lock;
use crate::output::{self, remark};
use crate::rehearsal;

/// How long everything may take to end.
const END: Duration = Duration::from_secs(10);

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// After this long the command says what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ends everything that runs in `folder`, and waits for its end.
///
/// # Errors
/// If nothing runs there, if that is for others to know, or if it does not end in time.
pub(crate) fn run(folder: &Folder, control: &Control<'_>) -> Result<(), Failure> {
    if !lives(folder, control)? {
        // Hosts of a rehearsal run on without their `up`, and nobody else ends all of them.
        return if rehearsal::end_what_is_left(folder)? {
            output::result("stopped: what a rehearsal had left, whose `up` was killed\n")
        } else {
            Err(control.absent())
        };
    }
    let calls = calls_in_progress(control);
    if let Err(failure) = control.post_at_once("/v1/stop")
        && lives(folder, control)?
    {
        // The control server is not there to pass it on: whoever watches over it is told directly.
        let root = root(folder).ok_or(failure)?;
        kill(Pid::from_raw(root), Signal::SIGTERM)
            .map_err(|error| Failure::failed(format!("cannot end the process {root}: {error}")))?;
    }
    let begin = Instant::now();
    let mut said = false;
    while lives(folder, control)? {
        if begin.elapsed() > END {
            let what = "not everything has ended yet";
            return Err(Failure::failed(what).help("`everline status` shows what still runs; try again"));
        }
        if begin.elapsed() > PATIENCE && !said {
            remark("Waiting for the servers to end ...");
            said = true;
        }
        sleep(LOOK);
    }
    if folder.identity().exists() {
        // Whether the other hosts have taken the calls over is to be seen there.
        return output::result("stopped on this host\n");
    }
    match calls {
        0 => output::result("stopped\n"),
        1 => output::result("stopped; 1 call was cut off\n"),
        calls => output::result(&format!("stopped; {calls} calls were cut off\n")),
    }
}

/// How many calls are in progress; none if the control server is not there to say.
fn calls_in_progress(control: &Control<'_>) -> usize {
    let listing = control.get_at_once("/v1/calls").ok();
    let calls = listing.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    calls.and_then(|listing| Some(listing["calls"].as_array()?.len())).unwrap_or_default()
}

/// Whether `up`, the local control agent or the control server lives.
fn lives(folder: &Folder, control: &Control<'_>) -> Result<bool, Failure> {
    if Lock::holder(&folder.lock("up")).is_some() { Ok(true) } else { control.is_running() }
}

/// The process at whose end everything ends: `up`, or the local control agent if `up` was killed.
fn root(folder: &Folder) -> Option<i32> {
    if let Some(holder) = Lock::holder(&folder.lock("up")) {
        return holder;
    }
    let stream = node::local::connect(&folder.socket("lca")).ok()?;
    i32::try_from(node::local::peer(&stream).ok()?).ok()
}
