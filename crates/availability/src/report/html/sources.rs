//! Where each parameter comes from.

use super::Page;
use super::table::Cell;
use crate::compose::Kept;
use crate::model::OriginKind;
use crate::report::numbers::{elasticity, value_with_unit};
use crate::report::{Language, Source};

impl Page<'_> {
    pub(super) fn sources(&mut self) {
        let report = self.report;
        self.section("sources", self.pick("Where figures come from", "数据来源"));
        if report.sources.is_empty() {
            self.paragraph(&report.assumptions(self.language));
            self.add("</section>\n");
            return;
        }
        self.paragraph(self.pick(
            "Measured figures name the file, published ones the source. Assumed ones, marked with ⚠, are where to look first.",
            "实测数据注明文件，文献数据注明出处。假设的数据以 ⚠ 标出，应优先核实。",
        ));
        for kept in &report.kept {
            self.paragraph(&kept_value(kept, self.language));
        }
        for (file, parameters) in &report.absent {
            self.paragraph(&no_file(file, parameters, self.language));
        }
        let head = [
            self.pick("Parameter", "参数"),
            self.pick("Value", "值"),
            self.pick("5 % to 95 %", "5 % 至 95 %"),
            self.pick("Sensitivity", "灵敏度"),
            self.pick("Comes from", "来源"),
            self.pick("Source", "出处"),
        ];
        let rows: Vec<Vec<Cell>> = report.sources.iter().map(|source| self.source(source)).collect();
        let caption = self.pick("All parameters, those that matter most first", "全部参数，影响最大者在前");
        self.table(caption, &head, &rows);
        self.add("</section>\n");
    }

    fn source(&self, source: &Source) -> Vec<Cell> {
        let value = |value: f64| value_with_unit(value, &source.unit, self.language);
        let range =
            source.range.map_or_else(|| "–".to_owned(), |(low, high)| format!("{} … {}", value(low), value(high)));
        vec![
            self.parameter(source),
            Cell::Figure(value(source.value)),
            Cell::Figure(range),
            Cell::Figure(elasticity(source.sensitivity)),
            self.origin(source),
            Cell::Text(source.said().to_owned()),
        ]
    }

    /// A parameter with what it is.
    pub(super) fn parameter(&self, source: &Source) -> Cell {
        let (words, place) = self.report.words_and_place(source, self.language);
        Cell::Named(source.name.clone(), words.to_owned(), place)
    }

    /// The kind of origin; what nobody knows, or cannot look up, is marked.
    pub(super) fn origin(&self, source: &Source) -> Cell {
        match source.origin.as_ref().map(|(kind, _)| *kind) {
            Some(OriginKind::Measured) if self.report.lacks_file(source) => {
                Cell::Mark(self.pick("measured, file missing", "实测，文件缺失").to_owned())
            }
            Some(OriginKind::Measured) => Cell::Text(self.pick("measured", "实测").to_owned()),
            Some(OriginKind::Published) => Cell::Text(self.pick("published", "文献").to_owned()),
            Some(OriginKind::Assumed) => Cell::Mark(self.pick("assumed", "假设").to_owned()),
            None if source.is_assumed() => Cell::Mark(self.pick("not said", "未注明").to_owned()),
            None => Cell::Text(self.pick("chosen", "设定").to_owned()),
        }
    }
}

/// That a parameter keeps its value, since a drill has nothing about it.
fn kept_value(Kept { parameter, file, estimate }: &Kept, language: Language) -> String {
    match language {
        Language::English => format!("{parameter} keeps the value of the model: {file} has no {estimate}."),
        Language::Chinese => format!("{parameter} 沿用模型中的值：{file} 中没有 {estimate}。"),
    }
}

/// That a file which parameters are said to be measured in is not there.
fn no_file(file: &str, parameters: &[String], language: Language) -> String {
    let are = if parameters.len() == 1 { "is" } else { "are" };
    match language {
        Language::English => {
            format!("{} {are} said to be measured, but there is no file {file}.", parameters.join(", "))
        }
        Language::Chinese => format!("{} 注明为实测，但没有文件 {file}。", parameters.join("、")),
    }
}
