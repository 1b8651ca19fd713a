//! Models in files: which format a file has, and how each becomes a [`Model`].

pub mod explicit;
pub mod galileo;
mod lines;
pub mod open_psa;
pub mod prism;
mod trees;
mod usual;

use crate::Error;
use crate::model::{Model, Resources};
use crate::structure::QuantifiedTree;

/// A text with the name of the file that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The name, for messages.
    pub name: String,
    /// The text.
    pub text: String,
}

/// The formats that models can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The model language of this crate, `.avail`.
    Avail,
    /// A subset of the PRISM language, `.sm` or `.prism`, with properties beside it.
    Prism,
    /// The explicit files of PRISM and Storm: `.tra`, with labels and rewards beside it.
    Explicit,
    /// Fault trees in the exchange format of Open-PSA, `.xml`.
    OpenPsa,
    /// Fault trees in the format of Galileo, `.dft`.
    Galileo,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Avail, Self::Prism, Self::Explicit, Self::OpenPsa, Self::Galileo];

    /// The endings of files in this format, without the dot.
    #[must_use]
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Avail => &["avail"],
            Self::Prism => &["sm", "prism"],
            Self::Explicit => &["tra"],
            Self::OpenPsa => &["xml"],
            Self::Galileo => &["dft"],
        }
    }

    /// The endings of files that may stand beside it with the same name and belong to it.
    #[must_use]
    pub const fn beside(self) -> &'static [&'static str] {
        match self {
            Self::Avail | Self::OpenPsa | Self::Galileo => &[],
            Self::Prism => &["csl", "props"],
            Self::Explicit => &["sta", "lab", "srew"],
        }
    }

    /// The format of a file with this ending.
    ///
    /// # Errors
    /// If there is none; the error lists those that there are.
    pub fn of_ending(ending: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|format| format.endings().contains(&ending));
        found.ok_or_else(|| {
            let known: Vec<String> =
                Self::ALL.iter().flat_map(|format| format.endings()).map(|ending| format!(".{ending}")).collect();
            let what = format!("`.{ending}` is the ending of no model");
            Error::new(what, format!("the ending says the format; there are {}", known.join(", ")))
        })
    }

    /// Reads a model; `beside` are those files of [`Self::beside`] that exist, each with its ending, and `given` names and
    /// values of parameters.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and column.
    pub fn read(self, file: &File, beside: &[(&str, File)], given: &[(String, String)]) -> Result<Model, Error> {
        self.read_with(file, beside, None, given, Resources::default())
    }

    /// The same with other limits of state spaces and diagrams than the default ones, and of a tree in [`Self::OpenPsa`] with the
    /// gate that is its top event; the other formats say it themselves.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with(
        self,
        file: &File,
        beside: &[(&str, File)],
        top: Option<&str>,
        given: &[(String, String)],
        resources: Resources<'_>,
    ) -> Result<Model, Error> {
        let tree = |read| trees::model(read, file, given, &resources.structures);
        match self {
            Self::Avail => Model::read_with(&file.name, &file.text, given, resources),
            Self::Prism => prism::read(file, beside.iter().map(|(_, file)| file), given, resources),
            Self::Explicit => explicit::read(file, beside, given),
            Self::OpenPsa => tree(open_psa::read(&file.text, &file.name, top)?),
            Self::Galileo => tree(galileo::read(&file.text, &file.name)?),
        }
    }

    /// The fault tree of a file with the laws that stand there, its top event as in [`Self::read_with`]; nothing for the formats
    /// that are not of trees alone.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn tree(self, file: &File, top: Option<&str>) -> Result<Option<QuantifiedTree>, Error> {
        match self {
            Self::Avail | Self::Prism | Self::Explicit => Ok(None),
            Self::OpenPsa => open_psa::read(&file.text, &file.name, top).map(Some),
            Self::Galileo => galileo::read(&file.text, &file.name).map(Some),
        }
    }
}
