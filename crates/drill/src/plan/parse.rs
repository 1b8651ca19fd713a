//! Reading plans.

use std::time::Duration;

use super::deed::{Deed, HostName, Role, Stretch, Target};
use super::words::Words;
use super::{MOST_HELD, MOST_RATE, MOST_RUNS, Plan, Problem, Step, USUAL_FREEZE, USUAL_RATE, USUAL_SPAN};

const STEPS: &str = "kill, freeze, switchover, power off, cut, cut off, loss, delay, black hole, take coordinator, steal address, \
                     fill disk, clock, repair, nothing; or `repeat N`, which counts for the lines below; or `load N calls/s` and `hold N \
                     calls`, which count for the whole plan";
const TARGETS: &str = "sip.primary, sip.backup, routing.primary, routing.backup, coordinator, or an application such as \
                       control, lca, switchboard, authority, etcd, sip-a, also with its host: lca@h2";
const HOSTS: &str = "a host such as h1, or @sip.primary for the host where that runs";
const PAIRS: &str = "a pair: sip or routing";
const SPAN: &str = "a time such as 250ms, 10s, 2min";
const NETWORKS: &str = "networks, as in `on a`, `on a,b`, or `on access` for that of the phones";
const NETWORK_NAMES: [&str; 3] = ["access", "a", "b"];

/// Longest time that a step may take.
const MOST_SPAN: Duration = Duration::from_secs(3_600);

pub(super) fn plan(name: &str, text: &str) -> Result<Plan, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut plan = Plan { name: name.to_owned(), text: text.to_owned(), rate: USUAL_RATE, held: 0, steps: Vec::new() };
    let mut runs = 1;
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = Words::new(line, number);
        if words.is_done() {
            continue;
        }
        let read = match words.peek() {
            Some("repeat") => repeat(&mut words).map(|count| runs = count),
            Some("load") => load(&mut words).map(|rate| plan.rate = rate),
            Some("hold") => hold(&mut words).map(|held| plan.held = held),
            _ => deed(&mut words).map(|deed| {
                plan.steps.push(Step { text: words.body().to_owned(), line: number, deed, runs });
            }),
        };
        let ended = read.and_then(|()| match words.is_done() {
            true => Ok(()),
            false => Err(words.problem("nothing more is expected in this line", "the end of the line")),
        });
        problems.extend(ended.err());
    }
    if plan.steps.is_empty() && problems.is_empty() {
        let line = text.lines().count().max(1);
        let last = text.lines().last().unwrap_or_default();
        problems.push(Words::new(last, line).problem("the plan has no step", STEPS));
    }
    if problems.is_empty() { Ok(plan) } else { Err(problems) }
}

fn repeat(words: &mut Words<'_>) -> Result<u32, Problem> {
    words.take("repeat")?;
    let allowed = format!("how often, 1 to {MOST_RUNS}");
    words.read(&allowed, |word| word.parse().ok().filter(|runs| (1..=MOST_RUNS).contains(runs)))
}

fn load(words: &mut Words<'_>) -> Result<u32, Problem> {
    words.take("load")?;
    let allowed = format!("calls a second, 1 to {MOST_RATE}");
    let rate = words.read(&allowed, |word| word.parse().ok().filter(|rate| (1..=MOST_RATE).contains(rate)))?;
    words.read("calls/s", |word| (word == "calls/s").then_some(rate))
}

fn hold(words: &mut Words<'_>) -> Result<u32, Problem> {
    words.take("hold")?;
    let allowed = format!("how many calls, 1 to {MOST_HELD}");
    let held = words.read(&allowed, |word| word.parse().ok().filter(|held| (1..=MOST_HELD).contains(held)))?;
    words.read("calls", |word| (word == "calls").then_some(held))
}

fn deed(words: &mut Words<'_>) -> Result<Deed, Problem> {
    let verb = words.read(STEPS, |word| VERBS.iter().find(|(verb, _)| *verb == word))?;
    (verb.1)(words)
}

