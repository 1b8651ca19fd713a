//! `everline host init`: the first host, with the authority of the solution.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;
use std::time::SystemTime;

use network::address::VirtualAddress;
use node::authority::{self, Comes, Token};
use node::configuration::{self, Document};
use node::identity;

use super::apply::set_base;
use super::remove::names_of;
use super::{document, is_member};
use crate::cli::Init;
use crate::config::{self, example};
use crate::failure::{Failure, Kind};
use crate::folder::{self, Folder};
use crate::hosts::Hosts;
use crate::output::{self, remark};
use crate::settings::Settings;
use crate::up;

/// Makes this machine the first host of a solution; gives a token for each of the others. Where that was broken off, it goes on.
///
/// # Errors
/// If it is a host already, the configuration has errors or names no hosts, or a file cannot be written.
pub(crate) fn init(folder: &Folder, order: &Init) -> Result<(), Failure> {
    folder.create()?;
    is_member(folder)?;
    let path = folder::configuration(folder);
    let is_new = !path.exists();
    if is_new {
        example::write_for_hosts(&path, &tables(order)?).map_err(Failure::failed)?;
    } else if !order.hosts.is_empty() {
        let typed = tables(order)?;
        if !std::fs::read_to_string(&path).is_ok_and(|text| text.contains(&typed)) {
            let what = format!("{} exists, and is never overwritten", path.display());
            let help = format!("give the command without --host, after you have written this into it:\n\n{typed}");
            return Err(Failure::new(Kind::Wrong, what).help(help));
        }
    }
    let checked = up::checked(folder, "nothing was done").and_then(|(settings, source)| {
        let hosts = hosts_of(&path, &settings, order)?;
        Ok((settings.solution, hosts, source))
    });
    if is_new {
        match &checked {
            Ok(_) => remark(&format!("Wrote a configuration: {}", path.display())),
            // The corrected command is to find the folder as this one did.
            Err(_) => std::fs::remove_file(&path).map_err(|error| super::cannot_write(&path, &error))?,
        }
    }
    let (solution, hosts, source) = checked?;
    let here = order.here.as_deref().unwrap_or(&hosts.authority);
    let Some(host) = hosts.host(here) else { return Err(super::no_such_host(here, &hosts)) };
    let now = SystemTime::now();
    let authority = authority::make(folder, &solution, now)?;
    let identity = authority::issue_own(folder, &authority, here, &host.networks)?;
    let revoked = Some(authority::shut(folder)?.revoke(&authority, &names_of(&hosts), now)?);
    configuration::keep(folder, &Document { revoked, ..document::version(1, here, source) })?;
    set_base(folder, 1)?;
    let fingerprint = authority.fingerprint()?;
    let mut text = format!(
        "This is {here}, the first host of {solution}. Its authority has the fingerprint {fingerprint}.\n`everline host run` runs it.\n"
    );
    let mut others = hosts.all.iter().filter(|host| host.name != here).peekable();
    if others.peek().is_some() {
        let _ = writeln!(text, "\nThen each of the others joins, within {} minutes:", order.minutes);
    }
    for other in others {
        let token = Token::make(folder, fingerprint, &other.name, other.networks.clone(), order.minutes, Comes::First)?;
        let (name, at, option) = (&other.name, host.networks[0], folder::option(folder));
        let _ = writeln!(text, "  on {name}: everline host join {at} {token}{option}");
    }
    // Last, as it says that this machine is a host.
    identity::install(folder, &identity)?;
    output::result(&text)
}

/// The hosts that the configuration names, if this machine is to be the one with the authority.
fn hosts_of(path: &Path, settings: &Settings, order: &Init) -> Result<Hosts, Failure> {
    let Some(hosts) = &settings.hosts else {
        let help =
            "write [[network]] and [[host]] into it (docs/three-hosts-in-ten-minutes.md), or remove it and give --host";
        let what = format!("{} names no hosts", path.display());
        return Err(Failure::new(Kind::Wrong, what).help(help));
    };
    let here = order.here.as_deref().unwrap_or(&hosts.authority);
    if hosts.host(here).is_none() {
        return Err(super::no_such_host(here, hosts));
    }
    if here != hosts.authority {
        let what = format!("the authority is to be on {}, and this machine is to be {here}", hosts.authority);
        let help = format!("give the command on {}, or write authority = \"{here}\" into [place]", hosts.authority);
        return Err(Failure::new(Kind::Wrong, what).help(help));
    }
    Ok(hosts.clone())
}

