//! Which parameters matter, and where each comes from.

use crate::Error;
use crate::goal::Range;
use crate::model::{OriginKind, Parameter, Plan};

/// How many improvements are told.
const IMPROVEMENTS: usize = 10;
/// Elasticities below this do not count as mattering.
const LEAST: f64 = 1e-6;
/// The way from a file of Everline's own models to the folder of its source.
const OWN_FOLDER: &str = "../../../../";

/// A parameter, what it does to the main service, and where it comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its value, in its unit.
    pub value: f64,
    /// `h`, `1/h`, or `1`.
    pub unit: String,
    /// By how many per cent the main service's downtime changes if the parameter changes by one per cent; `None` for one
    /// that decides about the structure.
    pub elasticity: Option<f64>,
    /// What parameters are compared by: the elasticity, of a share that of its odds `p/(1 - p)`. That of a share near 1 says
    /// nothing beside others, since one per cent of it is many times what is missing.
    pub sensitivity: Option<f64>,
    /// Where the value comes from, if the text says it.
    pub origin: Option<(OriginKind, String)>,
    /// What it is, in the words of the remark behind it, if there is one.
    pub meaning: Option<String>,
    /// The components that need it, as indices among [`super::Report::components`]; those with the largest share of the main
    /// service first.
    pub components: Vec<usize>,
    /// The 5 % and 95 % points of its distribution, if it has one.
    pub range: Option<(f64, f64)>,
    /// The values between which the text lets it lie, if it says them.
    pub limits: Option<(f64, f64)>,
}

impl Source {
    /// What the text says about it: what it is, else where it comes from. May be empty.
    #[must_use]
    pub fn words(&self) -> &str {
        self.meaning.as_deref().unwrap_or_else(|| self.said())
    }

    /// Where it comes from, in the words of the text; a path of Everline's own models as seen from the folder of its source.
    #[must_use]
    pub fn said(&self) -> &str {
        let said = self.origin.as_ref().map_or("", |(_, text)| text.as_str());
        said.strip_prefix(OWN_FOLDER).unwrap_or(said)
    }

    /// Whether nobody knows the value: it is said to be assumed, or nothing is said. Choices of structure are no assumptions.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        match &self.origin {
            Some((kind, _)) => *kind == OriginKind::Assumed,
            None => self.elasticity.is_some(),
        }
    }
}

/// A parameter that could be better, and what that would save.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Improvement {
    /// Its index among [`super::Report::sources`].
    pub source: usize,
    /// Its value if it were half as bad: half of it if it does harm; if it helps, half as far from 1 where it is a share, and
    /// else twice as much; never beyond [`Source::limits`].
    pub better: f64,
    /// The minutes a year by which the main service's downtime would be shorter.
    pub saves: f64,
}

/// The main service at both ends of what a parameter may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swing {
    /// Its index among [`super::Report::sources`].
    pub source: usize,
    /// Minutes a year at the 5 % point of the parameter.
    pub low: f64,
    /// Minutes a year at its 95 % point.
    pub high: f64,
}

/// All parameters, those that matter most first; `users` are the components that need each.
pub(super) fn sources(parameters: &[Parameter], main: &Plan<'_>, users: &[Vec<usize>]) -> Result<Vec<Source>, Error> {
    let elasticities = main.elasticities(0)?;
    let all = parameters.iter().zip(elasticities).zip(users);
    let mut sources: Vec<Source> = all.map(|((own, elasticity), users)| source(own, elasticity, users)).collect();
    let size = |source: &Source| source.sensitivity.map_or(-1.0, f64::abs);
    sources.sort_by(|a, b| size(b).total_cmp(&size(a)));
    Ok(sources)
}

fn source(parameter: &Parameter, elasticity: f64, users: &[usize]) -> Source {
    let is_share = Range::of(parameter).is_ok_and(|range| range.is_share());
    let sensitivity = if is_share { elasticity * (1.0 - parameter.value()) } else { elasticity };
    let unless_structural = |number: f64| (!parameter.is_structural()).then_some(number);
    Source {
        name: parameter.name().to_owned(),
        value: parameter.value(),
        unit: parameter.unit(),
        elasticity: unless_structural(elasticity),
        sensitivity: unless_structural(sensitivity),
        origin: parameter.origin().map(|(kind, text)| (kind, text.to_owned())),
        meaning: parameter.meaning().map(str::to_owned),
        components: users.to_vec(),
        range: parameter.distribution().map(|law| (law.quantile(0.05), law.quantile(0.95))),
        limits: parameter.range(),
    }
}

/// The main service if one parameter had another value.
fn at(parameters: &[Parameter], main: &Plan<'_>, name: &str, value: f64) -> Result<f64, Error> {
    let other = |own: &Parameter| if own.name() == name { value } else { own.value() };
    Ok(main.values_at(&parameters.iter().map(other).collect::<Vec<_>>())?[0])
}

/// What the parameters would save that would save most.
pub(super) fn improvements(
    parameters: &[Parameter],
    main: &Plan<'_>,
    sources: &[Source],
) -> Result<Vec<Improvement>, Error> {
    let now = main.values_at(&parameters.iter().map(Parameter::value).collect::<Vec<_>>())?[0];
    let mut improvements = Vec::new();
    for (source, own) in sources.iter().enumerate() {
        let Some(elasticity) = own.elasticity.filter(|elasticity| elasticity.abs() > LEAST) else { continue };
        let better = match elasticity > 0.0 {
            true => own.value / 2.0,
            false if own.unit == "1" && own.value <= 1.0 => f64::midpoint(own.value, 1.0),
            false => own.value * 2.0,
        };
        let better = own.limits.map_or(better, |(low, high)| better.max(low).min(high));
        if better == own.value {
            continue;
        }
        improvements.push(Improvement { source, better, saves: now - at(parameters, main, &own.name, better)? });
    }
    improvements.sort_by(|a, b| b.saves.total_cmp(&a.saves));
    improvements.truncate(IMPROVEMENTS);
    Ok(improvements)
}

/// The main service over the range of each parameter that matters and has one, the widest first.
pub(super) fn swings(parameters: &[Parameter], main: &Plan<'_>, sources: &[Source]) -> Result<Vec<Swing>, Error> {
    let mut swings = Vec::new();
    for (source, own) in sources.iter().enumerate() {
        let (Some((low, high)), Some(elasticity)) = (own.range, own.elasticity) else { continue };
        if elasticity.abs() > LEAST {
            let [low, high] = [low, high].map(|value| at(parameters, main, &own.name, value));
            swings.push(Swing { source, low: low?, high: high? });
        }
    }
    swings.sort_by(|a, b| (b.high - b.low).abs().total_cmp(&(a.high - a.low).abs()));
    Ok(swings)
}
