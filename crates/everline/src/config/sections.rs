//! The sections of the file, one function each: what may stand in them, and what is made of it.

use std::net::IpAddr;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::hosts::{self, Hosts};
use super::names::{NAME_ALLOWED, NAME_MAX, is_name};
use super::problem::{Problem, Problems};
use super::secret::{self, Sources};
use super::section::{At, Key, Section, unknown};
use super::{address, drill, fence};
use crate::settings::{Device, Fence, Listen};

/// The most addresses a SIP Server listens on.
const LISTEN_MAX: usize = 16;

/// What the file says, section by section; texts that name something else keep their place in the file.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    /// `[solution] name`.
    pub(super) solution: Option<At<&'a str>>,
    /// `[sip]`.
    pub(super) sip: Sip,
    /// `[[extension]]`.
    pub(super) extensions: Vec<Extension<'a>>,
    /// `[[agent]]`.
    pub(super) agents: Vec<Agent<'a>>,
    /// `[[queue]]`.
    pub(super) queues: Vec<Queue<'a>>,
    /// `[[trunk]]`.
    pub(super) trunks: Vec<Trunk<'a>>,
    /// The sections about hosts.
    pub(super) hosts: Hosts<'a>,
    /// `[fence]`.
    pub(super) fence: Option<At<Fence>>,
    /// `[drill] allow`.
    pub(super) may_drill: bool,
}

/// `[sip]`.
#[derive(Debug)]
pub(super) struct Sip {
    /// The domain, in small letters.
    pub(super) domain: String,
    /// Where to listen; `None` if the file does not say.
    pub(super) listen: Option<Vec<At<Listen>>>,
    /// Whether there are backups.
    pub(super) standby: bool,
    /// Whether SHA-256 is offered as well.
    pub(super) sha_256: bool,
    /// Seconds of the shortest registration.
    pub(super) min_expires: u32,
    /// Seconds of the longest registration.
    pub(super) max_expires: u32,
    /// Seconds between two calls that look whether calls are taken.
    pub(super) probe_call: u32,
}

/// A phone. What is missing in the structures of this file has been noted as a problem.
#[derive(Debug)]
pub(super) struct Extension<'a> {
    /// The number.
    pub(super) number: Option<At<&'a str>>,
    /// How it is reached.
    pub(super) device: Option<Device>,
    /// Where it listens, if it never registers.
    pub(super) contact: Option<At<Listen>>,
}

/// An agent whose extension is still only a text.
#[derive(Debug)]
pub(super) struct Agent<'a> {
    /// The id.
    pub(super) id: Option<At<&'a str>>,
    /// The extension, which may not exist.
    pub(super) extension: Option<At<&'a str>>,
    /// Ready as soon as the phone can be reached.
    pub(super) auto_ready: bool,
}

/// A queue whose agents and default are still only texts.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    /// The number.
    pub(super) number: Option<At<&'a str>>,
    /// Its agents, who may not exist.
    pub(super) agents: Option<At<Vec<At<&'a str>>>>,
    /// Its default target, which may not exist.
    pub(super) default: Option<At<&'a str>>,
    /// Callers who may wait.
    pub(super) capacity: u32,
    /// Seconds of ringing.
    pub(super) no_answer: u32,
}

/// A peer.
#[derive(Debug)]
pub(super) struct Trunk<'a> {
    /// The name.
    pub(super) name: Option<At<&'a str>>,
    /// The address.
    pub(super) address: Option<At<(IpAddr, Option<u16>)>>,
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            domain: "127.0.0.1".into(),
            listen: None,
            standby: true,
            sha_256: false,
            min_expires: 60,
            max_expires: 3_600,
            probe_call: 1,
        }
    }
}

/// Reads every section of the document.
pub(super) fn read<'a>(root: &'a DeTable<'a>, sources: &Sources<'_>, problems: &mut Problems) -> Document<'a> {
    let mut document = Document::default();
    for (name, value) in root {
        let name: (&str, Range<usize>) = (name.get_ref(), name.span());
        match name.0 {
            "solution" => {
                each("[solution]", SOLUTION, false, name, value, problems, |section, problems| {
                    document.solution = self::name(&section, "name", problems);
                });
            }
            "sip" => each("[sip]", SIP, false, name, value, problems, |section, problems| {
                document.sip = sip(&section, problems);
            }),
            "extension" => each("[[extension]]", EXTENSION, true, name, value, problems, |section, problems| {
                document.extensions.push(extension(&section, sources, problems));
            }),
            "agent" => each("[[agent]]", AGENT, true, name, value, problems, |section, problems| {
                document.agents.push(agent(&section, problems));
            }),
            "queue" => each("[[queue]]", QUEUE, true, name, value, problems, |section, problems| {
                document.queues.push(queue(&section, problems));
            }),
            "trunk" => each("[[trunk]]", TRUNK, true, name, value, problems, |section, problems| {
                document.trunks.push(trunk(&section, problems));
            }),
            "network" => each("[[network]]", hosts::NETWORK, true, name, value, problems, |section, problems| {
                document.hosts.networks.push(hosts::network(&section, problems));
            }),
            "host" => each("[[host]]", hosts::HOST, true, name, value, problems, |section, problems| {
                document.hosts.hosts.push(hosts::host(&section, problems));
            }),
            "address" => each("[[address]]", hosts::ADDRESS, true, name, value, problems, |section, problems| {
                document.hosts.addresses.extend(hosts::address(&section, problems));
            }),
            "place" => each("[place]", hosts::PLACE, false, name, value, problems, |section, problems| {
                document.hosts.place = Some(hosts::place(&section, problems));
            }),
            "etcd" => each("[etcd]", hosts::ETCD, false, name, value, problems, |section, problems| {
                document.hosts.etcd = Some(hosts::etcd(&section, problems));
            }),
            "fence" => each("[fence]", fence::FENCE, false, name, value, problems, |section, problems| {
                document.fence = Some(fence::read(&section, problems));
            }),
            "drill" => each("[drill]", drill::DRILL, false, name, value, problems, |section, problems| {
                document.may_drill = drill::read(&section, problems);
            }),
            other => {
                let known = SECTIONS.map(|(header, _)| header.trim_matches(['[', ']']));
                problems.add(unknown(other, name.1, "", known.into_iter()));
            }
        }
    }
    document
}