/// A host as it is typed: `h1=10.0.1.1/24,10.0.2.1/24`.
struct Typed<'a> {
    name: &'a str,
    addresses: Vec<(IpAddr, u8)>,
}

impl<'a> Typed<'a> {
    fn read(text: &'a str) -> Result<Self, Failure> {
        let wrong = |why: String| {
            let what = format!("--host {text}: {why}");
            Failure::new(Kind::Wrong, what).help("write it like h1=10.0.1.1/24,10.0.2.1/24: an address in each network")
        };
        let (name, list) = text.split_once('=').ok_or_else(|| wrong("\"=\" and the addresses are missing".into()))?;
        let address = |text: &str| {
            let (address, bits) = text.split_once('/').ok_or_else(|| wrong(format!("{text} has no prefix")))?;
            let address: IpAddr = address.parse().map_err(|_| wrong(format!("{address} is no IP address")))?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse().ok().filter(|bits| (1..=longest).contains(bits));
            Ok((address, bits.ok_or_else(|| wrong(format!("the prefix of {address} is 1 to {longest}")))?))
        };
        Ok(Self { name, addresses: list.split(',').map(address).collect::<Result<_, Failure>>()? })
    }
}

/// The sections about hosts, as they were typed.
fn tables(order: &Init) -> Result<String, Failure> {
    if order.hosts.is_empty() {
        let help = "name all hosts, each with its addresses: --host h1=10.0.1.1/24,10.0.2.1/24 --host h2=10.0.1.2/24,10.0.2.2/24";
        return Err(Failure::new(Kind::Wrong, "which hosts is the solution to have?").help(help));
    }
    let hosts = order.hosts.iter().map(|text| Typed::read(text)).collect::<Result<Vec<_>, _>>()?;
    let virtuals = order.addresses.iter().map(|text| text.parse::<VirtualAddress>()).collect::<Result<Vec<_>, _>>()?;
    let mut text = format!("[solution]\nname = \"{}\"\n", order.solution);
    for (letter, (address, bits)) in
        ('a'..='z').zip(hosts.iter().flat_map(|host| host.addresses.iter()).take(width(&hosts)))
    {
        let prefix = config::network_of(*address, *bits);
        let _ = write!(
            text,
            "\n[[network]]                 # between the hosts\nname = \"{letter}\"\nprefix = \"{prefix}\"\n"
        );
    }
    for host in &hosts {
        let addresses: Vec<String> = host.addresses.iter().map(|(address, _)| format!("\"{address}\"")).collect();
        let _ = write!(text, "\n[[host]]\nname = \"{}\"\naddresses = [{}]\n", host.name, addresses.join(", "));
    }
    for address in &virtuals {
        let _ = write!(text, "\n[[address]]                 # whoever serves has it\naddress = \"{address}\"\n");
    }
    if let Some(here) = &order.here {
        let _ = write!(text, "\n[place]\nauthority = \"{here}\"\n");
    }
    Ok(text + &sip(&virtuals))
}

/// How many networks there are.
fn width(hosts: &[Typed<'_>]) -> usize {
    hosts.first().map_or(0, |host| host.addresses.len())
}

/// `[sip]` at the virtual addresses.
fn sip(virtuals: &[VirtualAddress]) -> String {
    let at = |address: IpAddr| std::net::SocketAddr::new(address, 5_060);
    let listen: Vec<String> =
        virtuals.iter().flat_map(|one| ["udp", "tcp"].map(|way| format!("\"{way}:{}\"", at(one.address)))).collect();
    match virtuals.first() {
        Some(first) if first.address.is_ipv6() => {
            format!("\n[sip]\ndomain = \"[{}]\"\nlisten = [{}]\n", first.address, listen.join(", "))
        }
        Some(first) => format!("\n[sip]\ndomain = \"{}\"\nlisten = [{}]\n", first.address, listen.join(", ")),
        None => {
            remark("warning: no --address: only programs on the host itself will reach the SIP Server");
            "\n[sip]\ndomain = \"127.0.0.1\"\nlisten = [\"udp:127.0.0.1:5060\", \"tcp:127.0.0.1:5060\"]\n".into()
        }
    }
}
