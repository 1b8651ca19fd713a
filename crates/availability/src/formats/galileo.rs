//! Static fault trees in the textual format of Galileo (University of Virginia; extended by FFORT and Storm): `.dft`.
//!
//! ```text
//! toplevel "system";
//! "system" or "power" "disks";
//! "disks" 2of3 "d1" "d2" "d3";
//! "power" lambda=1e-6 dorm=0;
//! "d1" prob=0.01;      // and so on
//! ```
//! What is read: `and`, `or`, `KofN`; of events `lambda` (an exponential law), `prob` (a probability at any time), `rate` with
//! `shape` (Weibull: `1 - exp(-(rate t)^shape)`), and `dorm`, which has no effect where there are no spares. Comments are
//! `//` and `/* */`. Dynamic gates (`pand`, `wsp`, `fdep` and so on) are refused by name, as are other attributes: a tree
//! without what they say would be another tree.

use std::fmt::Write as _;

use super::lines::Lines;
use crate::Error;
use crate::structure::{FaultTree, GateKind, Input, Law, Probability, QuantifiedTree};
use crate::text::source::without_mark;

/// Gates whose failure depends on the order of events, which no static tree can say.
const DYNAMIC: [&str; 14] = [
    "pand", "pandi", "por", "pori", "por-ex", "por-in", "pand-ex", "pand-in", "csp", "wsp", "hsp", "spare", "fdep",
    "seq",
];

/// A word of the text, or one of its signs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'a> {
    /// With quotes around it or without.
    Word(&'a str),
    Equals,
    End,
}

/// Reads a tree; `file` is the name that errors call the text by.
///
/// # Errors
/// If the text is no static tree in this format; the error names the line and column, and what is allowed.
pub fn read(text: &str, file: &str) -> Result<QuantifiedTree, Error> {
    let text = without_mark(text);
    let lines = Lines::of(file, text);
    let tokens = tokens(text, &lines)?;
    let mut reading = Reading { lines: &lines, builder: FaultTree::builder(), top: None, laws: Vec::new() };
    let mut rest = tokens.as_slice();
    while let Some(end) = rest.iter().position(|(token, _)| *token == Token::End) {
        reading.statement(&rest[..end], rest[end].1)?;
        rest = &rest[end + 1..];
    }
    if let Some((_, at)) = rest.first() {
        return Err(lines.error(*at, "the last statement has no end", "each statement ends with `;`"));
    }
    let Some(top) = reading.top else {
        return Err(lines.error(0, "the tree has no top event", "add the statement `toplevel \"NAME\";`"));
    };
    Ok(QuantifiedTree { tree: reading.builder.finish(&top)?, laws: reading.laws })
}

struct Reading<'a> {
    lines: &'a Lines<'a>,
    builder: crate::structure::FaultTreeBuilder,
    top: Option<String>,
    laws: Vec<Law>,
}

