//! `everline config check`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::cli::Listing;
use crate::config::{self, Outcome, PROBLEMS_MAX};
use crate::failure::{Failure, Kind};
use crate::folder::{Folder, configuration};
use crate::output::{self, count};
use crate::settings::Settings;

/// Says all that is wrong with the configuration of `folder`.
///
/// # Errors
/// [`Kind::Wrong`] if something is.
pub(crate) fn check(folder: &Folder, listing: Listing) -> Result<(), Failure> {
    let path = configuration(folder);
    let outcome = match config::read(&path) {
        Ok(outcome) => outcome,
        Err(failure) if listing.json => {
            output::result(&format!("{}\n", config::unreadable_json(&path, &failure)))?;
            return Err(failure);
        }
        Err(failure) => return Err(failure),
    };
    if listing.json {
        output::result(&format!("{}\n", outcome.report.json()))?;
    } else {
        output::result(&outcome.report.render(output::colours(&io::stdout()), PROBLEMS_MAX))?;
        warn_of_readers(&path, &outcome);
    }
    let Outcome { settings: Some(settings), .. } = outcome else {
        return Err(Failure::new(Kind::Wrong, format!("{} has errors", path.display())));
    };
    if !listing.json {
        output::result(&format!(
            "{} is right: {}, {}, {}, {}\n",
            path.display(),
            count(settings.extensions.len(), "extension"),
            count(settings.agents.len(), "agent"),
            count(settings.queues.len(), "queue"),
            count(settings.trunks.len(), "trunk"),
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
