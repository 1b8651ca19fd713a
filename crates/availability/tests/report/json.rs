//! The report for programs.

use availability::compose::Kept;
use serde_json::{Value, json};

use crate::repository;
use crate::support::{SMALL, report, three_hosts};

/// The names of all fields, of lists those of their first entry.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(list) => list.iter().take(1).map(shape).collect(),
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
    }
}

#[test]
fn field_names_stay() {
    let certain = json!({ "digits": "number", "value": "number" });
    let expected = json!({
        "schema": "string",
        "model": "string",
        "samples": { "seed": "number", "count": "number" },
        "varied": { "count": "number", "of": "number", "only_range": [] },
        "budgets": [{ "name": "string", "minutes": "number" }],
        "services": [{
            "name": "string", "model": "string", "availability": "number", "unavailability": "number",
            "downtime": certain, "planned": "number", "unplanned": "number", "failures": certain, "failures_without": [], "designed": [],
            "keeps": "string",
            "components": [{ "component": "string", "copies": "number", "share": "number" }],
            "interval": {
                "mean": "number", "sd": "number", "sd_delta": "number", "p05": "number", "p50": "number", "p95": "number",
                "keeps": [{ "name": "string", "share": "number" }],
                "bins": [{ "low": "number", "high": "number", "count": "number" }],
            },
        }],
        "components": [{
            "name": "string", "availability": "number", "unavailability": "number", "downtime": certain, "planned": "number", "unplanned": "number",
            "designed": "bool",
        }],
        "improvements": [{ "parameter": "string", "elasticity": "number", "better": "number", "saves": "number" }],
        "swings": [{ "parameter": "string", "low": "number", "high": "number" }],
        "assumed": { "count": "number", "not_said": "number", "of": "number", "weight": "number" },
        "parameters": [{
            "name": "string", "value": "number", "unit": "string", "meaning": "string", "used_by": ["string"],
            "elasticity": "number", "sensitivity": "number", "origin": "string", "source": "string", "p05": "number", "p95": "number",
            "between": "null",
        }],
        "kept": [],
        "absent": [],
        "diagrams": [{
            "model": "string", "states": [{ "name": "string", "kind": "string", "minutes": "number" }],
            "arcs": [{ "from": "string", "to": "string", "rate": "number" }],
            "merged_by": "string", "merged_states": "number",
        }],
    });
    let report = three_hosts().json();
    assert_eq!(shape(&report), expected);
    assert_eq!(report["schema"], "everline-availability-1");
}

fn kept() -> Kept {
    Kept { parameter: "fails".to_owned(), file: "d.json".to_owned(), estimate: "gap of loss".to_owned() }
}

#[test]
fn what_a_drill_lacks_and_what_is_not_built_is_told() {
    let mut report = report("small.avail", &format!("{SMALL}designed part\n"), 10);
    report.kept.push(kept());
    report.absent.insert("m/log.json".to_owned(), vec!["fails".to_owned()]);
    let value = report.json();
    assert_eq!(value["absent"], json!([{ "file": "m/log.json", "parameters": ["fails"] }]));
    assert_eq!(value["kept"], json!([{ "parameter": "fails", "estimate": "gap of loss", "file": "d.json" }]));
    assert_eq!(value["services"][0]["designed"], json!(["part"]));
    let components = value["components"].as_array().expect("components").iter();
    let designed: Vec<_> = components.filter(|one| one["designed"] == true).map(|one| &one["name"]).collect();
    assert_eq!(designed, ["part"]);
}

#[test]
fn figures_are_those_of_the_report() {
    let report = report("small.avail", SMALL, 10);
    let value = report.json();
    assert_eq!(value["services"][0]["downtime"]["value"], report.main().downtime.value);
    let event = value["components"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "whole.switch"));
    assert_eq!(event.map(|event| &event["planned"]), Some(&Value::Null), "no model says what is planned");
    assert_eq!(value["samples"], json!({ "seed": 5, "count": 10 }));
    let bins = value["services"][0]["interval"]["bins"].as_array().expect("bins");
    let count: u64 = bins.iter().filter_map(|bin| bin["count"].as_u64()).sum();
    assert_eq!(count, 10, "of few samples none is left out");
}

#[test]
fn the_document_names_every_field() {
    let Some(document) = repository::text("docs/availability-report.md") else { return };
    let mut report = three_hosts().clone();
    report.kept.push(kept());
    report.absent.insert("m/log.json".to_owned(), vec!["fails".to_owned()]);
    let mut open = vec![report.json()];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    assert!(document.contains(&format!("`{name}`")), "{name}");
                    open.push(value);
                }
            }
            Value::Array(list) => open.extend(list.into_iter().take(1)),
            _ => {}
        }
    }
}
