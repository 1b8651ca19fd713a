//! Explicit chains, as PRISM and Storm write and read them: states are numbers, and each file lists one thing.
//!
//! - `.tra`: `STATES TRANSITIONS`, then `FROM TO RATE` in each line;
//! - `.lab`: `0="init" 1="down"`, then `STATE: LABEL LABEL` in each line; also the form of Storm, names between
//!   `#DECLARATION` and `#END`, then `STATE NAME NAME`;
//! - `.srew`: `STATES ENTRIES`, then `STATE REWARD` in each line; the first line may be missing;
//! - `.sta`: `(x,y)`, then `STATE:(VALUES)` in each line; names the states.
//!
//! The chain begins in the state labelled `init`, else in state 0. Of each other label its probability in the long run is
//! asked, of a label `down` (or the opposite of `up`) also how often it is entered and the mean time to it, and of
//! rewards their rate. A state that is named beside the transitions has to be in one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::chain::Chain;
use crate::formats::{File, usual};
use crate::model::{Model, Resources, compile_unitless};
use crate::text::ast::{self, Body, ChainItem, Document, Expr, ExprKind, Item, Reference};
use crate::text::exact::Exact;
use crate::text::source::{Name, Source, Span, without_mark};
use crate::{Error, Place};

/// What the chain is called inside.
const MODEL: &str = "the chain";
/// What its rewards are called: files give them no name.
const REWARD: &str = "";

/// Reads a chain: the file of its transitions, and those beside it, each with its ending.
///
/// # Errors
/// The first line that is wrong, with its file.
pub fn read(transitions: &File, beside: &[(&str, File)], given: &[(String, String)]) -> Result<Model, Error> {
    let with = |ending: &str| beside.iter().find(|(own, _)| *own == ending).map(|(_, file)| file);
    let mut reading = Reading {
        file: &transitions.name,
        states: 0,
        drawn: BTreeSet::new(),
        items: Vec::new(),
        names: BTreeMap::new(),
    };
    if let Some(file) = with("sta") {
        reading.names = names(file)?;
    }
    let declared = reading.transitions(transitions)?;
    let labels = match with("lab") {
        Some(file) => reading.labels(file)?,
        None => BTreeMap::new(),
    };
    for (name, states) in &labels {
        reading.label(name, states);
    }
    if let Some(file) = with("srew") {
        reading.rewards(file)?;
    }
    if let Some(states) = declared.filter(|&states| states != reading.drawn.len()) {
        let drawn = reading.drawn.len();
        let what = format!("the first line says {states} states, and transitions lead from and to {drawn} of them");
        let place = Place { file: transitions.name.clone(), line: 1, column: 1 };
        return Err(Error::new(what, "each state has one: is the number right, or the file cut off?").at(place));
    }
    let used = labels.iter().filter(|(_, states)| !states.is_empty());
    let used: Vec<&str> = used.map(|(name, _)| name.as_str()).collect();
    let has_down = used.iter().any(|label| matches!(*label, "up" | "down"));
    let measures = usual::measures(MODEL, used.into_iter(), has_down, with("srew").map(|_| REWARD).into_iter());
    let model = ast::Model { name: name(MODEL), body: Body::Chain(reading.items) };
    let document = Document { models: vec![model], measures, ..Document::default() };
    let source = Source::new(&transitions.name, &transitions.text);
    compile_unitless(source, &document, given, Resources::default())
}

/// A chain as lines of a model.
struct Reading<'a> {
    /// The name of the file of the transitions.
    file: &'a str,
    /// How many states it has, and those that its transitions lead from or to.
    states: usize,
    drawn: BTreeSet<usize>,
    items: Vec<Item<ChainItem>>,
    names: BTreeMap<usize, String>,
}

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), span: Span::default() }
}

/// The lines of a file that say something, with their places.
fn lines(file: &File) -> impl Iterator<Item = (Place, &str)> {
    let placed = |(number, text): (usize, &'_ str)| {
        let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
        Place { file: file.name.clone(), line, column: (text.len() - text.trim_start().len() + 1) as u32 }
    };
    let said = without_mark(&file.text).lines().enumerate().filter(|(_, text)| !text.trim().is_empty());
    said.map(move |line| (placed(line), line.1.trim()))
}

/// An error in a line.
fn wrong(place: Place, text: &str, remedy: &str) -> Error {
    Error::new(format!("`{text}` is not understood"), remedy).at(place)
}

