//! The processes of a solution: `everline run APPLICATION`, started by `up` and by the local control agent.

use std::fs;

use management::Description;
use model::Incarnation;
use node::control_server::{self, ControlSettings};
use node::lca::LcaSettings;
use node::server::{self, ServerSettings};

use crate::engines;
use crate::failure::{Failure, Kind};
use crate::folder::Folder;
use crate::settings::Settings;

/// The two sides of each pair, in the order of their names.
const SIP: [&str; 2] = ["sip-a", "sip-b"];
const ROUTING: [&str; 2] = ["routing-a", "routing-b"];

/// Runs one application until it ends.
///
/// # Errors
/// If there is no such application, or it cannot run.
pub(crate) fn run(folder: &Folder, application: &str, run: u64) -> Result<(), Failure> {
    if application == "lca" {
        return lca(folder);
    }
    let me = Incarnation::new(application, run);
    let _log = node::process::begin(&node::folder::Folder::new(folder.path()), &me)
        .map_err(|trouble| Failure::failed(trouble.to_string()))?;
    if SIP.contains(&application) {
        sip(folder, application, run)
    } else if ROUTING.contains(&application) {
        routing(folder, application, run)
    } else if application == "control" {
        control(folder, run)
    } else {
        Err(Failure::new(Kind::Wrong, format!("there is no application \"{application}\"")))
    }
}

fn lca(folder: &Folder) -> Result<(), Failure> {
    let settings = Settings::read(&folder.run("settings.bin")).map_err(Failure::failed)?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::failed(format!("this program does not know where it is: {error}")))?;
    let sides = if settings.sip.standby { 2 } else { 1 };
    let server = |pair: &'static str, names: [&'static str; 2]| {
        names.into_iter().take(sides).map(move |name| Description {
            name: name.to_owned(),
            pair: Some(pair.to_owned()),
            ends_last: false,
        })
    };
    // The servers need the coordinator until their own end.
    let control = Description { name: "control".to_owned(), pair: None, ends_last: true };
    let applications = std::iter::once(control).chain(server("sip", SIP)).chain(server("routing", ROUTING)).collect();
    let agent = LcaSettings { folder: node::folder::Folder::new(folder.path()), program, applications };
    node::lca::run(agent).map_err(|trouble| Failure::failed(trouble.to_string()))
}

fn sip(folder: &Folder, application: &str, run: u64) -> Result<(), Failure> {
    let settings = Settings::read(&folder.run("settings.bin")).map_err(Failure::failed)?;
    let engine = engines::sip(&settings, secret(folder)?).map_err(Failure::failed)?;
    let shell = ServerSettings {
        doors: engines::doors(&settings),
        calls: ROUTING.map(str::to_owned).to_vec(),
        ..shell(folder, &settings, "sip", SIP, Incarnation::new(application, run))
    };
    server::run(shell, call::Engine::new(engine)).map_err(|trouble| Failure::failed(trouble.to_string()))
}

fn routing(folder: &Folder, application: &str, run: u64) -> Result<(), Failure> {
    let settings = Settings::read(&folder.run("settings.bin")).map_err(Failure::failed)?;
    let engine = routing::Engine::new(engines::routing(&settings));
    let shell = ServerSettings {
        is_called: true,
        ..shell(folder, &settings, "routing", ROUTING, Incarnation::new(application, run))
    };
    server::run(shell, engine).map_err(|trouble| Failure::failed(trouble.to_string()))
}

fn control(folder: &Folder, run: u64) -> Result<(), Failure> {
    let settings = Settings::read(&folder.run("settings.bin")).map_err(Failure::failed)?;
    let control = ControlSettings {
        me: Incarnation::new("control", run),
        dir: folder.path().to_owned(),
        solution: settings.solution,
    };
    control_server::run(control).map_err(|trouble| Failure::failed(trouble.to_string()))
}

fn shell(folder: &Folder, settings: &Settings, pair: &str, sides: [&str; 2], me: Incarnation) -> ServerSettings {
    let other = sides.into_iter().find(|side| *side != me.application);
    ServerSettings {
        me,
        pair: pair.to_owned(),
        peer: other.filter(|_| settings.sip.standby).map(str::to_owned),
        dir: folder.path().to_owned(),
        doors: Vec::new(),
        calls: Vec::new(),
        is_called: false,
    }
}

/// The key of the digest's nonces, which both sides of the pair must have.
fn secret(folder: &Folder) -> Result<[u8; 32], Failure> {
    let path = folder.data("nonce.key");
    let bytes = fs::read(&path).map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    bytes.try_into().map_err(|_| Failure::failed(format!("{} is broken: remove it and start again", path.display())))
}
