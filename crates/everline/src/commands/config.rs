//! `everline config check`.

use crate::cli::Listing;
use crate::config::{self, Outcome};
use crate::failure::{Failure, Kind};
use crate::folder::{Folder, configuration};
use crate::output;

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

/// Shows what was found in a configuration, if anything was.
pub(crate) fn tell(outcome: &Outcome) {
    let found = outcome.report.render(output::colours_errors());
    if !found.is_empty() {
        output::remark(&found);
    }
}
