//! TCP connections: which one a message takes, and what comes in on them.

use std::net::SocketAddr;

use model::{RecordKey, Time};
use sip::stream::{Frame, Framer, PONG};
use sip::{Message, Method};

use super::Engine;
use super::crowd::Crowd;
use crate::hop::{ConnectionId, Hop};
use crate::limits::{CONNECT_PATIENCE, MESSAGE_PATIENCE};
use crate::output::{Action, Event};
use crate::record::{CALL, CONNECTION, Connection, Content, Value, alias_of};
use crate::settings::ListenerId;

pub(super) const fn key_of(connection: ConnectionId) -> RecordKey {
    RecordKey::new(CONNECTION, connection.0)
}

fn new(listener: ListenerId, peer: SocketAddr, patience: Time) -> Connection {
    let framer = Framer::default();
    Connection { listener, peer, ours: false, framer, patience, hopefuls: Vec::new(), opening: false, proven: false }
}

/// What comes too late behind the next word of its call: a provisional response behind the final one, and a request within a dialog
/// behind the goodbye.
fn is_overtaken(message: &Message<'_>) -> bool {
    match message.status() {
        Some(status) => status < 200,
        None => message.to().tag().is_some() && !matches!(message.method(), Method::Bye | Method::Ack),
    }
}

impl Engine {
    /// The connection that a message to `peer` takes if there is none on which the peer speaks: one that was opened to it
    /// before, or a new one (RFC 3261 18.2.2, RFC 5923).
    pub(super) fn connection_to(
        &mut self,
        now: Time,
        listener: ListenerId,
        peer: SocketAddr,
        record: Option<RecordKey>,
    ) -> Option<ConnectionId> {
        let call = record.filter(|key| key.kind == CALL).map(|key| key.id);
        if let Some(key) = self.store.find(alias_of(peer))
            && let Some(Value(Content::Connection(open))) = self.store.get(key)
            && open.peer == peer
        {
            if open.opening {
                self.hope(key, call);
            }
            return Some(ConnectionId(key.id));
        }
        self.open_connection(now, listener, peer, call)
    }

    /// True if this message of a call does not wait for its connection, which is opening: by the time that it stands, the call may have
    /// gone on, or have ended on another connection. What is still to be said then is said then ([`Self::opened`]).
    pub(super) fn is_said_later(&mut self, connection: ConnectionId, record: Option<RecordKey>, bytes: &[u8]) -> bool {
        let Some(Value(Content::Connection(open))) = self.store.get(key_of(connection)) else { return false };
        let is_told = record.is_some_and(|key| key.kind == CALL && open.hopefuls.contains(&key.id));
        open.opening && is_told && Message::parse(bytes).is_ok_and(|message| is_overtaken(&message))
    }

    fn hope(&mut self, key: RecordKey, call: Option<u64>) {
        if let Some(call) = call
            && let Some(Value(Content::Connection(connection))) = self.store.get_mut(key)
        {
            connection.hope(call);
        }
    }

    fn open_connection(
        &mut self,
        now: Time,
        listener: ListenerId,
        peer: SocketAddr,
        call: Option<u64>,
    ) -> Option<ConnectionId> {
        if self.crowd.is_full() {
            return None;
        }
        let key = self.draw_key(CONNECTION);
        let patience = now + CONNECT_PATIENCE;
        let hopefuls = call.into_iter().collect();
        self.keep_connection(key, Connection { ours: true, opening: true, hopefuls, ..new(listener, peer, patience) });
        // Further messages of the same input find it by its second name.
        self.store.settle();
        let connection = ConnectionId(key.id);
        self.output(Some(key), Action::Connect { connection, to: peer });
        Some(connection)
    }

    pub(super) fn accepted(&mut self, now: Time, connection: ConnectionId, listener: ListenerId, peer: SocketAddr) {
        if let Some(why) = self.crowd.refuses(peer.ip()) {
            return self.close_connection(now, connection, why);
        }
        self.keep_connection(key_of(connection), new(listener, peer, now + MESSAGE_PATIENCE));
    }

    fn keep_connection(&mut self, key: RecordKey, connection: Connection) {
        self.forget_connection(key);
        self.crowd.add(&connection);
        self.store.insert(key, Value(Content::Connection(Box::new(connection))));
    }

    pub(super) fn forget_connection(&mut self, key: RecordKey) {
        if let Some(Value(Content::Connection(gone))) = self.store.get(key) {
            self.crowd.remove(gone);
            self.store.remove(key);
        }
    }

