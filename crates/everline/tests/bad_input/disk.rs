//! A full disk: calls go on, an alarm says so, and when there is room again everything is as before.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::phone::Phone;
use crate::support::{Place, Running, is_measured};
use crate::{Test, isolated};

pub(crate) const TESTS: &[Test] = &[
    ("disk::a_full_one_stops_no_call_and_is_told_until_there_is_room (needs a mount namespace)", full_while_running),
    ("disk::a_full_one_lets_nothing_start_and_says_why (needs a mount namespace)", full_at_the_start),
];

/// These need a disk that can be frozen.
pub(crate) const FROZEN: &[Test] =
    &[("disk::a_frozen_one_holds_no_phone_up (needs a loop device and its rights)", frozen)];

/// Whether a file can be mounted as a disk, and frozen.
pub(crate) fn can_freeze() -> bool {
    let place = Place::new();
    let script = format!("{MOUNT_IMAGE} && fsfreeze --freeze . && fsfreeze --unfreeze .");
    let image = tempfile::NamedTempFile::new().expect("a file");
    let mut command = isolated(&["--mount", "--propagation", "private"]);
    command.args(["sh", "-c", &script]).env("IMAGE", image.path()).env("EVERLINE_DIR", place.path());
    command.output().is_ok_and(|output| output.status.success())
}

/// Makes a disk of a file, and mounts it as the folder.
const MOUNT_IMAGE: &str = "truncate -s 32M \"$IMAGE\" && mkfs.ext4 -q \"$IMAGE\" && \
                           mount -o loop \"$IMAGE\" \"$EVERLINE_DIR\" && chmod 700 \"$EVERLINE_DIR\" && cd \"$EVERLINE_DIR\"";

/// A disk that takes nothing until this is dropped.
struct Frozen<'a>(&'a Path);

impl<'a> Frozen<'a> {
    fn new(folder: &'a Path) -> Self {
        assert!(Command::new("fsfreeze").arg("--freeze").arg(folder).status().expect("started").success());
        Self(folder)
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        let thawed = Command::new("fsfreeze").arg("--unfreeze").arg(self.0).status();
        assert!(thawed.is_ok_and(|status| status.success()), "{} stays frozen", self.0.display());
    }
}

fn frozen() {
    let place = Place::new();
    place.configure("");
    let image = tempfile::NamedTempFile::new().expect("a file");
    let script = format!(
        "exec 3< everline.toml && {MOUNT_IMAGE} && (umask 077 && cat <&3 > everline.toml) && exec 3<&- && exec \"$@\""
    );
    let mut command = isolated(&["--mount", "--propagation", "private"]);
    command.args(["sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_everline")]);
    command.env("IMAGE", image.path()).env("EVERLINE_DIR", place.path()).current_dir(place.path());
    let mut running = Running::by(place, command);
    running.look_inside();
    let address = running.address("udp");
    let mut phone = Phone::new(address);
    let before = running.living();
    let disk = running.place.path().to_owned();
    let held = Frozen::new(&disk);
    for expires in 600..620 {
        let expires = format!("Expires: {expires}\r\n");
        assert_eq!(phone.prove("REGISTER", "sip:127.0.0.1", "long enough", &expires).0, 200);
        assert_eq!(phone.prove("INVITE", "sip:7777@127.0.0.1", "long enough", "").0, 404, "calls are taken on");
    }
    for words in ["does not answer", "its thread recorder has waited"] {
        running.ask("status --json", |status| {
            let mut applications = status["applications"].as_array()?.iter();
            applications.find(|one| one["note"].as_str().is_some_and(|note| note.contains(words))).map(drop)
        });
    }
    assert!(phone.is_served());
    drop(held);
    running.ask("status --json", |status| {
        let mut applications = status["applications"].as_array()?.iter();
        applications.all(|one| one["note"].is_null() && one["ready"] == true).then_some(())
    });
    assert_eq!(running.living(), before, "nobody was killed");
    running.signal_up(Signal::SIGINT);
    assert_eq!(running.end().0.code(), Some(0));
}

