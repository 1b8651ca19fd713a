//! What no section about hosts can see alone: names that stand for nothing, addresses without a network, pairs that would
//! share their host. And what the sections mean, if all is well.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use node::coordinator::member::TlsFiles;

use super::check::Checker;
use super::fence;
use super::hosts::{Host, LABEL_ALLOWED, Names, Network, Place, is_label};
use super::names::Names as Known;
use super::own;
use super::problem::Problem;
use super::section::At;
use super::sections::Document;
use crate::hosts::{self, Coordinator};
use crate::settings::{Listen, Transport};

/// Members of etcd where there are as many hosts: fewer survive no loss of one.
const MEMBERS: usize = 3;
/// The most networks between hosts.
const MOST_NETWORKS: usize = 4;
/// The most hosts.
const MOST_HOSTS: usize = 64;

/// Notes all that is wrong with hosts and with what is placed on them.
pub(super) fn check(document: &Document<'_>, checker: &mut Checker<'_>) {
    let given = &document.hosts;
    let Some(first) = given.hosts.first() else { return without_hosts(document, checker) };
    let hosts = checker.unique("[[host]] name", given.hosts.iter().filter_map(|host| host.name.as_ref()));
    checker.unique("[[network]] name", given.networks.iter().filter_map(|network| network.name.as_ref()));
    if let Some(bad) = document.solution.as_ref().filter(|name| !is_label(name.value)) {
        let problem =
            Problem::error(bad.span.clone(), "[solution] name", "this cannot stand in the name of a certificate");
        checker.problems.add(problem.allowed(LABEL_ALLOWED).help("hosts know each other by certificates"));
    }
    if given.hosts.len() > MOST_HOSTS || given.networks.is_empty() || given.networks.len() > MOST_NETWORKS {
        let span = first.name.as_ref().map_or(0..0, |name| name.span.clone());
        let what = format!("1 to {MOST_HOSTS} hosts in 1 to {MOST_NETWORKS} networks are possible");
        let problem = Problem::error(span, "[[host]]", what).allowed("hosts are joined by a [[network]]");
        checker.problems.add(problem.help("[[network]] with name = \"a\" and prefix = \"10.0.1.0/24\""));
    }
    networks(&given.networks, checker);
    addresses(document, checker);
    place(document, &hosts, checker);
    listen(document, checker);
    probed(document, checker);
    own::check(document, checker);
}

/// The other sections about hosts mean nothing then.
fn without_hosts(document: &Document<'_>, checker: &mut Checker<'_>) {
    own::check(document, checker);
    if let Some(fence) = &document.fence {
        checker.problems.add(fence::without_hosts(fence));
    }
    let given = &document.hosts;
    let network = given.networks.iter().filter_map(|network| Some(("[[network]]", &network.name.as_ref()?.span)));
    let address = given.addresses.iter().map(|address| ("[[address]]", &address.span));
    let place = given.place.iter().map(|place| ("[place]", &place.span));
    let etcd = given.etcd.iter().map(|etcd| ("[etcd]", &etcd.span));
    if let Some((key, span)) = network.chain(address).chain(place).chain(etcd).next() {
        let problem = Problem::error(span.clone(), key, "there is no [[host]]");
        let help = "a solution on one host has none of [[network]], [[address]], [place] and [etcd]";
        checker.problems.add(problem.allowed("means nothing without hosts").help(help));
    }
}

