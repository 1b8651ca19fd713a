//! The side of this crate in `cargo xtask bench availability`: one question a process, so that its memory is its own.
//!
//! - `measured solve MODEL [PROPERTY]`: the unavailability of an explicit chain (`.tra`, label `down`), a property of a model
//!   in the PRISM language, or the probability that the top of a fault tree (`.dft`) has failed by time 1;
//! - `measured hierarchy MODEL.avail`: the unavailabilities of all chains and of the whole, its derivatives, samples;
//! - `measured chain MODEL.avail CHAIN`: writes a chain of it in the PRISM language, its rates being numbers;
//! - `measured platform GROUPS`: writes a fault tree.
//!
//! What is measured is one line of JSON: seconds by step, values, proven bounds of their relative errors, memory.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use availability::formats::{File, Format, galileo, prism};
use availability::model::{Model, Parameter};
use availability::structure::{Law, QuantifiedTree};
use availability::{Certain, Error};
use serde_json::{Map, Value, json};

#[path = "../tests/structure/dependencies.rs"]
mod dependencies;

/// Samples of the parameters.
const SAMPLES: u64 = 100_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["solve", path] => solve(path, None),
        ["solve", path, property] => solve(path, Some(property)),
        ["hierarchy", path] => hierarchy(path),
        ["chain", path, chain] => written(path, chain),
        ["platform", groups] => platform(groups),
        _ => Err(Error::new(format!("what is {words:?}?"), "see the head of this file")),
    };
    match done {
        Ok(text) => println!("{text}"),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

/// Since when the step lasts, and the seconds of those before it.
struct Steps(Instant, Map<String, Value>);

impl Steps {
    fn begin() -> Self {
        Self(Instant::now(), Map::new())
    }

    fn end(&mut self, step: &str) {
        self.1.insert(step.to_owned(), self.0.elapsed().as_secs_f64().into());
        self.0 = Instant::now();
    }

    fn report(self, values: &BTreeMap<String, f64>, bounds: &BTreeMap<String, f64>) -> String {
        let exact: Map<String, Value> =
            values.iter().map(|(name, value)| (name.clone(), format!("{value:e}").into())).collect();
        let [ran, waited] = processor();
        let used = json!({"peak_kib": peak_kib(), "ran_s": ran, "waited_s": waited});
        json!({"steps": self.1, "values": exact, "bounds": bounds, "used": used}).to_string()
    }
}

/// The most memory that the process had so far.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Seconds that the first thread had a processor, and that it waited for one (schedstat of proc(5)).
fn processor() -> [Option<f64>; 2] {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let mut fields = text.split_whitespace().map(|field| field.parse::<f64>().ok().map(|nanos| nanos / 1e9));
    [fields.next().flatten(), fields.next().flatten()]
}

fn file(path: impl AsRef<Path>) -> Result<File, Error> {
    let name = path.as_ref().display().to_string();
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| Error::new(format!("{name}: {error}"), "look at its name"))?;
    Ok(File { name, text })
}

fn solve(path: &str, property: Option<&str>) -> Result<String, Error> {
    let mut steps = Steps::begin();
    let format = Format::of_ending(Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or(""))?;
    let (mut beside, mut given) = (Vec::new(), Vec::new());
    match (format, property) {
        (_, Some(text)) => beside.push(("props", File { name: "property".into(), text: text.to_owned() })),
        (Format::Explicit, None) => beside.push(("lab", file(Path::new(path).with_extension("lab"))?)),
        _ => given.push(("time".to_owned(), "1".to_owned())),
    }
    let model = format.read(&file(path)?, &beside, &given)?;
    // Of a chain with a label `down` more is asked; of the others one thing.
    let asked = model.measures().iter().position(|measure| measure.name() == "unavailability").unwrap_or(0);
    steps.end("build");
    let found = model.plan(&[asked]).solve()?;
    steps.end("solve");
    let name = Path::new(path).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let each = |number: fn(&Certain) -> f64| found.iter().map(|found| (name.clone(), number(found))).collect();
    Ok(steps.report(&each(|found| found.value), &each(|found| found.relative_error)))
}

