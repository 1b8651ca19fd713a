//! Models to be read more than once: a file of any format, or a built-in model by its name.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use availability::compose::{Composed, Taken};
use availability::estimate::Confidence;
use availability::formats::{File, Format};
use availability::model::{Model, Plan};
use availability::structure::QuantifiedTree;
use availability::{Error, own};

use crate::failure::{Failure, Kind};
use crate::output;

use super::figures::kept_value;
use super::machine::with_resources;
use super::{failure, once, text_of};

/// What stands before the file that a parameter was measured in.
const MEASURED: &str = "from measured \"";

/// The confidence of the intervals of measured parameters; their values do not depend on it.
const CONFIDENCE: f64 = 0.95;

/// A model that was found, and can be read with other values of its parameters.
pub(super) struct Source {
    /// The file or the built-in model, as it was named.
    pub(super) name: String,
    text: Text,
    /// The gate of a tree of Open-PSA that is its top event, if somebody says it.
    top: Option<String>,
    /// All files that were read.
    files: Vec<PathBuf>,
}

enum Text {
    /// In the model language, put together of all the files that it uses, and what it took from drills.
    Composed(Composed, Taken),
    /// In another format, with the files beside it.
    Other(Format, File, Vec<(&'static str, File)>),
}

impl Source {
    /// The model of this file; if there is no such file, the built-in one of this name. Parameters that come from the result of
    /// a drill take their values from the one that is given, else from those that the file names, if they are at hand.
    pub(super) fn open(path: &Path, drill: Option<&Path>) -> Result<Self, Failure> {
        let name = path.display().to_string();
        if path.extension().is_none() && !path.exists() {
            return Self::built_in(&name, drill);
        }
        let Some(ending) = path.extension().map(OsStr::to_string_lossy) else {
            return Err(Failure::new(Kind::Wrong, format!("{name} has no ending that says its format"))
                .help("name a file .avail, .sm, .prism, .tra, .xml or .dft, or a built-in model such as three-hosts"));
        };
        let format = Format::of_ending(&ending).map_err(|error| failure(Kind::Wrong, &error, ""))?;
        let file = text_of(path)?.ok_or_else(|| {
            Failure::new(Kind::Wrong, format!("there is no file {name}"))
                .help("name the file of a model, or a built-in model such as three-hosts")
        })?;
        let mut files = vec![path.to_owned()];
        if format == Format::Avail {
            let mut whole = composed(&name, &mut files)?;
            let mut taken = measure(&mut whole, &name, drill, true, &mut files)?;
            taken.absent.iter().for_each(|(file, parameters)| output::remark(&absent(file, parameters)));
            for (parameter, file) in missing(&whole) {
                taken.absent.entry(file).or_default().push(parameter);
            }
            return Ok(Self { text: Text::Composed(whole, taken), name, top: None, files });
        }
        let mut beside = Vec::new();
        for ending in format.beside() {
            let path = path.with_extension(ending);
            if let Some(file) = text_of(&path)? {
                beside.push((*ending, file));
                files.push(path);
            }
        }
        Ok(Self { name, text: Text::Other(format, file, beside), top: None, files })
    }

    /// The built-in model of this name; only a drill that is given changes its values. The files that it names are in the
    /// repository of the program, and nobody expects them here: none of them is absent.
    pub(super) fn built_in(name: &str, drill: Option<&Path>) -> Result<Self, Failure> {
        let mut whole = own::model(name).map_err(|error| failure(Kind::Wrong, &error, ""))?;
        let mut files = Vec::new();
        let taken = Taken { absent: BTreeMap::new(), ..measure(&mut whole, name, drill, false, &mut files)? };
        Ok(Self { name: name.to_owned(), text: Text::Composed(whole, taken), top: None, files })
    }

    /// The same, with the gate that is the top event of its tree.
    ///
    /// # Errors
    /// If its format says that itself, or it is no tree.
    pub(super) fn with_top(self, top: Option<&str>) -> Result<Self, Failure> {
        if top.is_some() && !matches!(self.text, Text::Other(Format::OpenPsa, ..)) {
            let what = format!("{} is no tree of Open-PSA, whose top event could be chosen", self.name);
            return Err(Failure::new(Kind::Wrong, what).help("leave --top away, or name a file .xml"));
        }
        Ok(Self { top: top.map(str::to_owned), ..self })
    }

    /// Refuses to write to a file that was read, under whatever name: it would be lost.
    pub(super) fn spare(&self, output: &Path) -> Result<(), Failure> {
        let identity = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        let Some(target) = identity(output) else { return Ok(()) };
        let input = self.files.iter().find(|file| identity(file.as_path()) == Some(target));
        let Some(input) = input else { return Ok(()) };
        let also = if input == output { String::new() } else { format!(" as {}", input.display()) };
        let what = format!("{} is read{also}, and would be lost if it were written", output.display());
        Err(Failure::new(Kind::Wrong, what).help("write to another file"))
    }

    /// Tells which parameters keep their values, since the drills that the model names have nothing about them.
    pub(super) fn tell_kept(&self) {
        if let Text::Composed(_, taken) = &self.text {
            taken.kept.iter().for_each(|kept| output::remark(&kept_value(kept)));
        }
    }

    /// The model, with other values for some parameters.
    pub(super) fn read(&self, given: &[(String, String)]) -> Result<Model, Failure> {
        once(given)?;
        let model = with_resources(|resources| match &self.text {
            Text::Composed(whole, _) => Model::read_with(&self.name, &whole.text(), given, resources),
            Text::Other(format, file, beside) => format.read_with(file, beside, self.top.as_deref(), given, resources),
        });
        model.map_err(|error| self.failure(Kind::Wrong, error))
    }

    /// The whole text of a model in the model language, and what it took from drills. Among what is absent are the files of
    /// which only the names are told.
    ///
    /// # Errors
    /// If it is in another format, of which what was wanted `cannot be told`.
    pub(super) fn text(&self, cannot_be_told: &str) -> Result<(String, &Taken), Failure> {
        match &self.text {
            Text::Composed(whole, taken) => Ok((whole.text(), taken)),
            Text::Other(..) => Err(Failure::new(Kind::Wrong, format!("{cannot_be_told} {}", self.name))
                .help("it takes a model in the language of docs/availability.md, its name ending with .avail")),
        }
    }

    /// The fault tree of a file that has nothing else, as it stands there.
    pub(super) fn tree(&self) -> Result<Option<QuantifiedTree>, Failure> {
        let Text::Other(format, file, _) = &self.text else { return Ok(None) };
        format.tree(file, self.top.as_deref()).map_err(|error| self.failure(Kind::Wrong, error))
    }

    /// What to do with a model that asks for nothing, in its own language.
    pub(super) const fn how_to_ask(&self) -> &'static str {
        match self.text {
            Text::Other(Format::Prism, ..) => {
                "write a property like `S=? [ n=0 ];` into a file beside it that ends with .csl or .props, or give states \
                 a `label` of which the share of time is asked"
            }
            Text::Other(Format::Explicit, ..) => {
                "give states labels of which the share of time is asked, in a file beside it that ends with .lab: \
                 `0=\"init\" 1=\"down\"`, then `STATE: 1`"
            }
            Text::Composed(..) | Text::Other(..) => "add a line like `measure unavailability of NAME`",
        }
    }

    /// An error of this model, at the file and line that it comes from, with the line. A wrong value is wrong usage, however
    /// late it was found.
    pub(super) fn failure(&self, kind: Kind, error: Error) -> Failure {
        let kind = if error.is_wrong { Kind::Wrong } else { kind };
        match &self.text {
            Text::Composed(whole, _) => {
                let place = error.place.as_ref().map_or(0, |place| place.line as usize);
                let text = whole.text();
                let line = text.lines().nth(place.saturating_sub(1)).unwrap_or_default();
                let error = whole.explain(error);
                // The line as the whole text has it, at its number in its own file.
                let above = error.place.as_ref().map_or(0, |place| place.line as usize - 1);
                failure(kind, &error, &format!("{}{line}", "\n".repeat(above)))
            }
            Text::Other(_, file, beside) => {
                let place = error.place.as_ref().map(|place| place.file.as_str());
                let mut all = std::iter::once(file).chain(beside.iter().map(|(_, file)| file));
                let text = all.find(|file| place == Some(&file.name)).map_or("", |file| &file.text);
                failure(kind, &error, text)
            }
        }
    }

    /// Solves a plan; that this is impossible is a failure of the model.
    pub(super) fn solve(&self, plan: &Plan<'_>) -> Result<Vec<availability::Certain>, Failure> {
        plan.solve().map_err(|error| self.failure(Kind::Failed, error))
    }
}

/// That a file which parameters come from is not there.
fn absent(file: &str, parameters: &[String]) -> String {
    let keep = if parameters.len() == 1 { "keeps the value" } else { "keep the values" };
    format!("{} {keep} of the model: there is no file {file} that can be read.", parameters.join(", "))
}

/// The parameters that are said to be measured in a file which is not there and from which nothing is taken: each with this
/// file, whose path in the text is relative to the file of its line.
fn missing(whole: &Composed) -> Vec<(String, String)> {
    let text = whole.text();
    let mut missing = Vec::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let Some((parameter, named)) = measured_in(line) else { continue };
        let own = whole.file_of(number).unwrap_or_default();
        let path = Path::new(own).parent().unwrap_or(Path::new("")).join(named);
        if matches!(path.try_exists(), Ok(false)) {
            missing.push((parameter.to_owned(), path.display().to_string()));
        }
    }
    missing
}

