//! The page: sound markup, nothing from outside, readable for everybody, complete in both languages.

use std::collections::BTreeSet;

use availability::compose::Kept;
use availability::report::Language;
use roxmltree::{Document, Node, ParsingOptions};

use crate::support::{SMALL, report, three_hosts};

fn pages() -> [String; 2] {
    [Language::English, Language::Chinese].map(|language| three_hosts().html(language))
}

fn parsed(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).expect("well-formed")
}

fn all<'a>(document: &'a Document<'_>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(move |node| node.has_tag_name(name) || node.tag_name().name() == name)
}

fn words(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect()
}

#[test]
fn nothing_comes_from_outside() {
    for page in pages() {
        let document = parsed(&page);
        for node in document.descendants().filter(Node::is_element) {
            let name = node.tag_name().name();
            assert!(!["script", "link", "img", "iframe", "object", "image", "use"].contains(&name), "{name}");
            for attribute in node.attributes() {
                let is_reference = ["href", "src", "srcset", "action"].contains(&attribute.name());
                assert!(!is_reference || attribute.value().starts_with('#'), "{attribute:?}");
                assert!(!attribute.name().starts_with("on"), "{attribute:?}");
                assert!(!attribute.value().contains("url(") || attribute.value().starts_with("url(#"), "{attribute:?}");
            }
        }
        let style = words(all(&document, "style").next().expect("a style"));
        assert!(!style.contains("url(") && !style.contains("@import"));
    }
}

#[test]
fn drawings_and_tables_can_be_read_aloud() {
    for page in pages() {
        let document = parsed(&page);
        let mut ids = BTreeSet::new();
        for node in document.descendants() {
            if let Some(id) = node.attribute("id") {
                assert!(ids.insert(id), "{id} twice");
            }
        }
        for node in document.descendants() {
            let labels = node.attribute("aria-labelledby").unwrap_or_default().split_whitespace();
            let links = node.attribute("href").and_then(|link| link.strip_prefix('#'));
            for id in labels.chain(links) {
                assert!(ids.contains(id), "{id}");
            }
        }
        assert!(all(&document, "svg").count() >= 15);
        for drawing in all(&document, "svg") {
            assert_eq!(drawing.attribute("role"), Some("img"));
            for name in ["title", "desc"] {
                let child = drawing.children().find(|child| child.tag_name().name() == name).expect(name);
                assert!(!words(child).is_empty());
            }
        }
        for table in all(&document, "table") {
            assert_eq!(table.first_element_child().map(|first| first.tag_name().name()), Some("caption"));
            let heads = table.descendants().filter(|node| node.tag_name().name() == "th");
            assert!(heads.clone().count() > 1 && heads.clone().all(|head| head.attribute("scope").is_some()));
            let region = table.parent_element().expect("a region");
            assert_eq!((region.attribute("role"), region.attribute("tabindex")), (Some("region"), Some("0")));
        }
        assert_eq!(all(&document, "h1").count(), 1);
        assert_eq!(all(&document, "main").count(), 1);
    }
}

/// What a reader reads, but for names of the model, its texts, and figures.
fn texts(page: &str) -> Vec<String> {
    let document = parsed(page);
    let own = ["h1", "h2", "h3", "p", "caption", "summary", "li", "desc", "a"];
    let is_own = |node: &Node<'_, '_>| {
        own.contains(&node.tag_name().name())
            || (node.tag_name().name() == "th" && node.attribute("scope") == Some("col"))
            || node.tag_name().name() == "strong"
    };
    document.descendants().filter(is_own).map(words).collect()
}

#[test]
fn both_languages_are_complete() {
    let [english, chinese] = pages();
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let chinese_texts = texts(&chinese);
    assert_eq!(texts(&english).len(), chinese_texts.len());
    let document = parsed(&english);
    assert!(!words(document.root_element()).chars().any(is_chinese), "the English page has no Chinese");
    for text in chinese_texts {
        assert!(text.chars().any(is_chinese) || !text.chars().any(char::is_alphabetic), "{text}");
    }
    let tag = |page: &str| parsed(page).root_element().attribute("lang").map(str::to_owned);
    assert_eq!((tag(&english), tag(&chinese)), (Some("en".to_owned()), Some("zh-Hans".to_owned())));
}

