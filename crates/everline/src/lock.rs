//! A lock that ends with its holder, and names it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use node::wire::Trouble;

use crate::failure::Failure;
use crate::folder::Folder;

/// A lock that this process holds until it ends or drops it (`F_OFD_SETLK`, `fcntl(2)`): the kernel forgets it with
/// the process, so a lock that is held has a living holder.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why a lock cannot be had.
#[derive(Debug)]
enum Unavailable {
    /// Another process has it; its process id, if it has said so already.
    Held(Option<i32>),
    /// The file cannot be used.
    Broken(io::Error),
}

impl Lock {
    /// Takes the lock at `path`.
    ///
    /// # Errors
    /// If another process holds it, or the file cannot be used.
    fn take(path: &Path) -> Result<Self, Unavailable> {
        let mut file = open(path).map_err(Unavailable::Broken)?;
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole())) {
            Ok(_) => {}
            Err(Errno::EAGAIN | Errno::EACCES) => return Err(Unavailable::Held(written(&mut file))),
            Err(error) => return Err(Unavailable::Broken(error.into())),
        }
        let noted = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        noted.map_err(Unavailable::Broken)?;
        Ok(Self { _file: file })
    }

    /// Makes this process the only one of `command` in a folder; `help` says what to do about another one.
    ///
    /// # Errors
    /// If there is one already, or the file cannot be used.
    pub(crate) fn only(folder: &Folder, name: &str, command: &str, help: &str) -> Result<Self, Failure> {
        let path = folder.lock(name);
        Self::take(&path).map_err(|error| match error {
            Unavailable::Held(pid) => {
                let pid = pid.map_or(String::new(), |pid| format!(" (process {pid})"));
                Failure::failed(format!("`{command}` runs already in {}{pid}", folder.path().display())).help(help)
            }
            Unavailable::Broken(error) => Trouble::of_file("lock", &path, &error).into(),
        })
    }

    /// Whether a process holds the lock at `path`, and which one; asking disturbs nobody.
    pub(crate) fn holder(path: &Path) -> Option<Option<i32>> {
        let mut file = File::open(path).ok()?;
        let mut lock = whole();
        lock.l_type = libc::F_RDLCK as libc::c_short;
        fcntl(&file, FcntlArg::F_OFD_GETLK(&mut lock)).ok()?;
        (i32::from(lock.l_type) != libc::F_UNLCK).then(|| written(&mut file))
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// A lock for writing on the whole file.
fn whole() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn written(file: &mut File) -> Option<i32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_one_holder_whose_name_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("up.lock");
        assert_eq!(Lock::holder(&path), None);
        let own = i32::try_from(std::process::id()).expect("small");
        let lock = Lock::take(&path).expect("free");
        assert!(matches!(Lock::take(&path), Err(Unavailable::Held(Some(pid))) if pid == own));
        assert_eq!(Lock::holder(&path), Some(Some(own)));
        drop(lock);
        assert_eq!(Lock::holder(&path), None);
        Lock::take(&path).expect("free again");
    }

    #[test]
    fn a_folder_that_is_not_there_is_no_holder() {
        assert!(matches!(Lock::take(Path::new("/nowhere/up.lock")), Err(Unavailable::Broken(_))));
        assert_eq!(Lock::holder(Path::new("/nowhere/up.lock")), None);
    }
}
