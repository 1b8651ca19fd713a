//! The two languages of a report.

/// The language of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// The text of this language. Both stand at every call, so that none can be missing.
    #[must_use]
    pub const fn pick<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }

    /// Its tag (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.pick("en", "zh-Hans")
    }
}
