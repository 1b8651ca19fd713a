//! What a rehearsal leaves behind whose `up` was killed: hosts that run on, namespaces, disks.

use network::rehearsal::{MOST_HOSTS, Place, Rehearsal, join};
use rustix::process::geteuid;

use super::{folders, id};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::output::remark;
use crate::processes;

/// Ends what the rehearsal in this folder has left; whether there was anything. Nobody may watch over it any more.
///
/// # Errors
/// If a right is missing, or something does not end.
pub(crate) fn end(folder: &Folder) -> Result<bool, Failure> {
    if !folder.path().join("hosts").is_dir() {
        return Ok(false);
    }
    if geteuid().is_root() {
        let net = Rehearsal::find(&id(folder));
        return if net.is_ok() { Ok(Rehearsal::tear_down(&id(folder)).map(|()| true)?) } else { Ok(false) };
    }
    // Its namespaces have no name out here: whoever lives in them leads there.
    let Some(inhabitant) = (1..=MOST_HOSTS).find_map(|host| agent(&folders::of_host(folder, Place::Host(host)))) else {
        return Ok(false);
    };
    let mut command = join(inhabitant, processes::program().as_os_str());
    let done = command.arg("--dir").arg(folder.path()).arg("stop").stdout(std::process::Stdio::null()).status();
    match done {
        Ok(status) if status.success() => Ok(true),
        Ok(_) => Err(Failure::failed("what the last rehearsal has left here does not end").help("see above")),
        Err(error) => Err(Failure::failed(format!("cannot enter what the last rehearsal has left: {error}"))
            .help("install util-linux, or run it as root")),
    }
}

/// The local control agent of a host that runs.
fn agent(host: &Folder) -> Option<u32> {
    let stream = node::local::connect(&host.socket("lca")).ok()?;
    node::local::peer(&stream).ok().filter(|pid| *pid > 0)
}

/// Says that something was left, and is not any more.
pub(super) fn tell(was_left: bool) {
    if was_left {
        remark(
            "The last rehearsal in this folder was left without its `up`: what ran of it was ended, and this one begins anew.",
        );
    }
}
