//! Everline's own models, as they stand in `models/`: built in, so that a report needs no file.

use crate::Error;
use crate::compose::Composed;
use crate::text::source::did_you_mean;

/// The solutions, from one host to two sites.
pub const SOLUTIONS: [&str; 4] = ["one-host", "two-hosts", "three-hosts", "two-sites"];

/// The folder of the models in the repository: origins of parameters are relative to it.
const FOLDER: &str = "crates/availability/models/";

/// All files, by their path in [`FOLDER`].
const FILES: [(&str, &str); 27] = [
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
    ("kinds/single.avail", include_str!("../models/kinds/single.avail")),
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
    composed(&path(name))
}

/// The names of all models that can be asked by themselves: `three-hosts`, `sip-server`, `hot-pair`, `disk`.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().filter_map(|(path, _)| path.split_once('/')?.1.strip_suffix(".avail"))
}

/// The model of one of [`names`], put together.
///
/// # Errors
/// If there is none; the error offers the nearest name.
pub fn model(name: &str) -> Result<Composed, Error> {
    let ending = format!("/{name}.avail");
    match FILES.iter().find(|(path, _)| path.ends_with(&ending)) {
        Some((path, _)) => composed(&format!("{FOLDER}{path}")),
        None => {
            let what = format!("there is no built-in model `{name}`{}", did_you_mean(name, names()));
            Err(Error::new(what, format!("built in are {}", names().collect::<Vec<_>>().join(", "))))
        }
    }
}

/// The file of this path and all that it uses.
fn composed(path: &str) -> Result<Composed, Error> {
    Composed::new(path, &mut |path| {
        let file = FILES.iter().find(|(file, _)| path.strip_prefix(FOLDER) == Some(*file));
        let missing = || Error::new(format!("{path} is not built in"), "only our own models and what they use are");
        file.map(|(_, text)| (*text).to_owned()).ok_or_else(missing)
    })
}

/// The path of a solution in the repository.
#[must_use]
pub fn path(solution: &str) -> String {
    format!("{FOLDER}solutions/{solution}.avail")
}

/// Whether this is the path of one of [`SOLUTIONS`], as [`path`] gives it.
#[must_use]
pub fn is_solution(file: &str) -> bool {
    SOLUTIONS.iter().any(|solution| path(solution) == file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;

    #[test]
    fn every_file_of_the_folder_is_built_in_and_read() {
        let mut found = Vec::new();
        for folder in ["", "applications", "kinds", "parts", "solutions"] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(folder);
            for entry in std::fs::read_dir(path).expect("a folder") {
                let name = entry.expect("an entry").file_name().into_string().expect("a name");
                if name.ends_with(".avail") {
                    found.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
                }
            }
        }
        found.sort_unstable();
        let mut built_in: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        built_in.sort_unstable();
        assert_eq!(built_in, found);
        for name in names() {
            let whole = model(name).expect(name);
            Model::read(name, &whole.text(), &[]).unwrap_or_else(|error| panic!("{}", whole.explain(error)));
        }
        assert!(model("three-host").expect_err("no such").what.contains("did you mean `three-hosts`?"));
    }
}
