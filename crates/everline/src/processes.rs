//! The processes of a solution: `everline run APPLICATION`, started by `up` and by the local control agent.

use std::fs;
use std::path::PathBuf;

use management::Description;
use model::Incarnation;
use node::control_server::{self, ControlSettings, Pair};
use node::lca::{self, LcaSettings};
use node::process;
use node::server::{self, ServerSettings, Service};
use node::wire::Trouble;

use crate::engines;
use crate::failure::{Failure, Kind};
use crate::folder::{self, Folder};
use crate::settings::Settings;

/// The two sides of each pair, in the order of their names.
const SIP: [&str; 2] = ["sip-a", "sip-b"];
const ROUTING: [&str; 2] = ["routing-a", "routing-b"];

/// Runs one application until it ends.
///
/// # Errors
/// If there is no such application, or it cannot run.
pub(crate) fn run(folder: Folder, application: &str, run: u64) -> Result<(), Failure> {
    let me = Incarnation::new(application, run);
    let settings = Settings::read(&folder::settings(&folder)).map_err(|why| {
        Failure::new(Kind::Wrong, why).help("this is not a command for people; `everline up` starts everything")
    })?;
    match application {
        "lca" => {
            let applications = applications(&settings);
            let ran = lca::run(LcaSettings { folder, program: program(), applications });
            Ok(ran.inspect_err(say_last_word)?)
        }
        "control" => Ok(control_server::run(control(folder, &settings, me)?)?),
        "sip-a" | "sip-b" => sip(&folder, &settings, me),
        "routing-a" | "routing-b" => routing(&folder, &settings, me),
        _ => Err(Failure::new(Kind::Wrong, format!("there is no application \"{application}\""))),
    }
}

/// Tells `up`, which reads standard output of the local control agent, why that cannot go on.
fn say_last_word(trouble: &Trouble) {
    // Where nobody listens any more, the log has it.
    let _ = serde_json::to_writer(std::io::stdout(), trouble);
}

/// The program that this process runs, even if its file was replaced or removed meanwhile.
pub(crate) fn program() -> PathBuf {
    std::env::current_exe().ok().filter(|path| path.exists()).unwrap_or_else(|| "/proc/self/exe".into())
}

/// What the local control agent starts, in this order: the control server with the coordinator, then the pairs.
fn applications(settings: &Settings) -> Vec<Description> {
    let control = Description { name: "control".into(), pair: None, ends_last: true };
    let servers = [("sip", SIP), ("routing", ROUTING)].into_iter().flat_map(|(pair, sides)| {
        let server = move |name: &str| Description { name: name.into(), pair: Some(pair.into()), ends_last: false };
        members(settings, sides).into_iter().map(server)
    });
    std::iter::once(control).chain(servers).collect()
}

/// Those sides of a pair that are run.
fn members(settings: &Settings, sides: [&'static str; 2]) -> Vec<&'static str> {
    sides.into_iter().take(if settings.sip.standby { 2 } else { 1 }).collect()
}

fn control(folder: Folder, settings: &Settings, me: Incarnation) -> Result<ControlSettings, Failure> {
    let pair = |name: &str, sides| {
        let members = members(settings, sides).into_iter().map(str::to_owned).collect();
        Pair { name: name.into(), members }
    };
    let host = fs::read_to_string(HOST).map_err(|error| Failure::failed(format!("cannot read {HOST}: {error}")))?;
    Ok(ControlSettings {
        folder,
        me,
        solution: settings.solution.clone(),
        host: host.trim_end().to_owned(),
        sip: pair("sip", SIP),
        routing: pair("routing", ROUTING),
        etcd: None,
    })
}

/// Where the kernel tells the name of this host (`proc_sys_kernel(5)`).
const HOST: &str = "/proc/sys/kernel/hostname";

fn sip(folder: &Folder, settings: &Settings, me: Incarnation) -> Result<(), Failure> {
    serve(folder, &me, || {
        let engine = engines::sip(settings, secret(folder)?)?;
        let shell = ServerSettings {
            doors: engines::doors(settings),
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
    sides: [&'static str; 2],
    me: Incarnation,
) -> ServerSettings {
    let other = members(settings, sides).into_iter().find(|side| *side != me.application);
    ServerSettings {
        me,
        pair: pair.to_owned(),
        peer: other.map(str::to_owned),
        folder: folder.clone(),
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
