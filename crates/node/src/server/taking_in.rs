//! Inputs: from the sockets through the ring to the engine.

use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::AsFd;

use model::hash64;
use redundancy::hot_standby::{Predecessor, Taken};

use super::intake::{Accepted, Listener};
use super::link::LinkFrame;
use super::mail::MailNews;
use super::notes::Note;
use super::poll::Ready;
use super::ring::{BATCH, Input, Origin};
use super::service::Service;
use super::shell::Shell;
use super::token::Token;

/// Batches that one listener may give in one turn, so that it does not starve the others.
const BATCHES: usize = 4;

/// Inputs count from one.
const NONE_IN_HAND: u64 = 0;

/// Looks at the poll set before a successor serves: more than it takes to see every connection ready, and an end to those
/// who connect again and again.
const MOST_LOOKS: usize = 1_024;

/// Connections that one listener may give in one turn.
const ACCEPTED: usize = 64;

impl<S: Service> Shell<S> {
    /// Takes in what the sockets have.
    pub(super) fn take_in(&mut self) {
        if !self.accepts_inputs() {
            return;
        }
        let mut ready = Vec::new();
        self.intake.poll.wait(model::Span::ZERO, &mut ready);
        ready.into_iter().for_each(|event| self.take_event(event));
    }

    fn take_event(&mut self, event: Ready) {
        match u8::try_from(event.token) {
            Ok(listener) => self.read_listener(listener),
            Err(_) => self.serve_stream(event.token, event),
        }
    }

    fn serve_stream(&mut self, number: u64, event: Ready) {
        if event.writable {
            self.write_stream(number);
        }
        if event.readable {
            self.read_stream(number);
        }
    }

    pub(super) fn read_listener(&mut self, number: u8) {
        match self.intake.listeners.get(usize::from(number)) {
            Some(Listener::Udp(..)) => self.read_datagrams(number),
            Some(Listener::Tcp(_)) => self.accept_streams(number),
            None => {}
        }
    }

    fn read_datagrams(&mut self, listener: u8) {
        for _ in 0..BATCHES {
            if self.read_batch(listener) < BATCH {
                return;
            }
        }
    }

    /// Takes in a batch of the datagrams that wait for a listener, and says how many they were.
    fn read_batch(&mut self, listener: u8) -> u64 {
        let Some(Listener::Udp(socket, _)) = self.intake.listeners.get(usize::from(listener)) else { return 0 };
        let Ok(numbers) = self.ring.receive(socket.as_fd(), Origin::Listener(listener)) else { return 0 };
        let count = numbers.end - numbers.start;
        self.take_numbers(numbers);
        count
    }

    /// Takes in everything that waits in the sockets, as far as the ring has room (rule 6); datagrams first, as their
    /// senders are the first to repeat them.
    pub(super) fn take_waiting(&mut self) {
        let listeners: Vec<u8> = self.intake.datagrams().map(|(number, _)| number).collect();
        for listener in listeners {
            while self.read_batch(listener) > 0 {}
        }
        let mut ready = Vec::new();
        for _ in 0..MOST_LOOKS {
            self.intake.poll.wait(model::Span::ZERO, &mut ready);
            if ready.is_empty() || self.ring.is_full() {
                break;
            }
            ready.drain(..).for_each(|event| self.take_event(event));
        }
        self.replica.flush(self.now);
    }

    fn take_numbers(&mut self, numbers: Range<u64>) {
        for number in numbers {
            self.pulse.take_in_hand(number);
            let Some(input) = self.ring.input(number) else { continue };
            if let Some((print, for_engine)) = read::<S>(input) {
                self.replica.input(self.now, print, Some(number), for_engine);
            }
        }
        // What happens from here on, a timer or mail, is none of their faults.
        self.pulse.take_in_hand(NONE_IN_HAND);
    }

    fn accept_streams(&mut self, listener: u8) {
        let epoch = self.replica.status().epoch;
        for _ in 0..ACCEPTED {
            let number = match self.intake.accept(listener, |count| S::accepted_number(epoch, count)) {
                Accepted::Stream(number) => number,
                Accepted::Refused => {
                    let text = "connection refused: there are no descriptors left for more (`ulimit -n`)".into();
                    let note = Note { text, is_warning: true, provoked: Some("connection refused") };
                    self.notes.take(self.now, &note);
                    continue;
                }
                Accepted::Nothing => return,
            };
            self.tell_connection(number);
            let remote = self.intake.streams.get(&number).map(|stream| stream.account.remote);
            if let Some(remote) = remote {
                self.opened(number, Some(listener), remote);
            }
        }
    }

    pub(super) fn opened(&mut self, number: u64, listener: Option<u8>, remote: SocketAddr) {
        if let Some(input) = S::opened(number, listener, remote) {
            self.replica.input(self.now, number, None, input);
        }
    }

