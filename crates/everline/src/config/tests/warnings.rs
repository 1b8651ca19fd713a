//! What several hosts can do, and whoever configures it should know.

use super::*;

#[test]
fn hosts_that_cannot_ask_by_udp_are_told() {
    const TOLD: &str = "without UDP no host can ask whether phones are served";
    let listening = |listen: &str| HOSTS.replace("\"udp:10.77.0.201:5060\"", listen);
    let by_tcp = listening("\"udp:127.0.0.1:5060\", \"tcp:10.77.0.201:5060\"");
    let said = messages(&by_tcp);
    assert!(said.contains(TOLD) && said.contains("with \"udp:10.77.0.201:5060\" beside it"), "{said}");
    assert!(outcome(&by_tcp).settings.is_some(), "a warning only");
    let (without_address, _) = HOSTS.split_once("[[address]]").expect("it is the last one");
    let own = without_address.replace("udp:10.77.0.201:5060", "tcp:host:5060");
    assert!(messages(&own).contains("with \"udp:host:5060\" beside it"));
    let both = listening("\"tcp:10.77.0.201:5060\", \"udp:10.77.0.201:5060\"");
    for quiet in [both.as_str(), HOSTS, "[sip]\nlisten = [\"tcp:192.0.2.1:5060\"]\n"] {
        assert!(!messages(quiet).contains(TOLD), "{quiet}");
    }
}

#[test]
fn an_etcd_without_tls_is_told() {
    const TOLD: &str = "whoever reaches it can read all passwords and make himself primary";
    let with = |etcd: &str| format!("{HOSTS}[etcd]\nmembers = [{etcd}\n");
    for open in ["\"etcd1:2379\"]", "\"127.0.0.1:2379\", \"10.9.9.9:2379\"]", "\"[2001:db8::1]:2379\"]"] {
        assert!(messages(&with(open)).contains(TOLD), "{open}");
        assert!(outcome(&with(open)).settings.is_some(), "a warning only");
    }
    let tls = "\"etcd1:2379\"]\nca-file = \"ca.pem\"\ncertificate-file = \"us.pem\"\nkey-file = \"us.key\"";
    for quiet in ["\"127.0.0.1:2379\"]", "\"[::1]:2379\"]", "\"localhost:2379\"]", tls] {
        assert!(!messages(&with(quiet)).contains(TOLD), "{quiet}");
    }
}
