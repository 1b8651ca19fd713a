//! Both sides of the authority's door.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::configuration::{self, Document};
use crate::identity::{Authority, HOST_LIFETIME, Identity, Keyring};

const SOLUTION: &str = "ours";

/// An authority whose door is open until the test ends.
struct Site {
    place: TempDir,
    folder: Folder,
    address: SocketAddr,
    authority: Authority,
}

impl Site {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        folder.create().unwrap();
        make(&folder, SOLUTION, SystemTime::now()).unwrap();
        std::fs::write(folder.nonce_key(), [7; 32]).unwrap();
        let (files, variables, moved) = Default::default();
        let (at, text, revoked) = (SystemTime::now(), "# ours".into(), None);
        let document = Document { version: 1, by: "h1".into(), at, text, files, variables, revoked, moved };
        configuration::keep(&folder, &document).unwrap();
        let settings = AuthoritySettings {
            folder: folder.clone(),
            me: Incarnation::new("authority", 1),
            listen: vec![(Ipv4Addr::LOCALHOST, 0).into()],
            hosts: vec![("h1".into(), vec![Ipv4Addr::LOCALHOST.into()])],
        };
        let address = open(settings, read(&folder).unwrap());
        let authority = read(&folder).unwrap();
        Self { place, folder, address, authority }
    }

    fn token(&self, host: &str) -> Token {
        self.make(host, false)
    }

    fn make(&self, host: &str, again: bool) -> Token {
        let fingerprint = self.authority.fingerprint().unwrap();
        Token::make(
            &self.folder,
            fingerprint,
            host,
            vec![Ipv4Addr::LOCALHOST.into()],
            10,
            if again { Comes::Again } else { Comes::First },
        )
        .unwrap()
    }

    fn refused(&self, token: &Token) -> Trouble {
        join(self.address, token).unwrap_err()
    }

    /// Asks for a new certificate in place of this one.
    fn renew(&self, identity: &Identity) -> Result<Identity, Trouble> {
        let config = self.keyring(identity).client();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(renew(&[((Ipv4Addr::LOCALHOST, 0).into(), self.address)], identity, config))
    }

    fn keyring(&self, identity: &Identity) -> Keyring {
        let path: PathBuf = self.place.path().join("identity.json");
        std::fs::write(&path, serde_json::to_vec(identity).unwrap()).unwrap();
        Keyring::open(path).unwrap()
    }
}

/// Opens the door in a thread that lives as long as the process.
fn open(settings: AuthoritySettings, authority: Authority) -> SocketAddr {
    let (sender, places) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sender.send(door::listen(settings, authority).await.unwrap()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    places.recv().unwrap()[0]
}

#[test]
fn a_host_joins_once_with_a_key_of_its_own() {
    let site = Site::new();
    let token = site.token("h2");
    let (identity, welcome) = join(site.address, &token).unwrap();
    assert_eq!((identity.host.as_str(), identity.solution.as_str()), ("h2", SOLUTION));
    assert_eq!((welcome.configuration.text.as_str(), welcome.nonce_key), ("# ours", vec![7; 32]));
    site.keyring(&identity);
    assert!(joined(&site.folder, "h2").is_some() && joined(&site.folder, "h3").is_none());
    let again = site.refused(&token);
    assert!(again.what.contains("used already: somebody has joined as h2"), "{again}");
}

#[test]
fn a_second_machine_does_not_become_a_host_that_has_joined() {
    let site = Site::new();
    let (older, newer) = (site.token("h2"), site.token("h2"));
    let ended = site.refused(&older);
    assert!(ended.what.contains("a newer token for h2 was made"), "{ended}");
    join(site.address, &newer).unwrap();
    // Made before the host has joined, or by a program that does not look.
    let second = site.refused(&site.token("h2"));
    assert!(second.what.contains("has joined as h2 already"), "{second}");
    assert!(second.remedy.contains("`everline host token h2 --again`"), "{second}");
    join(site.address, &site.make("h2", true)).unwrap();
}

#[test]
fn an_authority_that_is_another_one_is_not_shown_the_token() {
    let (site, other) = (Site::new(), Site::new());
    let token = other.token("h2");
    let trouble = site.refused(&token);
    assert!(trouble.what.contains("is not the authority that has made this token"), "{trouble}");
    join(other.address, &token).unwrap();
}

#[test]
fn a_token_that_was_never_made_or_is_stale_is_refused() {
    let site = Site::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let fingerprint = site.authority.fingerprint().unwrap();
    let never = Token::make(&Folder::new(elsewhere.path()), fingerprint, "h2", Vec::new(), 10, Comes::First).unwrap();
    assert!(site.refused(&never).what.contains("has never made such a token"));
    let stale = site.token("h2");
    let file = std::fs::read_dir(site.place.path().join("data/tokens")).unwrap().next().unwrap().unwrap().path();
    let mut grant: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    grant["expires"] = serde_json::to_value(SystemTime::now() - Duration::from_secs(1)).unwrap();
    std::fs::write(&file, grant.to_string()).unwrap();
    let trouble = site.refused(&stale);
    assert!(trouble.what.contains("too old") && trouble.remedy.contains("`everline host token h2`"), "{trouble}");
}

#[test]
fn a_certificate_is_renewed_for_whoever_shows_a_good_one() {
    let site = Site::new();
    let issue = |from, lifetime| site.authority.issue("h1", &[], from, lifetime).unwrap();
    let now = SystemTime::now();
    let old = issue(now - HOST_LIFETIME / 2, HOST_LIFETIME);
    let new = site.renew(&old).unwrap();
    assert_eq!(new.host, "h1");
    assert!(new.expires > old.expires && new.pem().0 != old.pem().0);
    site.renew(&new).unwrap();
    let expired = site.renew(&issue(now - 2 * HOST_LIFETIME, HOST_LIFETIME)).unwrap_err();
    assert!(expired.what.contains("does not accept the certificate of this host"), "{expired}");
    assert!(expired.remedy.contains("`everline host token h1 --again --force`"), "{expired}");
    let unknown = site.authority.issue("h9", &[], now, HOST_LIFETIME).unwrap();
    assert!(site.renew(&unknown).unwrap_err().what.contains("h9 is no host of this solution any more"));
}

/// The door of an authority whose clock says something else: one guest is shown its certificate, and hears nothing.
fn open_at(site: &Site, now: SystemTime) -> SocketAddr {
    let config = site.authority.door(now, &site.folder.revoked()).unwrap();
    let (sender, places) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let (guest, _) = listener.accept().await.unwrap();
            // Whether the guest believes it is what is tested.
            drop(tokio_rustls::TlsAcceptor::from(config).accept(guest).await);
        });
    });
    places.recv().unwrap()
}

