//! What a configuration asks for and this host has not: files and variables that only another one has.

use std::collections::BTreeSet;

/// What is not here, by its kind and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lacking {
    /// It is known from another host.
    known: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

impl Lacking {
    /// Takes down that something is not here; gives what is known of it.
    pub(super) fn look_up(&mut self, what: String, known: Option<&String>) -> Option<String> {
        let all = if known.is_some() { &mut self.known } else { &mut self.unknown };
        all.insert(what);
        known.cloned()
    }

    /// Says what was taken from that version instead; `None` if nothing was.
    pub(crate) fn remark(&self, version: u64) -> Option<String> {
        let list = list(&self.known)?;
        Some(format!("note: not on this host, and taken from version {version} of the configuration: {list}"))
    }

    /// Says what to do if something is not in that version either; `None` if there is no such thing.
    pub(crate) fn help(&self, version: u64) -> Option<String> {
        let list = list(&self.unknown)?;
        Some(format!(
            "not on this host, and not in version {version} of the configuration: {list}; give `everline config apply` on the host \
             that has it"
        ))
    }
}

/// All of them in a row.
fn list(all: &BTreeSet<String>) -> Option<String> {
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
