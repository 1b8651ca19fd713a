//! A user who lacks a right: one error that names what is missing and what to do, and nothing is left behind.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use crate::support::Place;
use crate::{Test, isolated};

pub(crate) const TESTS: &[Test] = &[
    ("rights::a_privileged_port_is_explained (needs a network namespace)", privileged_port),
    ("rights::a_folder_of_somebody_else_is_explained (needs a mount namespace)", foreign_folder),
    ("rights::a_read_only_disk_is_explained (needs a mount namespace)", read_only),
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
