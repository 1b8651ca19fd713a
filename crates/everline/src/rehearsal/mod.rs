//! `everline up --hosts N`: the same solution on several hosts, which are network namespaces of this machine.
//!
//! [`folders`] gives each host what `everline host join` would give a real one, [`children`] runs `everline host run` in each
//! namespace and says what they say, [`play`] lets hosts and links fail.

mod children;
mod folders;
mod left;
mod play;

use std::net::IpAddr;
use std::os::unix::process::CommandExt as _;

use model::hash64;
use network::rehearsal::{Id, MOST_HOSTS, Network, Place, Rehearsal, private, typed, virtual_addresses};
use rustix::process::geteuid;

use crate::control::Control;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::lock::Lock;
use crate::output;
use crate::processes;
use crate::settings::{Listen, Settings};
use crate::up;

use self::children::Children;
pub(crate) use self::left::end as end_what_is_left;
pub(crate) use self::play::{fail, link, repair};

/// Where SIP Servers listen if nothing else is said (RFC 3261 19.1.2).
const SIP_PORT: u16 = 5_060;

/// The domain of a solution whose hosts serve at addresses of their own.
const DOMAIN: &str = "everline.internal";

/// The variable that is set where whoever is not root runs this command again in namespaces of its own.
const PRIVATE: &str = "EVERLINE_PRIVATE";

/// What is to be rehearsed.
pub(crate) struct Wanted {
    /// How many hosts.
    pub(crate) hosts: u8,
    /// Each has a disk of its own.
    pub(crate) disks: bool,
    /// Each has a time of day of its own.
    pub(crate) clocks: bool,
    /// They speak IPv6, and no IPv4.
    pub(crate) ipv6: bool,
    /// Each serves at an address of its own, and none passes from host to host.
    pub(crate) own_addresses: bool,
}

/// Makes the net, runs every host in it, and takes it away again when all have ended.
///
/// # Errors
/// If the configuration has errors, a right or a program is missing, or a host does not come up.
pub(crate) fn run(folder: &Folder, wanted: &Wanted) -> Result<(), Failure> {
    if !geteuid().is_root() {
        if Lock::holder(&folder.lock("up")).is_none() {
            left::tell(left::end(folder)?);
        }
        return Err(again(private(processes::program().as_os_str()).env(PRIVATE, "yes")));
    }
    folder.create()?;
    let _lock = up::lock(folder)?;
    left::tell(left::end(folder)?);
    folders::is_of_these(folder, wanted)?;
    // What is rehearsed is drilled: two agents and a front desk would have nothing to do.
    crate::commands::drill::write_configuration(folder)?;
    let settings = solution(up::read(folder)?, wanted);
    let mut net = Rehearsal::make(&id(folder), wanted.hosts)?;
    let ran = equip(&mut net, folder, wanted).and_then(|()| folders::write(folder, &settings, wanted));
    let ran = ran.and_then(|places| {
        // First of all threads: the others inherit which signals are for it.
        let mut children = Children::new(&net, &places)?;
        // Lets links be delayed while this process runs.
        let _delays = net.delay_line()?;
        children.watch(|| output::result(&welcome(folder, &net, &settings, wanted.ipv6)))
    });
    // What the hosts left behind goes with the net.
    let torn_down = Rehearsal::tear_down(&id(folder)).map_err(Failure::from);
    ran.and(torn_down)
}

/// Gives the hosts what they would share else.
fn equip(net: &mut Rehearsal, folder: &Folder, wanted: &Wanted) -> Result<(), Failure> {
    if wanted.clocks {
        net.give_clocks()?;
    }
    if wanted.disks {
        (1..=wanted.hosts)
            .try_for_each(|host| net.give_disk(host, folders::of_host(folder, Place::Host(host)).path()))?;
    }
    Ok(())
}

/// What a drill needs of a rehearsal that runs.
pub(crate) struct Running {
    /// Its net.
    pub(crate) net: Rehearsal,
    /// The hosts and their folders.
    pub(crate) hosts: Vec<(String, Folder)>,
    /// The addresses of whoever serves, each with its network; none where each host serves at its own.
    pub(crate) addresses: Vec<String>,
}

