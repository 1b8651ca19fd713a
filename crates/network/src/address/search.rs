//! Whether somebody else holds an address (RFC 5227 2.1.1, RFC 4862 5.4).

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use model::{Span, Time, Trouble};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::SockFilter;

use super::frames::{ADVERTISEMENT, ICMP_TYPE, ICMPV6, Mac, NEXT_HEADER, holder, probe};
use super::interface::Interface;
use super::port::{Intake, Port};

/// How often it is asked. The standards wait a second and more between two questions, for hosts that have just been switched
/// on and networks that still find their ways; here somebody waits for the answer, and a holder has it at once.
const EVERY: Span = Span::from_millis(100);
/// How many frames one poll reads at most.
const MOST: usize = 256;
/// Longer than all that is looked at.
const ROOM: usize = 128;

/// What is known of the holder of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody has answered, and there is still time.
    NotYet,
    /// Nobody has answered in all the time.
    Nobody,
    /// This one holds it.
    Holder(Mac),
}

/// A search for the holder of an address. Its descriptor is readable when [`Search::poll`] may know more.
#[derive(Debug)]
pub struct Search {
    port: Port,
    address: IpAddr,
    own: Mac,
    next: Time,
    end: Time,
}

impl Search {
    pub(super) fn begin(
        address: IpAddr,
        interface: &Interface,
        own: Mac,
        now: Time,
        patience: Span,
    ) -> Result<Self, Trouble> {
        let port = Port::open(interface.index, &interface.name, Some(&intake(address)))?;
        let mut search = Self { port, address, own, next: now, end: now + patience };
        search.ask(now)?;
        Ok(search)
    }

    /// When to poll even if nothing has come in.
    #[must_use]
    pub fn deadline(&self) -> Time {
        self.next.min(self.end)
    }

    /// Reads what has come in, and asks again when it is time to. Does not wait.
    ///
    /// # Errors
    /// The interface has gone down or away.
    pub fn poll(&mut self, now: Time) -> Result<Found, Trouble> {
        if let Some(mac) = heard(&self.port, self.address, self.own)? {
            return Ok(Found::Holder(mac));
        }
        if now >= self.end {
            return Ok(Found::Nobody);
        }
        self.ask(now)?;
        Ok(Found::NotYet)
    }

    fn ask(&mut self, now: Time) -> Result<(), Trouble> {
        if now >= self.next {
            self.next = now + EVERY;
            self.port.send(&probe(self.address, self.own))?;
        }
        Ok(())
    }
}

impl AsFd for Search {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.port.as_fd()
    }
}

/// The holder that speaks in the frames that have come in.
pub(super) fn heard(port: &Port, address: IpAddr, own: Mac) -> Result<Option<Mac>, Trouble> {
    let mut room = [0; ROOM];
    for _ in 0..MOST {
        let Some(frame) = port.receive(&mut room)? else { break };
        if let Some(mac) = holder(frame, address, own) {
            return Ok(Some(mac));
        }
    }
    Ok(None)
}

/// Searches, and waits for the outcome.
pub(super) fn wait(address: IpAddr, interface: &Interface, own: Mac, patience: Span) -> Result<Option<Mac>, Trouble> {
    let begun = Instant::now();
    let now = || Time::from_micros(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
    let mut search = Search::begin(address, interface, own, now(), patience)?;
    loop {
        match search.poll(now())? {
            Found::Holder(mac) => return Ok(Some(mac)),
            Found::Nobody => return Ok(None),
            Found::NotYet => {}
        }
        let left = search.deadline().since(now()).as_micros();
        let left =
            Timespec { tv_sec: (left / 1_000_000).cast_signed(), tv_nsec: (left % 1_000_000 * 1_000).cast_signed() };
        match poll(&mut [PollFd::new(&search, PollFlags::IN)], Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                let error = io::Error::from(error);
                return Err(Trouble::new(format!("cannot wait for an answer: {error}"), "look at the system's log"));
            }
        }
    }
}

/// All ARP, which is little; of IPv6 only the advertisements of neighbours, as calls may pass on that interface.
pub(super) fn intake(address: IpAddr) -> Intake {
    if address.is_ipv4() {
        return Intake { ether_type: libc::ETH_P_ARP as u16, filter: Vec::new() };
    }
    let load = |at: usize| instruction(libc::BPF_LD | libc::BPF_B | libc::BPF_ABS, at as u32, 0, 0);
    let skip_unless =
        |value: u8, over: u8| instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value.into(), 0, over);
    let take = |bytes: u32| instruction(libc::BPF_RET | libc::BPF_K, bytes, 0, 0);
    let filter = vec![
        load(NEXT_HEADER),
        skip_unless(ICMPV6, 3),
        load(ICMP_TYPE),
        skip_unless(ADVERTISEMENT, 1),
        take(u32::MAX),
        take(0),
    ];
    Intake { ether_type: libc::ETH_P_IPV6 as u16, filter }
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> SockFilter {
    SockFilter::new(code as u16, jt, jf, k)
}
