//! The bounds of everything that grows, and the patience with everything that takes time.

use model::Span;

/// Records at once: calls, registrations, connections and all. Beyond it a new call is refused with 503.
pub const MAX_RECORDS: usize = 1_000_000;

/// Contacts of one extension; a REGISTER that would add one more is refused with 403.
pub const MAX_BINDINGS: usize = 10;

/// Calls of one agent's extension at once, as each change of them is told to the Routing Server with all of them. The
/// next caller hears that it is busy, its own next call is refused with 503.
pub const MAX_CALLS_OF_AGENT: usize = 64;

/// Numbers that one call draws for its legs and transactions until it rings its last callee; then its caller is
/// refused. Agents that are tried for a waiting caller count.
pub const MAX_BRANCHES: u32 = 10_000;

/// Early dialogs of one call towards its caller; further ones are not told.
pub const MAX_EARLY_DIALOGS: usize = 16;

/// Answers with tags of their own that one branch may give.
pub const MAX_ANSWERS: usize = 8;

/// Requests in progress within one call, and INVITEs kept; the next one is refused with 503.
pub const MAX_REQUESTS: usize = 32;

/// Answered requests of one call that are kept for their repetitions. Where there are more, the oldest are forgotten:
/// whoever sent them has gone on since.
pub const MAX_ANSWERED: usize = 16;

/// How long it may ring where nobody else sets a limit; Timer C of RFC 3261 16.6 is more than three minutes.
pub const RING_PATIENCE: Span = Span::from_secs(180);

/// How long two parties may talk. Both ends of a call can vanish without a word; this bounds what they leave behind.
pub const MAX_TALK: Span = Span::from_secs(24 * 3_600);

/// How long a server waits for the Routing Server before its callers go to the queue's default target.
pub const ROUTING_PATIENCE: Span = Span::from_secs(2);

/// How long a caller whose default target gave no answer waits before it is tried again.
pub const DEFAULT_PAUSE: Span = Span::from_secs(30);

/// How often a waiting caller is told so (RFC 3261 13.3.1.1).
pub const QUEUED_AGAIN: Span = Span::from_secs(60);

/// How long a caller hears nothing at most before the first 182.
pub const QUEUED_AT_LATEST: Span = Span::from_millis(500);

/// Messages to the Routing Server that are kept unconfirmed. Beyond it they are dropped, and everything is told
/// anew when it listens again.
pub const MAX_LETTERS: u64 = 50_000;

/// Registration in seconds where the phone names none (RFC 3261 10.2.1.1).
pub const DEFAULT_EXPIRES: u32 = 3_600;

/// Records that one call of `expire` looks at; the rest stays due.
pub const EXPIRE_AT_ONCE: usize = 64;

/// Calls that are cut off at once when the server ends, so that what they are sent finds room in the sockets.
pub const CLOSE_AT_ONCE: usize = 256;

/// Seconds after which a caller may try again when the server is full or ends (RFC 3261 20.33).
pub const RETRY_AFTER: u32 = 10;

/// Calls that wait for one connection to open; the others learn of a failure by their timers.
pub const MAX_HOPEFULS: usize = 64;

/// TCP connections at once; the next one is closed.
pub const MAX_CONNECTIONS: usize = 20_000;

/// TCP connections of one address; the next one is closed. Behind one address there may be a whole office of phones.
pub const MAX_CONNECTIONS_PER_SOURCE: usize = 2_000;

/// TCP connections of one address that have brought no whole message yet; the next one is closed.
pub const MAX_SILENT_PER_SOURCE: usize = 200;

/// Connections of its phones that a registration remembers after they have ended.
pub const MAX_FORMER_FLOWS: usize = 16;

/// The calls of connections that end are looked for at most so often, since that takes a look at all calls.
pub const LOST_FLOWS_PAUSE: Span = Span::from_millis(100);

/// So many calls are looked at together, and the next ones after a moment, since whoever says something meanwhile waits for it.
pub const LOST_FLOWS_CALLS: usize = 256;

/// That moment.
pub const LOST_FLOWS_STEP: Span = Span::from_millis(1);

/// The least time after the end of a connection until its peer is asked whether it is still in its calls: most are back by then.
pub const ASK_AFTER: Span = Span::from_secs(1);

/// Pause until a party is asked again whose connection has ended, and that has not answered since, or is a caller who may have given the
/// call up before that.
pub const ASK_AGAIN: Span = Span::from_secs(60);

/// Pause until a caller who is not answered yet is asked again whether he still waits, if he has called another host that served at
/// an address of its own: his CANCEL goes there.
pub const ASK_MOVED: Span = Span::from_secs(5);

/// How often a party is told where its call is now that asks to wait, or crosses it.
pub const REFRESH_TRIES: u32 = 20;

/// So many calls of another host are taken over together, and the next ones after a moment, as the parties of each are told at
/// once: 3200 calls in a second.
pub const MOVED_CALLS: usize = 32;

/// That moment.
pub const MOVED_STEP: Span = Span::from_millis(10);

/// How long a TCP connection may take to open.
pub const CONNECT_PATIENCE: Span = Span::from_secs(5);

/// How long a TCP connection may hold half a message, or take to bring its first one.
pub const MESSAGE_PATIENCE: Span = Span::from_secs(32);
