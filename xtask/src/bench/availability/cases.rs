//! What is asked, whom, and what is true.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::Options;
use super::child::{Limits, measure};
use super::reference::{chinese, figure, reference, relative_error, second_derivatives};
use super::stiff::Stiff;
use super::venv::peers;
use crate::process::root;

/// The digits of the decimal arithmetic that says what is true.
const DIGITS: &str = "60";
/// How long the truth may take: it is not measured.
const TRUTH_LIMIT: Duration = Duration::from_secs(300);
/// The time limit of everything but the cluster, and of the largest cluster, if `--limit` is not less.
const SMALL_LIMIT: u64 = 60;
const LARGEST_LIMIT: u64 = 90;
/// The workstation cluster of this size has 9.5 million states.
const LARGEST: usize = 512;
/// Units of the chains of the reference.
const UNITS: std::ops::RangeInclusive<usize> = 2..=5;
/// Modes of the larger chains, of four states each.
const MODES: [usize; 3] = [10, 100, 750];
/// Groups of the fault trees, of 53 events each.
const GROUPS: [usize; 4] = [1, 10, 100, 1_000];

/// The parts of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Group {
    /// Chains with rates twelve decades apart: how many digits are right.
    Stiff,
    /// The SIP cluster: twelve chains below three trees.
    Hierarchy,
    /// The workstation cluster: time and memory by size.
    Cluster,
    /// Fault trees by size.
    Trees,
}

/// One way to come to a number.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) name: &'static str,
    /// Program and arguments.
    pub(super) words: Vec<String>,
}

/// A model and a question.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) group: Group,
    pub(super) name: String,
    /// How large it is: states of a chain, events of a tree.
    pub(super) size: usize,
    /// What is true, by the name of the value.
    pub(super) truths: BTreeMap<String, f64>,
    pub(super) limits: Limits,
    pub(super) sides: Vec<Side>,
}

/// Where everything is.
pub(super) struct Places<'a> {
    /// The measured program of Everline.
    pub(super) measured: PathBuf,
    pub(super) python: PathBuf,
    /// For the models.
    pub(super) folder: PathBuf,
    pub(super) options: &'a Options,
}

