//! Both servers, as the shells drive them.

use std::net::SocketAddr;

use call::ListenerId;
use model::route::{News, Order};
use model::{Time, hash64};
use redundancy::hot_standby::{Replica, Taken};
use redundancy::mailbox::Envelope;
use sip::Message;

use crate::pair::Service;

/// The SIP Server.
#[derive(Debug)]
pub(super) struct Sip {
    pub(super) settings: call::Settings,
}

/// The Routing Server.
#[derive(Debug)]
pub(super) struct Routing {
    pub(super) settings: routing::Settings,
}

/// A datagram in the ring of the SIP Server.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    pub(super) source: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// What comes over the connection of the two servers.
#[derive(Debug)]
pub(super) enum Mail<M> {
    /// The other pair's primary can be talked to.
    Up,
    /// It cannot any more.
    Down,
    /// It says this.
    Letter(Envelope<M>),
}

/// Nothing: the Routing Server has no sockets.
#[derive(Clone, Debug)]
pub(super) enum Nothing {}

impl Service for Sip {
    type Engine = call::Engine;
    type Datagram = Datagram;
    type Aside = Mail<Order>;

    fn engine(&self) -> call::Engine {
        call::Engine::new(self.settings.clone())
    }

    fn fingerprint(datagram: &Datagram) -> u64 {
        hash64(&datagram.bytes)
    }

    fn feed(replica: &mut Replica<call::Engine>, local: Time, mark: u64, datagram: &Datagram) -> Taken {
        let Datagram { source, bytes } = datagram;
        let input = call::Input::Datagram { listener: ListenerId(0), source: *source, bytes };
        replica.input(local, hash64(bytes), Some(mark), input)
    }

    fn aside(replica: &mut Replica<call::Engine>, local: Time, aside: &Mail<Order>) -> Taken {
        let input = match aside {
            Mail::Up => call::Input::RoutingConnected,
            Mail::Down => call::Input::RoutingGone,
            Mail::Letter(letter) => call::Input::Mail(letter.clone()),
        };
        replica.input(local, 0, None, input)
    }

    fn died(_: &mut Replica<call::Engine>) -> bool {
        false
    }

    fn describe_datagram(datagram: &Datagram) -> String {
        describe(&datagram.bytes)
    }
}

impl Service for Routing {
    type Engine = routing::Engine;
    type Datagram = Nothing;
    type Aside = Mail<News>;

    fn engine(&self) -> routing::Engine {
        routing::Engine::new(self.settings.clone())
    }

    fn fingerprint(datagram: &Nothing) -> u64 {
        match *datagram {}
    }

    fn feed(_: &mut Replica<routing::Engine>, _: Time, _: u64, datagram: &Nothing) -> Taken {
        match *datagram {}
    }

    fn aside(replica: &mut Replica<routing::Engine>, local: Time, aside: &Mail<News>) -> Taken {
        let input = match aside {
            Mail::Up => routing::Input::MailConnected,
            Mail::Down => routing::Input::MailGone,
            Mail::Letter(letter) => routing::Input::Mail(letter.clone()),
        };
        replica.input(local, 0, None, input)
    }

    fn died(_: &mut Replica<routing::Engine>) -> bool {
        false
    }

    fn describe_datagram(datagram: &Nothing) -> String {
        match *datagram {}
    }
}

/// A SIP message in a few words.
pub(super) fn describe(bytes: &[u8]) -> String {
    let Ok(message) = Message::parse(bytes) else { return "?".to_owned() };
    let cseq = message.cseq();
    match message.status() {
        None => format!("{} {}", message.method(), cseq.number),
        Some(status) => format!("{status} ({} {})", cseq.number, cseq.method),
    }
}
