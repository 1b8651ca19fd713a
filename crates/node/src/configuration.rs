//! The configuration of a solution with several hosts: one document, the same on every host.
//!
//! The text of `everline.toml` with all that it takes from other files and from the environment, so that every host makes the
//! same of it; this crate passes it on and does not look into it. It lies in the coordinator and is changed by
//! compare-and-swap on its version; every host keeps the last one that it has seen, and starts with that.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::files;
use crate::folder::Folder;
use crate::wire::Trouble;

/// The longest document, in bytes as it is stored: etcd takes requests of 1.5 MiB (`--max-request-bytes`).
pub const LONGEST: usize = 1_400_000;

/// One version of the configuration.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Counts the changes, from 1.
    pub version: u64,
    /// The host where this version was given.
    pub by: String,
    /// When.
    pub at: SystemTime,
    /// The text of `everline.toml`.
    pub text: String,
    /// What it takes from other files, by their names in the text.
    pub files: BTreeMap<String, String>,
    /// What it takes from the environment, by the names of the variables.
    pub variables: BTreeMap<String, String>,
    /// The list of the certificates that count for nothing any more, as PEM, signed by the authority.
    #[serde(default)]
    pub revoked: Option<String>,
    /// Of each application of a pair that is not where it was at first, the version that has moved it last: runs are counted anew there.
    #[serde(default)]
    pub moved: BTreeMap<String, u64>,
}

impl Document {
    /// As it is stored.
    ///
    /// # Errors
    /// If it is longer than [`LONGEST`].
    pub fn stored(&self) -> Result<Vec<u8>, Trouble> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| Trouble::new(format!("the configuration cannot be stored: {error}"), "report this"))?;
        if bytes.len() > LONGEST {
            let what = format!("the configuration has {} bytes: a coordinator takes {LONGEST} at most", bytes.len());
            return Err(Trouble::new(what, "make it shorter; comments count"));
        }
        Ok(bytes)
    }
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text holds passwords.
        write!(f, "Document(version {} by {})", self.version, self.by)
    }
}

/// The version that this host has seen last; `None` if it has never seen one.
///
/// # Errors
/// If the file cannot be read or is broken.
pub fn kept(folder: &Folder) -> Result<Option<Document>, Trouble> {
    let path = folder.configuration();
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Trouble::of_file("read", &path, &error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let remedy = "copy it from another host; it is the same on all of them";
        Trouble::new(format!("{} is no configuration: {error}", path.display()), remedy)
    })
}

/// Keeps a version that was seen.
///
/// # Errors
/// If it cannot be written; the old one is still there then.
pub fn keep(folder: &Folder, document: &Document) -> Result<(), Trouble> {
    let path = folder.configuration();
    let bytes = document.stored()?;
    // First what keeps others out.
    if let Some(revoked) = &document.revoked {
        let path = folder.revoked();
        files::replace(&path, revoked.as_bytes()).map_err(|error| Trouble::of_file("write", &path, &error))?;
    }
    files::replace(&path, &bytes).map_err(|error| Trouble::of_file("write", &path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_version_is_kept_and_its_secrets_are_not_shown() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        folder.create().unwrap();
        assert_eq!(kept(&folder).unwrap(), None);
        let text = "password = \"geheim\"".to_owned();
        let (files, variables, at) = (BTreeMap::new(), BTreeMap::new(), SystemTime::UNIX_EPOCH);
        let (revoked, moved) = (Some("list".to_owned()), BTreeMap::from([("sip-b".to_owned(), 2)]));
        let document = Document { version: 3, by: "h1".into(), at, text, files, variables, revoked, moved };
        keep(&folder, &document).unwrap();
        assert_eq!(kept(&folder).unwrap(), Some(document.clone()));
        assert_eq!(fs::read_to_string(folder.revoked()).unwrap(), "list");
        assert_eq!(format!("{document:?}"), "Document(version 3 by h1)");
        fs::write(folder.configuration(), "{").unwrap();
        assert!(kept(&folder).unwrap_err().remedy.contains("another host"));
        let long = Document { text: "x".repeat(LONGEST), ..document };
        assert!(keep(&folder, &long).unwrap_err().what.contains("1400000 at most"));
    }
}