impl Reading<'_> {
    fn state(&self, index: usize) -> Reference {
        let text = self.names.get(&index).cloned().unwrap_or_else(|| index.to_string());
        Reference { name: name(&text), indexes: Vec::new() }
    }

    /// Refuses a state that the transitions do not have, at the place that names it.
    fn check(&self, state: usize, place: &Place) -> Result<(), Error> {
        let (what, remedy) = if state >= self.states {
            let what = format!("state {state} does not exist: the file {} has {} states", self.file, self.states);
            (what, "states are counted from 0")
        } else if self.drawn.contains(&state) {
            return Ok(());
        } else {
            let what = format!("no transition of the file {} leads from state {state} or to it", self.file);
            (what, "add its transitions there, or take the state away here")
        };
        Err(Error::new(what, remedy).at(place.clone()))
    }

    /// Reads the transitions; how many states there are, if the file says it.
    fn transitions(&mut self, file: &File) -> Result<Option<usize>, Error> {
        const FORM: &str = "the first line is `STATES TRANSITIONS`, the others are `FROM TO RATE`";
        let mut declared = None;
        for (place, text) in lines(file) {
            let words: Vec<&str> = text.split_whitespace().collect();
            match words[..] {
                ["ctmc"] | ["STATES", _] | ["TRANSITIONS", _] => {}
                [states, transitions] if declared.is_none() => {
                    let number = |word: &str| word.parse::<usize>().map_err(|_| wrong(place.clone(), text, FORM));
                    declared = Some((number(states)?, number(transitions)?));
                }
                [from, to, rate] => {
                    let index = |word: &str| word.parse::<usize>().map_err(|_| wrong(place.clone(), text, FORM));
                    let (from, to) = (index(from)?, index(to)?);
                    if let Some((states, _)) = declared
                        && from.max(to) >= states
                    {
                        let what = format!("state {} does not exist: the file has {states} states", from.max(to));
                        return Err(Error::new(what, "states are counted from 0").at(place));
                    }
                    let value =
                        Exact::decimal(rate).ok_or_else(|| wrong(place.clone(), text, "a rate is a number above 0"))?;
                    self.states = self.states.max(from.max(to) + 1);
                    self.drawn.extend([from, to]);
                    let rate = Expr { kind: ExprKind::Number(value), span: Span::default() };
                    let (from, to) = (self.state(from), self.state(to));
                    self.items.push(Item::One(ChainItem::Arc { from, to, rate }));
                }
                _ => return Err(wrong(place, text, FORM)),
            }
        }
        let Some((states, transitions)) = declared else { return Ok(None) };
        self.states = self.states.max(states);
        if transitions == self.items.len() {
            return Ok(Some(states));
        }
        let place = Place { file: file.name.clone(), line: 1, column: 1 };
        let what = format!("the file has {} transitions, and its first line says {transitions}", self.items.len());
        Err(Error::new(what, "is the file cut off?").at(place))
    }

    fn label(&mut self, label: &str, states: &[usize]) {
        let states: Vec<Reference> = states.iter().map(|&state| self.state(state)).collect();
        match (label, states.first()) {
            ("init", Some(first)) => self.items.push(Item::One(ChainItem::Start(first.clone()))),
            ("up", Some(_)) => self.items.push(Item::One(ChainItem::Up(states))),
            ("down", Some(_)) => self.items.push(Item::One(ChainItem::Down(states))),
            (_, Some(_)) => self.items.push(Item::One(ChainItem::Label(name(label), states))),
            (_, None) => {}
        }
    }

    fn rewards(&mut self, file: &File) -> Result<(), Error> {
        const FORM: &str = "the first line may be `STATES ENTRIES`, the others are `STATE REWARD`";
        let all: Vec<_> = lines(file).collect();
        // A header counts the lines behind it.
        let is_header = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            words.len() == 2 && words[0].parse() == Ok(self.states) && words[1].parse() == Ok(all.len() - 1)
        };
        let skip = usize::from(all.first().is_some_and(|(_, text)| is_header(text)));
        for (place, text) in all.iter().skip(skip) {
            let words: Vec<&str> = text.split_whitespace().collect();
            let parsed = match words[..] {
                [state, reward] => state.parse::<usize>().ok().zip(Exact::decimal(reward)),
                _ => None,
            };
            let Some((state, value)) = parsed else { return Err(wrong(place.clone(), text, FORM)) };
            self.check(state, place)?;
            let amount = Expr { kind: ExprKind::Number(value), span: Span::default() };
            let terms = vec![(self.state(state), None, amount)];
            self.items.push(Item::One(ChainItem::Reward(name(REWARD), terms)));
        }
        Ok(())
    }

    /// Labels with their states, in either form.
    fn labels(&self, file: &File) -> Result<BTreeMap<String, Vec<usize>>, Error> {
        const FORM: &str = "the first line is `0=\"init\" 1=\"down\"`, the others are `STATE: LABEL LABEL`";
        let mut lines = lines(file).peekable();
        let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_number = BTreeMap::new();
        if lines.peek().is_some_and(|(_, text)| *text == "#DECLARATION") {
            for (_, text) in lines.by_ref().skip(1).take_while(|(_, text)| *text != "#END") {
                found.extend(text.split_whitespace().map(|name| (name.to_owned(), Vec::new())));
            }
        } else if let Some((place, text)) = lines.next() {
            for pair in text.split_whitespace() {
                let (number, name) = pair.split_once('=').ok_or_else(|| wrong(place.clone(), text, FORM))?;
                let name = name.trim_matches('"').to_owned();
                by_number.insert(number.to_owned(), name.clone());
                found.insert(name, Vec::new());
            }
        }
        for (place, text) in lines {
            let mut words = text.split(|c: char| c.is_whitespace() || c == ':').filter(|word| !word.is_empty());
            let state = words.next().and_then(|word| word.parse::<usize>().ok());
            let state = state.ok_or_else(|| wrong(place.clone(), text, FORM))?;
            self.check(state, &place)?;
            for word in words {
                let label = by_number.get(word).map_or(word, String::as_str);
                let Some(states) = found.get_mut(label) else {
                    let what = format!("there is no label `{label}`");
                    return Err(Error::new(what, "declare it at the top of the file").at(place));
                };
                states.push(state);
            }
        }
        Ok(found)
    }
}

