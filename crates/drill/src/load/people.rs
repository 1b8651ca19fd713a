//! Who takes part in a drill, and the configuration of a solution that fits a load.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Everybody that the solution knows, as far as the load plays them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// Where the solution listens for datagrams.
    pub udp: Option<SocketAddr>,
    /// Where it listens for connections.
    pub tcp: Option<SocketAddr>,
    /// Its domain, which stands in addresses-of-record.
    pub domain: String,
    /// The phones that register.
    pub extensions: Vec<Extension>,
    /// The queues.
    pub queues: Vec<Queue>,
    /// The addresses of carriers that may call every number, each with its port if that counts. The first that is one of the
    /// drill's own is played.
    pub carriers: Vec<(IpAddr, Option<u16>)>,
}

/// A phone that registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its number.
    pub number: String,
    /// The password with which it registers and calls.
    pub password: String,
    /// The id of the agent who sits there, if one does.
    pub agent: Option<String>,
}

/// A queue, and who serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The number that callers dial.
    pub number: String,
    /// The ids of its agents.
    pub agents: Vec<String>,
}

/// The number of the first phone that is nobody's in particular, and how many there are.
const DESKS: (u32, u32) = (1_000, 24);
/// The number of the first agent's phone of either queue of [`configuration`].
const STAFF: [u32; 2] = [2_000, 6_000];
/// The two queues of [`configuration`]: one where nobody waits long, one where callers always wait.
const QUEUES: [u32; 2] = [9_000, 9_001];

/// How many people serve each queue at a rate of calls a second: nearly twice what keeps busy, and half of that.
const fn staff(rate: u32) -> [u32; 2] {
    [6 + rate, 1 + rate * 7 / 100]
}

/// A configuration in which everybody has something to do at `rate` calls a second; a carrier calls from one of
/// `carriers`. `listen` is its section `[sip]`.
#[must_use]
pub fn configuration(rate: u32, carriers: &[IpAddr], listen: &str) -> String {
    let mut text = format!(
        "# A contact centre for drills: {} desk phones, two queues, one carrier; made for {rate} calls a second.\n\
         # The passwords are no secrets: do not let it be reached from outside.\n\n{listen}",
        DESKS.1
    );
    // Writing into a String cannot fail.
    let mut extension = |number: u32| {
        let _ = writeln!(text, "[[extension]]\nnumber = \"{number}\"\npassword = \"only-for-drills-{number}\"\n");
    };
    let everybody = QUEUES.into_iter().zip(STAFF).zip(staff(rate));
    (DESKS.0..DESKS.0 + DESKS.1).for_each(&mut extension);
    for ((_, first), count) in everybody.clone() {
        (first..first + count).for_each(&mut extension);
    }
    for ((queue, first), count) in everybody {
        for number in first..first + count {
            let _ = writeln!(text, "[[agent]]\nid = \"a{number}\"\nextension = \"{number}\"\nauto-ready = true\n");
        }
        let ids: Vec<String> = (first..first + count).map(|number| format!("\"a{number}\"")).collect();
        let _ = writeln!(
            text,
            "[[queue]]\nnumber = \"{queue}\"\nagents = [{}]\ncapacity = 5000\ndefault = \"{}\"\n",
            ids.join(", "),
            DESKS.0
        );
    }
    for (number, address) in (1..).zip(carriers) {
        let _ = writeln!(text, "[[trunk]]\nname = \"carrier-{number}\"\naddress = \"{address}\"\n");
    }
    text
}

impl People {
    /// Whether there is anybody who could be called, and how.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        !self.extensions.is_empty() && (self.udp.is_some() || self.tcp.is_some())
    }

    /// The extensions at which no agent sits; all if there is none.
    pub(super) fn desks(&self) -> Vec<usize> {
        let of = |wanted: bool| -> Vec<usize> {
            let all = self.extensions.iter().enumerate();
            all.filter(|(_, extension)| extension.agent.is_some() != wanted).map(|(at, _)| at).collect()
        };
        let desks = of(true);
        if desks.is_empty() { of(false) } else { desks }
    }

    /// How many phones serve a queue.
    pub(super) fn served_by(&self, queue: &Queue) -> usize {
        let serves =
            |extension: &&Extension| extension.agent.as_ref().is_some_and(|agent| queue.agents.contains(agent));
        self.extensions.iter().filter(serves).count()
    }
}
