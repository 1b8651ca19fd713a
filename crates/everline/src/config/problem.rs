//! What is wrong with a configuration, as values.

use std::ops::Range;

/// Problems that are kept with their text; beyond that they are only counted.
pub(crate) const KEPT: usize = 1_000;

/// Whether the solution can start nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// It cannot.
    Error,
    /// It can, but the reader should know.
    Warning,
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// How bad it is.
    pub(super) severity: Severity,
    /// The bytes of the file that it is about.
    pub(super) span: Range<usize>,
    /// The section and the key, `[[extension]] password`; empty if the file is not even TOML there.
    pub(super) key: String,
    /// What is wrong.
    pub(super) message: String,
    /// What is allowed there; shown beside the marked text.
    pub(super) allowed: String,
    /// Other bytes of the file that have to do with it, and how.
    pub(super) also: Option<(Range<usize>, &'static str)>,
    /// What to do.
    pub(super) help: Option<String>,
    /// The marked text is a secret, so the line is not shown.
    pub(super) secret: bool,
}

impl Problem {
    /// An error at `span`.
    pub(super) fn error(span: Range<usize>, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            span,
            key: key.into(),
            message: message.into(),
            allowed: String::new(),
            also: None,
            help: None,
            secret: false,
        }
    }

    /// A warning at `span`.
    pub(super) fn warning(span: Range<usize>, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(span, key, message) }
    }

    /// Says what is allowed there.
    pub(super) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = allowed.into();
        self
    }

    /// Points at another place that has to do with it.
    pub(super) fn also(mut self, span: Range<usize>, how: &'static str) -> Self {
        self.also = Some((span, how));
        self
    }

    /// Says what to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Keeps the line, which holds a secret, out of the message.
    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// All that is wrong with one file.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    kept: Vec<Problem>,
    errors: usize,
    warnings: usize,
}

impl Problems {
    /// Notes one more.
    pub(super) fn add(&mut self, problem: Problem) {
        match problem.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        self.kept.push(problem);
        if self.kept.len() >= 2 * KEPT {
            self.sort();
        }
    }

    /// Puts errors before warnings, each in the order of the file, and keeps the first of them.
    pub(super) fn sort(&mut self) {
        self.kept.sort_by_key(|problem| (problem.severity, problem.span.start));
        self.kept.truncate(KEPT);
    }

    /// How many errors there are, those that were only counted included.
    pub(crate) const fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings there are.
    pub(crate) const fn warnings(&self) -> usize {
        self.warnings
    }

    /// Those that were kept.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.kept.iter()
    }
}
