//! The rules of ARCHITECTURE.md, as data.

/// What one crate of the workspace may know.
pub(super) struct Rule {
    pub(super) name: &'static str,
    /// Crates of the workspace that it may depend on.
    pub(super) workspace: &'static [&'static str],
    /// For a pure crate: what it may take from outside besides [`PURE_EXTERNAL`]. `None`: it is not pure.
    pub(super) pure: Option<&'static [&'static str]>,
}

/// One rule for each crate; a crate without one is a breach.
pub(super) const RULES: [Rule; 14] = [
    Rule { name: "availability", workspace: &[], pure: Some(&["roxmltree", "serde_json"]) },
    Rule { name: "model", workspace: &[], pure: Some(&["xxhash-rust"]) },
    Rule { name: "sip", workspace: &["model"], pure: Some(&["base64", "hmac", "md-5", "sdp-types", "sha2", "subtle"]) },
    Rule { name: "redundancy", workspace: &["model"], pure: Some(&["crc32c", "xxhash-rust"]) },
    Rule { name: "call", workspace: &["model", "redundancy", "sip"], pure: Some(&["sha2"]) },
    Rule { name: "routing", workspace: &["model", "redundancy"], pure: Some(&[]) },
    Rule { name: "management", workspace: &["model"], pure: Some(&[]) },
    Rule { name: "network", workspace: &["model"], pure: None },
    Rule {
        name: "node",
        workspace: &["call", "management", "model", "network", "redundancy", "routing", "sip"],
        pure: None,
    },
    Rule {
        name: "sim",
        workspace: &["call", "management", "model", "network", "redundancy", "routing", "sip"],
        pure: None,
    },
    Rule { name: "drill", workspace: &["model", "network", "sip"], pure: None },
    Rule { name: "fuzz", workspace: &["call", "model", "node", "redundancy", "routing", "sip"], pure: None },
    Rule { name: "everline", workspace: EVERY_LIBRARY, pure: None },
    Rule { name: "xtask", workspace: EVERY_LIBRARY, pure: None },
];

const EVERY_LIBRARY: &[&str] =
    &["availability", "call", "drill", "management", "model", "network", "node", "redundancy", "routing", "sip"];

/// What every pure crate may take from outside: containers, encodings and error types.
pub(super) const PURE_EXTERNAL: [&str; 8] =
    ["foldhash", "memchr", "postcard", "serde", "serde_bytes", "slotmap", "smallvec", "thiserror"];

/// What a pure crate must not name: clocks, chance, input and output, threads, maps with a random order.
/// A path is forbidden if it, or what it begins with, stands here.
pub(super) const IMPURE_PATHS: [&str; 13] = [
    "getrandom",
    "libc",
    "nix",
    "rand",
    "std::env",
    "std::fs",
    "std::hash::RandomState",
    "std::os",
    "std::process",
    "std::sync::mpsc",
    "std::thread",
    "std::thread_local",
    "tokio",
];

/// Names that a pure crate must not use whatever path they come by.
pub(super) const IMPURE_NAMES: [&str; 10] = [
    "HashMap",
    "HashSet",
    "Instant",
    "RandomState",
    "SystemTime",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixDatagram",
    "UnixStream",
];

/// Where a rule of purity is broken on purpose: file below the workspace, name, reason.
pub(super) const EXCEPTIONS: [(&str, &str, &str); 1] =
    [("crates/model/src/hash.rs", "HashMap", "gives it the fixed seed that makes `model::Map`")];

/// No file is longer: a giant is a sign that a concept is missing a name.
pub(super) const MAX_LINES: usize = 500;

pub(super) fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}
