//! The hosts of a solution, what runs on which of them, and how they reach each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use model::{Incarnation, Span, Trouble};
use network::address::{Hook, VirtualAddress};
use node::authority::{self, AuthoritySettings};
use node::coordinator::EtcdSettings;
use node::coordinator::member::{Member, TlsFiles};
use node::folder::Folder;
use node::identity::{name_of, tls_files};
use node::server::{FarSettings, Route};
use node::switchboard::{OtherHost, SwitchboardSettings};
use serde::{Deserialize, Serialize};

/// Where the switchboards of the hosts listen, in each network.
const SWITCHBOARD: u16 = 7_700;
/// Where the links of the pairs arrive: one port for each pair, as no host has both sides of one.
const LINKS: [(&str, u16); 2] = [("sip", 7_701), ("routing", 7_702)];
/// Where members of etcd are asked, and where they meet each other: not at the usual ports, as there may be another one.
const ETCD: u16 = 7_703;
const ETCD_PEERS: u16 = 7_704;
/// The members of a pair: its two usual ones, then its spares.
pub(crate) const SIDES: [&str; 5] = ["a", "b", "c", "d", "e"];
/// Hosts that can stand in for others.
pub(crate) const MOST_SPARES: usize = SIDES.len() - 2;

/// The hosts, as one of them sees them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hosts {
    /// The name of this host.
    pub(crate) here: String,
    /// All of them.
    pub(crate) all: Vec<Host>,
    /// The names of the networks between them, in the order of their addresses.
    pub(crate) networks: Vec<String>,
    /// The hosts of the sides of the SIP Server, `sip-a` and `sip-b`.
    pub(crate) sip: [String; 2],
    /// The same of the Routing Server.
    pub(crate) routing: [String; 2],
    /// The hosts of the spares, which run while one of the usual hosts is away: `sip-c` and `routing-c` on the first one, `sip-d` and
    /// `routing-d` on the second one, for the case that the first one is away as well.
    pub(crate) spares: Vec<String>,
    /// Where the coordinator is.
    pub(crate) coordinator: Coordinator,
    /// The host of the authority, which renews the certificates.
    pub(crate) authority: String,
    /// Addresses of the SIP Server that whoever serves takes.
    pub(crate) addresses: Vec<Address>,
    /// The version of the shared configuration that says so; none in a rehearsal.
    pub(crate) version: Option<u64>,
    /// Of each application of a pair that has moved to another host, the version that did so.
    pub(crate) moved: BTreeMap<String, u64>,
}

/// Which etcd is the coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Coordinator {
    /// One of Everline's own, with a member on each of these hosts.
    Members(Vec<String>),
    /// One that somebody else keeps.
    Existing {
        /// Its members, `HOST:PORT`.
        addresses: Vec<String>,
        /// TLS, if it asks for it.
        tls: Option<TlsFiles>,
    },
}

/// An address that whoever serves takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    /// Address, prefix and interface, `10.0.0.5/24@eth1`.
    pub(crate) text: String,
    /// The program that moves it, and the seconds that it may take.
    pub(crate) hook: Option<(String, u32)>,
}

impl Address {
    /// What stands for an address in the settings.
    pub(crate) fn of(address: &VirtualAddress) -> Self {
        let seconds = |hook: &Hook| u32::try_from(hook.limit.as_millis() / 1_000).unwrap_or(u32::MAX);
        let hook = address.hook.as_ref().map(|hook| (hook.program.to_string_lossy().into_owned(), seconds(hook)));
        Self { text: address.to_string(), hook }
    }

    /// The address that it stands for.
    ///
    /// # Errors
    /// If the text is none.
    pub(crate) fn read(&self) -> Result<VirtualAddress, Trouble> {
        let hook = |(program, seconds): &(String, u32)| Hook {
            program: program.into(),
            limit: Span::from_secs((*seconds).into()),
        };
        Ok(VirtualAddress { hook: self.hook.as_ref().map(hook), ..self.text.parse()? })
    }
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Host {
    /// Its name.
    pub(crate) name: String,
    /// Its address in each network between the hosts, in the same order for all.
    pub(crate) networks: Vec<IpAddr>,
    /// Its addresses for SIP, where each host serves at its own; on all hosts as many of each family, IPv4 first.
    pub(crate) sip: Vec<IpAddr>,
}

impl Hosts {
    /// The host that an application of a pair runs on.
    pub(crate) fn of(&self, application: &str) -> Option<&str> {
        let (pair, side) = application.split_once('-')?;
        let hosts = match pair {
            "sip" => &self.sip,
            "routing" => &self.routing,
            _ => return None,
        };
        let number = SIDES.iter().position(|known| *known == side)?;
        hosts.iter().chain(&self.spares).nth(number).map(String::as_str)
    }