/// The parameter of a line, and the file that it was measured in, if only a file is named and no estimate in it.
fn measured_in(line: &str) -> Option<(&str, &str)> {
    let (before, behind) = line.split_once(MEASURED)?;
    let (parameter, _) = before.trim_start().strip_prefix("parameter ")?.split_once('=')?;
    let (named, _) = behind.split_once('"')?;
    // Behind a `;` begins another statement, behind a `#` a remark.
    (!before.contains([';', '#']) && is_file(named)).then_some((parameter.trim(), named))
}

/// Whether what is said of a measurement is the name of a file, and no words about it (`two years of operation`) or an address:
/// it has an ending, and nothing that such words have.
fn is_file(named: &str) -> bool {
    let ending = Path::new(named).extension().and_then(OsStr::to_str).unwrap_or_default();
    let is_name = !named.contains(|c: char| c.is_whitespace() || c == '#' || c == ':');
    is_name && ending.starts_with(char::is_alphabetic) && ending.chars().all(char::is_alphanumeric)
}

/// The file put together with those that it uses, all of which join the `files` that were read.
fn composed(name: &str, files: &mut Vec<PathBuf>) -> Result<Composed, Failure> {
    let read = |path: &str| {
        let file = text_of(Path::new(path))
            .map_err(|failure| Error::new(failure.what(), failure.remedy().unwrap_or("look at its name").to_owned()))?;
        file.map(|file| file.text).ok_or_else(|| Error::new(format!("there is no file {path}"), "look at its name"))
    };
    let mut noted = |path: &str| {
        files.push(PathBuf::from(path));
        read(path)
    };
    Composed::new(name, &mut noted).map_err(|error| {
        let text = error.place.as_ref().and_then(|place| read(&place.file).ok());
        failure(Kind::Wrong, &error, &text.unwrap_or_default())
    })
}

