//! What systemd is told (`sd_notify(3)`): that this process is ready, that it still turns, and what it does.

use std::env;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

/// The variables with which systemd says where to tell it and how often; nobody else is to have them.
pub(super) const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// The way to systemd, if it is there.
#[derive(Debug, Default)]
pub(super) struct Notify {
    socket: Option<UnixDatagram>,
    /// How often it wants to hear that this process turns.
    every: Option<Duration>,
    last: Option<Instant>,
}

impl Notify {
    /// As systemd has started this process.
    pub(super) fn from_environment() -> Self {
        let connected = env::var_os(VARIABLES[0]).and_then(|path| {
            let address = match path.as_bytes().strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name),
                None => SocketAddr::from_pathname(&path),
            };
            let socket = UnixDatagram::unbound().ok()?;
            socket.connect_addr(&address.ok()?).ok()?;
            socket.set_nonblocking(true).ok()?;
            Some(socket)
        });
        let number = |name| env::var(name).ok().and_then(|text: String| text.parse::<u64>().ok());
        // `sd_watchdog_enabled(3)`: it is meant for the process that is named, if one is.
        let is_meant = number(VARIABLES[2]).is_none_or(|pid| pid == u64::from(std::process::id()));
        let every = number(VARIABLES[1]).filter(|micros| is_meant && *micros > 0);
        // Half of the time, as that page recommends.
        Self { socket: connected, every: every.map(|micros| Duration::from_micros(micros / 2)), last: None }
    }

    /// The service is up.
    pub(super) fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nSTATUS={status}\n"));
    }

    /// It is about to end.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1\nSTATUS=Stopping\n");
    }

    /// What it does now, in one line.
    pub(super) fn status(&self, status: &str) {
        self.say(&format!("STATUS={status}\n"));
    }

    /// This process turns: told as often as systemd wants to hear it.
    pub(super) fn turns(&mut self, now: Instant) {
        if self.due(now).is_some_and(|left| left.is_zero()) {
            self.last = Some(now);
            self.say("WATCHDOG=1\n");
        }
    }

    /// When [`turns`](Self::turns) is to be called next, from now.
    pub(super) fn due(&self, now: Instant) -> Option<Duration> {
        let every = self.every.filter(|_| self.socket.is_some())?;
        Some(self.last.map_or(Duration::ZERO, |last| (last + every).saturating_duration_since(now)))
    }

    fn say(&self, text: &str) {
        if let Some(socket) = &self.socket {
            // systemd that does not listen for a moment is told again by the next one.
            let _ = socket.send(text.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_hears_it_twice_in_the_time_that_it_waits() {
        let (ours, theirs) = UnixDatagram::pair().expect("sockets");
        let mut notify = Notify { socket: Some(ours), every: Some(Duration::from_secs(15)), last: None };
        let begin = Instant::now();
        let heard = || {
            let mut text = [0; 100];
            theirs.set_nonblocking(true).expect("possible");
            theirs.recv(&mut text).ok().map(|count| String::from_utf8_lossy(&text[..count]).into_owned())
        };
        notify.turns(begin);
        assert_eq!(heard().as_deref(), Some("WATCHDOG=1\n"));
        notify.turns(begin + Duration::from_secs(14));
        assert_eq!(heard(), None);
        assert_eq!(notify.due(begin + Duration::from_secs(14)), Some(Duration::from_secs(1)));
        notify.turns(begin + Duration::from_secs(15));
        assert_eq!(heard().as_deref(), Some("WATCHDOG=1\n"));
        notify.ready("up");
        assert_eq!(heard().as_deref(), Some("READY=1\nSTATUS=up\n"));
        assert_eq!(Notify::default().due(begin), None, "nobody listens");
    }
}
