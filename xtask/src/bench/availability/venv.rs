//! The Python that the peers run in: an environment of its own below the target folder, with stormpy and numpy from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::process::{find_program, root, run, target};

/// What is installed: versions that were tried together.
const STORMPY: &str = "2.0.0";
const NUMPY: &str = "2.4.6";

/// The versions of the peers, as they say them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Versions {
    pub(super) python: String,
    pub(super) numpy: String,
    pub(super) stormpy: String,
    pub(super) storm: String,
}

/// The programs of the peers.
pub(super) fn peers() -> PathBuf {
    root().join("xtask/src/bench/availability/peers")
}

/// The Python of the environment, which is made if it is not there or lacks something, and the versions in it.
pub(super) fn make() -> Result<(PathBuf, Versions)> {
    let folder = target().join("bench/python");
    let python = folder.join("bin/python");
    if let Ok(versions) = versions(&python)
        && versions.stormpy == STORMPY
        && versions.numpy == NUMPY
    {
        return Ok((python, versions));
    }
    if find_program("python3").is_none() {
        bail!("python3 is not installed: run `cargo xtask setup --bench` first");
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
        .context("python3 cannot make an environment: install the package python3-venv, then run this again")?;
    let packages = [format!("stormpy=={STORMPY}"), format!("numpy=={NUMPY}")];
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"]).args(&packages))
        .with_context(|| {
            let wanted = packages.join(" and ");
            format!("pip cannot install {wanted}: is PyPI reachable, and has it wheels for this Python and machine?")
        })?;
    let versions = versions(&python)?;
    Ok((python, versions))
}

fn versions(python: &Path) -> Result<Versions> {
    let output = Command::new(python).arg("-B").arg(peers().join("versions.py")).output();
    let output = output.with_context(|| format!("cannot start {}", python.display()))?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the peers do not start: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
