//! Golden messages: a configuration in, what a person reads out.

use std::collections::BTreeMap;
use std::path::Path;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::problem::KEPT;
use super::secret::Sources;
use super::*;

mod fencing;
mod lacking;
mod own;
mod warnings;

/// What is found in the text; the environment has one variable.
fn outcome(text: &str) -> Outcome {
    let variable = |name: &str| (name == "ANNA").then(|| "long enough".to_owned());
    let file = |name: &str| secret::from_file(&Path::new("/nowhere").join(name));
    parse("everline.toml".into(), text.into(), &Sources { file: &file, variable: &variable })
}

fn messages(text: &str) -> String {
    outcome(text).report.render(false, KEPT)
}

#[test]
fn what_interface_promises_is_read() {
    let text = r#"
        [sip]
        domain = "127.0.0.1"
        listen = ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]

        [[extension]]
        number = "1001"
        password = "${ANNA}"

        [[extension]]
        number = "1050"
        contact = "sip:1050@127.0.0.1:5090"

        [[agent]]
        id = "anna"
        extension = "1001"
        auto-ready = true

        [[queue]]
        number = "9000"
        agents = ["anna"]
        capacity = 500
        default = "1050"

        [[trunk]]
        name = "carrier"
        address = "127.0.0.1:5080"
    "#;
    let outcome = outcome(text);
    assert_eq!(outcome.report.render(false, KEPT), "");
    insta::assert_debug_snapshot!(outcome.settings.expect("no errors"));
}

#[test]
fn an_empty_file_is_a_solution_on_loopback() {
    let settings = outcome("").settings.expect("no errors");
    let listen: Vec<_> = settings.sip.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"]);
    assert!(settings.sip.standby && settings.extensions.is_empty());
}

#[test]
fn misspelt_keys_are_understood_and_not_missed_as_well() {
    assert_snapshot!(messages(
        r#"
soluton = "x"
[sip]
stanby = false
[[extension]]
nubmer = "1001"
pasword = "long enough"
[[trunks]]
"#
    ));
}

#[test]
fn values_of_the_wrong_sort_are_told_what_is_allowed() {
    assert_snapshot!(messages(
        r#"
agent = "anna"
[[solution]]
[sip]
domain = "two words"
listen = "udp:127.0.0.1:5060"
standby = "yes"
min-expires = 0
max-expires = 1e3
[[extension]]
number = 1001
password = "long enough"
[[extension]]
number = "10 01"
contact = "1050@127.0.0.1"
[[queue]]
number = "9000"
agents = ["anna", 7]
no-answer = 99999999999999999999
[[trunk]]
name = ""
address = "127.0.0.1:sip"
"#
    ));
}

#[test]
fn addresses_are_checked_one_by_one() {
    assert_snapshot!(messages(
        r#"
[sip]
min-expires = 3000
max-expires = 600
listen = [
    "udp:0.0.0.0:5060",
    "tls:127.0.0.1:5061",
    "udp:127.0.0.1:0",
    "udp:127.0.0.1:0",
    "tcp:192.0.2.1:5060",
    "tcp:192.0.2.1:5060",
]
[[trunk]]
name = "carrier"
address = "127.0.0.1:5080"
[[trunk]]
name = "carrier"
address = "127.0.0.1:5080"
"#
    ));
}

#[test]
fn names_that_stand_for_two_things_or_for_nothing() {
    assert_snapshot!(messages(
        r#"
[[extension]]
number = "1001"
password = "long enough"
[[extension]]
number = "1001"
password = "long enough"
[[agent]]
id = "anna"
extension = "1001"
[[agent]]
id = "ben"
extension = "1001"
[[agent]]
id = "anna"
extension = "1011"
[[queue]]
number = "1001"
agents = ["ana", "ben", "ben", "somebody"]
default = "2000"
[[queue]]
number = "9000"
agents = []
"#
    ));
}