/// Runs this program with a small disk of its own as its folder; where `then` fills it, it is full from the start.
fn on_a_small_disk(place: &Place, then: &str) -> Command {
    let script = format!(
        "exec 3< everline.toml && mount -t tmpfs -o size=8m,mode=700 none \"$EVERLINE_DIR\" && cd \"$EVERLINE_DIR\" && \
         (umask 077 && cat <&3 > everline.toml) && exec 3<&- && {then} && exec \"$@\""
    );
    let mut command = isolated(&["--mount", "--propagation", "private"]);
    command.args(["sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_everline")]);
    command.env("EVERLINE_DIR", place.path()).current_dir(place.path());
    command
}

/// Fills the disk to its last byte.
fn fill(data: &Path) {
    let mut filler = File::create(data.join("filler")).expect("made");
    for size in [64 << 10, 4 << 10, 1] {
        while filler.write_all(&vec![0; size]).is_ok() {}
    }
}

fn full_while_running() {
    let place = Place::new();
    place.configure("");
    let command = on_a_small_disk(&place, "true");
    let mut running = Running::by(place, command);
    running.look_inside();
    let data = running.place.path().join("data");
    let address = running.address("udp");
    let mut phone = Phone::new(address);
    let expires = "Expires: 3600\r\n";
    assert_eq!(phone.prove("REGISTER", "sip:127.0.0.1", "long enough", expires).0, 200);

    let queued = "sip:9000@127.0.0.1";
    let mut caller = Phone::new(address);
    let call = caller.wait_in(queued, "long enough");
    fill(&data);
    // More than the room that each journal keeps for itself: ten contacts are the most that one extension has.
    let fat = "x".repeat(700);
    let mut alarmed = false;
    for _ in 0..1_000 {
        let more = format!("{expires}Contact: <sip:1002@127.0.0.1;x={fat}>;expires=3600\r\n");
        assert_eq!(
            phone.prove("REGISTER", "sip:127.0.0.1", "long enough", &more).0,
            200,
            "the disk is no phone's worry"
        );
        if running.place.run("status").out.contains("make room on that disk") {
            alarmed = true;
            break;
        }
    }
    assert!(alarmed, "no alarm: {}", running.place.run("status").out);
    let noticed = running.ask("status --json", |status| noticed_of(status).first().copied().cloned());
    assert!(is_measured(&noticed, 0.0) && noticed["on"] == true, "{noticed}");
    assert_eq!(noticed["about"], noticed["application"], "who writes there has noticed it: {noticed}");
    assert_eq!(phone.prove("INVITE", "sip:7777@127.0.0.1", "long enough", "").0, 404, "calls are taken on");
    // A takeover needs the coordinator, whose journal has kept room for itself.
    let epoch = |running: &Running| running.ask("status --json", |status| primary(status)?["epoch"].as_u64());
    let before = epoch(&running);
    let victim = running.ask("status --json", |status| Some(primary(status)?["name"].as_str()?.to_owned()));
    running.signal(&victim, Signal::SIGKILL);
    assert!(phone.is_served());
    running.ask("status --json", |status| (primary(status)?["epoch"].as_u64()? > before).then_some(()));

    fs::remove_file(data.join("filler")).expect("removed");
    let is_quiet = |status: &serde_json::Value| {
        let mut applications = status["applications"].as_array()?.iter();
        applications.all(|one| one["note"].is_null() && one["ready"] == true).then_some(())
    };
    running.ask("status --json", is_quiet);
    running.ask("status --json", |status| noticed_of(status).iter().all(|one| one["on"] == false).then_some(()));
    assert!(running.logs().contains("cannot write"), "the log tells as well: {}", running.logs());
    caller.give_up(&call);
    running.signal_up(Signal::SIGINT);
    assert_eq!(running.end().0.code(), Some(0));
}

/// What was noticed of a disk.
fn noticed_of(status: &serde_json::Value) -> Vec<&serde_json::Value> {
    let all = status["detections"].as_array().into_iter().flatten();
    all.filter(|one| one["name"] == "disk").collect()
}

fn primary(status: &serde_json::Value) -> Option<&serde_json::Value> {
    let mut applications = status["applications"].as_array()?.iter();
    applications.find(|one| one["pair"] == "sip" && one["role"] == "primary")
}

fn full_at_the_start() {
    let place = Place::new();
    place.configure("");
    // It is full when it did not take everything.
    let fill = "! head -c 8M /dev/zero 2> /dev/null > filler";
    let output = on_a_small_disk(&place, fill).arg("up").output().expect("started");
    let told = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.matches("error: ").count(), 1, "{told}");
    assert!(told.contains("No space left on device") && told.contains("make room on that disk"), "{told}");
}