#[test]
fn a_chinese_voice_reads_no_english() {
    let [_, page] = pages();
    let document = parsed(&page);
    let main = all(&document, "main").next().expect("the content");
    for node in main.descendants().filter(Node::is_text) {
        let text = node.text().unwrap_or_default();
        let is_word = |pair: &[u8]| pair.iter().all(u8::is_ascii_alphabetic);
        let is_english = text.is_ascii() && text.as_bytes().windows(2).any(is_word);
        let is_drawn = node.ancestors().any(|above| above.tag_name().name() == "svg");
        let is_marked = node.ancestors().any(|above| above.attribute("lang") == Some("en"));
        assert!(!is_english || is_drawn || is_marked, "{text}");
        // Units too are Chinese, in tables and in drawings.
        let parent = node.parent_element().filter(|parent| parent.tag_name().name() != "th");
        let class = parent.and_then(|parent| parent.attribute("class"));
        let is_figure = ["figure", "rate"].map(Some).contains(&class);
        let has_letters = text.chars().any(|c| c.is_ascii_alphabetic() && c != 'e');
        assert!(!is_figure || !has_letters, "{text}");
    }
    let text = SMALL.replace("from assumed \"a guess\"", "from assumed \"a guess\"   # new versions");
    let page = report("small.avail", &text, 10).html(Language::Chinese);
    for part in ["<span lang=\"en\" xml:lang=\"en\">new versions<", "<td lang=\"en\" xml:lang=\"en\">a guess<"] {
        assert!(page.contains(part), "{part}");
    }
    let page = report("small.avail", &text.replace("new versions", "新版本"), 10).html(Language::Chinese);
    assert!(page.contains("<span>新版本</span>"));
}

#[test]
fn what_is_not_built_and_what_a_drill_lacks_stands_on_the_page() {
    for (language, mark, kept, remark) in [
        (
            Language::English,
            "(designed, not built yet)",
            "notice keeps the value of the model: mine.json has no gap of loss.",
            "until somebody looks into it (",
        ),
        (
            Language::Chinese,
            "（已设计，尚未实现）",
            "notice 沿用模型中的值：mine.json 中没有 gap of loss。",
            "有人着手处理之前的时间（",
        ),
    ] {
        let mut report = three_hosts().clone();
        let [parameter, file, estimate] = ["notice", "mine.json", "gap of loss"].map(str::to_owned);
        report.kept.push(Kept { parameter, file, estimate });
        let page = report.html(language);
        let document = parsed(&page);
        // In the tables of components and as headings of drawings.
        let marked = |name: &'static str| all(&document, name).filter(|node| words(*node).contains(mark)).count();
        assert!(marked("th") >= 4 && marked("h3") >= 3, "{} {}", marked("th"), marked("h3"));
        assert!(all(&document, "p").any(|node| words(node) == kept), "{language:?}");
        let described = all(&document, "span").any(|node| words(node).starts_with(remark));
        let named = format!("notice: {remark}");
        let pointed = all(&document, "title").any(|node| words(node).starts_with(&named));
        assert!(described && pointed, "{language:?}");
    }
}

#[test]
fn a_file_that_is_missing_is_marked_and_named() {
    for (language, mark, said) in [
        (
            Language::English,
            "⚠ measured, file missing",
            "fails is said to be measured, but there is no file m/log.json.",
        ),
        (Language::Chinese, "⚠ 实测，文件缺失", "fails 注明为实测，但没有文件 m/log.json。"),
    ] {
        let mut report = report("small.avail", SMALL, 10);
        let marked = |page: &str| all(&parsed(page), "strong").filter(|node| words(*node) == mark).count();
        assert_eq!(marked(&report.html(language)), 0, "nobody has looked for it");
        report.absent.insert("m/log.json".to_owned(), vec!["fails".to_owned()]);
        let page = report.html(language);
        // In the tables of improvements and of sources.
        assert_eq!(marked(&page), 2, "{language:?}");
        assert!(all(&parsed(&page), "p").any(|node| words(node) == said), "{language:?}");
    }
}

#[test]
fn names_of_a_model_cannot_break_the_page() {
    let text = SMALL.replace("a guess", "<script>&amp; 'guess'").replace("log.json", "a&b<c>.json");
    let page = report("<small>&.avail", &text, 10).html(Language::English);
    let document = parsed(&page);
    assert_eq!(all(&document, "script").count(), 0);
    assert!(words(document.root_element()).contains("<script>&amp; 'guess'"));
}
