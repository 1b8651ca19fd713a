//! What can be done to a solution.

use std::fmt;
use std::time::Duration;

/// A fault, or something else that a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Nothing: what the load and the machine look like by themselves.
    Nothing(Duration),
    /// kill -9 of all these at once.
    Kill(Vec<Target>),
    /// Stopped, and woken after a time.
    Freeze(Target, Duration),
    /// A planned change of roles of a pair.
    Switchover(String),
    /// A host loses its power, and gets it back after a time.
    PowerOff(HostName, Duration),
    /// A link carries nothing for a time.
    Cut(Stretch, Duration),
    /// A host is lost to everybody in these networks, in all of them if none is named, and everybody to it, for a time.
    CutOff(HostName, Vec<String>, Duration),
    /// A link loses so many percent for a time.
    Loss(f64, Stretch, Duration),
    /// A link delays by the first span, for a time.
    Delay(Duration, Stretch, Duration),
    /// A link loses packets that are longer than so many octets, and tells nobody, for a time.
    BlackHole(u32, Stretch, Duration),
    /// So many members of the coordinator are away for a time.
    TakeCoordinator(u8, Duration),
    /// Somebody else holds the virtual address for a time.
    StealAddress(Duration),
    /// The disk of a host is full for a time.
    FillDisk(HostName, Duration),
    /// The clock of a host is moved by so many seconds, and back after a time.
    MoveClock(HostName, i64, Duration),
    /// Everything that is broken is mended.
    Repair,
}

/// Something that can be killed or frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The side of a pair that has this role now: `sip.primary`.
    Side {
        /// The pair.
        pair: String,
        /// The role.
        role: Role,
    },
    /// An application by its name, `sip-a`, `control`, `lca`, `etcd`; where there are several, the one of this host, else that of
    /// the first target of the same step that has a host, else that of the host of the SIP Server's primary.
    Application {
        /// The application's name.
        name: String,
        /// The host.
        host: Option<HostName>,
    },
    /// Every member of the coordinator.
    Coordinator,
}

/// What a side of a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It serves.
    Primary,
    /// It could take over.
    Backup,
}

/// A host, by its name or by what runs there when the step begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostName {
    /// `h1`.
    Named(String),
    /// `@sip.primary`: where that runs.
    Of {
        /// The pair.
        pair: String,
        /// The role.
        role: Role,
    },
}

/// The way between two hosts, in some networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// One end.
    pub from: HostName,
    /// The other one.
    pub to: HostName,
    /// Only from the first to the second.
    pub one_way: bool,
    /// The networks; all between the hosts if none is named.
    pub networks: Vec<String>,
}

impl Role {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::Of { pair, role } => write!(f, "@{pair}.{}", role.name()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Side { pair, role } => write!(f, "{pair}.{}", role.name()),
            Self::Application { name, host: Some(host) } => write!(f, "{name} on {host}"),
            Self::Application { name, host: None } => f.write_str(name),
            Self::Coordinator => f.write_str("coordinator"),
        }
    }
}

impl Deed {
    /// How long it lasts before it is undone; none for what is done at once.
    #[must_use]
    pub const fn lasts(&self) -> Option<Duration> {
        match self {
            Self::Nothing(span)
            | Self::Freeze(_, span)
            | Self::PowerOff(_, span)
            | Self::Cut(_, span)
            | Self::CutOff(_, _, span)
            | Self::Loss(_, _, span)
            | Self::Delay(_, _, span)
            | Self::BlackHole(_, _, span)
            | Self::TakeCoordinator(_, span)
            | Self::StealAddress(span)
            | Self::FillDisk(_, span)
            | Self::MoveClock(_, _, span) => Some(*span),
            Self::Kill(_) | Self::Switchover(_) | Self::Repair => None,
        }
    }
}
