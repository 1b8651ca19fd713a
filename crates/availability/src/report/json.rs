//! The report for programs: `docs/availability-report.md` says what each field means.

use serde_json::{Value, json};

use super::diagram::{Diagram, Kind};
use super::improve::{Improvement, Source, Swing};
use super::{Assumed, BUDGETS, Component, Member, Report, Service, Spread, Varied};
use crate::Certain;
use crate::compose::Kept;
use crate::model::OriginKind;

/// The name of this form of the report. Fields may be added to it; what is there keeps its meaning.
const SCHEMA: &str = "everline-availability-1";

impl Report {
    /// The report as a JSON value.
    #[must_use]
    pub fn json(&self) -> Value {
        let list = |values: Vec<Value>| Value::Array(values);
        let absent = |(file, parameters): (&String, &Vec<String>)| json!({ "file": file, "parameters": parameters });
        json!({
            "schema": SCHEMA,
            "model": self.model,
            "samples": self.sampled.map(|(seed, count)| json!({ "seed": seed, "count": count })),
            "varied": varied(&self.varied()),
            "budgets": list(BUDGETS.iter().map(|(name, minutes)| json!({ "name": name, "minutes": minutes })).collect()),
            "services": list(self.services.iter().map(|service| self.service(service)).collect()),
            "components": list(self.components.iter().map(component).collect()),
            "improvements": list(self.improvements.iter().map(|one| self.improvement(one)).collect()),
            "swings": list(self.swings.iter().map(|swing| self.swing(swing)).collect()),
            "assumed": assumed(self.assumed()),
            "parameters": list(self.sources.iter().map(|source| self.source(source)).collect()),
            "kept": list(self.kept.iter().map(kept).collect()),
            "absent": list(self.absent.iter().map(absent).collect()),
            "diagrams": list(self.diagrams.iter().map(diagram).collect()),
        })
    }

    fn service(&self, service: &Service) -> Value {
        let member = |member: &Member| json!({ "component": self.component(member).name, "copies": member.copies, "share": member.share });
        json!({
            "name": service.name,
            "model": service.model,
            "availability": 1.0 - service.unavailability(),
            "unavailability": service.unavailability(),
            "downtime": certain(service.downtime),
            "planned": service.planned,
            "unplanned": service.unplanned(),
            "failures": certain(service.failures),
            "failures_without": service.uncounted,
            "designed": service.designed,
            "keeps": service.keeps().map(|budget| BUDGETS[budget].0),
            "components": service.members.iter().map(member).collect::<Vec<_>>(),
            "interval": service.spread.as_ref().map(spread),
        })
    }

    fn improvement(&self, improvement: &Improvement) -> Value {
        let source = &self.sources[improvement.source];
        json!({
            "parameter": source.name,
            "elasticity": source.elasticity,
            "better": improvement.better,
            "saves": improvement.saves,
        })
    }

    fn swing(&self, swing: &Swing) -> Value {
        json!({ "parameter": self.sources[swing.source].name, "low": swing.low, "high": swing.high })
    }

    fn source(&self, source: &Source) -> Value {
        let used_by: Vec<&str> = source.components.iter().map(|&one| self.components[one].name.as_str()).collect();
        json!({
            "name": source.name,
            "value": source.value,
            "unit": source.unit,
            "meaning": source.meaning,
            "used_by": used_by,
            "elasticity": source.elasticity,
            "sensitivity": source.sensitivity,
            "origin": source.origin.as_ref().map(|(of, _)| kind(*of)),
            "source": source.origin.as_ref().map(|(_, text)| text),
            "p05": source.range.map(|(low, _)| low),
            "p95": source.range.map(|(_, high)| high),
            "between": source.limits.map(|(low, high)| [low, high]),
        })
    }
}

fn certain(number: Certain) -> Value {
    json!({ "value": number.value, "digits": number.digits() })
}

fn component(component: &Component) -> Value {
    json!({
        "name": component.name,
        "availability": 1.0 - component.unavailability(),
        "unavailability": component.unavailability(),
        "downtime": certain(component.downtime),
        "planned": component.planned,
        "unplanned": component.unplanned(),
        "designed": component.designed,
    })
}

fn assumed(Assumed { count, not_said, of, weight }: Assumed) -> Value {
    json!({ "count": count, "not_said": not_said, "of": of, "weight": weight })
}

fn varied(Varied { count, of, only_range }: &Varied) -> Value {
    json!({ "count": count, "of": of, "only_range": only_range })
}

fn kept(kept: &Kept) -> Value {
    json!({ "parameter": kept.parameter, "estimate": kept.estimate, "file": kept.file })
}

fn spread(spread: &Spread) -> Value {
    let [p05, p50, p95] = spread.points;
    let keeps = BUDGETS.iter().zip(spread.keeps).map(|((name, _), share)| json!({ "name": name, "share": share }));
    let bins = spread.bins.iter().map(|bin| json!({ "low": bin.low, "high": bin.high, "count": bin.count }));
    json!({
        "mean": spread.mean, "sd": spread.sd, "sd_delta": spread.delta, "p05": p05, "p50": p50, "p95": p95,
        "keeps": keeps.collect::<Vec<_>>(),
        "bins": bins.collect::<Vec<_>>(),
    })
}

/// How the kinds of origin are called in JSON, as in the model language.
const fn kind(kind: OriginKind) -> &'static str {
    match kind {
        OriginKind::Measured => "measured",
        OriginKind::Published => "published",
        OriginKind::Assumed => "assumed",
    }
}

fn diagram(diagram: &Diagram) -> Value {
    let place = |place: &super::Place| {
        let kind = match place.kind {
            Kind::Up => "up",
            Kind::Both => "both",
            Kind::Down => "down",
        };
        json!({ "name": place.name, "kind": kind, "minutes": place.minutes })
    };
    let name = |index: usize| &diagram.places[index].name;
    let flow = |flow: &super::Flow| json!({ "from": name(flow.from), "to": name(flow.to), "rate": flow.rate });
    json!({
        "model": diagram.model,
        "states": diagram.places.iter().map(place).collect::<Vec<_>>(),
        "arcs": diagram.flows.iter().map(flow).collect::<Vec<_>>(),
        "merged_by": diagram.merged.as_ref().map(|(variable, _)| variable),
        "merged_states": diagram.merged.as_ref().map(|(_, count)| count),
    })
}
