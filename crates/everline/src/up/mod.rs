//! `everline up`: prepares the folder, starts the local control agent and watches over it.
//!
//! [`course`] decides, [`watch`] does. Whatever happens to `up` itself, the solution goes on; an `up` that finds a
//! running solution whose `up` was killed takes over its watch.

mod course;
mod found;
mod news;
mod nonce;
mod owner;
mod ports;
mod watch;
mod welcome;

use node::wire::Trouble;

use crate::commands;
use crate::config::{self, example};
use crate::failure::{Failure, Kind};
use crate::folder::{self, Folder};
use crate::lock::{Lock, Unavailable};
use crate::output::{self, remark};
use crate::settings::Settings;

use self::found::Found;
use self::watch::Watch;

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
    let settings = if found == Found::Nothing {
        prepare(folder)?
    } else {
        remark(
            "It runs already without an `up`: watching over it. It keeps the configuration that it was started with.",
        );
        Settings::read(&folder::settings(folder))
            .map_err(|why| Failure::failed(why).help("`everline stop` ends what runs; then start it again"))?
    };
    let watch = Watch::new(folder, if let Found::Agent(pid) = found { Some(pid) } else { None });
    let watch = watch.map_err(|error| Failure::failed(format!("the system has no resources left: {error}")))?;
    watch.run(|| {
        if let Err(failure) = output::result(&welcome::text(folder, &settings)) {
            failure.report();
        }
    })?;
    remark("Stopped.");
    Ok(())
}

/// Makes this process the only `up` of the folder.
fn lock(folder: &Folder) -> Result<Lock, Failure> {
    let path = folder.lock("up");
    Lock::take(&path).map_err(|error| match error {
        Unavailable::Held(pid) => {
            let pid = pid.map_or(String::new(), |pid| format!(" (process {pid})"));
            let what = format!("`everline up` runs already in {}{pid}", folder.path().display());
            Failure::failed(what)
                .help("`everline status` shows it, `everline stop` ends it; --dir names another folder")
        }
        Unavailable::Broken(error) => Trouble::of_file("lock", &path, &error).into(),
    })
}

/// Makes all that the servers find in the folder when they start.
fn prepare(folder: &Folder) -> Result<Settings, Failure> {
    let path = folder::configuration(folder);
    if !path.exists() {
        example::write(&path).map_err(Failure::failed)?;
        remark(&format!("Wrote an example configuration: {}", path.display()));
    }
    let outcome = config::read(&path)?;
    let found = outcome.report.render(output::colours(&std::io::stderr()), ERRORS);
    if !found.is_empty() {
        remark(&found);
    }
    commands::config::warn_of_readers(&path, &outcome);
    let Some(mut settings) = outcome.settings else {
        return Err(Failure::new(Kind::Wrong, format!("{} has errors; nothing was started", path.display())));
    };
    nonce::ensure(&folder::nonce_key(folder))?;
    settings.sip.listen = ports::choose(&settings.sip.listen)?;
    settings.write(&folder::settings(folder))?;
    Ok(settings)
}
