//! What lets a host join: made on the authority's host, carried to the other one by a person, good for one host, once, and for a
//! short time.
//!
//! On the authority's host a token is a file in `data/tokens`, called by the hash of its secret; the secret itself is kept nowhere.
//! Whoever uses it renames the file, which only one can. A new token for a host ends the older ones: there is one line that is good.

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::files::write_new;
use crate::folder::Folder;
use crate::identity::{FINGERPRINT, Fingerprint};
use crate::wire::Trouble;

/// Octets of the secret: nobody guesses 128 bits.
const SECRET: usize = 16;
/// The longest that a token is good, in minutes.
pub const MOST_MINUTES: u32 = 24 * 60;
/// Tokens that are kept at most, those included that are of no use any more.
const MOST: usize = 200;
/// Those that are of no use any more are forgotten after this time; until then it is said why they are of no use.
const FORGET: Duration = Duration::from_secs(7 * 24 * 3_600);
/// The ending of the file of a token that was used.
const USED: &str = "used";
/// The ending of the file of a token that a newer one has ended.
const ENDED: &str = "ended";

/// What a person carries to the host that is to join.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The authority that has made it.
    pub(super) authority: Fingerprint,
    secret: [u8; SECRET],
}

/// What is kept of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    /// The host that may join.
    pub(super) host: String,
    /// Its addresses.
    pub(super) addresses: Vec<IpAddr>,
    /// Until when.
    pub(super) expires: SystemTime,
    /// What is known of its machine.
    #[serde(default)]
    pub(super) comes: Comes,
}

/// Which machine comes as a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comes {
    /// The first one: if somebody has joined as that host, it is refused.
    #[default]
    First,
    /// Another one, or the same after its data were lost, about which nothing was done.
    Again,
    /// Another one, after the earlier one was shut out: if it keeps a member of the coordinator, that one is new in the cluster.
    Anew,
}

impl Token {
    /// Makes one with which a machine that `comes` so may join as `host` for so many minutes; ends older ones for that host.
    ///
    /// # Errors
    /// If there are too many already, or it cannot be noted.
    pub fn make(
        folder: &Folder,
        authority: Fingerprint,
        host: &str,
        addresses: Vec<IpAddr>,
        minutes: u32,
        comes: Comes,
    ) -> Result<Self, Trouble> {
        let place = place(folder);
        let now = SystemTime::now();
        forget_old(&place, now)?;
        end_older(&place, host)?;
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret).map_err(|error| {
            Trouble::new(format!("the system gives no random numbers: {error}"), "see getrandom(2)")
        })?;
        let token = Self { authority, secret };
        let expires = now + Duration::from_secs(60) * minutes.clamp(1, MOST_MINUTES);
        let grant = Grant { host: host.to_owned(), addresses, expires, comes };
        let path = place.join(name(&token.secret_text()));
        write_new(&path, &grant).map_err(|error| Trouble::of_file("write", &path, &error))?;
        Ok(token)
    }

    /// The secret as it is shown to the authority.
    pub(super) fn secret_text(&self) -> String {
        BASE32_NOPAD.encode(&self.secret).to_ascii_lowercase()
    }
}

/// What the token with this secret grants at this time.
///
/// # Errors
/// Why it grants nothing.
pub(super) fn look_up(folder: &Folder, secret: &str, now: SystemTime) -> Result<Grant, Trouble> {
    let path = place(folder).join(name(secret));
    let read = |path: &Path| serde_json::from_slice::<Grant>(&fs::read(path).ok()?).ok();
    if let Some(grant) = read(&path) {
        if now < grant.expires {
            return Ok(grant);
        }
        let another = another(&grant.host);
        return Err(Trouble::new(format!("the token for {} is too old", grant.host), another));
    }
    if let Some(grant) = read(&path.with_extension(ENDED)) {
        let what = format!("a newer token for {} was made after this one, which is good no more", grant.host);
        return Err(Trouble::new(what, format!("give the newer line, or {}", another(&grant.host))));
    }
    match read(&path.with_extension(USED)) {
        Some(grant) => {
            let what = format!("the token was used already: somebody has joined as {} with it", grant.host);
            let remedy = format!(
                "if that was not you, take that machine off the network; a new one: `everline host token {} --again`",
                grant.host
            );
            Err(Trouble::new(what, remedy))
        }
        None => Err(Trouble::new(
            "this authority has never made such a token",
            "copy the line that `everline host token` says as a whole; it works on the solution that it was made for",
        )),
    }
}

