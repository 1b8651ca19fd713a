//! Machines that are lost for ever, and others that come in their place: what the page has one type then.

use std::fs;
use std::time::{Duration, SystemTime};

use network::rehearsal::Place;
use serde_json::Value;

use super::Solution;
use crate::Test;
use crate::net::bare;

pub(crate) const TESTS: &[Test] = &[
    ("another host gets the authority when the one that has it has burned", burned),
    ("a solution is founded anew on the one host of three that is left", founded_anew),
    ("another machine comes in the place of a host, under another name", renamed),
];

const PAGE: &str = include_str!("../../../../../docs/looking-after-hosts.md");
/// The folder that the page names.
const FOLDER: &str = "/srv/everline";
/// Where the page keeps what is carried from machine to machine.
const SAFE: &str = "/mnt/safe/";
/// What the page says to keep of the authority.
const COPY: &str =
    "cd /srv/everline/data && tar -cf /mnt/safe/authority.tar $(ls -d authority.json joined revoked.json 2>/dev/null)";

/// What the page says to write for the new authority.
const AUTHORITY: &str = "\n[place]\nauthority = \"h3\"\n";

/// Types a line of the page on a host, with the token that was printed.
fn types(solution: &Solution, host: u8, line: &str, token: &str) -> String {
    assert!(PAGE.lines().any(|one| one.trim() == line), "it is not on the page: {line}");
    let folder = solution.net.folder(host);
    let safe = format!("{}/", folder.parent().expect("a folder").display());
    let line = line.replace(SAFE, &safe).replace(FOLDER, &folder.display().to_string()).replace("TOKEN", token);
    solution.net.does(host, &line)
}

/// Writes more into `everline.toml` of a host.
fn adds(solution: &Solution, host: u8, more: &str) {
    let path = solution.net.folder(host).join("everline.toml");
    let text = fs::read_to_string(&path).expect("there");
    fs::write(&path, text + more).expect("written");
}

/// A machine is lost, with all that was on it.
fn burns(solution: &mut Solution, host: u8) {
    solution.net.net.fail(host).expect("dark");
    solution.net.net.kill(Place::Host(host)).expect("killed");
    drop(solution.running[usize::from(host) - 1].take());
    fs::remove_dir_all(solution.net.folder(host)).expect("gone");
}

/// Restarts hosts one after the other.
fn restart(solution: &mut Solution, hosts: [u8; 3]) {
    for host in hosts {
        solution.stop(host);
        solution.run(host);
        solution.is_ready(host);
        solution.is_current(host);
    }
}

/// Another machine comes, which has the addresses of that one and nothing else.
fn comes(solution: &Solution, host: u8) {
    fs::create_dir(solution.net.folder(host)).expect("a folder");
    solution.net.net.repair(host).expect("whole");
}

/// Reads a file of a host.
fn json(solution: &Solution, host: u8, path: &str) -> Value {
    serde_json::from_slice(&fs::read(solution.net.folder(host).join(path)).expect("there")).expect("JSON")
}

