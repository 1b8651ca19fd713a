//! Frames over a TLS connection between two hosts, without ever waiting: the counterpart of [`crate::channel`].

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use serde::{Serialize, de::DeserializeOwned};

use crate::channel::{ChannelError, MOST_WAITING};
use crate::frames::{self, Incoming};
use crate::identity::host_of;
use crate::last_word::{Key, LABEL, Tail};
use crate::repeating::repeat_soon;
use crate::wire::Trouble;

/// One connection that carries frames both ways. After an error it is to be dropped.
#[derive(Debug)]
pub struct SecureChannel {
    socket: TcpStream,
    tls: Connection,
    incoming: Incoming,
    frame: Vec<u8>,
    /// Octets that were given to TLS and not to the socket, at most.
    waiting: usize,
    tail: Tail,
    /// Derived as long as TLS is whole.
    key: Option<Key>,
    /// What came cannot be read on, which is told behind what could be.
    broken: Option<io::Error>,
}

impl SecureChannel {
    /// Begins to connect from `from` to `to`, where a host with the name `name` in its certificate should be.
    ///
    /// # Errors
    /// If the system refuses a socket, or the address at once.
    pub fn connect(from: SocketAddr, to: SocketAddr, config: Arc<ClientConfig>, name: &str) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let family = if to.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let socket: OwnedFd = socket::socket(family, SockType::Stream, flags, None)?;
        socket::bind(std::os::fd::AsRawFd::as_raw_fd(&socket), &SockaddrStorage::from(from))?;
        match socket::connect(std::os::fd::AsRawFd::as_raw_fd(&socket), &SockaddrStorage::from(to)) {
            Ok(()) | Err(nix::errno::Errno::EINPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
        Self::new(socket.into(), tls.into())
    }

    /// Takes a connection that another host has opened.
    ///
    /// # Errors
    /// If the system refuses it.
    pub fn accept(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::new(socket, ServerConnection::new(config).map_err(io::Error::other)?.into())
    }

    fn new(socket: TcpStream, mut tls: Connection) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        repeat_soon(&socket);
        // What is bounded is what waits here (`MOST_WAITING`).
        tls.set_buffer_limit(None);
        Ok(Self {
            socket,
            tls,
            incoming: Incoming::default(),
            frame: Vec::new(),
            waiting: 0,
            tail: Tail::default(),
            key: None,
            broken: None,
        })
    }

    /// The host at the other end; `None` before it has proved who it is.
    ///
    /// # Errors
    /// If it is none of this solution.
    pub fn peer(&self, solution: &str) -> Option<Result<String, Trouble>> {
        let shown = self.tls.peer_certificates().filter(|_| !self.tls.is_handshaking())?;
        Some(host_of(shown, solution))
    }

    /// With what a last word on this connection is signed (see [`crate::last_word`]); `None` before it stands.
    #[must_use]
    pub fn last_word_key(&mut self) -> Option<Key> {
        self.derive_key();
        self.key.clone()
    }

    fn derive_key(&mut self) {
        if self.key.is_none() {
            self.key = self.tls.export_keying_material([0; 32], LABEL, None).ok().map(Key);
        }
    }

    /// The revision of the last word with which the other side has ended, if it has with one: to be asked when the connection is broken.
    #[must_use]
    pub fn last_word(&mut self) -> Option<u64> {
        // What broke it may have been a message to whoever is not there any more.
        while self.read_socket().is_ok_and(|goes_on| goes_on) {}
        self.tail.last_word(self.key.as_ref()?)
    }

    /// Puts a message behind those that wait and sends what the socket takes.
    ///
    /// # Errors
    /// If it is no frame, if too much waits, or if the connection is broken.
    pub fn send<T: Serialize>(&mut self, message: &T) -> Result<(), ChannelError> {
        self.frame.clear();
        frames::append(message, 0, &mut self.frame)?;
        self.tls.writer().write_all(&self.frame)?;
        self.waiting += self.frame.len();
        self.flush()?;
        if self.waiting > MOST_WAITING { Err(ChannelError::Full) } else { Ok(()) }
    }

