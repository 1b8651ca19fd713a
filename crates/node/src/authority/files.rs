//! The files of the authority: its key, and who has joined.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::files::replace;
use crate::folder::Folder;
use crate::identity::{Authority, Issued};
use crate::wire::Trouble;

/// A certificate that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Certificate {
    /// Its serial number, in hexadecimal digits.
    serial: String,
    /// When it counts for nothing by itself.
    expires: SystemTime,
}

/// A host that has joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// When, the last time.
    pub since: SystemTime,
    /// Its addresses then.
    pub addresses: Vec<IpAddr>,
    /// Its certificates that have not expired.
    #[serde(default)]
    certificates: Vec<Certificate>,
}

/// The authority in a folder.
///
/// # Errors
/// If there is none here, or its file is broken.
pub fn read(folder: &Folder) -> Result<Authority, Trouble> {
    let path = folder.authority();
    let text = fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::new(
            format!("the authority of the solution is not on this host: there is no {}", path.display()),
            "give the command on the host where `everline host init` was given; or put a copy of that file here",
        ),
        _ => Trouble::of_file("read", &path, &error),
    })?;
    serde_json::from_slice(&text).map_err(|error| {
        Trouble::new(format!("{} is no authority: {error}", path.display()), "put a copy of it in its place")
    })
}

/// The authority of a solution in a folder: a new one, or the one that whoever was broken off has made there.
///
/// # Errors
/// If it is that of another solution or broken, or a new one cannot be written.
pub fn make(folder: &Folder, solution: &str, now: SystemTime) -> Result<Authority, Trouble> {
    let path = folder.authority();
    if !path.exists() {
        let authority = Authority::create(solution, now)?;
        write_new(&path, &authority).map_err(|error| Trouble::of_file("write", &path, &error))?;
        return Ok(authority);
    }
    let authority = read(folder)?;
    if authority.solution() != solution {
        let (path, theirs) = (path.display(), authority.solution());
        return Err(Trouble::new(
            format!("{path} is the authority of {theirs}, and the configuration is that of {solution}"),
            format!("write name = \"{theirs}\" into [solution]; or, if no host was made by it, remove that file"),
        ));
    }
    Ok(authority)
}

/// Whether a host has joined, as the authority in this folder knows.
#[must_use]
pub fn joined(folder: &Folder, host: &str) -> Option<Joined> {
    serde_json::from_slice(&fs::read(of_host(folder, host)).ok()?).ok()
}

/// Notes that a host that has joined `since` then has got a certificate.
pub(super) fn note(
    folder: &Folder,
    host: &str,
    addresses: &[IpAddr],
    issued: &Issued,
    since: SystemTime,
) -> Result<(), Trouble> {
    let path = of_host(folder, host);
    let mut certificates = certificates(folder, host, SystemTime::now());
    certificates.push(Certificate { serial: HEXLOWER.encode(&issued.serial()?), expires: issued.expires });
    let joined = Joined { since, addresses: addresses.to_vec(), certificates };
    let written = || {
        DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap_or(Path::new(".")))?;
        replace(&path, &serde_json::to_vec_pretty(&joined)?)
    };
    written().map_err(|error| Trouble::of_file("write", &path, &error))
}

/// Nobody is issued a certificate as long as this lives: a host whose certificate is taken back could otherwise get another one before the
/// list counts, and that one would not be on it. It ends with its process, however that ends.
#[derive(Debug)]
pub struct Shut<'a> {
    folder: &'a Folder,
    _lock: File,
}

/// Shuts the authority in this folder, as soon as nobody else has.
///
/// # Errors
/// If its file cannot be locked.
pub fn shut(folder: &Folder) -> Result<Shut<'_>, Trouble> {
    let path = folder.authority();
    let locked = File::open(&path).and_then(|file| file.lock().map(|()| file));
    Ok(Shut { folder, _lock: locked.map_err(|error| Trouble::of_file("lock", &path, &error))? })
}

