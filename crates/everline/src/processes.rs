//! The processes of a solution: `everline run APPLICATION`, started by `up` and by the local control agent.

use std::path::PathBuf;

use management::Description;
use node::lca::{self, LcaSettings};

use crate::failure::{Failure, Kind};
use crate::folder::{self, Folder};
use crate::settings::Settings;

/// Runs one application until it ends.
///
/// # Errors
/// If there is no such application, or it cannot run.
pub(crate) fn run(folder: Folder, application: &str, run_number: u64) -> Result<(), Failure> {
    let settings = Settings::read(&folder::settings(&folder)).map_err(|why| {
        Failure::new(Kind::Wrong, why).help("this is not a command for people; `everline up` starts everything")
    })?;
    match application {
        "lca" => {
            let applications = applications(&settings);
            Ok(lca::run(LcaSettings { folder, program: program(), applications })?)
        }
        _ => Err(Failure::new(Kind::Wrong, format!("there is no application \"{application}\""))),
    }
}

/// The program that this process runs, even if its file was replaced or removed meanwhile.
pub(crate) fn program() -> PathBuf {
    std::env::current_exe().ok().filter(|path| path.exists()).unwrap_or_else(|| "/proc/self/exe".into())
}

/// What the local control agent starts, in this order: the control server with the coordinator, then the pairs.
fn applications(settings: &Settings) -> Vec<Description> {
    let control = Description { name: "control".into(), pair: None, ends_last: true };
    let sides: &[&str] = if settings.sip.standby { &["a", "b"] } else { &["a"] };
    let servers = ["sip", "routing"].into_iter().flat_map(|pair| {
        let server =
            move |side| Description { name: format!("{pair}-{side}"), pair: Some(pair.into()), ends_last: false };
        sides.iter().map(server)
    });
    std::iter::once(control).chain(servers).collect()
}