#[test]
fn secrets_are_never_shown_and_their_absence_is_explained() {
    let text = r#"
[[extension]]
number = "1001"
password = ""
[[extension]]
number = "1002"
password = "short"
[[extension]]
number = "1003"
password = "${BEN}"
[[extension]]
number = "1004"
password-file = "missing"
[[extension]]
number = "1005"
password = "long enough"
contact = "sip:1005@127.0.0.1"
[[extension]]
number = "1006"
[[extension]]
number = "1007"
password = "with a\u0007bell"
"#;
    let messages = messages(text);
    assert!(!messages.contains("short\"") && !messages.contains("bell"), "{messages}");
    assert_snapshot!(messages);
}

#[test]
fn broken_lines_are_all_named() {
    assert_snapshot!(messages("[sip\ndomain = \n[[extension]]\nnumber = \"1001\npassword = 'x'\nfoo\n"));
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    let sources = Sources { file: &|_| Err("nothing is there".into()), variable: &|_| None };
    let outcome = parse("everline.toml".into(), b"[sip]\ndomain = \"\xff\"\n".to_vec(), &sources);
    assert_snapshot!(outcome.report.render(false, KEPT));
}

#[test]
fn a_thousand_errors_are_counted_and_twenty_shown() {
    let text: String = (0..1_000).map(|n| format!("[[agent]]\nid = \"a{n}\"\nextension = \"{n}\"\n")).collect();
    let messages = outcome(&text).report.render(false, 20);
    assert_eq!(messages.matches("there is no extension").count(), 20);
    let count = "everline.toml: 1000 errors (the first 20 are shown; `everline config check` shows all)\n";
    assert!(messages.ends_with(count), "{messages}");
}

#[test]
fn nobody_is_sent_to_everline_itself() {
    assert_snapshot!(messages(
        r#"
[sip]
listen = ["udp:127.0.0.1:5060", "udp:127.0.0.1:5070"]
[[extension]]
number = "1001"
contact = "sip:1001@127.0.0.1:5070"
[[extension]]
number = "1002"
contact = "sip:1002@127.0.0.1:5060;transport=tcp"
[[trunk]]
name = "carrier"
address = "127.0.0.1:5060"
[[trunk]]
name = "neighbour"
address = "127.0.0.1"
"#
    ));
    // Without `listen`, it is at SIP's port of loopback.
    assert!(messages("[[trunk]]\nname = \"x\"\naddress = \"127.0.0.1:5060\"\n").contains("Everline itself"));
}

#[test]
fn a_value_that_is_missing_is_called_missing() {
    for text in ["[sip]\nlisten =\n", "[sip]\nlisten = # later\n", "[sip]\nlisten ="] {
        assert!(messages(text).contains("a value is missing"), "{}", messages(text));
    }
    assert!(!messages("[sip]\nlisten = udp\n").contains("a value is missing"));
}

/// Three hosts in two networks, and a virtual address.
const HOSTS: &str = r#"
[sip]
listen = ["udp:10.77.0.201:5060"]
[[network]]
name = "a"
prefix = "10.77.1.0/24"
[[network]]
name = "b"
prefix = "10.77.2.0/24"
[[host]]
name = "h1"
addresses = ["10.77.1.1", "10.77.2.1"]
[[host]]
name = "h2"
addresses = ["10.77.2.2", "10.77.1.2"]
[[host]]
name = "h3"
addresses = ["10.77.1.3", "10.77.2.3"]
[[address]]
address = "10.77.0.201/24@access"
"#;

#[test]
fn hosts_have_what_is_usual_if_nothing_is_placed() {
    let settings = outcome(HOSTS).settings.expect("no errors");
    insta::assert_debug_snapshot!(settings.hosts.expect("hosts"));
    let placed = outcome(&format!(
        "{HOSTS}[place]\nsip = [\"h2\", \"h3\"]\nrouting = [\"h1\", \"h1\"]\nsame-host = true\ncoordinator = [\"h3\"]\nauthority = \"h2\"\n"
    ));
    insta::assert_debug_snapshot!(placed.settings.expect("no errors").hosts.expect("hosts"));
    let theirs = outcome(&format!("{HOSTS}[etcd]\nmembers = [\"etcd1:2379\"]\n"));
    let coordinator = theirs.settings.expect("no errors").hosts.expect("hosts").coordinator;
    assert_eq!(format!("{coordinator:?}"), "Existing { addresses: [\"etcd1:2379\"], tls: None }");
}

