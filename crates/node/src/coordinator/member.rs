//! How one member of etcd is run for Everline, and which version of it there is. Nothing here starts one.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::wire::Trouble;

/// The program, of Debian's package `etcd-server`.
pub const PROGRAM: &str = "etcd";
/// The oldest version that a coordinator can stand on: older ones lose events of a watch that falls behind.
pub const OLDEST: Version = Version { major: 3, minor: 4 };

/// How often the leader shows the others that it lives, in milliseconds.
///
/// On a local network a beat takes well below one. Ten small packets in 100 ms cost nothing, and many beats to an
/// election make it unlikely that two members stand for election in the same one, which costs another round.
const HEARTBEAT: u32 = 10;
/// How long a member hears nothing of the leader before it stands for election, in milliseconds; each waits between this
/// and twice of it, by chance.
///
/// A takeover is to be over 250 ms after a host was lost, and the backup suspects its primary after 150 ms of silence. If
/// the leader was on that host, a new one must be there by then: a member that still believes in the old one would pass
/// the request on to it, where it is lost for a second. So twice of this lies barely above 150 ms; of the two members
/// that are left the sooner one decides, on average after 105 ms. What lasts longer than this without being a loss (a
/// disk that takes 80 ms for a sync) costs an election, of which calls know nothing.
const ELECTION: u32 = 80;
/// The most that a member keeps on its disk, in bytes: entries are small, and a full disk must not come of them. 30,000 changes
/// of a role fit, of the largest entries, between two compactions.
const QUOTA: u64 = 64 << 20;
/// The revisions that are kept when the older ones are compacted, which is done every five minutes. A watch that was
/// broken for longer reads anew.
const KEPT_REVISIONS: u32 = 1_000;

/// Files for TLS in both directions: who calls shows a certificate of the same authority as who is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFiles {
    /// The certificates of the authority, PEM.
    pub authority: PathBuf,
    /// The own certificate, PEM, for the host names or addresses by which others call, for servers and clients.
    pub certificate: PathBuf,
    /// The key of it, PEM.
    pub key: PathBuf,
}

/// One member, and the cluster that it founds with the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name in the cluster, one for each host.
    pub name: String,
    /// The folder of its data, which nobody else uses.
    pub data: PathBuf,
    /// Where the other members reach it, in each network; if one breaks, they use another one.
    pub peers: Vec<SocketAddr>,
    /// Where control servers reach it, in each network.
    pub clients: Vec<SocketAddr>,
    /// All members with their `peers`, this one included; the same on each host.
    pub cluster: Vec<(String, Vec<SocketAddr>)>,
    /// What tells this cluster from another one that is founded by mistake with the same addresses: the solution.
    pub token: String,
    /// TLS, between members and for control servers; none on a network of their own.
    pub tls: Option<TlsFiles>,
    /// The file with the numbers of certificates that count for nothing any more.
    pub revoked: Option<PathBuf>,
    /// The cluster was founded without this member, which comes into it by its first start.
    pub is_late: bool,
}

