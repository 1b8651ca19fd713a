//! Files that are there whole or not at all, and that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes a file that must not exist yet.
///
/// # Errors
/// `AlreadyExists` if it does; otherwise whatever the system says.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = draft(path, bytes)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked.and_then(|()| sync_folder(path))
}

/// Writes a file in place of the one that may be there.
///
/// # Errors
/// Whatever the system says; the old file is still there then.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::rename(draft(path, bytes)?, path)?;
    sync_folder(path)
}

/// The bytes in a file of another name, on the disk before it gets the right one.
fn draft(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    let draft = path.with_added_extension("new");
    // A crash may have left one.
    if let Err(error) = fs::remove_file(&draft)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
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
}