    /// The applications of pairs that may run on a host.
    pub(crate) fn on(&self, host: &str) -> Vec<String> {
        members().filter(|application| self.of(application) == Some(host)).collect()
    }

    /// The same, each with the number of the move that has brought it there.
    pub(crate) fn placed_on(&self, host: &str) -> Vec<(String, u64)> {
        let moved = |application: &String| self.moved.get(application).copied().unwrap_or_default();
        self.on(host).into_iter().map(|application| (application.clone(), moved(&application))).collect()
    }

    /// The applications of pairs that are somewhere else than `before`; all, if that is not known.
    pub(crate) fn moves(&self, before: Option<&Self>) -> BTreeSet<String> {
        members()
            .filter(|application| before.is_none_or(|before| before.of(application) != self.of(application)))
            .collect()
    }

    /// The member of etcd that runs on this host, if one does.
    pub(crate) fn member(&self, folder: &Folder, solution: &str) -> Option<Member> {
        let Coordinator::Members(names) = &self.coordinator else { return None };
        let here = names.iter().find(|name| **name == self.here)?;
        let peers = |name: &String| Some((name.clone(), self.host(name)?.at(ETCD_PEERS)));
        Some(Member {
            name: here.clone(),
            data: data_of_etcd(folder),
            peers: self.listen(ETCD_PEERS),
            clients: self.listen(ETCD),
            cluster: names.iter().filter_map(peers).collect(),
            token: solution.to_owned(),
            tls: Some(tls_files(folder)),
            revoked: Some(folder.revoked()).filter(|list| list.exists()),
            is_late: Member::is_late(&data_of_etcd(folder), &folder.cluster()),
        })
    }

    /// Where the members of etcd on these hosts are reached by the others.
    pub(crate) fn peers_of(&self, names: &[String]) -> Vec<(String, Vec<SocketAddr>)> {
        names.iter().filter_map(|name| Some((name.clone(), self.host(name)?.at(ETCD_PEERS)))).collect()
    }

    /// The hosts with a member of Everline's own etcd.
    pub(crate) fn members(&self) -> &[String] {
        if let Coordinator::Members(names) = &self.coordinator { names } else { &[] }
    }

    /// True if a member of etcd runs on this host.
    pub(crate) fn keeps_etcd(&self) -> bool {
        self.members().contains(&self.here)
    }

    /// Where the control server finds etcd: the member of this host first, the others over each network.
    pub(crate) fn etcd(&self, folder: &Folder, solution: &str) -> EtcdSettings {
        let (places, tls): (Vec<_>, _) = match &self.coordinator {
            Coordinator::Members(names) => {
                let mut members: Vec<&Host> = names.iter().filter_map(|name| self.host(name)).collect();
                members.sort_by_key(|host| host.name != self.here);
                let place = |host: &Host| -> Vec<_> {
                    let seat = || (self.on(&host.name), host.name.clone());
                    host.at(ETCD).into_iter().map(|place| (place.to_string(), seat())).collect()
                };
                (members.into_iter().flat_map(place).collect(), Some(tls_files(folder)))
            }
            Coordinator::Existing { addresses, tls } => {
                let place = |address: &String| (address.clone(), (Vec::new(), address.clone()));
                (addresses.iter().map(place).collect(), tls.clone())
            }
        };
        let (addresses, (seats, hosts)) = places.into_iter().unzip();
        EtcdSettings { addresses, seats, hosts, solution: solution.to_owned(), cluster: folder.cluster(), tls }
    }

    /// The other hosts.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Host> {
        self.all.iter().filter(|host| host.name != self.here)
    }

    /// The host of this name.
    pub(crate) fn host(&self, name: &str) -> Option<&Host> {
        self.all.iter().find(|host| host.name == name)
    }

    /// Where this host listens at `port`: one address in each network.
    fn listen(&self, port: u16) -> Vec<SocketAddr> {
        self.host(&self.here).into_iter().flat_map(|host| host.at(port)).collect()
    }

    /// From which of our addresses to which of the other host's, in each network.
    fn ways(&self, other: &Host, port: u16) -> Vec<(SocketAddr, SocketAddr)> {
        self.listen(0).into_iter().zip(other.at(port)).collect()
    }

