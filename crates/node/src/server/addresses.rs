//! The virtual addresses of a server: whoever serves has them.
//!
//! An address is taken without a question, as a takeover has no time for one (RFC 5227 2.1 would ask first). Afterwards it is asked
//! now and then whether somebody else answers for it, which is told and defended (RFC 5227 2.4 c).
//!
//! One that has a hook is put at its interface, and the hook moves it in a thread of its own: there announcements and questions say
//! nothing, as the network believes none.

mod hooked;

use std::collections::BTreeMap;
use std::io;

use model::{Span, Time};
use network::address::{Announcer, Claim, Found, Mac, Search, VirtualAddress};

use self::hooked::Hooked;
use crate::wire::Trouble;

/// How long after a claim it is asked first who else has the address: what a takeover is for comes first.
const FIRST: Span = Span::from_millis(500);
/// How often it is asked.
const AGAIN: Span = Span::from_secs(10);
/// How often while somebody else has it.
const SOON: Span = Span::from_secs(1);
/// How long a holder may take to answer.
const PATIENCE: Span = Span::from_millis(500);
/// It is defended once in so long.
const DEFENCE: Span = Span::from_millis(50);
/// How long it takes until a claim that failed is tried again.
const RETRY: Span = Span::from_secs(1);

/// The addresses, and what announces them while they are here.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    ours: Vec<VirtualAddress>,
    held: Vec<Held>,
    hooked: Vec<Hooked>,
    /// Those that could not be taken so far.
    lacking: Vec<VirtualAddress>,
    /// When that is tried again.
    retry: Time,
    /// What is wrong with each address, by its text.
    troubles: BTreeMap<String, Trouble>,
}

/// An address that is here.
#[derive(Debug)]
struct Held {
    address: VirtualAddress,
    claim: Claim,
    announcer: Announcer,
    search: Option<Search>,
    /// When it is asked next who else has it.
    next: Time,
    /// When it was defended last.
    defended: Time,
}

impl Addresses {
    /// None of them is here: an earlier run of this process that was killed may have left them.
    ///
    /// # Errors
    /// If no thread is left for a hook.
    pub(super) fn new(ours: Vec<VirtualAddress>) -> io::Result<Self> {
        let (with_hook, ours): (Vec<_>, Vec<_>) = ours.into_iter().partition(|address| address.hook.is_some());
        let hooked = with_hook.into_iter().filter_map(Hooked::new).collect::<io::Result<_>>()?;
        let mut addresses = Self { ours, hooked, ..Self::default() };
        addresses.release();
        Ok(addresses)
    }

    /// Takes them, and tells the network.
    pub(super) fn claim(&mut self, now: Time) {
        self.held.clear();
        self.troubles.clear();
        self.lacking.clone_from(&self.ours);
        self.take(now);
        self.hooked.iter_mut().for_each(|one| one.claim(now));
    }

    /// Takes those that are lacking.
    fn take(&mut self, now: Time) {
        self.retry = now + RETRY;
        for address in std::mem::take(&mut self.lacking) {
            match address.claim() {
                Ok(claim) => {
                    self.troubles.remove(&address.to_string());
                    let (announcer, next) = (Announcer::claimed(now), now + FIRST);
                    self.held.push(Held { address, claim, announcer, search: None, next, defended: Time::ZERO });
                }
                // Phones that reach this host in another way are served all the same.
                Err(Trouble { what, remedy }) => {
                    let what = format!("cannot take the address {address}: {what}");
                    self.troubles.insert(address.to_string(), Trouble::new(what, remedy));
                    self.lacking.push(address);
                }
            }
        }
    }

    /// Gives them up.
    pub(super) fn release(&mut self) {
        self.held.clear();
        self.lacking.clear();
        self.troubles.clear();
        for address in &self.ours {
            if let Err(trouble) = address.release() {
                tracing::error!("cannot give the address {address} up: {trouble}");
            }
        }
        self.hooked.iter_mut().for_each(Hooked::release);
    }

    /// Gives them up for good. What hooks have to do then is left to the local control agent, as this process ends.
    pub(super) fn leave(mut self) {
        self.hooked.drain(..).for_each(Hooked::leave);
        self.release();
    }

    /// When [`look_after`](Self::look_after) has something to do.
    pub(super) fn deadline(&self) -> Time {
        let of_held = self.held.iter().map(|held| {
            let search = held.search.as_ref().map_or(held.next, Search::deadline);
            held.announcer.deadline().min(search)
        });
        let retry = (!self.lacking.is_empty()).then_some(self.retry);
        let of_hooked = self.hooked.iter().map(Hooked::deadline);
        of_held.chain(retry).chain(of_hooked).min().unwrap_or(Time::NEVER)
    }

    /// Tells the network again, and asks it who else has them, where it is time to. A primary that does not know whether it was
    /// superseded tells nobody: the other holder may be its successor.
    pub(super) fn look_after(&mut self, now: Time, is_undecided: bool) {
        self.hooked.iter_mut().for_each(|one| one.look_after(now));
        if !self.lacking.is_empty() && self.retry <= now {
            self.take(now);
        }
        for held in &mut self.held {
            if held.is_contested(now) && !is_undecided {
                held.announcer.healed(now);
                held.next = now;
            }
            if held.announcer.due(now)
                && !is_undecided
                && let Err(trouble) = held.claim.announce()
            {
                tracing::warn!("cannot announce an address: {trouble}");
            }
            if let Some(found) = held.ask(now) {
                match found {
                    Some(mac) => {
                        self.troubles.insert(held.address.to_string(), conflict(&held.address, mac));
                    }
                    None => drop(self.troubles.remove(&held.address.to_string())),
                }
            }
        }
    }

    /// What is wrong with them.
    pub(super) fn troubles(&self) -> impl Iterator<Item = Trouble> + '_ {
        let of_hooked = self.hooked.iter().flat_map(Hooked::troubles);
        self.troubles.values().cloned().chain(of_hooked)
    }
}

impl Held {
    /// Somebody else says that the address is there, and it was not defended just now: two that defend it do not fill the
    /// network (RFC 5227 2.4).
    fn is_contested(&mut self, now: Time) -> bool {
        // A network that is gone is no conflict.
        let heard = held_by_another(&self.claim) && self.defended + DEFENCE <= now;
        if heard {
            self.defended = now;
        }
        heard
    }

    /// Goes on asking who else has the address; gives the outcome when there is one.
    fn ask(&mut self, now: Time) -> Option<Option<Mac>> {
        if self.search.is_none() && self.next <= now {
            self.next = now + AGAIN;
            // A network that is gone is no conflict.
            self.search = self.address.search(now, PATIENCE).ok();
        }
        let found = self.search.as_mut()?.poll(now).unwrap_or(Found::Nobody);
        if found == Found::NotYet {
            return None;
        }
        self.search = None;
        match found {
            Found::Holder(mac) => {
                self.announcer.healed(now);
                self.next = now + SOON;
                Some(Some(mac))
            }
            Found::Nobody | Found::NotYet => Some(None),
        }
    }
}

fn held_by_another(claim: &Claim) -> bool {
    matches!(claim.contested(), Ok(Some(_)))
}

fn conflict(address: &VirtualAddress, mac: Mac) -> Trouble {
    Trouble::new(
        format!("the address {} is held by somebody else too, who has the Ethernet address {mac}", address.address),
        "phones may reach that one instead: find it by that address and take the address from it, or choose another [[address]]",
    )
}
