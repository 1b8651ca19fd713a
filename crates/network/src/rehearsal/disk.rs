//! A disk of its own for a host: a file system in memory over the host's folder, so that it can be full and nobody else's is.
//!
//! What lies in the folder is copied onto the disk when that is made, and back when it is put away. Whoever is killed in
//! between loses nothing: the next rehearsal of the same name puts the disk away before it begins. What ends with the machine,
//! or with the namespaces of somebody who is not root, is gone back to the last time that it was put away.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use model::Trouble;
use rustix::fs::statvfs;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

/// What fits on a disk, in bytes. Memory is taken for what lies there only: etcd sets 128 MiB aside, a log is put aside at 16.
const SIZE: u64 = 1 << 30;

const FLAGS: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);

/// A file that is written to see whether another one still fits.
const PROBE: &str = "fits";

/// How often a disk is made smaller until it is full: whoever writes to it meanwhile makes a first try fail.
const TRIES: usize = 100;

/// Mounts an own disk as `folder`, with what lies in it.
pub(super) fn give(folder: &Path) -> Result<(), Trouble> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let below = made.and_then(|()| File::open(folder)).map_err(|error| Trouble::of_file("make", folder, &error))?;
    mount("everline", folder, "tmpfs", FLAGS, Some(c"mode=700")).and_then(|()| resize(folder, SIZE)).map_err(
        |error| {
            let what = format!("cannot mount a disk at {}: {error}", folder.display());
            Trouble::new(what, "run it as root, or rehearse without `--disks`")
        },
    )?;
    // What the disk covers can be reached by the descriptor only. It stays as it is until the disk is put away.
    let covered = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), below.as_raw_fd()));
    // Blocks that etcd has set aside must be there for it on a full disk, as on one that never was copied.
    copy(&covered, folder, "never").inspect_err(|_| {
        // The first error is the one to be told.
        let _ = unmount(folder, UnmountFlags::DETACH);
    })
}

/// Whether an own disk is mounted there.
fn is_given(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().map(|data| data.dev());
    folder.parent().is_some_and(|parent| device(folder).is_some() && device(folder) != device(parent))
}

/// Takes the disk away and leaves in the folder what was on it. If there is none, nothing is done.
pub(super) fn put_away(folder: &Path) -> Result<(), Trouble> {
    if !is_given(folder) {
        return Ok(());
    }
    let kept = folder.with_added_extension("kept");
    let cleared = remove(&kept).and_then(|()| DirBuilder::new().mode(0o700).create(&kept));
    cleared.map_err(|error| Trouble::of_file("make", &kept, &error))?;
    // All of it first: if there is no room, the disk stays and nothing is lost.
    copy(folder, &kept, "always")?;
    // A person who stands in it or reads a log there may go on.
    unmount(folder, UnmountFlags::DETACH).map_err(|error| {
        let what = format!("cannot unmount the disk at {}: {error}", folder.display());
        Trouble::new(what, format!("run it as root: umount {}", folder.display()))
    })?;
    let replaced = remove(folder).and_then(|()| fs::rename(&kept, folder));
    replaced.map_err(|error| Trouble::of_file("replace", folder, &error))
}

/// Leaves no room on the disk of a host, as if somebody had written it full; what is there can be changed, but not grow.
pub(super) fn fill(folder: &Path) -> Result<(), Trouble> {
    for _ in 0..TRIES {
        let used = statvfs(folder).map(|all| (all.f_blocks - all.f_bfree) * all.f_frsize);
        // Refused where something was written since: a disk holds what is on it.
        let made = used.and_then(|used| resize(folder, used));
        if made.is_ok() && !fits(folder) {
            return Ok(());
        }
    }
    free(folder)?;
    Err(Trouble::new(format!("the disk at {} does not get full", folder.display()), "look at `df` and `mount`"))
}

/// Makes room again.
pub(super) fn free(folder: &Path) -> Result<(), Trouble> {
    resize(folder, SIZE).map_err(|error| {
        let what = format!("cannot make room on the disk at {}: {error}", folder.display());
        Trouble::new(what, format!("run it as root: mount -o remount,size={SIZE} {}", folder.display()))
    })
}

fn resize(folder: &Path, size: u64) -> rustix::io::Result<()> {
    mount_remount(folder, FLAGS, format!("size={size}"))
}

/// Whether another page can be written.
fn fits(folder: &Path) -> bool {
    let probe = folder.join(PROBE);
    let written = File::create(&probe).and_then(|mut file| file.write_all(&[0; 4096]));
    let _ = fs::remove_file(&probe);
    !written.is_err_and(|error| error.kind() == ErrorKind::StorageFull)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies what lies in a folder into another, with rights, owners and times; `sparse` says when blocks of zeros take no room.
fn copy(from: &Path, to: &Path, sparse: &str) -> Result<(), Trouble> {
    let mut command = Command::new("cp");
    command.args(["--archive", &format!("--sparse={sparse}")]).arg(from.join(".")).arg(to);
    let done = command.stdin(Stdio::null()).output();
    let said = match done {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().take(3).collect::<Vec<_>>().join("; "),
        Err(error) => error.to_string(),
    };
    let what = format!("cannot copy what lies in {} to {}: {said}", from.display(), to.display());
    Err(Trouble::new(what, "make room on the disk, and begin again"))
}