/// Takes what drills have measured: of the file that is given, else, if `at_hand`, of those that the model of this name names.
/// They join the `files` that were read.
fn measure(
    whole: &mut Composed,
    name: &str,
    drill: Option<&Path>,
    at_hand: bool,
    files: &mut Vec<PathBuf>,
) -> Result<Taken, Failure> {
    let wrong = |error: Error| failure(Kind::Wrong, &error, "");
    let confidence = Confidence::two_sided(CONFIDENCE).map_err(wrong)?;
    let Some(drill) = drill else {
        let mut found = |path: &str| {
            let file = text_of(Path::new(path)).ok().flatten().filter(|_| at_hand)?;
            files.push(PathBuf::from(path));
            Some(file)
        };
        return whole.measure(confidence, &mut found).map_err(wrong);
    };
    files.push(drill.to_owned());
    let file = text_of(drill)?.ok_or_else(|| {
        Failure::new(Kind::Wrong, format!("there is no file {}", drill.display())).help("name a result of a drill")
    })?;
    let taken = whole.measure(confidence, &mut |_| Some(file.clone())).map_err(wrong)?;
    if taken.replaced.is_empty() {
        let what = format!("{name} takes no parameter from a drill, so that {} changes nothing", drill.display());
        return Err(Failure::new(Kind::Wrong, what).help(
            "leave --drill away, or let a parameter come from measured \"drill.json#coverage of kill sip.primary\"",
        ));
    }
    Ok(taken)
}