    /// How the other members of a pair are reached, if they are on other hosts.
    pub(crate) fn far(&self, folder: &Folder, solution: &str, pair: &str, peers: &[&str]) -> Option<FarSettings> {
        let (_, port) = LINKS.into_iter().find(|(name, _)| *name == pair)?;
        let route = |peer: &&str| {
            let host = self.of(peer).filter(|host| *host != self.here).and_then(|host| self.host(host))?;
            let route = Route { name: name_of(&host.name, solution), networks: self.ways(host, port) };
            Some(((*peer).to_owned(), route))
        };
        let routes: Vec<_> = peers.iter().filter_map(route).collect();
        let is_usual =
            |peer: &str| SIDES[..2].iter().any(|side| peer.rsplit_once('-').is_some_and(|(_, own)| own == *side));
        let spares = peers.iter().filter(|peer| !is_usual(peer)).map(|peer| (*peer).to_owned()).collect();
        let listen = self.listen(port);
        let (identity, networks) = (folder.identity(), self.networks.clone());
        (!routes.is_empty()).then_some(FarSettings { identity, networks, listen, routes, spares })
    }

    /// Where the local control agents of the other hosts are reached, each with those of the `servers` that are placed there.
    pub(crate) fn agents(&self, folder: &Folder, servers: &[&str]) -> Vec<(PathBuf, Vec<String>)> {
        let placed = |host: &Host| -> Vec<String> {
            let there = servers.iter().filter(|server| self.of(server) == Some(&host.name));
            there.map(|server| (*server).to_owned()).collect()
        };
        self.others().map(|host| (folder.socket(&agent_of(&host.name)), placed(host))).collect()
    }

    /// True if the authority is on this host.
    pub(crate) fn has_authority(&self) -> bool {
        self.authority == self.here
    }

    /// What the authority is told, on its host.
    pub(crate) fn authority(&self, folder: &Folder, me: Incarnation) -> AuthoritySettings {
        let hosts = self.all.iter().map(|host| (host.name.clone(), host.networks.clone())).collect();
        AuthoritySettings { folder: folder.clone(), me, listen: self.listen(authority::PORT), hosts }
    }

    /// From which of our addresses the authority is reached at which.
    fn to_authority(&self) -> Vec<(SocketAddr, SocketAddr)> {
        self.host(&self.authority).map_or_else(Vec::new, |host| self.ways(host, authority::PORT))
    }

    /// What the switchboard of this host is told; `servers` are all applications of all pairs.
    pub(crate) fn switchboard(
        &self,
        folder: &Folder,
        solution: &str,
        me: Incarnation,
        servers: &[&str],
    ) -> SwitchboardSettings {
        let on = |host: &str| -> Vec<&str> {
            servers.iter().filter(|server| self.of(server) == Some(host)).copied().collect()
        };
        let sockets = |server: &str| [format!("{server}.sock"), format!("{server}.mail")];
        let other = |host: &Host| {
            let mut there: Vec<(String, String)> =
                on(&host.name).into_iter().flat_map(sockets).map(|socket| (socket.clone(), socket)).collect();
            there.push((format!("{}.sock", agent_of(&host.name)), "lca.sock".into()));
            OtherHost { name: name_of(&host.name, solution), networks: self.ways(host, SWITCHBOARD), sockets: there }
        };
        let mut offers: Vec<String> = on(&self.here).into_iter().flat_map(sockets).collect();
        offers.push("lca.sock".into());
        SwitchboardSettings {
            folder: folder.clone(),
            me,
            identity: folder.identity(),
            listen: self.listen(SWITCHBOARD),
            offers,
            others: self.others().map(other).collect(),
            authority: self.to_authority(),
        }
    }
}

impl Host {
    /// Where something at `port` of this host is, in each network.
    fn at(&self, port: u16) -> Vec<SocketAddr> {
        self.networks.iter().map(|address| SocketAddr::new(*address, port)).collect()
    }
}

/// All applications of pairs.
fn members() -> impl Iterator<Item = String> {
    LINKS.iter().flat_map(|(pair, _)| SIDES.map(|side| format!("{pair}-{side}")))
}

/// Who stands in for others, of the hosts that have no side of a pair: first those that have no member of the coordinator either.
pub(crate) fn spares<'a>(free: impl Iterator<Item = &'a str>, coordinator: &Coordinator) -> Vec<String> {
    let has_member =
        |host: &str| matches!(coordinator, Coordinator::Members(names) if names.iter().any(|name| name == host));
    let mut free: Vec<&str> = free.collect();
    free.sort_by_key(|host| has_member(host));
    free.into_iter().take(MOST_SPARES).map(str::to_owned).collect()
}

/// Where a member of etcd has its data.
pub(crate) fn data_of_etcd(folder: &Folder) -> PathBuf {
    folder.path().join("data/etcd")
}

