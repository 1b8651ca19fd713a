//! What the tests need from Debian, and getting it.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::process::{find_program, run};

/// What is to be done with the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// The gate, its interop drill included.
    Tests,
    /// The benches too, which compare with Kamailio and with programs in Python.
    Bench,
}

/// A program, the Debian package that brings it, and what for.
struct Tool {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
    need: Need,
}

const TOOLS: [Tool; 11] = [
    Tool { program: "sipp", package: "sip-tester", purpose: "calls under load", need: Need::Tests },
    Tool { program: "baresip", package: "baresip-core", purpose: "phones with real audio", need: Need::Tests },
    Tool { program: "tcpdump", package: "tcpdump", purpose: "the packets and their times", need: Need::Tests },
    Tool { program: "ip", package: "iproute2", purpose: "a network of the tests' own", need: Need::Tests },
    Tool { program: "nft", package: "nftables", purpose: "links that are cut and slowed", need: Need::Tests },
    Tool { program: "etcd", package: "etcd-server", purpose: "a coordinator of several hosts", need: Need::Tests },
    Tool { program: "etcdctl", package: "etcd-client", purpose: "faults in that coordinator", need: Need::Tests },
    Tool { program: "faketime", package: "faketime", purpose: "clocks of hosts that are moved", need: Need::Tests },
    Tool { program: "systemd-analyze", package: "systemd", purpose: "the unit of a host", need: Need::Tests },
    Tool { program: "kamailio", package: "kamailio", purpose: "the peer of the bench", need: Need::Bench },
    Tool {
        program: "python3",
        package: "python3-venv",
        purpose: "the peers of the availability bench",
        need: Need::Bench,
    },
];

/// Fails if something is missing.
pub(crate) fn check(need: Need) -> Result<()> {
    let missing = missing(need);
    if !missing.is_empty() {
        bail!("run `cargo xtask setup{}` first", if need == Need::Bench { " --bench" } else { "" });
    }
    Ok(())
}

/// Installs what is missing, as root or by `sudo` where that asks nothing, else says how.
pub(crate) fn install(need: Need) -> Result<()> {
    let missing = missing(need);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let Some(prefix) = root_prefix() else {
        bail!("run this once, then again what you ran: sudo apt-get install -y {}", packages.join(" "));
    };
    run(&mut apt(prefix, &["update", "--quiet"]))?;
    run(apt(prefix, &["install", "--yes", "--quiet", "--no-install-recommends"]).args(&packages))
}

/// What this machine lacks; each is also named on standard error.
fn missing(need: Need) -> Vec<&'static Tool> {
    let needed = TOOLS.iter().filter(|tool| tool.need == Need::Tests || need == Need::Bench);
    let missing: Vec<&Tool> = needed.filter(|tool| find_program(tool.program).is_none()).collect();
    for tool in &missing {
        eprintln!("missing: {} (package {}), for {}", tool.program, tool.package, tool.purpose);
    }
    missing
}

/// What stands before a command to run it as root without a question; `None` if there is no such way.
fn root_prefix() -> Option<&'static [&'static str]> {
    if rustix::process::geteuid().is_root() {
        return Some(&[]);
    }
    let asks_nothing = Command::new("sudo")
        .args(["--non-interactive", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    asks_nothing.then_some(&["sudo", "--non-interactive"])
}

fn apt(prefix: &[&str], args: &[&str]) -> Command {
    let mut words = prefix.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).chain(args);
    let mut command = Command::new(words.next().unwrap_or(&"env"));
    command.args(words);
    command
}
