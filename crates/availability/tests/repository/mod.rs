//! Files of the repository that a test compares the crate with: they are not there where the crate stands alone.

/// The text of a file of the repository; where the crate stands alone there is none, and the test says that it is skipped.
pub(crate) fn text(path: &str) -> Option<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    if !std::path::Path::new(root).join("ARCHITECTURE.md").exists() {
        eprintln!("skipped a test: {path} is in the repository of Everline, and this crate stands alone");
        return None;
    }
    Some(std::fs::read_to_string(format!("{root}/{path}")).unwrap_or_else(|error| panic!("{path}: {error}")))
}
