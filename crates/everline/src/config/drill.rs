//! `[drill]`: whether a drill may make faults on the hosts.

use super::problem::Problems;
use super::section::{Key, Section};

pub(super) const DRILL: &[Key] = &[Key { name: "allow", allowed: "true or false" }];

/// What the section says.
pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> bool {
    section.boolean("allow", problems).unwrap_or(false)
}
