//! The programs that make and change a rehearsal, and what is said if they cannot.

use std::io::{self, Write as _};
use std::process::{Command, Output, Stdio};

use model::Trouble;

/// Debian's package of each program.
const PACKAGES: [(&str, &str); 4] =
    [("ip", "iproute2"), ("nft", "nftables"), ("nsenter", "util-linux"), ("unshare", "util-linux")];

/// Where a program is entered from: the path of a namespace's name.
pub(super) fn path_of(namespace: &str) -> String {
    format!("{NAMES}/{namespace}")
}

/// Where `ip netns` keeps the names of namespaces.
pub(super) const NAMES: &str = "/run/netns";

/// A command that runs in a namespace. `nsenter` becomes the program, so its process is the program's, and unlike `ip netns
/// exec` it leaves the mounts alone, which only a real root may change.
pub(super) fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={}", path_of(namespace))).arg("--").arg(program);
    command
}

/// Runs `ip` with lines of commands, in a namespace if one is named; stops at the first that fails.
pub(super) fn ip(namespace: Option<&str>, lines: &str) -> Result<(), Trouble> {
    let mut command = Command::new("ip");
    if let Some(namespace) = namespace {
        command.args(["-n", namespace]);
    }
    run("ip", command.args(["-batch", "-"]), lines)
}

/// Gives rules to `nft` in a namespace.
pub(super) fn nft(namespace: &str, rules: &str) -> Result<(), Trouble> {
    // `nsenter` would say by its exit code alone that the program is missing.
    find("nft")?;
    run("nft", inside(namespace, "nft").args(["-f", "-"]), rules)
}

/// Whether every program is there; names the package of the first that is not.
pub(super) fn check() -> Result<(), Trouble> {
    ["ip", "nft", "nsenter"].into_iter().try_for_each(find)
}

fn find(program: &str) -> Result<(), Trouble> {
    let mut command = Command::new(program);
    let tried = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match tried {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(program)),
        _ => Ok(()),
    }
}

fn missing(program: &str) -> Trouble {
    let package = PACKAGES.iter().find(|(name, _)| *name == program).map_or(program, |(_, package)| package);
    let what = format!("a rehearsal needs the program `{program}`, which is not installed");
    Trouble::new(what, format!("install it as root: apt-get install {package}"))
}

fn run(program: &str, command: &mut Command, input: &str) -> Result<(), Trouble> {
    let output = talk(command, input).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(program),
        _ => Trouble::new(format!("cannot run `{program}`: {error}"), "look at the system's log"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().take(3).collect::<Vec<_>>().join("; ");
    let remedy = if said.contains("not permitted") || said.contains("Permission denied") {
        "run it as root, or in namespaces of its own (`network::rehearsal::private`)"
    } else if said.contains("not supported") || said.contains("No such file") {
        "use a kernel with CONFIG_VETH, CONFIG_BRIDGE and CONFIG_NF_TABLES_BRIDGE"
    } else {
        "tear the rehearsal down and make it again"
    };
    Err(Trouble::new(format!("`{program}` refuses: {said}"), remedy))
}

fn talk(command: &mut Command, input: &str) -> io::Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early says why; that it did not read on is no news.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output()
}
