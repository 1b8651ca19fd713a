//! Models to be read more than once: a file of any format, or a built-in model by its name.

use std::path::Path;

use availability::compose::Composed;
use availability::estimate::Confidence;
use availability::formats::{File, Format};
use availability::model::{Model, Plan};
use availability::{Error, own};

use crate::failure::{Failure, Kind};

use super::{failure, text_of};

/// The confidence of the intervals of measured parameters; their values do not depend on it.
const CONFIDENCE: f64 = 0.95;

/// A model that was found, and can be read with other values of its parameters.
pub(super) struct Source {
    /// The file or the built-in model, as it was named.
    pub(super) name: String,
    text: Text,
}

enum Text {
    /// In the model language, put together of all the files that it uses.
    Composed(Composed),
    /// In another format, with the files beside it.
    Other(Format, File, Vec<(&'static str, File)>),
}

impl Source {
    /// The model of this file; if there is no such file, the built-in one of this name. Parameters that a result of a drill has
    /// measured take their values from it, if it is at hand.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        if path.extension().is_none() && !path.exists() {
            return Self::built_in(&name);
        }
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let format = Format::of_ending(&ending).map_err(|error| failure(Kind::Wrong, &error, ""))?;
        let file = text_of(path)?.ok_or_else(|| {
            Failure::new(Kind::Wrong, format!("there is no file {name}"))
                .help("name the file of a model, or a built-in model such as three-hosts")
        })?;
        if format == Format::Avail {
            return Ok(Self { text: Text::Composed(composed(&name)?), name });
        }
        let mut beside = Vec::new();
        for ending in format.beside() {
            if let Some(file) = text_of(&path.with_extension(ending))? {
                beside.push((*ending, file));
            }
        }
        Ok(Self { name, text: Text::Other(format, file, beside) })
    }

    /// The built-in model of this name.
    pub(super) fn built_in(name: &str) -> Result<Self, Failure> {
        let composed = own::model(name).map_err(|error| failure(Kind::Wrong, &error, ""))?;
        Ok(Self { name: name.to_owned(), text: Text::Composed(composed) })
    }

    /// The model, with other values for some parameters.
    pub(super) fn read(&self, given: &[(String, String)]) -> Result<Model, Failure> {
        let model = match &self.text {
            Text::Composed(whole) => Model::read(&self.name, &whole.text(), given),
            Text::Other(format, file, beside) => format.read(file, beside, given),
        };
        model.map_err(|error| self.failure(Kind::Wrong, error))
    }

    /// The same with the parts of a measure behind its own measures, as [`Model::read_parts`] has them.
    pub(super) fn read_parts(&self, given: &[(String, String)], measure: &str) -> Result<Model, Failure> {
        let Text::Composed(whole) = &self.text else {
            return Err(Failure::new(Kind::Wrong, format!("the parts of {} cannot be told apart", self.name))
                .help("only models in the language .avail say which parts a service has"));
        };
        Model::read_parts(&self.name, &whole.text(), given, measure).map_err(|error| self.failure(Kind::Wrong, error))
    }

    /// An error of this model, at the file and line that it comes from.
    pub(super) fn failure(&self, kind: Kind, error: Error) -> Failure {
        match &self.text {
            Text::Composed(whole) if error.place.is_some() => {
                let error = whole.explain(error);
                let is_own = error.place.as_ref().is_some_and(|place| place.file == self.name);
                failure(kind, &error, &if is_own { self.own_text() } else { String::new() })
            }
            Text::Other(_, file, beside) => {
                let place = error.place.as_ref().map(|place| place.file.as_str());
                let mut all = std::iter::once(file).chain(beside.iter().map(|(_, file)| file));
                let text = all.find(|file| place == Some(&file.name)).map_or("", |file| &file.text);
                failure(kind, &error, text)
            }
            Text::Composed(_) => failure(kind, &error, ""),
        }
    }

    /// The text of the file that was named, if it is one.
    fn own_text(&self) -> String {
        text_of(Path::new(&self.name)).ok().flatten().map(|file| file.text).unwrap_or_default()
    }

    /// Solves a plan; that this is impossible is a failure of the model.
    pub(super) fn solve(&self, plan: &Plan<'_>) -> Result<Vec<availability::Certain>, Failure> {
        plan.solve().map_err(|error| self.failure(Kind::Failed, error))
    }
}

/// The file put together with those that it uses, and with what was measured.
fn composed(name: &str) -> Result<Composed, Failure> {
    let wrong = |error: Error| failure(Kind::Wrong, &error, "");
    let mut whole = Composed::new(name, &mut |path| {
        let file = text_of(Path::new(path))
            .map_err(|failure| Error::new(failure.what(), failure.remedy().unwrap_or("look at its name").to_owned()))?;
        file.map(|file| file.text).ok_or_else(|| Error::new(format!("there is no file {path}"), "look at its name"))
    })
    .map_err(wrong)?;
    let confidence = Confidence::two_sided(CONFIDENCE).map_err(wrong)?;
    whole
        .measure(confidence, &mut |path| text_of(Path::new(path)).ok().flatten().map(|file| file.text))
        .map_err(wrong)?;
    Ok(whole)
}
