//! `everline.toml`: reading it, and saying all that is wrong with it at once.
//!
//! The file is parsed into a tree that knows where each value stands; [`sections`] turns the tree into values and
//! [`check`] looks at what lies between them. Neither stops at an error: each one is noted as a [`problem`] and
//! reading goes on, so that a person sees everything in one go. [`render`] shows it.

mod address;
mod check;
mod drill;
pub(crate) mod example;
mod fence;
mod hosts;
mod lacking;
mod names;
mod own;
mod placement;
mod problem;
mod render;
mod secret;
mod section;
mod sections;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::{fs, io};

use node::configuration::Document as Shared;

use toml::de::DeTable;

pub(crate) use self::names::{is_name, suggest};
pub(crate) use self::problem::KEPT as PROBLEMS_MAX;
pub(crate) use self::render::{Report, unreadable_json};

pub(crate) use self::hosts::network_of;
use self::lacking::Lacking;
use self::problem::{Problem, Problems};
use self::secret::Sources;
use self::sections::Document;
use crate::failure::{Failure, Kind};
use crate::settings::{Agent, Extension, Listen, Queue, Settings, Sip, Transport, Trunk};

/// The largest configuration that is read, in bytes: some hundred times that of 100,000 extensions would be absurd.
const FILE_MAX: u64 = 64 << 20;

/// Where the SIP Server listens if the file does not say: SIP's port (RFC 3261 19.1.2) on loopback.
const LISTEN: (std::net::Ipv4Addr, u16) = (std::net::Ipv4Addr::LOCALHOST, 5060);

/// What reading a file gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The settings; `None` if there is an error.
    pub(crate) settings: Option<Settings>,
    /// Errors and warnings.
    pub(crate) report: Report,
    /// What it was made of.
    pub(crate) source: Source,
    /// What it asks for and is not here.
    pub(crate) lacking: Lacking,
}

/// All that settings are made of: whoever has it makes the same of it, whatever files and variables are there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    /// The text of the file; empty if that is not known.
    pub(crate) text: String,
    /// What it takes from other files, by their names.
    pub(crate) files: BTreeMap<String, String>,
    /// What it takes from the environment.
    pub(crate) variables: BTreeMap<String, String>,
}

/// Reads and checks a configuration file, with secrets from the environment where it asks for them.
///
/// # Errors
/// If the file cannot be read at all; says why, and what to do.
pub(crate) fn read(path: &Path) -> Result<Outcome, Failure> {
    read_beside(path, None)
}

/// The same on one of several hosts: what is not here, as only another host has it, is as in the version that was `seen` last.
///
/// # Errors
/// As [`read()`].
pub(crate) fn read_beside(path: &Path, seen: Option<&Shared>) -> Result<Outcome, Failure> {
    let unreadable = |error: io::Error| {
        let (kind, help) = match error.kind() {
            io::ErrorKind::NotFound => {
                (Kind::Wrong, "`everline up` writes an example if there is none; --dir names another folder")
            }
            io::ErrorKind::PermissionDenied => {
                (Kind::Failed, "let this user read it, or give the command as the user whose contact centre it is")
            }
            _ => (Kind::Failed, "it must be a file that can be read"),
        };
        Failure::new(kind, format!("cannot read {}: {error}", path.display())).help(help)
    };
    let found = fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        let what = format!("{} is no file with a text: it cannot be a configuration", path.display());
        return Err(Failure::new(Kind::Wrong, what).help("name the folder that has `everline.toml` with --dir"));
    }
    if found.len() > FILE_MAX {
        let what = format!("{} is larger than {} MiB: it cannot be a configuration", path.display(), FILE_MAX >> 20);
        return Err(Failure::new(Kind::Wrong, what));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let taken = RefCell::new(Source { text: String::from_utf8_lossy(&bytes).into_owned(), ..Source::default() });
    let lacking = RefCell::new(Lacking::default());
    let file = |name: &str| {
        let path = folder.join(name);
        let found = match secret::from_file(&path) {
            // One that is here and cannot be read is not passed over.
            Err(error) if path.try_exists().is_ok_and(|is_there| !is_there) => {
                let known = seen.and_then(|seen| seen.files.get(name));
                lacking.borrow_mut().look_up(format!("the file {name}"), known).ok_or(error)
            }
            found => found,
        };
        taken.borrow_mut().files.extend(found.iter().map(|text| (name.to_owned(), text.clone())));
        found
    };
    let variable = |name: &str| {
        let found = std::env::var(name).ok().or_else(|| {
            let known = seen.and_then(|seen| seen.variables.get(name));
            lacking.borrow_mut().look_up(format!("the variable {name}"), known)
        });
        taken.borrow_mut().variables.extend(found.iter().map(|text| (name.to_owned(), text.clone())));
        found
    };
    let outcome = parse(path.display().to_string(), bytes, &Sources { file: &file, variable: &variable });
    Ok(Outcome { source: taken.into_inner(), lacking: lacking.into_inner(), ..outcome })
}

