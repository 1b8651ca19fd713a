//! `everline config apply` and `show`: the configuration that all hosts share, changed and read on any of them.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use super::{is_this_solution, member};
use crate::cli::Listing;
use crate::config::Source;
use crate::control::Control;
use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::Folder;
use crate::output::{self, remark};
use crate::up;

/// The answer to `GET /v1/configuration`, as far as a person is shown it.
#[derive(Debug, Deserialize)]
struct Shown {
    version: u64,
    by: String,
    at: String,
    text: String,
    running: u64,
    current: bool,
}

/// The answer to `POST /v1/configuration`.
#[derive(Debug, Deserialize)]
struct Changed {
    version: u64,
}

/// Makes `everline.toml` of this host the configuration of all, in the place of version `over` if that is named.
///
/// # Errors
/// If it has errors, if another version counts by now, or if the coordinator cannot be asked.
pub(crate) fn apply(folder: &Folder, control: &Control<'_>, over: Option<u64>) -> Result<(), Failure> {
    let (host, _) = member(folder)?;
    let (settings, Source { text, files, variables }) = up::checked(folder, "nothing was changed")?;
    is_this_solution(folder, &settings)?;
    let over = match over {
        Some(over) => over,
        None => base(folder)?,
    };
    let order = json!({ "over": over, "text": text, "files": files, "variables": variables });
    let answer = control.post_body("/v1/configuration", &order)?;
    let Changed { version } = read(&answer)?;
    set_base(folder, version)?;
    output::result(&format!("version {version} is the configuration of all hosts\n"))?;
    remark(&format!(
        "It counts on each host from its next `everline host run`: restart them one after the other, the one with the \
         backups first; `everline status` on {host} shows when everything is level again."
    ));
    Ok(())
}

/// Prints the configuration that counts.
///
/// # Errors
/// If nothing runs here, or there is none that several hosts share.
pub(crate) fn show(control: &Control<'_>, listing: Listing) -> Result<(), Failure> {
    let answer = control.get("/v1/configuration")?;
    if listing.json {
        return output::result(&format!("{}\n", answer.trim_end()));
    }
    let Shown { version, by, at, text, running, current } = read(&answer)?;
    remark(&format!("Version {version}, given on {by} at {at}."));
    if !current {
        remark("The coordinator does not answer: this is the last version that this host has seen.");
    }
    if running != version {
        remark(&format!("This host runs with version {running} until its next `everline host run`."));
    }
    output::result(&text)
}

fn read<'a, T: Deserialize<'a>>(answer: &'a str) -> Result<T, Failure> {
    serde_json::from_str(answer).map_err(|error| {
        Failure::failed(format!("the control server answers something unexpected: {error}"))
            .help("it may be of another version; restart it by `everline stop` and `everline host run`")
    })
}

/// The version that `everline.toml` of this host was made from.
fn base(folder: &Folder) -> Result<u64, Failure> {
    let path = base_path(folder);
    let version = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
    version.ok_or_else(|| {
        let what =
            format!("it is not known which version everline.toml was made from: {} is not there", path.display());
        let help = "`everline config show` prints the version that counts; then `everline config apply --over VERSION`";
        Failure::new(Kind::Failed, what).help(help)
    })
}

/// Notes the version that `everline.toml` of this host is made from.
///
/// # Errors
/// If it cannot be written.
pub(super) fn set_base(folder: &Folder, version: u64) -> Result<(), Failure> {
    let path = base_path(folder);
    files::replace(&path, format!("{version}\n").as_bytes()).map_err(|error| super::cannot_write(&path, &error))
}

fn base_path(folder: &Folder) -> PathBuf {
    folder.path().join("data/configuration.base")
}