/// Calls `read` with the table at `value`, or with each one of a list of tables.
fn each<'a>(
    header: &'static str,
    keys: &'static [Key],
    many: bool,
    (name, span): (&str, Range<usize>),
    value: &'a Spanned<DeValue<'a>>,
    problems: &mut Problems,
    mut read: impl FnMut(Section<'a>, &mut Problems),
) {
    match value.get_ref() {
        DeValue::Table(table) if !many => read(Section::new(header, keys, table, value.span(), problems), problems),
        DeValue::Array(items) if many && items.iter().all(|item| item.get_ref().is_table()) => {
            for item in items.iter() {
                if let Some(table) = item.get_ref().as_table() {
                    read(Section::new(header, keys, table, item.span(), problems), problems);
                }
            }
        }
        _ => problems.add(
            Problem::error(span, name, "this is a section").allowed(format!("write {header} on a line of its own")),
        ),
    }
}

/// Every section and its keys.
pub(super) const SECTIONS: [(&str, &[Key]); 13] = [
    ("[solution]", SOLUTION),
    ("[sip]", SIP),
    ("[[extension]]", EXTENSION),
    ("[[agent]]", AGENT),
    ("[[queue]]", QUEUE),
    ("[[trunk]]", TRUNK),
    ("[[network]]", hosts::NETWORK),
    ("[[host]]", hosts::HOST),
    ("[[address]]", hosts::ADDRESS),
    ("[place]", hosts::PLACE),
    ("[etcd]", hosts::ETCD),
    ("[fence]", fence::FENCE),
    ("[drill]", drill::DRILL),
];

const SOLUTION: &[Key] = &[Key { name: "name", allowed: NAME_ALLOWED }];

const SIP: &[Key] = &[
    Key { name: "domain", allowed: "a host name or an IP address" },
    Key { name: "listen", allowed: "1 to 16 of udp:ADDRESS:PORT or tcp:ADDRESS:PORT, or with host as ADDRESS" },
    Key { name: "standby", allowed: "true or false" },
    Key { name: "sha-256", allowed: "true or false" },
    Key { name: "min-expires", allowed: "1 to 3600 seconds" },
    Key { name: "max-expires", allowed: "60 to 604800 seconds" },
    Key { name: "probe-call", allowed: "1 to 60 seconds" },
];

fn sip(section: &Section<'_>, problems: &mut Problems) -> Sip {
    let usual = Sip::default();
    let domain = section.text("domain", problems);
    if let Some(bad) = domain.as_ref().filter(|domain| !is_host(domain.value)) {
        problems.add(section.error("domain", bad.span.clone(), "this is not a domain"));
    }
    let min_expires = section.number("min-expires", 1..3_601, problems);
    let max_expires = section.number("max-expires", 60..604_801, problems);
    if let (Some(min), Some(max)) = (&min_expires, &max_expires)
        && min.value > max.value
    {
        let problem = section.error("max-expires", max.span.clone(), "less than min-expires");
        problems.add(problem.also(min.span.clone(), "min-expires"));
    }
    Sip {
        domain: domain.map_or(usual.domain, |domain| domain.value.to_ascii_lowercase()),
        listen: section.texts("listen", problems).map(|texts| addresses(section, texts, problems)),
        standby: section.boolean("standby", problems).unwrap_or(usual.standby),
        sha_256: section.boolean("sha-256", problems).unwrap_or(usual.sha_256),
        min_expires: min_expires.map_or(usual.min_expires, |seconds| seconds.value),
        max_expires: max_expires.map_or(usual.max_expires, |seconds| seconds.value),
        probe_call: section.number("probe-call", 1..61, problems).map_or(usual.probe_call, |seconds| seconds.value),
    }
}

