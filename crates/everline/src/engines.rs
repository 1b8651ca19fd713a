//! The checked configuration as each engine wants it.

use std::collections::BTreeMap;

use model::Span;
use node::server::Door;
use node::wire::Trouble;

use crate::settings::{Device, Listen, Queue, Settings, Transport};

/// What the SIP Server's engine is told.
///
/// # Errors
/// If a fixed contact cannot be used, with the reason.
pub(crate) fn sip(settings: &Settings, secret: [u8; 32]) -> Result<call::Settings, Trouble> {
    let mut extensions = BTreeMap::new();
    for extension in &settings.extensions {
        let told = match &extension.device {
            Device::Registers(password) => {
                call::Extension { password: Some(password.reveal().to_owned()), contact: None }
            }
            Device::Fixed(uri) => {
                let contact = call::FixedContact::parse(uri).map_err(|why| {
                    let what = format!("the contact of extension {} cannot be used: {why}", extension.number);
                    Trouble::new(what, "correct it in everline.toml")
                })?;
                call::Extension { password: None, contact: Some(contact) }
            }
        };
        extensions.insert(extension.number.clone(), told);
    }
    let trunk = |trunk: &crate::settings::Trunk| call::Trunk {
        name: trunk.name.clone(),
        address: trunk.address,
        port: trunk.port,
    };
    let agents = settings.agents.iter().map(|agent| (agent.extension.clone(), agent.id.clone()));
    let queue = |queue: &Queue| (queue.number.clone(), call::Queue { default: queue.default.clone() });
    let told = call::Settings {
        domain: settings.sip.domain.clone(),
        listeners: settings.listens().iter().map(listener).collect(),
        extensions,
        queues: settings.queues.iter().map(queue).collect(),
        agents: agents.collect(),
        trunks: settings.trunks.iter().map(trunk).collect(),
        expiry: call::Expiry { shortest: settings.sip.min_expires, longest: settings.sip.max_expires },
        sha_256: settings.sip.sha_256,
        secret,
        ..call::Settings::default()
    };
    let hosts = settings.hosts.iter().flat_map(|hosts| &hosts.all).flat_map(|host| host.sip.clone());
    Ok(if settings.has_own_addresses() { told.at_home(hosts.collect()) } else { told })
}

fn listener(listen: &Listen) -> call::Listener {
    let carrier = match listen.transport {
        Transport::Udp => call::Carrier::Udp,
        Transport::Tcp => call::Carrier::Tcp,
    };
    call::Listener { carrier, address: listen.address }
}

/// Where the SIP Server's process listens, in the order of the engine's listeners.
pub(crate) fn doors(settings: &Settings) -> Vec<Door> {
    let door = |listen: &Listen| match listen.transport {
        Transport::Udp => Door::Udp(listen.address),
        Transport::Tcp => Door::Tcp(listen.address),
    };
    settings.listens().iter().map(door).collect()
}

/// What the Routing Server's engine is told.
pub(crate) fn routing(settings: &Settings) -> routing::Settings {
    let agent = |agent: &crate::settings::Agent| routing::AgentSettings {
        id: agent.id.clone(),
        extension: agent.extension.clone(),
        auto_ready: agent.auto_ready,
    };
    let queue = |queue: &Queue| routing::QueueSettings {
        number: queue.number.clone(),
        agents: queue.agents.clone(),
        capacity: queue.capacity as usize,
        no_answer: Span::from_secs(queue.no_answer.into()),
    };
    routing::Settings {
        agents: settings.agents.iter().map(agent).collect(),
        queues: settings.queues.iter().map(queue).collect(),
    }
}
