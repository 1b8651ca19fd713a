//! The contact centre of every run: three agents, one queue, a number with two phones, a trunk.

use std::net::SocketAddr;

use call::{Carrier, Extension, Listener, Queue, Trunk};
use model::Span;
use routing::{AgentSettings, QueueSettings};

use crate::plan::{AGENTS, PhonePlan, Plan, QUEUE, World};

/// The domain.
pub(super) const DOMAIN: &str = "example.com";

/// The address of the SIP Server.
pub(super) const SERVER: SocketAddr =
    SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::new(192, 0, 2, 1), 5060));

/// The addresses of the hosts, where each serves at its own.
pub(super) const OWN: [SocketAddr; 2] = [own(1), own(2)];

const fn own(last: u8) -> SocketAddr {
    SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::new(192, 0, 2, last), 5060))
}

/// How long an agent's phone rings before the call counts as not answered.
const NO_ANSWER: Span = Span::from_secs(6);

/// The password of an extension.
pub(super) fn password_of(number: u32) -> String {
    format!("secret-{number}")
}

/// The address of a phone.
pub(super) fn address_of(index: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, index + 1], 5060))
}

/// The settings of both sides.
pub(super) fn sip_settings(plan: &Plan) -> [call::Settings; 2] {
    let settings = of_phones(&plan.phones);
    if plan.world != World::OwnAddresses {
        return [settings.clone(), settings];
    }
    OWN.map(|address| {
        let listeners = settings.listeners.iter().map(|listener| Listener { address, ..listener.clone() });
        let own = call::Settings { listeners: listeners.collect(), ..settings.clone() };
        own.at_home(OWN.map(|address| address.ip()).into())
    })
}

fn of_phones(phones: &[PhonePlan]) -> call::Settings {
    let extension = |phone: &PhonePlan| {
        let number = phone.number;
        (number.to_string(), Extension { password: Some(password_of(number)), contact: None })
    };
    let trunk = address_of(phones.len() as u8);
    call::Settings {
        domain: DOMAIN.to_owned(),
        listeners: [Carrier::Udp, Carrier::Tcp].map(|carrier| Listener { carrier, address: SERVER }).into(),
        extensions: phones.iter().map(extension).collect(),
        queues: [(QUEUE.to_string(), Queue { default: None })].into(),
        agents: AGENTS.map(|(id, number)| (number.to_string(), id.to_owned())).into(),
        trunks: vec![Trunk { name: "carrier".to_owned(), address: trunk.ip(), port: None }],
        secret: [7; 32],
        ..call::Settings::default()
    }
}

pub(super) fn routing_settings() -> routing::Settings {
    let agent = |(id, number): (&str, u32)| AgentSettings {
        id: id.to_owned(),
        extension: number.to_string(),
        auto_ready: true,
    };
    routing::Settings {
        agents: AGENTS.map(agent).into(),
        queues: vec![QueueSettings {
            number: QUEUE.to_string(),
            agents: AGENTS.map(|(id, _)| id.to_owned()).into(),
            capacity: 50,
            no_answer: NO_ANSWER,
        }],
    }
}