fn addresses(section: &Section<'_>, texts: At<Vec<At<&str>>>, problems: &mut Problems) -> Vec<At<Listen>> {
    if texts.value.is_empty() || texts.value.len() > LISTEN_MAX {
        problems.add(section.error("listen", texts.span, "too few or too many addresses"));
    }
    let read = |text: At<&str>| {
        let value = noted(section, "listen", &text.span, address::listen(text.value), problems)?;
        Some(At { value, span: text.span })
    };
    texts.value.into_iter().filter_map(read).collect()
}

/// RFC 3261 25.1, `host`: a name of letters, digits, dots and hyphens, or an IP address (version 6 in brackets).
fn is_host(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => text.len() <= 253 && text.split('.').all(label),
    }
}

const EXTENSION: &[Key] = &[
    Key { name: "number", allowed: NAME_ALLOWED },
    Key { name: "password", allowed: "1 to 128 characters, or ${VARIABLE} for one from the environment" },
    Key { name: "password-file", allowed: "the path of a file whose only line is the password" },
    Key { name: "contact", allowed: "sip:USER@ADDRESS:PORT, for a device that never registers" },
];

fn extension<'a>(section: &Section<'a>, sources: &Sources<'_>, problems: &mut Problems) -> Extension<'a> {
    let number = name(section, "number", problems);
    let mut contact = None;
    let device = match ["password", "password-file", "contact"].map(|name| section.has(name)) {
        [false, false, true] => fixed(section, problems).map(|(device, address)| {
            contact = Some(address);
            device
        }),
        [true, false, false] | [false, true, false] => {
            secret::password(section, sources, problems).map(Device::Registers)
        }
        several => {
            let what = if several == [false; 3] { "no way to reach it" } else { "more than one way to reach it" };
            let allowed = "one of password, password-file (a phone that registers) and contact (one that does not)";
            problems.add(Problem::error(section.span.clone(), section.header, what).allowed(allowed));
            None
        }
    };
    Extension { number, device, contact }
}

/// A device that never registers, and where it listens.
fn fixed(section: &Section<'_>, problems: &mut Problems) -> Option<(Device, At<Listen>)> {
    let text = section.text("contact", problems)?;
    let value = noted(section, "contact", &text.span, address::contact(text.value), problems)?;
    Some((Device::Fixed(text.value.to_owned()), At { value, span: text.span }))
}

const AGENT: &[Key] = &[
    Key { name: "id", allowed: NAME_ALLOWED },
    Key { name: "extension", allowed: "the number of an [[extension]]" },
    Key { name: "auto-ready", allowed: "true or false" },
];

fn agent<'a>(section: &Section<'a>, problems: &mut Problems) -> Agent<'a> {
    Agent {
        id: name(section, "id", problems),
        extension: section.required("extension", problems),
        auto_ready: section.boolean("auto-ready", problems).unwrap_or(false),
    }
}

const QUEUE: &[Key] = &[
    Key { name: "number", allowed: NAME_ALLOWED },
    Key { name: "agents", allowed: "a list of ids of [[agent]]" },
    Key { name: "capacity", allowed: "1 to 100000 callers" },
    Key { name: "default", allowed: "the number of an [[extension]]" },
    Key { name: "no-answer", allowed: "1 to 120 seconds" },
];

fn queue<'a>(section: &Section<'a>, problems: &mut Problems) -> Queue<'a> {
    if !section.has("agents") {
        section.missing("agents", problems);
    }
    Queue {
        number: name(section, "number", problems),
        agents: section.texts("agents", problems),
        default: section.text("default", problems),
        capacity: section.number("capacity", 1..100_001, problems).map_or(500, |callers| callers.value),
        no_answer: section.number("no-answer", 1..121, problems).map_or(15, |seconds| seconds.value),
    }
}

const TRUNK: &[Key] = &[
    Key { name: "name", allowed: NAME_ALLOWED },
    Key { name: "address", allowed: "ADDRESS:PORT, or ADDRESS for any port" },
];

fn trunk<'a>(section: &Section<'a>, problems: &mut Problems) -> Trunk<'a> {
    let name = name(section, "name", problems);
    let text = section.required("address", problems);
    let address = text.and_then(|text| {
        let value = noted(section, "address", &text.span, address::trunk(text.value), problems)?;
        Some(At { value, span: text.span })
    });
    Trunk { name, address }
}

/// A name that must be there and that [`is_name`] accepts. One that is not accepted is noted and returned all the
/// same, so that what refers to it is not called wrong as well.
pub(super) fn name<'a>(section: &Section<'a>, key: &str, problems: &mut Problems) -> Option<At<&'a str>> {
    let text = section.required(key, problems)?;
    if !is_name(text.value) {
        let long = text.value.len() > NAME_MAX;
        let what = if long { "too long" } else { "this cannot be a name" };
        problems.add(section.error(key, text.span.clone(), what));
    }
    Some(text)
}

/// The value, or nothing and a note of why there is none.
pub(super) fn noted<T>(
    section: &Section<'_>,
    key: &str,
    span: &Range<usize>,
    value: Result<T, String>,
    problems: &mut Problems,
) -> Option<T> {
    value.map_err(|why| problems.add(section.error(key, span.clone(), why))).ok()
}
