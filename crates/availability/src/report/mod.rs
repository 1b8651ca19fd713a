//! The report: what is down how long, what of it is planned, what to improve first, how sure all of that is, and where each
//! figure comes from.
//!
//! [`Question::new`] reads a model and finds its services, which are its measures `downtime of MODEL`. The work is then
//! divided as the caller likes: [`Question::plan`] gives the samples of the services' downtimes, [`Question::report`] puts
//! everything together, and [`Report::json`] and [`Report::html`] write it.
//!
//! | figure | how |
//! |---|---|
//! | downtime of a service or component | U in minutes a year, with the digits that are sure |
//! | share of a component | criticality importance through the hierarchy: the product of `B p / P` of each event on the way (Rausand and Høyland 2004, section 5.4). It is the share of the service's downtime that ends when this component is repaired; redundant ones share theirs |
//! | planned | time in the down states with the label `planned`; for a service the sum of its components' planned downtime, each times share over unavailability (first order) |
//! | sensitivity | elasticity `(p/m) dm/dp` of a parameter; of a share that of its odds `p/(1 - p)`, which is `1 - p` times as large |
//! | assumptions | the part of the sum of all sensitivities' sizes that belongs to parameters that are assumed, or of which nothing is said |
//! | what to improve first | what a parameter half as bad would save |
//! | tornado | the service with one parameter at its 5 % and its 95 % point, all others at their values |
//! | interval | 5 % and 95 % points of samples of the parameters that have a distribution, all else at its value |

mod assumed;
mod diagram;
mod draw;
mod html;
mod improve;
mod json;
mod language;
mod members;
mod names;
mod numbers;
mod question;
mod remarks;
mod spread;
mod varied;

pub use assumed::Assumed;
pub use diagram::{Diagram, Flow, Kind, Place};
pub use improve::{Improvement, Source, Swing};
pub use language::Language;
pub use members::{Component, Member};
pub use numbers::{duration, elasticity, percent, rate, share, short, value_with_unit};
pub use question::Question;
pub use spread::{Bin, Samples, Spread};
pub use varied::Varied;

use std::collections::BTreeMap;

use crate::Certain;
use crate::compose::Kept;

/// What a downtime budget allows, in minutes of a year of 365 days, by the name that people give it.
pub const BUDGETS: [(&str, f64); 3] = [("99.9 %", 525.6), ("99.99 %", 52.56), ("99.999 %", 5.256)];

/// Minutes in a year of 365 days.
pub const YEAR_MINUTES: f64 = 525_600.0;

/// All figures of a report.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file that the model came from, as the caller named it.
    pub model: String,
    /// The services, in the order of the text. The first one is the main one: improvements and swings are about it.
    pub services: Vec<Service>,
    /// All components of all services.
    pub components: Vec<Component>,
    /// The parameters that would save most of the main service's downtime if they were better, the first one first.
    pub improvements: Vec<Improvement>,
    /// The main service over the range of each uncertain parameter, the widest first.
    pub swings: Vec<Swing>,
    /// All parameters, those that matter most to the main service first.
    pub sources: Vec<Source>,
    /// The chains of the components, as far as they can be drawn.
    pub diagrams: Vec<Diagram>,
    /// Seed and number of the samples; `None` if no parameter has a distribution.
    pub sampled: Option<(u64, u64)>,
    /// Parameters that a drill has nothing about, so that they have the values of the text. Whoever took the values of the drill
    /// ([`crate::compose::Composed::measure`]) puts them here.
    pub kept: Vec<Kept>,
    /// The files that are not there although parameters are said to be measured in them, each with these parameters: they have the
    /// values of the text. Whoever looked for the files puts them here.
    pub absent: BTreeMap<String, Vec<String>>,
}

/// A service, and what its downtime is made of.
#[derive(Clone, Debug)]
pub struct Service {
    /// The name of its measure.
    pub name: String,
    /// The model whose downtime it is.
    pub model: String,
    /// Minutes a year.
    pub downtime: Certain,
    /// Failures a year, without those of [`Self::uncounted`].
    pub failures: Certain,
    /// Events that have a probability and no failure frequency, as `TREE.EVENT`: they are in the downtime, and nobody knows how
    /// often they occur.
    pub uncounted: Vec<String>,
    /// The models in it of what is designed and not built yet; the service's own one if nothing of it is.
    pub designed: Vec<String>,
    /// Minutes a year of planned work among the downtime; `None` if no component has such states.
    pub planned: Option<f64>,
    /// Its components, the largest share first.
    pub members: Vec<Member>,
    /// How uncertain the downtime is; `None` if no parameter has a distribution.
    pub spread: Option<Spread>,
}

impl Service {
    /// The share of time in which it is not available.
    #[must_use]
    pub fn unavailability(&self) -> f64 {
        self.downtime.value / YEAR_MINUTES
    }

    /// Minutes a year of the downtime that are not planned; `None` if no component says what is planned.
    #[must_use]
    pub fn unplanned(&self) -> Option<f64> {
        Some(self.downtime.value - self.planned?)
    }

    /// The strictest budget that it keeps, as an index into [`BUDGETS`]; `None` if it keeps none.
    #[must_use]
    pub fn keeps(&self) -> Option<usize> {
        BUDGETS.iter().rposition(|(_, minutes)| self.downtime.value <= *minutes)
    }
}

impl Report {
    /// What a parameter is, for people: the words of the text about it, and the components that need it.
    #[must_use]
    pub fn described(&self, source: &Source, language: Language) -> String {
        let (words, place) = self.words_and_place(source, language);
        format!("{words}{place}")
    }

    /// The two parts of [`Self::described`]; the second one has the brackets that it needs.
    fn words_and_place<'a>(&self, source: &'a Source, language: Language) -> (&'a str, String) {
        let words = remarks::translated(source.words(), language);
        let Some(&first) = source.components.first() else { return (words, String::new()) };
        let name = self.title(&self.components[first].name, language);
        let place = match (source.components.len(), language) {
            (1, _) => name.to_owned(),
            (all, Language::English) => format!("{name}, and {} more", all - 1),
            (all, Language::Chinese) => format!("{name}等 {all} 个组件"),
        };
        let place = if words.is_empty() { place } else { names::with_mark("", &place, language) };
        (words, place)
    }

    /// Whether the parameter is said to be measured in a file that is not there.
    #[must_use]
    pub fn lacks_file(&self, source: &Source) -> bool {
        self.absent.values().flatten().any(|parameter| *parameter == source.name)
    }

    /// The component of a member.
    #[must_use]
    pub fn component(&self, member: &Member) -> &Component {
        &self.components[member.component]
    }

    /// The service that improvements and swings are about.
    #[must_use]
    pub fn main(&self) -> &Service {
        &self.services[0]
    }
}
