//! What the process of a side that serves does with connections.

use std::collections::VecDeque;
use std::net::SocketAddr;

use model::Span;

use super::{Account, Socket, StreamAction, StreamNews};
use crate::kernel::Core;
use crate::pair::process::OutputOf;
use crate::pair::{News, Pair, PairEvent, Service, Side};

impl<S: Service> Pair<S> {
    /// Accepts what waits, and reads a piece of each connection into the ring.
    pub(in crate::pair) fn take_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let host = self.host_of(side);
        if self.hosts[host].sockets.is_empty() || !self.process(side)?.replica.accepts_inputs() {
            return Some(());
        }
        self.accept_streams(core, side)?;
        self.read_streams(core, side)?;
        self.flush_streams(core, side)
    }

    fn accept_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let host = self.host_of(side);
        let waiting = |(id, socket): (&u64, &Socket)| socket.number.is_none().then_some((*id, socket.peer));
        let waiting: Vec<(u64, SocketAddr)> = self.hosts[host].sockets.iter().filter_map(waiting).collect();
        for (id, peer) in waiting {
            let process = self.applications[side].process.as_mut()?;
            process.accepted += 1;
            let number = S::accepted_number(process.replica.status().epoch, process.accepted);
            let account = Account::new(id, peer, true);
            process.streams.insert(number, account.clone());
            let socket = self.hosts[host].sockets.get_mut(&id)?;
            socket.number = Some(number);
            socket.holders[side] = true;
            self.tell_link(core, side, StreamNews::Handed(number, account));
            self.stream_is_open(core, side, number);
        }
        Some(())
    }

    /// Tells the engine of a connection that stands.
    pub(super) fn stream_is_open<E>(&mut self, core: &Core<E>, side: Side, number: u64) {
        let local = self.hosts[self.host_of(side)].clock.local(core.now);
        if let Some(process) = &mut self.applications[side].process
            && let Some(account) = process.streams.get(&number)
        {
            let (accepted, remote) = (account.accepted, account.remote);
            S::stream_opened(&mut process.replica, local, number, accepted.then_some(remote));
        }
    }

    fn read_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let host = self.host_of(side);
        let known: Vec<(u64, u64, bool)> = self
            .process(side)?
            .streams
            .iter()
            .map(|(number, account)| (*number, account.socket, account.open))
            .collect();
        for (number, id, open) in known {
            let Some(socket) = self.hosts[host].sockets.get_mut(&id) else { continue };
            if !open && socket.open {
                let account = self.applications[side].process.as_mut()?.streams.get_mut(&number)?;
                account.establish(socket.written);
                let base = account.base;
                self.tell_link(core, side, StreamNews::Established(number, base));
                self.stream_is_open(core, side, number);
                continue;
            }
            let (input, ended) = match socket.inbox.pop_front() {
                Some(bytes) => (S::stream_bytes(number, bytes), false),
                None if socket.ended => (S::stream_end(number), true),
                None => continue,
            };
            if let Some(input) = input {
                let mark = self.hosts[host].ring.push(input.clone());
                self.feed(core, side, mark, &input)?;
            }
            if ended {
                self.close_stream(core, side, number);
            }
        }
        Some(())
    }

    /// Lets go of a connection, and tells the backup so.
    pub(super) fn close_stream<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: u64) {
        let Some(process) = &mut self.applications[side].process else { return };
        if let Some(account) = process.streams.remove(&number) {
            self.tell_link(core, side, StreamNews::Gone(number));
            let host = self.host_of(side);
            if self.hosts[host].sockets.remove(&account.socket).is_some() {
                self.news.push(News::StreamClosed(account.socket));
            }
        }
    }

    /// Carries out what a released output does to a connection; gives back what is none.
    pub(in crate::pair) fn act_on_stream<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        output: OutputOf<S>,
    ) -> Option<OutputOf<S>> {
        match S::stream_action(&output) {
            None => return Some(output),
            Some(StreamAction::Connect(number, to)) => self.connect_stream(core, side, number, to),
            Some(StreamAction::Write(number, bytes)) => {
                if let Some(process) = &mut self.applications[side].process
                    && let Some(account) = process.streams.get_mut(&number)
                {
                    account.queue(&bytes);
                    self.flush_stream(core, side, number);
                }
            }
            Some(StreamAction::Close(number)) => {
                let local = self.hosts[self.host_of(side)].clock.local(core.now);
                let process = self.applications[side].process.as_mut()?;
                let account = process.streams.get_mut(&number)?;
                account.closes = true;
                if account.open {
                    self.flush_stream(core, side, number);
                } else {
                    // The engine waits to hear so.
                    S::stream_closed(&mut process.replica, local, number);
                    process.replica.flush(local);
                    self.close_stream(core, side, number);
                }
            }
        }
        None
    }

    fn connect_stream<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: u64, to: SocketAddr) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        if process.streams.contains_key(&number) {
            return;
        }
        // Numbers of connections that the server opens are apart from those that the world opens.
        let id = number | 1 << 62;
        let account = Account::new(id, to, false);
        process.streams.insert(number, account.clone());
        let mut holders = [false; 2];
        holders[side] = true;
        let socket = Socket {
            number: Some(number),
            peer: to,
            inbox: VecDeque::new(),
            ended: false,
            open: false,
            written: 0,
            holders,
        };
        self.hosts[host].sockets.insert(id, socket);
        self.tell_link(core, side, StreamNews::Handed(number, account));
        self.news.push(News::StreamWanted(side, id, to));
    }

    /// Writes what the kernel takes.
    pub(super) fn flush_stream<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, number: u64) {
        let host = self.host_of(side);
        let Some(process) = &mut self.applications[side].process else { return };
        let epoch = process.replica.status().epoch;
        let Some(account) = process.streams.get_mut(&number).filter(|account| account.open) else { return };
        let Some(socket) = self.hosts[host].sockets.get_mut(&account.socket) else { return };
        if account.full_until > core.now {
            return;
        }
        let length = account.tail.len();
        let full = length > 1 && core.chances.link.happens(u64::from(self.plan.stalls), 1_000);
        let taken = if full { core.chances.link.below(length as u64) as usize } else { length };
        let bytes: Vec<u8> = account.tail.drain(..taken).collect();
        let (id, closes) = (account.socket, account.closes);
        if !bytes.is_empty() {
            socket.written += bytes.len() as u64;
            self.news.push(News::StreamBytes(side, epoch, id, bytes));
        }
        if full {
            let until = core.now + Span::from_micros(50 + core.chances.link.below(3_000));
            if let Some(account) =
                self.applications[side].process.as_mut().and_then(|process| process.streams.get_mut(&number))
            {
                account.full_until = until;
            }
            self.wake(core, side, until);
        } else if closes {
            self.close_stream(core, side, number);
        }
    }

    pub(super) fn flush_streams<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side) -> Option<()> {
        let waiting =
            |(number, account): (&u64, &Account)| (account.closes || !account.tail.is_empty()).then_some(*number);
        let waiting: Vec<u64> = self.process(side)?.streams.iter().filter_map(waiting).collect();
        for number in waiting {
            self.flush_stream(core, side, number);
        }
        Some(())
    }
}
