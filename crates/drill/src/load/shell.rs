//! Sockets and time for the crowd: one thread in the network of the phones.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Time;
use rustix::event::{Timespec, epoll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::setpriority_process;
use sip::Framer;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::arrival::{Arrival, receive, stamp};
use super::crowd::{Crowd, Output};
use super::stream::{LISTENER, Line, MAIN, Stream};

/// The moment, by the clock of a load that began then.
pub(super) fn now(begun: Instant) -> Time {
    Time::from_micros(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX))
}

/// The loop of the phones.
pub(super) struct Shell {
    pub(super) crowd: Arc<Mutex<Crowd>>,
    pub(super) lines: Vec<Line>,
    pub(super) targets: (Option<SocketAddr>, Option<SocketAddr>),
    pub(super) begun: Instant,
    pub(super) stops: Arc<AtomicBool>,
}

/// The loop comes round at least this often, so that it notices orders.
const LONGEST: Duration = Duration::from_millis(2);

/// Where the thread stands in the queue for a processor (sched(7)): before the servers.
const NICE: i32 = -15;

/// Bytes that are read at once: more than a datagram has.
const BUFFER: usize = 65_536;

pub(super) const fn token(phone: usize, slot: u32) -> epoll::EventData {
    epoll::EventData::new_u64((phone as u64) << 32 | slot as u64)
}

fn listen_to(poll: &OwnedFd, socket: impl AsFd, phone: usize, slot: u32, flags: epoll::EventFlags) -> io::Result<()> {
    Ok(epoll::add(poll, socket, token(phone, slot), flags)?)
}

impl Shell {
    pub(super) fn run(mut self) -> io::Result<()> {
        // Times are taken here: late would be read as a late answer. Without the right to it, nothing changes.
        let _ = setpriority_process(None, NICE);
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
                while let Ok(Arrival { length, source: Some(source), came }) = receive(socket, buffer, begun) {
                    crowd.message(now(begun), came, phone, buffer.get(..length).unwrap_or_default(), source);
                }
            }
            Some(Line::Streams { listener, accepted, count, .. }) if slot == LISTENER => {
                while let Ok((socket, _)) = listener.accept() {
                    *count += 1;
                    let added = socket.set_nonblocking(true).and_then(|()| {
                        socket.set_nodelay(true)?;
                        stamp(&socket)?;
                        listen_to(poll, &socket, phone, *count, epoll::EventFlags::IN)
                    });
                    if added.is_ok() {
                        let (framer, rest) = (Framer::default(), Vec::new());
                        accepted.insert(*count, Stream { socket, framer, rest, is_open: true });
                    }
                }
            }
            Some(Line::Streams { main, accepted, ways, .. }) => {
                let stream = if slot == MAIN { main.as_mut() } else { accepted.get_mut(&slot) };
                let Some(stream) = stream else { return };
                if !stream.is_open && flags.contains(epoll::EventFlags::OUT) {
                    stream.is_open = matches!(stream.socket.take_error(), Ok(None));
                    if stream.is_open {
                        crowd.connected(now(begun), phone);
                    }
                }
                let lives = stream.is_open
                    && stream.flush(poll, phone, slot)
                    && stream.read(crowd, ways, begun, (phone, slot), buffer);
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
                    Output::Send(phone, bytes) => self.send(crowd, poll, phone, &bytes),
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

    fn send(&mut self, crowd: &mut Crowd, poll: &OwnedFd, phone: usize, bytes: &[u8]) {
        let (udp, _) = self.targets;
        let begun = self.begun;
        match self.lines.get_mut(phone) {
            Some(Line::Datagrams(socket)) => {
                if let Some(server) = udp {
                    crowd.left(now(begun), phone, bytes);
                    // What cannot be sent is lost, as on a network; the timers send it again.
                    let _ = socket.send_to(bytes, server);
                }
            }
            Some(Line::Streams { main, accepted, ways, .. }) => {
                let back = ways.back(bytes).and_then(|slot| Some((slot, accepted.get_mut(&slot)?)));
                let way = back.or_else(|| main.as_mut().filter(|stream| stream.is_open).map(|stream| (MAIN, stream)));
                if let Some((slot, stream)) = way {
                    crowd.left(now(begun), phone, bytes);
                    stream.rest.extend_from_slice(bytes);
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
        stamp(&socket)?;
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