/// Checks the configuration that all hosts share, with the secrets that came with it.
pub(crate) fn shared(document: &Shared) -> Outcome {
    let missing = |name: &str| format!("the configuration came without {name}");
    let file = |name: &str| document.files.get(name).cloned().ok_or_else(|| missing(name));
    let variable = |name: &str| document.variables.get(name).cloned();
    let name = format!("version {} of the configuration", document.version);
    parse(name, document.text.clone().into_bytes(), &Sources { file: &file, variable: &variable })
}

/// Checks the bytes of a configuration file.
fn parse(file: String, bytes: Vec<u8>, sources: &Sources<'_>) -> Outcome {
    let mut problems = Problems::default();
    let mut broken = false;
    let text = String::from_utf8(bytes).unwrap_or_else(|error| {
        broken = true;
        let at = error.utf8_error().valid_up_to();
        problems.add(Problem::error(at..at, "", "the file is not UTF-8 from here on").allowed("text in UTF-8"));
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    let (root, errors) = DeTable::parse_recoverable(&text);
    broken |= !errors.is_empty();
    for error in errors {
        let span = visible(&text, error.span().unwrap_or_default());
        let what = if lacks_value(&text, span.start) { "a value is missing" } else { error.message() };
        problems.add(Problem::error(span, "", what).allowed("here"));
    }
    // What a broken line was meant to say is not known, so what stands around it may well be right.
    let document = if broken { Document::default() } else { sections::read(root.get_ref(), sources, &mut problems) };
    check::check(&document, model::hash64, &mut problems);
    let settings = if problems.errors() == 0 { settle(document) } else { None };
    let (source, lacking) = (Source::default(), Lacking::default());
    Outcome { settings, report: Report::new(file, text, problems), source, lacking }
}

/// The span itself, or the character before it if it is empty: nothing can be pointed at behind the end of a line.
fn visible(text: &str, span: Range<usize>) -> Range<usize> {
    match text.get(..span.start).and_then(|before| before.chars().next_back()) {
        Some(last) if span.is_empty() && last != '\n' => span.start - last.len_utf8()..span.end,
        _ => span,
    }
}

/// Whether the line that holds the byte ends behind its `=`, but for a comment.
fn lacks_value(text: &str, at: usize) -> bool {
    let (Some(before), Some(behind)) = (text.get(..at), text.get(at..)) else { return false };
    let begin = before.rfind('\n').map_or(0, |end| end + 1);
    let end = behind.find('\n').map_or(text.len(), |end| at + end);
    let line = text.get(begin..end).unwrap_or_default();
    line.split_once('=').is_some_and(|(_, value)| value.trim().is_empty() || value.trim().starts_with('#'))
}

/// Where it listens if the file does not say.
fn usual_listen() -> [Listen; 2] {
    [Transport::Udp, Transport::Tcp].map(|transport| Listen { transport, address: LISTEN.into() })
}

/// The settings that the document stands for; `None` if something is missing in it, which has been noted.
fn settle(document: Document<'_>) -> Option<Settings> {
    let hosts = placement::settle(&document);
    let sip = document.sip;
    let extension = |extension: sections::Extension<'_>| {
        Some(Extension { number: extension.number?.value.to_owned(), device: extension.device? })
    };
    let agent = |agent: sections::Agent<'_>| {
        let (id, extension) = (agent.id?.value.to_owned(), agent.extension?.value.to_owned());
        Some(Agent { id, extension, auto_ready: agent.auto_ready })
    };
    let queue = |queue: sections::Queue<'_>| {
        Some(Queue {
            number: queue.number?.value.to_owned(),
            agents: queue.agents?.value.into_iter().map(|agent| agent.value.to_owned()).collect(),
            capacity: queue.capacity,
            default: queue.default.map(|default| default.value.to_owned()),
            no_answer: queue.no_answer,
        })
    };
    let trunk = |trunk: sections::Trunk<'_>| {
        let (address, port) = trunk.address?.value;
        Some(Trunk { name: trunk.name?.value.to_owned(), address, port })
    };
    Some(Settings {
        solution: document.solution.map_or_else(|| "everline".into(), |name| name.value.to_owned()),
        sip: Sip {
            domain: sip.domain,
            listen: sip
                .listen
                .map_or(usual_listen().to_vec(), |listen| listen.into_iter().map(|at| at.value).collect()),
            standby: sip.standby,
            sha_256: sip.sha_256,
            min_expires: sip.min_expires,
            max_expires: sip.max_expires,
            probe_call: sip.probe_call,
        },
        extensions: document.extensions.into_iter().map(extension).collect::<Option<_>>()?,
        agents: document.agents.into_iter().map(agent).collect::<Option<_>>()?,
        queues: document.queues.into_iter().map(queue).collect::<Option<_>>()?,
        trunks: document.trunks.into_iter().map(trunk).collect::<Option<_>>()?,
        fence: document.fence.map(|fence| fence.value).unwrap_or_default(),
        may_drill: document.may_drill,
        hosts,
    })
}
