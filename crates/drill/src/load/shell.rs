//! Sockets and time for the crowd: one thread in the network of the phones.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::{Time, Trouble};
use network::rehearsal::{Network, Place, Rehearsal};
use rustix::event::{Timespec, epoll};
use rustix::fd::{AsFd, OwnedFd};
use sip::{Frame, Framer};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::call::Stage;
use super::crowd::{Cast, Crowd, Output, Seat};
use super::order::Overtaken;
use super::people::People;
use super::watch::{Counts, LostCall, Watch};
use crate::gap::Record;
use crate::history::{Breach, Nanos, Rule};

/// Where the phones are.
#[derive(Clone, Debug)]
pub enum Net {
    /// On this host.
    Here,
    /// In the namespaces of a rehearsal.
    Rehearsal(Rehearsal),
}

/// Sockets of a carrier.
const CARRIERS: usize = 4;

impl Net {
    fn in_place<T: Send>(&self, place: Place, work: impl FnOnce() -> T + Send) -> Result<T, Trouble> {
        match self {
            Self::Here => Ok(work()),
            Self::Rehearsal(rehearsal) => rehearsal.inside(place, work),
        }
    }

    /// The address of the phones.
    fn phones(&self, server: SocketAddr) -> io::Result<IpAddr> {
        match self {
            Self::Here => {
                // Nothing is sent: the system only says which address it would use.
                let socket = UdpSocket::bind((unspecified(server), 0))?;
                socket.connect(server)?;
                Ok(socket.local_addr()?.ip())
            }
            Self::Rehearsal(_) if server.is_ipv6() => Ok(Place::Phones.ipv6(Network::Access).into()),
            Self::Rehearsal(_) => Ok(Place::Phones.ipv4(Network::Access).into()),
        }
    }
}

fn unspecified(like: SocketAddr) -> IpAddr {
    if like.is_ipv6() { std::net::Ipv6Addr::UNSPECIFIED.into() } else { std::net::Ipv4Addr::UNSPECIFIED.into() }
}

/// A connection.
struct Stream {
    socket: TcpStream,
    framer: Framer,
    /// What the system did not take yet.
    rest: Vec<u8>,
    is_open: bool,
}

/// The sockets of one phone.
enum Line {
    Datagrams(UdpSocket),
    /// Where the server may connect to, the connection of the phone, and those that the server has opened.
    Streams {
        listener: TcpListener,
        main: Option<Stream>,
        accepted: BTreeMap<u32, Stream>,
        count: u32,
    },
}

const LISTENER: u32 = 0;
const MAIN: u32 = 1;

/// The load while it runs.
pub struct Load {
    crowd: Arc<Mutex<Crowd>>,
    begun: Instant,
    stops: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<(), Trouble>>>,
}

/// How a load stands.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its counts.
    pub counts: Counts,
    /// Calls in each state.
    pub standing: BTreeMap<Stage, u64>,
    /// Phones that are registered, and all of them.
    pub registered: (usize, usize),
    /// Calls that are not over.
    pub live: usize,
    /// How often phones had to come back because their connection was lost.
    pub comebacks: u64,
    /// Registrations that failed.
    pub failures: u64,
    /// How often each rule of SIP was broken.
    pub breaches: Vec<(Rule, u64)>,
}

/// What is left of a load when it has ended.
#[derive(Debug)]
pub struct Remains {
    /// Its counts.
    pub counts: Counts,
    /// The calls that were lost.
    pub losses: Vec<LostCall>,
    /// Callers whose turn was taken, and in which run.
    pub disorder: Vec<(u32, Overtaken)>,
    /// Messages that no RFC allows.
    pub breaches: Vec<(Rule, u64)>,
    /// The first of them.
    pub examples: Vec<Breach>,
}