fn networks(networks: &[Network<'_>], checker: &mut Checker<'_>) {
    let prefixes: Vec<_> = networks.iter().filter_map(|network| network.prefix.as_ref()).collect();
    for (number, prefix) in prefixes.iter().enumerate() {
        if let Some(other) = prefixes[..number].iter().find(|other| other.value.overlaps(prefix.value)) {
            let problem = Problem::error(prefix.span.clone(), "[[network]] prefix", "two networks share addresses");
            checker.problems.add(problem.allowed("one of its own").also(other.span.clone(), "the other one"));
        }
    }
    if let [At { span, .. }] = prefixes[..] {
        let warning = Problem::warning(span.clone(), "[[network]]", "there is one network between the hosts");
        let help = "with a second one over other cables, hosts do not lose each other when a switch fails";
        checker.problems.add(warning.allowed("when it breaks, they lose each other").help(help));
    }
}

/// Every address of a host is in one network, and every host has one in each.
fn addresses(document: &Document<'_>, checker: &mut Checker<'_>) {
    let given = &document.hosts;
    let of_hosts = || given.hosts.iter().filter_map(|host| host.addresses.as_ref()).flat_map(|list| &list.value);
    let virtuals: Vec<At<IpAddr>> =
        given.addresses.iter().map(|at| At { value: at.value.address, span: at.span.clone() }).collect();
    checker.different("[[host]] addresses", of_hosts().chain(&virtuals));
    if given.networks.iter().any(|network| network.prefix.is_none()) {
        return;
    }
    for host in &given.hosts {
        host_in_networks(host, &given.networks, checker);
    }
}

fn host_in_networks(host: &Host<'_>, networks: &[Network<'_>], checker: &mut Checker<'_>) {
    let (Some(name), Some(list)) = (&host.name, &host.addresses) else { return };
    let mut taken: BTreeMap<usize, Range<usize>> = BTreeMap::new();
    for address in &list.value {
        let at = networks
            .iter()
            .position(|network| network.prefix.as_ref().is_some_and(|prefix| prefix.value.contains(address.value)));
        let (what, also) = match at {
            None => ("this address is in none of the networks", None),
            Some(at) => match taken.insert(at, address.span.clone()) {
                None => continue,
                Some(first) => ("a second address in the same network", Some(first)),
            },
        };
        let problem = Problem::error(address.span.clone(), "[[host]] addresses", what);
        let problem = problem.allowed("one in each [[network]]").help(format!("the networks are {}", listed(networks)));
        checker.problems.add(match also {
            Some(first) => problem.also(first, "the first one"),
            None => problem,
        });
    }
    for (_, network) in networks.iter().enumerate().filter(|(at, _)| !taken.contains_key(at)) {
        let network = network.name.as_ref().map_or("", |name| name.value);
        let what = format!("{} has no address in the network {network}", name.value);
        let problem = Problem::error(list.span.clone(), "[[host]] addresses", what);
        checker.problems.add(problem.allowed("one in each [[network]]"));
    }
}

