//! A host is taken out of a solution: while it lives, when it is lost, and when it is needed.

pub(crate) mod machines;

use std::fs;

use crate::Test;
use crate::net::{Net, Running, bare};

pub(crate) const TESTS: &[Test] = &[
    ("a host is taken out of the solution, and is not let in any more", removed),
    ("another machine comes in the place of a host, with nothing of what that one had", replaced),
];

struct Solution {
    net: Net,
    running: Vec<Option<Running>>,
}

impl Solution {
    fn start(name: &str, hosts: u8) -> Self {
        Self::among(name, hosts, hosts)
    }

    /// The first ones of so many machines.
    fn among(name: &str, hosts: u8, machines: u8) -> Self {
        let net = Net::new(name, machines);
        let all: String =
            (1..=hosts).map(|host| format!(" --host h{host}=10.77.1.{host}/24,10.77.2.{host}/24")).collect();
        net.does(1, &format!("everline host init{all}"));
        let mut solution = Self { net, running: (0..machines).map(|_| None).collect() };
        solution.run(1);
        solution.net.until(1, "authority", |row| row["state"] == "started");
        for host in 2..=hosts {
            let line = solution.net.does(1, &format!("everline host token h{host}"));
            solution.net.does(host, bare(&line));
            solution.run(host);
        }
        (1..=hosts).for_each(|host| solution.is_ready(host));
        solution
    }

    fn run(&mut self, host: u8) {
        self.running[usize::from(host) - 1] = Some(self.net.start(host, "exec everline host run"));
    }

    fn is_ready(&mut self, host: u8) {
        self.running[usize::from(host) - 1].as_mut().expect("it runs").is_ready();
    }

    /// Waits for the end of a host.
    fn ends(&mut self, host: u8) -> String {
        self.running[usize::from(host) - 1].take().expect("it runs").ends()
    }

    fn stop(&mut self, host: u8) {
        self.net.does(host, "everline stop");
        self.ends(host);
    }

    /// Waits until both pairs are level on these hosts, as a host sees it.
    fn is_level_on(&self, host: u8, hosts: [&str; 2]) {
        self.net.ask(host, "everline status --json", |status| {
            let rows = status["applications"].as_array()?;
            let are_there = |pair: &str| {
                let is_level =
                    |row: &&serde_json::Value| row["pair"] == pair && row["ready"] == true && row["level"] == true;
                let mut there: Vec<&str> =
                    rows.iter().filter(is_level).filter_map(|row| row["host"].as_str()).collect();
                there.sort_unstable();
                there == hosts
            };
            (are_there("routing") && are_there("sip")).then_some(())
        });
    }

    /// Waits until a host reaches a majority of the coordinator.
    fn is_current(&self, host: u8) {
        self.net.ask(host, "everline config show --json", |shown| (shown["current"] == true).then_some(()));
    }

    fn names(&self) -> Vec<String> {
        self.net.ask(1, "everline host list --json", |list| {
            Some(list["hosts"].as_array()?.iter().filter_map(|host| Some(host["name"].as_str()?.to_owned())).collect())
        })
    }
}

