//! Two hosts on the loopback, whose networks break.

use std::net::{Ipv4Addr, TcpListener};
use std::time::SystemTime;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::*;
use crate::clock;
use crate::identity::{Authority, HOST_LIFETIME, name_of};

const NETWORKS: usize = 2;

fn keyring(authority: &Authority, host: &str) -> Keyring {
    let file = tempfile::NamedTempFile::new().unwrap();
    let identity = authority.issue(host, &[], SystemTime::now(), HOST_LIFETIME).unwrap();
    serde_json::to_writer(file.as_file(), &identity).unwrap();
    Keyring::open(file.path()).unwrap()
}

/// An address of the host `last` on a network of the loopback.
fn at(network: usize, last: u8) -> SocketAddr {
    (Ipv4Addr::new(127, 77, network as u8 + 1, last), 0).into()
}

/// Two hosts: the second one dials.
struct Site {
    listeners: Vec<TcpListener>,
    keys: [Keyring; 2],
    greeting: Vec<SecureChannel>,
    links: [Option<Remote>; 2],
    came: [Vec<Vec<u8>>; 2],
}

impl Site {
    fn new() -> Self {
        let authority = Authority::create("ours", SystemTime::now()).unwrap();
        let mut keys = [keyring(&authority, "h1"), keyring(&authority, "h2")];
        let listeners: Vec<_> = (0..NETWORKS).map(|network| TcpListener::bind(at(network, 1)).unwrap()).collect();
        listeners.iter().for_each(|listener| listener.set_nonblocking(true).unwrap());
        let towards = |(network, listener): (usize, &TcpListener)| (at(network, 2), listener.local_addr().unwrap());
        let networks = listeners.iter().enumerate().map(towards).collect();
        let route = Route { name: name_of("h1", "ours"), networks };
        let backup = Incarnation::new("sip-b", 3);
        let dialler = Remote::dial(backup, route, 42, &mut keys[1], clock::now()).unwrap();
        Self { listeners, keys, greeting: Vec::new(), links: [None, Some(dialler)], came: Default::default() }
    }

    /// Lets both sides work until `done`.
    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let mut fds: Vec<_> =
                self.listeners.iter().map(|listener| PollFd::new(listener.as_fd(), PollFlags::POLLIN)).collect();
            fds.extend(self.greeting.iter().map(|channel| PollFd::new(channel.as_fd(), PollFlags::POLLIN)));
            fds.extend(self.links.iter().flatten().map(|link| PollFd::new(link.as_fd(), PollFlags::POLLIN)));
            poll(&mut fds, PollTimeout::NONE).unwrap();
            self.step();
        }
    }

    fn step(&mut self) {
        for listener in &self.listeners {
            while let Ok((socket, _)) = listener.accept() {
                self.greeting.push(SecureChannel::accept(socket, self.keys[0].server()).unwrap());
            }
        }
        let now = clock::now();
        for mut channel in std::mem::take(&mut self.greeting) {
            match channel.receive::<PathOpening>() {
                Ok(None) => self.greeting.push(channel),
                Ok(Some(opening)) => self.opened(&opening, channel, now),
                Err(_) => {}
            }
        }
        for side in 0..2 {
            let Some(link) = &mut self.links[side] else { continue };
            link.turn(&mut self.keys[side], now);
            while let Some(message) = link.receive() {
                self.came[side].push(message);
            }
        }
    }

    fn opened(&mut self, opening: &PathOpening, channel: SecureChannel, now: Time) {
        assert_eq!(opening.from, Incarnation::new("sip-b", 3));
        match &mut self.links[0] {
            Some(link) => link.attach(opening, channel, now),
            link => {
                let me = Incarnation::new("sip-a", 7);
                *link = Some(Remote::accept(me, NETWORKS, opening, channel, now).unwrap());
            }
        }
    }

    fn link(&mut self, side: usize) -> &mut Remote {
        self.links[side].as_mut().unwrap()
    }

    fn all_stand(&self) -> bool {
        self.links.iter().flatten().flat_map(Remote::reports).filter(|path| path.is_trusted).count() == 2 * NETWORKS
    }
}

#[test]
fn messages_arrive_once_and_in_order_while_one_network_after_the_other_breaks() {
    let mut site = Site::new();
    site.until(Site::all_stand);
    for number in 0..3_000u32 {
        for side in 0..2 {
            let message = [number.to_le_bytes().to_vec(), vec![side as u8; (number % 700) as usize]].concat();
            site.link(side).send(&message, clock::now()).unwrap();
        }
        if number % 20 == 0 {
            site.step();
        }
        if number % 1_000 == 500 {
            // It breaks with what is on its way.
            let network = (number / 1_000) as usize % NETWORKS;
            let side = (number / 2_000) as usize;
            if let Path::Stands(channel) = &site.link(side).paths[network] {
                nix::sys::socket::shutdown(
                    std::os::fd::AsRawFd::as_raw_fd(&channel.as_fd()),
                    nix::sys::socket::Shutdown::Both,
                )
                .unwrap();
            }
            site.until(|site| !site.all_stand());
            site.until(Site::all_stand);
        }
    }
    site.until(|site| site.came.iter().all(|came| came.len() == 3_000));
    for came in &site.came {
        let numbers = came.iter().map(|message| u32::from_le_bytes(message[..4].try_into().unwrap()));
        assert!(numbers.eq(0..3_000));
    }
    assert!(site.links.iter().flatten().all(|link| link.is_up() && !link.is_over(clock::now())));
}

#[test]
fn the_end_of_one_side_is_the_end_of_the_link_and_tells_a_death_from_a_farewell() {
    for is_killed in [true, false] {
        let mut site = Site::new();
        site.until(Site::all_stand);
        let mut other = site.links[0].take().unwrap();
        if !is_killed {
            other.shut();
        }
        // The kernel closes what a process held.
        drop(other);
        site.listeners.clear();
        site.until(|site| site.links[1].as_ref().is_some_and(|link| link.is_over(clock::now())));
        assert_eq!(site.link(1).was_cut(), is_killed);
    }
}

#[test]
fn where_nobody_listens_there_is_no_link() {
    let mut site = Site::new();
    site.listeners.clear();
    site.until(|site| site.links[1].as_ref().is_some_and(|link| link.is_over(clock::now())));
    assert!(!site.link(1).is_up());
}
