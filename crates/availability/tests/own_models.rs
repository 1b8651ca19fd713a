//! Everline's own models: all of them solve, every parameter says where it comes from, and what was measured is up to date.

mod repository;

use std::path::{Path, PathBuf};

use availability::compose::{Composed, Taken};
use availability::estimate::Confidence;
use availability::formats::File;
use availability::model::Model;
use availability::{Error, own};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

fn read(path: &str) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| Error::new(format!("{path}: {error}"), "look at its name"))
}

/// All models, by folder and name.
fn files() -> Vec<String> {
    let mut files = Vec::new();
    for kind in ["applications", "kinds", "parts", "solutions"] {
        for entry in std::fs::read_dir(folder().join(kind)).expect("the folder") {
            files.push(entry.expect("an entry").path().to_str().expect("a name").to_owned());
        }
    }
    files.sort_unstable();
    files
}

fn composed(path: &str) -> Composed {
    Composed::new(path, &mut read).unwrap_or_else(|error| panic!("{error}"))
}

fn model(path: &str) -> Model {
    let whole = composed(path);
    Model::read(path, &whole.text(), &[]).unwrap_or_else(|error| panic!("{}", whole.explain(error)))
}

/// Minutes a year, or what else a measure is, by its name.
fn solved(path: &str) -> impl Fn(&str) -> f64 + use<> {
    let model = model(path);
    let values = model.solve().unwrap_or_else(|error| panic!("{path}: {error}"));
    let names: Vec<String> = model.measures().iter().map(|measure| measure.name().to_owned()).collect();
    let path = path.to_owned();
    move |name| {
        let found = names.iter().position(|found| found == name).unwrap_or_else(|| panic!("{path} has no {name}"));
        values[found].value
    }
}

#[test]
fn every_parameter_says_where_it_comes_from() {
    for file in files() {
        let model = model(&file);
        for parameter in model.parameters() {
            // How many units there are is a choice.
            assert!(parameter.origin().is_some() || parameter.is_structural(), "{file}: {}", parameter.name());
            assert!(parameter.meaning().is_some(), "{file}: {} has no remark that says what it is", parameter.name());
        }
        assert!(!model.measures().is_empty(), "{file}");
    }
}

#[test]
fn parts_and_kinds_solve_with_digits_to_spare() {
    for file in files().iter().filter(|file| !file.contains("/solutions/")) {
        for value in model(file).solve().unwrap_or_else(|error| panic!("{file}: {error}")) {
            assert!(value.value > 0.0 && value.digits() >= 9, "{file}: {value}");
        }
    }
}

#[test]
fn more_hosts_are_down_less() {
    let solution = |name: &str| solved(folder().join("solutions").join(name).to_str().expect("a name"));
    let (one, two, three) = (solution("one-host.avail"), solution("two-hosts.avail"), solution("three-hosts.avail"));
    let sites = solution("two-sites.avail");
    for name in ["calls", "calls_with_site", "queues", "prompts", "statistics", "reports", "console"] {
        assert!(
            one(name) > two(name) && two(name) > three(name),
            "{name}: {} {} {}",
            one(name),
            two(name),
            three(name)
        );
    }
    assert!(sites("calls_of_two_sites") < three("calls_with_site") / 5.0);
    // Each of two sites may lack a service. What stands on the disks of a site is away with its building.
    for name in ["queues", "prompts", "statistics", "console"] {
        let both = sites(&format!("{name}_of_two_sites"));
        assert!(both > sites("calls_of_two_sites") && both < sites("calls_of_two_sites") + 2.0 * three(name), "{name}");
    }
    assert!(sites("reports_of_two_sites") > 1.9 * (three("calls_with_site") - three("calls")));
    // A service is down at least when calls are: it stands on the same hosts, or on calls themselves.
    for at in [&one as &dyn Fn(&str) -> f64, &two, &three] {
        assert!(at("queues") > at("calls") && at("prompts") > at("calls") && at("calls_with_site") > at("calls"));
    }
}

/// The drill of three hosts, whatever file is asked for (`all`), or only where it is named.
fn measured(whole: &mut Composed, record: &str, all: bool) -> Taken {
    let file = |path: &str| File { name: path.to_owned(), text: record.to_owned() };
    let mut read = |path: &str| (all || path.ends_with(DRILL)).then(|| file(path));
    whole.measure(Confidence::two_sided(0.95).expect("valid"), &mut read).expect("measured")
}

const DRILL: &str = "docs/measurements/hosts/drill.json";

#[test]
fn measured_values_are_those_of_the_record() {
    let Some(record) = repository::text(DRILL) else { return };
    for (file, least) in
        [("kinds/hot-pair-spread.avail", 9), ("solutions/two-hosts.avail", 15), ("solutions/three-hosts.avail", 16)]
    {
        let path = folder().join(file);
        let path = path.to_str().expect("a name");
        let written = composed(path).text();
        let mut whole = composed(path);
        let taken = measured(&mut whole, &record, false);
        assert!(taken.replaced.len() >= least && taken.kept.is_empty(), "{file}: {taken:?}");
        for (line, new) in written.lines().zip(whole.text().lines()) {
            if line != new {
                let value = |line: &str| {
                    let text = format!("{}\n", line.split(" from ").next().expect("a part"));
                    Model::read("line", &text, &[]).expect("a parameter").parameters()[0].value()
                };
                assert!((value(line) / value(new) - 1.0).abs() < 1e-3, "{line}\n{new}");
            }
        }
        assert!(taken.replaced.iter().all(|replaced| replaced.file.ends_with(DRILL)));
    }
}

#[test]
fn each_pair_takes_what_was_done_to_itself() {
    let Some(record) = repository::text(DRILL) else { return };
    for solution in own::SOLUTIONS {
        let mut whole = own::solution(solution).expect("a solution");
        let taken = measured(&mut whole, &record, true);
        // The usual drill has all faults that a solution asks for, on one host as on three.
        assert!(taken.replaced.len() >= 14 && taken.kept.is_empty(), "{solution}: {taken:?}");
        for replaced in &taken.replaced {
            let (parameter, estimate) = (replaced.parameter.as_str(), replaced.measured.name.as_str());
            let pair = ["sip", "routing", "control"].into_iter().find(|pair| parameter.starts_with(pair));
            assert!(pair.is_some_and(|pair| estimate.contains(pair)), "{solution}: {parameter} takes {estimate}");
        }
    }
}