    /// Counts the connections of the records, which an engine that begins to serve has from elsewhere.
    pub(super) fn count_connections(&mut self) {
        self.crowd = Crowd::default();
        let keys: Vec<RecordKey> = self.store.keys(CONNECTION, None).collect();
        for key in keys {
            if let Some(Value(Content::Connection(connection))) = self.store.get(key) {
                self.crowd.add(connection);
            }
        }
    }

    /// A connection stands: the calls that hoped for it say what they still have to say.
    pub(super) fn opened(&mut self, now: Time, connection: ConnectionId) {
        let Some(Value(Content::Connection(open))) = self.store.get_mut(key_of(connection)) else { return };
        (open.opening, open.patience) = (false, Time::NEVER);
        let (peer, hopefuls) = (open.peer, std::mem::take(&mut open.hopefuls));
        self.store.settle();
        for call in hopefuls {
            self.with_call(now, call, |call, desk| call.reachable(desk, peer));
        }
    }

    /// A connection has ended. What was sent on one that never opened did not arrive.
    pub(super) fn closed(&mut self, now: Time, connection: ConnectionId) {
        let Some(Value(Content::Connection(gone))) = self.store.get(key_of(connection)) else { return };
        let (peer, hopefuls) = (gone.peer, gone.hopefuls.clone());
        self.lose_connection(now, connection, false);
        self.store.settle();
        for call in hopefuls {
            self.with_call(now, call, |call, desk| call.unreachable(desk, peer));
        }
    }

    /// The patience with a connection is at its end: it does not open, or it holds half a message.
    pub(super) fn expire_connection(&mut self, now: Time, key: RecordKey) {
        let connection = ConnectionId(key.id);
        if let Some(Value(Content::Connection(open))) = self.store.get_mut(key)
            && open.opening
        {
            // The shell says that it could not be opened, which tells those who hope.
            open.patience = Time::NEVER;
            return self.output(Some(key), Action::Close { connection });
        }
        self.close_connection(now, connection, "no whole message came in time");
    }

    /// Closes a connection, and says why.
    pub(super) fn close_connection(&mut self, now: Time, connection: ConnectionId, why: &str) {
        self.end_connection(now, connection);
        self.log(Event::ConnectionClosed { connection, why: why.to_owned() });
    }

    fn end_connection(&mut self, now: Time, connection: ConnectionId) {
        self.lose_connection(now, connection, false);
        self.output(None, Action::Close { connection });
    }

    /// Takes in bytes from a connection.
    pub(super) fn stream(&mut self, now: Time, connection: ConnectionId, mut bytes: &[u8]) {
        let key = key_of(connection);
        let Some(Value(Content::Connection(open))) = self.store.get(key) else { return };
        let hop = Hop::Tcp { listener: open.listener, peer: open.peer, connection: Some(connection) };
        let source = open.peer;
        loop {
            // The framer leaves its record while a message is handled, since handling it may change any record.
            let Some(mut framer) = self.take_framer(key) else { return };
            let frame = framer.next(&mut bytes);
            self.put_framer(now, key, framer, matches!(frame, Ok(Some(Frame::Message(_)))));
            match frame {
                Ok(None) => return,
                Ok(Some(Frame::Ping)) => self.output(Some(key), Action::Stream { connection, bytes: PONG.to_vec() }),
                Ok(Some(Frame::Message(message))) => self.message(now, hop, source, &message),
                Err(lost) => {
                    self.refuse(now, hop, source, &lost.refusal(), Some(connection));
                    return self.end_connection(now, connection);
                }
            }
        }
    }

    fn take_framer(&mut self, key: RecordKey) -> Option<Framer> {
        match self.store.get_mut(key) {
            Some(Value(Content::Connection(open))) => Some(std::mem::take(&mut open.framer)),
            _ => None,
        }
    }

    fn put_framer(&mut self, now: Time, key: RecordKey, framer: Framer, is_whole: bool) {
        let Some(Value(Content::Connection(open))) = self.store.get_mut(key) else { return };
        let (was_silent, source) = (open.is_silent(), open.peer.ip());
        open.proven |= is_whole;
        let is_silent = open.is_silent();
        open.patience = match framer.held() {
            // Line ends alone keep nothing open that has never said anything.
            0 if !is_silent => Time::NEVER,
            _ if open.patience < Time::NEVER => open.patience,
            _ => now + MESSAGE_PATIENCE,
        };
        open.framer = framer;
        if was_silent && !is_silent {
            self.crowd.has_spoken(source);
        }
    }
}
