//! `everline config check`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::cli::Listing;
use crate::config::{self, Outcome};
use crate::failure::{Failure, Kind};
use crate::folder::{Folder, configuration};
use crate::output;
use crate::settings::Settings;

/// Says all that is wrong with the configuration of `folder`.
///
/// # Errors
/// [`Kind::Wrong`] if something is.
pub(crate) fn check(folder: &Folder, listing: Listing) -> Result<(), Failure> {
    let path = configuration(folder);
    let outcome = config::read(&path).map_err(|why| {
        let help = "`everline up` writes an example if there is none; --dir names another folder";
        Failure::new(Kind::Wrong, why).help(help)
    })?;
    if listing.json {
        output::result(&format!("{}\n", outcome.report.json()))?;
    } else {
        tell(&outcome);
        warn_of_readers(&path, &outcome);
    }
    let Outcome { settings: Some(settings), .. } = outcome else {
        return Err(Failure::new(Kind::Wrong, format!("{} has errors", path.display())));
    };
    if !listing.json {
        output::result(&format!(
            "{} is right: {} extensions, {} agents, {} queues, {} trunks\n",
            path.display(),
            settings.extensions.len(),
            settings.agents.len(),
            settings.queues.len(),
            settings.trunks.len(),
        ))?;
    }
    Ok(())
}

/// Says it if others may read a file that holds passwords.
pub(crate) fn warn_of_readers(path: &Path, outcome: &Outcome) {
    let holds_secrets = outcome.settings.as_ref().is_some_and(Settings::has_inline_secrets);
    let is_open = || fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if holds_secrets && is_open() {
        let path = path.display();
        output::remark(&format!("warning: {path} holds passwords and other users may read it; `chmod 600 {path}`"));
    }
}

/// Shows what was found in a configuration, if anything was.
pub(crate) fn tell(outcome: &Outcome) {
    let found = outcome.report.render(output::colours_errors());
    if !found.is_empty() {
        output::remark(&found);
    }
}
