//! Faults of the hosts and links of a rehearsal.

use std::sync::Arc;

use model::{Chance, Span, Trouble};
use network::address::VirtualAddress;
use network::rehearsal::{Change, Network, Place, Rehearsal, Stretch as Links};

use super::local::now;
use super::{Hands, Local, Struck, host_of};
use crate::plan::{Deed, HostName, Stretch};
use crate::site::Site;
use crate::status::Status;

/// Hands in a rehearsal.
pub struct Rehearsing {
    local: Local,
    net: Rehearsal,
    /// The virtual addresses, as a host is told them: `10.77.0.201/24@access`.
    addresses: Vec<String>,
    dark: Vec<u8>,
    links: bool,
    stolen: bool,
    /// Hosts whose disks are full.
    full: Vec<u8>,
    /// Hosts whose clocks were moved.
    moved: Vec<u8>,
}

impl Rehearsing {
    /// Hands in a net whose hosts hold these addresses in turn.
    #[must_use]
    pub fn new(site: Arc<dyn Site>, net: Rehearsal, addresses: Vec<String>) -> Self {
        Self {
            local: Local::new(site),
            net,
            addresses,
            dark: Vec::new(),
            links: false,
            stolen: false,
            full: Vec::new(),
            moved: Vec::new(),
        }
    }

    fn place(&self, name: &HostName, status: &Status) -> Result<u8, Trouble> {
        let host = host_of(name, status)?;
        match host.parse() {
            Ok(place @ Place::Host(number)) if self.net.places().any(|one| one == place) => Ok(number),
            _ => {
                let places = self.net.places().filter(|place| matches!(place, Place::Host(_)));
                let names = places.map(|place| place.to_string()).collect::<Vec<_>>().join(", ");
                Err(Trouble::new(format!("there is no host {host} in this rehearsal"), format!("name one of {names}")))
            }
        }
    }

    fn power_off(&mut self, name: &HostName, status: &Status) -> Result<Struck, Trouble> {
        let number = self.place(name, status)?;
        let host = Place::Host(number);
        let serves = |pair: &str| status.in_role(pair, "primary").is_some_and(|one| one.host == host.to_string());
        let pair = ["sip", "routing"].into_iter().find(|pair| serves(pair)).map(str::to_owned);
        let at_ns = now();
        self.dark.push(number);
        // Dark first: nobody hears the kernel take leave of the connections of a process that dies.
        self.net.fail(number)?;
        self.net.kill(host)?;
        self.in_place(host, VirtualAddress::release)?;
        Ok(Struck { at_ns, victims: vec![host.to_string()], pair, ..Struck::default() })
    }

    fn in_place(
        &self,
        place: Place,
        each: impl Fn(&VirtualAddress) -> Result<(), Trouble> + Send + Sync,
    ) -> Result<(), Trouble> {
        let addresses = &self.addresses;
        self.net.inside(place, || addresses.iter().try_for_each(|text| each(&text.parse::<VirtualAddress>()?)))?
    }

    fn change(&mut self, stretch: &Stretch, change: Change, status: &Status) -> Result<Struck, Trouble> {
        let (from, to) =
            (Place::Host(self.place(&stretch.from, status)?), Place::Host(self.place(&stretch.to, status)?));
        let between = [Network::A, Network::B];
        let named = stretch.networks.iter().map(|name| name.parse()).collect::<Result<Vec<Network>, _>>()?;
        let networks = if named.is_empty() { between.into() } else { named };
        let arrow = if stretch.one_way { "->" } else { "-" };
        let victim =
            format!("{from} {arrow} {to} in {}", networks.iter().map(|one| one.name()).collect::<Vec<_>>().join(", "));
        let links = Links { from, to, one_way: stretch.one_way, networks };
        let pair = status
            .in_role("sip", "primary")
            .map(|one| one.host.clone())
            .filter(|host| [from, to].iter().any(|place| place.to_string() == *host));
        let at_ns = now();
        self.links = true;
        self.net.change(&links, change)?;
        Ok(Struck { at_ns, victims: vec![victim], pair: pair.map(|_| "sip".to_owned()), ..Struck::default() })
    }

