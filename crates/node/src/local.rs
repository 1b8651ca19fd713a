//! Sockets that have a place in the file system, wherever the folder lies.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};

/// The longest path that a socket address holds, in bytes (`unix(7)`: 108 with the closing zero).
const LONGEST: usize = 107;

/// Listens at `path`, without waiting in `accept`, for processes of the same user only.
///
/// A socket that a dead process left there is replaced: the caller must hold the lock that makes it the only owner.
///
/// # Errors
/// If the folder is missing or not writable.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = short(path, |path| UnixListener::bind(path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Connects to the socket at `path`; reading and writing do not wait.
///
/// # Errors
/// If nobody listens there.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let stream = short(path, |path| UnixStream::connect(path))?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// The process at the other end of a connection, as the kernel noted it when the connection was made.
///
/// # Errors
/// If the socket is not a local one.
pub fn peer(stream: &UnixStream) -> io::Result<u32> {
    Ok(getsockopt(stream, PeerCredentials)?.pid().unsigned_abs())
}

/// Runs `act` with a path that fits a socket address: a long one is reached by way of its open folder.
fn short<T>(path: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= LONGEST {
        return act(path);
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = File::open(path.parent().unwrap_or(Path::new(".")))?;
    act(&PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_in_a_deep_folder_is_reached_and_knows_who_called() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(90)).join("e".repeat(90));
        fs::create_dir_all(&deep).unwrap();
        let path = deep.join("a.sock");
        drop(listen(&path).unwrap());
        let listener = listen(&path).unwrap();
        let _caller = connect(&path).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert_eq!(peer(&accepted).unwrap(), std::process::id());
    }
}
