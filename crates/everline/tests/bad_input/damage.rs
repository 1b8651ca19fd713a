//! A data folder to which something has happened: it comes up with what can be known, or says what to do.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use model::Epoch;
use nix::sys::signal::Signal;
use node::journal::{Entry, Journal, Settings, Stamp};

use crate::Test;
use crate::phone::Phone;
use crate::support::{Place, Running};

pub(crate) const TESTS: &[Test] = &[
    ("damage::whatever_happens_to_every_file_it_comes_up_and_says_so", every_file),
    ("damage::a_lost_file_costs_nothing_that_another_one_holds", lost_files),
    ("damage::what_was_lost_is_told_by_up_and_in_the_status", told),
    ("damage::a_folder_in_the_place_of_a_file_is_named_with_what_to_do", folder_for_file),
    ("damage::half_an_entry_at_the_end_costs_nothing", half_written),
    ("damage::a_file_of_another_version_is_named_and_left_alone", other_version),
    ("damage::the_death_of_every_process_costs_no_registration_and_the_calls_are_counted", every_process),
    ("damage::a_clock_that_was_set_back_brings_no_old_nonce_back_to_life", clock_set_back),
];

/// The files in `data/`, in the order of their names.
fn files(place: &Place) -> Vec<PathBuf> {
    let entries = fs::read_dir(place.path().join("data")).expect("a folder");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

/// A folder in which a phone has registered, with Everline ended.
fn registered() -> Place {
    let running = Running::new();
    register(&running);
    end(running)
}

fn register(running: &Running) {
    let mut phone = Phone::new(running.address("udp"));
    assert_eq!(phone.prove("REGISTER", "sip:127.0.0.1", "long enough", "Expires: 3600\r\n").0, 200);
}

fn end(mut running: Running) -> Place {
    running.signal_up(Signal::SIGINT);
    let (status, remarks) = running.end();
    assert_eq!(status.code(), Some(0), "{remarks}");
    running.place.clone()
}

/// How many contacts the registered phone has.
fn contacts(running: &Running) -> usize {
    let mut phone = Phone::new(running.address("udp"));
    phone.has_contact = false;
    let (status, answer) = phone.prove("REGISTER", "sip:127.0.0.1", "long enough", "");
    assert_eq!(status, 200);
    answer.lines().filter(|line| line.starts_with("Contact:")).count()
}

/// Takes all contacts away.
fn unregister(running: &Running) {
    let mut phone = Phone::new(running.address("udp"));
    phone.has_contact = false;
    let star = "Contact: *\r\nExpires: 0\r\n";
    assert_eq!(phone.prove("REGISTER", "sip:127.0.0.1", "long enough", star).0, 200);
}

fn every_file() {
    let mut place = registered();
    let sound: Vec<(PathBuf, Vec<u8>)> =
        files(&place).into_iter().map(|path| (path.clone(), fs::read(path).expect("readable"))).collect();
    assert!(sound.len() >= 7, "{sound:?}");
    type Harm = (&'static str, fn(&[u8]) -> Vec<u8>);
    let harms: [Harm; 5] = [
        ("emptied", |_| Vec::new()),
        ("cut in half", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("flipped", |bytes| bytes.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at % 37 == 30)).collect()),
        ("zeroed", |bytes| vec![0; bytes.len()]),
        ("foreign", |_| b"Dear diary, this is not a journal at all.\n".repeat(40)),
    ];
    for (what, harm) in harms {
        sound.iter().for_each(|(path, bytes)| fs::write(path, harm(bytes)).expect("written"));
        let running = Running::up(place);
        let mut phone = Phone::new(running.address("udp"));
        assert!(phone.is_served(), "{what}");
        register(&running);
        let logs = running.logs();
        assert!(!logs.contains("panicked"), "{what}: {logs}");
        if what != "emptied" {
            assert!(logs.contains("damaged") || logs.contains("ends within an entry"), "{what}: {logs}");
        }
        place = end(running);
        // What was acknowledged after the damage is kept.
        let running = Running::up(place);
        assert!(contacts(&running) >= 1, "{what}");
        place = end(running);
    }
}

fn every_process() {
    let mut running = Running::new();
    register(&running);
    let mut caller = Phone::new(running.address("udp"));
    caller.wait_in("sip:9000@127.0.0.1", "long enough");
    // Each pair counts them now and then: before there was a call, and once since.
    let counts = |path: PathBuf| fs::read(path).expect("read").windows(5).filter(|key| key == b"calls").count();
    let is_of_sip = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sip-"));
    let counted = || files(&running.place).into_iter().filter(is_of_sip).map(counts).max().expect("a journal");
    let before = counted();
    running.ask("status --json", |_| (counted() > before).then_some(()));
    kill_all(&mut running);
    running.up_again();
    assert_eq!(contacts(&running), 1);
    assert!(lost(&running).is_some_and(|note| note.contains("up to 1 calls were lost")), "{:?}", lost(&running));

    let mut running = Running::up(end(running));
    kill_all(&mut running);
    running.up_again();
    assert_eq!(lost(&running), None, "who ends in order loses no call");
}

fn kill_all(running: &mut Running) {
    running.kill_up();
    for application in ["lca", "control", "sip-a", "sip-b", "routing-a", "routing-b"] {
        running.signal(application, Signal::SIGKILL);
    }
}

/// What the SIP Server that serves says it has lost.
fn lost(running: &Running) -> Option<String> {
    running.ask("status --json", |status| {
        let mut applications = status["applications"].as_array()?.iter();
        let primary = applications.find(|one| one["pair"] == "sip" && one["role"] == "primary")?;
        Some(primary["note"].as_str().map(str::to_owned))
    })
}

fn lost_files() {
    let mut place = registered();
    // The coordinator's comes last: by then there were many epochs that it must not fall behind.
    for path in files(&place).into_iter().rev() {
        fs::remove_file(&path).expect("removed");
        let running = Running::up(place);
        assert_eq!(contacts(&running), 1, "without {}", path.display());
        register(&running);
        let running = Running::up(end(running));
        assert_eq!(contacts(&running), 2, "what was acknowledged without {} is lost", path.display());
        unregister(&running);
        register(&running);
        place = end(running);
    }
}

fn told() {
    let mut place = registered();
    type Harm = (&'static str, &'static [&'static str], fn(&Place, &str) -> std::io::Result<()>);
    let harms: [Harm; 5] = [
        ("is damaged at byte 0", &["routing-a", "routing-b"], |place, name| {
            fs::write(place.path().join(format!("data/{name}.journal")), b"\x8b\x01\xc5".repeat(300))
        }),
        ("is a journal of sip, and nothing in it is used", &["routing-a", "routing-b"], |place, name| {
            let other = name.replace("routing", "sip");
            let data = place.path().join("data");
            fs::copy(data.join(format!("{other}.journal")), data.join(format!("{name}.journal"))).map(drop)
        }),
        ("was lost or emptied: sip-", &["sip-a", "sip-b"], |place, name| {
            fs::write(place.path().join(format!("data/{name}.journal")), b"")
        }),
        ("was lost or emptied: sip-", &["sip-a", "sip-b"], |place, name| {
            fs::remove_file(place.path().join(format!("data/{name}.journal")))
        }),
        ("is a journal of routing, and nothing in it is used", &["sip-a", "sip-b"], |place, name| {
            let (mine, other) = (name.to_owned(), name.replace("sip", "routing"));
            let [mine, other] = [mine, other].map(|name| place.path().join(format!("data/{name}.journal")));
            let aside = mine.with_extension("aside");
            fs::rename(&mine, &aside)?;
            fs::rename(&other, &mine)?;
            fs::rename(&aside, &other)
        }),
    ];
    for (what, names, harm) in harms {
        // Each side of the pair must have been in it, and both pairs have something to lose.
        let running = Running::up(place);
        register(&running);
        running.ask("status --json", |status| {
            let mut applications = status["applications"].as_array()?.iter();
            applications.all(|one| one["ready"] == true).then_some(())
        });
        place = end(running);
        names.iter().for_each(|name| harm(&place, name).expect("harmed"));
        let mut running = Running::up(place);
        let is_told = |status: &serde_json::Value| {
            let applications = status["applications"].as_array()?;
            let note = |name| applications.iter().find(|one| one["name"] == name)?["note"].as_str().map(str::to_owned);
            Some(names.iter().map(|name| note(*name).unwrap_or_default()).collect::<Vec<_>>())
        };
        let notes = running.ask("status --json", is_told);
        for (name, note) in names.iter().zip(&notes) {
            assert!(note.starts_with(&format!("DIR/data/{name}.journal ")) && note.contains(what), "{name}: {note:?}");
            assert!(note.contains("does not hold as well is lost"), "it says what was lost: {note}");
        }
        running.signal_up(Signal::SIGINT);
        let remarks = running.end().1.replace(running.place.path().to_str().expect("text"), "DIR");
        for note in notes {
            assert_eq!(remarks.matches(&note).count(), 1, "{note} is not told once in:\n{remarks}");
        }
        place = running.place.clone();
        // It is told once: what is there now is all there is.
        let running = Running::up(place);
        let is_quiet = |status: &serde_json::Value| {
            status["applications"].as_array()?.iter().all(|one| one["note"].is_null()).then_some(())
        };
        running.ask("status --json", is_quiet);
        place = end(running);
    }
}

fn folder_for_file() {
    let place = registered();
    let path = place.path().join("data/sip-b.journal");
    fs::remove_file(&path).and_then(|()| fs::create_dir(&path)).expect("harmed");
    let ended = place.run("up");
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("error: DIR/data/sip-b.journal is not a file"), "{}", ended.err);
    assert!(ended.err.contains("help: move it away"), "{}", ended.err);
}

fn half_written() {
    let place = registered();
    for path in files(&place).into_iter().filter(|path| path.extension().is_some_and(|end| end == "journal")) {
        let bytes = fs::read(&path).expect("readable");
        let (title, entries) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').expect("a title") + 1);
        assert!(title.starts_with(b"everline journal "), "{}", path.display());
        let half = &entries[..entries.len().min(17)];
        File::options().append(true).open(&path).and_then(|mut file| file.write_all(half)).expect("written");
    }
    let running = Running::up(place);
    assert_eq!(contacts(&running), 1);
    assert!(running.logs().contains("ends within an entry"), "{}", running.logs());
}

fn other_version() {
    let mut place = registered();
    let journals = files(&place).into_iter().filter(|path| path.extension().is_some_and(|end| end == "journal"));
    for path in journals {
        let sound = fs::read(&path).expect("readable");
        let other = [b"everline journal 9\n", &sound[b"everline journal 1\n".len()..]].concat();
        fs::write(&path, &other).expect("written");
        let ended = place.run("up");
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{}", ended.err);
        let name = path.file_name().and_then(|name| name.to_str()).expect("text");
        assert!(ended.err.contains(&format!("DIR/data/{name} was written by a newer version")), "{}", ended.err);
        assert!(ended.err.contains("start the newer version, or move the file away"), "{}", ended.err);
        assert_eq!(ended.err.matches("error: ").count(), 1, "{}", ended.err);
        assert_eq!(fs::read(&path).expect("readable"), other, "it is left alone");
        fs::write(&path, &sound).expect("written");
    }
    let running = Running::up(place);
    assert_eq!(contacts(&running), 1);
    place = end(running);
    drop(place);
}

fn clock_set_back() {
    let place = registered();
    // An earlier life that was an hour ahead of today's clock.
    let ahead = now_micros() + 3_600_000_000;
    note_pair_time(&place.path().join("data/sip-b.journal"), ahead);
    let running = Running::up(place);
    let mut phone = Phone::new(running.address("udp"));
    let register = phone.request("REGISTER", "sip:127.0.0.1", "1002", "");
    phone.send(register);
    let answer = phone.receive();
    let (_, nonce) = answer.split_once("nonce=\"").unwrap_or_else(|| panic!("no challenge: {answer}"));
    let made = u64::from_str_radix(&nonce[..16], 16).expect("the moment stands in front");
    // Those of the same 32 seconds are one, named by their beginning.
    let alike = 32_000_000;
    assert!(made >= ahead / alike * alike, "a nonce of the earlier life is still to come: {made} < {ahead}");
}

fn now_micros() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_micros()).expect("before the year 500000")
}

/// Notes a moment as a primary of a high epoch does.
fn note_pair_time(journal: &Path, micros: u64) {
    let mut journal = Journal::open(journal, Settings::default()).expect("opened").journal;
    let stamp = Stamp { epoch: Epoch(1_000), sequence: micros };
    journal.append([Entry { key: b"time", stamp, value: Some(&micros.to_le_bytes()) }]).expect("written");
}
