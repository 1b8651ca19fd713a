//! What one host has and another one lacks.

use std::collections::BTreeMap;
use std::fs;
use std::time::SystemTime;

use node::configuration::Document;

use super::*;

#[test]
fn what_is_not_here_is_as_it_was_and_else_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, secret) = (folder.path().join("everline.toml"), folder.path().join("anna.secret"));
    let text = "[[extension]]\nnumber = \"1001\"\npassword-file = \"anna.secret\"\n\
                [[extension]]\nnumber = \"1002\"\npassword = \"${EVERLINE_IS_NOT_SET}\"\n";
    fs::write(&path, text).expect("written");
    let (files, variables, moved) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (by, at, text) = ("h1".to_owned(), SystemTime::UNIX_EPOCH, String::new());
    let mut seen = Document { version: 3, by, at, text, files, variables, revoked: None, moved };
    let read = |seen: &Document| read_beside(&path, Some(seen)).expect("readable");

    let told = read(&seen);
    assert!(told.settings.is_none() && told.lacking.remark(3).is_none());
    let help = told.lacking.help(3).expect("both are missed");
    assert!(
        help.contains("version 3 of the configuration: the file anna.secret, the variable EVERLINE_IS_NOT_SET; "),
        "{help}"
    );

    seen.files.insert("anna.secret".to_owned(), "long enough".to_owned());
    seen.variables.insert("EVERLINE_IS_NOT_SET".to_owned(), "long enough too".to_owned());
    let told = read(&seen);
    assert!(told.settings.is_some() && told.lacking.help(3).is_none());
    assert_eq!((&told.source.files, &told.source.variables), (&seen.files, &seen.variables));
    let remark = told.lacking.remark(3).expect("both were taken from there");
    assert!(
        remark.ends_with("version 3 of the configuration: the file anna.secret, the variable EVERLINE_IS_NOT_SET"),
        "{remark}"
    );

    // What is here counts, and is not passed over if it is wrong.
    fs::write(&secret, "another one\n").expect("written");
    assert_eq!(read(&seen).source.files["anna.secret"], "another one");
    fs::write(&secret, "x".repeat(5_000)).expect("written");
    let told = read(&seen);
    assert!(told.settings.is_none() && told.lacking.help(3).is_none());
    assert!(told.report.json().to_string().contains("it cannot be a password"));
}
