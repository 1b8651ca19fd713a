//! Rehearsals without root: a program in namespaces of its own, where it may do everything.

use std::ffi::OsStr;
use std::process::Command;

use super::programs::path_of;

/// A command that runs a program in mount and network namespaces of its own, in which it can make rehearsals; for whoever is
/// not root, in a user namespace as well, where the machine grants one. There `/run` is empty, and everything that was made
/// ends with the last process. For a program that starts itself again; `unshare` is in the package util-linux.
#[must_use]
pub fn private(program: &OsStr) -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "--net", "--propagation", "private"]);
    command.args(["sh", "-c", "mount -t tmpfs none /run && ip link set lo up && exec \"$@\"", "sh"]).arg(program);
    command
}

/// A command that runs a program where [`private`] has put the process `pid`; for the commands that play with the
/// rehearsal of somebody who is not root. The program begins in the working folder of that process.
#[must_use]
pub fn join(pid: u32, program: &OsStr) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--target", &pid.to_string()]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--preserve-credentials"]);
    }
    command.args(["--mount", "--net", "--wd", "--"]).arg(program);
    command
}

/// What a person types before a program that is to run in a namespace of the rehearsal of the process `pid`, which [`private`] has put
/// where its namespaces have their names. The person is not root; the program begins in the working folder of that process.
#[must_use]
pub fn typed(pid: u32, namespace: &str) -> String {
    let path = path_of(namespace);
    format!("nsenter --target {pid} --user --preserve-credentials --mount --wd nsenter --net={path}")
}
