//! Fault trees of other tools as models: their numbers become parameters, their top event a measure.

use std::sync::Arc;

use crate::formats::File;
use crate::model::{Model, Nodes};
use crate::structure::{Law, Limits, QuantifiedTree, StructureFunction};
use crate::{Error, Place};

/// The name of the parameter that says at which time the tree is asked.
const TIME: &str = "time";

/// The model of a tree. Each event has a parameter of its name, the probability or the failure rate, and if it has more
/// numbers, more parameters. Trees with rates are asked at the time that the parameter `time` gives; if all events that
/// have rates are repaired, the long run is asked without it. An event has no parameter if the file says its law and its time,
/// by which it has occurred with a probability above 1/2.
///
/// # Errors
/// If a time is needed and not given, a parameter is unknown or no number, or the diagram does not fit into memory.
pub(super) fn model(
    tree: QuantifiedTree,
    file: &File,
    given: &[(String, String)],
    limits: &Limits,
) -> Result<Model, Error> {
    let place = Place { file: file.name.clone(), line: 1, column: 1 };
    let function = StructureFunction::of_tree(&tree.tree, limits).map_err(|error| error.at(place.clone()))?;
    let mut nodes = Nodes::new(given);
    let time = if given.iter().any(|(name, _)| name == TIME) {
        Some(nodes.parameter(TIME, 0.0)?)
    } else if tree.laws.iter().any(|law| matches!(law, Law::Exponential { .. } | Law::Weibull { .. })) {
        let what = "the tree has events that are never repaired, and no time";
        return Err(Error::new(what, "give the time with `--parameter time=8760`").at(place));
    } else {
        None
    };
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for (name, law) in tree.tree.events().iter().zip(&tree.laws) {
        let (occurs, does_not) = event(&mut nodes, name, law, time)?;
        yes.push(occurs);
        no.push(does_not);
    }
    let top = format!("probability of {}", tree.tree.name(tree.tree.top()));
    yes.extend(no);
    nodes.finish(Arc::new(function), yes, top, place)
}

/// The nodes of an event: that it occurs, and that it does not.
fn event(nodes: &mut Nodes<'_>, name: &str, law: &Law, time: Option<usize>) -> Result<(usize, usize), Error> {
    Ok(match (*law, time) {
        (Law::Fixed(probability), _) => {
            // What a law says of both sides of a probability near 1 has more digits than their difference from 1, unless
            // somebody gives another probability. Of a plain number that difference is all that is known.
            let is_difference = probability.no == 1.0 - probability.yes;
            if probability.yes > 0.5 && !is_difference && !nodes.is_given(name) {
                return Ok((nodes.constant(probability.yes), nodes.constant(probability.no)));
            }
            let yes = nodes.parameter(name, probability.yes)?;
            (yes, nodes.complement(yes))
        }
        (Law::Exponential { rate }, Some(time)) => {
            let rate = nodes.parameter(name, rate)?;
            nodes.gone(rate, time)
        }
        (Law::Weibull { scale, shape, shift }, Some(time)) => {
            let scale = nodes.parameter(name, scale)?;
            let shape = nodes.parameter(&format!("{name} shape"), shape)?;
            nodes.worn(scale, shape, shift, time)
        }
        (Law::Repaired { at_start, failure_rate, repair_rate }, time) => {
            let rate = nodes.parameter(name, failure_rate)?;
            let repair = nodes.parameter(&format!("{name} repair"), repair_rate)?;
            nodes.repaired(rate, repair, at_start, time)
        }
        // A time was asked for before, if such laws are there.
        (Law::Exponential { .. } | Law::Weibull { .. }, None) => (nodes.constant(1.0), nodes.constant(0.0)),
    })
}
