use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use model::Epoch;
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::read;
use super::*;

struct Place {
    folder: TempDir,
    written: u64,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), written: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.journal")
    }

    fn open(&self) -> Opened {
        Journal::open(&self.path(), Settings { sync_every: Duration::ZERO, reserve: 4096 }).unwrap()
    }

    fn append(&mut self, journal: &mut Journal, key: &str, value: Option<&[u8]>) {
        self.written += 1;
        let stamp = Stamp { epoch: Epoch(1), sequence: self.written };
        journal.append([Entry { key: key.as_bytes(), stamp, value }]).unwrap();
    }

    /// A journal with a value for each of the keys, closed again.
    fn with(keys: &[&str]) -> Self {
        let mut place = Self::new();
        let mut journal = place.open().journal;
        keys.iter().for_each(|key| place.append(&mut journal, key, Some(b"a value")));
        place
    }
}

fn keys(contents: &Contents) -> Vec<String> {
    contents.entries().map(|entry| String::from_utf8(entry.key.to_vec()).unwrap()).collect()
}

#[test]
fn what_was_appended_is_there_when_it_is_opened_again() {
    let mut place = Place::with(&["anna", "ben"]);
    let Opened { mut journal, contents, warnings, .. } = place.open();
    assert_eq!((keys(&contents), warnings), (vec!["anna".into(), "ben".into()], vec![]));
    place.append(&mut journal, "anna", None);
    let (contents, warnings) = read(&place.path()).unwrap();
    assert_eq!(warnings, [""; 0], "reading does not mind the writer");
    let values: Vec<_> = contents.entries().map(|entry| entry.value).collect();
    assert_eq!(values, [None, Some(&b"a value"[..])]);
}

#[test]
fn a_torn_end_is_cut_off_and_told() {
    let mut place = Place::with(&["anna", "ben"]);
    let file = File::options().write(true).open(place.path()).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - 3).unwrap();
    let Opened { mut journal, contents, warnings, .. } = place.open();
    assert_eq!(keys(&contents), ["anna"]);
    assert!(matches!(&warnings[..], [one] if one.contains("ends within an entry at byte")), "{warnings:?}");
    place.append(&mut journal, "carl", None);
    drop(journal);
    let Opened { contents, warnings, .. } = place.open();
    assert_eq!((keys(&contents), warnings), (vec!["anna".into(), "carl".into()], vec![]));
}

#[test]
fn damage_in_the_middle_costs_what_it_hit_and_the_file_is_kept_aside() {
    let mut place = Place::with(&["anna", "ben", "carl"]);
    let mut bytes = fs::read(place.path()).unwrap();
    let at = memchr::memmem::find(&bytes, b"ben").unwrap();
    bytes[at] = b'X';
    fs::write(place.path(), &bytes).unwrap();
    let Opened { mut journal, contents, warnings, .. } = place.open();
    assert_eq!(keys(&contents), ["anna", "carl"]);
    let aside = place.folder.path().join("test.journal.damaged-1");
    assert!(warnings[0].contains("is damaged at byte") && warnings[0].contains("2 entries were kept"), "{warnings:?}");
    assert!(warnings[1].contains(aside.to_str().unwrap()), "{warnings:?}");
    assert_eq!(fs::read(aside).unwrap(), bytes);
    place.append(&mut journal, "dora", None);
    drop(journal);
    let Opened { contents, warnings, .. } = place.open();
    assert_eq!((keys(&contents), warnings), (vec!["anna".into(), "carl".into(), "dora".into()], vec![]));
}

#[test]
fn a_file_of_zeros_is_an_empty_journal_with_a_warning() {
    let mut place = Place::new();
    fs::write(place.path(), [0; 100]).unwrap();
    let Opened { mut journal, contents, warnings, .. } = place.open();
    assert_eq!((contents, warnings.len()), (Contents::default(), 1));
    place.append(&mut journal, "anna", None);
    assert_eq!(keys(&read(&place.path()).unwrap().0), ["anna"]);
}

