//! The virtual addresses of a server: whoever serves has them.
//!
//! Where the pair begins without a predecessor it is asked first whether somebody else has an address (RFC 5227 2.1, RFC 4862 5.4),
//! and that one is left alone. A takeover has no time for a question, and the predecessor would answer it: it takes the address
//! (decision 15). Afterwards it is asked now and then whether somebody else answers for it, which is told and defended (RFC 5227
//! 2.4 c).
//!
//! One that has a hook is put at its interface, and the hook moves it in a thread of its own: there announcements and questions say
//! nothing, as the network believes none.

mod hooked;
mod question;

use std::collections::BTreeMap;
use std::io;

use model::{Span, Time};
use network::address::{Announcer, Claim, Found, Mac, Search, VirtualAddress};

use self::hooked::Hooked;
use self::question::Question;
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
/// How long it takes until a claim or a release that failed is tried again, and a door that could not be opened.
pub(super) const RETRY: Span = Span::from_secs(1);

/// The addresses, and what announces them while they are here.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    ours: Vec<VirtualAddress>,
    /// Whether somebody else has them, before they are taken.
    question: Option<Question>,
    held: Vec<Held>,
    hooked: Vec<Hooked>,
    /// Those that could not be taken so far.
    lacking: Vec<VirtualAddress>,
    /// Those that could not be given up so far.
    kept: Vec<VirtualAddress>,
    /// When either is tried again.
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
    pub(super) fn new(ours: Vec<VirtualAddress>, now: Time) -> io::Result<Self> {
        let (with_hook, ours): (Vec<_>, Vec<_>) = ours.into_iter().partition(|address| address.hook.is_some());
        let hooked = with_hook.into_iter().filter_map(Hooked::new).collect::<io::Result<_>>()?;
        let mut addresses = Self { ours, hooked, ..Self::default() };
        addresses.release(now);
        Ok(addresses)
    }

    /// Begins to ask whether somebody else has them; false if there is none that can be asked for.
    pub(super) fn ask(&mut self, now: Time) -> bool {
        self.question = (!self.ours.is_empty()).then(|| Question::new(self.ours.clone(), now));
        self.question.is_some()
    }

    /// Goes on asking; true once it is known that nobody else has any of them.
    pub(super) fn are_free(&mut self, now: Time) -> bool {
        let Some(question) = &mut self.question else { return false };
        // Where nothing can be asked, as the interface or a right is missing, whoever takes them is told so.
        let is_free = question.turn(now, |address| address.search(now, PATIENCE).ok());
        if is_free {
            self.question = None;
        }
        is_free
    }

    /// Asks no more: somebody else of the pair takes them.
    pub(super) fn ask_no_more(&mut self) {
        self.question = None;
    }

    /// Takes them, and tells the network.
    pub(super) fn claim(&mut self, now: Time) {
        self.question = None;
        self.held.clear();
        self.kept.clear();
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
                Err(trouble) => {
                    self.troubles.insert(address.to_string(), cannot_take(&address, trouble));
                    self.lacking.push(address);
                }
            }
        }
    }

    /// Gives them up.
    pub(super) fn release(&mut self, now: Time) {
        self.question = None;
        self.held.clear();
        self.lacking.clear();
        self.troubles.clear();
        self.kept.clone_from(&self.ours);
        self.give_up(now);
        self.hooked.iter_mut().for_each(|one| one.release(now));
    }

    /// Gives up those that are still here.
    fn give_up(&mut self, now: Time) {
        self.retry = now + RETRY;
        for address in std::mem::take(&mut self.kept) {
            match address.release() {
                Ok(()) => drop(self.troubles.remove(&address.to_string())),
                Err(trouble) => {
                    self.troubles.insert(address.to_string(), trouble);
                    self.kept.push(address);
                }
            }
        }
    }

    /// Gives them up for good. What hooks have to do then is left to the local control agent, as this process ends.
    pub(super) fn leave(mut self) {
        let of_hooked: Vec<_> = self.hooked.drain(..).filter_map(Hooked::leave).collect();
        self.release(Time::ZERO);
        // Nobody reports any more.
        self.troubles().chain(of_hooked).for_each(|trouble| tracing::error!("{trouble}"));
    }

    /// A way has come back by which somebody may have been cut off, who may know another holder: the network is told again, and
    /// asked at once who else has them.
    pub(super) fn healed(&mut self, now: Time) {
        for held in &mut self.held {
            held.announcer.healed(now);
            held.next = held.next.min(now);
        }
    }

    /// When [`look_after`](Self::look_after) or [`are_free`](Self::are_free) has something to do.
    pub(super) fn deadline(&self) -> Time {
        let of_held = self.held.iter().map(|held| {
            let search = held.search.as_ref().map_or(held.next, Search::deadline);
            held.announcer.deadline().min(search)
        });
        let retry = (!self.lacking.is_empty() || !self.kept.is_empty()).then_some(self.retry);
        let of_hooked = self.hooked.iter().map(Hooked::deadline);
        let of_question = self.question.iter().map(Question::deadline);
        of_held.chain(retry).chain(of_hooked).chain(of_question).min().unwrap_or(Time::NEVER)
    }

    /// Tells the network again, and asks it who else has them, where it is time to. A primary that does not know whether it was
    /// superseded tells nobody: the other holder may be its successor.
    pub(super) fn look_after(&mut self, now: Time, is_undecided: bool) {
        self.hooked.iter_mut().for_each(|one| one.look_after(now));
        if !self.lacking.is_empty() && self.retry <= now {
            self.take(now);
        }
        if !self.kept.is_empty() && self.retry <= now {
            self.give_up(now);
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
        let of_question = self.question.iter().flat_map(Question::troubles);
        let of_hooked = self.hooked.iter().flat_map(Hooked::troubles);
        self.troubles.values().cloned().chain(of_question).chain(of_hooked)
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

fn cannot_take(address: &VirtualAddress, Trouble { what, remedy }: Trouble) -> Trouble {
    Trouble::new(format!("cannot take the address {address}: {what}"), remedy)
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