fn removed() {
    // The fourth one has neither a side of a pair nor a member of the coordinator.
    let mut solution = Solution::start("remove", 4);
    solution.is_level_on(1, ["h1", "h2"]);
    for (host, name, why) in [
        (1, "h9", "the configuration has no host \"h9\""),
        (1, "h1", "h1 has the authority"),
        (2, "h3", "the authority of the solution is not on this host"),
        (1, "h2", "h2 lives and holds a side of a pair; nothing was done"),
    ] {
        let told = solution.net.fails(host, &format!("everline host remove {name}"));
        assert!(told.contains(why), "{name}: {told}");
    }

    // It lives, and another host gets its member of the coordinator.
    let said = solution.net.does(1, "everline host remove h3");
    assert!(
        said.contains("h3 is no host of this solution any more: version 2") && said.contains("1 certificate"),
        "{said}"
    );
    assert!(solution.ends(3).ends_with("Stopped.\n"));
    let shown = solution.net.does(1, "everline config show");
    assert!(!shown.contains("name = \"h3\"") && shown.contains("coordinator = [\"h1\", \"h2\", \"h4\"]"), "{shown}");
    assert_eq!(fs::read_to_string(solution.net.folder(1).join("everline.toml")).expect("there"), shown);

    // Within a second the list is on all hosts.
    for host in [2, 4] {
        solution
            .net
            .ask(host, "everline status --json", |status| (status["configuration"]["newest"] == 2).then_some(()));
    }
    // It comes all the same, with its certificate: nobody lets it in, and it learns nothing.
    solution.run(3);
    let is_out = |row: &serde_json::Value| {
        row["note"].as_str().is_some_and(|note| note.contains("was taken out of the solution"))
    };
    solution.net.until(1, "switchboard", is_out);
    let shown = solution.net.run(3, "everline config show");
    assert!(shown.err.contains("Version 1,") && shown.err.contains("does not answer"), "{}", shown.err);
    solution.stop(3);

    for host in [4, 2, 1] {
        solution.stop(host);
        solution.run(host);
        solution.is_ready(host);
        solution.is_current(host);
    }
    assert_eq!(solution.names(), ["h1", "h2", "h4"]);
    solution.is_level_on(4, ["h1", "h2"]);
    solution.net.until(1, "etcd", |row| row["host"] == "h4" && row["state"] == "started");

    // The new member counts: without h2 there is a majority, without h4 besides there is none.
    solution.stop(2);
    solution.net.does(1, "echo '# without h2' >> everline.toml && everline config apply");
    solution.stop(4);
    let told = solution.net.fails(1, "everline host remove h2 --force");
    assert!(told.contains("no majority of the coordinator would be left"), "{told}");
    solution.run(4);
    solution.net.ask(1, "everline host list --json", |list| {
        list["hosts"].as_array()?.iter().find(|host| host["name"] == "h4" && host["reachable"] == true).map(drop)
    });
    // The member there may need a moment more than its host.
    solution.is_current(1);

    // Its sides go to the host that is left.
    let told = solution.net.fails(1, "everline host remove h2");
    assert!(told.contains("nobody reaches h2"), "{told}");
    let said = solution.net.does(1, "everline host remove h2 --force");
    assert!(said.contains("h2 is no host of this solution any more: version 4"), "{said}");
    // h4 has the only member now: whoever starts before that one answers goes by what it has seen last.
    solution.net.ask(4, "everline status --json", |status| (status["configuration"]["newest"] == 4).then_some(()));
    for host in [4, 1] {
        solution.stop(host);
        solution.run(host);
    }
    for host in [4, 1] {
        solution.is_ready(host);
    }
    solution.is_level_on(1, ["h1", "h4"]);
    assert_eq!(solution.names(), ["h1", "h4"]);
    let told = solution.net.fails(1, "everline host remove h4 --force");
    assert!(told.contains("no host would be left for a side of the pair"), "{told}");

    // A host of the same name may come, as a new one.
    let path = solution.net.folder(1).join("everline.toml");
    let text = fs::read_to_string(&path).expect("there");
    let host = "\n[[host]]\nname = \"h3\"\naddresses = [\"10.77.1.3\", \"10.77.2.3\"]\n";
    fs::write(&path, text + host).expect("written");
    solution.net.does(1, "everline config apply");
    let line = solution.net.does(1, "everline host token h3");
    solution.net.does(3, &format!("{} --dir anew", bare(&line)));

    // Somebody takes it out of the text by hand: its certificates are taken back all the same.
    let text = fs::read_to_string(&path).expect("there");
    fs::write(&path, text.replace(host, "")).expect("written");
    solution.net.does(1, "everline config apply");
    let said = solution.net.does(1, "everline host remove h3");
    assert!(said.contains("h3 was no host of this solution any more; taken back: 1 certificate"), "{said}");
    let told = solution.net.fails(1, "everline host remove h3");
    assert!(told.contains("the configuration has no host \"h3\""), "{told}");
}

fn replaced() {
    let mut solution = Solution::start("replace", 3);
    solution.is_level_on(1, ["h1", "h2"]);
    let told = solution.net.fails(1, "everline host token h2 --again");
    assert!(told.contains("h2 lives; no token was made"), "{told}");
    solution.stop(2);
    let told = solution.net.fails(1, "everline host token h2 --again");
    assert!(told.contains("nobody reaches h2") && told.contains("nothing was done"), "{told}");
    solution.net.ask(1, "everline config show --json", |shown| (shown["version"] == 1).then_some(()));
    let line = solution.net.does(1, "everline host token h2 --again --force");
    solution.net.does(2, &format!("{} --dir anew", bare(&line)));
    solution.running[1] = Some(solution.net.start(2, "exec everline host run --dir anew"));
    solution.is_ready(2);
    solution.is_level_on(3, ["h1", "h2"]);
    // What was `sip-b#1` there is another one than this first run.
    solution.net.until(1, "sip-b", |row| row["run"].as_u64() == Some(2_000_000_001));
    solution.net.ask(1, "everline config show --json", |shown| (shown["version"] == 2).then_some(()));

    // Its member of the coordinator counts.
    solution.stop(3);
    solution.is_current(1);
    solution.net.does(1, "echo '# without h3' >> everline.toml && everline config apply");

    // The same machine may come back with all that it has kept: its member of the coordinator begins anew all the same.
    let line = solution.net.does(1, "everline host token h3 --again --force");
    solution.net.does(3, bare(&line));
    assert!(
        solution.net.folder(3).join("data/etcd.old").exists() && !solution.net.folder(3).join("data/etcd").exists()
    );
    solution.run(3);
    solution.is_ready(3);
    solution.is_current(3);
}
