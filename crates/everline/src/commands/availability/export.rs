//! `everline availability export`: a chain for other tools.

use std::path::{Path, PathBuf};

use availability::chain::Chain;
use availability::formats::{explicit, prism};
use availability::model::Model;
use node::wire::Trouble;

use crate::cli::Export;
use crate::failure::{Failure, Kind};
use crate::{files, output};

use super::source::Source;
use super::{failure, near};

/// Writes a chain of a model.
///
/// # Errors
/// [`Kind::Wrong`] if the model or the usage is, or the form has no words for what the chain has; a failure if a file cannot be
/// written.
pub(crate) fn export(order: &Export) -> Result<(), Failure> {
    let source = Source::open(&order.model, None)?;
    let model = source.read(&order.given.parameters)?;
    let name = wanted(&model, order.chain.as_deref())?;
    let chain = model.chain(name).map_err(|error| source.failure(Kind::Failed, error))?;
    for (path, text) in texts(&order.file, &chain)? {
        let path = std::path::absolute(&path).map_err(|error| Trouble::of_file("write", &path, &error))?;
        files::publish(&path, text.as_bytes()).map_err(|error| Trouble::of_file("write", &path, &error))?;
        output::remark(&format!("{} states of {name} are in {}", chain.states().len(), path.display()));
    }
    Ok(())
}

/// The chain of this name; the only one if none is named.
fn wanted<'m>(model: &'m Model, name: Option<&str>) -> Result<&'m str, Failure> {
    let known: Vec<&str> = model.chains().collect();
    let wrong = |what: String| {
        let remedy = match known[..] {
            [] => "trees have no states to be written".to_owned(),
            _ => format!("it has {}: choose one with --chain", known.join(", ")),
        };
        Err(Failure::new(Kind::Wrong, what).help(remedy))
    };
    match (name, &known[..]) {
        (None, [only]) => Ok(only),
        (None, []) => wrong("the model has no chain".to_owned()),
        (None, _) => wrong("the model has several chains".to_owned()),
        (Some(name), _) => match known.iter().find(|known| **known == name) {
            Some(found) => Ok(found),
            None => wrong(format!("the model has no chain \"{name}\"{}", near(name, &known))),
        },
    }
}

/// The files to write, with their texts.
fn texts(path: &Path, chain: &Chain<f64>) -> Result<Vec<(PathBuf, String)>, Failure> {
    let wrong = |error| failure(Kind::Wrong, &error, "");
    match path.extension().unwrap_or_default().to_str() {
        Some("sm" | "prism") => Ok(vec![(path.to_owned(), prism::write(chain).map_err(wrong)?)]),
        Some("tra") => {
            let written = explicit::write(chain).map_err(wrong)?;
            let mut all = vec![(path.to_owned(), written.tra), (path.with_extension("lab"), written.lab)];
            let is_one = written.srew.len() == 1;
            all.extend(written.srew.into_iter().map(|(reward, text)| {
                let ending = if is_one { "srew".to_owned() } else { format!("{reward}.srew") };
                (path.with_extension(ending), text)
            }));
            Ok(all)
        }
        _ => Err(Failure::new(Kind::Wrong, format!("{} has no ending that says its form", path.display()))
            .help("name it .tra for explicit files, .sm or .prism for the PRISM language")),
    }
}