impl Reading<'_> {
    fn statement(&mut self, tokens: &[(Token<'_>, usize)], end: usize) -> Result<(), Error> {
        let lines = self.lines;
        let words = |tokens: &[(Token<'_>, usize)]| -> Result<Vec<String>, Error> {
            tokens.iter().map(|&(token, at)| word(lines, token, at).map(str::to_owned)).collect()
        };
        let Some((&(first, at), rest)) = tokens.split_first() else { return Ok(()) };
        let name = word(lines, first, at)?;
        let Some(&(second, second_at)) = rest.first() else {
            return Err(lines.error(end, format!("after {name:?} there is nothing"), STATEMENTS));
        };
        let kind = word(lines, second, second_at)?;
        if name == "toplevel" && rest.len() == 1 {
            if self.top.replace(kind.to_owned()).is_some() {
                return Err(lines.error(at, "a second top event is named", "a tree has one `toplevel` statement"));
            }
            return Ok(());
        }
        self.builder.at(lines.place(at));
        if rest.get(1).is_some_and(|(token, _)| *token == Token::Equals) {
            let law = law(lines, name, at, rest)?;
            self.builder.event(name);
            self.laws.push(law);
            return Ok(());
        }
        let inputs = words(&rest[1..])?;
        let kind = gate_kind(lines, kind, second_at, inputs.len())?;
        self.builder.gate(name, kind, inputs);
        Ok(())
    }
}

const STATEMENTS: &str =
    "a statement is `toplevel NAME;`, `NAME GATE INPUT INPUT ...;` or `NAME ATTRIBUTE=NUMBER ...;`";

fn word<'a>(lines: &Lines<'_>, token: Token<'a>, at: usize) -> Result<&'a str, Error> {
    match token {
        Token::Word(word) => Ok(word),
        _ => Err(lines.error(at, "a sign `=` stands where a name should be", STATEMENTS)),
    }
}

fn gate_kind(lines: &Lines<'_>, kind: &str, at: usize, inputs: usize) -> Result<GateKind, Error> {
    let number = |text: &str| text.parse::<u32>().ok();
    match kind {
        "and" => return Ok(GateKind::And),
        "or" => return Ok(GateKind::Or),
        _ if DYNAMIC.contains(&kind) => {
            let what = format!("the gate `{kind}` is dynamic: what it does depends on the order of failures");
            return Err(lines.error(
                at,
                what,
                "only and, or and KofN can be read; write the dynamic part as a Markov chain",
            ));
        }
        _ => {}
    }
    match kind.split_once("of").map(|(k, n)| (number(k), number(n))) {
        Some((Some(k), Some(n))) if n as usize == inputs => Ok(GateKind::AtLeast(k)),
        Some((Some(_), Some(n))) => {
            let what = format!("the gate `{kind}` has {inputs} inputs");
            Err(lines.error(at, what, format!("it needs {n}, or another number behind `of`")))
        }
        _ => Err(lines.error(at, format!("`{kind}` is neither a gate nor an attribute"), STATEMENTS)),
    }
}

/// The law that the attributes of an event say.
fn law(lines: &Lines<'_>, event: &str, at: usize, tokens: &[(Token<'_>, usize)]) -> Result<Law, Error> {
    let [mut lambda, mut prob, mut rate, mut shape, mut dorm] = [None; 5];
    for attribute in tokens.chunks(3) {
        let &[(Token::Word(name), at), (Token::Equals, _), (Token::Word(text), value_at)] = attribute else {
            return Err(lines.error(attribute[0].1, "an attribute is not complete", "write `NAME=NUMBER`"));
        };
        let Some(value) = text.parse::<f64>().ok().filter(|value| value.is_finite()) else {
            return Err(lines.error(value_at, format!("`{text}` is not a number"), "write it like 0.001 or 1e-3"));
        };
        let place = match name {
            "lambda" => &mut lambda,
            "prob" => &mut prob,
            "rate" => &mut rate,
            "shape" => &mut shape,
            "dorm" => &mut dorm,
            _ => {
                let what = format!("the attribute `{name}` cannot be read");
                return Err(lines.error(at, what, "allowed are lambda, prob, rate with shape, and dorm"));
            }
        };
        if place.replace(value).is_some() {
            return Err(lines.error(at, format!("the attribute `{name}` is given twice"), "give it once"));
        }
    }
    if let Some(dorm) = dorm.filter(|dorm| !(0.0..=1.0).contains(dorm)) {
        return Err(lines.error(at, format!("the dormancy of {event:?} is {dorm}"), "it is a factor from 0 to 1"));
    }
    let law = match (lambda, prob, rate, shape) {
        (Some(rate), None, None, None) => Law::Exponential { rate },
        (None, Some(prob), None, None) => Law::Fixed(Probability::of(prob)),
        (None, None, Some(rate), Some(shape)) => Law::Weibull { scale: rate.recip(), shape, shift: 0.0 },
        _ => {
            let what = format!("the event {event:?} has no law, or more than one");
            return Err(lines.error(at, what, "give it `lambda`, or `prob`, or `rate` and `shape`"));
        }
    };
    law.check(event).map_err(|error| error.at(lines.place(at)))?;
    Ok(law)
}

