//! Errors for people: what happened and where, what to do, and the exit code that programs see.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use node::wire::Trouble;

use crate::output::remark;

/// Why a command ends with something else than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It was understood and could not be done: exit code 1.
    Failed,
    /// Wrong usage or configuration: exit code 2.
    Wrong,
    /// Nothing is running there: exit code 3.
    Absent,
}

/// A command that could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Kind,
    what: String,
    remedy: Option<String>,
}

impl Failure {
    /// A failure of a kind; `what` happened, and where.
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), remedy: None }
    }

    /// A failure with exit code 1.
    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::new(Kind::Failed, what)
    }

    /// Says what to do about it.
    pub(crate) fn help(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// What happened, and where.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it.
    pub(crate) fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// Tells the person at standard error, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let (red, bold) = (AnsiColor::Red.on_default().bold(), Style::new().bold());
        remark(&format!("{red}error{red:#}: {}", self.what));
        if let Some(remedy) = &self.remedy {
            remark(&format!("  {bold}help{bold:#}: {remedy}"));
        }
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Wrong => 2,
            Kind::Absent => 3,
        })
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self::failed(trouble.what).help(trouble.remedy)
    }
}