/// Uses the token up. Of several who do only one succeeds.
///
/// # Errors
/// If somebody else has done so, or it cannot be noted.
pub(super) fn use_up(folder: &Folder, secret: &str) -> Result<(), Trouble> {
    let path = place(folder).join(name(secret));
    let used = path.with_extension(USED);
    fs::rename(&path, &used).and_then(|()| fs::File::open(place(folder))?.sync_all()).map_err(|error| {
        match error.kind() {
            io::ErrorKind::NotFound => Trouble::new("the token was used already", another("HOST")),
            _ => Trouble::of_file("rename", &path, &error),
        }
    })
}

fn another(host: &str) -> String {
    format!("make another one where the authority is: `everline host token {host}`")
}

/// How a host comes back whose certificate counts for nothing any more.
pub(super) fn anew(host: &str) -> String {
    format!(
        "let {host} join anew: `everline stop` on it, `everline host token {host} --again --force` where the authority \
         is, on {host} the line that this prints, then `everline host run`"
    )
}

/// A machine that is the host `was` has shown a token for `host`.
pub(super) fn is_for_another(was: &str, host: &str) -> Trouble {
    Trouble::new(
        format!("the token is for {host}, and this machine is {was}"),
        format!("give the line on {host}; one for {was}: `everline host token {was} --again` where the authority is"),
    )
}

fn place(folder: &Folder) -> PathBuf {
    folder.path().join("data/tokens")
}

/// The name of the file of a token: the hash of its secret.
fn name(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(secret.to_ascii_lowercase().as_bytes()))
}

/// Ends the tokens for a host that nobody has used.
fn end_older(place: &Path, host: &str) -> Result<(), Trouble> {
    for path in unused(place, host) {
        match fs::rename(&path, path.with_extension(ENDED)) {
            // It was used just now, and the door refuses a host that has joined.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done.map_err(|error| Trouble::of_file("rename", &path, &error))?,
        }
    }
    Ok(())
}

/// The files of those tokens.
fn unused(place: &Path, host: &str) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(move |path| {
        let grant = fs::read(path).ok().and_then(|text| serde_json::from_slice::<Grant>(&text).ok());
        path.extension().is_none() && grant.is_some_and(|grant| grant.host == host)
    })
}

/// Forgets tokens that have been of no use for long.
fn forget_old(place: &Path, now: SystemTime) -> Result<(), Trouble> {
    let files: Vec<PathBuf> = fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let mut kept = files.len();
    for path in files {
        let grant = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Grant>(&text).ok());
        if grant.is_none_or(|grant| grant.expires + FORGET < now) && fs::remove_file(&path).is_ok() {
            kept -= 1;
        }
    }
    if kept >= MOST {
        let what = format!("{} holds {MOST} tokens already", place.display());
        return Err(Trouble::new(what, "remove the files there: tokens that nobody has used are worth nothing then"));
    }
    Ok(())
}

/// Takes back the tokens of a host that were not used.
pub(super) fn forget(folder: &Folder, host: &str) {
    // One that stays grants nothing for long.
    unused(&place(folder), host).for_each(|path| drop(fs::remove_file(path)));
}

impl FromStr for Token {
    type Err = Trouble;

