//! The folder of one contact centre: what lies where in it.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Kind};

/// The folder that `--dir` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`; its full path is kept, so that every process of the solution names it alike.
    ///
    /// # Errors
    /// If the path is empty, or the current folder is not known.
    pub(crate) fn new(path: &Path) -> Result<Self, Failure> {
        let path = std::path::absolute(path);
        path.map(Self).map_err(|error| Failure::new(Kind::Wrong, format!("the folder has no path: {error}")))
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.0.join("everline.toml")
    }

    /// A file that must survive everything.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.0.join("data").join(name)
    }

    /// A log file.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.0.join("log").join(name)
    }

    /// A socket, lock or file of the running solution.
    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.0.join("run").join(name)
    }

    /// Makes the folder and those in it; only their owner may look into those that hold secrets and sockets.
    ///
    /// # Errors
    /// If the system does not let us.
    pub(crate) fn create(&self) -> Result<(), Failure> {
        for path in [self.0.clone(), self.0.join("data"), self.0.join("log"), self.0.join("run")] {
            let private = std::fs::Permissions::from_mode(0o700);
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
            let made =
                made.and_then(|()| if path == self.0 { Ok(()) } else { std::fs::set_permissions(&path, private) });
            made.map_err(|error| {
                let help = "choose a folder that you may write to: --dir DIR, or the variable EVERLINE_DIR";
                Failure::failed(format!("cannot make the folder {}: {error}", path.display())).help(help)
            })?;
        }
        Ok(())
    }
}