#[test]
fn a_clock_that_differs_is_told_as_that_and_shows_no_token() {
    let site = Site::new();
    let token = site.token("h2");
    let (now, minute) = (SystemTime::now(), Duration::from_secs(60));
    let told = |clock: SystemTime| join(open_at(&site, clock), &token).unwrap_err();
    let behind = told(now + 65 * minute);
    assert!(behind.what.contains("the clock of this host is more than 60 minutes behind that of"), "{behind}");
    let ahead = told(now - 15 * minute);
    assert!(ahead.what.contains("the clock of this host is more than 10 minutes ahead of that of"), "{ahead}");
    for clock in [behind, ahead] {
        assert!(clock.remedy.contains("set the clocks of both hosts"), "{clock}");
    }
    for clock in [now + 55 * minute, now - 5 * minute] {
        let silent = told(clock);
        assert!(silent.what.contains("no answer of the authority"), "so much is allowed: {silent}");
    }
    join(site.address, &token).unwrap();
}

#[test]
fn a_host_of_another_solution_gets_nothing() {
    let (site, other) = (Site::new(), Site::new());
    let stranger = other.authority.issue("h1", &[], SystemTime::now(), HOST_LIFETIME).unwrap();
    let trouble = site.renew(&stranger).unwrap_err();
    assert!(trouble.what.contains("invalid peer certificate"), "it does not believe ours either: {trouble}");
    // One that believes us, but whom we do not know.
    let mut forged = serde_json::to_value(&stranger).unwrap();
    let genuine = site.authority.issue("h1", &[], SystemTime::now(), HOST_LIFETIME).unwrap();
    forged["authority"] = serde_json::to_value(&genuine).unwrap()["authority"].clone();
    let trouble = site.renew(&serde_json::from_value(forged).unwrap()).unwrap_err();
    assert!(trouble.what.contains("does not accept the certificate"), "{trouble}");
}

#[test]
fn whoever_is_in_does_not_join_again() {
    let site = Site::new();
    let (identity, _) = join(site.address, &site.token("h2")).unwrap();
    // The folder of a host refuses that by itself; here somebody shows a certificate and a token at once.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (config, address) = (site.keyring(&identity).client(), site.address);
    let answer = runtime.block_on(visit::join_with(address, config, &site.token("h3"), None));
    assert!(answer.unwrap_err().what.contains("this host is h2 already"));
}

#[test]
fn a_machine_that_is_a_host_stays_that_one_by_a_token_for_it() {
    let (site, other) = (Site::new(), Site::new());
    let (first, _) = join(site.address, &site.token("h2")).unwrap();
    let again = |token: &Token, own: &Identity| join_again(site.address, token, own);
    let told = again(&site.token("h2"), &first).unwrap_err();
    assert!(
        told.what.contains("has never joined") && told.remedy.contains("`everline host token h2 --again`"),
        "{told}"
    );
    let another = site.make("h3", true);
    let told = again(&another, &first).unwrap_err();
    assert!(told.what.contains("the token is for h3, and this machine is h2"), "{told}");
    join(site.address, &another).expect("it was not used up");
    let foreign = other.make("h2", true);
    let told = again(&foreign, &first).unwrap_err();
    assert!(told.what.contains("the token is of the authority of another solution"), "{told}");
    let expired = site.authority.issue("h2", &[], SystemTime::now() - 2 * HOST_LIFETIME, HOST_LIFETIME).unwrap();
    for own in [first, expired] {
        let (new, _) = again(&site.make("h2", true), &own).unwrap();
        assert!(new.host == "h2" && new.expires > SystemTime::now() && new.pem() != own.pem());
        site.renew(&new).unwrap();
    }
}

