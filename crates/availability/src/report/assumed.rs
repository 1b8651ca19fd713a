//! How much of a result rests on what nobody has measured on this system.

use super::numbers::share;
use super::{Language, Report, Source};
use crate::model::OriginKind;

/// How much of a result is only assumed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumed {
    /// Parameters that the text says to be assumed.
    pub count: usize,
    /// Parameters of which it says nothing.
    pub not_said: usize,
    /// All parameters but those that decide about the structure.
    pub of: usize,
    /// The part of both in the sum of all sensitivities' sizes ([`Source::sensitivity`]).
    pub weight: f64,
}

impl Report {
    /// How much of the main service's downtime rests on what is only assumed, or of which nothing is said.
    #[must_use]
    pub fn assumed(&self) -> Assumed {
        let (mut assumed, mut whole) = (Assumed { count: 0, not_said: 0, of: 0, weight: 0.0 }, 0.0);
        for (source, size) in self.sources.iter().filter_map(|source| Some((source, source.sensitivity?.abs()))) {
            assumed.of += 1;
            whole += size;
            assumed.not_said += usize::from(source.origin.is_none());
            assumed.count += usize::from(source.is_assumed() && source.origin.is_some());
            assumed.weight += if source.is_assumed() { size } else { 0.0 };
        }
        assumed.weight = if whole > 0.0 { assumed.weight / whole } else { 0.0 };
        assumed
    }

    /// The same for people, and whether there are figures of other systems; that nothing can be said of a model without
    /// parameters.
    #[must_use]
    pub fn assumptions(&self, language: Language) -> String {
        let Assumed { count, not_said, of, weight } = self.assumed();
        if of == 0 {
            return no_parameters(!self.sources.is_empty(), language);
        }
        let (main, weight) = (self.title(&self.main().name, language), share(weight));
        let more = match language {
            _ if not_said == 0 => String::new(),
            Language::English => format!(", and of {not_said} nothing is said"),
            Language::Chinese => format!("，另有 {not_said} 个未注明来源"),
        };
        let mut said = match language {
            Language::English => {
                let are = if count == 1 { "is" } else { "are" };
                let they_carry = if count + not_said == 1 { "it carries" } else { "they carry" };
                format!(
                    "{count} of {of} parameters {are} only assumed{more}; {they_carry} {weight} of the sensitivity of \
                     {main}."
                )
            }
            Language::Chinese => format!("{of} 个参数中有 {count} 个只是假设{more}，它们占“{main}”灵敏度的 {weight}。"),
        };
        let is_published = |source: &Source| matches!(source.origin, Some((OriginKind::Published, _)));
        if self.sources.iter().any(is_published) {
            said.push_str(language.pick(
                " Published values are those of other systems, and were not measured on this one.",
                "文献数据来自其他系统，并非在本系统上实测。",
            ));
        }
        said
    }
}

/// What is said of a model whose numbers have no names, or `some` have that decide about its structure only.
fn no_parameters(some: bool, language: Language) -> String {
    match language {
        Language::English => {
            let but = if some { " but those that decide about its structure" } else { "" };
            format!("The model names no parameters{but}, so that no sensitivities and no sources can be given.")
        }
        Language::Chinese => {
            let but = if some { "除决定结构的参数外，" } else { "" };
            format!("{but}模型没有命名任何参数，因此无法给出灵敏度与来源。")
        }
    }
}
