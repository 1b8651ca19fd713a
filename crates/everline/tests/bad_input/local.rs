//! Local callers that misbehave: on the sockets in `run/`, and readers that go away.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::Test;
use crate::phone::Phone;
use crate::support::{Place, Running};

pub(crate) const TESTS: &[Test] = &[
    ("local::garbage_on_every_socket_disturbs_nobody", garbage),
    ("local::a_reader_that_goes_away_stops_nothing", broken_pipes),
    ("local::doors_that_stand_open_are_closed", open_doors),
];

/// Callers of one socket that never say anything: more than any of them keeps.
const SILENT: usize = 300;

fn garbage() {
    let running = Running::new();
    let before = running.living();
    let run =
        fs::read_dir(running.place.path().join("run")).expect("a folder").map(|entry| entry.expect("a file").path());
    let is_socket = |path: &PathBuf| path.extension().is_some_and(|end| end == "sock" || end == "mail");
    let sockets: Vec<PathBuf> = run.filter(is_socket).collect();
    assert!(sockets.len() >= 8, "{sockets:?}");
    let mut silent = Vec::new();
    for path in &sockets {
        let connect = || UnixStream::connect(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for bytes in [&b"GET / HTTP/9\r\n\r\n"[..], &[0xff; 70_000], &[3, 0, 0, 0, 1], b"\0\0\0\0\0\0\0\0", b""] {
            let mut caller = connect();
            // It may be hung up on before everything is said.
            let _ = caller.write_all(bytes);
            let _ = caller.shutdown(std::net::Shutdown::Write);
            let _ = caller.read_to_end(&mut Vec::new());
        }
        silent.extend((0..SILENT).map(|_| connect()));
    }
    let mut phone = Phone::new(running.address("udp"));
    assert!(phone.is_served());
    for line in ["status", "calls", "agents", "agent anna not-ready"] {
        let ended = running.place.run(line);
        assert_eq!(ended.code, Some(0), "{line}: {}", ended.err);
    }
    assert_eq!(running.living(), before, "no process was replaced");
    // The pair finds together again, whoever holds its doors.
    let level = |status: &serde_json::Value| {
        let applications = status["applications"].as_array()?;
        let pair: Vec<_> = applications.iter().filter(|one| one["pair"] == "sip").collect();
        let is_level = pair.iter().all(|one| one["ready"] == true && one["level"] == true);
        is_level.then(|| pair.iter().find(|one| one["role"] == "primary").map(|one| one["pid"].as_i64()))?
    };
    let victim = running.ask("status --json", level);
    let names: Vec<String> =
        before.iter().filter(|(_, pid)| Some(i64::from(**pid)) == victim).map(|(name, _)| name.clone()).collect();
    running.signal(&names[0], Signal::SIGKILL);
    running.ask("status --json", |status| (level(status)? != victim).then_some(()));
    assert!(phone.is_served());
    drop(silent);
}

fn broken_pipes() {
    let mut running = Running::new();
    for line in ["status", "status --json", "calls", "agents", "config check", "man"] {
        let mut command = running.place.program();
        let mut child =
            command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("ended");
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!((output.status.code(), told.as_str()), (Some(0), ""), "{line}");
    }
    // Whoever watched `up` has gone; what it says next goes nowhere.
    running.signal("lca", Signal::SIGKILL);
    running.until("starting it again");
    let lives = |status: &serde_json::Value| {
        let mut applications = status["applications"].as_array()?.iter();
        applications.all(|one| one["state"] == "started").then_some(())
    };
    running.ask("status --json", lives);
    running.hang_up();
    running.signal("lca", Signal::SIGKILL);
    running.ask("status --json", lives);
    assert!(Phone::new(running.address("udp")).is_served());
    assert_eq!(running.place.run("stop").code, Some(0));
    assert_eq!(running.wait().code(), Some(0));
    running.up_again();
}

fn open_doors() {
    let place = Place::new();
    place.configure("");
    let mode = |name: &str| fs::metadata(place.path().join(name)).expect("there").permissions().mode() & 0o777;
    let open =
        |name: &str, mode| fs::set_permissions(place.path().join(name), Permissions::from_mode(mode)).expect("ours");
    fs::create_dir(place.path().join("data")).expect("made");
    fs::write(place.path().join("data/nonce.key"), [7; 32]).expect("written");
    for (name, mode) in [("run", 0o777), ("data", 0o755), ("data/nonce.key", 0o644), ("everline.toml", 0o644)] {
        open(name, mode);
    }
    let mut command = place.program();
    let checked = command.args(["config", "check"]).output().expect("started");
    let told = String::from_utf8(checked.stderr).expect("text");
    assert!(told.contains("chmod 600"), "{told}");
    assert_eq!(checked.status.code(), Some(0), "a warning, no error: {told}");
    let modes = ["run", "data", "data/nonce.key"].map(|name| (name, mode(name)));
    assert_eq!(modes[0], ("run", 0o777), "a check changes nothing");
    let running = Running::up(place);
    let mode = |name: &str| fs::metadata(running.place.path().join(name)).expect("there").permissions().mode() & 0o777;
    assert_eq!(["run", "data", "data/nonce.key", "run/settings.bin"].map(mode), [0o700, 0o700, 0o600, 0o600]);
    let sockets = ["control", "lca", "coordinator", "sip-a", "routing-b"].map(|name| mode(&format!("run/{name}.sock")));
    assert_eq!(sockets, [0o600; 5]);
}