    /// Everybody loses a host in these networks, in all of them if none is named, and it them.
    fn cut_off(&mut self, name: &HostName, networks: &[String], status: &Status) -> Result<Struck, Trouble> {
        let host = Place::Host(self.place(name, status)?);
        let named = networks.iter().map(|name| name.parse()).collect::<Result<Vec<Network>, _>>()?;
        let networks = if named.is_empty() { Network::ALL.to_vec() } else { named };
        let said = networks.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ");
        let serves = status.in_role("sip", "primary").is_some_and(|one| one.host == host.to_string());
        let at_ns = now();
        self.links = true;
        for to in self.net.places().filter(|place| *place != host) {
            let shared: Vec<Network> =
                networks.iter().filter(|network| to.networks().contains(network)).copied().collect();
            if !shared.is_empty() {
                let links = Links { from: host, to, one_way: false, networks: shared };
                self.net.change(&links, Change::Cut)?;
            }
        }
        let pair = serves.then(|| "sip".to_owned());
        Ok(Struck { at_ns, victims: vec![format!("{host} in {said}")], pair, ..Struck::default() })
    }

    fn steal(&mut self) -> Result<Struck, Trouble> {
        let at_ns = now();
        self.stolen = true;
        self.in_place(Place::Stranger, |address| address.claim().map(drop))?;
        Ok(Struck { at_ns, victims: self.addresses.clone(), ..Struck::default() })
    }

    fn fill_disk(&mut self, name: &HostName, status: &Status) -> Result<Struck, Trouble> {
        let number = self.place(name, status)?;
        let at_ns = now();
        self.net.fill_disk(number)?;
        self.full.push(number);
        Ok(Struck { at_ns, victims: vec![format!("the disk of {}", Place::Host(number))], ..Struck::default() })
    }

    fn move_clock(&mut self, name: &HostName, by: i64, status: &Status) -> Result<Struck, Trouble> {
        let number = self.place(name, status)?;
        let host = Place::Host(number).to_string();
        let at_ns = now();
        self.net.set_clock(number, by)?;
        self.moved.push(number);
        let victims = vec![format!("the clock of {host}")];
        Ok(Struck { at_ns, victims, moved: Some((host, by)), ..Struck::default() })
    }

    /// Undoes what was done to disks and clocks.
    fn restore(&mut self) -> Result<(), Trouble> {
        let (full, moved) = (std::mem::take(&mut self.full), std::mem::take(&mut self.moved));
        full.into_iter().try_for_each(|host| self.net.free_disk(host))?;
        moved.into_iter().try_for_each(|host| self.net.set_clock(host, 0))
    }
}

impl Hands for Rehearsing {
    fn strike(&mut self, deed: &Deed, status: &Status, chance: &mut Chance) -> Result<Struck, Trouble> {
        match deed {
            Deed::PowerOff(host, _) => self.power_off(host, status),
            Deed::Cut(stretch, _) => self.change(stretch, Change::Cut, status),
            Deed::CutOff(host, networks, _) => self.cut_off(host, networks, status),
            Deed::Loss(percent, stretch, _) => self.change(stretch, Change::Loss(*percent), status),
            Deed::Delay(by, stretch, _) => {
                let by = Span::from_micros(u64::try_from(by.as_micros()).unwrap_or(u64::MAX));
                self.change(stretch, Change::Delay(by), status)
            }
            Deed::StealAddress(_) => self.steal(),
            Deed::BlackHole(octets, stretch, _) => self.change(stretch, Change::BlackHole(*octets), status),
            Deed::FillDisk(host, _) => self.fill_disk(host, status),
            Deed::MoveClock(host, by, _) => self.move_clock(host, *by, status),
            Deed::Repair => {
                let at_ns = now();
                self.mend()?;
                Ok(Struck { at_ns, ..Struck::default() })
            }
            other => self.local.strike(other, status, chance),
        }
    }

    fn mend(&mut self) -> Result<(), Trouble> {
        self.local.mend()?;
        if std::mem::take(&mut self.stolen) {
            self.in_place(Place::Stranger, VirtualAddress::release)?;
        }
        if std::mem::take(&mut self.links) {
            self.net.repair_links()?;
        }
        self.restore()?;
        for host in std::mem::take(&mut self.dark) {
            self.net.repair(host)?;
        }
        Ok(())
    }
}

impl Drop for Rehearsing {
    fn drop(&mut self) {
        // A drill that ends early leaves nothing broken behind.
        drop(self.mend());
    }
}
