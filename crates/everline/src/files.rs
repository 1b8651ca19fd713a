//! Files that are there whole or not at all; only their owner may read them, unless they are results that were asked for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Who may read and write what belongs to the owner alone.
const PRIVATE: u32 = 0o600;
/// Who may read and write any other file, as far as the umask lets them.
const USUAL: u32 = 0o644;

/// Writes a file that must not exist yet.
///
/// # Errors
/// `AlreadyExists` if it does; otherwise whatever the system says.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = draft(path, bytes, PRIVATE)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked.and_then(|()| sync_folder(path))
}

/// Writes a file in place of the one that may be there.
///
/// # Errors
/// Whatever the system says; the old file is still there then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::rename(draft(path, bytes, PRIVATE)?, path)?;
    sync_folder(path)
}

/// The same for a result that others may read, as far as the umask lets them.
///
/// # Errors
/// As [`replace`].
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::rename(draft(path, bytes, USUAL)?, path)?;
    sync_folder(path)
}

/// The bytes in a file of another name, on the disk before it gets the right one.
fn draft(path: &Path, bytes: &[u8], mode: u32) -> io::Result<PathBuf> {
    let draft = path.with_added_extension("new");
    // A crash may have left one.
    if let Err(error) = fs::remove_file(&draft)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(&draft)))?;
    Ok(draft)
}

/// Makes the name itself durable (`fsync(2)`: that needs an `fsync` of the folder).
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_created_once_and_replaced_often() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.bin");
        fs::write(path.with_added_extension("new"), "half of a").expect("written");
        create(&path, b"first").expect("created");
        let again = create(&path, b"second").expect_err("it exists");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("there"), b"first");
        replace(&path, b"third").expect("replaced");
        assert_eq!(fs::read(&path).expect("there"), b"third");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
    }

    #[test]
    fn a_result_may_be_read_by_whom_the_umask_lets() {
        let folder = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        // What the umask leaves of a file that everybody may read and write.
        let plain = folder.path().join("plain");
        fs::write(&plain, "").expect("written");
        let path = folder.path().join("page.html");
        replace(&path, b"private").expect("replaced");
        publish(&path, b"page").expect("published");
        assert_eq!(fs::read(&path).expect("there"), b"page");
        assert_eq!(mode(&path), mode(&plain) & USUAL);
    }
}
