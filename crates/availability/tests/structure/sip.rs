//! The fault trees of the reference case sip-websphere, with the figures of its sub-models given: shared chassis and
//! switches, frequencies, importances.

use std::collections::BTreeMap;

use availability::structure::{FaultTree, GateKind, Limits, Order, Probability, Repairable, StructureFunction};
use serde_json::Value;

use crate::reference::{assert_close, case, figure};

/// The parts of a blade and of a chassis are events of their own here, so that each sub-model has its importance.
const CHASSIS: [&str; 3] = ["midplane", "cooling", "power"];
const BLADE: [&str; 5] = ["base", "processor", "memory", "disk", "os"];

/// The figures of the sub-models are within 2^-53 of theirs; a path has at most 84 events with three roundings each.
const TOLERANCE: f64 = 2e-14;

/// The tree, and the sub-model of each event.
fn tree(case: &Value) -> (FaultTree, Vec<String>) {
    let mut tree = FaultTree::builder();
    let mut models = Vec::new();
    let mut event = |tree: &mut availability::structure::FaultTreeBuilder, model: &str, place: &str| {
        let name = format!("{model} {place}");
        tree.event(name.clone());
        models.push(model.to_owned());
        name
    };
    for chassis in ["1", "2"] {
        let parts = CHASSIS.map(|part| event(&mut tree, part, chassis));
        tree.gate(format!("chassis {chassis}"), GateKind::Or, parts);
    }
    for switch in ["1", "2", "3", "4"] {
        event(&mut tree, "switch", switch);
    }
    let (mut servers, mut proxies) = (Vec::new(), Vec::new());
    for blade in case["model"]["trees"]["blades"].as_array().unwrap() {
        let name = blade["blade"].as_str().unwrap();
        let parts = BLADE.map(|part| event(&mut tree, part, name));
        tree.gate(format!("hardware {name}"), GateKind::Or, parts);
        for (side, switch) in ["left", "right"].into_iter().zip(blade["switches"].as_array().unwrap()) {
            let nic = event(&mut tree, "nic", &format!("{name} {side}"));
            tree.gate(format!("{side} {name}"), GateKind::Or, [nic, format!("switch {switch}")]);
        }
        tree.gate(format!("lan {name}"), GateKind::And, [format!("left {name}"), format!("right {name}")]);
        tree.gate(format!("blade {name}"), GateKind::Or, [format!("hardware {name}"), format!("lan {name}")]);
        for host in blade["hosts"].as_array().unwrap().iter().map(|host| host.as_str().unwrap()) {
            let (model, list) = if host.starts_with("AS") {
                ("application_server", &mut servers)
            } else {
                ("proxy_server", &mut proxies)
            };
            let own = event(&mut tree, model, host);
            let chassis = format!("chassis {}", blade["chassis"]);
            tree.gate(host, GateKind::Or, [own, format!("blade {name}"), chassis]);
            list.push(host);
        }
    }
    tree.gate("apps", GateKind::AtLeast(6), servers).gate("proxies", GateKind::And, proxies);
    tree.gate("system", GateKind::Or, ["apps", "proxies"]);
    (tree.finish("system").unwrap(), models)
}

fn components(case: &Value, models: &[String]) -> Vec<Repairable> {
    let of = |model: &String| {
        let figure = |name| figure(case, &["expected", "sub-models", model, name]);
        Repairable { down: Probability::of(figure("U")), frequency: figure("failure frequency") }
    };
    models.iter().map(of).collect()
}

#[test]
fn unavailability_frequency_and_times_of_the_system() {
    let case = case("sip-websphere");
    let (tree, models) = tree(&case);
    let components = components(&case, &models);
    let expected = |name: &str| figure(&case, &["expected", "system and gates", "system", name]);
    for order in [Order::AsWritten, Order::SmallFirst, Order::SharedFirst] {
        let function = StructureFunction::of_tree(&tree, &Limits { order, ..Limits::default() }).unwrap();
        let system = function.frequency(&components).unwrap();
        assert_close("U", system.down.yes, expected("U"), TOLERANCE);
        assert_close("A", system.down.no, 1.0 - expected("U"), TOLERANCE);
        assert_close("frequency", system.frequency, expected("failure frequency"), TOLERANCE);
        assert_close("MTBF", system.mean_time_between_failures(), expected("MTBF"), TOLERANCE);
        assert_close("mean down time", system.mean_down_time(), expected("mean down time"), TOLERANCE);
        let down: Vec<_> = components.iter().map(|component| component.down.rounded()).collect();
        let certain = function.certain(&down).unwrap().yes;
        assert!((certain.value - expected("U")).abs() <= certain.relative_error * expected("U"), "{certain:?}");
        assert!(certain.digits() >= 13, "{certain:?}");
    }
}

#[test]
fn gates_of_the_system() {
    let case = case("sip-websphere");
    let (tree, models) = tree(&case);
    let components = components(&case, &models);
    let down: Vec<_> = components.iter().map(|component| component.down).collect();
    for (gate, name) in [
        ("chassis 1", "chassis (CM)"),
        ("hardware A", "blade (BLADE)"),
        ("apps", "gate applications (at least 6 of 12 failed)"),
        ("proxies", "gate proxies (both failed)"),
    ] {
        let function = StructureFunction::of_tree(&tree.with_top(gate).unwrap(), &Limits::default()).unwrap();
        let expected = figure(&case, &["expected", "system and gates", name, "U"]);
        assert_close(name, function.probability(&down).unwrap().yes, expected, TOLERANCE);
        if gate != "apps" && gate != "proxies" {
            let expected = figure(&case, &["expected", "system and gates", name, "failure frequency"]);
            assert_close(name, function.frequency(&components).unwrap().frequency, expected, TOLERANCE);
        }
    }
}

#[test]
fn the_importance_of_each_sub_model() {
    let case = case("sip-websphere");
    let (tree, models) = tree(&case);
    let down: Vec<_> = components(&case, &models).iter().map(|component| component.down.rounded()).collect();
    let function = StructureFunction::of_tree(&tree, &Limits::default()).unwrap();
    let (_, gradient) = function.certain_gradient(&down).unwrap();
    let mut by_model = BTreeMap::new();
    for (model, slope) in models.iter().zip(gradient) {
        assert!(slope.digits() >= 13, "{model}: {slope:?}");
        *by_model.entry(model).or_insert(0.0) += slope.value;
    }
    for (model, found) in by_model {
        let expected = figure(&case, &["expected", "sub-models", model, "dU_system/dU (all copies together)"]);
        assert_close(model, found, expected, TOLERANCE);
    }
}
