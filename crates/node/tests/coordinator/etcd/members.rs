//! Real members of etcd, run as Everline would run them, on loopback addresses that nobody else uses.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use node::coordinator::member::{Member, PROGRAM, TlsFiles};
use serde_json::Value;
use tempfile::TempDir;

use super::certificates;

/// A bound of what a member keeps on its disk that is soon reached.
pub(crate) const SMALL: &[&str] = &["--quota-backend-bytes=1048576"];
/// Lumps of 100 kB that are written until it is, at most: many more than that.
const LUMPS: usize = 100;

/// A cluster of its own.
pub(crate) struct Members {
    folder: TempDir,
    address: Ipv4Addr,
    members: Vec<Member>,
    running: Vec<Option<Child>>,
    extra: Vec<String>,
}

impl Members {
    /// Starts so many members, with these arguments besides the ones of Everline.
    pub(crate) fn start(count: usize, extra: &[&str]) -> Self {
        Self::found(own_address(), count, extra, |_, _| None)
    }

    /// Starts one member that asks for certificates, which are made for it in its folder.
    pub(crate) fn with_tls(extra: &[&str]) -> Self {
        Self::found(own_address(), 1, extra, |folder, address| Some(certificates::make(folder, address)))
    }

    /// Starts a cluster of one member that knows nothing of these, and shows the same certificate as they do, at the same address;
    /// it can be asked.
    pub(crate) fn others(&self) -> Self {
        let tls = self.tls();
        let others = Self::found(self.address, 1, &[], |_, _| tls);
        others.leader();
        others
    }

    /// The files for TLS.
    pub(crate) fn tls(&self) -> Option<TlsFiles> {
        self.members[0].tls.clone()
    }

    fn found(
        address: Ipv4Addr,
        count: usize,
        extra: &[&str],
        tls: impl FnOnce(&Path, Ipv4Addr) -> Option<TlsFiles>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sites = free(address, count);
        let cluster: Vec<(String, Vec<SocketAddr>)> =
            sites.iter().enumerate().map(|(number, [peer, _])| (format!("m{number}"), vec![*peer])).collect();
        let tls = tls(folder.path(), address);
        let member = |(number, [peer, client]): (usize, [SocketAddr; 2])| Member {
            name: format!("m{number}"),
            data: folder.path().join(format!("m{number}")),
            peers: vec![peer],
            clients: vec![client],
            cluster: cluster.clone(),
            token: format!("{address}"),
            tls: tls.clone(),
            revoked: None,
            is_late: false,
        };
        let members = sites.into_iter().enumerate().map(member).collect();
        let extra = extra.iter().map(|&argument| argument.to_owned()).collect();
        let running = (0..count).map(|_| None).collect();
        let mut members = Self { folder, address, members, running, extra };
        (0..count).for_each(|number| members.run(number));
        members
    }

