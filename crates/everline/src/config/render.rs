//! Problems as text for people and as JSON for programs.

use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};
use serde::Serialize;

use super::problem::{KEPT, Problem, Problems, Severity};
use crate::failure::Failure;
use crate::output::count;

/// A line longer than this many bytes is named, not shown.
const LINE_MAX: usize = 240;

/// Columns of a message.
const WIDTH: usize = 100;

/// What was found in one file.
#[derive(Debug)]
pub(crate) struct Report {
    /// The file, as the reader knows it.
    file: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    problems: Problems,
}

impl Report {
    /// What was found in `file`, whose text is `text`.
    pub(super) fn new(file: String, text: String, mut problems: Problems) -> Self {
        problems.sort();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(end, _)| end + 1)).collect();
        Self { file, text, lines, problems }
    }

    /// The first `most` errors and as many warnings in full, then how many there are; empty if there are none.
    pub(crate) fn render(&self, colour: bool, most: usize) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH);
        let mut text = String::new();
        for severity in [Severity::Error, Severity::Warning] {
            for problem in self.problems.iter().filter(|problem| problem.severity == severity).take(most) {
                let shown = Shown { problem, report: self };
                // Writing to a String cannot fail, and the handler has no errors of its own.
                let _ = handler.render_report(&mut text, &shown);
                text.push('\n');
            }
        }
        let count = self.count(most);
        if !count.is_empty() {
            let _ = writeln!(text, "{}: {count}", self.file);
        }
        text
    }

    /// `3 errors, 1 warning`, and how many of them were not shown.
    fn count(&self, most: usize) -> String {
        let shows = |number: usize| match number {
            _ if number <= most.min(KEPT) => String::new(),
            _ if most < KEPT => format!(" (the first {most} are shown; `everline config check` shows all)"),
            _ => format!(" (the first {KEPT} are shown)"),
        };
        let parts = [(self.problems.errors(), "error"), (self.problems.warnings(), "warning")];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        parts.map(|(number, what)| count(number, what) + &shows(number)).collect::<Vec<_>>().join(", ")
    }

    /// The problems with their places, for programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        let problems: Vec<_> = self.problems.iter().map(|problem| self.entry(problem)).collect();
        serde_json::json!({
            "file": self.file,
            "errors": self.problems.errors(),
            "warnings": self.problems.warnings(),
            "problems": problems,
        })
    }

    fn entry<'a>(&self, problem: &'a Problem) -> Entry<'a> {
        let (line, column) = self.place(problem.span.start);
        let severity = if problem.severity == Severity::Error { "error" } else { "warning" };
        let Problem { key, message, allowed, help, .. } = problem;
        Entry { severity, line: Some(line), column: Some(column), key, message, allowed, help: help.as_deref() }
    }

    /// Line and column of a byte of the file, both counted from 1, the column in characters.
    fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        (line, self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
    }

    /// The bytes of the line, counted from 1.
    fn line(&self, line: usize) -> Range<usize> {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        start..self.lines.get(line).map_or(self.text.len(), |next| next - 1)
    }

    /// Whether the line that holds the byte is short enough to be shown.
    fn fits(&self, offset: usize) -> bool {
        self.line(self.place(offset).0).len() <= LINE_MAX
    }
}

impl SourceCode for Report {
    /// Hands out whole lines and no lines around them: those may hold secrets that have nothing to do with it.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let ((first, column), (last, _)) = (self.place(span.offset()), self.place(span.offset() + span.len()));
        let bytes = self.line(first).start..self.line(last).end;
        let data = self.text.get(bytes.clone()).ok_or(MietteError::OutOfBounds)?.as_bytes();
        let (name, lines) = (self.file.clone(), last - first + 1);
        Ok(Box::new(MietteSpanContents::new_named(name, data, bytes.into(), first - 1, column - 1, lines)))
    }
}

/// A problem of `config check --json`.
#[derive(Serialize)]
struct Entry<'a> {
    severity: &'static str,
    line: Option<usize>,
    column: Option<usize>,
    key: &'a str,
    message: &'a str,
    allowed: &'a str,
    help: Option<&'a str>,
}

/// The same as [`Report::json`] for a file that cannot be read: one problem without a place.
pub(crate) fn unreadable_json(file: &Path, why: &Failure) -> serde_json::Value {
    let (severity, message, help) = ("error", why.what(), why.remedy());
    let problem = Entry { severity, line: None, column: None, key: "", message, allowed: "", help };
    serde_json::json!({ "file": file.display().to_string(), "errors": 1, "warnings": 0, "problems": [problem] })
}

/// A problem as the renderer wants it.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    report: &'a Report,
}

impl Shown<'_> {
    /// Whether the line is shown: it is neither a secret nor endless.
    fn shows_line(&self) -> bool {
        !self.problem.secret && self.report.fits(self.problem.span.start)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { key, message, allowed, .. } = self.problem;
        if !key.is_empty() {
            write!(f, "{key}: ")?;
        }
        f.write_str(message)?;
        if !self.shows_line() {
            let (line, column) = self.report.place(self.problem.span.start);
            write!(f, " ({}:{line}:{column})", self.report.file)?;
            if !allowed.is_empty() {
                write!(f, "; allowed: {allowed}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.shows_line().then_some(self.report as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let Problem { span, allowed, also, .. } = self.problem;
        let main = LabeledSpan::new_primary_with_span(Some(allowed.clone()), span.clone());
        let also = also.as_ref().filter(|(span, _)| self.report.fits(span.start));
        let also = also.map(|(span, how)| LabeledSpan::new_with_span(Some((*how).to_owned()), span.clone()));
        Some(Box::new(std::iter::once(main).chain(also)))
    }
}
