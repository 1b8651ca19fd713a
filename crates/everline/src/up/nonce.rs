//! The key of the digest's nonces, which every SIP Server of the solution can check.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use node::wire::Trouble;

use crate::failure::Failure;
use crate::files;
use crate::output::remark;

/// Bytes of the key.
const LEN: usize = 32;

/// Makes the key at `path`, unless there is one. A broken one is replaced: all that it costs is that each phone is
/// challenged once more.
///
/// # Errors
/// If it cannot be written.
pub(super) fn ensure(path: &Path) -> Result<(), Failure> {
    match fs::read(path) {
        Ok(key) if key.len() == LEN => {
            let secret = fs::Permissions::from_mode(0o600);
            return fs::set_permissions(path, secret).map_err(|error| Trouble::of_file("protect", path, &error).into());
        }
        Ok(_) => remark(&format!("{} was broken and is replaced; each phone will be challenged once", path.display())),
        Err(_) => {}
    }
    let mut key = [0; LEN];
    getrandom::fill(&mut key).map_err(|error| Failure::failed(format!("no random numbers for a key: {error}")))?;
    files::replace(path, &key).map_err(|error| Trouble::of_file("make the key", path, &error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_unless_it_is_broken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("nonce.key");
        ensure(&path).expect("made");
        let first = fs::read(&path).expect("there");
        assert_eq!(first.len(), LEN);
        ensure(&path).expect("there");
        assert_eq!(fs::read(&path).expect("there"), first);
        fs::write(&path, &first[..7]).expect("written");
        ensure(&path).expect("made again");
        let second = fs::read(&path).expect("there");
        assert!(second.len() == LEN && second != first);
    }
}
