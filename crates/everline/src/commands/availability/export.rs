//! `everline availability export`: a chain or a fault tree for other tools.

use std::path::Path;

use availability::formats::{Format, explicit, galileo, open_psa, prism};
use availability::structure::QuantifiedTree;

use crate::cli::Export;
use crate::failure::{Failure, Kind};
use crate::output;

use super::source::Source;
use super::{failure, near, publish};

/// Writes a chain or a tree of a model, as the ending of the file says.
///
/// # Errors
/// [`Kind::Wrong`] if the model or the usage is, or the form has no words for what the model has; a failure if the numbers
/// cannot be computed or a file not be written.
pub(crate) fn export(order: &Export) -> Result<(), Failure> {
    let ending = order.file.extension().unwrap_or_default().to_string_lossy();
    match Format::of_ending(&ending) {
        Ok(format @ (Format::Prism | Format::Explicit)) => chain(order, format),
        Ok(format @ (Format::OpenPsa | Format::Galileo)) => tree(order, format),
        Ok(Format::Avail) | Err(_) => {
            let what = format!("{} has no ending that says its form", order.file.display());
            Err(Failure::new(Kind::Wrong, what).help(
                "a chain goes to .tra (explicit files) or .sm (the PRISM language), a fault tree to .xml (Open-PSA) or .dft \
                 (Galileo)",
            ))
        }
    }
}

fn chain(order: &Export, format: Format) -> Result<(), Failure> {
    let source = Source::open(&order.model, None)?;
    let model = source.read(&order.given.parameters)?;
    let known: Vec<&str> = model.chains().collect();
    let name = wanted("chain", &known, order.name.as_deref(), "fault trees and block diagrams go to .xml or .dft")?;
    let chain = model.chain(name).map_err(|error| source.failure(Kind::Failed, error))?;
    let wrong = |error| failure(Kind::Wrong, &error, "");
    let what = format!("{} states of {name} are", chain.states().len());
    if format == Format::Prism {
        source.spare(&order.file)?;
        return write(&order.file, &prism::write(&chain).map_err(wrong)?, &what);
    }
    let written = explicit::write(&chain).map_err(wrong)?;
    let mut files =
        vec![(order.file.clone(), &written.tra, what.clone()), (order.file.with_extension("lab"), &written.lab, what)];
    let is_one = written.srew.len() == 1;
    for (place, (reward, text)) in written.srew.iter().enumerate() {
        // What is no word could be no part of a file's name.
        let is_word = !reward.is_empty() && reward.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        let ending = match (is_one, is_word) {
            (true, _) => "srew".to_owned(),
            (false, true) => format!("{reward}.srew"),
            (false, false) => format!("reward-{}.srew", place + 1),
        };
        let what = format!("the reward {reward}");
        files.push((order.file.with_extension(ending), text, format!("{} is", what.trim_end())));
    }
    files.iter().try_for_each(|(path, ..)| source.spare(path))?;
    files.iter().try_for_each(|(path, text, what)| write(path, text, what))?;
    let left_out: Vec<&str> = chain.rewards_of_arcs().collect();
    if !left_out.is_empty() {
        let names = left_out.join(", ");
        output::remark(&format!("left out is what arcs earn, which has no place in explicit files: {names}"));
    }
    Ok(())
}

fn tree(order: &Export, format: Format) -> Result<(), Failure> {
    let source = Source::open(&order.model, None)?.with_top(order.top.as_deref())?;
    source.spare(&order.file)?;
    let Found { name, about, mut tree, long_run } = found(order, &source)?;
    let mut lost = Vec::new();
    if !long_run.is_empty() {
        let names = some(&long_run);
        lost.push(format!("written as the probability to be down in the long run, not how often they fail: {names}"));
    }
    if format == Format::Galileo {
        let (without, repaired) = tree.without_repair();
        tree = without;
        if !repaired.is_empty() {
            let names = some(&repaired);
            lost.push(format!("written as the probability to be down in the long run, without the repair: {names}"));
        }
    }
    let remarks = [vec![about], lost.clone()].concat();
    let text = match format {
        Format::Galileo => galileo::write(&tree, &remarks),
        _ => open_psa::write(&tree, &name, &remarks),
    };
    let text = text.map_err(|error| failure(Kind::Wrong, &error, ""))?;
    write(&order.file, &text, &format!("the tree {name} is"))?;
    lost.iter().for_each(|lost| output::remark(lost));
    Ok(())
}

/// A tree to be written.
struct Found {
    name: String,
    /// What the file says of it.
    about: String,
    tree: QuantifiedTree,
    /// The events that are probabilities in the long run and no more.
    long_run: Vec<String>,
}

fn found(order: &Export, source: &Source) -> Result<Found, Failure> {
    if let Some(tree) = source.tree()? {
        if order.name.is_some() || !order.given.parameters.is_empty() {
            let what = format!("{} has one tree, which is written as it stands", source.name);
            return Err(Failure::new(Kind::Wrong, what).help("leave --tree and --parameter away"));
        }
        let name = tree.tree.name(tree.tree.top()).to_owned();
        return Ok(Found { name, about: format!("from {}", source.name), tree, long_run: Vec::new() });
    }
    let model = source.read(&order.given.parameters)?;
    let known: Vec<&str> = model.trees().collect();
    let otherwise = "chains and rules go to .tra or .sm; a network has no gates that could be written";
    let name = wanted("tree", &known, order.name.as_deref(), otherwise)?;
    let (tree, long_run) = model.tree(name).map_err(|error| source.failure(Kind::Failed, error))?;
    let about = format!("{name} of {}; rates are per hour", source.name);
    Ok(Found { name: name.to_owned(), about, tree, long_run })
}

/// The chain or tree of this name; the only one if none is named. If there is none at all, `otherwise` says what to do.
fn wanted<'m>(kind: &str, known: &[&'m str], name: Option<&str>, otherwise: &str) -> Result<&'m str, Failure> {
    let wrong = |what: String| {
        let remedy = match known {
            [] => otherwise.to_owned(),
            _ => format!("it has {}: choose one with --{kind}", known.join(", ")),
        };
        Err(Failure::new(Kind::Wrong, what).help(remedy))
    };
    match (name, known) {
        (None, [only]) => Ok(only),
        (None, []) => wrong(format!("the model has no {kind}")),
        (None, _) => wrong(format!("the model has several {kind}s")),
        (Some(name), _) => match known.iter().find(|known| **known == name) {
            Some(found) => Ok(found),
            None => wrong(format!("the model has no {kind} \"{name}\"{}", near(name, known))),
        },
    }
}

/// The first of these names, and how many more there are.
fn some(names: &[String]) -> String {
    const MANY: usize = 12;
    match names.get(MANY..) {
        Some(more) if !more.is_empty() => format!("{} and {} more", names[..MANY].join(", "), more.len()),
        _ => names.join(", "),
    }
}

/// Writes a file, and says that something "is" in it.
fn write(path: &Path, text: &str, what: &str) -> Result<(), Failure> {
    let path = publish(path, text)?;
    output::remark(&format!("{what} in {}", path.display()));
    Ok(())
}
