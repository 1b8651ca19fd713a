//! Hosts that serve at addresses of their own: `[sip] listen` with `host` as the address, and `[[host]] sip`.

use std::net::IpAddr;
use std::ops::Range;

use super::check::Checker;
use super::hosts::{Host, Network};
use super::problem::Problem;
use super::section::At;
use super::sections::Document;
use crate::settings::Listen;

const LISTEN: &str = "[sip] listen";
const SIP: &str = "[[host]] sip";
/// The most addresses of one host for SIP.
const SIP_MAX: usize = 4;

/// Notes what is wrong with them.
pub(super) fn check(document: &Document<'_>, checker: &mut Checker<'_>) {
    let hosts = &document.hosts.hosts;
    let listens = || document.sip.listen.iter().flatten();
    let Some(own) = listens().find(|listen| listen.value.is_of_host()) else {
        if let Some(sip) = hosts.iter().find_map(|host| host.sip.as_ref()) {
            let problem = Problem::warning(sip.span.clone(), SIP, "nobody listens at these addresses");
            let help = "listen = [\"udp:host:5060\"] in [sip] has each host serve at its own";
            checker.problems.add(problem.allowed("addresses that [sip] listen names by host").help(help));
        }
        return;
    };
    if hosts.is_empty() {
        let problem = Problem::error(own.span.clone(), LISTEN, "there is no [[host]] whose address this could be");
        return checker.problems.add(problem.allowed("an address, where there is one host"));
    }
    if let Some(other) = listens().find(|listen| !listen.value.is_of_host()) {
        let what = "each host serves at its own addresses, and at no other one";
        let problem = Problem::error(other.span.clone(), LISTEN, what);
        let problem = problem.also(own.span.clone(), "the addresses of the host");
        checker.problems.add(problem.allowed("host in all of them, or in none"));
    }
    addresses(document, checker);
}

/// Each host has as many as the others, for itself alone.
fn addresses(document: &Document<'_>, checker: &mut Checker<'_>) {
    let given = &document.hosts;
    let lists = || given.hosts.iter().filter_map(|host| host.sip.as_ref());
    for list in lists().filter(|list| list.value.is_empty() || list.value.len() > SIP_MAX) {
        let problem = Problem::error(list.span.clone(), SIP, "too few or too many addresses");
        checker.problems.add(problem.allowed(format!("1 to {SIP_MAX} addresses")));
    }
    checker.different(SIP, lists().flat_map(|list| &list.value));
    for address in lists().flat_map(|list| &list.value) {
        if let Some(passes) = given.addresses.iter().find(|passes| passes.value.address == address.value) {
            let problem = Problem::error(address.span.clone(), SIP, "this address passes from host to host");
            let problem = problem.also(passes.span.clone(), "as it is here");
            checker.problems.add(problem.allowed("an address that the host always has"));
        }
    }
    let kinds = |host: &Host<'_>| {
        let addresses = of(host, &given.networks)?;
        let four = addresses.iter().filter(|address| address.is_ipv4()).count();
        Some((host.name.as_ref()?.value.to_owned(), span(host)?, [four, addresses.len() - four]))
    };
    let mut all = given.hosts.iter().filter_map(kinds);
    let Some((first, _, wanted)) = all.next() else { return };
    for (name, span, _) in all.filter(|(.., kinds)| *kinds != wanted) {
        let what = format!("{name} has other kinds of addresses for SIP than {first}");
        let problem = Problem::error(span, SIP, what).allowed("as many of IPv4 and of IPv6 as on every host");
        checker
            .problems
            .add(problem.help("a call that passes to another host is reached there at an address of the same kind"));
    }
}

/// Where the addresses of a host stand.
fn span(host: &Host<'_>) -> Option<Range<usize>> {
    let lists = [host.sip.as_ref(), host.addresses.as_ref()];
    lists.into_iter().flatten().next().map(|list| list.span.clone())
}

/// The addresses of a host for SIP, IPv4 first: if it names none, the one in the first network.
pub(super) fn of(host: &Host<'_>, networks: &[Network<'_>]) -> Option<Vec<IpAddr>> {
    let values = |list: &At<Vec<At<IpAddr>>>| list.value.iter().map(|at| at.value).collect::<Vec<_>>();
    if let Some(list) = &host.sip {
        let mut addresses = values(list);
        addresses.sort_by_key(IpAddr::is_ipv6);
        return Some(addresses);
    }
    let first = networks.first()?.prefix.as_ref()?.value;
    let address = values(host.addresses.as_ref()?).into_iter().find(|address| first.contains(*address))?;
    Some(vec![address])
}

/// Where Everline listens, on whichever host.
pub(super) fn listens(document: &Document<'_>) -> Vec<Listen> {
    let given = &document.hosts;
    let sip: Vec<IpAddr> = given.hosts.iter().filter_map(|host| of(host, &given.networks)).flatten().collect();
    let all = document.sip.listen.iter().flatten();
    all.flat_map(|listen| listen.value.on(&sip).collect::<Vec<_>>()).collect()
}