/// The name under which the local control agent of another host is reached here.
pub(crate) fn agent_of(host: &str) -> String {
    format!("{host}.lca")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn three(here: &str) -> Hosts {
        let host = |number: u8| Host {
            name: format!("h{number}"),
            networks: vec![IpAddr::from([10, 77, 1, number]), IpAddr::from([10, 77, 2, number])],
            sip: vec![IpAddr::from([10, 77, 1, number])],
        };
        let two = || ["h1".to_owned(), "h2".to_owned()];
        let all = (1..=3).map(host).collect();
        Hosts {
            here: here.into(),
            all,
            networks: ["a", "b"].map(str::to_owned).into(),
            sip: two(),
            routing: two(),
            spares: vec!["h3".into()],
            coordinator: Coordinator::Members(all_names()),
            authority: "h1".into(),
            addresses: Vec::new(),
            version: None,
            moved: BTreeMap::new(),
        }
    }

    fn all_names() -> Vec<String> {
        ["h1", "h2", "h3"].map(str::to_owned).into()
    }

    #[test]
    fn each_member_of_etcd_knows_all_networks_of_all_and_its_own_host_is_asked_first() {
        let folder = Folder::new("/centre");
        let member = three("h2").member(&folder, "ours").expect("one is here");
        assert_eq!(member.cluster.len(), 3);
        assert!(member.cluster.iter().all(|(_, peers)| peers.len() == 2));
        assert_eq!(member.cluster[1], ("h2".to_owned(), member.peers));
        let settings = three("h2").etcd(&folder, "ours");
        assert_eq!(settings.seats.len(), settings.addresses.len());
        assert_eq!(settings.seats[0], three("h2").on("h2"));
        let asked = settings.addresses;
        assert_eq!(asked[..3], ["10.77.1.2:7703", "10.77.2.2:7703", "10.77.1.1:7703"]);
        let coordinator = Coordinator::Existing { addresses: vec!["etcd:2379".into()], tls: None };
        let theirs = Hosts { coordinator, ..three("h2") };
        assert_eq!(theirs.member(&folder, "ours"), None);
        assert_eq!(theirs.etcd(&folder, "ours").addresses, ["etcd:2379"]);
    }

    const SERVERS: [&str; 6] = ["sip-a", "sip-b", "sip-c", "routing-a", "routing-b", "routing-c"];

    #[test]
    fn each_side_is_told_where_the_other_one_is() {
        let folder = Folder::new("/centre");
        let far = three("h1").far(&folder, "ours", "sip", &["sip-b", "sip-c"]).expect("on another host");
        assert_eq!(far.listen, ["10.77.1.1:7701", "10.77.2.1:7701"].map(|text| text.parse().expect("an address")));
        assert_eq!(far.networks, ["a", "b"]);
        let [(peer, route), (_, to_spare)] = &far.routes[..] else { panic!("{:?}", far.routes) };
        assert_eq!((peer.as_str(), route.name.as_str()), ("sip-b", "h2.ours.everline.internal"));
        assert_eq!((&far.spares[..], to_spare.name.as_str()), (&["sip-c".to_owned()][..], "h3.ours.everline.internal"));
        let way = |from: &str, to: &str| (from.parse().expect("an address"), to.parse().expect("an address"));
        let ways = [way("10.77.1.1:0", "10.77.1.2:7701"), way("10.77.2.1:0", "10.77.2.2:7701")];
        assert_eq!(route.networks, ways);
        assert!(three("h2").far(&folder, "ours", "sip", &["sip-b"]).is_none(), "that is here");
        assert_eq!(three("h2").of("routing-b"), Some("h2"));
        assert_eq!(three("h2").of("control"), None);
        assert_eq!((three("h2").of("sip-c"), three("h2").of("sip-d")), (Some("h3"), None));
    }

    #[test]
    fn hosts_without_a_member_of_the_coordinator_stand_in_first() {
        let coordinator = three("h1").coordinator;
        assert_eq!(spares(["h3", "h4", "h5", "h6"].into_iter(), &coordinator), ["h4", "h5", "h6"]);
        assert_eq!(spares(["h3", "h4"].into_iter(), &coordinator), ["h4", "h3"]);
    }

    #[test]
    fn what_one_host_expects_of_another_is_what_that_one_offers() {
        let folder = Folder::new("/centre");
        let board = |here: &str| three(here).switchboard(&folder, "ours", Incarnation::new("switchboard", 1), &SERVERS);
        for here in ["h1", "h2", "h3"] {
            let mut places: Vec<String> = board(here).offers;
            for other in board(here).others {
                let name = other.name.split('.').next().expect("a host");
                let offers = board(name).offers;
                for (place, socket) in other.sockets {
                    assert!(offers.contains(&socket), "{here} wants {socket} of {name}");
                    assert!(!places.contains(&place), "two applications at {place} on {here}");
                    places.push(place);
                }
            }
            for server in SERVERS {
                assert!(places.contains(&format!("{server}.sock")), "{server} cannot be reached from {here}");
            }
        }
    }
}
