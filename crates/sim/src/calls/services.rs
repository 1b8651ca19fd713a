//! Both servers, as the shells drive them.

use std::net::SocketAddr;

use call::{Action, ConnectionId, ListenerId};
use model::route::{News, Order};
use model::{Epoch, Time, hash64};
use redundancy::hot_standby::{Replica, Taken};
use redundancy::mailbox::Envelope;
use sip::Message;

use crate::pair::{Service, Side, StreamAction};

/// The SIP Server.
#[derive(Debug)]
pub(super) struct Sip {
    /// On each side.
    pub(super) settings: [call::Settings; 2],
}

/// The Routing Server.
#[derive(Debug)]
pub(super) struct Routing {
    pub(super) settings: routing::Settings,
}

/// An input in the ring of the SIP Server.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// A datagram.
    Datagram {
        /// Who sent it.
        source: SocketAddr,
        /// What it holds.
        bytes: Vec<u8>,
    },
    /// Bytes of a connection.
    Stream(u64, Vec<u8>),
    /// The end of a connection.
    End(u64),
}

impl Input {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Datagram { bytes, .. } | Self::Stream(_, bytes) => bytes,
            Self::End(_) => &[],
        }
    }
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
    type Datagram = Input;
    type Aside = Mail<Order>;

    fn engine(&self, side: Side) -> call::Engine {
        call::Engine::new(self.settings[side].clone())
    }

    fn fingerprint(datagram: &Input) -> u64 {
        hash64(datagram.bytes())
    }

    fn feed(replica: &mut Replica<call::Engine>, local: Time, mark: u64, datagram: &Input) -> Taken {
        let input = match datagram {
            Input::Datagram { source, bytes } => {
                call::Input::Datagram { listener: ListenerId(0), source: *source, bytes }
            }
            Input::Stream(number, bytes) => call::Input::Stream { connection: ConnectionId(*number), bytes },
            Input::End(number) => call::Input::Closed { connection: ConnectionId(*number) },
        };
        replica.input(local, hash64(datagram.bytes()), Some(mark), input)
    }

    fn accepted_number(epoch: Epoch, count: u64) -> u64 {
        ConnectionId::accepted(epoch, count).0
    }

    fn stream_bytes(number: u64, bytes: Vec<u8>) -> Option<Input> {
        Some(Input::Stream(number, bytes))
    }

    fn stream_end(number: u64) -> Option<Input> {
        Some(Input::End(number))
    }

    fn stream_opened(replica: &mut Replica<call::Engine>, local: Time, number: u64, accepted: Option<SocketAddr>) {
        let connection = ConnectionId(number);
        let input = match accepted {
            Some(peer) => call::Input::Accepted { connection, listener: ListenerId(1), peer },
            None => call::Input::Opened { connection },
        };
        replica.input(local, number, None, input);
    }

    fn stream_closed(replica: &mut Replica<call::Engine>, local: Time, number: u64) {
        replica.input(local, number, None, call::Input::Closed { connection: ConnectionId(number) });
    }

    fn stream_lost(replica: &mut Replica<call::Engine>, local: Time, number: u64) {
        replica.input(local, number, None, call::Input::Lost { connection: ConnectionId(number) });
    }

    fn connections(engine: &call::Engine) -> Vec<u64> {
        engine.connections().into_iter().map(|connection| connection.0).collect()
    }

    fn stream_action(output: &call::Output) -> Option<StreamAction> {
        match &output.action {
            Action::Connect { connection, to } => Some(StreamAction::Connect(connection.0, *to)),
            Action::Stream { connection, bytes } => Some(StreamAction::Write(connection.0, bytes.clone())),
            Action::Close { connection } => Some(StreamAction::Close(connection.0)),
            _ => None,
        }
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

    fn describe_datagram(datagram: &Input) -> String {
        describe(datagram.bytes())
    }
}

impl Service for Routing {
    type Engine = routing::Engine;
    type Datagram = Nothing;
    type Aside = Mail<News>;

    fn engine(&self, _: Side) -> routing::Engine {
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
