//! What a server must offer so that it can live in a pair.

use model::{Epoch, Kind, RecordKey, Time};

use crate::store::{Record, Store};

/// A server's decisions as a value: one input in, changed records and waiting outputs out.
///
/// The driving contract: call [`Engine::handle`] for each input, or [`Engine::expire`] when the store's deadline
/// has come; then take the outputs and drain the store into a checkpoint before any of those outputs leaves. An
/// engine has no other state than its records and what can be derived from them, so an engine that absorbed the
/// records of another one goes on in its place.
pub trait Engine {
    /// The records' values.
    type Value: Record;
    /// One input: a message, a request, a piece of news.
    type Input<'a>;
    /// One effect on the world outside.
    type Output: Output;

    /// Takes in one input at `now` (pair time).
    fn handle(&mut self, now: Time, input: Self::Input<'_>);

    /// Does what is due at `now`: every record whose deadline has come, a bounded number at a time.
    fn expire(&mut self, now: Time);

    /// What it holds may be older than what it has told others and heard from them (rule 15): begins all such talk anew, and
    /// asks whether what it knows is still so.
    /// Comes before [`Engine::begin`].
    fn lose_track(&mut self) {}

    /// Starts to serve, as the first primary or after a takeover. `epoch` goes into every number that is drawn
    /// from now on, `seed` makes tags unguessable.
    fn begin(&mut self, now: Time, epoch: Epoch, seed: u64);

    /// The records.
    fn store(&self) -> &Store<Self::Value>;

    /// The records, for the replication to write down and absorb.
    fn store_mut(&mut self) -> &mut Store<Self::Value>;

    /// The outputs since the last call, in order.
    fn outputs(&mut self) -> &mut Vec<Self::Output>;

    /// Drops what an input that made the engine panic may have left half changed: the calls among `touched`.
    fn abandon(&mut self, now: Time, touched: &[RecordKey]);

    /// True for kinds that must survive the end of both sides (registrations, agents): they go to disk as well.
    fn durable(kind: Kind) -> bool;
}

/// An effect that waits for its checkpoint.
pub trait Output: Sized {
    /// The record that caused it: after a takeover it is repeated only if that record has not moved since.
    fn record(&self) -> Option<RecordKey>;

    /// True if it goes into a byte stream: how much of it left is asked of the stream, not remembered.
    fn is_stream(&self) -> bool;

    /// True if it may be sent again, byte for byte, by a successor that does not know whether it left. Requests over
    /// UDP are left to their own timers instead: a peer may choke on an INVITE that is repeated after its 200.
    fn may_repeat(&self) -> bool;

    /// Appends the encoded output to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads an encoded output; `None` if it is damaged.
    fn decode(bytes: &[u8]) -> Option<Self>;
}
