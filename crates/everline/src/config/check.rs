//! What no section can see alone: names that stand for two things, and names that stand for nothing.

use std::collections::BTreeMap;
use std::ops::Range;

use super::names::{Names, Taken};
use super::problem::{Problem, Problems};
use super::section::At;
use super::sections::{Document, Queue};
use super::{own, placement};
use crate::settings::Listen;

/// Missing names for which a similar one is looked for; for a thousand of them it would take too long.
const SUGGESTIONS: usize = 20;

/// Notes all that is wrong between the sections; `hash` numbers names (in earnest: [`model::hash64`]).
pub(super) fn check<'a>(document: &Document<'a>, hash: fn(&[u8]) -> u64, problems: &mut Problems) {
    let mut checker = Checker { hash, suggestions: SUGGESTIONS, problems };
    let numbers = document.extensions.iter().filter_map(|extension| extension.number.as_ref());
    let extensions = checker.unique("[[extension]] number", numbers);
    let agents = checker.unique("[[agent]] id", document.agents.iter().filter_map(|agent| agent.id.as_ref()));
    checker.unique("[[queue]] number", document.queues.iter().filter_map(|queue| queue.number.as_ref()));
    checker.unique("[[trunk]] name", document.trunks.iter().filter_map(|trunk| trunk.name.as_ref()));
    let seats = document.agents.iter().filter_map(|agent| agent.extension.as_ref());
    checker.unique("[[agent]] extension", seats.clone());
    for seat in seats {
        checker.exists("[[agent]] extension", seat, "extension", &extensions);
    }
    for queue in &document.queues {
        checker.queue(queue, &extensions, &agents);
    }
    checker.listen(document.sip.listen.iter().flatten());
    let addresses = document.trunks.iter().filter_map(|trunk| trunk.address.as_ref());
    checker.different("[[trunk]] address", addresses);
    checker.own(document);
    placement::check(document, &mut checker);
}

/// What looks between the sections.
pub(super) struct Checker<'p> {
    hash: fn(&[u8]) -> u64,
    suggestions: usize,
    pub(super) problems: &'p mut Problems,
}

impl Checker<'_> {
    /// Notes each name that was there before, or that has the number of another.
    pub(super) fn unique<'n, 'a: 'n>(&mut self, key: &str, names: impl Iterator<Item = &'n At<&'a str>>) -> Names<'a> {
        let mut known = Names::new(self.hash);
        for name in names {
            match known.add(name.value, &name.span) {
                Ok(()) => {}
                Err(Taken::Twice(first)) => self.problems.add(twice(key, name.span.clone(), first)),
                Err(Taken::Collides(other)) => self.problems.add(
                    Problem::error(name.span.clone(), key, format!("records cannot tell it from \"{other}\""))
                        .allowed("take another name")
                        .help("the two names have the same 64-bit hash, by which records are found"),
                ),
            }
        }
        known
    }

    /// Notes each value that was there before.
    pub(super) fn different<'n, T: Ord + 'n>(&mut self, key: &str, values: impl Iterator<Item = &'n At<T>>) {
        let mut known = BTreeMap::new();
        for At { value, span } in values {
            if let Some(first) = known.insert(value, span) {
                self.problems.add(twice(key, span.clone(), first.clone()));
            }
        }
    }

    /// Notes it if no `section` has the name, with the one that was probably meant.
    pub(super) fn exists(&mut self, key: &str, name: &At<&str>, section: &str, known: &Names<'_>) {
        if known.has(name.value) {
            return;
        }
        let problem = Problem::error(name.span.clone(), key, format!("there is no {section} \"{}\"", name.value));
        let meant = if self.suggestions > 0 { known.suggest(name.value) } else { None };
        self.suggestions = self.suggestions.saturating_sub(1);
        self.problems.add(match meant {
            Some(meant) => problem.allowed(format!("did you mean \"{meant}\"?")),
            None => problem.allowed(format!("one that has its own [[{section}]]")),
        });
    }

    fn queue(&mut self, queue: &Queue<'_>, extensions: &Names<'_>, agents: &Names<'_>) {
        if let Some(number) = queue.number.as_ref().filter(|number| extensions.has(number.value)) {
            let problem = Problem::error(number.span.clone(), "[[queue]] number", "an extension has this number");
            self.problems.add(problem.allowed("a number that nothing else has"));
        }
        if let Some(default) = &queue.default {
            self.exists("[[queue]] default", default, "extension", extensions);
        }
        let Some(list) = &queue.agents else { return };
        if list.value.is_empty() {
            let problem = Problem::warning(list.span.clone(), "[[queue]] agents", "nobody takes its calls");
            self.problems.add(problem.allowed("callers wait here until they hang up"));
        }
        self.unique("[[queue]] agents", list.value.iter());
        for agent in &list.value {
            self.exists("[[queue]] agents", agent, "agent", agents);
        }
    }

    /// Notes each device and trunk that stands where Everline itself listens: a call to it would come back.
    fn own(&mut self, document: &Document<'_>) {
        let usual = super::usual_listen();
        let listens = if document.sip.listen.is_some() { own::listens(document) } else { usual.to_vec() };
        let contacts = document.extensions.iter().filter_map(|extension| extension.contact.as_ref());
        let contacts = contacts.filter(|contact| listens.contains(&contact.value));
        let trunks = document.trunks.iter().filter_map(|trunk| trunk.address.as_ref());
        let trunks = trunks.filter(|trunk| {
            let (ip, port) = trunk.value;
            listens.iter().any(|listen| listen.address.ip() == ip && Some(listen.address.port()) == port)
        });
        let spans = contacts.map(|contact| ("[[extension]] contact", &contact.span));
        for (key, span) in spans.chain(trunks.map(|trunk| ("[[trunk]] address", &trunk.span))) {
            let problem = Problem::error(span.clone(), key, "Everline itself listens there");
            self.problems.add(problem.allowed("the address of another program"));
        }
    }

    fn listen<'n>(&mut self, addresses: impl Iterator<Item = &'n At<Listen>> + Clone) {
        let key = "[sip] listen";
        self.different(key, addresses.clone().filter(|listen| listen.value.address.port() != 0));
        if let Some(open) = addresses.into_iter().find(|listen| !listen.value.address.ip().is_loopback()) {
            let problem = Problem::warning(open.span.clone(), key, "other machines can reach this address");
            let help = "every [[extension]] needs a password that nobody guesses, and a firewall does no harm";
            self.problems.add(problem.allowed("not a loopback address").help(help));
        }
    }
}

fn twice(key: &str, span: Range<usize>, first: Range<usize>) -> Problem {
    Problem::error(span, key, "this is there twice").allowed("the second time").also(first, "the first time")
}
