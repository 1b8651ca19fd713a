//! The unit that systemd runs a host by.

use std::process::Command;

use libtest_mimic::Trial;

/// All of them need `systemd-analyze`.
pub(crate) fn tests() -> impl Iterator<Item = Trial> {
    let test = || {
        is_right();
        Ok(())
    };
    std::iter::once(Trial::test("systemd finds nothing wrong with the unit (needs systemd-analyze)", test))
}

fn is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_everline"));
    let printed =
        command.args(["host", "unit", "--user", "root", "--dir"]).arg(folder.path()).output().expect("started");
    assert!(printed.status.success());
    assert!(String::from_utf8_lossy(&printed.stderr).contains(" must belong to root: `chown -R root: "));
    let path = folder.path().join("everline.service");
    std::fs::write(&path, printed.stdout).expect("written");
    // Units that it refers to may be missing where systemd does not run; it names the files of its complaints.
    let told = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().expect("started");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("everline.service")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}
