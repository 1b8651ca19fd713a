//! Both hosts of a pair are lost at once, and the hosts of the spares, which have a majority of the coordinator, go on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use network::rehearsal::Place;

use crate::Test;
use crate::net::{Net, Running, bare};

pub(crate) const TESTS: &[Test] =
    &[("a third host serves when both hosts of a pair are lost and fenced", both_are_lost)];

/// The hosts: the coordinator is where no side of a pair is.
const HOSTS: u8 = 5;

fn configuration(fence: &str) -> String {
    let host = |number| {
        format!("[[host]]\nname = \"h{number}\"\naddresses = [\"10.77.1.{number}\", \"10.77.2.{number}\"]\n\n")
    };
    let hosts: String = (1..=HOSTS).map(host).collect();
    format!(
        "[sip]\ndomain = \"10.77.0.200\"\nlisten = [\"udp:10.77.0.200:5060\"]\n\n\
         [[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n\n[[network]]\nname = \"b\"\nprefix = \"10.77.2.0/24\"\n\n\
         {hosts}[[address]]\naddress = \"10.77.0.200/24@access\"\n\n\
         [place]\ncoordinator = [\"h3\", \"h4\", \"h5\"]\n\n[fence]\nprogram = \"{fence}\"\nafter = 5\ntimeout = 20\n"
    )
}

fn both_are_lost() {
    let net = Net::new("fence", HOSTS);
    let common = net.folder(1).join("..").canonicalize().expect("a folder");
    let fence = common.join("fence");
    let namespace = net.id.namespace(Place::Host(1)).replace("h1", "$1");
    let program = format!(
        "#!/bin/sh\necho \"$1 by $EVERLINE_BY for $EVERLINE_IN_DOUBT\" >> {}/fenced\n\
         ip netns pids {namespace} | xargs -r kill -9\n",
        common.display()
    );
    fs::write(&fence, program).expect("written");
    fs::set_permissions(&fence, fs::Permissions::from_mode(0o755)).expect("its mode");
    fs::write(net.folder(1).join("everline.toml"), configuration(&fence.display().to_string())).expect("written");
    net.does(1, "everline host init");
    let mut running: Vec<Running> = vec![net.start(1, "exec everline host run")];
    net.until(1, "authority", |row| row["state"] == "started");
    for host in 2..=HOSTS {
        let line = net.does(1, &format!("everline host token h{host}"));
        net.does(host, bare(&line));
        running.push(net.start(host, "exec everline host run"));
    }
    running.iter_mut().for_each(Running::is_ready);
    net.ask(4, "everline status --json", |status| {
        let mut rows = status["applications"].as_array()?.iter().filter(|row| !row["pair"].is_null());
        rows.all(|row| row["ready"] == true && row["level"] == true).then_some(())
    });

    // They live, and nobody can reach them.
    for host in [1, 2] {
        net.net.fail(host).expect("dark");
    }
    // Whichever of the spares begins, all of which wait for the fence.
    for pair in ["sip", "routing"] {
        let row = net.ask(4, "everline status --json", |status| {
            let mut rows = status["applications"].as_array()?.iter().filter(|row| row["pair"] == pair);
            rows.find(|row| row["role"] == "primary" && row["ready"] == true).cloned()
        });
        assert!(["h3", "h4", "h5"].iter().any(|host| row["host"] == *host), "{row}");
    }
    let fenced = fs::read_to_string(common.join("fenced")).expect("it ran");
    let is_by_spare = |line: &str| ["h3", "h4", "h5"].iter().any(|host| line.contains(&format!(" by {host} for ")));
    assert!(fenced.lines().all(|line| is_by_spare(line) && line.contains('#')), "{fenced}");
    assert!(fenced.lines().all(|line| line.starts_with("h1 ") || line.starts_with("h2 ")), "{fenced}");
}
