//! The checked configuration as plain data.
//!
//! `up` reads and checks `everline.toml` once and writes the result to `run/settings.bin`; every server of the
//! solution reads that file. So both sides of a pair always hold the same settings, a server that is restarted
//! does not depend on a file that somebody is editing, and secrets are looked up once.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Everything that the servers of one solution are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The name that `status` shows.
    pub(crate) solution: String,
    /// What the SIP Server needs to know about itself.
    pub(crate) sip: Sip,
    /// Phones, those that register and those with a fixed contact.
    pub(crate) extensions: Vec<Extension>,
    /// Who takes calls, and where.
    pub(crate) agents: Vec<Agent>,
    /// Where calls wait.
    pub(crate) queues: Vec<Queue>,
    /// Peers known by their address.
    pub(crate) trunks: Vec<Trunk>,
}

/// The SIP Server's own settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sip {
    /// The domain of the address-of-records, and the realm of the digest.
    pub(crate) domain: String,
    /// Where the SIP Server is reached.
    pub(crate) listen: Vec<Listen>,
    /// Whether each server has a backup.
    pub(crate) standby: bool,
    /// The shortest registration that is accepted, in seconds (423 below it, RFC 3261 10.3).
    pub(crate) min_expires: u32,
    /// The longest registration that is granted, in seconds.
    pub(crate) max_expires: u32,
}

/// One address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Listen {
    /// Datagrams or connections.
    pub(crate) transport: Transport,
    /// Address and port; port 0 lets the system choose.
    pub(crate) address: SocketAddr,
}

/// How SIP messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Transport {
    /// One message a datagram.
    Udp,
    /// Messages in a stream.
    Tcp,
}

/// A phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extension {
    /// The number that others dial, and the user name of its digest.
    pub(crate) number: String,
    /// How it is reached.
    pub(crate) device: Device,
}

/// How a phone is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Device {
    /// It registers with this password.
    Registers(Secret),
    /// It never registers; calls go to this SIP URI.
    Fixed(String),
}

/// A person who takes calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agent {
    /// The name by which commands and listings know the agent.
    pub(crate) id: String,
    /// The number of the phone.
    pub(crate) extension: String,
    /// Whether the agent is ready as soon as the phone can be reached.
    pub(crate) auto_ready: bool,
}

/// A routing point where callers wait for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// The number that callers dial.
    pub(crate) number: String,
    /// Ids of the agents who serve it.
    pub(crate) agents: Vec<String>,
    /// How many callers may wait; the next one is answered 486.
    pub(crate) capacity: u32,
    /// The extension that is called while no Routing Server answers.
    pub(crate) default: Option<String>,
    /// Seconds that an agent's phone rings before the caller goes back to the front.
    pub(crate) no_answer: u32,
}

/// A peer that is known by its address and may call every number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trunk {
    /// The name that listings show.
    pub(crate) name: String,
    /// Where its messages come from and go to.
    pub(crate) address: SocketAddr,
}

/// A password, which no log line and no error message may show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secret(String);

impl Secret {
    /// Wraps the password `text`.
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The password itself, for whoever must compute with it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.address)
    }
}
