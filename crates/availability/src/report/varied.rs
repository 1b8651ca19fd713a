//! Which parameters the samples vary.

use super::{Language, Report};

/// Which parameters the samples vary, and which have a range and keep their values all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Varied {
    /// Parameters that have a distribution.
    pub count: usize,
    /// All parameters but those that decide about the structure.
    pub of: usize,
    /// The names of those that the text lets lie between two values, and gives no distribution.
    pub only_range: Vec<String>,
}

impl Report {
    /// Which parameters the samples vary.
    #[must_use]
    pub fn varied(&self) -> Varied {
        let free = self.sources.iter().filter(|source| source.elasticity.is_some());
        let only_range = free.clone().filter(|source| source.range.is_none() && source.limits.is_some());
        Varied {
            count: free.clone().filter(|source| source.range.is_some()).count(),
            of: free.count(),
            only_range: only_range.map(|source| source.name.clone()).collect(),
        }
    }

    /// The same for people, and that numbers without a name are never varied.
    #[must_use]
    pub fn what_was_varied(&self, language: Language) -> String {
        let Varied { count, of, only_range } = self.varied();
        match language {
            Language::English => {
                let (have, were) = if count == 1 { ("has", "was") } else { ("have", "were") };
                let ranges = match &only_range[..] {
                    [] => String::new(),
                    [only] => format!("; this one has only a range: {only}"),
                    several => format!("; these have only a range: {}", several.join(", ")),
                };
                format!(
                    "{count} of {of} parameters {have} a distribution and {were} varied{ranges}; numbers that no parameter names \
                     are taken as they are."
                )
            }
            Language::Chinese => {
                let ranges = match &only_range[..] {
                    [] => String::new(),
                    names => format!("；只有取值范围、未参与抽样的参数：{}", names.join("、")),
                };
                format!("{of} 个参数中有 {count} 个带有分布并参与抽样{ranges}；未命名为参数的数字按原值计算。")
            }
        }
    }
}
