//! Each host asks where phones ask: what it proves that nobody answers, and what it does not.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use network::rehearsal::Network;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::fencing::alarms;
use super::{At, Solution, is_measured, text};

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

fn log(solution: &Solution, host: &str) -> PathBuf {
    solution.running.place.path().join(format!("hosts/{host}/log/control.log"))
}

/// How many questions had no answer when the control servers said so in these words, each time.
fn unanswered(solution: &Solution, words: &str) -> Vec<u32> {
    let text: String = HOSTS.map(|host| fs::read_to_string(log(solution, host)).unwrap_or_default()).concat();
    let told = text.lines().filter(|line| line.contains(words));
    told.filter_map(|line| line.split(" ms and ").nth(1)?.split(' ').next()?.parse().ok()).collect()
}

/// Waits until the host that serves has answered such a question of the two others: from then on it counts if it does not.
fn others_are_answered(solution: &Solution, primary: &str, question: &str) {
    let answered = format!("({question}): from now on it counts");
    for host in HOSTS.into_iter().filter(|host| *host != primary) {
        let says = || fs::read_to_string(log(solution, host)).unwrap_or_default();
        solution.ask(|_| says().contains(&answered).then_some(()));
    }
}

/// Gives a host rules for what comes in.
fn rule(solution: &Solution, host: &str, rules: &str) {
    let at: At = host.parse().expect("a host");
    let ruled = solution.net.inside(at, || Command::new("nft").arg(rules).status());
    assert!(ruled.expect("there").expect("`nft` runs").success(), "{rules}");
}

/// A table with a chain for rules.
const TABLE: &str = "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }; ";

/// The host that serves in an epoch after this one.
fn served_after(solution: &Solution, epoch: u64) -> String {
    solution.ask(|sides| {
        let primary = sides.get("primary").filter(|side| side["epoch"].as_u64() > Some(epoch))?;
        Some(text(primary, "host"))
    })
}

pub(crate) fn nobody_is_reached() {
    let solution = Solution::new();
    let (host, epoch) = solution.level();
    solution.is_reached();
    others_are_answered(&solution, &host, "Options");
    // The links of the pair stand, so neither side suspects the other one.
    for place in ["h1", "h2", "h3", "phones", "carriers", "stranger"] {
        if place != host {
            solution.play(&format!("link cut {host} {place} --network access"));
        }
    }
    assert_ne!(served_after(&solution, epoch), host);
    solution.is_reached();
    let noticed = solution.noticed("service");
    assert!(is_measured(&noticed, 1_500.0), "{noticed}");
    // How long so many questions take depends on the machine; asked every 250 ms, they take less than 2 s.
    let questions = unanswered(&solution, "nobody answers this host at ");
    assert!(!questions.is_empty() && questions.iter().all(|count| (1..=7).contains(count)), "{questions:?}");
}

pub(crate) fn no_calls_are_taken() {
    let solution = Solution::new();
    let (host, epoch) = solution.level();
    others_are_answered(&solution, &host, "Call");
    // Of what comes to the server the INVITEs are missing: OPTIONS are answered as ever.
    rule(&solution, &host, &format!("{TABLE}add rule inet deaf in udp dport 5060 @th,64,32 0x494e5649 drop"));
    let other = served_after(&solution, epoch);
    assert_ne!(other, host);
    // There calls are taken: what was noticed is over.
    let noticed = solution.noticed_when("call", |one| one["on"] == false);
    assert!(is_measured(&noticed, 1_500.0), "{noticed}");
    // One a second.
    let calls = unanswered(&solution, "nobody takes the calls of this host at ");
    assert!(!calls.is_empty() && calls.iter().all(|count| (1..=3).contains(count)), "{calls:?}");
    assert_eq!(solution.level(), (other, epoch + 1));
}

/// A firewall lets phones ask the primary, and no host; the control servers begin behind it.
pub(crate) fn hosts_cannot_ask() {
    let solution = Solution::new();
    let before = solution.level();
    let status = format!("status --json --dir {}", solution.running.place.path().join("hosts/h3").display());
    let pids = solution.running.ask(&status, |status| {
        let rows = status["applications"].as_array()?.iter().filter(|row| row["name"] == "control");
        let pids: Vec<i32> = rows.filter_map(|row| row["pid"].as_i64()?.try_into().ok()).collect();
        (pids.len() == HOSTS.len()).then_some(pids)
    });
    let (access, phones) = (Network::Access, At::Phones.ipv4(Network::Access));
    let deaf = format!("add rule inet deaf in iifname \"{access}\" ip saddr != {phones} udp dport 5060 drop");
    rule(&solution, &before.0, &format!("{TABLE}{deaf}"));
    pids.into_iter().for_each(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it lived"));
    let cannot_judge = |wanted: usize| {
        solution.running.ask(&status, |status| {
            let count = alarms(status).iter().filter(|alarm| alarm.contains("cannot judge")).count();
            (count == wanted).then_some(())
        });
    };
    cannot_judge(2);
    solution.is_reached();
    for _ in 0..100 {
        assert_eq!(solution.level(), before, "nobody takes over from a primary that phones reach");
    }
    rule(&solution, &before.0, "delete table inet deaf");
    cannot_judge(0);
    assert_eq!(solution.level(), before);
}
