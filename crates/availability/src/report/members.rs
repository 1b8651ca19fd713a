//! What a service is made of.

use super::YEAR_MINUTES;
use super::question::{Asked, PLANNED};
use crate::model::Model;
use crate::{Certain, Error};

/// The most components of a service, copies counted.
const MOST_LEAVES: usize = 2_000;
/// Copies whose shares differ by less than this are shown as one row.
const ALIKE: f64 = 1e-9;

/// A component: what a tree's events are when one follows them down to a chain, or to an event that no model describes.
#[derive(Clone, Debug)]
pub struct Component {
    /// The name of its model, or `TREE.EVENT`.
    pub name: String,
    /// Minutes a year of one copy.
    pub downtime: Certain,
    /// Minutes a year of planned work among them; `None` if the model has no such states.
    pub planned: Option<f64>,
    /// Whether it is designed and not built yet, as the model says.
    pub designed: bool,
}

impl Component {
    /// Minutes a year of the downtime that are not planned; `None` if the model does not say what is planned.
    #[must_use]
    pub fn unplanned(&self) -> Option<f64> {
        Some(self.downtime.value - self.planned?)
    }

    /// The share of time in which it is not available.
    #[must_use]
    pub fn unavailability(&self) -> f64 {
        self.downtime.value / YEAR_MINUTES
    }
}

/// A component in a service.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// Its index among [`super::Report::components`].
    pub component: usize,
    /// How many copies of it have this share.
    pub copies: usize,
    /// The share of the service's downtime that ends when one copy is repaired (criticality importance).
    pub share: f64,
}

/// A copy of a component, and the events on the way down to it, by their numbers.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    component: usize,
    steps: Vec<usize>,
}

/// What a service is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    pub(super) leaves: Vec<Leaf>,
    /// Events that have a probability and no frequency, as `TREE.EVENT`.
    pub(super) uncounted: Vec<String>,
    /// Models of what is designed and not built yet.
    pub(super) designed: Vec<String>,
}

/// All components of a model; new components and steps are added to the lists.
pub(super) fn made(
    model: &Model,
    of: &str,
    components: &mut Vec<Asked>,
    steps: &mut Vec<(String, String)>,
) -> Result<Made, Error> {
    let mut made = Made::default();
    let leaves = &mut made.leaves;
    // What is still to be looked at: a model, or an event of its own, and the way to it.
    let mut open: Vec<(String, Vec<usize>)> = vec![(of.to_owned(), Vec::new())];
    while let Some((name, way)) = open.pop() {
        for event in model.uncounted(&name) {
            let full = format!("{name}.{event}");
            number(&mut made.uncounted, |known| *known == full, || full.clone());
        }
        if model.is_designed(&name) {
            number(&mut made.designed, |known| *known == name, || name.clone());
        }
        let Some(parts) = model.parts(&name) else {
            let component = number(components, |asked| asked.name == name, || asked(model, &name));
            leaves.push(Leaf { component, steps: way });
            continue;
        };
        for part in parts {
            let step = (name.clone(), part.event.clone());
            let mut way = way.clone();
            way.push(number(steps, |known| *known == step, || step.clone()));
            match &part.model {
                Some(below) => open.push((below.clone(), way)),
                None => {
                    let full = format!("{name}.{}", part.event);
                    let event = || asked_event(&full, &name, &part.event);
                    leaves.push(Leaf { component: number(components, |asked| asked.name == full, event), steps: way });
                }
            }
        }
        if leaves.len() + open.len() > MOST_LEAVES {
            let what = format!("`{of}` has more than {MOST_LEAVES} components");
            return Err(Error::new(what, "ask for the downtime of a part of it, or solve it without a report"));
        }
    }
    Ok(made)
}

/// The index of what is searched, added if it is new.
fn number<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> usize {
    list.iter().position(is_it).unwrap_or_else(|| {
        list.push(new());
        list.len() - 1
    })
}

fn asked(model: &Model, name: &str) -> Asked {
    let labels = model.labels(name);
    let is_chain = labels.is_some();
    let has_planned = labels.is_some_and(|mut labels| labels.any(|label| label == PLANNED));
    Asked {
        name: name.to_owned(),
        downtime: format!("downtime of {name}"),
        planned: has_planned.then(|| format!("probability of {PLANNED} and down in {name} * {YEAR_MINUTES}")),
        is_chain,
        designed: model.is_designed(name),
    }
}

fn asked_event(full: &str, tree: &str, event: &str) -> Asked {
    let downtime = format!("probability of {event} in {tree} * {YEAR_MINUTES}");
    Asked { name: full.to_owned(), downtime, planned: None, is_chain: false, designed: false }
}

/// The members of a service: copies of one component with the same share are one of them. The largest share comes first.
pub(super) fn members(leaves: &[Leaf], criticality: &[f64]) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for leaf in leaves {
        let share: f64 = leaf.steps.iter().map(|&step| criticality[step]).product();
        let alike = members.iter_mut().find(|member| {
            member.component == leaf.component && (member.share - share).abs() <= ALIKE * share.max(f64::MIN_POSITIVE)
        });
        match alike {
            Some(member) => member.copies += 1,
            None => members.push(Member { component: leaf.component, copies: 1, share }),
        }
    }
    members.sort_by(|a, b| b.share.total_cmp(&a.share).then(a.component.cmp(&b.component)));
    members
}

/// Minutes a year of planned work in a service; `None` if no component has any.
pub(super) fn planned(members: &[Member], components: &[Component], downtime: f64) -> Option<f64> {
    let part = |member: &Member| {
        let component = &components[member.component];
        let planned = component.planned?;
        let size = member.copies as f64 * member.share * downtime;
        Some(if planned == 0.0 { 0.0 } else { size * planned / component.downtime.value })
    };
    // Planned work on redundant copies at the same time is counted for each of them, so that the sum has to be bounded.
    let sum = members.iter().filter_map(part).reduce(|a, b| a + b)?;
    Some(sum.min(downtime))
}