fn listed(networks: &[Network<'_>]) -> String {
    let one =
        |network: &Network<'_>| Some(format!("{} {}", network.name.as_ref()?.value, network.prefix.as_ref()?.value));
    networks.iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

fn place(document: &Document<'_>, hosts: &Known<'_>, checker: &mut Checker<'_>) {
    let given = &document.hosts;
    let Some(place) = &given.place else {
        return if given.hosts.len() < 2 && document.sip.standby {
            let span = given.hosts[0].name.as_ref().map_or(0..0, |name| name.span.clone());
            alone(span, checker);
        };
    };
    for (key, names) in [("[place] sip", &place.sip), ("[place] routing", &place.routing)] {
        match names {
            Some(names) => pair(key, names, place, document, hosts, checker),
            None if given.hosts.len() < 2 && document.sip.standby && !place.same_host => {
                alone(place.span.clone(), checker);
            }
            None => {}
        }
    }
    for name in place.coordinator.iter().flat_map(|names| &names.value) {
        checker.exists("[place] coordinator", name, "host", hosts);
    }
    if let Some(name) = &place.authority {
        checker.exists("[place] authority", name, "host", hosts);
    }
    if let Some(names) = &place.spare {
        spares(names, document, hosts, checker);
    }
    if let Some(names) = &place.coordinator {
        checker.unique("[place] coordinator", names.value.iter());
        if !matches!(names.value.len(), 1 | 3 | 5) {
            let problem = Problem::error(names.span.clone(), "[place] coordinator", "a majority must be left of it");
            let help = "with 3 one can be lost, with 5 two; with an even number no more than with one less";
            checker.problems.add(problem.allowed("1, 3 or 5 hosts").help(help));
        }
        if let Some(etcd) = &given.etcd {
            let problem = Problem::error(names.span.clone(), "[place] coordinator", "the coordinator is named twice");
            checker.problems.add(problem.allowed("this, or [etcd]").also(etcd.span.clone(), "the other one"));
        }
    }
}

/// The hosts of the two sides of a pair.
fn pair(
    key: &str,
    names: &Names<'_>,
    place: &Place<'_>,
    document: &Document<'_>,
    hosts: &Known<'_>,
    checker: &mut Checker<'_>,
) {
    for name in &names.value {
        checker.exists(key, name, "host", hosts);
    }
    let wanted = if document.sip.standby { 2 } else { 1 };
    if names.value.len() != wanted {
        let what = format!("{wanted} must be named here, not {}", names.value.len());
        let sides = if wanted == 2 { "a host for each side" } else { "one host, as [sip] standby is false" };
        checker.problems.add(Problem::error(names.span.clone(), key, what).allowed(sides));
    }
    if let [one, other] = &names.value[..]
        && one.value == other.value
        && !place.same_host
    {
        same(key, other.span.clone(), one.span.clone(), checker);
    }
}

fn same(key: &str, span: Range<usize>, first: Range<usize>, checker: &mut Checker<'_>) {
    let problem =
        Problem::error(span, key, "both sides of a pair are on one host: the loss of that host ends all calls");
    let help = "name another host; or write same-host = true into [place] if that is what you want";
    checker.problems.add(problem.allowed("another host").also(first, "the first side").help(help));
}

fn alone(span: Range<usize>, checker: &mut Checker<'_>) {
    let problem = Problem::error(span, "[[host]]", "one host cannot keep a pair apart");
    let help = "add a [[host]]; or write same-host = true into [place], or standby = false into [sip]";
    checker.problems.add(problem.allowed("two or more").help(help));
}

/// Whoever serves must be able to listen there.
fn listen(document: &Document<'_>, checker: &mut Checker<'_>) {
    let virtuals: Vec<IpAddr> = document.hosts.addresses.iter().map(|address| address.value.address).collect();
    for listen in document.sip.listen.iter().flatten() {
        let ip = listen.value.address.ip();
        if listen.value.address.port() == 0 {
            let problem = Problem::error(listen.span.clone(), "[sip] listen", "every host would choose another port");
            checker.problems.add(problem.allowed("a port other than 0"));
        }
        if !listen.value.is_of_host() && !ip.is_loopback() && !virtuals.contains(&ip) {
            let problem =
                Problem::error(listen.span.clone(), "[sip] listen", "this address does not pass from host to host");
            let help = format!(
                "[[address]] with address = \"{ip}/24@INTERFACE\" lets whoever serves take it; host in the place of the address means that of each host"
            );
            checker.problems.add(problem.allowed("an address that has its own [[address]]").help(help));
        }
    }
}

/// Hosts ask by UDP whether phones are served, and by nothing else.
fn probed(document: &Document<'_>, checker: &mut Checker<'_>) {
    let given = &document.hosts;
    let outside = || document.sip.listen.iter().flatten().filter(|listen| !listen.value.address.ip().is_loopback());
    let Some(first) = outside().next() else { return };
    let is_asked = outside().any(|listen| listen.value.transport == Transport::Udp);
    if is_asked || (given.hosts.len() < 2 && given.addresses.is_empty()) {
        return;
    }
    let what = "without UDP no host can ask whether phones are served";
    let beside = Listen { transport: Transport::Udp, ..first.value };
    let help = format!("with \"{beside}\" beside it, a server that runs and does not serve is noticed and replaced");
    let problem = Problem::warning(first.span.clone(), "[sip] listen", what);
    checker.problems.add(problem.allowed("hosts do not ask by TCP").help(help));
}

/// Who stands in for others.
fn spares(names: &Names<'_>, document: &Document<'_>, hosts: &Known<'_>, checker: &mut Checker<'_>) {
    const KEY: &str = "[place] spare";
    let settled = settle(document);
    let has_a_side =
        |name: &str| settled.as_ref().is_some_and(|all| all.sip.iter().chain(&all.routing).any(|one| one == name));
    for name in &names.value {
        checker.exists(KEY, name, "host", hosts);
        if has_a_side(name.value) {
            let what = "this host has a side of a pair, so it cannot stand in for another one";
            checker.problems.add(Problem::error(name.span.clone(), KEY, what).allowed("a host that has none"));
        }
    }
    checker.unique(KEY, names.value.iter());
    if names.value.len() > hosts::MOST_SPARES {
        let what = format!("{} hosts are more than can stand in for others", names.value.len());
        let allowed = format!("up to {} hosts", hosts::MOST_SPARES);
        checker.problems.add(Problem::error(names.span.clone(), KEY, what).allowed(allowed));
    }
}

/// The hosts as the rest of the program knows them, on none of them; `None` if there is one host only, or something is
/// missing, which has been noted.
pub(super) fn settle(document: &Document<'_>) -> Option<hosts::Hosts> {
    let given = &document.hosts;
    let host = |host: &Host<'_>| {
        let addresses = &host.addresses.as_ref()?.value;
        let in_network = |network: &Network<'_>| {
            let prefix = network.prefix.as_ref()?.value;
            addresses.iter().map(|at| at.value).find(|address| prefix.contains(*address))
        };
        let networks = given.networks.iter().map(in_network).collect::<Option<_>>()?;
        let sip = own::of(host, &given.networks)?;
        Some(hosts::Host { name: host.name.as_ref()?.value.to_owned(), networks, sip })
    };
    let all: Vec<hosts::Host> = given.hosts.iter().map(host).collect::<Option<_>>()?;
    let name = |network: &Network<'_>| Some(network.name.as_ref()?.value.to_owned());
    let networks: Vec<String> = given.networks.iter().map(name).collect::<Option<_>>()?;
    let names: Vec<&str> = all.iter().map(|host| host.name.as_str()).collect();
    let first = (*names.first()?).to_owned();
    let sides = |named: Option<&Names<'_>>| -> [String; 2] {
        let named: Vec<&str> =
            named.map_or_else(|| names.clone(), |names| names.value.iter().map(|at| at.value).collect());
        let one = named.first().map_or_else(|| first.clone(), |name| (*name).to_owned());
        let other = named.get(1).map_or_else(|| one.clone(), |name| (*name).to_owned());
        [one, other]
    };
    let place = given.place.as_ref();
    let (sip, routing) =
        (sides(place.and_then(|place| place.sip.as_ref())), sides(place.and_then(|place| place.routing.as_ref())));
    let has_a_side = |name: &&&str| sip.iter().chain(&routing).any(|host| host == **name);
    let coordinator = coordinator(document, &names);
    let spares = match place.and_then(|place| place.spare.as_ref()) {
        Some(named) => named.value.iter().map(|at| at.value.to_owned()).take(hosts::MOST_SPARES).collect(),
        None => hosts::spares(names.iter().filter(|name| !has_a_side(name)).copied(), &coordinator),
    };
    let authority = place.and_then(|place| place.authority.as_ref()).map_or(first.as_str(), |at| at.value).to_owned();
    Some(hosts::Hosts {
        here: String::new(),
        networks,
        sip,
        routing,
        spares,
        coordinator,
        authority,
        addresses: given.addresses.iter().map(|address| hosts::Address::of(&address.value)).collect(),
        version: None,
        moved: BTreeMap::new(),
        all,
    })
}

fn coordinator(document: &Document<'_>, names: &[&str]) -> Coordinator {
    if let Some(etcd) = &document.hosts.etcd {
        let tls = etcd.tls.map(|[authority, certificate, key]| TlsFiles {
            authority: authority.into(),
            certificate: certificate.into(),
            key: key.into(),
        });
        return Coordinator::Existing { addresses: etcd.members.iter().map(ToString::to_string).collect(), tls };
    }
    let named = document.hosts.place.as_ref().and_then(|place| place.coordinator.as_ref());
    // Of two hosts the second one: whoever loses the first one, with the primaries, has a coordinator still.
    let usual = if names.len() < MEMBERS { &names[names.len() - 1..] } else { &names[..MEMBERS] };
    let members: Vec<&str> =
        named.map_or_else(|| usual.to_vec(), |names| names.value.iter().map(|at| at.value).collect());
    Coordinator::Members(members.into_iter().map(str::to_owned).collect())
}
