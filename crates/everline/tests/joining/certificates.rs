//! Certificates: renewed while everything runs, and refused if they are not what they should be.

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

fn renewed() {
    let net = two("renew");
    let path = net.folder(2).join("data/identity.json");
    let mut old = identity(&net.folder(2));
    old["renew_at"] = serde_json::to_value(SystemTime::now() - Duration::from_secs(1)).expect("a time");
    std::fs::write(&path, old.to_string()).expect("written");
    let mut running: Vec<Running> = [1, 2].map(|host| net.start(host, "exec everline host run")).into();
    running.iter_mut().for_each(Running::is_ready);
    let new = (0..2_000).map(|_| {
        net.does(2, "everline status --json");
        identity(&net.folder(2))
    });
    let new = new.into_iter().find(|new| new["certificate"] != old["certificate"]).expect("a new certificate");
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
    let authority = std::fs::read(net.folder(1).join("data/authority.json")).expect("there");
    let ours: Authority = serde_json::from_slice(&authority).expect("an authority");
    let theirs = Authority::create("everline", SystemTime::now()).expect("issues");
    let addresses = ["10.77.1.2", "10.77.2.2"].map(|text| text.parse().expect("an address"));
    let long_ago = SystemTime::now() - 2 * HOST_LIFETIME;
    let expired = ours.issue("h2", &addresses, long_ago, HOST_LIFETIME).expect("issued");
    let foreign = theirs.issue("h2", &addresses, SystemTime::now(), HOST_LIFETIME).expect("issued");
    // Five of its thirty days are left, and nobody is there who could renew it.
    let a_while_ago = SystemTime::now() - HOST_LIFETIME * 5 / 6;
    let near = ours.issue("h2", &addresses, a_while_ago, HOST_LIFETIME).expect("issued");
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
    net.until(1, "switchboard", |row| row["state"] == "started");
    for (identity, why) in [(expired, "has expired"), (foreign, "of another solution")] {
        with(&net, &identity, why);
    }
}

/// Runs the second host with this identity until both have said what is wrong.
fn with(net: &Net, identity: &Identity, why: &str) {
    install(&Folder::new(net.folder(2)), identity).expect("written");
    let second = net.start(2, "exec everline host run");
    for host in [1, 2] {
        let says =
            |row: &Value| row["note"].as_str().is_some_and(|note| note.contains(why) && note.contains("--again"));
        net.until(host, "switchboard", says);
        let other = if host == 1 { "h2." } else { "" };
        let is_it = |one: &Value| one["about"].as_str().is_some_and(|about| about.starts_with(other));
        let told = net.noticed(host, "certificate", 0.0, |one| one["on"] == true && is_it(one));
        assert_eq!(told["application"], "switchboard", "{told}");
    }
    net.does(2, "everline stop");
    second.ends();
}
