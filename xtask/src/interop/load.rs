//! The load of the drill: who calls whom, and the configuration of Everline that fits it.
//!
//! Each part keeps calls standing in one state for long enough that a fault at a random instant finds
//! some there: trying, ringing, answered and not acknowledged, talking, queued, re-INVITE open, being
//! cancelled, being torn down.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::lab::ports::Ports;
use crate::lab::sipp::{Outcome, Plan, Role, Sipp, Transport};
use crate::lab::{EXTENSIONS, PHONES, SERVER, TRUNKS};

/// Callers that behave alike.
struct Part {
    name: &'static str,
    scenario: &'static str,
    /// The number that they dial.
    number: &'static str,
    /// Their part of the whole rate, in percent.
    share: u64,
}

const PARTS: [Part; 8] = [
    Part { name: "talk", scenario: "caller-talks", number: "1050", share: 15 },
    Part { name: "slow", scenario: "caller-talks", number: "1051", share: 10 },
    Part { name: "change", scenario: "caller-changes", number: "1052", share: 15 },
    Part { name: "cancel", scenario: "caller-cancels", number: "1053", share: 15 },
    Part { name: WITH_PASSWORD, scenario: "caller-extension", number: "1054", share: 15 },
    Part { name: "ack", scenario: "caller-acks-late", number: "1050", share: 10 },
    Part { name: "queue", scenario: "caller-talks", number: "9000", share: 15 },
    Part { name: "wait", scenario: "caller-waits", number: "9001", share: 5 },
];

/// The part whose callers are an extension with a password; all others are trunks.
const WITH_PASSWORD: &str = "password";
const EXTENSION: &str = "1002";
const PASSWORD: &str = "only-for-the-drill";

/// The phones, by the number that reaches them.
const PHONES_BY_NUMBER: [(&str, &str); 5] = [
    ("1050", "phone-answers"),
    ("1051", "phone-is-slow"),
    ("1052", "phone-changes"),
    ("1053", "phone-rings"),
    ("1054", "phone-hangs-up"),
];
/// One SIPp plays all people who take calls from a queue.
const STAFF: &str = "staff";

/// Of these seconds consists the life of a call out of the queue; it says how many people a rate keeps busy.
const SECONDS_ON_THE_PHONE: u64 = 3;

/// Where everybody is, and how many people take calls.
pub(super) struct Load {
    transport: Transport,
    rate: u64,
    server: SocketAddr,
    callers: Vec<SocketAddr>,
    phones: Vec<(String, &'static str, SocketAddr)>,
}

impl Load {
    /// Finds a port for everybody.
    pub(super) fn plan(transport: Transport, rate: u64) -> Result<Self> {
        let mut ports = Ports::default();
        let server = ports.take(SERVER)?;
        let callers = PARTS
            .iter()
            .map(|part| ports.take(if part.name == WITH_PASSWORD { EXTENSIONS } else { TRUNKS }))
            .collect::<Result<_>>()?;
        let mut phones = Vec::new();
        for (number, scenario) in PHONES_BY_NUMBER.into_iter().chain([(STAFF, "phone-answers")]) {
            phones.push((number.to_owned(), scenario, ports.take(PHONES)?));
        }
        Ok(Self { transport, rate, server, callers, phones })
    }

    /// Where Everline listens.
    pub(super) const fn server(&self) -> SocketAddr {
        self.server
    }

    /// How many people serve a queue so that nobody waits long: twice what keeps busy, and some to spare.
    const fn plenty(&self) -> u64 {
        10 + 2 * SECONDS_ON_THE_PHONE * self.rate * 15 / 100
    }

    /// How many serve the other queue so that callers always wait: half of what keeps busy, as these calls are
    /// shorter.
    const fn too_few(&self) -> u64 {
        1 + self.rate * 5 / 100 * 7 / 10
    }

