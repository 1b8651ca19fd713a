//! What to improve first, and how sure the result is.

use super::Page;
use super::table::Cell;
use crate::report::draw::{self, escape};
use crate::report::numbers::{duration, elasticity, share, short, value_with_unit};
use crate::report::{BUDGETS, Improvement, Spread, Swing};

/// The most rows of the table beside the tornado.
const MOST_SWINGS: usize = 20;

impl Page<'_> {
    pub(super) fn improvements(&mut self) {
        let report = self.report;
        self.section("improve", self.pick("What to improve first", "优先改进"));
        if report.assumed().of == 0 {
            self.paragraph(&report.assumptions(self.language));
            self.add("</section>\n");
            return;
        }
        self.paragraph(self.pick(
            "What the main service would gain if a parameter were half as bad: half the faults, half the time, half as far from \
             full coverage, and never beyond its range. The largest gain comes first.",
            "若某参数改善一半（故障减半、时间减半、与完全覆盖的差距减半，且不超出其取值范围），主服务可减少的停机时间。收益最大者在前。",
        ));
        let head = [
            self.pick("Parameter", "参数"),
            self.pick("Now", "当前值"),
            self.pick("Half as bad", "改善一半"),
            self.pick("Saves, min/year", "减少，分钟/年"),
            self.pick("Sensitivity", "灵敏度"),
            self.pick("Comes from", "来源"),
        ];
        let rows: Vec<Vec<Cell>> = report.improvements.iter().map(|one| self.improvement(one)).collect();
        let caption =
            format!("{}: {}", self.pick("What to improve first", "优先改进"), self.title(&report.main().name));
        self.table(&caption, &head, &rows);
        self.add("</section>\n");
    }

    fn improvement(&self, improvement: &Improvement) -> Vec<Cell> {
        let source = &self.report.sources[improvement.source];
        let value = |value: f64| Cell::Figure(value_with_unit(value, &source.unit, self.language));
        vec![
            self.parameter(source),
            value(source.value),
            value(improvement.better),
            Cell::Figure(short(improvement.saves)),
            Cell::Figure(elasticity(source.sensitivity)),
            self.origin(source),
        ]
    }

    pub(super) fn uncertainty(&mut self) {
        let report = self.report;
        self.section("uncertainty", self.pick("How sure it is", "不确定性"));
        let Some((seed, count)) = report.sampled else {
            self.paragraph(self.pick(
                "No parameter has a distribution, so that nothing can be said about it.",
                "没有参数带有分布，无法给出不确定性。",
            ));
            self.add("</section>\n");
            return;
        };
        self.paragraph(&match self.language {
            crate::report::Language::English => {
                format!("{count} samples of the parameters that have a distribution, with seed {seed}.")
            }
            crate::report::Language::Chinese => format!("对带有分布的参数抽取 {count} 个样本，随机种子 {seed}。"),
        });
        if let Some(spread) = &report.main().spread {
            self.histogram(spread);
        }
        self.spreads();
        self.swings();
        self.add("</section>\n");
    }

    fn histogram(&mut self, spread: &Spread) {
        let label = self.pick("Distribution of the downtime", "停机时间的分布");
        self.drawing(label, &draw::histogram("samples", self.report, spread, self.language));
        let row = |bin: &crate::report::Bin| {
            vec![Cell::Text(format!("{} – {}", short(bin.low), short(bin.high))), Cell::Figure(bin.count.to_string())]
        };
        let rows: Vec<Vec<Cell>> = spread.bins.iter().map(row).collect();
        let summary = self.pick("The figures of this drawing", "此图的数据");
        self.add(&format!("<details><summary>{}</summary>\n", escape(summary)));
        let head = [self.pick("Downtime, min/year", "停机，分钟/年"), self.pick("Samples", "样本数")];
        self.table(label, &head, &rows);
        self.add("</details>\n");
    }

    fn spreads(&mut self) {
        let report = self.report;
        let mut rows = Vec::new();
        for service in &report.services {
            let Some(spread) = &service.spread else { continue };
            let figures = spread.points.into_iter().chain([spread.mean, spread.sd, spread.delta]).map(short);
            let keeps = spread.keeps.into_iter().map(share);
            let mut row = vec![Cell::Text(self.title(&service.name).to_owned())];
            row.extend(figures.chain(keeps).map(Cell::Figure));
            rows.push(row);
        }
        let keeps = BUDGETS.map(|(name, _)| format!("{} {name}", self.pick("keeps", "达到")));
        let mut head = vec![
            self.pick("Service", "服务"),
            "5 %",
            "50 %",
            "95 %",
            self.pick("Mean", "均值"),
            self.pick("Standard deviation", "标准差"),
            self.pick("By the delta method", "标准差（delta 法）"),
        ];
        head.extend(keeps.iter().map(String::as_str));
        self.table(self.pick("Intervals of the downtimes, min/year", "停机时间的区间，分钟/年"), &head, &rows);
    }

    fn swings(&mut self) {
        let report = self.report;
        if report.swings.is_empty() {
            return;
        }
        let label = self.pick("Which uncertainty matters", "哪些不确定性影响最大");
        self.add(&format!("<h3>{}</h3>\n", escape(label)));
        self.paragraph(self.pick(
            "Each bar has one parameter at its 5 % point (hollow) and at its 95 % point (filled), all others at their values.",
            "每条表示单个参数取 5 % 分位（空心）与 95 % 分位（实心），其余参数不变。",
        ));
        self.drawing(label, &draw::tornado("tornado", report, self.language));
        let row = |swing: &Swing| {
            let source = &report.sources[swing.source];
            let (low, high) = source.range.unwrap_or((source.value, source.value));
            let value = |value: f64| Cell::Figure(value_with_unit(value, &source.unit, self.language));
            let end = |minutes: f64| Cell::Figure(duration(minutes, self.language));
            vec![self.parameter(source), value(low), value(high), end(swing.low), end(swing.high)]
        };
        let rows: Vec<Vec<Cell>> = report.swings.iter().take(MOST_SWINGS).map(row).collect();
        let head = [
            self.pick("Parameter", "参数"),
            self.pick("5 % point", "5 % 分位"),
            self.pick("95 % point", "95 % 分位"),
            self.pick("Downtime at 5 %", "5 % 时停机"),
            self.pick("Downtime at 95 %", "95 % 时停机"),
        ];
        self.table(label, &head, &rows);
    }
}