impl Member {
    /// The arguments of the program. It also reads each of them from variables named `ETCD_...`: start it without those.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let urls = |places: &[SocketAddr]| places.iter().map(|place| self.url(*place)).collect::<Vec<_>>();
        let (peer, client) = (urls(&self.peers).join(","), urls(&self.clients).join(","));
        let of_member = |(name, peers): &(String, Vec<SocketAddr>)| {
            urls(peers).into_iter().map(|url| format!("{name}={url}")).collect::<Vec<_>>()
        };
        let cluster: Vec<String> = self.cluster.iter().flat_map(of_member).collect();
        let mut arguments = vec![
            option("name", &self.name),
            option("data-dir", &self.data),
            option("listen-peer-urls", &peer),
            option("initial-advertise-peer-urls", &peer),
            option("listen-client-urls", &client),
            option("advertise-client-urls", &client),
            option("initial-cluster", cluster.join(",")),
            option("initial-cluster-token", &self.token),
            option("initial-cluster-state", if self.is_late { "existing" } else { "new" }),
            option("heartbeat-interval", HEARTBEAT.to_string()),
            option("election-timeout", ELECTION.to_string()),
            // Whoever comes back asks first whether an election is wanted, instead of forcing one.
            option("pre-vote", "true"),
            option("quota-backend-bytes", QUOTA.to_string()),
            option("auto-compaction-mode", "revision"),
            option("auto-compaction-retention", KEPT_REVISIONS.to_string()),
            // A member that is away makes a hundred warnings a second.
            option("logger", "zap"),
            option("log-outputs", "stderr"),
            option("log-level", "error"),
        ];
        if let Some(tls) = &self.tls {
            arguments.extend([
                option("trusted-ca-file", &tls.authority),
                option("cert-file", &tls.certificate),
                option("key-file", &tls.key),
                option("client-cert-auth", "true"),
                option("peer-trusted-ca-file", &tls.authority),
                option("peer-cert-file", &tls.certificate),
                option("peer-key-file", &tls.key),
                option("peer-client-cert-auth", "true"),
            ]);
        }
        if let Some(revoked) = &self.revoked {
            arguments.extend([option("client-crl-file", revoked), option("peer-crl-file", revoked)]);
        }
        arguments
    }

    /// Whether the member with this `data` is to come into a cluster that was founded without it: this host has seen `cluster`, and has
    /// never had data of its own. One that has lost its data is not late: it must not vote again as if it had promised nothing.
    #[must_use]
    pub fn is_late(data: &Path, cluster: &Path) -> bool {
        cluster.exists() && !data.exists() && !begun(data).exists()
    }

    /// Notes that it has data, or is about to found the cluster.
    pub(super) fn note(&self) -> io::Result<()> {
        if self.is_late { Ok(()) } else { fs::write(begun(&self.data), "") }
    }

    /// Notes it of one that came late, if it has data by now.
    pub(super) fn note_if_begun(&self) -> io::Result<bool> {
        let has_data = self.data.join("member").exists();
        if has_data { fs::write(begun(&self.data), "").map(|()| true) } else { Ok(false) }
    }

    /// Lays the data of a member aside that was taken out, so that another one can begin here.
    ///
    /// # Errors
    /// If a file cannot be renamed or removed.
    pub fn lay_aside(data: &Path) -> io::Result<()> {
        let (old, begun) = (data.with_extension("old"), begun(data));
        if data.exists() {
            if old.exists() {
                fs::remove_dir_all(&old)?;
            }
            fs::rename(data, old)?;
        }
        if begun.exists() { fs::remove_file(begun) } else { Ok(()) }
    }

    fn url(&self, address: SocketAddr) -> String {
        format!("{}://{address}", if self.tls.is_some() { "https" } else { "http" })
    }
}

/// The file that says that a member with this data has begun.
fn begun(data: &Path) -> PathBuf {
    data.with_extension("begun")
}

fn option(name: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(value);
    option
}

/// A version of etcd, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The `3` in 3.4.23.
    pub major: u32,
    /// The `4` in 3.4.23.
    pub minor: u32,
}

