//! Certificates: renewed while everything runs, and refused if they are not what they should be.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use node::folder::Folder;
use node::identity::{Authority, HOST_LIFETIME, Identity, install};
use serde_json::Value;

use crate::Test;
use crate::net::{Net, Running, bare};
use crate::refusals::INIT;

pub(crate) const TESTS: &[Test] = &[
    ("a certificate is renewed before its end without a restart", renewed),
    ("a certificate that is not renewed is told before its end, and one that is not good is refused", refused),
    ("after a long time off each host gets another certificate by what the status says", long_off),
];

/// Two hosts of which neither runs.
fn two(name: &str) -> Net {
    let net = Net::new(name, 2);
    net.does(1, INIT);
    let first = net.start(1, "exec everline host run");
    net.until(1, "authority", |row| row["state"] == "started");
    let line = net.does(1, "everline host token h2");
    net.does(2, bare(&line));
    net.does(1, "everline stop");
    first.ends();
    net
}

fn identity(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("data/identity.json")).expect("there")).expect("JSON")
}

/// The authority of the first host.
fn authority(net: &Net) -> Authority {
    let text = std::fs::read(net.folder(1).join("data/authority.json")).expect("there");
    serde_json::from_slice(&text).expect("an authority")
}

fn addresses(host: u8) -> [IpAddr; 2] {
    ["10.77.1", "10.77.2"].map(|network| format!("{network}.{host}").parse().expect("an address"))
}

/// What a host has got long ago.
fn expired(ours: &Authority, host: u8) -> Identity {
    let long_ago = SystemTime::now() - 2 * HOST_LIFETIME;
    ours.issue(&format!("h{host}"), &addresses(host), long_ago, HOST_LIFETIME).expect("issued")
}

/// What stands in the place of the identity `old` of a host that runs, once there is another one.
fn another(net: &Net, host: u8, old: &Value) -> Value {
    let mut all = (0..2_000).map(|_| {
        net.does(host, "everline status --json");
        identity(&net.folder(host))
    });
    all.find(|new| new["certificate"] != old["certificate"]).expect("a new certificate")
}

fn renewed() {
    let net = two("renew");
    let path = net.folder(2).join("data/identity.json");
    let mut old = identity(&net.folder(2));
    old["renew_at"] = serde_json::to_value(SystemTime::now() - Duration::from_secs(1)).expect("a time");
    std::fs::write(&path, old.to_string()).expect("written");
    let mut running: Vec<Running> = [1, 2].map(|host| net.start(host, "exec everline host run")).into();
    running.iter_mut().for_each(Running::is_ready);
    let new = another(&net, 2, &old);
    let end = |identity: &Value| identity["expires"]["secs_since_epoch"].as_u64();
    assert!(end(&new) >= end(&old) && new["key"] != old["key"]);
    let pem = std::fs::read_to_string(net.folder(2).join("data/identity.pem")).expect("there");
    assert!(pem.starts_with(new["certificate"].as_str().expect("text")), "etcd has it too");
    for application in ["sip-b", "switchboard", "etcd"] {
        net.until(1, application, |row| row["host"] == "h2" && row["state"] == "started" && row["run"] == 1);
    }
}

fn refused() {
    let net = two("expired");
    let ours = authority(&net);
    let theirs = Authority::create("everline", SystemTime::now()).expect("issues");
    let foreign = theirs.issue("h2", &addresses(2), SystemTime::now(), HOST_LIFETIME).expect("issued");
    // Five of its thirty days are left, and nobody is there who could renew it.
    let a_while_ago = SystemTime::now() - HOST_LIFETIME * 5 / 6;
    let near = ours.issue("h2", &addresses(2), a_while_ago, HOST_LIFETIME).expect("issued");
    install(&Folder::new(net.folder(2)), &near).expect("written");
    let second = net.start(2, "exec everline host run");
    net.until(2, "switchboard", |row| {
        let note = row["note"].as_str().unwrap_or_default();
        note.contains("the certificate of h2 ends at ") && note.contains("could not be renewed yet")
    });
    let told = net.noticed(2, "certificate", 0.0, |one| one["about"] == "this host" && one["on"] == true);
    assert_eq!((&told["application"], &told["count"]), (&"switchboard".into(), &1.into()), "{told}");
    net.does(2, "everline stop");
    second.ends();
    let _first = net.start(1, "exec everline host run");
    for application in ["switchboard", "authority"] {
        net.until(1, application, |row| row["state"] == "started");
    }
    with(&net, &expired(&ours, 2), "has expired", ["`everline status` on h2 says", "let h2 join anew: "]);
    with(&net, &foreign, "of another solution", ["--again"; 2]);
}

/// Runs the second host with this identity until both have said what is wrong, and what to do.
fn with(net: &Net, identity: &Identity, why: &str, remedies: [&str; 2]) {
    install(&Folder::new(net.folder(2)), identity).expect("written");
    let second = net.start(2, "exec everline host run");
    for (host, remedy) in [1, 2].into_iter().zip(remedies) {
        let says = |row: &Value| row["note"].as_str().is_some_and(|note| note.contains(why) && note.contains(remedy));
        net.until(host, "switchboard", says);
        let other = if host == 1 { "h2." } else { "" };
        let is_it = |one: &Value| one["about"].as_str().is_some_and(|about| about.starts_with(other));
        let told = net.noticed(host, "certificate", 0.0, |one| one["on"] == true && is_it(one));
        assert_eq!(told["application"], "switchboard", "{told}");
    }
    net.does(2, "everline stop");
    second.ends();
}

fn long_off() {
    let net = two("off");
    let ours = authority(&net);
    for host in [1, 2] {
        install(&Folder::new(net.folder(host)), &expired(&ours, host)).expect("written");
    }
    let old = identity(&net.folder(1));
    let mut first = net.start(1, "exec everline host run");
    net.until(1, "authority", |row| row["state"] == "started");
    // The host of the authority needs nobody.
    another(&net, 1, &old);
    let second = net.start(2, "exec everline host run");
    let told = net.until(2, "switchboard", |row| {
        let note = row["note"].as_str().unwrap_or_default();
        note.contains("the certificate of h2 has expired") && note.contains("let h2 join anew: ")
    });
    let note = told["note"].as_str().expect("a note");
    // The remedy, word by word; it names the line that a command prints, which is given after that.
    let (_, remedy) = note.split_once("let h2 join anew: ").expect("the remedy");
    let commands: Vec<&str> = remedy.split('`').skip(1).step_by(2).take(3).collect();
    let [stop, token, run] = commands[..] else { panic!("three commands: {note}") };
    // It lives, and nobody sees it.
    let refused = net.fails(1, &token.replace(" --force", ""));
    assert!(refused.contains("nobody reaches h2, and sides of pairs may still serve there"), "{refused}");
    let refused = net.fails(2, "everline host join 10.77.1.1 nonsense");
    assert!(refused.contains("is the host h2 of everline already") && refused.contains("--again"), "{refused}");
    net.does(2, stop);
    second.ends();
    let line = net.does(1, token);
    net.does(2, bare(&line));
    let mut second = net.start(2, &format!("exec {run}"));
    first.is_ready();
    second.is_ready();
    net.until(2, "switchboard", |row| row["note"].is_null());
}