impl Load {
    /// Opens the sockets of everybody, and lets the phones register; nobody calls yet.
    ///
    /// # Errors
    /// There is nobody to play, or a socket cannot be had.
    pub fn start(net: Net, people: People, rate: u32, seed: u64) -> Result<Self, Trouble> {
        let server = people.udp.or(people.tcp).filter(|_| people.is_enough()).ok_or_else(nobody)?;
        let refused = |error: io::Error| {
            Trouble::new(format!("the phones have no sockets: {error}"), "let more files be open: `ulimit -n 4096`")
        };
        let (lines, cast) = net.in_place(Place::Phones, || open(&net, &people, server))?.map_err(refused)?;
        let (mut lines, mut cast) = (lines, cast);
        let carriers = net.in_place(Place::Carriers, || open_carriers(&people))?;
        let probes = lines.pop();
        for socket in carriers {
            cast.carriers.push(Seat { place: socket.local_addr().map_err(refused)?, tcp: false });
            lines.push(Line::Datagrams(socket));
        }
        lines.extend(probes);
        let mut people = people;
        if cast.carriers.is_empty() {
            people.carriers.clear();
        }
        let zero = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as Nanos);
        let begun = Instant::now();
        let agents = people.extensions.iter().filter(|one| one.agent.is_some()).map(|one| one.number.clone());
        let watch = Watch::new(zero, agents);
        let targets = (people.udp, people.tcp);
        // The phones of a real solution are its own business.
        let alone = matches!(net, Net::Rehearsal(_));
        // What two drills of one seed draw must differ on the wire: the server may remember the first.
        let salt = zero / 1_000_000;
        let crowd = Arc::new(Mutex::new(Crowd::new(people, &cast, rate, seed, salt, watch, alone)));
        let stops = Arc::new(AtomicBool::new(false));
        let (for_thread, ends) = (Arc::clone(&crowd), Arc::clone(&stops));
        let body = move || {
            let shell = Shell { crowd: for_thread, lines, targets, begun, stops: ends };
            net.in_place(Place::Phones, move || shell.run())?
                .map_err(|error| Trouble::new(format!("the phones have ended: {error}"), "look at the system's log"))
        };
        let thread = std::thread::Builder::new().name("phones".into()).spawn(body);
        let thread =
            thread.map_err(|error| Trouble::new(format!("no thread for the phones: {error}"), "end other programs"))?;
        Ok(Self { crowd, begun, stops, thread: Some(thread) })
    }

    fn crowd(&self) -> MutexGuard<'_, Crowd> {
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Time {
        now(self.begun)
    }

    /// Whether the phones still play.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// The moment now, as results tell it.
    #[must_use]
    pub fn nanos(&self) -> Nanos {
        self.crowd().watch.nanos(self.now())
    }

    /// Begins to call, or begins no more calls.
    pub fn call(&self, calls: bool) {
        self.crowd().call(self.now(), calls);
    }

    /// Lets everybody wait with what they would do by themselves, or go on.
    pub fn set_quiet(&self, quiet: bool) {
        self.crowd().set_quiet(self.now(), quiet);
    }

    /// Begins a run: all calls that stand are touched by it. Probes and writes down silences from now on.
    pub fn begin_run(&self, run: u32) {
        let mut crowd = self.crowd();
        crowd.touch(run);
        crowd.watch.gaps.record();
        crowd.probe(self.now(), true);
    }

    /// Probes no more, and gives the silences since [`begin_run`](Self::begin_run).
    #[must_use]
    pub fn silences(&self) -> Record {
        let mut crowd = self.crowd();
        crowd.probe(self.now(), false);
        crowd.watch.gaps.take_record()
    }

    /// How it stands.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let crowd = self.crowd();
        Snapshot {
            counts: crowd.watch.counts,
            standing: crowd.standing(),
            registered: crowd.registered(),
            live: crowd.live(),
            comebacks: crowd.phones().map(|phone| phone.comebacks).sum(),
            failures: crowd.phones().map(|phone| phone.failures).sum(),
            breaches: crowd.watch.breaches(),
        }
    }

    /// What each agent does: the id, whether the phone is registered, and how many calls it has at hand.
    #[must_use]
    pub fn agents(&self) -> Vec<(String, bool, usize)> {
        self.crowd().agents()
    }

    /// All phones take their leave of the server.
    pub fn leave(&self) {
        self.crowd().leave(self.now());
    }

    /// Ends it at once, and gives what was noted; what is missing counts only if it was `drained`.
    ///
    /// # Errors
    /// The phones had ended before.
    pub fn finish(mut self, drained: bool) -> Result<Remains, Trouble> {
        self.stops.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let gone = || Trouble::new("the phones have ended by an error of the drill", "report it");
            thread.join().map_err(|_| gone())??;
        }
        let mut crowd = self.crowd();
        let counts = crowd.watch.counts;
        let (losses, disorder) = (std::mem::take(&mut crowd.watch.losses), std::mem::take(&mut crowd.watch.disorder));
        let history = std::mem::take(&mut crowd.watch.history);
        let verdict = if drained { history.finish() } else { history.so_far() };
        let breaches = verdict.breaches.into_iter().collect();
        Ok(Remains { counts, losses, disorder, breaches, examples: verdict.examples })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // What is wrong was told already, or nobody asks any more.
            drop(thread.join());
        }
    }
}

