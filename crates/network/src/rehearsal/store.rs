//! What is known of a rehearsal beside its namespaces: a file that lives as long as they do, until the machine restarts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use model::Trouble;
use serde::{Deserialize, Serialize};

use super::conditions::Conditions;
use super::names::Id;

/// Where the files are. The folder stays when the last rehearsal ends.
const FOLDER: &str = "/run/everline-rehearsals";

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) hosts: u8,
    pub(super) conditions: Conditions,
    /// The folders of the hosts that have disks of their own.
    #[serde(default)]
    pub(super) disks: BTreeMap<u8, PathBuf>,
    /// The library by which hosts have clocks of their own, if they have.
    #[serde(default)]
    pub(super) clocks: Option<PathBuf>,
}

/// The files, held by this process alone while it changes something. Each change takes some hundredths of a second.
pub(super) struct Store {
    /// Locked until it is closed.
    _folder: File,
}

impl Store {
    /// Waits until nobody else changes a rehearsal.
    pub(super) fn lock() -> Result<Self, Trouble> {
        let folder = Path::new(FOLDER);
        fs::create_dir_all(folder).map_err(|error| Trouble::of_file("make the folder", folder, &error))?;
        let locked = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
        Ok(Self { _folder: locked.map_err(|error| Trouble::of_file("lock", folder, &error))? })
    }

    /// What is known of a rehearsal; `None` if there is none of that name.
    pub(super) fn read(&self, id: &Id) -> Result<Option<Known>, Trouble> {
        let path = path(id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Trouble::of_file("read", &path, &error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Trouble::new(format!("{} is damaged: {error}", path.display()), "tear the rehearsal down and make it again")
        })
    }

    /// Whoever is killed in between leaves the old file.
    pub(super) fn write(&self, id: &Id, known: &Known) -> Result<(), Trouble> {
        let (path, new) = (path(id), path(id).with_extension("new"));
        let text = serde_json::to_vec(known).map_err(io::Error::from);
        let written = text.and_then(|text| fs::write(&new, text)).and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| Trouble::of_file("write", &path, &error))
    }

    pub(super) fn forget(&self, id: &Id, hosts: u8) -> Result<(), Trouble> {
        let clocks = (1..=hosts).map(|host| clock(id, host));
        for path in [path(id), path(id).with_extension("new")].into_iter().chain(clocks) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Trouble::of_file("remove", &path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What says how the clock of a host is off.
pub(super) fn clock(id: &Id, host: u8) -> PathBuf {
    Path::new(FOLDER).join(format!("{id}.clock-h{host}"))
}

fn path(id: &Id) -> PathBuf {
    Path::new(FOLDER).join(format!("{id}.json"))
}
