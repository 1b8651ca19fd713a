//! Replays what the fuzzers found interesting, through the same bodies.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

fn replay(folder: &Path, name: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    for file in &files {
        // The name shows in the output of a failing test.
        println!("{}", file.display());
        bodies::run(name, &fs::read(file).expect("a file"));
    }
    files.len()
}

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in bodies::BODIES {
        let count = replay(&crate_folder.join("../../fuzz/corpus").join(name), name);
        assert!(count > 0, "the corpus of {name} is empty");
    }
    assert!(replay(&crate_folder.join("tests/rfc4475"), "message") > 49);
}

#[test]
fn every_input_of_a_corpus_survives_the_other_bodies_and_small_damage() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut chance = model::Chance::new(3261);
    for folder in fs::read_dir(&corpus).expect("the corpus").map(|entry| entry.expect("a folder").path()) {
        for file in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file").path()) {
            let original = fs::read(&file).expect("a file");
            println!("{}", file.display());
            for (_, body) in bodies::BODIES {
                body(&original);
                for _ in 0..40 {
                    body(&damaged(&original, &mut chance));
                }
            }
        }
    }
}

/// One to four changes: a byte replaced by one with a meaning, a piece cut out or repeated.
fn damaged(original: &[u8], chance: &mut model::Chance) -> Vec<u8> {
    const TELLING: &[u8] = b"\r\n \t:;,=<>\"\\@?/[]%0\0\x7f\xff";
    let mut bytes = original.to_vec();
    for _ in 0..=chance.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = chance.below(bytes.len() as u64) as usize;
        let end = (at + 1 + chance.below(12) as usize).min(bytes.len());
        match chance.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            _ => bytes[at] = *chance.pick(TELLING).expect("not empty"),
        }
    }
    bytes
}