#[test]
fn the_file_of_another_owner_is_kept_aside_and_nothing_of_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(format!("{name}.journal"));
    let open = |name| Journal::open(&path(name), Settings::default()).unwrap();
    let held = |name| {
        let Opened { contents, warnings, .. } = open(name);
        (keys(&contents), warnings)
    };
    let entry = Entry { key: b"anna", stamp: Stamp::default(), value: Some(b"busy") };
    let first = open("sip-a");
    assert!(first.is_new);
    { first }.journal.append([entry]).unwrap();
    assert!(!open("sip-a").is_new);
    fs::copy(path("sip-a"), path("sip-b")).unwrap();
    assert_eq!(held("sip-b"), (vec!["anna".into()], vec![]), "of one pair");

    fs::rename(path("sip-a"), path("routing-a")).unwrap();
    let foreign = fs::read(path("routing-a")).unwrap();
    let (contents, warnings) = read(&path("routing-a")).unwrap();
    assert!(contents == Contents::default() && warnings[0].contains("is a journal of sip"), "{warnings:?}");
    let Opened { journal, contents, warnings, is_new } = open("routing-a");
    drop(journal);
    assert!(contents == Contents::default() && !is_new && warnings[0].contains("is a journal of sip"), "{warnings:?}");
    let aside = folder.path().join("routing-a.journal.foreign-1");
    assert!(warnings[1].contains(aside.to_str().unwrap()), "{warnings:?}");
    assert_eq!(fs::read(aside).unwrap(), foreign);
    assert_eq!(held("routing-a"), (vec![], vec![]));
}

#[test]
fn what_is_no_file_is_named_with_what_to_do() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    let trouble = Journal::open(&place.path(), Settings::default()).unwrap_err();
    assert_eq!(trouble.what, format!("{} is not a file", place.path().display()));
    assert!(trouble.remedy.starts_with("move it away"), "{trouble}");
}

#[test]
fn a_second_writer_is_refused() {
    let place = Place::new();
    let _first = place.open();
    let trouble = Journal::open(&place.path(), Settings::default()).unwrap_err();
    assert!(trouble.what.contains("is in use by another process"), "{trouble}");
}

#[test]
fn a_newer_format_is_left_alone() {
    let place = Place::new();
    fs::write(place.path(), b"everline journal 2\nwhatever").unwrap();
    assert!(Journal::open(&place.path(), Settings::default()).unwrap_err().what.contains("newer version"));
    assert_eq!(fs::read(place.path()).unwrap(), b"everline journal 2\nwhatever");
}

#[test]
fn garbage_is_left_behind_when_there_is_more_of_it_than_of_anything_else() {
    let mut place = Place::with(&["anna", "ben"]);
    let mut journal = place.open().journal;
    let first = fs::metadata(place.path()).unwrap().ino();
    let long = vec![7; 100_000];
    while journal.compacting.is_none() {
        place.append(&mut journal, "anna", Some(&long));
    }
    // Appended while the new file is being written.
    place.append(&mut journal, "ben", None);
    place.append(&mut journal, "carl", Some(b"new"));
    while journal.compacting.is_some() {
        std::thread::yield_now();
        journal.append([]).unwrap();
    }
    let file = fs::metadata(place.path()).unwrap();
    assert!(file.ino() != first && file.len() < 110_000, "{file:?}");
    assert_eq!(journal.trouble(), None);
    place.append(&mut journal, "dora", Some(b"behind"));
    drop(journal);
    let Opened { contents, warnings, .. } = place.open();
    assert_eq!(warnings, [""; 0]);
    let values: Vec<_> = contents.entries().map(|entry| entry.value.map(<[u8]>::len)).collect();
    assert_eq!(
        (keys(&contents), values),
        (["anna", "ben", "carl", "dora"].map(String::from).into(), vec![Some(100_000), None, Some(3), Some(6)])
    );
    let others: BTreeSet<_> =
        fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(others.len(), 1, "{others:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn it_holds_what_a_map_would_hold_whatever_happens_in_between(
        steps in proptest::collection::vec((0u8..6, 0usize..5, 0usize..2000), 1..60),
    ) {
        let mut place = Place::new();
        let mut journal = place.open().journal;
        let mut expected = Contents::default();
        for (what, key, length) in steps {
            let key = ["a", "b", "c", "d", "e"][key];
            let value = vec![length as u8; length];
            match what {
                0 => {
                    drop(journal);
                    journal = place.open().journal;
                }
                1 => {
                    journal.compact_if(|_, _| true);
                    place.append(&mut journal, key, Some(&value));
                }
                2 => place.append(&mut journal, key, None),
                _ => place.append(&mut journal, key, Some(&value)),
            }
            if what > 0 {
                let stamp = Stamp { epoch: Epoch(1), sequence: place.written };
                expected.take(Entry { key: key.as_bytes(), stamp, value: (what != 2).then_some(&value) });
            }
        }
        prop_assert_eq!(&read(&place.path()).unwrap().0, &expected);
        drop(journal);
        let opened = place.open();
        prop_assert_eq!(opened.contents, expected);
        prop_assert_eq!(opened.warnings, [""; 0]);
    }
}
