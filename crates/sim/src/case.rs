//! Saved cases: a plan that once broke a promise, kept for ever, named by what went wrong.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use crate::outcome;
use crate::plan::{BadPlan, Plan};

/// A saved case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What went wrong, for people; lines of comment.
    pub story: String,
    /// The checker that must notice, for a plan with a broken rule; `None` if every promise must be kept.
    pub expects: Option<String>,
    /// What is run.
    pub plan: Plan,
}

impl Case {
    /// Reads a case.
    ///
    /// # Errors
    /// If the plan cannot be read.
    pub fn read(text: &str) -> Result<Self, BadPlan> {
        let line_with =
            |word: &str| text.lines().find_map(|line| line.strip_prefix(word)).map(|rest| rest.trim().to_owned());
        let comments = text.lines().filter_map(|line| line.strip_prefix('#'));
        let story: Vec<&str> = comments.map(str::trim).collect();
        let plan: String =
            text.lines().filter(|line| !line.starts_with("expects ")).map(|line| format!("{line}\n")).collect();
        Ok(Self { story: story.join("\n"), expects: line_with("expects "), plan: plan.parse()? })
    }

    /// Runs the case.
    ///
    /// # Errors
    /// What differs from what the case expects.
    pub fn replay(&self) -> Result<(), String> {
        let violation = outcome::run(&self.plan, false).violation;
        match (&self.expects, violation) {
            (None, None) => Ok(()),
            (Some(checker), Some(violation)) if violation.checker == checker => Ok(()),
            (Some(checker), Some(violation)) => Err(format!("expected the checker `{checker}`, got {violation}")),
            (Some(checker), None) => Err(format!("the checker `{checker}` noticed nothing")),
            (None, Some(violation)) => Err(violation.to_string()),
        }
    }
}

impl Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.story.lines().try_for_each(|line| writeln!(f, "# {line}"))?;
        if let Some(checker) = &self.expects {
            writeln!(f, "expects {checker}")?;
        }
        write!(f, "{}", self.plan)
    }
}

/// The folder of the saved cases.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// All saved cases with the names of their files, in order.
///
/// # Errors
/// If a file cannot be read, or is not a case.
pub fn all() -> Result<Vec<(String, Case)>, String> {
    let files = std::fs::read_dir(folder()).map_err(|error| format!("{}: {error}", folder().display()))?;
    let mut paths: Vec<PathBuf> = files.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        Ok((name.clone(), Case::read(&text).map_err(|error| format!("{name}: {error}"))?))
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use redundancy::hot_standby::Sabotage;

    #[test]
    fn a_case_survives_being_written_and_read() {
        let plan = Plan::draw(3, Sabotage::ForgetTimer);
        let case =
            Case { story: "What went wrong,\nin two lines.".to_owned(), expects: Some("progress".to_owned()), plan };
        assert_eq!(Case::read(&case.to_string()), Ok(case));
    }
}
