//! The processes of a solution: `everline run APPLICATION`, started by `up` and by the local control agent.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use management::Description;
use model::{Incarnation, Span};
use network::address::VirtualAddress;
use node::authority;
use node::control_server::{self, ControlSettings, FenceSettings, OtherHost, Pair, Place};
use node::coordinator;
use node::lca::{self, LcaSettings};
use node::process;
use node::prompt;
use node::server::{self, ServerSettings, Service};
use node::switchboard;
use node::wire::Trouble;

use crate::engines;
use crate::failure::{Failure, Kind};
use crate::folder::{self, Folder};
use crate::hosts::{self, Address, SIDES};
use crate::settings::{Fence, Listen, Settings, Transport};

/// The members of each pair: its two sides, and the spares on other hosts ([`hosts::SIDES`]).
const SIP: [&str; SIDES.len()] = ["sip-a", "sip-b", "sip-c", "sip-d", "sip-e"];
const ROUTING: [&str; SIDES.len()] = ["routing-a", "routing-b", "routing-c", "routing-d", "routing-e"];

/// Runs one application until it ends.
///
/// # Errors
/// If there is no such application, or it cannot run.
pub(crate) fn run(folder: Folder, application: &str, run: u64) -> Result<(), Failure> {
    let me = Incarnation::new(application, run);
    let settings = Settings::read(&folder::settings(&folder)).map_err(|why| {
        Failure::new(Kind::Wrong, why).help("this is not a command for people; `everline up` starts everything")
    })?;
    prompt::run_first(nice(application));
    match application {
        "lca" => {
            let applications = applications(&folder, &settings);
            let others =
                settings.hosts.as_ref().map_or_else(Vec::new, |hosts| hosts.agents(&folder, &[SIP, ROUTING].concat()));
            let addresses = addresses(&settings)?;
            let addresses = SIP.iter().flat_map(|side| addresses.iter().map(|one| ((*side).to_owned(), one.clone())));
            let addresses = addresses.collect();
            let isolated = settings.fence.isolated.map(|seconds| Span::from_secs(seconds.into()));
            let moved = moved(&settings);
            let may_harm = settings.may_drill;
            let ran = lca::run(LcaSettings { folder, applications, moved, addresses, others, isolated, may_harm });
            Ok(ran.inspect_err(say_last_word)?)
        }
        "control" => Ok(control_server::run(control(folder, &settings, me)?)?),
        "switchboard" => board(&folder, &settings, me),
        "etcd" => etcd(&folder, &settings, &me),
        "authority" => authority(&folder, &settings, me),
        _ if SIP.contains(&application) => sip(&folder, &settings, me),
        _ if ROUTING.contains(&application) => routing(&folder, &settings, me),
        _ => Err(Failure::new(Kind::Wrong, format!("there is no application \"{application}\""))),
    }
}

/// How an application stands in the queue for a processor: first those that callers wait for, and who watches over them, then those
/// that these ask before a change of roles, then all others.
fn nice(application: &str) -> i32 {
    match application {
        "lca" => -10,
        "control" | "etcd" => -5,
        _ if SIP.contains(&application) || ROUTING.contains(&application) => -10,
        _ => 0,
    }
}

/// Tells `up`, which reads standard output of the local control agent, why that cannot go on.
fn say_last_word(trouble: &Trouble) {
    // Where nobody listens any more, the log has it.
    let _ = serde_json::to_writer(std::io::stdout(), trouble);
}

/// Where another program finds the one that this process runs, even if its file was replaced or removed meanwhile. Whoever starts it
/// without another program's help asks [`process::program_of`].
pub(crate) fn program() -> PathBuf {
    let kept = || PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    std::env::current_exe().ok().filter(|path| path.exists()).unwrap_or_else(kept)
}

/// What the local control agent starts, in this order: the control server with the coordinator, the way to other hosts, then
/// those sides of the pairs that are on this host.
fn applications(folder: &Folder, settings: &Settings) -> Vec<Description> {
    let alone = |name: &str| Description { name: name.into(), pair: None, ends_last: true, spare: None };
    let is_here = |name: &&str| settings.hosts.as_ref().is_none_or(|hosts| hosts.of(name) == Some(&hosts.here));
    let servers = [("sip", SIP), ("routing", ROUTING)].into_iter().flat_map(|(pair, sides)| {
        let server = move |name: &str| Description {
            name: name.into(),
            pair: Some(pair.into()),
            ends_last: false,
            spare: spares(sides).zip(0..).find(|(spare, _)| *spare == name).map(|(_, place)| place),
        };
        members(settings, sides).into_iter().filter(is_here).map(server)
    });
    let switchboard = settings.hosts.as_ref().map(|_| alone("switchboard"));
    let keeps = |hosts: &&hosts::Hosts| hosts.keeps_etcd();
    let etcd = settings.hosts.as_ref().filter(keeps).map(|_| alone("etcd"));
    // Without its file it could not run; `host run` has said so.
    let has_authority = |hosts: &&hosts::Hosts| hosts.has_authority() && folder.authority().exists();
    let authority = settings.hosts.as_ref().filter(has_authority).map(|_| alone("authority"));
    etcd.into_iter().chain([alone("control")]).chain(switchboard).chain(authority).chain(servers).collect()
}

