//! The direction of dependencies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::rules::{PURE_EXTERNAL, rule};
use super::{Package, Use};
use crate::process::{cargo, root};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<RawPackage>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<RawDependency>,
}

#[derive(Deserialize)]
struct RawDependency {
    name: String,
    kind: Option<String>,
}

/// The crates of the workspace of this manifest, as `cargo metadata` lists them.
pub(super) fn packages(manifest: &str) -> Result<Vec<Package>> {
    let mut metadata = cargo(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
    let output = metadata.arg(root().join(manifest)).output()?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata is not readable")?;
    Ok(metadata.packages.into_iter().map(package).collect())
}

fn package(raw: RawPackage) -> Package {
    let mut dependencies = BTreeMap::new();
    for dependency in raw.dependencies {
        let needed = if dependency.kind.as_deref() == Some("dev") { Use::TestsOnly } else { Use::Program };
        // A crate that stands under both headings is one that the program knows.
        let known = dependencies.entry(dependency.name).or_insert(needed);
        if needed == Use::Program {
            *known = needed;
        }
    }
    let folder = raw.manifest_path.parent().map(PathBuf::from).unwrap_or_default();
    Package { name: raw.name, folder, dependencies }
}

/// Every dependency that the rules do not allow.
pub(super) fn breaches(packages: &[Package]) -> Vec<String> {
    let ours = |name: &str| packages.iter().any(|package| package.name == name);
    let mut breaches = Vec::new();
    for package in packages {
        let Some(rule) = rule(&package.name) else {
            breaches.push(format!("{}: no rule for this crate in xtask/src/layers/rules.rs", package.name));
            continue;
        };
        for (dependency, needed) in &package.dependencies {
            let allowed = if ours(dependency) {
                rule.workspace.contains(&dependency.as_str())
            } else if let (Some(extra), Use::Program) = (rule.pure, needed) {
                PURE_EXTERNAL.contains(&dependency.as_str()) || extra.contains(&dependency.as_str())
            } else {
                true
            };
            if !allowed {
                breaches.push(format!("{}: must not depend on {dependency}", package.name));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, dependencies: &[(&str, Use)]) -> Package {
        let dependencies = dependencies.iter().map(|(name, needed)| ((*name).to_owned(), *needed)).collect();
        Package { name: name.to_owned(), folder: PathBuf::new(), dependencies }
    }

    #[test]
    fn an_engine_must_not_know_the_shells() {
        let node = package("node", &[("call", Use::Program)]);
        let call = package("call", &[("node", Use::TestsOnly), ("memchr", Use::Program)]);
        assert_eq!(breaches(&[node, call]), ["call: must not depend on node"]);
    }

    #[test]
    fn a_pure_crate_takes_what_is_listed_and_its_tests_what_they_like() {
        let routing = package("routing", &[("tokio", Use::Program), ("proptest", Use::TestsOnly)]);
        assert_eq!(breaches(&[routing]), ["routing: must not depend on tokio"]);
    }

    #[test]
    fn the_fuzz_targets_are_held_to_their_rule_although_they_are_a_workspace_of_their_own() {
        let fuzz = packages("fuzz/Cargo.toml").expect("readable");
        assert!(fuzz.iter().any(|package| package.name == "fuzz" && package.dependencies.contains_key("node")));
        let fuzz = package("fuzz", &[("everline", Use::Program), ("libfuzzer-sys", Use::Program)]);
        assert_eq!(breaches(&[fuzz, package("everline", &[])]), ["fuzz: must not depend on everline"]);
    }

    #[test]
    fn a_crate_without_a_rule_is_noticed() {
        assert_eq!(breaches(&[package("stranger", &[])]).len(), 1);
    }
}
