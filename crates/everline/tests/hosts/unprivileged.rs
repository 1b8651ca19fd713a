//! A rehearsal of somebody who is not root, in a user namespace.

use std::fs;
use std::os::unix::fs::chown;
use std::process::{Command, Stdio};

use network::rehearsal::{Network, Place as At};
use nix::sys::signal::Signal;
use rustix::process::geteuid;
use serde_json::Value;

use crate::support::{Place, Running};
use crate::{Test, missing_program, signal_processes, text};

pub(crate) const TEST: Test = ("whoever is not root can rehearse the loss of a host", a_host_fails);

/// Nobody in particular.
const NOBODY: u32 = 65_534;

/// What runs a program without the rights of root.
fn without_rights() -> Vec<String> {
    let words = format!("setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --");
    if geteuid().is_root() { words.split(' ').map(String::from).collect() } else { Vec::new() }
}

/// What this test lacks on this machine.
pub(crate) fn missing() -> Option<String> {
    let mut words = without_rights();
    words.extend("unshare --user --map-root-user --mount --net mount -t tmpfs none /run".split(' ').map(String::from));
    let tried = Command::new(&words[0]).args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let refused =
        || "whoever is not root gets no user namespace here (`setpriv` and `unshare` from util-linux)".to_owned();
    missing_program().or_else(|| (!tried.is_ok_and(|status| status.success())).then(refused))
}

/// Whatever is left of it ends with the test.
struct Rehearsed(Running);

impl Drop for Rehearsed {
    fn drop(&mut self) {
        let _ = self.0.up.kill();
        while signal_processes(self.0.place.path(), Signal::SIGKILL) > 0 {}
    }
}

impl Rehearsed {
    fn new() -> Self {
        let mut place = Place::new();
        place.configure("");
        let program = place.path().join("everline");
        // Where this one lies, not everybody may look.
        fs::copy(env!("CARGO_BIN_EXE_everline"), &program).expect("copied");
        place.by = without_rights();
        if geteuid().is_root() {
            for path in ["", "run", "everline.toml", "everline"].map(|name| place.path().join(name)) {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("given away");
            }
        }
        let mut up = place.clone();
        up.by.extend(["sh", "-c", "exec \"$0\" \"$@\" --hosts 3"].map(String::from));
        [&mut up, &mut place].into_iter().for_each(|one| one.by.push(program.to_str().expect("a path").to_owned()));
        let start = up.program();
        Self(Running::by(place, start))
    }

    fn play(&self, line: &str) {
        let done = self.0.place.run(line);
        assert_eq!(done.code, Some(0), "{line}: {}", done.err);
    }

    /// What it has said about phones can be typed as it stands.
    fn starts_a_phone(&self) {
        let line = self.0.welcome.lines().find_map(|line| line.trim().strip_prefix('`')?.strip_suffix(" baresip`"));
        let line = line.unwrap_or_else(|| panic!("it does not say how to start a phone:\n{}", self.0.welcome));
        let mut words = without_rights();
        words.extend(line.split(' ').chain(["ip", "address"]).map(String::from));
        let shown = Command::new(&words[0]).args(&words[1..]).output().expect("started");
        let [shown, refused] = [shown.stdout, shown.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        let address = format!(" {}/", At::Phones.ipv4(Network::Access));
        assert!(shown.contains(&address), "{line}: {shown}{refused}");
    }

    /// Asks the third host for host and epoch of the primary, until its pair is level and this epoch is past.
    fn level_after(&self, epoch: u64, is_level: bool) -> (String, u64) {
        let folder = self.0.place.path().join("hosts/h3");
        self.0.ask(&format!("status --json --dir {}", folder.display()), |status| {
            let rows = status["applications"].as_array()?;
            let side = |role: &str| rows.iter().find(|row: &&Value| row["pair"] == "sip" && row["role"] == role);
            let primary = side("primary").filter(|row| row["epoch"].as_u64() > Some(epoch))?;
            (!is_level || primary["ready"] == true && side("backup")?["ready"] == true)
                .then(|| (text(primary, "host"), primary["epoch"].as_u64().unwrap_or_default()))
        })
    }
}

fn a_host_fails() {
    let mut rehearsed = Rehearsed::new();
    rehearsed.starts_a_phone();
    let (host, epoch) = rehearsed.level_after(0, true);
    rehearsed.play(&format!("host fail {host}"));
    let (survivor, now) = rehearsed.level_after(epoch, false);
    assert_ne!(survivor, host);
    assert!(rehearsed.0.place.run("link list").out.contains(&format!("{host}: without power")));
    rehearsed.play(&format!("host repair {host}"));
    assert_eq!(rehearsed.level_after(epoch, true), (survivor, now));
    rehearsed.0.signal_up(Signal::SIGTERM);
    let (status, remarks) = rehearsed.0.end();
    assert!(status.success(), "{remarks}");
    let left = signal_processes(&rehearsed.0.place.path().join("hosts"), Signal::SIGKILL);
    assert_eq!(left, 0, "all of it has ended");
}