fn authority(folder: &Folder, settings: &Settings, me: Incarnation) -> Result<(), Failure> {
    let Some(hosts) = &settings.hosts else { return Err(one_host()) };
    Ok(authority::run(hosts.authority(folder, me))?)
}

fn one_host() -> Failure {
    Failure::new(Kind::Wrong, "this contact centre has one host only")
}

fn board(folder: &Folder, settings: &Settings, me: Incarnation) -> Result<(), Failure> {
    let Some(hosts) = &settings.hosts else { return Err(one_host()) };
    let servers = [members(settings, SIP), members(settings, ROUTING)].concat();
    Ok(switchboard::run(hosts.switchboard(folder, &settings.solution, me, &servers))?)
}

fn etcd(folder: &Folder, settings: &Settings, me: &Incarnation) -> Result<(), Failure> {
    let member = settings.hosts.as_ref().and_then(|hosts| hosts.member(folder, &settings.solution));
    let Some(member) = member else {
        return Err(Failure::new(Kind::Wrong, "no member of etcd is placed on this host"));
    };
    Ok(coordinator::keep(folder, me, &member)?)
}

/// Those members of a pair that are run.
fn members(settings: &Settings, sides: [&'static str; SIDES.len()]) -> Vec<&'static str> {
    let spares = settings.hosts.as_ref().map_or(0, |hosts| hosts.spares.len());
    let count = if settings.sip.standby { 2 + spares } else { 1 };
    sides.into_iter().take(count).collect()
}

/// Those of them that stand in for others.
fn spares(sides: [&'static str; SIDES.len()]) -> impl Iterator<Item = &'static str> {
    sides.into_iter().skip(2)
}

fn control(folder: Folder, settings: &Settings, me: Incarnation) -> Result<ControlSettings, Failure> {
    let pair = |name: &str, sides| {
        let members = members(settings, sides).into_iter().map(str::to_owned).collect();
        Pair { name: name.into(), members }
    };
    let name = fs::read_to_string(HOST).map_err(|error| Failure::failed(format!("cannot read {HOST}: {error}")))?;
    let hosts = settings.hosts.as_ref();
    let etcd = hosts.map(|hosts| hosts.etcd(&folder, &settings.solution));
    let other = |host: &hosts::Host| OtherHost {
        name: host.name.clone(),
        agent: hosts::agent_of(&host.name),
        addresses: host.networks.clone(),
    };
    let secret = secret(&folder)?;
    let here = hosts.and_then(|hosts| hosts.host(&hosts.here));
    Ok(ControlSettings {
        folder,
        me,
        solution: settings.solution.clone(),
        host: hosts.map_or_else(|| name.trim_end().to_owned(), |hosts| hosts.here.clone()),
        addresses: here.map_or_else(Vec::new, |host| host.networks.clone()),
        others: hosts.into_iter().flat_map(|hosts| hosts.others().map(other)).collect(),
        probed: probed(settings)?,
        probe_call: Duration::from_secs(settings.sip.probe_call.into()),
        secret,
        sip: pair("sip", SIP),
        routing: pair("routing", ROUTING),
        etcd,
        places: places(settings),
        moved: moved(settings),
        fence: fence(&settings.fence),
        version: hosts.and_then(|hosts| hosts.version),
    })
}

/// Of each application that is not where it was at first, the move that has brought it there.
fn moved(settings: &Settings) -> BTreeMap<String, u64> {
    settings.hosts.as_ref().map_or_else(BTreeMap::new, |hosts| hosts.moved.clone())
}

/// The host of each member of a pair.
fn places(settings: &Settings) -> BTreeMap<String, String> {
    let Some(hosts) = &settings.hosts else { return BTreeMap::new() };
    let all = SIP.into_iter().chain(ROUTING);
    all.filter_map(|member| Some((member.to_owned(), hosts.of(member)?.to_owned()))).collect()
}

fn fence(fence: &Fence) -> Option<FenceSettings> {
    let seconds = |seconds: u32| Span::from_secs(seconds.into());
    let program = PathBuf::from(fence.program.as_ref()?);
    Some(FenceSettings { program, limit: seconds(fence.timeout), after: seconds(fence.after) })
}

/// Where whoever serves can be asked from outside.
fn probed(settings: &Settings) -> Result<Vec<Place>, Trouble> {
    let addresses = addresses(settings)?;
    let is_virtual = |listen: &Listen| addresses.iter().any(|one| one.address == listen.address.ip());
    let udp = settings.sip.listen.iter().filter(|listen| listen.transport == Transport::Udp);
    // Of their own addresses each host has as many, in the same order: whoever serves is at one of those at the same place.
    let hosts = settings.hosts.as_ref().map_or(&[][..], |hosts| &hosts.all);
    let count = hosts.first().map_or(0, |host| host.sip.len());
    let own = |listen: &Listen, at: usize| -> Place {
        hosts.iter().filter_map(|host| Some(SocketAddr::new(*host.sip.get(at)?, listen.address.port()))).collect()
    };
    let place = |listen: &Listen| -> Vec<Place> {
        if listen.is_of_host() {
            return (0..count).map(|at| own(listen, at)).collect();
        }
        is_virtual(listen).then(|| [listen.address].into_iter().collect()).into_iter().collect()
    };
    Ok(udp.flat_map(place).collect())
}

/// The addresses that whoever serves takes.
fn addresses(settings: &Settings) -> Result<Vec<VirtualAddress>, Trouble> {
    settings.hosts.iter().flat_map(|hosts| &hosts.addresses).map(Address::read).collect()
}

/// Where the kernel tells the name of this host (`proc_sys_kernel(5)`).
const HOST: &str = "/proc/sys/kernel/hostname";

fn sip(folder: &Folder, settings: &Settings, me: Incarnation) -> Result<(), Failure> {
    serve(folder, &me, || {
        let engine = engines::sip(settings, secret(folder)?)?;
        let shell = ServerSettings {
            doors: engines::doors(settings),
            addresses: addresses(settings)?,
            calls: members(settings, ROUTING).into_iter().map(str::to_owned).collect(),
            ..shell(folder, settings, "sip", SIP, me.clone())
        };
        Ok((shell, call::Engine::new(engine)))
    })
}

fn routing(folder: &Folder, settings: &Settings, me: Incarnation) -> Result<(), Failure> {
    serve(folder, &me, || {
        let engine = routing::Engine::new(engines::routing(settings));
        Ok((ServerSettings { is_called: true, ..shell(folder, settings, "routing", ROUTING, me.clone()) }, engine))
    })
}

/// Runs a server; the local control agent is told if it cannot be run.
fn serve<S: Service>(
    folder: &Folder,
    me: &Incarnation,
    prepare: impl FnOnce() -> Result<(ServerSettings, S), Trouble>,
) -> Result<(), Failure> {
    let _log = process::begin(folder, me)?;
    let served = prepare().and_then(|(settings, engine)| server::run(settings, engine));
    Ok(served.inspect_err(|trouble| process::fail(folder, me, trouble))?)
}

fn shell(
    folder: &Folder,
    settings: &Settings,
    pair: &str,
    sides: [&'static str; SIDES.len()],
    me: Incarnation,
) -> ServerSettings {
    let others: Vec<_> = members(settings, sides).into_iter().filter(|side| *side != me.application).collect();
    ServerSettings {
        far: settings.hosts.as_ref().and_then(|hosts| hosts.far(folder, &settings.solution, pair, &others)),
        me,
        pair: pair.to_owned(),
        peers: others.into_iter().map(str::to_owned).collect(),
        folder: folder.clone(),
        addresses: Vec::new(),
        doors: Vec::new(),
        calls: Vec::new(),
        is_called: false,
    }
}

/// The key of the digest's nonces, which both sides of the pair must have.
fn secret(folder: &Folder) -> Result<[u8; 32], Trouble> {
    let path = folder::nonce_key(folder);
    let bytes =
        fs::read(&path).map_err(|error| Trouble::new(format!("cannot read {}: {error}", path.display()), AGAIN))?;
    bytes.try_into().map_err(|_| Trouble::new(format!("{} is broken", path.display()), AGAIN))
}

const AGAIN: &str = "`everline up` makes it when it starts the contact centre";
