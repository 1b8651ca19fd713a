//! Which cluster of etcd holds the entries: the one that was seen first, noted in a file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::problem::Problem;
use crate::wire::Trouble;

/// The noted cluster. Another one knows nothing of the pairs, and would appoint a second primary.
#[derive(Debug)]
pub(super) struct Cluster {
    path: PathBuf,
    id: Option<u64>,
}

impl Cluster {
    /// What is noted in the file at `path`, if it is there.
    pub(super) fn open(path: &Path) -> Result<Self, Trouble> {
        let id = match fs::read_to_string(path) {
            Ok(text) => Some(parse(&text).ok_or_else(|| {
                let what = format!("{} does not name a cluster of etcd", path.display());
                Trouble::new(
                    what,
                    "write the cluster id there that `etcdctl endpoint status -w json` shows, in hexadecimal digits",
                )
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Trouble::of_file("read", path, &error)),
        };
        Ok(Self { path: path.to_owned(), id })
    }

    /// Whether a member of the cluster `id` may be asked.
    pub(super) fn check(&self, id: u64) -> Result<(), Problem> {
        match self.id {
            Some(noted) if noted != id => Err(Problem::refused(
                format!("it belongs to the cluster {id:016x}, but the entries of this solution are in {noted:016x}"),
                format!(
                    "look at the addresses of etcd; if the cluster was founded anew on purpose, stop the solution on all hosts, and remove {}",
                    self.path.display()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Notes the cluster, durably, before anything is asked of it; changes nothing if one is noted.
    pub(super) fn note(&mut self, id: u64) -> Result<(), Problem> {
        if self.id.is_none() {
            write(&self.path, id).map_err(|error| Problem::Refused(Trouble::of_file("write", &self.path, &error)))?;
            self.id = Some(id);
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim(), 16).ok()
}

/// The file is there with all of its text, or not at all.
fn write(path: &Path, id: u64) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    writeln!(file, "{id:016x}")?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cluster_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("coordinator.cluster");
        let mut cluster = Cluster::open(&path).unwrap();
        cluster.check(7).unwrap();
        cluster.note(7).unwrap();
        for cluster in [cluster, Cluster::open(&path).unwrap()] {
            cluster.check(7).unwrap();
            assert!(
                matches!(cluster.check(8), Err(Problem::Refused(trouble)) if trouble.what.contains("0000000000000008"))
            );
        }
    }

    #[test]
    fn a_file_with_something_else_is_not_taken_for_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("coordinator.cluster");
        fs::write(&path, "").unwrap();
        Cluster::open(&path).unwrap_err();
    }

    #[test]
    fn what_cannot_be_noted_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let mut cluster = Cluster::open(&folder.path().join("no such folder/coordinator.cluster")).unwrap();
        cluster.note(7).unwrap_err();
        cluster.check(8).unwrap();
    }
}
