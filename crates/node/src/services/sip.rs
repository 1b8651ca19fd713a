//! The SIP Server: datagrams, TCP connections, and mail with the Routing Server.

use std::net::SocketAddr;

use call::{Action as Wanted, ConnectionId, Engine, Event, Input, ListenerId, Output};
use model::{Epoch, Time};
use redundancy::mailbox::Envelope;

use crate::server::{Action, Note, Service};
use crate::wire::{AgentRow, CallRow, Page};

impl Service for Engine {
    fn datagram(listener: u8, source: SocketAddr, bytes: &[u8]) -> Option<Input<'_>> {
        Some(Input::Datagram { listener: ListenerId(listener), source, bytes })
    }

    fn bytes(connection: u64, bytes: &[u8]) -> Option<Input<'_>> {
        Some(Input::Stream { connection: ConnectionId(connection), bytes })
    }

    fn accepted_number(epoch: Epoch, count: u64) -> u64 {
        ConnectionId::accepted(epoch, count).0
    }

    fn opened<'a>(connection: u64, listener: Option<u8>, peer: SocketAddr) -> Option<Input<'a>> {
        let connection = ConnectionId(connection);
        Some(match listener {
            Some(listener) => Input::Accepted { connection, listener: ListenerId(listener), peer },
            None => Input::Opened { connection },
        })
    }

    fn closed<'a>(connection: u64) -> Option<Input<'a>> {
        Some(Input::Closed { connection: ConnectionId(connection) })
    }

    fn lost<'a>(connection: u64) -> Option<Input<'a>> {
        Some(Input::Lost { connection: ConnectionId(connection) })
    }

    fn partner<'a>(is_there: bool) -> Input<'a> {
        if is_there { Input::RoutingConnected } else { Input::RoutingGone }
    }

    fn mail(bytes: &[u8]) -> Option<Input<'_>> {
        postcard::from_bytes::<Envelope<model::route::Order>>(bytes).ok().map(Input::Mail)
    }

    fn order<'a>(_: u64, _: &str, _: bool, _: Option<&str>) -> Option<Input<'a>> {
        None
    }

    fn closing(&self, after: Option<u64>) -> Option<(Input<'static>, u64)> {
        Self::closing(self, after)
    }

    fn action(output: Output) -> Action {
        match output.action {
            Wanted::Datagram { listener, to, bytes, .. } => Action::Datagram { listener: listener.0, to, bytes },
            Wanted::Connect { connection, to } => Action::Connect { connection: connection.0, to },
            Wanted::Stream { connection, bytes } => Action::Stream { connection: connection.0, bytes },
            Wanted::Close { connection } => Action::Close { connection: connection.0 },
            Wanted::Mail(envelope) => {
                Action::Mail(postcard::to_allocvec(&envelope).expect("writing to memory cannot fail"))
            }
            Wanted::Redial => Action::MailAgain,
            Wanted::Log(event) => Action::Log(note(&event)),
        }
    }

    fn connections(&self) -> Vec<u64> {
        Self::connections(self).into_iter().map(|connection| connection.0).collect()
    }

    fn connected(&mut self) -> Vec<(u8, SocketAddr)> {
        Self::connected(self).into_iter().map(|(listener, peer)| (listener.0, peer)).collect()
    }

    fn calls_in_progress(&mut self) -> u64 {
        Self::calls_in_progress(self) as u64
    }

    fn calls(&mut self, after: Option<u64>, limit: u32, date: &dyn Fn(Time) -> u64) -> Page<CallRow> {
        let (rows, next) = Self::calls(self, after, limit as usize);
        let row = |row: call::CallRow| CallRow {
            id: format!("{:x}", row.call),
            state: row.state.to_owned(),
            from: row.from,
            to: row.to,
            queue: row.queue,
            agent: row.agent,
            since: date(row.since),
        };
        Page { rows: rows.into_iter().map(row).collect(), next }
    }

    fn agents(&mut self, _: Option<u64>, _: u32, _: &dyn Fn(Time) -> u64) -> Page<AgentRow> {
        Page { rows: Vec::new(), next: None }
    }
}

/// What the log says of an event. Lines that anybody can provoke have a kind; who they come from stands in them, so that
/// a firewall can be told.
fn note(event: &Event) -> Note {
    let (is_warning, provoked) = match event {
        Event::Malformed { .. } => (true, Some("malformed message")),
        Event::WrongPassword { .. } => (true, Some("wrong password")),
        Event::ConnectionClosed { .. } => (true, Some("connection closed")),
        Event::Stray { .. } => (false, Some("stray message")),
        Event::CallAbandoned { .. } | Event::CallsCut { .. } | Event::RoutingMissed => (true, None),
        _ => (false, None),
    };
    let text = match event {
        Event::Malformed { status, fault, source, ended } => {
            let done = status.map_or("it was dropped".into(), |status| format!("it was answered {status}"));
            let ended =
                ended.map_or(String::new(), |connection| format!(", and connection {:x} is closed", connection.0));
            format!("malformed message from {source}: {fault}; {done}{ended}")
        }
        Event::WrongPassword { registration, source } => {
            format!("wrong password from {source} for the extension of registration {registration:x}")
        }
        Event::ConnectionClosed { connection, why } => format!("connection {:x} is closed: {why}", connection.0),
        Event::CallsMoved { calls } => format!("taken over from another address: {calls} calls"),
        Event::CallsCut { calls } => format!("cut off at the end of this server: {calls} calls"),
        Event::RoutingMissed => "no Routing Server answers: callers go to the default targets of their queues".into(),
        other => Note::quiet(other).text,
    };
    Note { text, is_warning, provoked }
}
