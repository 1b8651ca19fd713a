//! A user who lacks a right: one error that names what is missing and what to do, and nothing is left behind.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::{Place, Running};
use crate::{Test, isolated};

pub(crate) const TESTS: &[Test] = &[
    ("rights::a_privileged_port_is_explained (needs a network namespace)", privileged_port),
    ("rights::a_folder_of_somebody_else_is_explained (needs a mount namespace)", foreign_folder),
    ("rights::a_read_only_disk_is_explained (needs a mount namespace)", read_only),
    ("rights::a_stranger_is_not_told_that_nothing_runs (needs setpriv)", stranger),
    ("rights::a_configuration_that_may_not_be_read_is_explained (needs setpriv)", unreadable),
];

/// Runs `up` as somebody without any right, after a script by somebody who may everything there; gives what it said.
fn up_without_rights(place: &Place, before: &str) -> String {
    let script = format!("ip link set lo up && {before} && exec setpriv --bounding-set -all --inh-caps -all \"$@\"");
    let mut command = isolated(&["--mount", "--propagation", "private", "--net"]);
    command.args(["sh", "-c", &script, "sh"]);
    if rustix::process::geteuid().is_root() {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.args([env!("CARGO_BIN_EXE_everline"), "up"]);
    let output = command.env("EVERLINE_DIR", place.path()).current_dir(place.path()).output().expect("started");
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(String::from_utf8(output.stdout).expect("text"), "", "it is not ready");
    assert_eq!(told.matches("error: ").count(), 1, "one error: {told}");
    assert!(told.contains("help"), "it says what to do: {told}");
    told
}

/// A folder that anybody may use.
fn open_place() -> Place {
    let place = Place::new();
    for folder in [place.path().to_owned(), place.path().join("run")] {
        fs::set_permissions(folder, Permissions::from_mode(0o777)).expect("ours");
    }
    if rustix::process::geteuid().is_root() {
        fs::remove_dir(place.path().join("run")).expect("removed");
    }
    place
}

fn privileged_port() {
    let place = open_place();
    fs::write(place.path().join("everline.toml"), "[sip]\nlisten = [\"udp:127.0.0.1:80\"]\n").expect("written");
    let told = up_without_rights(&place, "true");
    assert!(told.contains("may not listen at udp:127.0.0.1:80: ports below 1024 are privileged"), "{told}");
    assert!(told.contains("setcap cap_net_bind_service"), "{told}");
}

fn foreign_folder() {
    let place = Place::new();
    let folder = place.path().display();
    // Neither a user without rights nor one who is root of nothing may write there.
    let told = up_without_rights(
        &place,
        &format!("chmod 755 '{folder}' && mount -t tmpfs -o mode=755,ro none '{folder}/run'"),
    );
    assert!(told.contains("cannot make the folder") && told.contains("let this user write there"), "{told}");
}

fn read_only() {
    let place = open_place();
    place.configure("");
    fs::set_permissions(place.path().join("everline.toml"), Permissions::from_mode(0o644)).expect("ours");
    let folder = place.path().display();
    let told = up_without_rights(
        &place,
        &format!("mount --bind '{folder}' '{folder}' && mount -o remount,ro,bind '{folder}'"),
    );
    assert!(told.contains("Read-only file system") && told.contains("let this user write there"), "{told}");
}

/// Runs a command as somebody who may not look into the folder `closed`; gives its exit code and what it said.
fn by_a_stranger(place: &Place, closed: &str, line: &str) -> (Option<i32>, String) {
    let (program, words) = (env!("CARGO_BIN_EXE_everline"), line.split(' '));
    let closed = place.path().join(closed);
    let mode = |mode| fs::set_permissions(&closed, Permissions::from_mode(mode)).expect("ours");
    let before = fs::metadata(&closed).expect("there").permissions().mode();
    let is_root = rustix::process::geteuid().is_root();
    let mut command = Command::new(if is_root { "setpriv" } else { program });
    if is_root {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", program]);
    } else {
        mode(0);
    }
    let output = command.args(words).args(["--dir".as_ref(), place.path().as_os_str()]).output().expect("started");
    mode(before);
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

fn stranger() {
    let running = Running::new();
    for line in ["status", "stop", "calls --json", "agent anna ready", "switchover sip"] {
        let (code, told) = by_a_stranger(&running.place, "run", line);
        assert_eq!(code, Some(1), "{line}: {told}");
        let run = running.place.path().join("run");
        assert!(told.starts_with(&format!("error: permission denied at {}\n", run.display())), "{line}: {told}");
        assert!(told.contains("as the user who started it"), "{told}");
    }
    assert_eq!(running.place.run("status").code, Some(0), "it still runs");
}

fn unreadable() {
    let place = open_place();
    place.configure("");
    fs::set_permissions(place.path().join("everline.toml"), Permissions::from_mode(0o600)).expect("ours");
    let (code, told) = by_a_stranger(&place, "everline.toml", "config check");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("Permission denied") && told.contains("let this user read it"), "{told}");
    assert!(!told.contains("example"), "there is a configuration: {told}");
}
