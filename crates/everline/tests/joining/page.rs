//! The page "three hosts in ten minutes", followed by its own words.
//!
//! Its blocks say where they are typed: `sh h2`, `sh h1 background` for what goes on. What a person would do by hand is done here:
//! a token is copied, `everline.toml` is edited, a phone registers and calls the queue. The unit is written for a systemd that is not
//! there: what is left out is that it runs it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use network::rehearsal::{Network, Place};

use crate::Test;
use crate::net::{Net, Running};
use crate::phone::Phone;

pub(crate) const TESTS: &[Test] = &[("the page is followed by its own words", followed)];

const PAGE: &str = include_str!("../../../../docs/three-hosts-in-ten-minutes.md");
/// The folder that the page names.
const FOLDER: &str = "/srv/everline";

/// What is typed on one host.
struct Block {
    host: u8,
    is_background: bool,
    commands: Vec<String>,
}

/// The blocks of the page, in order.
fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        let Some(head) = line.strip_prefix("```sh ") else { continue };
        let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let body = body.join("\n").replace("\\\n", " ");
        let (host, background) = head.split_once(' ').unwrap_or((head, ""));
        let host = host.strip_prefix('h').and_then(|number| number.parse().ok()).expect("a host");
        let commands = body.lines().map(str::to_owned).collect();
        blocks.push(Block { host, is_background: background == "background", commands });
    }
    blocks
}

/// Somebody who does what the page says.
struct Reader {
    net: Net,
    running: BTreeMap<u8, Running>,
    /// The tokens that were printed, by the host that they are for.
    tokens: BTreeMap<String, String>,
    /// A phone that waits in the queue, and its call.
    caller: Option<(Phone, String)>,
}

impl Reader {
    fn types(&mut self, block: &Block) {
        for command in &block.commands {
            let folder = self.net.folder(block.host).display().to_string();
            let token = self.tokens.get(&format!("h{}", block.host)).cloned().unwrap_or_default();
            let command = command.replace(FOLDER, &folder).replace("TOKEN", &token);
            if block.is_background {
                if self.running.is_empty() {
                    self.installs_the_unit(block.host);
                }
                self.running.insert(block.host, self.net.start(block.host, &command));
                continue;
            }
            if self.running.len() == 3 {
                self.running.values_mut().for_each(Running::is_ready);
            }
            if command.contains("config apply") {
                self.calls();
                self.edits(block.host);
            }
            let said = self.net.does(block.host, &command);
            if let Some((_, behind)) = command.split_once("host token ") {
                let host = behind.split(' ').next().expect("a host").to_owned();
                // The page types the line as it is printed.
                let token = said.strip_prefix("everline host join 10.77.1.1 ").expect("the line that is on the page");
                let token = token.strip_suffix(&format!(" --dir {folder}\n")).expect("the folder").to_owned();
                self.tokens.insert(host, token);
            }
            if command.contains("everline stop") {
                let said = self.running.remove(&block.host).expect("it runs").ends();
                assert!(said.ends_with("Stopped.\n"), "{said}");
            }
        }
    }

    /// Writes the unit into a system of its own, so that this one's stays as it is: it does what the next line of the page does.
    fn installs_the_unit(&self, host: u8) {
        let command = PAGE.split('`').find(|words| words.starts_with("everline host unit "));
        let folder = self.net.folder(host).display().to_string();
        let command = command.expect("it is on the page").replace(FOLDER, &folder);
        let (place, unit) = ("/etc/systemd/system", "/etc/systemd/system/everline.service");
        let script = format!("mount -t tmpfs none /etc && mkdir -p {place} && {command} && cat {unit}");
        let said = self.net.does(host, &format!("unshare --mount --propagation private sh -c '{script}'"));
        assert!(said.starts_with(&format!("{unit}\n# Written by `everline host unit`.\n")), "{said}");
        assert!(said.contains(&format!(" --dir {folder} host run\n")), "{said}");
    }

