//! State diagrams of the components.

use super::Page;
use super::table::Cell;
use crate::report::draw::{self, escape};
use crate::report::numbers::{duration, rate};
use crate::report::{Diagram, Flow, Kind, Language, Place};

impl Page<'_> {
    pub(super) fn diagrams(&mut self) {
        let report = self.report;
        self.section("states", self.pick("State diagrams", "状态图"));
        self.paragraph(self.pick(
            "Round boxes are states in which the service is there, square ones with a double frame are down; dashed ones are \
             several states of which some are down. Below the name stands the time in it in a year.",
            "圆角框表示服务可用，双线方框表示停机，虚线框由若干状态合并而成，其中部分停机。名称下方为每年处于该状态的时间。",
        ));
        for (index, diagram) in report.diagrams.iter().enumerate() {
            let name = self.title(&diagram.model);
            let component = report.components.iter().find(|component| component.name == diagram.model);
            let titled = |component| report.component_title(component, self.language);
            let heading = component.map_or_else(|| name.to_owned(), titled);
            self.add(&format!("<div class=\"diagram\"><h3>{}</h3>\n", escape(&heading)));
            if let Some((variable, count)) = &diagram.merged {
                self.paragraph(&match self.language {
                    Language::English => {
                        format!("{count} states, put together by the variable {variable}; rates are means.")
                    }
                    Language::Chinese => format!("{count} 个状态，按变量 {variable} 合并；速率为平均值。"),
                });
            }
            let label = format!("{}: {name}", self.pick("States", "状态图"));
            self.drawing(&label, &draw::states(&format!("chain{index}"), name, diagram, self.language));
            self.add("</div>\n");
            self.diagram_tables(diagram, name);
        }
        self.add("</section>\n");
    }

    fn diagram_tables(&mut self, diagram: &Diagram, name: &str) {
        let kind = |kind: Kind| match kind {
            Kind::Up => self.pick("up", "可用"),
            Kind::Both => self.pick("some up, some down", "部分停机"),
            Kind::Down => self.pick("down", "停机"),
        };
        let state = |place: &Place| {
            vec![
                Cell::Code(place.name.clone()),
                Cell::Text(kind(place.kind).to_owned()),
                Cell::Figure(duration(place.minutes, self.language)),
            ]
        };
        let arc = |flow: &Flow| {
            vec![
                Cell::Code(diagram.places[flow.from].name.clone()),
                Cell::Code(diagram.places[flow.to].name.clone()),
                Cell::Figure(rate(flow.rate, self.language)),
            ]
        };
        let states: Vec<Vec<Cell>> = diagram.places.iter().map(state).collect();
        let arcs: Vec<Vec<Cell>> = diagram.flows.iter().map(arc).collect();
        let summary = format!("{}: {name}", self.pick("The figures of this drawing", "此图的数据"));
        self.add(&format!("<details><summary>{}</summary><div class=\"pair\">\n", escape(&summary)));
        let head = [self.pick("State", "状态"), self.pick("Service", "服务"), self.pick("Time a year", "每年时间")];
        self.table(&format!("{}: {name}", self.pick("States", "状态")), &head, &states);
        let head = [self.pick("From", "从"), self.pick("To", "到"), self.pick("Rate", "速率")];
        self.table(&format!("{}: {name}", self.pick("Arcs", "转移")), &head, &arcs);
        self.add("</div></details>\n");
    }
}
