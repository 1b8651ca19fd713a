//! Virtual addresses that cannot be had: what is wrong stands in the status, and everything else goes on.

use network::rehearsal::Place;

use crate::Test;
use crate::net::Net;

pub(crate) const TESTS: &[Test] = &[
    ("a right that is missing for an address is named", missing_right),
    ("somebody who holds an address too is named", held_by_somebody),
];

/// One machine that is the whole solution.
fn one(name: &str) -> Net {
    let net = Net::new(name, 1);
    let init = "everline host init --host h1=10.77.1.1/24 --address 10.77.0.201/24@access";
    let told = net.fails(1, init);
    assert!(told.contains("one host cannot keep a pair apart"), "{told}");
    let text = "[sip]\nlisten = [\"udp:10.77.0.201:5060\", \"tcp:10.77.0.201:5060\"]\ndomain = \"10.77.0.201\"\n\n\
                [[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n\n\
                [[host]]\nname = \"h1\"\naddresses = [\"10.77.1.1\"]\n\n\
                [[address]]\naddress = \"10.77.0.201/24@access\"\n\n\
                [place]\nsame-host = true\n";
    std::fs::write(net.folder(1).join("everline.toml"), text).expect("written");
    net.does(1, "everline host init");
    net
}

fn missing_right() {
    let net = one("rights");
    let running = net.start(1, "exec setpriv --bounding-set=-net_admin --inh-caps=-net_admin everline host run");
    let (succeeded, said) = running.outcome();
    assert!(!succeeded);
    assert!(said.contains("error: cannot take the address 10.77.0.201/24@access"), "{said}");
    assert!(said.contains("lacks CAP_NET_ADMIN") && said.contains("AmbientCapabilities="), "{said}");
    assert_eq!(said.matches("error: ").count(), 1, "one error: {said}");
    assert_eq!(net.run(1, "everline status").code, Some(3), "nothing is left behind");
}

fn held_by_somebody() {
    let net = one("held");
    let somebody = net.folder(1);
    let taken = net.shell_at(Place::Phones, &somebody, "ip address add 10.77.0.201/24 dev access").status();
    assert!(taken.expect("started").success());
    let mut running = net.start(1, "exec everline host run");
    running.is_ready();
    let note = primary(&net, |note| note.is_some_and(|note| note.contains("10.77.0.201 is held by somebody else too")));
    assert!(note.contains("Ethernet address"), "{note}");
    assert!(net.does(1, "everline status").contains("take the address from it"));
    let given_up = net.shell_at(Place::Phones, &somebody, "ip address del 10.77.0.201/24 dev access").status();
    assert!(given_up.expect("started").success());
    primary(&net, |note| note.is_none());
}

/// What the primary of the pair `sip` says besides, once it is as it should be.
fn primary(net: &Net, wanted: impl Fn(Option<&str>) -> bool) -> String {
    net.ask(1, "everline status --json", |status| {
        let mut rows = status["applications"].as_array()?.iter();
        let row = rows.find(|row| row["pair"] == "sip" && row["role"] == "primary")?;
        wanted(row["note"].as_str()).then(|| row["note"].as_str().unwrap_or_default().to_owned())
    })
}
