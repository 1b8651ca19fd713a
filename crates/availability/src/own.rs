//! Everline's own models, as they stand in `models/`: built in, so that a report needs no file.

use crate::Error;
use crate::compose::Composed;

/// The solutions, from one host to two sites.
pub const SOLUTIONS: [&str; 4] = ["one-host", "two-hosts", "three-hosts", "two-sites"];

/// The folder of the models in the repository: origins of parameters are relative to it.
const FOLDER: &str = "crates/availability/models/";

/// All files, by their path in [`FOLDER`].
const FILES: [(&str, &str); 26] = [
    ("applications/concentrator.avail", include_str!("../models/applications/concentrator.avail")),
    ("applications/control-server.avail", include_str!("../models/applications/control-server.avail")),
    ("applications/lca.avail", include_str!("../models/applications/lca.avail")),
    ("applications/load-distributor.avail", include_str!("../models/applications/load-distributor.avail")),
    ("applications/media-server.avail", include_str!("../models/applications/media-server.avail")),
    ("applications/message-server.avail", include_str!("../models/applications/message-server.avail")),
    ("applications/routing-server.avail", include_str!("../models/applications/routing-server.avail")),
    ("applications/sip-server.avail", include_str!("../models/applications/sip-server.avail")),
    ("applications/stat-server.avail", include_str!("../models/applications/stat-server.avail")),
    ("kinds/coordinator-one.avail", include_str!("../models/kinds/coordinator-one.avail")),
    ("kinds/coordinator-three.avail", include_str!("../models/kinds/coordinator-three.avail")),
    ("kinds/hot-pair-spread.avail", include_str!("../models/kinds/hot-pair-spread.avail")),
    ("kinds/hot-pair.avail", include_str!("../models/kinds/hot-pair.avail")),
    ("kinds/parallel.avail", include_str!("../models/kinds/parallel.avail")),
    ("kinds/pool.avail", include_str!("../models/kinds/pool.avail")),
    ("kinds/warm-pair.avail", include_str!("../models/kinds/warm-pair.avail")),
    ("parts/disk.avail", include_str!("../models/parts/disk.avail")),
    ("parts/host.avail", include_str!("../models/parts/host.avail")),
    ("parts/network.avail", include_str!("../models/parts/network.avail")),
    ("parts/power.avail", include_str!("../models/parts/power.avail")),
    ("parts/site.avail", include_str!("../models/parts/site.avail")),
    ("solutions/one-host.avail", include_str!("../models/solutions/one-host.avail")),
    ("solutions/three-hosts.avail", include_str!("../models/solutions/three-hosts.avail")),
    ("solutions/two-hosts.avail", include_str!("../models/solutions/two-hosts.avail")),
    ("solutions/two-sites.avail", include_str!("../models/solutions/two-sites.avail")),
    ("operations.avail", include_str!("../models/operations.avail")),
];

/// A solution, put together. Values are those that the models were written with; [`Composed::measure`] takes newer ones.
///
/// # Errors
/// If there is no such solution.
pub fn solution(name: &str) -> Result<Composed, Error> {
    if !SOLUTIONS.contains(&name) {
        let remedy = format!("there are {}", SOLUTIONS.join(", "));
        return Err(Error::new(format!("there is no solution `{name}`"), remedy));
    }
    Composed::new(&path(name), &mut |path| {
        let file = FILES.iter().find(|(file, _)| path.strip_prefix(FOLDER) == Some(*file));
        let missing = || Error::new(format!("{path} is not built in"), "only the solutions and what they use are");
        file.map(|(_, text)| (*text).to_owned()).ok_or_else(missing)
    })
}

/// The path of a solution in the repository.
#[must_use]
pub fn path(solution: &str) -> String {
    format!("{FOLDER}solutions/{solution}.avail")
}
