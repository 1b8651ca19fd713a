//! Services against the budget, and what each is made of.

use super::Page;
use super::table::Cell;
use crate::own;
use crate::report::draw;
use crate::report::draw::escape;
use crate::report::numbers::{duration, percent, share, short};
use crate::report::{BUDGETS, Language, Service};

/// A figure that a model may not have.
fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), short)
}

impl Page<'_> {
    pub(super) fn services(&mut self) {
        let (report, language) = (self.report, self.language);
        self.section("services", self.pick("Services", "服务"));
        // Models of others have no such services.
        if own::is_solution(&report.model) {
            self.paragraph(self.pick(
                "Calls are what callers notice as an outage; statistics, reports and console are counted apart.",
                "呼叫中断是来电者能感知的停机；统计、报表与控制台单独计算。",
            ));
        }
        let legend = self.pick(
            "◆ the downtime of the model; the bar reaches from the 5 % to the 95 % point",
            "◆ 模型的停机时间；横条从 5 % 分位到 95 % 分位",
        );
        self.drawing(self.pick("The downtime budget", "停机时间预算"), &draw::budget("budget", report, language));
        self.paragraph(legend);
        let head = [
            self.pick("Service", "服务"),
            self.pick("Availability", "可用性"),
            self.pick("Downtime, min/year", "停机，分钟/年"),
            self.pick("Planned", "计划内"),
            self.pick("Unplanned", "计划外"),
            self.pick("Failures a year", "每年故障次数"),
            self.pick("5 % to 95 %, min/year", "5 % 至 95 %，分钟/年"),
            self.pick("Keeps", "达到"),
        ];
        let rows: Vec<Vec<Cell>> = report.services.iter().map(|service| self.service(service)).collect();
        self.table(self.pick("Services and the downtime budget", "各服务与停机时间预算"), &head, &rows);
        if let Some(said) = report.not_built(language) {
            self.paragraph(&said);
        }
        self.not_counted();
        let budgets: Vec<Vec<Cell>> = BUDGETS
            .iter()
            .map(|(name, minutes)| {
                let time = duration(*minutes, language);
                vec![Cell::Text((*name).to_owned()), Cell::Figure(time), Cell::Figure(short(*minutes))]
            })
            .collect();
        let head =
            [self.pick("Class", "等级"), self.pick("Downtime a year", "每年停机"), self.pick("min/year", "分钟/年")];
        self.table(self.pick("What each class allows", "各等级允许的停机时间"), &head, &budgets);
        self.add("</section>\n");
    }

    fn service(&self, service: &Service) -> Vec<Cell> {
        let interval = service.spread.as_ref().map_or_else(
            || "–".to_owned(),
            |spread| {
                let [low, _, high] = spread.points.map(short);
                format!("{low} … {high}")
            },
        );
        let kept = match service.keeps() {
            Some(budget) => Cell::Text(BUDGETS[budget].0.to_owned()),
            None => Cell::Mark(self.pick("none", "无").to_owned()),
        };
        vec![
            Cell::Text(self.report.service_title(service, self.language)),
            Cell::Figure(percent(service.unavailability())),
            Cell::Figure(short(service.downtime.value)),
            Cell::Figure(optional(service.planned)),
            Cell::Figure(optional(service.unplanned())),
            Cell::Figure(short(service.failures.value)),
            Cell::Figure(interval),
            kept,
        ]
    }

    /// Of which services the failures are counted without some events.
    fn not_counted(&mut self) {
        let (report, language) = (self.report, self.language);
        for service in report.services.iter().filter(|service| !service.uncounted.is_empty()) {
            let (name, events) = (self.title(&service.name), service.uncounted.join(", "));
            self.paragraph(&match language {
                Language::English => {
                    format!("{name}: failures are counted without {events}, of which only a probability is known.")
                }
                Language::Chinese => format!("{name}：故障次数不含 {events}，其仅有概率，没有故障频率。"),
            });
        }
    }

    /// The components of each service, with a drawing.
    pub(super) fn members(&mut self) {
        let (report, language) = (self.report, self.language);
        self.section("members", self.pick("Components", "组件"));
        self.paragraph(self.pick("The hatched part of a bar is planned work.", "条形中的斜线部分为计划性工作。"));
        for (index, service) in report.services.iter().enumerate() {
            let name = self.title(&service.name);
            self.add(&format!("<h3>{}</h3>\n", escape(&report.service_title(service, language))));
            let label = format!("{}: {name}", self.pick("What the downtime is made of", "停机时间的构成"));
            self.drawing(&label, &draw::contributions(&format!("parts{index}"), report, service, language));
            self.member_table(service);
        }
        self.add("</section>\n");
    }

    fn member_table(&mut self, service: &Service) {
        let report = self.report;
        let head = [
            self.pick("Component", "组件"),
            self.pick("Copies", "份数"),
            self.pick("Availability of one", "单份可用性"),
            self.pick("Downtime of one, min/year", "单份停机，分钟/年"),
            self.pick("Planned", "计划内"),
            self.pick("Unplanned", "计划外"),
            self.pick("Share of one", "单份占比"),
        ];
        let row = |member: &crate::report::Member| {
            let component = report.component(member);
            vec![
                Cell::Text(report.component_title(component, self.language)),
                Cell::Figure(member.copies.to_string()),
                Cell::Figure(percent(component.unavailability())),
                Cell::Figure(short(component.downtime.value)),
                Cell::Figure(optional(component.planned)),
                Cell::Figure(optional(component.unplanned())),
                Cell::Figure(share(member.share)),
            ]
        };
        let rows: Vec<Vec<Cell>> = service.members.iter().map(row).collect();
        let name = self.title(&service.name);
        let caption = format!("{}: {name}", self.pick("Components", "组件"));
        self.table(&caption, &head, &rows);
    }
}