    fn from_str(text: &str) -> Result<Self, Trouble> {
        let octets = BASE32_NOPAD.decode(text.trim().to_ascii_uppercase().as_bytes()).ok();
        let parts = octets.as_deref().and_then(|octets| octets.split_at_checked(FINGERPRINT));
        let parts = parts.and_then(|(first, rest)| Some((first.try_into().ok()?, rest.try_into().ok()?)));
        let (authority, secret) = parts.ok_or_else(|| {
            Trouble::new(
                "this is no token: a token has 52 letters and digits",
                "copy the line that `everline host token` says as a whole",
            )
        })?;
        Ok(Self { authority: Fingerprint(authority), secret })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = [&self.authority.0[..], &self.secret].concat();
        f.write_str(&BASE32_NOPAD.encode(&octets).to_ascii_lowercase())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHORITY: Fingerprint = Fingerprint([7; FINGERPRINT]);

    fn folder() -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        (place, folder)
    }

    fn make(folder: &Folder) -> Token {
        Token::make(folder, AUTHORITY, "h2", vec!["10.0.0.2".parse().unwrap()], 10, Comes::First).unwrap()
    }

    #[test]
    fn a_token_is_read_as_it_is_written_and_kept_as_a_hash() {
        let (place, folder) = folder();
        let token = make(&folder);
        assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
        assert_eq!(token.to_string().to_ascii_uppercase().parse::<Token>().unwrap(), token);
        for bad in ["", "h2", &token.to_string()[1..], &format!("{token}a"), "müller"] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
        let file = fs::read_dir(place.path().join("data/tokens")).unwrap().next().unwrap().unwrap();
        let kept = format!("{:?} {}", file.file_name(), fs::read_to_string(file.path()).unwrap());
        assert!(!kept.contains(&token.secret_text()), "{kept}");
        assert_eq!(format!("{token:?}"), "Token");
    }

    #[test]
    fn it_is_good_once_and_for_a_time() {
        let (_place, folder) = folder();
        let token = make(&folder).secret_text();
        let now = SystemTime::now();
        assert_eq!(look_up(&folder, &token, now).unwrap().host, "h2");
        let stale = look_up(&folder, &token, now + Duration::from_secs(601)).unwrap_err();
        assert!(stale.what.contains("too old") && stale.remedy.contains("host token h2"), "{stale}");
        use_up(&folder, &token).unwrap();
        use_up(&folder, &token).unwrap_err();
        assert!(look_up(&folder, &token, now).unwrap_err().what.contains("used already"));
        assert!(look_up(&folder, "something", now).unwrap_err().what.contains("never made"));
        assert!(look_up(&folder, "../../../etc/passwd", now).is_err());
    }

    #[test]
    fn a_newer_one_for_the_same_host_ends_it() {
        let (_place, folder) = folder();
        let now = SystemTime::now();
        let other = Token::make(&folder, AUTHORITY, "h3", Vec::new(), 10, Comes::Again).unwrap();
        let (older, newer) = (make(&folder).secret_text(), make(&folder).secret_text());
        let ended = look_up(&folder, &older, now).unwrap_err();
        assert!(ended.what.contains("a newer token for h2") && ended.remedy.contains("newer line"), "{ended}");
        assert_eq!(look_up(&folder, &newer, now).unwrap().comes, Comes::First);
        let comes = look_up(&folder, &other.secret_text(), now).unwrap().comes;
        assert_eq!(comes, Comes::Again, "another host's token is left alone");
        use_up(&folder, &newer).unwrap();
        make(&folder);
        assert!(
            look_up(&folder, &newer, now).unwrap_err().what.contains("used already"),
            "who has used it is still told"
        );
    }

    #[test]
    fn they_do_not_grow_without_a_bound() {
        let (place, folder) = folder();
        let first = make(&folder);
        for _ in 1..MOST {
            make(&folder);
        }
        assert!(Token::make(&folder, AUTHORITY, "h2", Vec::new(), 10, Comes::First).is_err());
        let path = place.path().join("data/tokens").join(name(&first.secret_text())).with_extension(ENDED);
        let old =
            Grant { host: "h2".into(), addresses: Vec::new(), expires: SystemTime::UNIX_EPOCH, comes: Comes::First };
        fs::write(path, serde_json::to_vec(&old).unwrap()).unwrap();
        make(&folder);
    }
}
