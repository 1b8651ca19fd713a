//! Hosts of a solution that has several: how a machine becomes one of them, and what it is told before it runs.
//!
//! [`mod@init`] makes the authority on the first host, [`mod@token`] and [`mod@join`] let the others in, [`mod@document`] is the configuration
//! that all of them share; [`mod@remove`] takes a host out again.

mod apply;
pub(crate) mod document;
mod edit;
mod init;
mod join;
mod list;
mod remove;
mod replace;
mod token;
mod unit;

use std::time::Duration;

use node::configuration::{self, Document};
use node::coordinator::Book;
use node::coordinator::member::Member;
use node::identity::Keyring;
use node::wire::Trouble;
use tokio::time::timeout;

pub(crate) use self::apply::{apply, show};
pub(crate) use self::init::init;
pub(crate) use self::join::join;
pub(crate) use self::list::list;
pub(crate) use self::remove::remove;
pub(crate) use self::token::token;
pub(crate) use self::unit::unit;

use crate::failure::{Failure, Kind};
use crate::folder::{self, Folder};
use crate::hosts::{Hosts, data_of_etcd};
use crate::output::remark;
use crate::settings::Settings;

/// How long a start waits for the coordinator to tell the newest configuration.
const LOOK: Duration = Duration::from_millis(1_500);

/// Writes what the processes of this host read, from the configuration that it has seen last.
///
/// # Errors
/// If this machine is no host of a solution, or none of this one.
pub(crate) fn prepare(folder: &Folder) -> Result<(), Failure> {
    // A host of a rehearsal is told by other means.
    if configuration::kept(folder)?.is_none() {
        return Ok(());
    }
    let (host, kept) = member(folder)?;
    let document = newest(folder, &host, kept);
    let settings = document::settings(&document, &host)?;
    is_this_solution(folder, &settings)?;
    if settings.hosts.as_ref().is_some_and(Hosts::has_authority) && !folder.authority().exists() {
        remark(&format!(
            "warning: the authority is to be on this host, but {} is not there: no host can join, and certificates are not renewed",
            folder.authority().display()
        ));
    }
    if settings.hosts.as_ref().is_some_and(|hosts| !hosts.keeps_etcd()) {
        let data = data_of_etcd(folder);
        Member::lay_aside(&data).map_err(|error| cannot_write(&data, &error))?;
    }
    settings.write(&folder::settings(folder))?;
    Ok(())
}

/// The version that the coordinator has, if it says so at once, else the one that this host has seen last.
fn newest(folder: &Folder, host: &str, kept: Document) -> Document {
    let asked = || {
        let settings = document::settings(&kept, host).ok()?;
        let etcd = settings.hosts?.etcd(folder, &settings.solution);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        runtime.block_on(async { timeout(LOOK, Book::new(etcd).read()).await.ok()?.ok()? })
    };
    match asked().filter(|newest| newest.version > kept.version) {
        Some(newest) => {
            remark(&format!("Version {} of the configuration, given on {}.", newest.version, newest.by));
            if let Err(trouble) = configuration::keep(folder, &newest) {
                remark(&trouble.to_string());
            }
            newest
        }
        None => kept,
    }
}

/// Who this machine is, and the configuration that it has seen last.
fn member(folder: &Folder) -> Result<(String, Document), Failure> {
    let document = configuration::kept(folder)?.filter(|_| folder.identity().exists()).ok_or_else(|| {
        let what = format!("{} is no host of a solution with several", folder.path().display());
        Failure::new(Kind::Wrong, what)
            .help("`everline host init` makes the first one, `everline host join` the others")
    })?;
    let keyring = Keyring::open(folder.identity())?;
    Ok((keyring.identity().host.clone(), document))
}

/// Whether settings are for the solution that this machine is a host of.
fn is_this_solution(folder: &Folder, settings: &Settings) -> Result<(), Failure> {
    let keyring = Keyring::open(folder.identity())?;
    let identity = keyring.identity();
    if settings.solution != identity.solution {
        let (host, ours, theirs) = (&identity.host, &identity.solution, &settings.solution);
        let what = format!("{host} is a host of {ours}, but the configuration is that of {theirs}");
        return Err(
            Failure::new(Kind::Wrong, what).help("a solution keeps its name; write the old one into [solution]")
        );
    }
    match &settings.hosts {
        Some(_) => Ok(()),
        None => Err(Failure::new(Kind::Wrong, "the configuration names no hosts").help("write a [[host]] for each")),
    }
}

/// It is one already.
fn is_member(folder: &Folder) -> Result<(), Failure> {
    if !folder.identity().exists() {
        return Ok(());
    }
    let keyring = Keyring::open(folder.identity())?;
    let (host, solution) = (&keyring.identity().host, &keyring.identity().solution);
    let what = format!("{} is the host {host} of {solution} already", folder.path().display());
    let help = format!(
        "`everline host run` runs it; --dir names another folder; to let it join anew, end it by `everline stop`, and \
         give here the line that `everline host token {host} --again` prints where the authority is"
    );
    Err(Failure::failed(what).help(help))
}

/// A failure that says that a host does not exist, and which one was meant.
fn no_such_host(name: &str, hosts: &Hosts) -> Failure {
    let known: Vec<&str> = hosts.all.iter().map(|host| host.name.as_str()).collect();
    let meant = crate::config::suggest(name, known.iter().copied());
    let help = match meant {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!(
            "the hosts are {}; write a [[host]] for another one and give `everline config apply`",
            known.join(", ")
        ),
    };
    Failure::new(Kind::Wrong, format!("the configuration has no host \"{name}\"")).help(help)
}

/// A file that could not be written.
fn cannot_write(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Trouble::of_file("write", path, error).into()
}