#[test]
fn the_host_of_the_authority_needs_no_good_certificate_for_another_one() {
    let (site, other) = (Site::new(), Site::new());
    let (now, addresses) = (SystemTime::now(), [IpAddr::from(Ipv4Addr::LOCALHOST)]);
    let expired =
        |authority: &Authority| authority.issue("h1", &addresses, now - 2 * HOST_LIFETIME, HOST_LIFETIME).unwrap();
    let own = expired(&site.authority);
    let new = renew_own(&site.folder, &own, &addresses).unwrap();
    assert_eq!(new.host, "h1");
    site.renew(&new).expect("it is believed");
    let told = renew_own(&site.folder, &expired(&other.authority), &addresses).unwrap_err();
    assert!(told.what.contains("is not the authority that has issued the certificate of h1"), "{told}");
    let shut = shut(&site.folder).unwrap();
    let told = renew_own(&site.folder, &own, &addresses).unwrap_err();
    assert!(told.what.contains("takes certificates back just now"), "{told}");
    drop(shut);
    std::fs::remove_file(site.folder.authority()).unwrap();
    let told = renew_own(&site.folder, &own, &addresses).unwrap_err();
    assert!(told.what.contains("the authority of the solution is not on this host"), "{told}");
}

#[test]
fn an_authority_is_made_once_in_a_folder() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::new(place.path());
    let made = |solution| make(&folder, solution, SystemTime::now());
    let first = made(SOLUTION).unwrap().fingerprint().unwrap();
    assert_eq!(made(SOLUTION).unwrap().fingerprint().unwrap(), first);
    let told = made("theirs").unwrap_err();
    assert!(told.what.contains("is the authority of ours, and the configuration is that of theirs"), "{told}");
    assert!(told.remedy.contains("name = \"ours\""), "{told}");
}

#[test]
fn a_host_that_is_taken_out_cannot_renew_itself_past_the_list() {
    let site = Site::new();
    let (old, _) = join(site.address, &site.token("h2")).unwrap();
    let (token, now) = (site.token("h3"), SystemTime::now());
    let shut = shut(&site.folder).unwrap();
    let list = shut.revoke(&site.authority, &["h1".to_owned()], now).unwrap();
    for told in [site.renew(&old).unwrap_err(), site.refused(&token)] {
        assert!(told.what.contains("takes certificates back just now"), "{told}");
    }
    assert_eq!(shut.forget("h2", now).unwrap(), 1);
    drop(shut);
    join(site.address, &token).unwrap();
    // As one whose connection was accepted before the list lay here.
    let told = site.renew(&old).unwrap_err();
    assert!(told.what.contains("the certificate of h2 was taken back"), "{told}");
    std::fs::write(site.folder.revoked(), list).unwrap();
    let told = site.renew(&old).unwrap_err();
    assert!(told.what.contains("does not accept the certificate of this host"), "{told}");
}

#[test]
fn a_host_that_cannot_be_noted_does_not_use_its_token_up() {
    let site = Site::new();
    let token = site.token("h2");
    let joined = site.place.path().join("data/joined");
    std::fs::write(&joined, "no folder").unwrap();
    let told = site.refused(&token);
    assert!(told.what.contains("data/joined"), "{told}");
    std::fs::remove_file(&joined).unwrap();
    join(site.address, &token).unwrap();
}

#[test]
fn guests_who_say_nothing_cost_few_descriptors() {
    let site = Site::new();
    let connect = |_| TcpStream::connect(site.address).unwrap();
    let _silent: Vec<TcpStream> = (0..2 * door::MOST_GUESTS).map(connect).collect();
    assert!((0..).map(|_| accepted(site.address)).any(|count| count >= door::MOST_GUESTS));
    // There is time enough to accept more.
    let most = (0..200).map(|_| accepted(site.address)).max();
    assert!(most <= Some(door::MOST_GUESTS), "{most:?}");
}

/// How many connections that stand were accepted by whoever listens there: those in the kernel's queue have no inode yet (`proc_pid_net(5)`).
fn accepted(listener: SocketAddr) -> usize {
    let (table, port) = (std::fs::read_to_string("/proc/self/net/tcp").unwrap(), format!(":{:04X}", listener.port()));
    let rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let stands = rows.filter(|row| row[1].ends_with(&port) && row[3] == "01" && row[9] != "0");
    stands.map(|row| row[9]).collect::<BTreeSet<_>>().len()
}