    /// Each queue, the number of the first of the people who serve it, and how many they are.
    const fn queues(&self) -> [(&'static str, u64, u64); 2] {
        [("9000", 2000, self.plenty()), ("9001", 6000, self.too_few())]
    }

    /// The numbers of all who take calls out of a queue, one at a time.
    pub(super) fn people(&self) -> impl Iterator<Item = String> + use<> {
        self.queues().into_iter().flat_map(|(_, first, count)| first..first + count).map(|number| number.to_string())
    }

    /// The configuration of Everline for this load.
    pub(super) fn configuration(&self) -> String {
        let mut text = format!(
            "[sip]\ndomain = \"127.0.0.1\"\nlisten = [\"udp:{0}\", \"tcp:{0}\"]\n\n\
             [[extension]]\nnumber = \"{EXTENSION}\"\npassword = \"{PASSWORD}\"\n",
            self.server
        );
        let mut extension = |number: &str, place: &SocketAddr| {
            let transport = self.transport.name();
            // Writing into a String cannot fail.
            let _ = write!(
                text,
                "\n[[extension]]\nnumber = \"{number}\"\ncontact = \"sip:{number}@{place};transport={transport}\"\n"
            );
        };
        let queues = self.queues();
        for (number, _, place) in &self.phones {
            if number != STAFF {
                extension(number, place);
            } else {
                for (_, first, count) in queues {
                    (first..first + count).for_each(|number| extension(&number.to_string(), place));
                }
            }
        }
        for (queue, first, count) in queues {
            let people = first..first + count;
            for number in people.clone() {
                let _ = write!(text, "\n[[agent]]\nid = \"a{number}\"\nextension = \"{number}\"\nauto-ready = true\n");
            }
            let ids: Vec<String> = people.map(|number| format!("\"a{number}\"")).collect();
            let _ = write!(
                text,
                "\n[[queue]]\nnumber = \"{queue}\"\nagents = [{}]\ncapacity = 5000\ndefault = \"1050\"\n",
                ids.join(", ")
            );
        }
        for (part, place) in PARTS.iter().zip(&self.callers).filter(|(part, _)| part.name != WITH_PASSWORD) {
            let _ = write!(text, "\n[[trunk]]\nname = \"{}\"\naddress = \"{place}\"\n", part.name);
        }
        text
    }

    /// Starts the phones.
    pub(super) fn start_phones(&self, folder: &Path) -> Result<Vec<Sipp>> {
        let start = |(number, scenario, own): &(String, &'static str, SocketAddr)| {
            let name = format!("phone-{number}");
            Sipp::start(
                &Plan {
                    name: &name,
                    scenario,
                    own: *own,
                    connection_each: false,
                    transport: self.transport,
                    role: Role::Phone,
                    core: None,
                },
                folder,
            )
        };
        self.phones.iter().map(start).collect()
    }

    /// Starts the callers; they go on until they are drained.
    pub(super) fn start_callers(&self, folder: &Path) -> Result<Vec<Sipp>> {
        let start = |(number, (part, own)): (usize, (&Part, &SocketAddr))| {
            let with_password = part.name == WITH_PASSWORD;
            let trunk_number = format!("70{number}");
            let role = Role::Caller {
                server: self.server,
                number: part.number,
                own_number: if with_password { EXTENSION } else { &trunk_number },
                password: PASSWORD,
                rate: (self.rate * part.share) as f64 / 100.0,
                calls: u64::from(u32::MAX / 2),
                hold: Duration::ZERO,
            };
            Sipp::start(
                &Plan {
                    name: part.name,
                    scenario: part.scenario,
                    own: *own,
                    connection_each: with_password,
                    transport: self.transport,
                    role,
                    core: None,
                },
                folder,
            )
        };
        PARTS.iter().zip(&self.callers).enumerate().map(start).collect()
    }
}

/// Asks all to begin nothing more, and waits for the end of each, `limit` for all together at most.
pub(super) fn drain(mut all: Vec<Sipp>, limit: Duration) -> Result<Vec<Outcome>> {
    let begun = std::time::Instant::now();
    for sipp in &mut all {
        sipp.drain()?;
    }
    all.into_iter().map(|sipp| sipp.finish(limit.saturating_sub(begun.elapsed()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_make_a_whole() {
        assert_eq!(PARTS.iter().map(|part| part.share).sum::<u64>(), 100);
    }

    #[test]
    fn the_configuration_names_everybody_once() {
        let load = Load::plan(Transport::Tcp, 100).expect("the loopback device has free ports");
        let text = load.configuration();
        assert_eq!(text.matches("[[trunk]]").count(), PARTS.len() - 1);
        assert_eq!(text.matches("[[agent]]").count() as u64, load.plenty() + load.too_few());
        assert_eq!(text.matches(";transport=tcp").count() as u64, 5 + load.plenty() + load.too_few());
    }
}