fn hierarchy(path: &str) -> Result<String, Error> {
    let mut text = file(path)?.text;
    let mut names: Vec<String> = Model::read(path, &text, &[])?.chains().map(str::to_owned).collect();
    names.push("system".to_owned());
    for name in &names {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "measure \"of {name}\" = unavailability of {name}");
    }
    let mut steps = Steps::begin();
    let model = Model::read(path, &text, &[])?;
    let indices: Vec<usize> = (model.measures().len() - names.len()..model.measures().len()).collect();
    steps.end("read");
    let found = model.plan(&indices).solve()?;
    steps.end("values with bounds");
    let own: Vec<f64> = model.parameters().iter().map(Parameter::value).collect();
    model.plan(&indices).values_at(&own)?;
    steps.end("values alone");
    let plan = model.plan(&indices[names.len() - 1..]);
    let gradient = plan.gradient(0)?;
    steps.end("58 derivatives");
    let hessian = plan.hessian(0)?;
    steps.end("Hessian");
    let uncertain = Model::read(path, &uncertain(&text), &[])?;
    let downtime = uncertain.measures().iter().position(|measure| measure.name() == "downtime");
    steps.end("read with distributions");
    let drawn = samples(&uncertain, downtime.unwrap_or(0))?;
    steps.end("100,000 samples");
    let mut values: BTreeMap<String, f64> = names.iter().cloned().zip(found.iter().map(|found| found.value)).collect();
    values.insert("samples/mean downtime".to_owned(), drawn.iter().sum::<f64>() / drawn.len() as f64);
    values.extend(derivatives(&model, &gradient, &hessian));
    Ok(steps.report(&values, &names.into_iter().zip(found.iter().map(|found| found.relative_error)).collect()))
}

/// First and second derivatives by the names of their parameters.
fn derivatives(model: &Model, gradient: &[f64], hessian: &[Vec<f64>]) -> BTreeMap<String, f64> {
    let names: Vec<&str> = model.parameters().iter().map(Parameter::name).collect();
    let mut found = BTreeMap::new();
    for ((name, slope), row) in names.iter().zip(gradient).zip(hessian) {
        found.insert(format!("derivative/{name}"), *slope);
        found.extend(names.iter().zip(row).map(|(other, by)| (format!("second derivative/{name}/{other}"), *by)));
    }
    found
}

/// The text with the reference case's distributions: its failure rates were each estimated from ten failures.
fn uncertain(text: &str) -> String {
    let rates = ["parameter lambda", "parameter gamma", "parameter pxy_gamma"];
    let line = |line: &str| {
        let (line, _) = line.split_once('#').unwrap_or((line, ""));
        let is_rate = rates.iter().any(|rate| line.starts_with(rate));
        format!("{line}{}\n", if is_rate { " ~ gamma(shape = 10)" } else { "" })
    };
    text.lines().map(line).collect()
}

/// Samples of one measure, on all processors.
fn samples(model: &Model, measure: usize) -> Result<Vec<f64>, Error> {
    let plan = model.plan(&[measure]);
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let part = |number: u64| plan.sample(1, number * SAMPLES / threads..(number + 1) * SAMPLES / threads);
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|number| scope.spawn(move || part(number))).collect();
        let broken = || Err(Error::new("a thread of the samples broke", "say so to those who wrote it"));
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| broken())).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(parts.concat().concat())
}

fn written(path: &str, chain: &str) -> Result<String, Error> {
    prism::write(&Model::read(path, &file(path)?.text, &[])?.chain(chain)?)
}

/// A tree of about 53 events a group, of failure rates 1e-6 to 7e-6. Storm reads no blank in a name.
fn platform(groups: &str) -> Result<String, Error> {
    let groups = groups.parse().map_err(|_| Error::new(format!("'{groups}' is no number"), "say how many groups"))?;
    let tree = dependencies::platform(groups);
    let laws = (0..tree.events().len()).map(|event| Law::Exponential { rate: 1e-6 * (1 + event % 7) as f64 });
    let text = galileo::write(&QuantifiedTree { laws: laws.collect(), tree }, &[])?;
    let part = |(place, part): (usize, &str)| if place % 2 == 1 { part.replace(' ', "_") } else { part.to_owned() };
    Ok(text.split('"').enumerate().map(part).collect::<Vec<_>>().join("\""))
}