/// The words and signs of a text, and the bytes at which they stand.
fn tokens<'a>(text: &'a str, lines: &Lines<'_>) -> Result<Vec<(Token<'a>, usize)>, Error> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(sign) = text[at..].chars().next() {
        let rest = &text[at..];
        let until = |end: &str, from: usize| rest[from..].find(end).map(|found| from + found);
        let length = if sign.is_whitespace() {
            sign.len_utf8()
        } else if rest.starts_with("//") {
            until("\n", 2).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            until("*/", 2).ok_or_else(|| lines.error(at, "a comment has no end", "close it with `*/`"))? + 2
        } else if sign == '"' {
            let end =
                until("\"", 1).ok_or_else(|| lines.error(at, "a name has no end", "close it with a second `\"`"))?;
            tokens.push((Token::Word(&rest[1..end]), at));
            end + 1
        } else if sign == ';' || sign == '=' {
            tokens.push((if sign == ';' { Token::End } else { Token::Equals }, at));
            1
        } else {
            let ends = |c: char| c.is_whitespace() || "\";=".contains(c);
            let end = rest.find(ends).unwrap_or(rest.len());
            tokens.push((Token::Word(&rest[..end]), at));
            end
        };
        at += length;
    }
    Ok(tokens)
}

/// Writes a tree, with these remarks above it; copies are written out one by one, and house events become events of
/// probability 0 or 1.
///
/// # Errors
/// If the tree has what the format does not: the gates not and xor, repair ([`QuantifiedTree::without_repair`]), a Weibull
/// law with a shift, a quote in a name, or copies that written out are more than a million.
pub fn write(tree: &QuantifiedTree, remarks: &[String]) -> Result<String, Error> {
    let QuantifiedTree { tree, laws } = tree.expanded(1_000_000)?;
    let mut text = String::new();
    for line in remarks.iter().flat_map(|remark| remark.lines()) {
        let _ = writeln!(text, "// {line}");
    }
    let name = |input| quoted(tree.name(input));
    let _ = writeln!(text, "toplevel {};", name(tree.top())?);
    for gate in tree.gates() {
        let kind = match gate.kind {
            GateKind::And => "and".to_owned(),
            GateKind::Or => "or".to_owned(),
            GateKind::AtLeast(k) => format!("{k}of{}", gate.inputs.len()),
            GateKind::Not | GateKind::Xor | GateKind::Copies { .. } => {
                let what = format!("the gate {:?} has no form in a Galileo tree", gate.name);
                return Err(Error::new(what, "it has and, or and KofN only; Open-PSA has all gates"));
            }
        };
        let inputs = gate.inputs.iter().map(|&input| name(input)).collect::<Result<Vec<_>, _>>()?;
        let _ = writeln!(text, "{} {kind} {};", quoted(&gate.name)?, inputs.join(" "));
    }
    for (house, (_, occurs)) in tree.houses().iter().enumerate() {
        let _ = writeln!(text, "{} prob={};", name(Input::House(house))?, u8::from(*occurs));
    }
    for (event, law) in laws.iter().enumerate() {
        let attributes = match *law {
            Law::Fixed(probability) => format!("prob={:e}", probability.yes),
            Law::Exponential { rate } => format!("lambda={rate:e}"),
            Law::Weibull { scale, shape, shift: 0.0 } => format!("rate={:e} shape={shape:e}", scale.recip()),
            Law::Weibull { .. } | Law::Repaired { .. } => {
                let what = format!("the law of the event {:?} has no form in a Galileo tree", tree.events()[event]);
                return Err(Error::new(
                    what,
                    "it has prob, lambda, and rate with shape; Open-PSA has repair and shifts too",
                ));
            }
        };
        let _ = writeln!(text, "{} {attributes};", name(Input::Event(event))?);
    }
    Ok(text)
}

fn quoted(name: &str) -> Result<String, Error> {
    if name.contains('"') {
        return Err(Error::new(format!("the name {name:?} has a quote in it"), "the format has no way to write it"));
    }
    Ok(format!("\"{name}\""))
}
