//! A solution on three hosts, which are namespaces of this machine: whole hosts and links fail, and it goes on.
//!
//! This is its own test harness: where the machine grants no namespaces the tests are skipped by name and with the reason.

#[expect(dead_code, reason = "the tests of one host need more of it")]
#[path = "../cli/support.rs"]
mod support;

mod fencing;
mod ipv6;
mod links;
mod own;
#[expect(dead_code, reason = "the tests of bad input need more of it")]
#[path = "../bad_input/phone.rs"]
mod phone;
mod probing;
mod shut;
#[path = "../cli/stopped.rs"]
mod stopped;
mod unprivileged;

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use network::rehearsal::{Id, Network, Place as At, Rehearsal, virtual_addresses};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::process::geteuid;
use serde_json::Value;

use support::{Place, QUESTIONS, Running, is_measured};

/// A test and its name.
type Test = (&'static str, fn());

const TESTS: [Test; 16] = [
    ("whoever serves is reached at one address although its host dies", the_host_of_the_primary_dies),
    ("what was acknowledged last outlives both hosts of a pair", what_was_acknowledged_last_is_kept),
    ("a host that stays away is stood in for until it returns", a_spare_stands_in),
    ("where the host of the spare is lost as well another one stands in", a_second_spare_stands_in),
    ("a pair whose last member is lost begins again when an operator says so", an_operator_accepts_a_loss),
    ("a host that nobody reaches is fenced, and its pair begins again", fencing::a_lost_host_is_fenced),
    ("a host that reaches nobody stops its servers if it is to", fencing::an_isolated_host_stops),
    ("two hosts that are cut off from each other do not both serve", links::two_hosts_are_cut_off),
    ("a host that phones cannot reach hands over", probing::nobody_is_reached),
    ("a server that answers and takes no calls is replaced", probing::no_calls_are_taken),
    ("hosts that have never been answered leave the roles as they are", probing::hosts_cannot_ask),
    ("a host that freezes and wakes does no harm", a_host_freezes),
    ("a call goes on over IPv6 although threads stop and a host dies", ipv6::a_call_goes_on),
    ("a host that could not serve is named, and loses nothing that it takes over", shut::nothing_is_lost),
    ("calls follow the primary to another address", own::calls_follow_the_primary),
    ("what is no host and no link is refused, and what is done to a link is listed", links::what_is_typed),
];

fn main() {
    let missing = missing();
    if let Some(missing) = &missing {
        eprintln!("skipped tests: {missing}");
    }
    let trial = |(name, test): Test, needs: &str, missing: &Option<String>| {
        Trial::test(format!("{name} (needs {needs})"), move || {
            test();
            Ok(())
        })
        .with_ignored_flag(missing.is_some())
    };
    let mut trials: Vec<Trial> =
        TESTS.map(|test| trial(test, "root, namespaces, nftables and etcd", &missing)).into_iter().collect();
    let missing = unprivileged::missing();
    if let Some(missing) = &missing {
        eprintln!("skipped a test: {missing}");
    }
    trials.push(trial(unprivileged::TEST, "user namespaces, nftables and etcd", &missing));
    let mut arguments = Arguments::from_args();
    // Each of them is three hosts with a coordinator that wants to be heard every 80 ms.
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit();
}

/// What these tests lack on this machine.
fn missing() -> Option<String> {
    let no_root = || "only root may look into the namespaces of a rehearsal from outside".to_owned();
    missing_program().or_else(|| (!geteuid().is_root()).then(no_root))
}

/// What a rehearsal lacks on this machine.
fn missing_program() -> Option<String> {
    let lacks = |program: &str| Command::new(program).arg("--version").output().is_err();
    let program = ["ip", "nft", "etcd"].into_iter().find(|program| lacks(program))?;
    Some(format!("`{program}` is not installed"))
}

/// A solution on three hosts.
struct Solution {
    running: Running,
    net: Rehearsal,
    id: Id,
    /// Where whoever serves is reached.
    server: SocketAddr,
}

impl Drop for Solution {
    fn drop(&mut self) {
        // Nobody is left to start what goes with the net.
        let _ = self.running.up.kill();
        let _ = Rehearsal::tear_down(&self.id);
    }
}

impl Solution {
    fn new() -> Self {
        Self::at(Place::new(), "")
    }

    /// In that folder, with something in its configuration.
    fn at(place: Place, configuration: &str) -> Self {
        Self::with(place, configuration, "", virtual_addresses(1).0.into())
    }

    /// The same, with more options, reached at that address.
    fn with(place: Place, configuration: &str, options: &str, server: IpAddr) -> Self {
        Self::of(3, place, configuration, options, server)
    }

    /// The same, on so many hosts.
    fn of(hosts: u32, place: Place, configuration: &str, options: &str, server: IpAddr) -> Self {
        place.configure(configuration);
        let mut program = Command::new("sh");
        let line = format!("exec \"$0\" \"$@\" --hosts {hosts} {options}");
        program.args(["-c", &line, env!("CARGO_BIN_EXE_everline")]);
        program.env("EVERLINE_DIR", place.path()).current_dir(place.path());
        let running = Running::by(place, program);
        let id = running.welcome.split("everline-").nth(1).and_then(|rest| rest.split('-').next());
        let id: Id = id.expect("the name of the net").parse().expect("a name");
        Self { running, net: Rehearsal::find(&id).expect("it stands"), id, server: SocketAddr::from((server, 5_060)) }
    }

    /// A command about the rehearsal.
    fn play(&self, line: &str) {
        let done = self.running.place.run(line);
        assert_eq!(done.code, Some(0), "{line}: {}", done.err);
    }

    /// Asks the third host, which nothing happens to, how the pair `sip` stands until it is level; gives host and epoch of
    /// the primary.
    fn level(&self) -> (String, u64) {
        self.ask(|sides| {
            let primary = sides.get("primary")?;
            let is_level = primary["ready"] == true && sides.get("backup")?["ready"] == true;
            is_level.then(|| (text(primary, "host"), primary["epoch"].as_u64().unwrap_or_default()))
        })
    }

    /// Asks for both sides of the pair `sip` by their roles.
    fn ask<T>(&self, wanted: impl Fn(&BTreeMap<String, Value>) -> Option<T>) -> T {
        let folder = self.running.place.path().join("hosts/h3");
        self.running.ask(&format!("status --json --dir {}", folder.display()), |status| {
            let rows = status["applications"].as_array()?.iter().filter(|row| row["pair"] == "sip");
            wanted(&rows.map(|row| (text(row, "role"), row.clone())).collect())
        })
    }

    /// What was noticed of this kind by one of the pair or by a control server, as soon as there is one.
    fn noticed(&self, name: &str) -> Value {
        self.noticed_when(name, |_| true)
    }

    /// The same, as soon as it is as it should be.
    fn noticed_when(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let folder = self.running.place.path().join("hosts/h3");
        self.running.ask(&format!("status --json --dir {}", folder.display()), |status| {
            status["detections"].as_array()?.iter().find(|one| one["name"] == name && wanted(one)).cloned()
        })
    }

    /// Sends a signal to every process of a host.
    fn signal_host(&self, host: &str, signal: Signal) {
        signal_processes(&self.running.place.path().join("hosts").join(host), signal);
    }

    /// In each process of a host that only several hosts have, the thread that does its work stops, and only that one; in the
    /// authority, which the first host has, also the one that stands for a serving thread.
    fn survives_stopped_threads(&self, host: &str) {
        for (host, application, thread, about, at_least) in [
            (host, "control", "etcd", "etcd of control", 475.0),
            (host, "switchboard", "everline", "runtime of switchboard", 475.0),
            (host, "etcd", "everline", "runtime of etcd", 475.0),
            ("h1", "authority", "everline", "runtime of authority", 475.0),
            ("h1", "authority", "life", "authority", 150.0),
        ] {
            let lock = self.running.place.path().join(format!("hosts/{host}/run/{application}.lock"));
            let lock = fs::read_to_string(lock).expect("it runs");
            stopped::stop(
                lock.trim_end().split(' ').next_back().and_then(|pid| pid.parse().ok()).expect("a pid"),
                thread,
            );
            let is_over = |one: &Value| one["host"] == host && one["about"] == about && one["on"] == false;
            let noticed = self.noticed_when("hang", is_over);
            assert!(is_measured(&noticed, at_least), "{noticed}");
        }
    }

    /// Whether a host has the virtual address.
    fn has_address(&self, host: &str) -> bool {
        let number = host.trim_start_matches('h').parse().expect("a number");
        self.shows(At::Host(number), &["address"]).contains(&format!(" {}/", self.server.ip()))
    }

    /// What `ip` says in a place.
    fn shows(&self, place: At, what: &[&str]) -> String {
        let shown = self.net.inside(place, || Command::new("ip").args(what).output());
        String::from_utf8_lossy(&shown.expect("there").expect("`ip` runs").stdout).into_owned()
    }

    /// A socket of the phones.
    fn phone(&self) -> UdpSocket {
        let here: IpAddr = match self.server {
            SocketAddr::V4(_) => At::Phones.ipv4(Network::Access).into(),
            SocketAddr::V6(_) => At::Phones.ipv6(Network::Access).into(),
        };
        self.net.inside(At::Phones, || UdpSocket::bind((here, 0)).expect("a port")).expect("there")
    }

    /// Kills the process with that role.
    fn kill(&self, role: &str) {
        let pid = self.ask(|sides| sides.get(role)?["pid"].as_i64());
        let pid = Pid::from_raw(i32::try_from(pid).expect("a process"));
        nix::sys::signal::kill(pid, Signal::SIGKILL).expect("it lived");
    }

    /// Nobody listens at a host's own address, whoever serves.
    fn refuses(&self, host: At) {
        let server = SocketAddr::from((host.ipv4(Network::Access), 5_060));
        let phone = self.net.inside(At::Phones, || UdpSocket::bind("0.0.0.0:0").expect("a port")).expect("there");
        phone.connect(server).expect("a way");
        phone.send(b"OPTIONS sip:everline SIP/2.0\r\n\r\n").expect("sent");
        // The host's kernel says so.
        let answer = phone.recv(&mut [0; 2_048]).expect_err("nobody listens there");
        assert_eq!(answer.kind(), std::io::ErrorKind::ConnectionRefused);
    }

    /// A phone asks for a sign of life at the one address until there is an answer.
    fn is_reached(&self) {
        let (server, phone) = (self.server, self.phone());
        phone.set_read_timeout(Some(Duration::from_millis(200))).expect("a limit");
        let here = phone.local_addr().expect("bound");
        let asked = format!(
            "OPTIONS sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n\
             From: <sip:1002@{server}>;tag=1\r\nTo: <sip:{server}>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let mut room = [0; 2_048];
        for _ in 0..150 {
            phone.send_to(asked.as_bytes(), server).expect("sent");
            if let Ok(length) = phone.recv(&mut room) {
                let answer = String::from_utf8_lossy(&room[..length]).into_owned();
                assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
                return;
            }
        }
        panic!("nobody answers at {server}");
    }
}

/// Sends a signal to every process that names the folder, or what lies in it; gives how many there are.
fn signal_processes(folder: &Path, signal: Signal) -> usize {
    let folder = folder.to_str().expect("a path");
    let is_of_it = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| {
            let word = String::from_utf8_lossy(word);
            word.split('=').any(|part| part == folder || part.starts_with(&format!("{folder}/")))
        })
    };
    let processes = fs::read_dir("/proc").expect("there").filter_map(|one| one.ok()?.file_name().into_string().ok());
    let found: Vec<i32> = processes.filter_map(|name| name.parse().ok()).filter(is_of_it).collect();
    // One may have ended just now.
    for pid in &found {
        let _ = nix::sys::signal::kill(Pid::from_raw(*pid), signal);
    }
    found.len()
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

fn the_host_of_the_primary_dies() {
    let solution = Solution::new();
    let (mut host, mut epoch) = solution.level();
    // Whoever probes the hosts themselves cannot tell them apart: neither answers.
    (1..=2).for_each(|number| solution.refuses(At::Host(number)));
    for _ in 0..2 {
        solution.is_reached();
        solution.play(&format!("host fail {host}"));
        let survivor = solution.ask(|sides| {
            let primary = sides.get("primary")?;
            (primary["epoch"].as_u64()? > epoch).then(|| text(primary, "host"))
        });
        assert_ne!(survivor, host);
        solution.is_reached();
        solution.play(&format!("host repair {host}"));
        let now = solution.level();
        assert_eq!((&now.0, now.1), (&survivor, epoch + 1), "a host that returns changes nothing");
        (host, epoch) = now;
    }
}

/// The host that served last has it in its journal; the one that comes back first has an older one.
fn what_was_acknowledged_last_is_kept() {
    let solution = Solution::new();
    solution.level();
    let at = |line: &str, host: &str| {
        let folder = solution.running.place.path().join("hosts").join(host);
        format!("{line} --dir {}", folder.display())
    };
    solution.play("host fail h1");
    let taken = (0..QUESTIONS)
        .any(|_| solution.running.place.run(&at("agent anna not-ready --reason lunch", "h2")).code == Some(0));
    assert!(taken, "the Routing Server of h2 takes orders");
    solution.play("host fail h2");
    solution.play("host repair h1");
    solution.play("host repair h2");
    solution.level();
    let reason = solution.running.ask(&at("agents --json", "h3"), |agents| {
        let anna = agents["agents"].as_array()?.iter().find(|agent| agent["id"] == "anna")?;
        Some(text(anna, "reason"))
    });
    assert_eq!(reason, "lunch");
}

/// Whether whoever has this role is on that host, and ready.
fn at(sides: &BTreeMap<String, Value>, role: &str, host: &str) -> bool {
    sides.get(role).is_some_and(|side| side["ready"] == true && side["host"] == host)
}

fn a_spare_stands_in() {
    let solution = Solution::new();
    let (first, epoch) = solution.level();
    solution.play(&format!("host fail {first}"));
    let second = if first == "h1" { "h2" } else { "h1" };
    solution.ask(|sides| (at(sides, "primary", second) && at(sides, "backup", "h3")).then_some(()));
    solution.is_reached();
    // Its process is what goes now: with a second host the majority of the coordinator would be gone.
    solution.kill("primary");
    solution.ask(|sides| at(sides, "primary", "h3").then_some(()));
    solution.is_reached();
    solution.play(&format!("host repair {first}"));
    let homes = ["h1", "h2"];
    let (primary, now) = solution.ask(|sides| {
        let home = homes.into_iter().find(|host| at(sides, "primary", host))?;
        let other = if home == "h1" { "h2" } else { "h1" };
        at(sides, "backup", other).then(|| (home, sides["primary"]["epoch"].as_u64().unwrap_or_default()))
    });
    assert_eq!(now, epoch + 3, "two have died, and the spare has handed over to {primary}");
    solution.is_reached();
}

fn a_second_spare_stands_in() {
    let solution = Solution::of(4, Place::new(), "", "", virtual_addresses(1).0.into());
    let (first, _) = solution.level();
    // It has no member of the coordinator, so it is the first one that would stand in.
    solution.play("host fail h4");
    solution.play(&format!("host fail {first}"));
    let second = if first == "h1" { "h2" } else { "h1" };
    solution.ask(|sides| (at(sides, "primary", second) && at(sides, "backup", "h3")).then_some(()));
    solution.is_reached();
    solution.play("host repair h4");
    solution.play(&format!("host repair {first}"));
    solution.ask(|sides| (at(sides, "primary", second) && at(sides, "backup", &first)).then_some(()));
    solution.is_reached();
}

fn an_operator_accepts_a_loss() {
    let solution = Solution::new();
    let (first, epoch) = solution.level();
    let second = if first == "h1" { "h2" } else { "h1" };
    let order = |line: &str| {
        let folder = solution.running.place.path().join("hosts/h3");
        solution.running.place.run(&format!("promote sip {line} --dir {}", folder.display()))
    };
    assert!(order("").err.contains("serves"), "nobody is in doubt");
    // The second one goes and comes; the first one goes before that is level again, and does not come back.
    solution.play(&format!("host fail {second}"));
    solution.ask(|sides| sides.get("primary").is_some_and(|side| side["level"] == false).then_some(()));
    solution.play(&format!("host fail {first}"));
    solution.play(&format!("host repair {second}"));
    let mut doubt = String::new();
    for _ in 0..300 {
        doubt = order("").err;
        if doubt.contains("nobody knows whether") {
            break;
        }
    }
    assert!(doubt.contains("--accept-loss"), "{doubt}");
    let accepted = order("--accept-loss");
    assert_eq!(accepted.code, Some(0), "{}", accepted.err);
    let now =
        solution.ask(|sides| sides.get("primary").filter(|side| side["host"] != first.as_str())?["epoch"].as_u64());
    assert!(now > epoch, "{now} after {epoch}");
    solution.is_reached();
    solution.play(&format!("host repair {first}"));
    assert_eq!(solution.level().1, now, "whoever returns finds that it was superseded");
}

fn a_host_freezes() {
    let solution = Solution::new();
    let (host, epoch) = solution.level();
    solution.is_reached();
    assert!(solution.has_address(&host));
    let server = SocketAddr::from((virtual_addresses(1).0, 5_060));
    let phone = solution.net.inside(At::Phones, || UdpSocket::bind("0.0.0.0:0").expect("a port")).expect("there");
    phone.set_read_timeout(Some(Duration::from_millis(200))).expect("a limit");
    solution.signal_host(&host, Signal::SIGSTOP);
    // It lies there until the host wakes: an answer would be one of a server that was superseded.
    let asked = format!(
        "OPTIONS sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKstale;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:1002@{server}>;tag=1\r\nTo: <sip:{server}>\r\nCall-ID: stale\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    phone.send_to(asked.as_bytes(), server).expect("sent");
    let other = solution.ask(|sides| {
        let primary = sides.get("primary").filter(|side| side["epoch"].as_u64() > Some(epoch))?;
        (primary["ready"] == true).then(|| text(primary, "host"))
    });
    assert_ne!(other, host);
    solution.is_reached();
    // If the successor has taken over before it was sent, it has answered by now.
    let mut room = [0; 2_048];
    while phone.recv(&mut room).is_ok() {}
    solution.signal_host(&host, Signal::SIGCONT);
    solution.ask(|sides| {
        let is_back = sides.get("backup")?["host"] == host.as_str() && sides["backup"]["ready"] == true;
        (is_back && sides.get("primary")?["host"] == other.as_str()).then_some(())
    });
    assert_eq!(solution.level(), (other.clone(), epoch + 1));
    assert!(phone.recv(&mut room).is_err(), "the host that woke has answered");
    assert!(!solution.has_address(&host) && solution.has_address(&other));
    solution.is_reached();
    // By the one that went on: whoever wakes finds within a millisecond that the other side has left it.
    let noticed = solution.noticed_when("host", |one| one["host"] == other.as_str());
    assert!(is_measured(&noticed, 100.0), "{noticed}");
}