    pub(super) fn read_stream(&mut self, number: u64) {
        let Some(stream) = self.intake.streams.get(&number).filter(|stream| stream.account.is_open) else { return };
        match self.ring.receive(stream.as_fd(), Origin::Connection(number)) {
            Ok(numbers) => {
                let ended = self.ring.input(numbers.start).is_some_and(|input| input.bytes.is_empty());
                self.take_numbers(numbers);
                if ended {
                    self.lose_stream(number);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => self.lose_stream(number),
        }
    }

    /// The kernel takes bytes of this connection again, or it stands now.
    fn write_stream(&mut self, number: u64) {
        let Some(stream) = self.intake.streams.get_mut(&number) else { return };
        let was_open = stream.account.is_open;
        let outcome = if was_open { Ok(()) } else { stream.established() };
        if outcome.is_err() {
            return self.lose_stream(number);
        }
        if !was_open {
            let (account, remote) = (stream.account.clone(), stream.account.remote);
            self.tell_link(&LinkFrame::Established { number, account }, Vec::new());
            self.opened(number, None, remote);
        }
        if self.intake.streams.get_mut(&number).is_some_and(|stream| stream.flush().is_err()) {
            return self.lose_stream(number);
        }
        let done = self.intake.streams.get(&number).is_some_and(|stream| stream.closes && !stream.is_waiting());
        if done {
            self.close_stream(number);
        }
        self.intake.watch(number);
    }

    /// A connection is gone: tells the engine and the other side.
    pub(super) fn lose_stream(&mut self, number: u64) {
        if self.close_stream(number)
            && let Some(input) = S::closed(number)
        {
            self.replica.input(self.now, number, None, input);
        }
    }

    pub(super) fn close_stream(&mut self, number: u64) -> bool {
        let was_there = self.intake.remove(number);
        if was_there {
            self.tell_link(&LinkFrame::Gone(number), Vec::new());
        }
        was_there
    }

    /// Takes in what the other pair says.
    pub(super) fn take_mail(&mut self) {
        let mut ready = Vec::new();
        self.mail_poll.wait(model::Span::ZERO, &mut ready);
        ready.into_iter().filter_map(|event| Token::decode(event.token)).for_each(|token| self.hear_mail(token));
    }

    fn hear_mail(&mut self, token: Token) {
        let mut news = Vec::new();
        match token {
            Token::MailDoor => self.mail.accept(&self.mail_poll, &mut news),
            Token::Guest => self.mail.poll_guest(&self.mail_poll, &mut news),
            Token::Partner(number) => self.mail.poll_partner(number, &mut news),
            _ => {}
        }
        for one in news {
            match one {
                MailNews::Up => drop(self.replica.input(self.now, 0, None, S::partner(true))),
                MailNews::Down => drop(self.replica.input(self.now, 0, None, S::partner(false))),
                MailNews::Letter(letter) => {
                    if let Some(input) = S::mail(&letter) {
                        self.replica.input(self.now, hash64(&letter), None, input);
                    }
                }
            }
        }
    }

    /// Takes in what the predecessor had read and not covered, in its order (rule 6).
    pub(super) fn take_left_behind(&mut self, predecessor: &Predecessor) {
        let mut last = predecessor.mark;
        let linked = self.link.as_ref().and_then(|link| link.peer.as_ref());
        let mut peers = linked.into_iter().chain(&self.former_peer);
        if let Some(peer) = peers.find(|peer| peer.incarnation == predecessor.incarnation) {
            let died_of = peer.pulse.crashed().map(|_| peer.pulse.in_hand());
            for input in peer.ring.left_behind(predecessor.mark) {
                last = input.number;
                let Some((print, for_engine)) = read::<S>(input) else { continue };
                if died_of == Some(last) {
                    self.replica.refuse(print);
                }
                if self.replica.input(self.now, print, Some(last), for_engine) == Taken::Refused {
                    tracing::error!(
                        input = last,
                        fingerprint = print,
                        "refuses an input of which the predecessor died"
                    );
                }
            }
        }
        self.later.push(format!("took in what the predecessor had read count={}", last - predecessor.mark));
        self.ring.count_on_behind(last);
    }
}

/// The input for the engine, and a fingerprint of its content.
fn read<'a, S: Service>(input: Input<'a>) -> Option<(u64, S::Input<'a>)> {
    let for_engine = match (input.origin, input.source) {
        (Origin::Listener(listener), Some(source)) => S::datagram(listener, source, input.bytes),
        (Origin::Connection(number), _) if input.bytes.is_empty() => S::closed(number),
        (Origin::Connection(number), _) => S::bytes(number, input.bytes),
        (Origin::Listener(_), None) => None,
    }?;
    Some((hash64(input.bytes), for_engine))
}
