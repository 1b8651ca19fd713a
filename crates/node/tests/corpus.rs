//! Replays what the fuzzers found interesting in records, journals and links, through the same bodies.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../../fuzz/records.rs"]
mod records;

fn inputs(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {name} is empty");
    // The names show in the output of a failing test.
    files.iter().inspect(|file| println!("{}", file.display())).map(|file| fs::read(file).expect("a file")).collect()
}

#[test]
fn every_input_of_the_corpus_keeps_the_promises_and_so_does_what_damage_makes_of_it() {
    let mut chance = model::Chance::new(7);
    for (name, _) in records::BODIES {
        for input in inputs(name) {
            records::run(name, &input);
            for _ in 0..200 {
                records::run(name, &damaged(&input, &mut chance));
            }
        }
    }
}

/// One to four changes: a byte replaced, a piece cut out or repeated.
fn damaged(original: &[u8], chance: &mut model::Chance) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=chance.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = chance.below(bytes.len() as u64) as usize;
        let end = (at + 1 + chance.below(12) as usize).min(bytes.len());
        match chance.below(3) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            _ => bytes[at] = chance.below(256) as u8,
        }
    }
    bytes
}