#[test]
fn what_is_placed_wrong_is_told() {
    assert_snapshot!(messages(&format!(
        r#"{HOSTS}
[place]
sip = ["h1", "h1"]
routing = ["h1", "h4"]
coordinator = ["h1", "h2"]
authority = "h11"
[etcd]
members = ["etcd1", "etcd2:2379"]
ca-file = "ca.pem"
"#
    )));
}

#[test]
fn addresses_of_hosts_are_checked() {
    assert_snapshot!(messages(
        r#"
[solution]
name = "Our_centre"
[sip]
listen = ["udp:10.77.0.202:5060", "udp:127.0.0.1:0"]
[[network]]
name = "a"
prefix = "10.77.1.0/24"
[[network]]
name = "b"
prefix = "10.77.1.128/25"
[[network]]
name = "c"
prefix = "10.77.3.0"
[[network]]
name = "d"
prefix = "10.77.4.0/24"
[[host]]
name = "H1"
addresses = ["10.77.1.1", "10.77.1.2", "10.9.9.9", "127.0.0.1"]
[[host]]
name = "h2"
addresses = ["10.77.1.1"]
[[address]]
address = "10.77.0.201"
[[address]]
address = "10.77.0.255/24@access"
"#
    ));
    let without_c = HOSTS.replace("\"10.77.2.3\"", "\"10.77.9.3\"");
    assert_snapshot!(messages(&without_c));
}

#[test]
fn sections_about_hosts_need_hosts() {
    assert!(messages("[place]\nsame-host = true\n").contains("there is no [[host]]"));
    assert!(messages("[[network]]\nname = \"a\"\nprefix = \"10.0.0.0/8\"\n").contains("there is no [[host]]"));
    let alone =
        "[[network]]\nname = \"a\"\nprefix = \"10.0.0.0/8\"\n[[host]]\nname = \"h1\"\naddresses = [\"10.0.0.1\"]\n";
    assert!(messages(alone).contains("one host cannot keep a pair apart"));
    assert!(outcome(&format!("{alone}[sip]\nstandby = false\n")).settings.is_some());
    assert!(outcome(&format!("{alone}[place]\nsame-host = true\n")).settings.is_some());
}

/// The table in the documents has a row for each key that is read, with what is allowed there, and no other row.
#[test]
fn every_key_is_documented() {
    let page = include_str!("../../../../docs/configuration.md");
    let documented: Vec<&str> = page.lines().filter(|line| line.starts_with("| `[")).collect();
    let keys = || sections::SECTIONS.iter().flat_map(|(header, keys)| keys.iter().map(move |key| (header, key)));
    for (header, key) in keys() {
        let begin = format!("| `{header} {}` |", key.name);
        let rows: Vec<_> = documented.iter().filter(|row| row.starts_with(&begin)).collect();
        let [row] = rows[..] else { panic!("{} rows begin with {begin}", rows.len()) };
        assert!(row.ends_with(&format!("| {} |", key.allowed)), "{row}\nbut allowed is: {}", key.allowed);
    }
    assert_eq!(documented.len(), keys().count(), "a row for a key that nobody reads");
}