impl Version {
    /// The version that stands in a text like `3.4.23` or `3.6.0-rc.1`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.trim().splitn(3, '.');
        let mut number = || numbers.next()?.parse().ok();
        Some(Self { major: number()?, minor: number()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version of the program on this machine.
///
/// # Errors
/// If there is none, or one that is older than [`OLDEST`].
pub fn installed() -> Result<Version, Trouble> {
    let install = "install it: apt-get install etcd-server";
    let mut command = Command::new(PROGRAM);
    let said = command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().map_err(|error| {
        let missing = error.kind() == io::ErrorKind::NotFound;
        let what = if missing { "it is not installed".to_owned() } else { error.to_string() };
        Trouble::new(format!("cannot run the program `{PROGRAM}`: {what}"), install)
    })?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    match told(&said) {
        Some(version) if version >= OLDEST => Ok(version),
        Some(version) => Err(Trouble::new(format!("etcd {version} is too old: Everline needs {OLDEST}"), install)),
        None => Err(Trouble::new(format!("`{PROGRAM} --version` says no version: {}", said.trim()), install)),
    }
}

/// The version in what `etcd --version` says.
fn told(said: &str) -> Option<Version> {
    said.lines().find_map(|line| Version::parse(line.strip_prefix("etcd Version:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(tls: Option<TlsFiles>) -> Member {
        let peer = |last| SocketAddr::from(([10, 0, 0, last], 2380));
        Member {
            name: "one".into(),
            data: "/srv/everline/data/etcd".into(),
            peers: vec![peer(1)],
            clients: vec![SocketAddr::from(([10, 0, 0, 1], 2379))],
            cluster: vec![("one".into(), vec![peer(1), peer(9)]), ("two".into(), vec![peer(2)])],
            token: "centre".into(),
            tls,
            revoked: None,
            is_late: false,
        }
    }

    fn text(member: &Member) -> Vec<String> {
        member.arguments().into_iter().map(|argument| argument.into_string().unwrap()).collect()
    }

    #[test]
    fn a_member_is_told_where_the_others_are() {
        let arguments = text(&member(None));
        for expected in [
            "--name=one",
            "--data-dir=/srv/everline/data/etcd",
            "--initial-cluster=one=http://10.0.0.1:2380,one=http://10.0.0.9:2380,two=http://10.0.0.2:2380",
            "--listen-client-urls=http://10.0.0.1:2379",
            "--initial-cluster-token=centre",
        ] {
            assert!(arguments.iter().any(|argument| argument == expected), "{expected} in {arguments:?}");
        }
        assert!(!arguments.iter().any(|argument| argument.contains("cert")), "{arguments:?}");
    }

    #[test]
    fn with_tls_nobody_comes_in_without_a_certificate() {
        let files = ["ca.pem", "one.pem", "one.key"].map(PathBuf::from);
        let [authority, certificate, key] = files;
        let arguments = text(&member(Some(TlsFiles { authority, certificate, key })));
        for expected in ["--client-cert-auth=true", "--peer-client-cert-auth=true", "--peer-trusted-ca-file=ca.pem"] {
            assert!(arguments.iter().any(|argument| argument == expected), "{expected} in {arguments:?}");
        }
        assert!(!arguments.iter().any(|argument| argument.contains("http://")), "{arguments:?}");
    }

    #[test]
    fn one_that_comes_later_says_so_and_a_list_of_revoked_certificates_is_read() {
        let later = Member { revoked: Some("revoked.pem".into()), is_late: true, ..member(None) };
        let arguments = text(&later);
        for expected in
            ["--initial-cluster-state=existing", "--client-crl-file=revoked.pem", "--peer-crl-file=revoked.pem"]
        {
            assert!(arguments.iter().any(|argument| argument == expected), "{expected} in {arguments:?}");
        }
        assert!(text(&member(None)).iter().any(|argument| argument == "--initial-cluster-state=new"));
    }

    #[test]
    fn only_one_that_never_had_data_is_late() {
        let place = tempfile::tempdir().unwrap();
        let (data, cluster) = (place.path().join("etcd"), place.path().join("cluster"));
        let is_late = || Member::is_late(&data, &cluster);
        assert!(!is_late(), "who has seen no cluster founds it");
        fs::write(&cluster, "").unwrap();
        assert!(is_late());
        let member = |is_late| Member { data: data.clone(), is_late, ..member(None) };
        member(true).note().unwrap();
        assert!(is_late(), "it may have ended before it had any");
        fs::create_dir(&data).unwrap();
        assert!(!is_late());
        member(false).note().unwrap();
        fs::remove_dir(&data).unwrap();
        assert!(!is_late(), "it has lost its data");
        for _ in 0..2 {
            fs::create_dir(&data).unwrap();
            Member::lay_aside(&data).unwrap();
            assert!(is_late() && place.path().join("etcd.old").exists());
        }
    }

    #[test]
    fn versions_are_understood() {
        let said =
            "etcd Version: 3.4.23\nGit SHA: Not provided (use ./build instead of go build)\nGo Version: go1.19.8\n";
        assert_eq!(told(said), Some(OLDEST));
        assert_eq!(Version::parse("3.6.0-rc.1"), Some(Version { major: 3, minor: 6 }));
        assert!(Version::parse("3.3.27").unwrap() < OLDEST);
        assert!(Version::parse("4.0.0").unwrap() > OLDEST);
        assert_eq!(Version::parse("etcd"), None);
        assert_eq!(told("no such thing"), None);
    }
}
