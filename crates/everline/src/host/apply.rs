//! `everline config apply` and `show`: the configuration that all hosts share, changed and read on any of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use super::{document, is_this_solution, member};
use crate::cli::Listing;
use crate::config::Source;
use crate::control::Control;
use crate::failure::{Failure, Kind};
use crate::files;
use crate::folder::Folder;
use crate::hosts::{Coordinator, Hosts};
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

/// Makes `everline.toml` of this host the configuration of all, in the place of version `over` if that is named. A file or variable that
/// is not here is as in the version that this host has seen last.
///
/// # Errors
/// If it has errors, if another version counts by now, or if the coordinator cannot be asked.
pub(crate) fn apply(folder: &Folder, control: &Control<'_>, over: Option<u64>) -> Result<(), Failure> {
    let (_, seen) = member(folder)?;
    let (settings, Source { text, files, variables }) = up::checked_beside(folder, "nothing was changed", Some(&seen))?;
    is_this_solution(folder, &settings)?;
    let now: Shown = read(&control.get("/v1/configuration")?)?;
    // Behind the answer: the control server keeps what it has changed before it says so.
    let (host, kept) = member(folder)?;
    if now.current
        && now.version == kept.version
        && (&kept.text, &kept.files, &kept.variables) == (&text, &files, &variables)
    {
        set_base(folder, now.version)?;
        let what = format!(
            "version {} is the configuration of all hosts, and says this already; nothing was changed\n",
            now.version
        );
        return output::result(&what);
    }
    let before = document::settings(&kept, &host).ok().and_then(|before| before.hosts);
    if let (Some(before), Some(after)) = (&before, &settings.hosts) {
        keeps_coordinator(&before.coordinator, &after.coordinator)?;
        keeps_addresses(before, after)?;
    }
    let over = match over {
        Some(over) => over,
        None => base(folder)?,
    };
    let before = before.filter(|_| kept.version == over);
    let moved = settings.hosts.as_ref().map(|after| after.moves(before.as_ref())).unwrap_or_default();
    let order = json!({ "over": over, "text": text, "files": files, "variables": variables, "moved": moved });
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

/// Members of etcd know each other from their first start: one that is only no longer written down counts on in the majority.
fn keeps_coordinator(before: &Coordinator, after: &Coordinator) -> Result<(), Failure> {
    let (Coordinator::Members(before), after) = (before, after) else { return Ok(()) };
    let names = |members: &[String]| members.join(", ");
    let becomes = match after {
        Coordinator::Members(after) if after.iter().collect::<BTreeSet<_>>() == before.iter().collect() => {
            return Ok(());
        }
        Coordinator::Members(after) => names(after),
        Coordinator::Existing { .. } => "another etcd".to_owned(),
    };
    let what = format!(
        "the coordinator has its members on {}, and they cannot move to {becomes}; nothing was changed",
        names(before)
    );
    let list = before.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let help = format!(
        "`everline host remove HOST`, where the authority is, takes a host out together with its member; else keep a [[host]] for each of \
         them and write `coordinator = [{list}]` into [place]; a host beside them is added by its [[host]], `everline config apply`, \
         `everline host token` and `everline host join`, and a machine that is lost for good is replaced under its old name \
         (`everline host token HOST --again`)"
    );
    Err(Failure::new(Kind::Wrong, what).help(help))
}

/// The members of etcd find each other where they were at their first start, and their certificates name those addresses.
fn keeps_addresses(before: &Hosts, after: &Hosts) -> Result<(), Failure> {
    let moved = before.members().iter().find_map(|name| {
        let (was, is) = (before.host(name)?, after.host(name)?);
        (was.networks != is.networks).then_some(name)
    });
    let Some(name) = moved else { return Ok(()) };
    let what = format!("{name} has a member of the coordinator, and its addresses cannot change; nothing was changed");
    let help = format!("take it out (`everline host remove {name}`), and let it join again with its new addresses");
    Err(Failure::new(Kind::Wrong, what).help(help))
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

/// `everline.toml` of this host is what version `before` says, and so does the one after it.
///
/// # Errors
/// If that cannot be noted.
pub(super) fn goes_on(folder: &Folder, before: u64) -> Result<(), Failure> {
    if base(folder).is_ok_and(|base| base == before) { set_base(folder, before + 1) } else { Ok(()) }
}

fn base_path(folder: &Folder) -> PathBuf {
    folder.path().join("data/configuration.base")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(names: &[&str]) -> Coordinator {
        Coordinator::Members(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn members_of_the_coordinator_stay_where_they_are() {
        let before = members(&["h1", "h2", "h3"]);
        keeps_coordinator(&before, &members(&["h3", "h1", "h2"])).expect("the same ones");
        let etcd = Coordinator::Existing { addresses: vec!["etcd:2379".into()], tls: None };
        for after in [members(&["h2"]), members(&["h1", "h2", "h4"]), members(&["h1", "h2", "h3", "h4", "h5"]), etcd] {
            let refused = keeps_coordinator(&before, &after).expect_err("they would lose their majority");
            assert!(
                refused.what().contains("has its members on h1, h2, h3, and they cannot move to "),
                "{}",
                refused.what()
            );
        }
    }

    #[test]
    fn a_member_of_the_coordinator_stays_at_its_addresses() {
        let before = crate::hosts::tests::three("h1");
        let mut after = before.clone();
        after.coordinator = members(&["h1", "h2"]);
        keeps_addresses(&before, &after).expect("the same ones");
        after.all[2].networks[1] = [10, 77, 2, 9].into();
        let refused = keeps_addresses(&before, &after).expect_err("its member would not be found");
        assert!(refused.what().starts_with("h3 has a member of the coordinator"), "{}", refused.what());
        let elsewhere = Hosts { coordinator: members(&["h1"]), ..before };
        keeps_addresses(&elsewhere, &after).expect("it has none");
    }
}
