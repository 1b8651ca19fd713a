//! What is quoted is what the commands print: the models' figures of the recorded drill, and the guide's examples.
//!
//! After a new drill has been recorded, `EVERLINE_UPDATE=1 cargo test -p everline --test cli figures` writes both anew; it is run twice, as
//! the program holds the models that the guide's commands solve.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODELS: &str = "crates/availability/models";
const GUIDE: &str = "docs/availability.md";
const COMMAND: &str = "$ everline ";
/// Stands behind a block that does not show everything.
const SOME_ROWS: &str = "(some of its rows)";

#[test]
fn figures_of_the_models_are_those_of_the_recorded_drill() {
    let printed = prints("availability estimate drill docs/measurements/hosts/drill.json");
    let laws: BTreeMap<&str, String> =
        printed.lines().filter_map(|row| Some((name_of(row), law_of(row.rsplit("  ").next()?)))).collect();
    let mut taken = 0;
    for file in models(&root().join(MODELS)) {
        let text = fs::read_to_string(&file).expect("a model");
        let lines = text.split_inclusive('\n').map(|line| {
            let measured = line.split_once(" = ").zip(line.split_once("/hosts/drill.json#"));
            let Some(((head, tail), (_, named))) = measured else { return line.to_owned() };
            let name = named.split_once('"').map_or(named, |(name, _)| name);
            let law = laws.get(name).unwrap_or_else(|| panic!("{}: the drill has no {name}", file.display()));
            let from = tail.find(" from measured").expect("where it comes from");
            taken += 1;
            format!("{head} = {law}{}", &tail[from..])
        });
        is_current(&file, &text, &lines.collect::<String>());
    }
    assert!(taken > 20, "{taken} figures are of the drill");
}

#[test]
fn figures_of_the_guide_are_what_its_commands_print() {
    let guide = root().join(GUIDE);
    let text = fs::read_to_string(&guide).expect("the guide");
    let (mut shown, mut run) = (String::new(), 0);
    let mut blocks = text.split("```\n").enumerate().peekable();
    while let Some((number, block)) = blocks.next() {
        let follows = blocks.peek().map_or("", |(_, next)| next);
        match block.strip_prefix(COMMAND).and_then(|block| block.split_once('\n')) {
            Some((command, quoted)) if number % 2 == 1 && is_of_the_project(command) => {
                let printed = prints(command);
                let is_quoted = |row: &&str| {
                    !follows.starts_with(SOME_ROWS) || quoted.lines().any(|old| name_of(old) == name_of(row))
                };
                let rows = printed.lines().filter(is_quoted).map(|row| format!("{}\n", row.trim_end()));
                shown += &format!("{COMMAND}{command}\n{}", rows.collect::<String>());
                run += 1;
            }
            _ => shown += block,
        }
        if blocks.peek().is_some() {
            shown += "```\n";
        }
    }
    is_current(&guide, &text, &shown);
    assert!(run > 8, "{run} commands of the guide need no file of a reader");
}

/// Compares what is quoted with what it should be, or writes it.
fn is_current(file: &Path, quoted: &str, right: &str) {
    if quoted != right && std::env::var_os("EVERLINE_UPDATE").is_some() {
        return fs::write(file, right).expect("the file is written");
    }
    for (quoted, right) in quoted.lines().zip(right.lines()) {
        assert_eq!(
            quoted,
            right,
            "{}: run `EVERLINE_UPDATE=1 cargo test -p everline --test cli figures`",
            file.display()
        );
    }
    assert_eq!(quoted.len(), right.len(), "{}", file.display());
}

/// What a command of the project prints in its root.
fn prints(command: &str) -> String {
    let program = Command::new(env!("CARGO_BIN_EXE_everline")).args(command.split(' ')).current_dir(root()).output();
    let output = program.expect("everline runs");
    assert!(output.stderr.is_empty(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// True unless a file is named that a reader of the guide has written.
fn is_of_the_project(command: &str) -> bool {
    command
        .split(' ')
        .filter(|word| word.contains('.') && !word.starts_with(|sign: char| sign.is_ascii_digit()))
        .all(|word| root().join(word).exists())
}

/// The first column of a table.
fn name_of(row: &str) -> &str {
    row.split("  ").next().unwrap_or_default()
}

/// As the models write it: a share as the fraction that its distribution has as its mean.
fn law_of(printed: &str) -> String {
    let number = |name: &str| -> Option<f64> {
        let (_, rest) = printed.split_once(&format!("{name} = "))?;
        rest.split([',', ')']).next()?.parse().ok()
    };
    match (printed.split_once(" ~ beta"), number("a").zip(number("b"))) {
        (Some((_, rest)), Some((a, b))) => format!("{a}/{} ~ beta{rest}", a + b),
        _ => printed.to_owned(),
    }
}

fn models(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { models(&path) } else { vec![path] }).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
