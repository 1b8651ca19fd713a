//! The checked configuration as plain data.
//!
//! `up` reads and checks `everline.toml` once and writes the result to `run/settings.bin`; every server of the
//! solution reads that file. So both sides of a pair always hold the same settings, a server that is restarted
//! does not depend on a file that somebody is editing, and secrets are looked up once.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use node::wire::Trouble;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::hosts::Hosts;

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
    /// The hosts, if there are several.
    pub(crate) hosts: Option<Hosts>,
    /// How it is made certain that a host has ended.
    pub(crate) fence: Fence,
    /// Whether a drill may make faults on the hosts, where there are several.
    pub(crate) may_drill: bool,
}

/// What is done about a host that nobody can reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fence {
    /// The program that ends it; none: nobody is ended.
    pub(crate) program: Option<String>,
    /// Seconds that the program may run.
    pub(crate) timeout: u32,
    /// Seconds that a pair waits for a host before it is ended.
    pub(crate) after: u32,
    /// Seconds after which a host that reaches nobody stops its servers; none: it goes on.
    pub(crate) isolated: Option<u32>,
}

impl Default for Fence {
    fn default() -> Self {
        Self { program: None, timeout: 60, after: 30, isolated: None }
    }
}

/// First bytes of the file; another number follows when the structures here change, so that a program of another
/// version refuses the file instead of misreading it.
const FORMAT: &[u8] = b"everline settings 10\n";

impl Settings {
    /// Writes them for the servers.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Trouble> {
        let bytes = postcard::to_extend(self, FORMAT.to_vec()).map_err(io::Error::other);
        let written = bytes.and_then(|bytes| files::replace(path, &bytes));
        written.map_err(|error| Trouble::of_file("write", path, &error))
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// If it is not there, is broken, or was written by another version.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let settings = bytes.strip_prefix(FORMAT).and_then(|bytes| postcard::from_bytes(bytes).ok());
        settings.ok_or_else(|| format!("{} is broken, or of another version of everline", path.display()))
    }

    /// True if each host serves at addresses of its own, and none passes from host to host.
    pub(crate) fn has_own_addresses(&self) -> bool {
        self.sip.listen.iter().any(Listen::is_of_host)
    }

    /// Where the SIP Server listens on this host. On all hosts these are as many, in the same order.
    pub(crate) fn listens(&self) -> Vec<Listen> {
        let here = self.hosts.as_ref().and_then(|hosts| hosts.host(&hosts.here));
        let sip = here.map_or(&[][..], |host| &host.sip);
        self.sip.listen.iter().flat_map(|listen| listen.on(sip)).collect()
    }

    /// Whether a password stood in the configuration file itself.
    pub(crate) fn has_inline_secrets(&self) -> bool {
        self.extensions.iter().any(|one| matches!(&one.device, Device::Registers(secret) if secret.is_inline))
    }
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
    /// Whether SHA-256 is offered before MD5 when a password is asked for.
    pub(crate) sha_256: bool,
    /// The shortest registration that is accepted, in seconds (423 below it, RFC 3261 10.3).
    pub(crate) min_expires: u32,
    /// The longest registration that is granted, in seconds.
    pub(crate) max_expires: u32,
    /// How often each host calls the address of the SIP Server to see whether calls are taken, in seconds.
    pub(crate) probe_call: u32,
}

/// What stands in the place of an address that each host has for itself.
pub(crate) const HOST: &str = "host";

/// One address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Listen {
    /// Datagrams or connections.
    pub(crate) transport: Transport,
    /// Address and port; port 0 lets the system choose. The address that stands for any means those of the host that serves.
    pub(crate) address: SocketAddr,
}

impl Listen {
    /// What the word `host` stands for in the place of an address: those of whichever host serves.
    pub(crate) const fn of_host(transport: Transport, port: u16) -> Self {
        Self { transport, address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port) }
    }

    /// True if it is where the host that serves has its addresses for SIP.
    pub(crate) const fn is_of_host(&self) -> bool {
        self.address.ip().is_unspecified()
    }

    /// Where that is on a host with these addresses for SIP.
    pub(crate) fn on<'a>(&'a self, sip: &'a [IpAddr]) -> impl Iterator<Item = Self> + 'a {
        let own = sip.iter().filter(|_| self.is_of_host());
        let own = own.map(|address| Self { address: (*address, self.address.port()).into(), ..*self });
        own.chain((!self.is_of_host()).then_some(*self))
    }
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
    /// Where its messages come from.
    pub(crate) address: IpAddr,
    /// The port that they come from; none for any.
    pub(crate) port: Option<u16>,
}

/// A password, which no log line and no error message may show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Secret {
    text: String,
    /// It stands in the configuration file itself, not in a file of its own or in the environment.
    pub(crate) is_inline: bool,
}

impl Secret {
    /// Wraps the password `text`.
    pub(crate) const fn new(text: String, is_inline: bool) -> Self {
        Self { text, is_inline }
    }

    /// The password itself, for whoever must compute with it.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
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
        if self.is_of_host() {
            return write!(f, "{}:{HOST}:{}", self.transport, self.address.port());
        }
        write!(f, "{}:{}", self.transport, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("settings.bin");
        let settings = Settings {
            solution: "test".into(),
            sip: Sip {
                domain: "127.0.0.1".into(),
                listen: vec![Listen { transport: Transport::Udp, address: ([127, 0, 0, 1], 5060).into() }],
                standby: true,
                sha_256: false,
                min_expires: 60,
                max_expires: 3_600,
                probe_call: 1,
            },
            extensions: vec![Extension {
                number: "1001".into(),
                device: Device::Registers(Secret::new("geheim".into(), true)),
            }],
            agents: Vec::new(),
            queues: Vec::new(),
            trunks: Vec::new(),
            hosts: None,
            fence: Fence::default(),
            may_drill: false,
        };
        settings.write(&path).expect("written");
        assert_eq!(Settings::read(&path).as_ref(), Ok(&settings));
        assert!(!format!("{settings:?}").contains("geheim"));

        let whole = std::fs::read(&path).expect("there");
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).expect("written");
            assert!(Settings::read(&path).is_err(), "{length} bytes of {}", whole.len());
        }
    }
}