    /// Registers a phone where the page says, with the number and the password of an extension, and calls the queue: no agent has a
    /// phone, so it waits.
    fn calls(&mut self) {
        let (_, words) = PAGE.split_once("Register a phone at ").expect("it is on the page");
        let address: IpAddr = words.split(' ').next().and_then(|address| address.parse().ok()).expect("an address");
        let queue = words.split("call `").nth(1).and_then(|behind| behind.split('`').next()).expect("a number");
        let text = std::fs::read_to_string(self.net.folder(1).join("everline.toml")).expect("there");
        let (_, behind) = text.split_once("number = \"1010\"\npassword = \"").expect("an extension without an agent");
        let password = behind.split('"').next().expect("a password");
        let here = (Place::Phones.ipv4(Network::Access), 0);
        let socket = self.net.net.inside(Place::Phones, || UdpSocket::bind(here).expect("a port")).expect("there");
        let mut phone = Phone::from(socket, SocketAddr::new(address, 5_060));
        (phone.number, phone.domain) = ("1010".into(), address.to_string());
        let (status, answer) = phone.prove("REGISTER", &format!("sip:{address}"), password, "Expires: 600\r\n");
        assert_eq!(status, 200, "{answer}");
        let call = phone.wait_in(&format!("sip:{queue}@{address}"), password);
        self.caller = Some((phone, call));
    }

    /// What a person would change.
    fn edits(&self, host: u8) {
        let path = self.net.folder(host).join("everline.toml");
        let text = std::fs::read_to_string(&path).expect("there");
        let edited = text.replace("no-answer = 15", "no-answer = 20");
        assert_ne!(edited, text);
        std::fs::write(&path, edited).expect("written");
    }
}

fn followed() {
    let net = Net::new("page", 3);
    let mut reader = Reader { net, running: BTreeMap::new(), tokens: BTreeMap::new(), caller: None };
    let blocks = blocks();
    assert!(blocks.len() >= 12, "{} blocks: has the page another form?", blocks.len());
    blocks.iter().for_each(|block| reader.types(block));
    reader.running.values_mut().for_each(Running::is_ready);
    let Reader { net, mut running, caller, .. } = reader;
    // As the page says: h2 serves, h1 has come back as its backup, and runs with the change.
    for host in 1..=3 {
        let primary = net.until(host, "sip-b", |row| row["role"] == "primary" && row["ready"] == true);
        let backup = net.until(host, "sip-a", |row| row["role"] == "backup" && row["ready"] == true);
        assert_eq!((&primary["host"], &backup["host"]), (&"h2".into(), &"h1".into()), "as h{host} sees it");
        let names = |status: &serde_json::Value| {
            let rows = status["applications"].as_array().expect("rows");
            rows.iter().filter(|row| row["name"] == "lca").map(|row| row["host"].clone()).collect::<Vec<_>>()
        };
        let hosts = net.ask(host, "everline status --json", |status| Some(names(status)));
        assert_eq!(hosts, ["h1", "h2", "h3"], "as h{host} sees it");
    }
    // The call waits on although its host has gone.
    let (phone, call) = caller.expect("the page says that a phone calls");
    phone.give_up(&call);
    let versions = |host| net.ask(host, "everline status --json", |status| Some(status["configuration"].clone()));
    assert_eq!(versions(1), serde_json::json!({ "newest": 2, "running": 2 }));
    assert_eq!(versions(2), serde_json::json!({ "newest": 2, "running": 1 }));
    assert!(net.does(2, "everline status").contains("version 2 counts from its next `everline host run`"));

    // From here on, what the page does not tell: somebody changes an older version.
    let moved = net.fails(3, "everline config apply --over 1");
    assert!(moved.contains("stands at version 2, by h2") && moved.contains("--over 2"), "{moved}");
    // Two of three hosts are gone: what is left is a minority.
    for host in [2, 3] {
        net.does(host, "everline stop");
        running.remove(&host).expect("it runs").ends();
    }
    let refused = net.fails(1, "everline config apply --over 2");
    assert!(refused.contains("of the coordinator") && refused.contains("nothing was changed"), "{refused}");
    let shown = net.run(1, "everline config show");
    assert!(shown.out.contains("no-answer = 20") && shown.err.contains("does not answer"), "{}", shown.err);
    let status = net.does(1, "everline status");
    assert!(status.contains("h3 cannot be reached, and what runs there is not known"), "{status}");
}
