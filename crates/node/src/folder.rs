//! The folder of one contact centre: what the processes of a host keep where in it.

use std::fs::{DirBuilder, Permissions, set_permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::identity::REVOKED;
use crate::wire::Trouble;

/// The folder that `--dir` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder and those in it, which only their owner may look into.
    ///
    /// # Errors
    /// If the system does not let us.
    pub fn create(&self) -> Result<(), Trouble> {
        for part in ["data", "log", "run"].map(|name| self.0.join(name)) {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&part);
            made.and_then(|()| set_permissions(&part, Permissions::from_mode(0o700)))
                .map_err(|error| Trouble::of_file("make the folder", &part, &error))?;
        }
        Ok(())
    }

    /// Where an application listens for other processes of the host: `sip-a`, `lca`, `coordinator`, `control`.
    #[must_use]
    pub fn socket(&self, name: &str) -> PathBuf {
        self.0.join("run").join(format!("{name}.sock"))
    }

    /// Where a server listens for the messages of another pair.
    #[must_use]
    pub fn mail(&self, application: &str) -> PathBuf {
        self.0.join("run").join(format!("{application}.mail"))
    }

    /// The file that the living run of an application has locked.
    #[must_use]
    pub fn lock(&self, application: &str) -> PathBuf {
        self.0.join("run").join(format!("{application}.lock"))
    }

    /// What an application writes for people.
    #[must_use]
    pub fn log(&self, application: &str) -> PathBuf {
        self.0.join("log").join(format!("{application}.log"))
    }

    /// What an application must not forget.
    #[must_use]
    pub fn journal(&self, application: &str) -> PathBuf {
        self.0.join("data").join(format!("{application}.journal"))
    }

    /// Which cluster of etcd holds the entries of the pairs, if the solution has several hosts.
    #[must_use]
    pub fn cluster(&self) -> PathBuf {
        self.0.join("data").join("coordinator.cluster")
    }

    /// The identity of this host.
    #[must_use]
    pub fn identity(&self) -> PathBuf {
        self.0.join("data").join("identity.json")
    }

    /// The authority of the solution, on the host that has it.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.0.join("data").join("authority.json")
    }

    /// The list of the certificates that count for nothing any more, beside the identity.
    #[must_use]
    pub fn revoked(&self) -> PathBuf {
        self.0.join("data").join(REVOKED)
    }

    /// The configuration that this host has seen last, if the solution has several hosts.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.0.join("data").join("configuration.json")
    }

    /// The key of the digest's nonces, which all SIP Servers of the solution share.
    #[must_use]
    pub fn nonce_key(&self) -> PathBuf {
        self.0.join("data").join("nonce.key")
    }

    /// The last run of each application.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.journal("runs")
    }
}