    /// Where control servers reach the members.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.members.iter().map(|member| member.clients[0].to_string()).collect()
    }

    /// Starts a member that does not run.
    pub(crate) fn run(&mut self, number: usize) {
        let log = std::fs::File::options().append(true).create(true).open(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(self.members[number].arguments()).args(&self.extra);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.running[number] = Some(command.spawn().unwrap());
    }

    /// Ends a member as a loss of power would.
    pub(crate) fn kill(&mut self, number: usize) {
        if let Some(mut child) = self.running[number].take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Has a member stand still, or go on.
    pub(crate) fn freeze(&self, number: usize, frozen: bool) {
        let child = self.running[number].as_ref().unwrap();
        let signal = if frozen { Signal::SIGSTOP } else { Signal::SIGCONT };
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
    }

    /// The member that leads; waits until there is one.
    pub(crate) fn leader(&self) -> usize {
        loop {
            let (_, said) = self.ctl(&["endpoint", "status", "--write-out=json"], "");
            let rows: Vec<Value> = serde_json::from_str(&said).unwrap_or_default();
            let is_leader = |row: &&Value| {
                let status = &row["Status"];
                status["leader"] != 0 && status["leader"] == status["header"]["member_id"]
            };
            let leader = rows.iter().find(is_leader).map(|row| row["Endpoint"].clone());
            if let Some(place) = self.addresses().iter().position(|address| leader == Some(address.as_str().into())) {
                return place;
            }
        }
    }

    /// Has another member lead.
    pub(crate) fn hand_over(&self) {
        let leader = self.leader();
        let addresses = self.addresses();
        let next = &addresses[(leader + 1) % addresses.len()];
        let said = self.must(&["endpoint", "status", "--write-out=json"]);
        let rows: Value = serde_json::from_str(&said).unwrap();
        let row = rows.as_array().unwrap().iter().find(|row| row["Endpoint"] == next.as_str()).unwrap();
        let id = format!("{:x}", row["Status"]["header"]["member_id"].as_u64().unwrap());
        // It fails if another one has come to lead meanwhile, which is as good.
        self.ctl(&["move-leader", &id], "");
    }

    /// Fills [small](SMALL) ones, so that they raise an alarm and take no change.
    pub(crate) fn fill(&self) {
        let lump = "x".repeat(100_000);
        let is_full = (0..LUMPS).any(|_| self.ctl(&["put", "lump"], &lump).1.contains("space exceeded"));
        assert!(is_full, "{}", self.must(&["endpoint", "status", "--write-out=json"]));
    }

    /// Does what a person does about that.
    pub(crate) fn make_room(&self) {
        self.must(&["del", "lump"]);
        let said = self.must(&["get", "none", "--write-out=json"]);
        let now: Value = serde_json::from_str(&said).unwrap();
        self.must(&["compact", "--physical=true", &now["header"]["revision"].to_string()]);
        self.must(&["defrag"]);
        self.must(&["alarm", "disarm"]);
    }

    /// Runs `etcdctl` on the members that run; whether it succeeded, and what it said.
    pub(crate) fn ctl(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut command = self.etcdctl();
        if let Some(TlsFiles { authority, certificate, key }) = self.tls() {
            command.arg("--cacert").arg(authority).arg("--cert").arg(certificate).arg("--key").arg(key);
        }
        run(command.args(arguments), input)
    }

    /// The same by somebody who has no certificate.
    pub(crate) fn stranger(&self, arguments: &[&str]) -> (bool, String) {
        run(self.etcdctl().args(arguments), "")
    }

    fn etcdctl(&self) -> Command {
        let addresses = self.addresses().into_iter().zip(&self.running);
        let endpoints: Vec<String> =
            addresses.filter(|(_, child)| child.is_some()).map(|(address, _)| address).collect();
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").arg(format!("--endpoints={}", endpoints.join(",")));
        command
    }

    /// The same, where it must succeed.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let (done, said) = self.ctl(arguments, "");
        assert!(done, "etcdctl {arguments:?}: {said}");
        said
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|number| self.kill(number));
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("what etcd has logged:\n{log}");
        }
    }
}

/// Whether a program succeeds, and what it says.
fn run(command: &mut Command, input: &str) -> (bool, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.success(), said)
}

/// A loopback address that only this cluster of this process uses.
fn own_address() -> Ipv4Addr {
    static COUNT: AtomicU8 = AtomicU8::new(1);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::new(127, count.wrapping_add(high).max(1), middle, low.max(1))
}

/// Pairs of ports there that are free, and stay so as nobody else looks for any.
fn free(address: Ipv4Addr, count: usize) -> Vec<[SocketAddr; 2]> {
    let pair = || [(); 2].map(|()| TcpListener::bind((address, 0)).unwrap());
    // All at once, so that none is found twice.
    let listeners: Vec<_> = (0..count).map(|_| pair()).collect();
    listeners.iter().map(|pair| pair.each_ref().map(|listener| listener.local_addr().unwrap())).collect()
}