impl Shut<'_> {
    /// The list of the certificates that count for nothing where these hosts remain, as PEM: those that were taken back before, and those of
    /// all others that have joined. It counts when it is in the configuration.
    ///
    /// # Errors
    /// If the authority is broken.
    pub fn revoke(&self, authority: &Authority, remain: &[String], now: SystemTime) -> Result<String, Trouble> {
        let mut all = taken_back(self.folder, now)?;
        for entry in fs::read_dir(place(self.folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Names of hosts have no point, drafts have one.
            if !remain.contains(&name) && !name.contains('.') {
                all.extend(certificates(self.folder, &name, now));
            }
        }
        let serials: Vec<Vec<u8>> = all.iter().filter_map(|one| HEXLOWER.decode(one.serial.as_bytes()).ok()).collect();
        authority.revoke(&serials, now)
    }

    /// Forgets that a host has joined, and the tokens by which it could; its certificates stay on each later list. Gives how many they are.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub fn forget(&self, host: &str, now: SystemTime) -> Result<usize, Trouble> {
        super::token::forget(self.folder, host);
        let (mut all, own) = (taken_back(self.folder, now)?, certificates(self.folder, host, now));
        let count = own.len();
        all.extend(own);
        let path = back(self.folder);
        let written = serde_json::to_vec_pretty(&all).map_err(io::Error::from).and_then(|text| replace(&path, &text));
        written.map_err(|error| Trouble::of_file("write", &path, &error))?;
        let path = of_host(self.folder, host);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Trouble::of_file("remove", &path, &error)),
            _ => Ok(count),
        }
    }
}

/// What whoever issues a certificate holds from before he looks who may have one until it is noted.
///
/// # Errors
/// If the authority is [`Shut`].
pub(super) fn issuing(folder: &Folder) -> Result<File, Trouble> {
    let path = folder.authority();
    let locked = File::open(&path).map_err(TryLockError::Error).and_then(|file| file.try_lock_shared().map(|()| file));
    locked.map_err(|error| match error {
        TryLockError::WouldBlock => Trouble::new(
            "the authority takes certificates back just now, and issues none until that is done",
            "try again in a minute",
        ),
        TryLockError::Error(error) => Trouble::of_file("lock", &path, &error),
    })
}

/// Whether the certificate with this number was taken back, which whoever was let in a moment ago may not know.
///
/// # Errors
/// If that is not known.
pub(super) fn is_taken_back(folder: &Folder, serial: &[u8], now: SystemTime) -> Result<bool, Trouble> {
    let serial = HEXLOWER.encode(serial);
    Ok(taken_back(folder, now)?.iter().any(|one| one.serial == serial))
}

/// The certificates of a host that have not ended.
fn certificates(folder: &Folder, host: &str, now: SystemTime) -> Vec<Certificate> {
    let all = joined(folder, host).map_or_else(Vec::new, |joined| joined.certificates);
    all.into_iter().filter(|one| now < one.expires).collect()
}

/// Those of hosts that were taken out before, if they have not ended.
///
/// # Errors
/// If the file is there and cannot be read: hosts that were taken out would be let in again.
fn taken_back(folder: &Folder, now: SystemTime) -> Result<Vec<Certificate>, Trouble> {
    let path = back(folder);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::of_file("read", &path, &error)),
    };
    let noted: Vec<Certificate> = serde_json::from_slice(&text).map_err(|error| {
        let what = format!("{} does not say which certificates were taken back: {error}", path.display());
        Trouble::new(what, "put a copy of it in its place; without it, hosts that were taken out would be let in again")
    })?;
    Ok(noted.into_iter().filter(|one| now < one.expires).collect())
}

fn back(folder: &Folder) -> PathBuf {
    folder.path().join("data/revoked.json")
}

fn place(folder: &Folder) -> PathBuf {
    folder.path().join("data/joined")
}

fn of_host(folder: &Folder, host: &str) -> PathBuf {
    place(folder).join(host)
}

/// Writes a file that must not be there, for its owner only, and makes its folder if it has to.
pub(super) fn write_new(path: &Path, what: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // It gets its name when it is whole.
    let draft = path.with_added_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&serde_json::to_vec_pretty(what)?)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked?;
    File::open(folder)?.sync_all()
}