/// The rehearsal that runs in this folder; `None` if there is none.
///
/// # Errors
/// If a right is missing.
pub(crate) fn running(folder: &Folder) -> Result<Option<Running>, Failure> {
    if !folder.path().join("hosts").is_dir() || Lock::holder(&folder.lock("up")).is_none() {
        return Ok(None);
    }
    let net = play::find(folder)?;
    let hosts = net.places().filter(|place| matches!(place, Place::Host(_)));
    let hosts = hosts.map(|place| (place.to_string(), folders::of_host(folder, place))).collect();
    Ok(Some(Running { net, hosts, addresses: folders::addresses(folder)? }))
}

/// The folder of the first host that runs, if this is the folder of a rehearsal and nothing else runs in it.
pub(crate) fn host_that_runs(folder: &Folder) -> Option<Folder> {
    // Whoever may not know is told so where something is asked.
    let runs = |folder: &Folder| Control::new(folder).is_running().unwrap_or(true);
    if !folder.path().join("hosts").is_dir() || runs(folder) {
        return None;
    }
    (1..=MOST_HOSTS).map(|number| folders::of_host(folder, Place::Host(number))).find(runs)
}

/// Runs this command again by way of `command`, which gives it the rights that it lacks; returns only if that cannot be.
fn again(command: &mut std::process::Command) -> Failure {
    let error = command.args(std::env::args_os().skip(1)).exec();
    Failure::failed(format!("cannot run `{}`: {error}", command.get_program().to_string_lossy()))
        .help("install util-linux, or run it as root")
}

/// The configuration as it stands, but reached at the virtual address of the rehearsal, or at the hosts' own.
fn solution(mut settings: Settings, wanted: &Wanted) -> Settings {
    let (ipv4_address, ipv6_address) = virtual_addresses(1);
    let address = if wanted.ipv6 { IpAddr::from(ipv6_address) } else { ipv4_address.into() };
    for listen in &mut settings.sip.listen {
        let port = if listen.address.port() == 0 { SIP_PORT } else { listen.address.port() };
        *listen = if wanted.own_addresses {
            Listen::of_host(listen.transport, port)
        } else {
            Listen { address: (address, port).into(), ..*listen }
        };
    }
    settings.sip.domain = match wanted {
        Wanted { own_addresses: true, .. } => DOMAIN.into(),
        // RFC 3261 25.1, `host`.
        Wanted { ipv6: true, .. } => format!("[{address}]"),
        _ => address.to_string(),
    };
    settings
}

/// The short name of the net of this folder.
fn id(folder: &Folder) -> Id {
    let hash = hash64(folder.path().as_os_str().as_encoded_bytes());
    // Eight of these letters make an id.
    format!("{:08x}", hash >> 32).parse().expect("eight small letters and digits")
}

/// What is typed before a program that is to run in a place.
fn inside(id: &Id, place: Place) -> String {
    let namespace = id.namespace(place);
    match std::env::var_os(PRIVATE) {
        Some(_) => typed(std::process::id(), &namespace),
        None => format!("ip netns exec {namespace}"),
    }
}

fn welcome(folder: &Folder, net: &Rehearsal, settings: &Settings, ipv6: bool) -> String {
    let sip: Vec<_> = folders::hosts(net.places(), ipv6).into_iter().flat_map(|host| host.sip).collect();
    let listens = settings.sip.listen.iter().flat_map(|listen| listen.on(&sip).collect::<Vec<_>>());
    let listens: Vec<Listen> = listens.collect();
    let first_call = listens.first().and_then(|listen| up::first_call(settings, *listen)).unwrap_or_default();
    let listens: Vec<String> = listens.iter().map(ToString::to_string).collect();
    let id = id(folder);
    let hosts: Vec<String> = net
        .places()
        .filter(|place| matches!(place, Place::Host(_)))
        .map(|place| format!("  {place}: `{} sh`", inside(&id, place)))
        .collect();
    format!(
        "{} runs on several hosts of a rehearsal; it listens at {}\n\nHosts:\n{}\nPhones are to be started in a namespace of \
         their own, at {}:\n  `{} baresip`\n{first_call}\n`everline status --dir {}` shows the whole \
         solution.\nready\n",
        settings.solution,
        listens.join(", "),
        hosts.join("\n"),
        folders::address_of(Place::Phones, Network::Access, ipv6),
        inside(&id, Place::Phones),
        folders::of_host(folder, Place::Host(1)).path().display(),
    )
}