fn burned() {
    let mut solution = Solution::start("burned", 3);
    solution.is_level_on(1, ["h1", "h2"]);
    types(&solution, 1, COPY, "");
    burns(&mut solution, 1);
    solution.is_level_on(3, ["h2", "h3"]);

    types(&solution, 3, "tar -xf /mnt/safe/authority.tar -C /srv/everline/data", "");
    // Its certificate is the one that `host init` made.
    let joined = json(&solution, 3, "data/joined/h1");
    let serial = joined["certificates"][0]["serial"].as_str().expect("a number").to_owned();
    adds(&solution, 3, AUTHORITY);
    types(&solution, 3, "everline config apply --dir /srv/everline", "");
    solution.stop(3);
    solution.run(3);
    solution.is_ready(3);
    solution.net.until(3, "authority", |row| row["host"] == "h3" && row["state"] == "started");
    solution.is_level_on(3, ["h2", "h3"]);

    let line = types(&solution, 3, "everline host token h1 --again --force --dir /srv/everline", "");
    let token = bare(&line).strip_prefix("everline host join 10.77.1.3 ").expect("the line that is on the page");
    let back = fs::read_to_string(solution.net.folder(3).join("data/revoked.json")).expect("there");
    assert!(back.contains(&serial), "the machine that has burned would be let in: {back}");
    comes(&solution, 1);
    types(&solution, 1, "everline host join 10.77.1.3 TOKEN --dir /srv/everline", token);
    solution.run(1);
    solution.is_ready(1);
    solution.is_level_on(3, ["h1", "h2"]);

    // From its next start h2 gets its certificates of the authority where that is now.
    solution.stop(2);
    let mut old = json(&solution, 2, "data/identity.json");
    old["renew_at"] = serde_json::to_value(SystemTime::now() - Duration::from_secs(1)).expect("a time");
    fs::write(solution.net.folder(2).join("data/identity.json"), old.to_string()).expect("written");
    solution.run(2);
    solution.is_ready(2);
    solution.net.ask(2, "everline status --json", |_| {
        let new = json(&solution, 2, "data/identity.json");
        (new["certificate"] != old["certificate"]).then_some(())
    });
    let noted = json(&solution, 3, "data/joined/h2");
    assert_eq!(noted["certificates"].as_array().map(Vec::len), Some(2), "{noted}");
    solution.is_level_on(3, ["h1", "h2"]);
}

fn founded_anew() {
    let mut solution = Solution::start("anew", 3);
    solution.is_level_on(1, ["h1", "h2"]);
    burns(&mut solution, 1);
    burns(&mut solution, 2);
    let shown = solution.net.run(3, "everline config show");
    assert!(shown.out.contains("name = \"h2\"") && shown.err.contains("does not answer"), "{}", shown.err);
    types(&solution, 3, "everline config show --dir /srv/everline > /mnt/safe/everline.toml", "");
    types(&solution, 3, "everline stop --dir /srv/everline", "");
    solution.ends(3);
    types(&solution, 3, "mv /srv/everline /srv/everline.old", "");
    // Whoever types something here is in the folder.
    fs::create_dir(solution.net.folder(3)).expect("a folder");
    types(&solution, 3, "install -D -m 600 /mnt/safe/everline.toml /srv/everline/everline.toml", "");
    adds(&solution, 3, AUTHORITY);
    let said = types(&solution, 3, "everline host init --dir /srv/everline", "");
    solution.run(3);
    solution.net.until(3, "authority", |row| row["state"] == "started");
    for host in [1, 2] {
        comes(&solution, host);
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("  on h{host}: ")));
        solution.net.does(host, bare(line.expect("a line for each of the others")));
        solution.run(host);
    }
    (1..=3).for_each(|host| solution.is_ready(host));
    solution.is_level_on(3, ["h1", "h2"]);
}

fn renamed() {
    let mut solution = Solution::among("renamed", 3, 4);
    solution.is_level_on(1, ["h1", "h2"]);
    adds(&solution, 1, "\n[[host]]\nname = \"h4\"\naddresses = [\"10.77.1.4\", \"10.77.2.4\"]\n");
    types(&solution, 1, "everline config apply --dir /srv/everline", "");
    restart(&mut solution, [3, 2, 1]);
    let line = types(&solution, 1, "everline host token h4 --dir /srv/everline", "");
    solution.net.does(4, bare(&line));
    solution.run(4);
    solution.is_ready(4);
    solution.net.ask(1, "everline host list --json", |list| {
        let is_there = |host: &&Value| host["name"] == "h4" && host["reachable"] == true;
        list["hosts"].as_array()?.iter().find(is_there).map(drop)
    });
    solution.is_level_on(1, ["h1", "h2"]);
    types(&solution, 1, "everline host remove h3 --dir /srv/everline", "");
    solution.ends(3);
    restart(&mut solution, [4, 2, 1]);
    assert_eq!(solution.names(), ["h1", "h2", "h4"]);
    solution.net.until(1, "etcd", |row| row["host"] == "h4" && row["state"] == "started");
    solution.is_level_on(4, ["h1", "h2"]);
}