fn nobody() -> Trouble {
    let remedy =
        "give phones to the solution: `everline drill config` prints a configuration with all that a drill needs";
    Trouble::new("the configuration has no extension with a password that the drill could play", remedy)
}

fn now(begun: Instant) -> Time {
    Time::from_micros(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// The sockets of the phones and, last, of the prober.
fn open(net: &Net, people: &People, server: SocketAddr) -> io::Result<(Vec<Line>, Cast)> {
    let own = net.phones(server)?;
    let mut lines = Vec::new();
    let mut extensions = Vec::new();
    for at in 0..people.extensions.len() {
        let tcp = people.tcp.is_some() && (at % 2 == 1 || people.udp.is_none());
        let (line, place) = if tcp {
            let listener = TcpListener::bind((own, 0))?;
            listener.set_nonblocking(true)?;
            let place = listener.local_addr()?;
            (Line::Streams { listener, main: None, accepted: BTreeMap::new(), count: MAIN }, place)
        } else {
            let (socket, place) = datagrams(own, 0)?;
            (Line::Datagrams(socket), place)
        };
        lines.push(line);
        extensions.push(Seat { place, tcp });
    }
    let (socket, place) = datagrams(own, 0)?;
    lines.push(Line::Datagrams(socket));
    Ok((lines, Cast { extensions, carriers: Vec::new(), prober: Seat { place, tcp: false } }))
}

fn datagrams(own: IpAddr, port: u16) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind((own, port))?;
    socket.set_nonblocking(true)?;
    let place = socket.local_addr()?;
    Ok((socket, place))
}

/// Sockets at the address that the configuration gives to a carrier; none if that is not here.
fn open_carriers(people: &People) -> Vec<UdpSocket> {
    let open = |&(own, port): &(IpAddr, Option<u16>)| -> Vec<UdpSocket> {
        let count = if port.is_some() { 1 } else { CARRIERS };
        (0..count).filter_map(|_| datagrams(own, port.unwrap_or(0)).ok().map(|(socket, _)| socket)).collect()
    };
    let carriers = people.carriers.iter().filter(|_| people.udp.is_some());
    carriers.map(open).find(|sockets| !sockets.is_empty()).unwrap_or_default()
}

/// The loop of the phones.
struct Shell {
    crowd: Arc<Mutex<Crowd>>,
    lines: Vec<Line>,
    targets: (Option<SocketAddr>, Option<SocketAddr>),
    begun: Instant,
    stops: Arc<AtomicBool>,
}

/// The loop comes round at least this often, so that it notices orders.
const LONGEST: Duration = Duration::from_millis(2);

/// Bytes that are read at once: more than a datagram has.
const BUFFER: usize = 65_536;

const fn token(phone: usize, slot: u32) -> epoll::EventData {
    epoll::EventData::new_u64((phone as u64) << 32 | slot as u64)
}

fn listen_to(poll: &OwnedFd, socket: impl AsFd, phone: usize, slot: u32, flags: epoll::EventFlags) -> io::Result<()> {
    Ok(epoll::add(poll, socket, token(phone, slot), flags)?)
}

impl Shell {
    fn run(mut self) -> io::Result<()> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (phone, line) in self.lines.iter().enumerate() {
            match line {
                Line::Datagrams(socket) => listen_to(&poll, socket, phone, LISTENER, epoll::EventFlags::IN)?,
                Line::Streams { listener, .. } => listen_to(&poll, listener, phone, LISTENER, epoll::EventFlags::IN)?,
            }
        }
        let mut events = Vec::with_capacity(256);
        let mut buffer = vec![0; BUFFER];
        let crowd = Arc::clone(&self.crowd);
        while !self.stops.load(Ordering::Relaxed) {
            events.clear();
            let timeout = {
                let mut crowd = crowd.lock().unwrap_or_else(PoisonError::into_inner);
                crowd.tick(now(self.begun));
                self.perform(&mut crowd, &poll);
                let left = crowd.deadline().since(now(self.begun)).as_micros();
                Duration::from_micros(left).min(LONGEST)
            };
            let timeout = Timespec { tv_sec: 0, tv_nsec: timeout.subsec_nanos().into() };
            match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), Some(&timeout)) {
                Err(rustix::io::Errno::INTR) | Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let mut crowd = crowd.lock().unwrap_or_else(PoisonError::into_inner);
            for event in events.drain(..) {
                let (data, flags) = (event.data.u64(), event.flags);
                self.ready(&mut crowd, &poll, (data >> 32) as usize, data as u32, flags, &mut buffer);
            }
            self.perform(&mut crowd, &poll);
        }
        Ok(())
    }

    fn ready(
        &mut self,
        crowd: &mut Crowd,
        poll: &OwnedFd,
        phone: usize,
        slot: u32,
        flags: epoll::EventFlags,
        buffer: &mut [u8],
    ) {
        let begun = self.begun;
        match self.lines.get_mut(phone) {
            Some(Line::Datagrams(socket)) => {
                while let Ok((length, source)) = socket.recv_from(buffer) {
                    crowd.message(now(begun), phone, buffer.get(..length).unwrap_or_default(), source);
                }
            }
            Some(Line::Streams { listener, accepted, count, .. }) if slot == LISTENER => {
                while let Ok((socket, _)) = listener.accept() {
                    *count += 1;
                    let added = socket.set_nonblocking(true).and_then(|()| {
                        socket.set_nodelay(true)?;
                        listen_to(poll, &socket, phone, *count, epoll::EventFlags::IN)
                    });
                    if added.is_ok() {
                        let (framer, rest) = (Framer::default(), Vec::new());
                        accepted.insert(*count, Stream { socket, framer, rest, is_open: true });
                    }
                }
            }
            Some(Line::Streams { main, accepted, .. }) => {
                let stream = if slot == MAIN { main.as_mut() } else { accepted.get_mut(&slot) };
                let Some(stream) = stream else { return };
                if !stream.is_open && flags.contains(epoll::EventFlags::OUT) {
                    stream.is_open = matches!(stream.socket.take_error(), Ok(None));
                    if stream.is_open {
                        crowd.connected(now(begun), phone);
                    }
                }
                let lives =
                    stream.is_open && stream.flush(poll, phone, slot) && stream.read(crowd, begun, phone, buffer);
                if !lives && slot == MAIN {
                    *main = None;
                    crowd.closed(now(begun), phone);
                } else if !lives {
                    accepted.remove(&slot);
                }
            }
            None => {}
        }
    }

    fn perform(&mut self, crowd: &mut Crowd, poll: &OwnedFd) {
        // Doing something may leave more to do.
        loop {
            let outputs = crowd.take_outputs();
            if outputs.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    Output::Send(phone, bytes) => self.send(poll, phone, bytes),
                    Output::Connect(phone) => {
                        if self.connect(poll, phone).is_err() {
                            crowd.closed(now(self.begun), phone);
                        }
                    }
                    Output::Close(phone) => {
                        if let Some(Line::Streams { main, .. }) = self.lines.get_mut(phone) {
                            *main = None;
                        }
                    }
                }
            }
        }
    }

    fn send(&mut self, poll: &OwnedFd, phone: usize, bytes: Vec<u8>) {
        let (udp, _) = self.targets;
        match self.lines.get_mut(phone) {
            Some(Line::Datagrams(socket)) => {
                if let Some(server) = udp {
                    // What cannot be sent is lost, as on a network; the timers send it again.
                    let _ = socket.send_to(&bytes, server);
                }
            }
            Some(Line::Streams { main, accepted, .. }) => {
                let last = accepted.iter_mut().next_back().map(|(slot, stream)| (*slot, stream));
                let way = main.as_mut().filter(|stream| stream.is_open).map(|stream| (MAIN, stream)).or(last);
                if let Some((slot, stream)) = way {
                    stream.rest.extend_from_slice(&bytes);
                    // That it is broken shows when it is read.
                    stream.flush(poll, phone, slot);
                }
            }
            None => {}
        }
    }

    fn connect(&mut self, poll: &OwnedFd, phone: usize) -> io::Result<()> {
        let (_, Some(server)) = self.targets else { return Err(io::ErrorKind::Unsupported.into()) };
        let Some(Line::Streams { listener, main, .. }) = self.lines.get_mut(phone) else { return Ok(()) };
        let own = SocketAddr::new(listener.local_addr()?.ip(), 0);
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.bind(&SockAddr::from(own))?;
        match socket.connect(&SockAddr::from(server)) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => {}
        }
        let socket = TcpStream::from(socket);
        listen_to(poll, &socket, phone, MAIN, epoll::EventFlags::IN | epoll::EventFlags::OUT)?;
        *main = Some(Stream { socket, framer: Framer::default(), rest: Vec::new(), is_open: false });
        Ok(())
    }
}

