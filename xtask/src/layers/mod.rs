//! The architecture as a check: who may depend on whom, and what the pure crates must not know.
//!
//! The rules are data, in [`rules`]; [`graph`] holds them against `cargo metadata`, [`source`] against the
//! parsed source text, so that comments, strings and test code count for nothing.

mod graph;
mod rules;
mod source;

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::process::root;

/// Checks every crate of the workspace, and on whom the fuzz targets depend; prints each breach on a line of its own and fails if there is one.
pub(crate) fn check() -> Result<()> {
    let mut packages = graph::packages("Cargo.toml")?;
    let workspace = packages.len();
    packages.extend(graph::packages("fuzz/Cargo.toml")?);
    let mut breaches = graph::breaches(&packages);
    for package in packages.iter().take(workspace) {
        breaches.extend(source::breaches(package)?);
    }
    for breach in &breaches {
        eprintln!("  {}", breach.replace(&format!("{}/", root().display()), ""));
    }
    if !breaches.is_empty() {
        bail!("{} breaches of the architecture; ARCHITECTURE.md says what each crate is for", breaches.len());
    }
    Ok(())
}

/// A crate of the workspace, as far as the rules look at it.
struct Package {
    name: String,
    /// The folder of its manifest.
    folder: std::path::PathBuf,
    /// What it depends on, and whether for its tests alone.
    dependencies: BTreeMap<String, Use>,
}

/// What a dependency is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Program,
    TestsOnly,
}