impl Places<'_> {
    fn everline(&self, arguments: &[&str]) -> Side {
        let words =
            [self.measured.display().to_string()].into_iter().chain(arguments.iter().map(|word| (*word).into()));
        Side { name: "everline", words: words.collect() }
    }

    fn peer(&self, name: &'static str, program: &str, arguments: &[&str]) -> Side {
        let start = [self.python.display().to_string(), "-B".into(), peers().join(program).display().to_string()];
        Side { name, words: start.into_iter().chain(arguments.iter().map(|word| (*word).to_owned())).collect() }
    }

    fn limits(&self, most: u64) -> Limits {
        Limits { time: Duration::from_secs(self.options.limit.min(most)), gib: self.options.memory }
    }

    fn write(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path.display().to_string())
    }

    /// What the measured program prints when it writes a model.
    fn made(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(&self.measured).args(arguments).output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// All cases, the small ones of each group first. The models are written here.
pub(super) fn all(places: &Places<'_>) -> Result<Vec<Case>> {
    let mut cases = stiff(places)?;
    cases.push(hierarchy(places)?);
    for stations in &places.options.stations {
        cases.push(cluster(places, *stations)?);
    }
    cases.extend(trees(places)?);
    Ok(cases)
}

fn stiff(places: &Places<'_>) -> Result<Vec<Case>> {
    let chains: Vec<Stiff> = UNITS.map(Stiff::units).chain(MODES.map(Stiff::modes)).collect();
    let mut truth = places.peer("truth", "truth.py", &[DIGITS]).words;
    for chain in &chains {
        truth.push(places.write(&format!("{}.tra", chain.name), &chain.transitions())?);
        places.write(&format!("{}.lab", chain.name), &chain.labels())?;
        places.write(&format!("{}.prism", chain.name), &chain.prism())?;
    }
    eprintln!("  the truth, in {DIGITS} digits");
    let limits = Limits { time: TRUTH_LIMIT, ..places.limits(SMALL_LIMIT) };
    let truth = measure(&truth, limits, &places.folder)?.map_err(anyhow::Error::msg).context("there is no truth")?;
    let truth = |name: &str| truth.values.get(name).with_context(|| format!("there is no truth of {name}"));
    let file = reference("stiff-birth-death")?;
    for units in UNITS {
        let known = figure(&file["expected"][format!("n={units}, one repairer")]["U"])?;
        let own = truth(&format!("units-{units}"))?;
        ensure!(
            relative_error(own, known) < 1e-15,
            "the truth of {units} units is {own}, and the reference says {known:e}"
        );
    }
    chains.iter().map(|chain| stiff_case(places, chain, truth(&chain.name)?)).collect()
}

fn stiff_case(places: &Places<'_>, chain: &Stiff, truth: &str) -> Result<Case> {
    let path = |ending: &str| places.folder.join(format!("{}.{ending}", chain.name)).display().to_string();
    let (arcs, prism) = (path("tra"), path("prism"));
    let mut sides = vec![places.everline(&["solve", &arcs])];
    for (name, method) in [
        ("numpy, LU", "lu"),
        ("numpy, least squares", "least-squares"),
        ("numpy, power", "power"),
        ("numpy, GTH", "gth"),
    ] {
        sides.push(places.peer(name, "dense.py", &[method, &arcs]));
    }
    for (name, variant) in STORM {
        sides.push(places.peer(name, "storm.py", &[variant, "S=? [ \"down\" ]", &prism]));
    }
    let truths = BTreeMap::from([(chain.name.clone(), truth.parse().context("the truth is no number")?)]);
    Ok(Case {
        group: Group::Stiff,
        name: chain.name.clone(),
        size: chain.states(),
        truths,
        limits: places.limits(SMALL_LIMIT),
        sides,
    })
}

/// The ways to ask Storm.
const STORM: [(&str, &str); 5] = [
    ("storm, default", "default"),
    ("storm, plain", "plain"),
    ("storm, native", "native"),
    ("storm, elimination", "elimination"),
    ("storm, exact", "exact"),
];
/// Those that are left for large chains.
const STORM_LARGE: [(&str, &str); 3] = [STORM[0], STORM[1], STORM[2]];

fn hierarchy(places: &Places<'_>) -> Result<Case> {
    let model = root().join("crates/availability/tests/models/sip-websphere.avail").display().to_string();
    let (first, second) = (reference("sip-websphere")?, reference("sip-websphere-hessian")?);
    let expected = &first["expected"];
    let mut truths = BTreeMap::from([
        ("system".to_owned(), figure(&expected["system and gates"]["system"]["U"])?),
        ("samples/mean downtime".to_owned(), figure(&expected["uncertainty"]["Monte Carlo mean"])?),
    ]);
    let mut written = Vec::new();
    for (chain, figures) in expected["sub-models"].as_object().context("the reference has no chains")? {
        truths.insert(chain.clone(), figure(&figures["U"])?);
        written.push(places.write(&format!("{chain}.prism"), &places.made(&["chain", &model, chain])?)?);
    }
    for (name, slope) in expected["gradient"].as_object().context("the reference has no gradient")? {
        truths.insert(format!("derivative/{}", name.trim_start_matches("dU/d")), figure(slope)?);
    }
    truths.extend(second_derivatives(&second["expected"])?);
    let mut sides = vec![places.everline(&["hierarchy", &model])];
    for (name, variant) in STORM {
        let words = [variant, "S=? [ \"down\" ]"].into_iter().chain(written.iter().map(String::as_str));
        sides.push(places.peer(name, "storm.py", &words.collect::<Vec<_>>()));
    }
    Ok(Case {
        group: Group::Hierarchy,
        name: "sip".to_owned(),
        size: 12,
        truths,
        limits: places.limits(SMALL_LIMIT),
        sides,
    })
}

/// The text that both sides read; its source is named in the reference case workstation-cluster.
const CLUSTER: &str = include_str!("cluster.prism");
const PREMIUM_LOST: &str = "S=? [ !\"premium\" ]";

fn cluster(places: &Places<'_>, stations: usize) -> Result<Case> {
    let name = format!("cluster-{stations}");
    let path = places
        .write(&format!("{name}.prism"), &CLUSTER.replace("const int N;", &format!("const int N = {stations};")))?;
    let mut sides = vec![places.everline(&["solve", &path, PREMIUM_LOST])];
    for (side, variant) in STORM_LARGE {
        sides.push(places.peer(side, "storm.py", &[variant, PREMIUM_LOST, &path]));
    }
    let expected = &reference("workstation-cluster")?["expected"][format!("N={stations}")];
    let Ok(states) = figure(&expected["states"]) else { bail!("the reference has no cluster of {stations} stations") };
    let truths = figure(&expected["U = P(not premium)"]).map(|truth| (name.clone(), truth)).into_iter().collect();
    let limits = places.limits(if stations >= LARGEST { LARGEST_LIMIT } else { u64::MAX });
    Ok(Case { group: Group::Cluster, name, size: states as usize, truths, limits, sides })
}

fn trees(places: &Places<'_>) -> Result<Vec<Case>> {
    let file = reference("fault-tree-chinese")?;
    let (text, events) = chinese(&file["model"]["gates"])?;
    let truths = BTreeMap::from([("chinese".to_owned(), figure(&file["expected"]["P(top)"])?)]);
    let mut trees = vec![("chinese".to_owned(), events, text, truths)];
    for groups in GROUPS {
        let text = places.made(&["platform", &groups.to_string()])?;
        let events = text.matches(" lambda=").count();
        trees.push((format!("platform-{groups}"), events, text, BTreeMap::new()));
    }
    let case = |(name, size, text, truths): (String, usize, String, BTreeMap<String, f64>)| {
        let path = places.write(&format!("{name}.dft"), &text)?;
        let sides = vec![
            places.everline(&["solve", &path]),
            places.peer("storm, default", "storm.py", &["default", "tree", &path]),
        ];
        Ok(Case { group: Group::Trees, name, size, truths, limits: places.limits(SMALL_LIMIT), sides })
    };
    trees.into_iter().map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_has_one_number_to_fill_in() {
        assert_eq!(CLUSTER.matches("const int N;").count(), 1);
    }
}