/// `(x,y)`, then `0:(0,1)`.
fn names(file: &File) -> Result<BTreeMap<usize, String>, Error> {
    let mut names = BTreeMap::new();
    for (place, text) in lines(file).skip(1) {
        let Some((index, values)) =
            text.split_once(':').and_then(|(index, values)| Some((index.parse().ok()?, values)))
        else {
            return Err(wrong(place, text, "the lines are `STATE:(VALUES)`"));
        };
        names.insert(index, values.trim().to_owned());
    }
    Ok(names)
}

/// A chain as texts of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The transitions; arcs between the same two states are added.
    pub tra: String,
    /// The labels, with `init` for where the chain begins.
    pub lab: String,
    /// What the states earn, for each reward of the chain in the order of its names; nothing for one that only arcs earn.
    pub srew: Vec<(String, String)>,
}

/// Writes a chain in the form of PRISM. What arcs earn ([`Chain::rewards_of_arcs`]) has no place in these files and is left
/// out.
///
/// # Errors
/// If the chain begins in several states, which has no place there either, or a label has the name of another one that is there
/// always: `init`, `deadlock`.
pub fn write(chain: &Chain<f64>) -> Result<Written, Error> {
    let initial = chain.initial();
    let [(start, _)] = initial[..] else {
        return Err(Error::new("the chain begins in several states", "an explicit file has one state to begin in"));
    };
    let labels = usual::labels(chain, start)?;
    let mut rates: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for arc in chain.arcs().iter().filter(|arc| arc.from != arc.to && arc.rate > 0.0) {
        *rates.entry((arc.from, arc.to)).or_insert(0.0) += arc.rate;
    }
    let mut tra = format!("{} {}\n", chain.states().len(), rates.len());
    let mut lab = "0=\"init\"".to_owned();
    // Writing to a text cannot fail.
    for ((from, to), rate) in &rates {
        let _ = writeln!(tra, "{from} {to} {rate:e}");
    }
    for (number, (label, _)) in labels.iter().enumerate() {
        let _ = write!(lab, " {}=\"{label}\"", number + 1);
    }
    lab.push('\n');
    for state in 0..chain.states().len() {
        let own = labels.iter().enumerate().filter(|(_, (_, states))| states.contains(state));
        let mut numbers: Vec<String> = own.map(|(number, _)| (number + 1).to_string()).collect();
        if state == start {
            numbers.insert(0, "0".to_owned());
        }
        if !numbers.is_empty() {
            let _ = writeln!(lab, "{state}: {}", numbers.join(" "));
        }
    }
    let mut srew = Vec::new();
    for (name, rewards) in chain.all_rewards() {
        let entries: Vec<_> = (0..chain.states().len())
            .map(|state| (state, rewards.state(state)))
            .filter(|(_, earned)| *earned != 0.0)
            .collect();
        if entries.is_empty() && chain.rewards_of_arcs().any(|own| own == name) {
            continue;
        }
        let mut text = format!("{} {}\n", chain.states().len(), entries.len());
        for (state, earned) in entries {
            let _ = writeln!(text, "{state} {earned:e}");
        }
        srew.push((name.clone(), text));
    }
    Ok(Written { tra, lab, srew })
}