type Read = fn(&mut Words<'_>) -> Result<Deed, Problem>;

const VERBS: [(&str, Read); 14] = [
    ("kill", kill),
    ("freeze", |words| {
        let target = target(words)?;
        Ok(Deed::Freeze(target, span(words, USUAL_FREEZE)?))
    }),
    ("switchover", |words| Ok(Deed::Switchover(words.read(PAIRS, pair)?))),
    ("power", |words| {
        words.read("off", |word| (word == "off").then_some(()))?;
        Ok(Deed::PowerOff(host(words)?, span(words, USUAL_SPAN)?))
    }),
    ("cut", |words| {
        if words.eat("off") {
            let (host, networks) = (host(words)?, networks(words)?);
            return Ok(Deed::CutOff(host, networks, span(words, USUAL_SPAN)?));
        }
        let stretch = stretch(words)?;
        Ok(Deed::Cut(stretch, span(words, USUAL_SPAN)?))
    }),
    ("loss", |words| {
        let percent = words.read("percent, as in 5%", percent)?;
        Ok(Deed::Loss(percent, stretch(words)?, span(words, USUAL_SPAN)?))
    }),
    ("delay", |words| {
        let by = words.read(SPAN, time)?;
        Ok(Deed::Delay(by, stretch(words)?, span(words, USUAL_SPAN)?))
    }),
    ("black", |words| {
        words.read("hole", |word| (word == "hole").then_some(()))?;
        let octets = words.read("the longest packet that passes, in octets, as in 1000", |word| word.parse().ok())?;
        Ok(Deed::BlackHole(octets, stretch(words)?, span(words, USUAL_SPAN)?))
    }),
    ("take", |words| {
        words.read("coordinator", |word| (word == "coordinator").then_some(()))?;
        let members =
            words.read("how many members, 1 to 3", |word| word.parse().ok().filter(|n| (1..=3).contains(n)))?;
        Ok(Deed::TakeCoordinator(members, span(words, USUAL_SPAN)?))
    }),
    ("steal", |words| {
        words.read("address", |word| (word == "address").then_some(()))?;
        Ok(Deed::StealAddress(span(words, USUAL_SPAN)?))
    }),
    ("fill", |words| {
        words.read("disk", |word| (word == "disk").then_some(()))?;
        Ok(Deed::FillDisk(host(words)?, span(words, USUAL_SPAN)?))
    }),
    ("clock", |words| {
        let host = host(words)?;
        let by = words.read("by how much, as in +1h or -30s", shift)?;
        Ok(Deed::MoveClock(host, by, span(words, USUAL_SPAN)?))
    }),
    ("repair", |_| Ok(Deed::Repair)),
    ("nothing", |words| Ok(Deed::Nothing(span(words, USUAL_SPAN)?))),
];

fn kill(words: &mut Words<'_>) -> Result<Deed, Problem> {
    let mut targets = vec![target(words)?];
    while words.eat("+") {
        targets.push(target(words)?);
    }
    Ok(Deed::Kill(targets))
}

fn target(words: &mut Words<'_>) -> Result<Target, Problem> {
    words.read(TARGETS, |word| {
        if word == "coordinator" {
            return Some(Target::Coordinator);
        }
        if let Some((pair, role)) = side(word) {
            return Some(Target::Side { pair, role });
        }
        let (name, at) = word.split_once('@').map_or((word, None), |(name, host)| (name, Some(host)));
        let host = match at {
            Some(host) => Some(named_host(host)?),
            None => None,
        };
        let known = matches!(name, "control" | "lca" | "switchboard" | "authority" | "etcd")
            || name.split_once('-').is_some_and(|(pair, side)| is_pair(pair) && matches!(side, "a" | "b" | "c"));
        known.then(|| Target::Application { name: name.to_owned(), host })
    })
}

/// `sip.primary`
fn side(word: &str) -> Option<(String, Role)> {
    let (pair, role) = word.split_once('.')?;
    let role = [Role::Primary, Role::Backup].into_iter().find(|one| one.name() == role)?;
    is_pair(pair).then(|| (pair.to_owned(), role))
}

fn is_pair(word: &str) -> bool {
    matches!(word, "sip" | "routing")
}

fn pair(word: &str) -> Option<String> {
    is_pair(word).then(|| word.to_owned())
}

fn host(words: &mut Words<'_>) -> Result<HostName, Problem> {
    words.read(HOSTS, |word| match word.strip_prefix('@') {
        Some(of) => side(of).map(|(pair, role)| HostName::Of { pair, role }),
        None => named_host(word),
    })
}

/// A host's name as the configuration takes it: letters, digits and hyphens, beginning with a letter.
fn named_host(word: &str) -> Option<HostName> {
    let fine = word.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fine.then(|| HostName::Named(word.to_owned()))
}

fn stretch(words: &mut Words<'_>) -> Result<Stretch, Problem> {
    let from = host(words)?;
    let one_way = words.eat("->");
    let to = host(words)?;
    if from == to {
        return Err(words.problem("a link has two ends", HOSTS));
    }
    Ok(Stretch { from, to, one_way, networks: networks(words)? })
}

/// Those behind `on`; none if that is not said.
fn networks(words: &mut Words<'_>) -> Result<Vec<String>, Problem> {
    let mut networks = Vec::new();
    if words.eat("on") {
        loop {
            let network = words.read(NETWORKS, |word| NETWORK_NAMES.contains(&word).then(|| word.to_owned()))?;
            networks.push(network);
            if !words.eat(",") {
                break;
            }
        }
    }
    Ok(networks)
}

/// How long the fault lasts, with or without `for` before it.
fn span(words: &mut Words<'_>, usual: Duration) -> Result<Duration, Problem> {
    let said = words.eat("for");
    if !said && words.is_done() {
        return Ok(usual);
    }
    words.read(SPAN, |word| time(word).filter(|span| *span <= MOST_SPAN))
}

fn percent(word: &str) -> Option<f64> {
    word.strip_suffix('%')?.parse().ok().filter(|percent| (0.0..=100.0).contains(percent))
}

/// `250ms`, `10s`, `2min`, `1h`.
fn time(word: &str) -> Option<Duration> {
    let digits = word.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, unit) = word.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(unit).map(Duration::from_millis)
}

/// `+1h`, `-30s`; in seconds.
fn shift(word: &str) -> Option<i64> {
    let (sign, rest) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word.strip_prefix('+')?),
    };
    i64::try_from(time(rest)?.as_secs()).ok().map(|seconds| sign * seconds)
}
