//! What a host of a rehearsal has for itself although namespaces share it: its disk, its time of day.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use network::rehearsal::{Id, Place, Rehearsal};

use crate::Test;
use crate::net::{H1, H2, Net};

pub(crate) const TESTS: &[Test] = &[
    ("own::a_disk_gets_full_and_nobody_elses_does", full),
    ("own::what_lay_on_a_disk_lies_in_its_folder_afterwards", kept),
    ("own::who_has_no_disk_and_no_clock_of_his_own_is_told_how_to_get_them", refused),
];

/// These need libfaketime.
pub(crate) const CLOCKS: &[Test] = &[("own::a_clock_is_moved_and_nobody_elses_is (needs faketime)", moved)];

/// Whether hosts can have clocks of their own.
pub(crate) fn have_clocks() -> bool {
    Command::new("faketime").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// An empty folder; where it lies nobody sees it from outside.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new("/run/everline-tests").join(name);
    fs::create_dir_all(&folder).expect("made");
    folder
}

fn full() {
    let net = Net::new("full", 2);
    let folders = [1, 2].map(|host| folder(&format!("full/h{host}")));
    fs::write(folders[0].join("before"), "x").expect("written");
    for (host, folder) in (1..).zip(&folders) {
        net.give_disk(host, folder).expect("a disk");
    }
    assert_eq!(fs::read(folders[0].join("before")).expect("it is there"), b"x");
    Rehearsal::find(&net.id).expect("found").fill_disk(1).expect("filled");
    let refused = fs::write(folders[0].join("after"), "x").expect_err("no room");
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    fs::write(folders[1].join("after"), "x").expect("room");
    net.free_disk(1).expect("freed");
    fs::write(folders[0].join("after"), "x").expect("room");
}

fn kept() {
    let folder = folder("kept/h1");
    fs::create_dir(folder.join("inner")).expect("made");
    fs::write(folder.join("inner/gone"), "x").expect("written");
    let id: Id = "kept".parse().expect("a name");
    let net = Rehearsal::make(&id, 1).expect("made");
    net.give_disk(1, &folder).expect("a disk");
    net.fill_disk(1).expect("filled");
    fs::rename(folder.join("inner/gone"), folder.join("inner/there")).expect("what is there can be changed");
    // Its maker was killed: whoever makes it again finds what is left.
    let net = Rehearsal::make(&id, 1).expect("made again");
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).expect("listed").flatten();
        entries.map(|entry| entry.file_name().into_string().expect("text")).collect()
    };
    assert_eq!(names(&folder.join("inner")), ["there"]);
    assert_eq!(names(folder.parent().expect("one")), ["h1"]);
    assert!(net.fill_disk(1).expect_err("it was put away").what.contains("no disk of its own"));
    Rehearsal::tear_down(&id).expect("torn down");
}

fn refused() {
    let net = Net::new("poor", 2);
    for (done, option) in
        [(net.fill_disk(2), "--disks"), (net.free_disk(2), "--disks"), (net.set_clock(2, 1), "--clocks")]
    {
        let trouble = done.expect_err("there is none");
        assert!(trouble.what.contains("h2 has no") && trouble.remedy.contains(option), "{trouble}");
    }
    assert!(net.fill_disk(3).expect_err("no host").what.contains("there is no h3"));
}

fn moved() {
    let id: Id = "moved".parse().expect("a name");
    let mut net = Rehearsal::make(&id, 2).expect("made");
    net.give_clocks().expect("clocks");
    let time = |net: &Rehearsal, place: Place| -> i64 {
        let said = net.command(place, "date").arg("+%s").output().expect("started").stdout;
        String::from_utf8(said).expect("text").trim().parse().expect("a number")
    };
    let before = time(&net, H1);
    net.set_clock(1, 86_400).expect("moved");
    let same = Rehearsal::find(&id).expect("found");
    assert!(time(&same, H1) - before >= 86_400);
    // A test takes no day.
    assert!((0..86_400).contains(&(time(&net, H2) - before)));
    assert!((0..86_400).contains(&(time(&net, Place::Phones) - before)));
    net.set_clock(1, -86_400).expect("moved");
    assert!(time(&net, H1) < before);
    Rehearsal::tear_down(&id).expect("torn down");
    let left = fs::read_dir("/run/everline-rehearsals").expect("listed").flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("moved.")));
}