    /// Sends what waits, as far as the socket takes it.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn flush(&mut self) -> Result<(), ChannelError> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.socket) {
                Ok(count) => self.waiting = self.waiting.saturating_sub(count),
                Err(error) if is_not_yet(&error) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        // Before the handshake is over TLS keeps it to itself.
        if !self.tls.is_handshaking() {
            self.waiting = 0;
        }
        Ok(())
    }

    /// Whether something waits for the socket to take more, or for the connection to stand.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.tls.wants_write()
    }

    /// The next message; `None` if there is none now. Reads from the socket when it must.
    ///
    /// # Errors
    /// If the connection has ended or is broken, or what came is not such a message.
    pub fn receive<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ChannelError> {
        loop {
            if let Some((message, _)) = self.incoming.take()? {
                return Ok(Some(message));
            }
            match self.tls.reader().read(self.incoming.room()) {
                Ok(0) => return Err(ChannelError::Ended),
                Ok(count) => {
                    self.incoming.filled(count);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if !self.read_socket()? {
                return Ok(None);
            }
        }
    }

    /// Goes on with the handshake, without taking out any message. True once the other host has proved who it is.
    ///
    /// # Errors
    /// If the connection has ended or is broken, or the other host cannot prove it.
    pub fn shakes_hands(&mut self) -> Result<bool, ChannelError> {
        self.flush()?;
        while self.tls.is_handshaking() && self.read_socket()? {}
        Ok(!self.tls.is_handshaking())
    }

    /// Takes in what the socket holds; false if that is nothing now.
    fn read_socket(&mut self) -> Result<bool, ChannelError> {
        if let Some(error) = self.broken.take() {
            return Err(error.into());
        }
        match self.tls.read_tls(&mut Watched { socket: &self.socket, tail: &mut self.tail }) {
            // It ended without the goodbye of TLS, as the end of a process does.
            Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(_) => {
                self.derive_key();
                if let Err(error) = self.tls.process_new_packets() {
                    self.broken = Some(io::Error::new(io::ErrorKind::InvalidData, error));
                    // An alert says why, if it still can.
                    let _ = self.flush();
                } else {
                    self.flush()?;
                }
                Ok(true)
            }
            Err(error) if is_not_yet(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Octets that wait here for the socket.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Ends it: the other side reads what was sent, and then the end.
    pub fn shut(&mut self) {
        self.tls.send_close_notify();
        let _ = self.flush();
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Drop for SecureChannel {
    /// The end reaches the other side although another process may hold the descriptor too.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// The socket, and what came from it last.
struct Watched<'a> {
    socket: &'a TcpStream,
    tail: &'a mut Tail,
}

impl Read for Watched<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.socket.read(room)?;
        self.tail.came(&room[..count]);
        Ok(count)
    }
}

/// The socket takes or gives nothing more now, or is not connected yet.
fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted)
}

impl AsFd for SecureChannel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::{Duration, SystemTime};

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::*;
    use crate::identity::{Authority, HOST_LIFETIME, KeyRequest, Keyring, name_of};

    fn authority(solution: &str) -> Authority {
        Authority::create(solution, SystemTime::now()).unwrap()
    }

    fn keyring(authority: &Authority, host: &str, from: SystemTime, lifetime: Duration) -> Keyring {
        keyring_of(&serde_json::to_value(authority.issue(host, &[], from, lifetime).unwrap()).unwrap())
    }

    fn keyring_of(identity: &serde_json::Value) -> Keyring {
        let file = tempfile::NamedTempFile::new().unwrap();
        serde_json::to_writer(file.as_file(), identity).unwrap();
        Keyring::open(file.path()).unwrap()
    }

    fn fresh(authority: &Authority, host: &str) -> Keyring {
        keyring(authority, host, SystemTime::now(), HOST_LIFETIME)
    }

    fn any() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    /// Two ends; the first one connects and expects `name`.
    fn pair(client: &mut Keyring, server: &mut Keyring, name: &str) -> [SecureChannel; 2] {
        let listener = TcpListener::bind(any()).unwrap();
        let to = listener.local_addr().unwrap();
        let one = SecureChannel::connect(any(), to, client.client(), name).unwrap();
        let other = SecureChannel::accept(listener.accept().unwrap().0, server.server()).unwrap();
        [one, other]
    }

    /// Lets both ends work until one of them has a message or an error.
    fn first(ends: &mut [SecureChannel; 2]) -> (usize, Result<String, ChannelError>) {
        loop {
            for (number, end) in ends.iter_mut().enumerate() {
                match end.flush().and_then(|()| end.receive()) {
                    Ok(None) => {}
                    Ok(Some(message)) => return (number, Ok(message)),
                    Err(error) => return (number, Err(error)),
                }
            }
            let wanted = |end: &SecureChannel| {
                if end.is_waiting() { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN }
            };
            let mut fds: Vec<_> = ends.iter().map(|end| PollFd::new(end.as_fd(), wanted(end))).collect();
            poll(&mut fds, PollTimeout::NONE).unwrap();
        }
    }

    #[test]
    fn two_hosts_of_a_solution_talk_and_know_each_other() {
        let ours = authority("ours");
        let (mut one, mut other) = (fresh(&ours, "h1"), fresh(&ours, "h2"));
        let mut ends = pair(&mut one, &mut other, &name_of("h2", "ours"));
        assert!(ends[0].peer("ours").is_none());
        ends[0].send(&"said before anything stands").unwrap();
        let (at, message) = first(&mut ends);
        assert_eq!((at, message.unwrap().as_str()), (1, "said before anything stands"));
        assert_eq!(ends[0].peer("ours").unwrap().unwrap(), "h2");
        assert_eq!(ends[1].peer("ours").unwrap().unwrap(), "h1");
        let long = "x".repeat(900_000);
        for _ in 0..5 {
            ends[1].send(&long).unwrap();
        }
        for _ in 0..5 {
            assert_eq!(first(&mut ends).1.unwrap(), long);
        }
        assert_eq!((ends[1].waiting(), ends[1].is_waiting()), (0, false));
        ends[0].send(&"last").unwrap();
        ends[0].shut();
        let mut rest = Vec::new();
        let end = loop {
            match ends[1].receive::<String>() {
                Ok(Some(message)) => rest.push(message),
                Ok(None) => drop(poll(&mut [PollFd::new(ends[1].as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)),
                Err(error) => break error,
            }
        };
        assert!(rest == ["last"] && end.is_end(), "{rest:?}, {end}");
    }

    #[test]
    fn a_last_word_is_read_behind_what_was_written_and_holds_on_its_connection_only() {
        let ours = authority("ours");
        let (mut one, mut other) = (fresh(&ours, "h1"), fresh(&ours, "h2"));
        let mut connections = [(); 2].map(|()| {
            let mut ends = pair(&mut one, &mut other, &name_of("h2", "ours"));
            ends[0].send(&"last").unwrap();
            assert_eq!(first(&mut ends).1.unwrap(), "last");
            ends
        });
        let keys = [0, 1].map(|number| connections[number][1].last_word_key().unwrap());
        let mut heard = Vec::new();
        for [reader, writer] in &mut connections {
            writer.send(&"the last message").unwrap();
            (&writer.socket).write_all(&keys[0].word(7)).unwrap();
            writer.socket.shutdown(Shutdown::Both).unwrap();
            let mut said = Vec::new();
            while let Ok(message) = reader.receive::<String>() {
                said.extend(message);
                poll(&mut [PollFd::new(reader.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).unwrap();
            }
            assert_eq!(said, ["the last message"]);
            heard.push(reader.last_word());
        }
        assert_eq!(heard, [Some(7), None]);
    }

    /// What the side says that refuses the other one.
    fn refused(by: usize, client: &mut Keyring, server: &mut Keyring, name: &str) -> String {
        let mut ends = pair(client, server, name);
        ends[0].send(&"let me in").unwrap();
        loop {
            match ends[by].flush().and_then(|()| ends[by].receive::<String>()) {
                Ok(message) => assert_eq!(message, None, "nothing is said"),
                Err(error) => return error.to_string(),
            }
            // What the other one makes of it, the first one hears in time.
            let _ = ends[1 - by].flush().and_then(|()| ends[1 - by].receive::<String>());
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        let (ours, theirs) = (authority("ours"), authority("ours"));
        let (mut h1, mut h2, mut stranger) = (fresh(&ours, "h1"), fresh(&ours, "h2"), fresh(&theirs, "h2"));
        let name = name_of("h2", "ours");
        assert_eq!(refused(0, &mut h1, &mut stranger, &name), "invalid peer certificate: BadSignature");
        // One that trusts us, but whom we do not know.
        let mut forged =
            serde_json::to_value(theirs.issue("h2", &[], SystemTime::now(), HOST_LIFETIME).unwrap()).unwrap();
        let genuine = serde_json::to_value(ours.issue("h2", &[], SystemTime::now(), HOST_LIFETIME).unwrap()).unwrap();
        forged["authority"] = genuine["authority"].clone();
        let mut forger = keyring_of(&forged);
        assert_eq!(refused(1, &mut forger, &mut h2, &name), "invalid peer certificate: BadSignature");
        let long_ago = SystemTime::now() - 2 * HOST_LIFETIME;
        let mut expired = keyring(&ours, "h2", long_ago, HOST_LIFETIME);
        assert!(refused(0, &mut h1, &mut expired, &name).contains("expired"));
        assert!(refused(0, &mut h1, &mut h2, &name_of("h3", "ours")).contains("not valid for name"));
    }

    #[test]
    fn a_host_that_was_taken_out_is_refused_from_then_on() {
        let ours = authority("ours");
        let now = SystemTime::now();
        let request = KeyRequest::new().unwrap();
        let issued = ours.sign(request.text(), "h2", &[], now, HOST_LIFETIME).unwrap();
        let list = ours.revoke(&[issued.serial().unwrap()], now).unwrap();
        let mut out = keyring_of(&serde_json::to_value(request.answered(issued)).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        let own = ours.issue("h1", &[], now, HOST_LIFETIME).unwrap();
        std::fs::write(&path, serde_json::to_vec(&own).unwrap()).unwrap();
        let mut h1 = Keyring::open(&path).unwrap();
        let mut ends = pair(&mut h1, &mut out, &name_of("h2", "ours"));
        ends[0].send(&"before").unwrap();
        assert_eq!(first(&mut ends).1.unwrap(), "before");
        std::fs::write(folder.path().join("revoked.pem"), list).unwrap();
        let revoked = "invalid peer certificate: Revoked";
        assert_eq!(refused(0, &mut h1, &mut out, &name_of("h2", "ours")), revoked);
        assert_eq!(refused(1, &mut out, &mut h1, &name_of("h1", "ours")), revoked);
        let mut again = fresh(&ours, "h2");
        let mut ends = pair(&mut h1, &mut again, &name_of("h2", "ours"));
        ends[0].send(&"another certificate").unwrap();
        assert_eq!(first(&mut ends).1.unwrap(), "another certificate");
    }

    #[test]
    fn a_new_certificate_is_taken_for_the_next_connection_and_a_broken_file_changes_nothing() {
        let ours = authority("ours");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity.json");
        let write = |text: &[u8], age: u64| {
            std::fs::write(&path, text).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        };
        let issued =
            |host| serde_json::to_vec(&ours.issue(host, &[], SystemTime::now(), HOST_LIFETIME).unwrap()).unwrap();
        write(&issued("h1"), 30);
        let mut keyring = Keyring::open(&path).unwrap();
        write(&issued("h1b"), 20);
        keyring.client();
        assert_eq!(keyring.identity().host, "h1b");
        write(b"half a fi", 10);
        keyring.server();
        assert_eq!(keyring.identity().host, "h1b");
        assert!(Keyring::open(&path).unwrap_err().to_string().contains("is no identity of a host"));
    }
}
