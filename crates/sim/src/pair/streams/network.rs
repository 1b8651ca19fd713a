//! What comes from the network on connections.

use std::collections::VecDeque;
use std::net::SocketAddr;

use super::{SYN, Socket};
use crate::kernel::Core;
use crate::pair::{Pair, PairEvent, Service, Side};

impl<S: Service> Pair<S> {
    /// A peer connects to the host of a side.
    pub fn stream_opens<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, socket: u64, peer: SocketAddr) {
        let host = self.host_of(side);
        let new = Socket {
            number: None,
            peer,
            inbox: VecDeque::new(),
            ended: false,
            open: true,
            written: 0,
            holders: [false; 2],
        };
        self.hosts[host].sockets.insert(socket, new);
        self.wake_readers(core, host);
    }

    /// Bytes come on a connection; `None`: its peer has closed it.
    pub fn stream_brings<E: From<PairEvent>>(
        &mut self,
        core: &mut Core<E>,
        side: Side,
        socket: u64,
        bytes: Option<Vec<u8>>,
    ) {
        let host = self.host_of(side);
        let Some(known) = self.hosts[host].sockets.get_mut(&socket) else { return };
        match bytes {
            Some(bytes) => known.inbox.push_back(bytes),
            None => known.ended = true,
        }
        self.wake_readers(core, host);
    }

    /// A connection that the server wanted stands, or cannot be made.
    pub fn stream_stands<E: From<PairEvent>>(&mut self, core: &mut Core<E>, side: Side, socket: u64, made: bool) {
        let host = self.host_of(side);
        let Some(known) = self.hosts[host].sockets.get_mut(&socket) else { return };
        known.open = made;
        known.ended = !made;
        known.written = SYN;
        self.wake_readers(core, host);
    }

    pub(super) fn wake_readers<E: From<PairEvent>>(&mut self, core: &mut Core<E>, host: usize) {
        for side in [0, 1] {
            if self.host_of(side) == host {
                self.wake(core, side, core.now);
            }
        }
    }
}