impl Stream {
    /// Writes what waits, and asks to be told when there is room if some is left; false if the connection is broken.
    fn flush(&mut self, poll: &OwnedFd, phone: usize, slot: u32) -> bool {
        while !self.rest.is_empty() {
            match self.socket.write(&self.rest) {
                Ok(0) => return false,
                Ok(written) => drop(self.rest.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        let mut flags = epoll::EventFlags::IN;
        if !self.rest.is_empty() {
            flags |= epoll::EventFlags::OUT;
        }
        epoll::modify(poll, &self.socket, token(phone, slot), flags).is_ok()
    }

    /// Reads what came; false if the connection has ended.
    fn read(&mut self, crowd: &mut Crowd, begun: Instant, phone: usize, buffer: &mut [u8]) -> bool {
        let source = self.socket.peer_addr();
        loop {
            let length = match self.socket.read(buffer) {
                Ok(0) => return false,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            };
            crowd.heard(phone);
            let mut bytes = buffer.get(..length).unwrap_or_default();
            loop {
                match (self.framer.next(&mut bytes), &source) {
                    (Ok(Some(Frame::Message(message))), Ok(source)) => {
                        crowd.message(now(begun), phone, &message, *source)
                    }
                    (Ok(Some(_)), _) => {}
                    (Ok(None), _) => break,
                    (Err(_), _) => return false,
                }
            }
        }
    }
}
