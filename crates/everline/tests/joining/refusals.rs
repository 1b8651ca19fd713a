//! What a machine that would be a host is refused: each time one error that says what to do, and nothing that runs is disturbed.

use std::time::{Duration, SystemTime};

use crate::Test;
use crate::net::{Net, bare};

pub(crate) const TESTS: &[Test] = &[
    ("a token is good for one host, once, and for a time", tokens),
    ("a folder is one host, and a host is named by the configuration", names),
];

/// Two machines, of which the first one runs.
pub(crate) const INIT: &str =
    "everline host init --host h1=10.77.1.1/24,10.77.2.1/24 --host h2=10.77.1.2/24,10.77.2.2/24";

fn tokens() {
    let net = Net::new("tokens", 3);
    net.does(1, INIT);
    let _running = net.start(1, "exec everline host run");
    net.until(1, "authority", |row| row["state"] == "started");
    let join = |host, line: &str, dir: &str| net.fails(host, &format!("{} --dir {dir}", bare(line)));

    let runs = net.fails(1, "everline host join 10.77.1.1 nonsense");
    assert!(runs.contains("is the host h1 of everline already") && runs.contains("`everline stop`"), "{runs}");
    let bad = net.fails(2, "everline host join 10.77.1.1 nonsense");
    assert!(bad.contains("this is no token"), "{bad}");
    let nobody = net.fails(2, &format!("everline host join 10.77.1.3 {}", "a".repeat(51) + "q"));
    assert!(nobody.contains("no answer of the authority at 10.77.1.3:7709"), "{nobody}");

    // Another solution has tokens of its own.
    net.does(3, &INIT.replace("host init", "host init --solution other"));
    let foreign = net.does(3, "everline host token h2");
    let told = join(2, &foreign.replace("10.77.1.1", "10.77.2.1"), "elsewhere");
    assert!(told.contains("is not the authority that has made this token; it was not shown the token"), "{told}");

    let first = net.does(1, "everline host token h2");
    let stale = net.does(1, "everline host token h2 --minutes 1");
    make_stale(&net, bare(&stale).split_whitespace().last().expect("a token"));
    let told = join(2, &stale, "elsewhere");
    assert!(told.contains("the token for h2 is too old") && told.contains("`everline host token h2`"), "{told}");

    let line = net.does(1, "everline host token h2");
    let told = join(2, &first, "elsewhere");
    assert!(told.contains("a newer token for h2 was made after this one"), "{told}");
    net.does(2, bare(&line));
    let told = join(2, &line, "elsewhere");
    assert!(told.contains("the token was used already: somebody has joined as h2 with it"), "{told}");
    let told = net.fails(1, "everline host token h2");
    assert!(told.contains("h2 has joined already") && told.contains("--again"), "{told}");
    // It may run, cut off.
    let told = net.fails(1, "everline host token h2 --again");
    assert!(told.contains("nobody reaches h2") && told.contains("say --force"), "{told}");
    let line = net.does(1, "everline host token h2 --again --force");
    // The machine that is h2 stays it, and gets another certificate in the same folder.
    let path = net.folder(2).join("data/identity.json");
    let before = std::fs::read_to_string(&path).expect("there");
    net.does(2, bare(&line));
    assert_ne!(std::fs::read_to_string(&path).expect("there"), before);
    net.until(1, "authority", |row| row["state"] == "started" && row["run"] == 1);
}

/// Lets the newest token that was made on the first machine have ended a second ago.
fn make_stale(net: &Net, token: &str) {
    let tokens = net.folder(1).join("data/tokens");
    let files = std::fs::read_dir(tokens).expect("there").map(|entry| entry.expect("an entry").path());
    let grant = |path: &std::path::PathBuf| {
        serde_json::from_slice::<serde_json::Value>(&std::fs::read(path).expect("there")).expect("JSON")
    };
    // The others are good for an hour.
    let soonest = files.min_by_key(|path| grant(path)["expires"]["secs_since_epoch"].as_u64()).expect("one");
    assert!(!std::fs::read_to_string(&soonest).expect("text").contains(token), "the secret is kept nowhere");
    let mut changed = grant(&soonest);
    changed["expires"] = serde_json::to_value(SystemTime::now() - Duration::from_secs(1)).expect("a time");
    std::fs::write(&soonest, changed.to_string()).expect("written");
}

fn names() {
    let net = Net::new("names", 2);
    let told = net.fails(1, "everline host init");
    assert!(told.contains("which hosts is the solution to have?"), "{told}");
    let told = net.fails(1, "everline host init --host h1=10.77.1.1");
    assert!(told.contains("10.77.1.1 has no prefix"), "{told}");
    let told = net.fails(1, "everline host token h2");
    assert!(told.contains("is no host of a solution with several"), "{told}");
    let told = net.fails(1, "everline host run");
    assert!(told.contains("everline host init") || told.contains("everline up"), "{told}");

    // A wrong command leaves nothing that the right one would stumble over.
    let told = net.fails(1, "everline host init --host h1=10.77.1.1/24 --host h1=10.77.1.2/24");
    assert!(told.contains("nothing was done") && !net.folder(1).join("everline.toml").exists(), "{told}");
    net.does(1, INIT);
    let told = net.fails(1, INIT);
    assert!(told.contains("is the host h1 of everline already"), "{told}");
    // A host that does not run may join anew, by a token for that.
    let told = net.fails(1, "everline host join 10.77.1.1 nonsense");
    assert!(told.contains("this is no token"), "{told}");
    let told = net.fails(1, "everline host token h3");
    assert!(told.contains("the configuration has no host \"h3\""), "{told}");
    let told = net.fails(1, "everline host token h1");
    assert!(told.contains("this machine is h1"), "{told}");
    let told = net.fails(1, "everline up");
    assert!(told.contains("this contact centre has several hosts"), "{told}");

    // A password that only another host has is as it was given there, and missed if it never was.
    let (path, kept) = (net.folder(1).join("everline.toml"), net.folder(1).join("data/configuration.json"));
    let text = std::fs::read_to_string(&path).expect("there");
    let secret = "\n[[extension]]\nnumber = \"1003\"\npassword-file = \"1003.secret\"\n";
    std::fs::write(&path, format!("{text}{secret}")).expect("written");
    let told = net.run(1, "everline config apply").err;
    assert!(told.contains("not in version 1 of the configuration: the file 1003.secret"), "{told}");
    let document = std::fs::read_to_string(&kept).expect("there");
    let mut document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    document["files"]["1003.secret"] = "long enough".into();
    std::fs::write(&kept, document.to_string()).expect("written");
    let told = net.fails(1, "everline config apply");
    assert!(told.contains("taken from version 1 of the configuration: the file 1003.secret"), "{told}");
    assert!(told.contains("nothing is running"), "{told}");

    // A configuration that places a pair on one host is not taken.
    std::fs::write(&path, format!("{text}\n[place]\nsip = [\"h1\", \"h1\"]\n")).expect("written");
    let told = net.run(1, "everline config apply");
    assert_eq!(told.code, Some(2));
    assert!(told.err.contains("the loss of that host ends all calls"), "{}", told.err);
    assert!(told.err.ends_with("everline.toml has errors; nothing was changed\n"), "{}", told.err);
    // And one whose hosts are others is not started.
    let document = std::fs::read_to_string(&kept).expect("there");
    std::fs::write(&kept, document.replace("\\\"h1\\\"", "\\\"h9\\\"")).expect("written");
    let told = net.fails(1, "everline host run");
    assert!(told.contains("version 1 of the configuration has no host h1"), "{told}");
}