/// What is allowed at a number is what is taken: both ends are, and what lies beyond them is not.
#[test]
fn the_documented_bounds_are_the_bounds() {
    let queue = "[[queue]]\nnumber = \"9\"\nagents = []\n";
    let address = concat!(
        "[sip]\nstandby = false\n[[network]]\nname = \"a\"\nprefix = \"10.0.0.0/8\"\n",
        "[[host]]\nname = \"h1\"\naddresses = [\"10.0.0.1\"]\n",
        "[[address]]\naddress = \"10.1.0.5/24@eth0\"\nhook = \"/usr/local/bin/move\"\n"
    );
    for (section, key, bounds) in [
        ("[sip]\n", "min-expires", 1..=3_600),
        ("[sip]\n", "max-expires", 60..=604_800),
        (queue, "capacity", 1..=100_000),
        (queue, "no-answer", 1..=120),
        (address, "hook-timeout", 1..=120),
        ("[fence]\n", "timeout", 1..=600),
        ("[fence]\n", "after", 5..=3_600),
    ] {
        let (low, high) = (*bounds.start(), *bounds.end());
        let told = messages(&format!("{section}{key} = {}\n", high + 1));
        assert!(told.contains(&format!("{low} to {high} ")), "{told}");
        let errors = |value: i64| outcome(&format!("{section}{key} = {value}\n")).report.json()["errors"].clone();
        assert_eq!([low - 1, low, high, high + 1].map(errors), [1, 0, 0, 1], "{key}");
    }
}

#[test]
fn an_endless_line_is_named_and_not_shown() {
    let messages = messages(&format!("[sip]\ndomain = \"{}\"\n", "x".repeat(100_000)));
    assert!(messages.len() < 500, "{messages}");
    assert!(messages.contains("(everline.toml:2:10)"), "{messages}");
}

#[test]
fn programs_get_the_same_as_json() {
    let outcome = outcome("[sip]\nstanby = true\n\n[[queue]]\nnumber = \"9\"\nagents = []\n");
    insta::assert_json_snapshot!(outcome.report.json());
}

/// Words from which a file is thrown together: what a person may write, in every wrong place.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "[sip]",
        "[[extension]]",
        "[[agent]]",
        "[[queue]]",
        "[[trunk]]",
        "[solution]",
        "\n",
        "\n",
        "\n",
        "=",
        " = ",
        "number",
        "id",
        "password",
        "contact",
        "agents",
        "listen",
        "capacity",
        "domain",
        "default",
        "extension",
        "\"1001\"",
        "\"9000\"",
        "[\"anna\"]",
        "\"anna\"",
        "[",
        "]",
        "\"",
        "'''",
        "{",
        "}",
        ",",
        ".",
        "0x",
        "-1",
        "true",
        "1979-05-27",
        "\"${\"",
        "\"sip:1@1.2.3.4\"",
        "\"udp:1.2.3.4:5\"",
        "ü",
        "\u{0}",
        "\r",
        "#",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_file_is_too_odd(text in words()) {
        let outcome = outcome(&text);
        let errors = outcome.report.json()["errors"].as_u64().unwrap_or_default();
        prop_assert_eq!(outcome.settings.is_some(), errors == 0);
        prop_assert_eq!(outcome.report.render(true, KEPT).is_empty(), outcome.report.render(false, KEPT).is_empty());
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let sources = Sources { file: &|_| Err("nothing is there".into()), variable: &|_| None };
        let outcome = parse("everline.toml".into(), bytes, &sources);
        outcome.report.render(false, KEPT);
    }

    /// Whatever is asked for is what is there: reading invents and loses nothing.
    #[test]
    fn right_files_are_read_as_they_are(
        extensions in prop::collection::btree_map("[0-9]{3,6}", "[a-z0-9 ]{8,20}", 0..20),
        capacity in 1_u32..=100_000,
    ) {
        let mut text = String::new();
        for (number, password) in &extensions {
            text.push_str(&format!("[[extension]]\nnumber = \"{number}\"\npassword = \"{password}\"\n"));
        }
        text.push_str(&format!("[[queue]]\nnumber = \"q\"\nagents = []\ncapacity = {capacity}\n"));
        let settings = outcome(&text).settings.expect("no errors");
        let read: BTreeMap<_, _> = settings.extensions.iter().map(|extension| match &extension.device {
            crate::settings::Device::Registers(password) => (extension.number.clone(), password.reveal().to_owned()),
            crate::settings::Device::Fixed(contact) => (extension.number.clone(), contact.clone()),
        }).collect();
        prop_assert_eq!(read, extensions);
        prop_assert_eq!(settings.queues[0].capacity, capacity);
    }
}
