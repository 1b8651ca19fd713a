//! Hosts that serve at addresses of their own.

use super::*;

/// As [`HOSTS`], without an address that passes from one to another.
fn own(listen: &str, more: &str) -> String {
    let (hosts, _) = HOSTS.split_once("[[address]]").expect("it is the last one");
    hosts.replace("listen = [\"udp:10.77.0.201:5060\"]", &format!("listen = [{listen}]")) + more
}

const BOTH: &str = "\"udp:host:5060\", \"tcp:host:5060\"";

#[test]
fn each_host_listens_at_its_own_addresses() {
    let with_sip = |sip: [&str; 3]| {
        let mut text = own(BOTH, "");
        for (host, sip) in ["h1", "h2", "h3"].into_iter().zip(sip) {
            text = text.replace(&format!("name = \"{host}\""), &format!("name = \"{host}\"\nsip = {sip}"));
        }
        text
    };
    let listens = |text: &str, here: &str| {
        let mut settings = outcome(text).settings.expect("no errors");
        assert!(settings.has_own_addresses());
        settings.hosts.as_mut().expect("three").here = here.into();
        settings.listens().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(listens(&own(BOTH, ""), "h2"), ["udp:10.77.1.2:5060", "tcp:10.77.1.2:5060"], "in the first network");
    let six = with_sip([
        "[\"2001:db8::1\", \"192.0.2.1\"]",
        "[\"192.0.2.2\", \"2001:db8::2\"]",
        "[\"2001:db8::3\", \"192.0.2.3\"]",
    ]);
    let on_first = ["udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060", "tcp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060"];
    assert_eq!(listens(&six, "h1"), on_first);
    assert_eq!(listens(&six, "h2")[..2], ["udp:192.0.2.2:5060", "udp:[2001:db8::2]:5060"], "in the same order");
}

#[test]
fn what_is_wrong_with_addresses_of_hosts_is_told() {
    let told = |text: &str, what: &str| {
        let messages = messages(text);
        assert!(messages.contains(what), "{what} is not in {messages}");
    };
    told("[sip]\nlisten = [\"udp:host:5060\"]\n", "there is no [[host]] whose address this could be");
    told(&own("\"udp:host:0\"", ""), "every host would choose another port");
    told(&own("\"udp:host\"", ""), "the port is missing");
    let mixed =
        own("\"udp:host:5060\", \"tcp:10.77.0.201:5060\"", "[[address]]\naddress = \"10.77.0.201/24@access\"\n");
    told(&mixed, "each host serves at its own addresses, and at no other one");
    let sip = |of: &str, sip: &str| {
        own(BOTH, "").replace(&format!("name = \"{of}\""), &format!("name = \"{of}\"\nsip = {sip}"))
    };
    told(&sip("h2", "[\"2001:db8::2\"]"), "h2 has other kinds of addresses for SIP than h1");
    told(&sip("h2", "[]"), "1 to 4 addresses");
    told(&sip("h2", "[\"127.0.0.1\"]"), "other hosts cannot reach this address");
    told(&sip("h2", "[\"192.0.2.2\", \"192.0.2.2\"]"), "this is there twice");
    let passing = sip("h1", "[\"10.77.0.201\"]") + "[[address]]\naddress = \"10.77.0.201/24@access\"\n";
    told(&passing, "this address passes from host to host");
    let unused = HOSTS.replace("name = \"h1\"", "name = \"h1\"\nsip = [\"192.0.2.1\"]");
    told(&unused, "nobody listens at these addresses");
    let trunk = own(BOTH, "[[trunk]]\nname = \"x\"\naddress = \"10.77.1.3:5060\"\n");
    told(&trunk, "Everline itself listens there");
}
