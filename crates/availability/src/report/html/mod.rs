//! The report as one page that needs nothing else: no script, no font, no picture from anywhere.
//!
//! The markup is XHTML-clean, so that tools can read it. Every drawing has a table of the same figures.

mod improve;
mod services;
mod sources;
mod states;
mod table;

use super::draw::escape;
use super::numbers::{duration, percent, share};
use super::{BUDGETS, Language, Report};

const STYLE: &str = include_str!("style.css");

/// A page in the making.
struct Page<'a> {
    report: &'a Report,
    language: Language,
    text: String,
}

impl Report {
    /// The page in one language. Names of parameters, and the texts on where they come from, are those of the model;
    /// so are remarks, but for those of Everline's own models.
    #[must_use]
    pub fn html(&self, language: Language) -> String {
        let mut page = Page { report: self, language, text: String::new() };
        page.head();
        page.verdict();
        page.services();
        page.members();
        page.improvements();
        page.uncertainty();
        page.sources();
        page.diagrams();
        page.method();
        page.add("</main></body></html>\n");
        page.text
    }
}

impl Page<'_> {
    /// Adds markup.
    fn add(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    /// Adds a paragraph of plain text.
    fn paragraph(&mut self, text: &str) {
        self.add(&format!("<p>{}</p>\n", escape(text)));
    }

    /// The text of the page's language.
    fn pick<'b>(&self, english: &'b str, chinese: &'b str) -> &'b str {
        self.language.pick(english, chinese)
    }

    /// What a service or component is called in it.
    fn title<'b>(&self, name: &'b str) -> &'b str {
        self.report.title(name, self.language)
    }

    /// The attribute of an element that has this text, if a voice of the page's language could not read it: English on the
    /// Chinese page.
    fn voice(&self, text: &str) -> &'static str {
        let is_foreign = self.language == Language::Chinese && is_english(text);
        if is_foreign { " lang=\"en\" xml:lang=\"en\"" } else { "" }
    }

    /// Begins a section with its heading; the one before has ended.
    fn section(&mut self, id: &str, heading: &str) {
        self.add(&format!(
            "<section id=\"{id}\" aria-labelledby=\"{id}-head\"><h2 id=\"{id}-head\">{}</h2>\n",
            escape(heading)
        ));
    }

    /// Adds a drawing, which scrolls by itself where the window is narrow.
    fn drawing(&mut self, label: &str, svg: &str) {
        let label = escape(label);
        self.add(&format!(
            "<figure><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">{svg}</div></figure>\n"
        ));
    }

    fn head(&mut self) {
        let (tag, heading) = (self.language.tag(), self.pick("Availability report", "可用性报告"));
        let main = self.title(&self.report.main().name);
        self.add(&format!(
            "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"{tag}\" xml:lang=\"{tag}\"><head>\
             <meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
             <meta name=\"color-scheme\" content=\"light dark\"/><title>{heading}: {}</title>\n<style>{STYLE}</style></head>\n\
             <body><a class=\"skip\" href=\"#main\">{}</a><header><h1>{heading}</h1>\n<p>{}: <code{}>{}</code></p>\n",
            escape(main),
            self.pick("To the content", "跳到正文"),
            self.pick("Model", "模型"),
            self.voice(&self.report.model),
            escape(&self.report.model)
        ));
        let links = [
            ("services", self.pick("Services", "服务")),
            ("members", self.pick("Components", "组件")),
            ("improve", self.pick("What to improve first", "优先改进")),
            ("uncertainty", self.pick("How sure it is", "不确定性")),
            ("sources", self.pick("Where figures come from", "数据来源")),
            ("states", self.pick("State diagrams", "状态图")),
            ("method", self.pick("How it is computed", "计算方法")),
        ];
        let items: String = links.iter().map(|(id, text)| format!("<li><a href=\"#{id}\">{text}</a></li>")).collect();
        let label = self.pick("Parts of the report", "报告目录");
        self.add(&format!("<nav aria-label=\"{label}\"><ul>{items}</ul></nav></header>\n<main id=\"main\">\n"));
    }

    /// The answer in a few words: where the main service stands.
    fn verdict(&mut self) {
        let main = self.report.main();
        let (name, down) = (self.title(&main.name), duration(main.downtime.value, self.language));
        let available = percent(main.unavailability());
        let answer = match (main.keeps(), self.language) {
            (Some(kept), Language::English) => {
                format!("{name}: {available} available, {down} down a year. It keeps {}.", BUDGETS[kept].0)
            }
            (None, Language::English) => {
                format!("{name}: {available} available, {down} down a year. It does not keep {}.", BUDGETS[0].0)
            }
            (Some(kept), Language::Chinese) => {
                format!("{name}：可用性 {available}，每年停机 {down}，达到 {}。", BUDGETS[kept].0)
            }
            (None, Language::Chinese) => {
                format!("{name}：可用性 {available}，每年停机 {down}，未达到 {}。", BUDGETS[0].0)
            }
        };
        self.add(&format!("<p class=\"verdict\">{}</p>\n", escape(&answer)));
        if let Some(spread) = &main.spread {
            let [low, _, high] = spread.points.map(|point| duration(point, self.language));
            let strictest = BUDGETS.len() - 1;
            let (name, kept) = (BUDGETS[strictest].0, share(spread.keeps[strictest]));
            self.paragraph(&match self.language {
                Language::English => format!(
                    "With parameters as uncertain as their distributions say, and all else as it stands in the model, \
                     the downtime lies between {low} and {high} a year in nine cases of ten; in {kept} of all cases \
                     it keeps {name}."
                ),
                Language::Chinese => format!(
                    "仅按参数分布计入不确定性、其余均取模型中的值时，每年停机时间有九成可能在 {low} 与 {high} 之间；达到 {name} 的可能性为 {kept}。"
                ),
            });
            self.paragraph(&self.report.what_was_varied(self.language));
        }
        self.paragraph(&self.report.assumptions(self.language));
    }

    fn method(&mut self) {
        self.section("method", self.pick("How it is computed", "计算方法"));
        let notes = [
            self.pick(
                "Unavailability is the sum of the probabilities of the down states, by elimination without subtraction; a year has \
                 365 days. The report as JSON says how many digits of each figure are sure.",
                "不可用度是各停机状态概率之和，用无减法的消元法求得；一年按 365 天计。JSON 报告给出每个数字的可靠位数。",
            ),
            self.pick(
                "The share of a component is its criticality importance: the share of the service's downtime that ends when this \
                 component is repaired. Redundant components share their downtime, so that shares may add up to more than 100 %.",
                "组件的占比是其关键重要度：修复该组件即可结束的那部分停机时间。冗余组件共同承担同一段停机时间，因此占比之和可能超过 100 %。",
            ),
            self.pick(
                "Planned is the downtime in states of planned work, also of planned work that went wrong. For a service it is \
                 added up from its components, in first order.",
                "计划内停机指计划性工作（包括出错的计划性工作）造成的停机。服务的计划内停机由各组件一阶累加得出。",
            ),
            self.pick(
                "Sensitivity says by how many per cent the downtime changes if the parameter grows by one per cent; if it is a \
                 share, its odds p/(1 - p).",
                "灵敏度表示参数增加百分之一时，停机时间变化百分之几；对于比例类参数，则指其几率 p/(1 - p) 增加百分之一。",
            ),
            self.pick(
                "The model does not know faults that nobody thought of, and its digits say nothing about whether its assumptions \
                 hold: the interval does, as far as the parameters' distributions tell.",
                "模型不了解无人想到的故障；数字的位数并不说明假设是否成立，参数分布所能说明的部分由区间给出。",
            ),
        ];
        let items: String = notes.iter().map(|note| format!("<li>{}</li>", escape(note))).collect();
        self.add(&format!("<ul>{items}</ul></section>\n"));
    }
}

/// Whether a text has a word and no Chinese character.
fn is_english(text: &str) -> bool {
    let is_word = |pair: &[u8]| pair.iter().all(u8::is_ascii_alphabetic);
    text.as_bytes().windows(2).any(is_word) && !text.chars().any(|c| ('\u{3400}'..='\u{9fff}').contains(&c))
}
