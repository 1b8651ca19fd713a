//! `everline up`: prepares the folder, starts the local control agent and watches over it.
//!
//! [`course`] decides, [`watch`] does. Whatever happens to `up` itself, the solution goes on; an `up` that finds a
//! running solution whose `up` was killed takes over its watch.

mod course;
mod found;
mod news;
mod nonce;
mod notify;
mod owner;
mod ports;
mod watch;
mod welcome;

use model::Time;
use node::configuration::Document;

use crate::commands;
use crate::config::{self, Source, example};
use crate::failure::{Failure, Kind};
use crate::folder::{self, Folder};
use crate::host;
use crate::lock::Lock;
use crate::output::{self, remark};
use crate::settings::Settings;

use self::course::Course;
use self::found::Found;
use self::watch::Watch;
pub(crate) use self::welcome::first_call;

/// Errors of the configuration (and as many warnings) that a start shows; a check shows all.
const ERRORS: usize = 20;

/// Starts the solution in `folder` and watches over it until it ends.
///
/// # Errors
/// [`Kind::Wrong`] if the configuration has errors; [`Kind::Failed`] if it cannot be started, runs already, or does
/// not end as it should.
pub(crate) fn run(folder: &Folder) -> Result<(), Failure> {
    folder.create()?;
    let _lock = lock(folder)?;
    let found = found::look(folder);
    found.become_its_program()?;
    let settings = if found == Found::Nothing {
        prepare(folder)?
    } else {
        remark(
            "It runs already without an `up`: watching over it. It keeps the configuration that it was started with.",
        );
        Settings::read(&folder::settings(folder))
            .map_err(|why| Failure::failed(why).help("`everline stop` ends what runs; then start it again"))?
    };
    watch_over(folder, &found, Course::new, || welcome::text(folder, &settings))
}

/// Runs the part of the solution that is on this host, and watches over it until it ends.
///
/// # Errors
/// As [`run`]; and if this host has not been told what it is to run.
pub(crate) fn run_host(folder: &Folder) -> Result<(), Failure> {
    folder.create()?;
    let _lock = lock(folder)?;
    let found = found::look(folder);
    found.become_its_program()?;
    if found == Found::Nothing {
        host::prepare(folder)?;
    }
    let path = folder::settings(folder);
    let settings = Settings::read(&path).map_err(|why| {
        let help = "`everline host init` makes the first host of a solution, `everline host join` the others";
        // Where nobody has told it what to run, to try again helps nothing.
        let kind = if path.exists() { Kind::Failed } else { Kind::Wrong };
        Failure::new(kind, why).help(help)
    })?;
    let Some(hosts) = settings.hosts else {
        let what = format!("{} is no host of a solution with several", folder.path().display());
        return Err(Failure::new(Kind::Wrong, what).help("`everline up` starts a contact centre on one host"));
    };
    watch_over(folder, &found, Course::of_host, || format!("{} of {} is up\nready\n", hosts.here, settings.solution))
}

/// Watches over what runs, or starts it, until it has ended; `welcome` is what is said when everything is up.
fn watch_over(
    folder: &Folder,
    found: &Found,
    course: fn(Time, bool) -> Course,
    welcome: impl Fn() -> String,
) -> Result<(), Failure> {
    let lca = if let Found::Agent(pid) = found { Some(*pid) } else { None };
    let watch = Watch::new(folder, lca, course(Time::ZERO, lca.is_some()));
    let watch = watch.map_err(|error| Failure::failed(format!("the system has no resources left: {error}")))?;
    watch.run(|| {
        if let Err(failure) = output::result(&welcome()) {
            failure.report();
        }
    })?;
    remark("Stopped.");
    Ok(())
}

/// Makes this process the only `up` of the folder.
pub(crate) fn lock(folder: &Folder) -> Result<Lock, Failure> {
    let help = "`everline status` shows it, `everline stop` ends it; --dir names another folder";
    Lock::only(folder, "up", "everline up", help)
}

/// Makes this process the only `up` of a folder in which nothing lives; `None` if something does.
pub(crate) fn quiet(folder: &Folder) -> Option<Lock> {
    let lock = lock(folder).ok()?;
    (found::look(folder) == Found::Nothing).then_some(lock)
}

/// Makes all that the servers find in the folder when they start.
fn prepare(folder: &Folder) -> Result<Settings, Failure> {
    let mut settings = read(folder)?;
    if settings.hosts.is_some() {
        let what = "this contact centre has several hosts: its configuration has [[host]]";
        let help =
            "`everline host init` on the first of them, then `everline host run`; `everline up --hosts 3` rehearses it";
        return Err(Failure::new(Kind::Wrong, what).help(help));
    }
    settings.sip.listen = ports::choose(&settings.sip.listen)?;
    settings.write(&folder::settings(folder))?;
    Ok(settings)
}

/// Reads the configuration, or writes an example first, and makes the key that all servers share.
pub(crate) fn read(folder: &Folder) -> Result<Settings, Failure> {
    let path = folder::configuration(folder);
    if !path.exists() {
        example::write(&path).map_err(Failure::failed)?;
        remark(&format!("Wrote an example configuration: {}", path.display()));
    }
    Ok(checked(folder, "nothing was started")?.0)
}

/// The configuration in the folder, if it is right, and what it is made of; `else_said` follows if it is not.
pub(crate) fn checked(folder: &Folder, else_said: &str) -> Result<(Settings, Source), Failure> {
    checked_beside(folder, else_said, None)
}

/// The same on one of several hosts: what is not here, as only another host has it, is as in the version that was `seen` last.
pub(crate) fn checked_beside(
    folder: &Folder,
    else_said: &str,
    seen: Option<&Document>,
) -> Result<(Settings, Source), Failure> {
    let path = folder::configuration(folder);
    let outcome = config::read_beside(&path, seen)?;
    let found = outcome.report.render(output::colours(&std::io::stderr()), ERRORS);
    if !found.is_empty() {
        remark(&found);
    }
    commands::config::warn_of_readers(&path, &outcome);
    if let Some(taken) = seen.and_then(|seen| outcome.lacking.remark(seen.version)) {
        remark(&taken);
    }
    let Some(settings) = outcome.settings else {
        let failure = Failure::new(Kind::Wrong, format!("{} has errors; {else_said}", path.display()));
        let help = seen.and_then(|seen| outcome.lacking.help(seen.version));
        return Err(match help {
            Some(help) => failure.help(help),
            None => failure,
        });
    };
    nonce::ensure(&folder::nonce_key(folder))?;
    Ok((settings, outcome.source))
}
