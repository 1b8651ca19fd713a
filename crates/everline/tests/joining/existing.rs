//! The coordinator is an etcd that somebody else keeps, not one of Everline's own: `[etcd] members`.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::SystemTime;

use network::rehearsal::{Network, Place};
use node::coordinator::member::{Member, PROGRAM, TlsFiles};
use node::folder::Folder;
use node::identity::{Authority, HOST_LIFETIME, install, tls_files};
use serde_json::{Value, json};

use crate::Test;
use crate::net::{Net, bare};

pub(crate) const TESTS: &[Test] =
    &[("a solution stands on an etcd that somebody else keeps, and on two of its three members", stands)];

/// Where the members are: on no host of the solution.
const THERE: Place = Place::Carriers;

/// Three members of etcd with certificates of their own authority.
struct Theirs {
    running: Vec<Child>,
    addresses: Vec<String>,
    tls: TlsFiles,
}

impl Theirs {
    fn start(net: &Net) -> Self {
        let folder = net.folder(1).join("../theirs");
        let tls = certificates(&folder);
        let at = |port: u16| SocketAddr::from((THERE.ipv4(Network::Access), port));
        let cluster: Vec<_> = (0..3).map(|number| (format!("m{number}"), vec![at(12_380 + number)])).collect();
        let member = |number: u16| Member {
            name: format!("m{number}"),
            data: folder.join(format!("m{number}")),
            peers: vec![at(12_380 + number)],
            clients: vec![at(2_379 + number)],
            cluster: cluster.clone(),
            token: "theirs".into(),
            tls: Some(tls.clone()),
            revoked: None,
            is_late: false,
        };
        let members: Vec<Member> = (0..3).map(member).collect();
        let addresses = members.iter().map(|member| member.clients[0].to_string()).collect();
        Self { running: members.iter().map(|member| run(net, &folder, member)).collect(), addresses, tls }
    }

    fn kill(&mut self, number: usize) {
        self.running[number].kill().expect("it runs");
        self.running[number].wait().expect("ended");
    }

    /// The section that names them.
    fn section(&self) -> String {
        let Self { addresses, tls: TlsFiles { authority, certificate, key }, .. } = self;
        format!(
            "[etcd]\nmembers = {addresses:?}\nca-file = {authority:?}\n\
             certificate-file = {certificate:?}\nkey-file = {key:?}\n"
        )
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        for member in &mut self.running {
            // One that was killed has ended.
            let _ = member.kill();
            let _ = member.wait();
        }
    }
}

/// A certificate for their address, by which the hosts are let in as well.
fn certificates(folder: &Path) -> TlsFiles {
    fs::create_dir_all(folder.join("data")).expect("a folder");
    let folder = Folder::new(folder.canonicalize().expect("there"));
    let authority = Authority::create("theirs", SystemTime::now()).expect("an authority");
    let address = THERE.ipv4(Network::Access).into();
    install(&folder, &authority.issue("etcd", &[address], SystemTime::now(), HOST_LIFETIME).expect("issued"))
        .expect("written");
    tls_files(&folder)
}

fn run(net: &Net, folder: &Path, member: &Member) -> Child {
    let log = File::options().append(true).create(true).open(folder.join("log")).expect("a log");
    let mut command = net.net.command(THERE, PROGRAM);
    command.args(member.arguments()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("started")
}

/// Two hosts, either of which can be lost: the coordinator is on neither of them.
fn configuration(etcd: &str) -> String {
    let host = |number| {
        format!("[[host]]\nname = \"h{number}\"\naddresses = [\"10.77.1.{number}\", \"10.77.2.{number}\"]\n\n")
    };
    format!(
        "[sip]\ndomain = \"10.77.0.200\"\nlisten = [\"udp:10.77.0.200:5060\"]\n\n\
         [[network]]\nname = \"a\"\nprefix = \"10.77.1.0/24\"\n\n[[network]]\nname = \"b\"\nprefix = \"10.77.2.0/24\"\n\n\
         {}[[address]]\naddress = \"10.77.0.200/24@access\"\n\n{etcd}",
        (1..=2).map(host).collect::<String>()
    )
}

/// Both sides of the SIP Server, as the first host sees them.
struct Sides {
    primary: Value,
    backup: Value,
    epoch: u64,
}

impl Sides {
    /// How they stand once they are level in an epoch after this one.
    fn after(net: &Net, epoch: u64) -> Self {
        net.ask(1, "everline status --json", |status| {
            let rows = status["applications"].as_array()?;
            assert!(rows.iter().all(|row| row["name"] != "etcd"), "no member of our own runs: {rows:?}");
            let side = |role: &str| {
                let is_it = |row: &&Value| row["pair"] == "sip" && row["role"] == role && row["level"] == true;
                rows.iter().filter(|row| row["ready"] == true).find(is_it).cloned()
            };
            let (primary, backup) = (side("primary")?, side("backup")?);
            let now = primary["epoch"].as_u64().filter(|now| *now > epoch)?;
            Some(Self { primary, backup, epoch: now })
        })
    }

    /// The number of the host of the primary.
    fn host(&self) -> u8 {
        if self.primary["host"] == "h1" { 1 } else { 2 }
    }

    /// How they stand after a planned switchover.
    fn switched(&self, net: &Net) -> Self {
        net.does(1, "everline switchover sip");
        let after = Self::after(net, self.epoch);
        assert_eq!((&after.primary["host"], after.epoch), (&self.backup["host"], self.epoch + 1));
        after
    }
}

/// Who is missed among the members, as a host sees it.
fn misses(net: &Net, host: u8, missing: &[&str]) {
    net.ask(host, "everline status --json", |status| {
        (status["coordinator"]["members_missing"] == json!(missing)).then_some(())
    });
}

fn stands() {
    let net = Net::new("theirs", 2);
    let mut theirs = Theirs::start(&net);
    fs::write(net.folder(1).join("everline.toml"), configuration(&theirs.section())).expect("written");
    net.does(1, "everline host init");
    let mut first = net.start(1, "exec everline host run");
    net.until(1, "authority", |row| row["state"] == "started");
    let line = net.does(1, "everline host token h2");
    net.does(2, bare(&line));
    let mut second = net.start(2, "exec everline host run");
    first.is_ready();
    second.is_ready();

    let sides = Sides::after(&net, 0).switched(&net);
    for host in [1, 2] {
        net.ask(host, "everline config show --json", |shown| (shown["current"] == true).then_some(()));
        misses(&net, host, &[]);
    }

    // The one that is asked first is lost, and said to be.
    theirs.kill(0);
    let lost = theirs.addresses[0].as_str();
    for host in [1, 2] {
        misses(&net, host, &[lost]);
        net.until(host, "control", |row| {
            let note = format!("the coordinator lacks its member on {lost}: ");
            row["host"] == format!("h{host}") && row["note"].as_str().is_some_and(|said| said.contains(&note))
        });
    }
    let sides = sides.switched(&net);
    // Two of three are a majority: the process of the primary ends, and it is taken over.
    net.does(sides.host(), &format!("kill -9 {}", sides.primary["pid"]));
    let taken_over = Sides::after(&net, sides.epoch);
    assert_eq!(taken_over.primary["host"], sides.backup["host"]);
    let name = taken_over.primary["name"].as_str().expect("a name").to_owned();
    net.until(2, &name, |row| row["role"] == "primary" && row["epoch"] == taken_over.epoch);

    net.does(1, "everline stop");
    first.ends();
    net.does(2, "everline stop");
    second.ends();
}
