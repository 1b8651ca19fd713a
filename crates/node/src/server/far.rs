//! The other side of the pair on another host: it is dialled and answered over every network, and told the same as one on
//! this host, but for the descriptors, which stay where they are.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use model::{Incarnation, Span, Time};
use redundancy::bundle::{Door, Purpose};
use redundancy::hot_standby::RoleName;

use super::homecoming::Homecoming;
use super::notes::Note;
use super::poll::Poll;
use super::remote::{PathOpening, Remote, Route};
use super::service::Service;
use super::shell::Shell;
use super::token::Token;
use crate::channel::ChannelError;
use crate::identity::Keyring;
use crate::last_word::Key;
use crate::secure::SecureChannel;
use crate::wire::Trouble;

/// Connections that have not said yet what they are for, at most.
const MOST_GUESTS: usize = 16;
/// How long one may take to say it.
const PATIENCE: Span = Span::from_secs(2);

/// Where the other side is, if it is not on this host.
#[derive(Clone, Debug)]
pub struct FarSettings {
    /// The file with the identity of this host.
    pub identity: PathBuf,
    /// The networks by the names that people have given them, in the order of the routes.
    pub networks: Vec<String>,
    /// Where this side is dialled: one address in each network, in the order of the routes.
    pub listen: Vec<SocketAddr>,
    /// How each application is dialled that may be the other side.
    pub routes: Vec<(String, Route)>,
    /// Those of them that make way for any other, as they stand in for it.
    pub spares: Vec<String>,
}

/// What joins this side to a far one.
#[derive(Debug)]
pub(super) struct Far {
    me: Incarnation,
    /// The names of the networks.
    networks: Vec<String>,
    routes: Vec<(String, Route)>,
    spares: Vec<String>,
    homecoming: Homecoming,
    /// The application at the other end of the link.
    other: Option<String>,
    /// Which links of others were taken.
    door: Door,
    /// How many links this process has dialled: each has a greater number than those before.
    dialled: u64,
    keys: Keyring,
    listeners: Vec<TcpListener>,
    /// Connections that have not said yet what they are for.
    guests: BTreeMap<u64, Guest>,
    counted: u64,
    remote: Option<Remote>,
    /// The link was dialled from here, and is not known to stand yet.
    dials: bool,
    /// There is no link any more, which the LCA does not know.
    is_gone: bool,
}

impl Far {
    /// Listens on every network.
    ///
    /// # Errors
    /// If this host has no identity, or cannot listen at one of the addresses.
    pub(super) fn open(settings: &FarSettings, me: &Incarnation, poll: &Poll) -> Result<Self, Trouble> {
        let keys = Keyring::open(&settings.identity)?;
        let listen = |(network, address): (usize, &SocketAddr)| {
            let opened = TcpListener::bind(address).and_then(|listener| {
                listener.set_nonblocking(true)?;
                poll.add(&listener, Token::FarDoor(network as u8), false)?;
                Ok(listener)
            });
            opened.map_err(|error| {
                Trouble::new(
                    format!("cannot listen at {address} for the other side of the pair: {error}"),
                    "it must be an address of this host, and the port be free",
                )
            })
        };
        let listeners = settings.listen.iter().enumerate().map(listen).collect::<Result<_, _>>()?;
        Ok(Self {
            me: me.clone(),
            networks: settings.networks.clone(),
            routes: settings.routes.clone(),
            spares: settings.spares.clone(),
            homecoming: Homecoming::default(),
            other: None,
            door: Door::default(),
            dialled: 0,
            keys,
            listeners,
            guests: BTreeMap::new(),
            counted: 0,
            remote: None,
            dials: false,
            is_gone: false,
        })
    }

    /// Whoever connects must say first which link it belongs to.
    fn accept(&mut self, network: u8, poll: &Poll, now: Time) {
        let Some(listener) = self.listeners.get(usize::from(network)) else { return };
        while let Ok((socket, from)) = listener.accept() {
            self.guests.retain(|_, guest| guest.until > now);
            while self.guests.len() >= MOST_GUESTS {
                self.guests.pop_first();
            }
            self.counted += 1;
            let Ok(channel) = SecureChannel::accept(socket, self.keys.server()) else { continue };
            if poll.add(&channel, Token::FarGuest(self.counted), false).is_ok() {
                self.guests.insert(self.counted, Guest { channel, from: from.ip(), until: now + PATIENCE });
            }
        }
    }

    /// The first word of a guest, and its connection, once it has said it.
    fn greeting(&mut self, number: u64, poll: &Poll, log: impl FnOnce(Note)) -> Option<(PathOpening, SecureChannel)> {
        let guest = self.guests.get_mut(&number)?;
        let opening = match guest.channel.receive::<PathOpening>() {
            Ok(None) => return None,
            Ok(Some(opening)) => Some(opening),
            Err(error) => {
                if !error.is_end() {
                    log(Note::refused_guest(guest.from, &error));
                }
                None
            }
        };
        let Guest { channel, .. } = self.guests.remove(&number)?;
        poll.remove(&channel);
        opening.map(|opening| (opening, channel))
    }

    fn dial(&mut self, application: &str, now: Time) -> io::Result<Remote> {
        let route = self.routes.iter().find(|(name, _)| name == application).map(|(_, route)| route.clone());
        let route = route.ok_or_else(|| io::Error::other(format!("there is no way to {application}")))?;
        (self.dialled, self.dials) = (self.dialled + 1, true);
        self.door.leaves();
        Remote::dial(self.me.clone(), route, self.dialled, &mut self.keys, now)
    }

    /// The application at the other end, or the one that was there last.
    pub(super) fn other(&self) -> &str {
        self.other.as_deref().unwrap_or_default()
    }

    /// All connections with it, if others stand than when they were asked for last.
    pub(super) fn connections(&mut self) -> Option<Vec<(Arc<OwnedFd>, Key)>> {
        let is_gone = std::mem::take(&mut self.is_gone);
        let of_link = self.remote.as_mut().and_then(Remote::connections);
        of_link.or_else(|| is_gone.then(Vec::new))
    }

    /// When something came from it over each network that stands.
    pub(super) fn heard(&self) -> impl Iterator<Item = Option<Time>> + '_ {
        self.remote.iter().flat_map(Remote::reports).map(|path| path.heard)
    }

    /// Whether the link goes over each network.
    pub(super) fn stand(&self) -> impl Iterator<Item = bool> + '_ {
        self.remote.iter().flat_map(Remote::reports).map(|path| path.stands)
    }

    /// What becomes of an application that dials: it is taken on if it has left its old link. A spare, which makes way for the
    /// one that it stands in for, is not taken on while that one comes home.
    fn welcome(&mut self, application: &str, now: Time) -> Welcome {
        let is_spare = |name: &str| self.spares.iter().any(|spare| spare == name);
        let other = self.other.as_deref().filter(|_| self.remote.is_some());
        match other {
            Some(other) if other == application => Welcome::Now,
            Some(other) if !is_spare(other) || is_spare(application) => Welcome::Never,
            Some(_) if self.homecoming.calls(now) => Welcome::AfterSpare,
            None if is_spare(application) && self.homecoming.is_awaited(now) => Welcome::Never,
            None => Welcome::Now,
            Some(_) => Welcome::Never,
        }
    }
}

/// A connection that has not said yet what it is for.
#[derive(Debug)]
struct Guest {
    channel: SecureChannel,
    from: IpAddr,
    /// When it must have said it.
    until: Time,
}

/// What becomes of an application that dials.
enum Welcome {
    Now,
    /// The spare is to go first.
    AfterSpare,
    Never,
}

impl<S: Service> Shell<S> {
    pub(super) fn dial_far(&mut self, application: &str) {
        let Some(far) = &mut self.far else { return };
        let dialled = far.dial(application, self.now).and_then(|remote| {
            self.poll.add(&remote, Token::FarLink, false)?;
            Ok(remote)
        });
        match dialled {
            Ok(remote) => (far.remote, far.other) = (Some(remote), Some(application.to_owned())),
            Err(error) => {
                tracing::warn!("cannot dial the other side: {error}");
                self.replica.link_down(self.now);
            }
        }
    }

    pub(super) fn answer_far_door(&mut self, network: u8) {
        if let Some(far) = &mut self.far {
            far.accept(network, &self.poll, self.now);
        }
    }

    pub(super) fn hear_far_guest(&mut self, number: u64) {
        let Some(far) = &mut self.far else { return };
        let (notes, now) = (&mut self.notes, self.now);
        let greeting = far.greeting(number, &self.poll, |note| notes.take(now, &note));
        let Some((opening, channel)) = greeting else { return };
        match far.door.judge(&opening.from, opening.link) {
            Purpose::Present => {
                if let Some(remote) = &mut far.remote {
                    remote.attach(&opening, channel, self.now);
                }
                self.hear_far();
            }
            // Only a primary takes somebody on.
            Purpose::Next if self.replica.status().role == RoleName::Primary => {
                match far.welcome(&opening.from.application, self.now) {
                    // As long as the spare is in sync, whoever calls is not answered. He calls again when the entry has changed.
                    Welcome::AfterSpare if self.replica.dismiss(self.now) => self.carry_out(),
                    Welcome::Now | Welcome::AfterSpare => self.far_calls(&opening, channel),
                    Welcome::Never => {}
                }
            }
            Purpose::Next | Purpose::Past => {}
        }
    }

    /// The other side dials anew: it has left the old link.
    fn far_calls(&mut self, opening: &PathOpening, channel: SecureChannel) {
        if self.far.as_ref().is_some_and(|far| far.remote.is_some()) {
            self.hang_up_far();
            self.replica.link_down(self.now);
        }
        let Some(far) = &mut self.far else { return };
        let networks = far.listeners.len();
        let taken = Remote::accept(far.me.clone(), networks, opening, channel, self.now).and_then(|remote| {
            self.poll.add(&remote, Token::FarLink, false)?;
            Ok(remote)
        });
        match taken {
            Ok(remote) => {
                far.other = Some(opening.from.application.clone());
                far.door.takes(&opening.from, opening.link);
                (far.remote, far.dials) = (Some(remote), false);
            }
            Err(error) => tracing::warn!("cannot take a link of the other side: {error}"),
        }
        self.hear_far();
    }

    /// Reads everything that has come from the far side.
    pub(super) fn hear_far(&mut self) {
        let Some(far) = &mut self.far else { return };
        let Some(remote) = &mut far.remote else { return };
        remote.turn(&mut far.keys, self.now);
        if far.dials && remote.is_up() {
            far.dials = false;
            self.replica.link_up();
            self.carry_out();
        }
        while let Some(message) = self.far.as_mut().and_then(|far| far.remote.as_mut()?.receive()) {
            self.replica.link_frame(self.now, &message);
            self.carry_out();
        }
        if self.far.as_ref().and_then(|far| far.remote.as_ref()).is_some_and(|remote| remote.is_over(self.now)) {
            tracing::info!("the link to the other side is gone");
            let remote = self.far.as_ref().and_then(|far| far.remote.as_ref());
            let (was_cut, last_word) = (remote.is_some_and(Remote::was_cut), remote.and_then(Remote::last_word));
            self.hang_up_far();
            match last_word {
                Some(revision) => self.replica.primary_ended(self.now, revision),
                None if was_cut => self.replica.link_cut(self.now),
                None => self.replica.link_down(self.now),
            }
        }
    }

    /// Networks over which the link does not go at the moment, though it goes over another one.
    pub(super) fn far_note(&self) -> Option<String> {
        let far = self.far.as_ref().filter(|far| far.remote.as_ref().is_some_and(Remote::is_up))?;
        lacking(&far.networks, far.stand())
    }

    /// True if inputs may be read from the sockets. While the other side takes less than there is to say, and outputs wait for it, less
    /// is to be said: the link would be given up, and the backup with it.
    pub(super) fn accepts_inputs(&self) -> bool {
        let is_crowded = || self.far.as_ref().and_then(|far| far.remote.as_ref()).is_some_and(Remote::is_crowded);
        self.replica.accepts_inputs() && !(self.replica.is_holding() && is_crowded())
    }

    /// The way there and back over the network that messages take, as it was measured.
    pub(super) fn round_trip(&self) -> Option<Span> {
        self.far.as_ref()?.remote.as_ref()?.reports().find(|path| path.is_chosen)?.round_trip
    }

    /// Says something to the far side.
    pub(super) fn tell_far(&mut self, message: &[u8]) {
        let Some(remote) = self.far.as_mut().and_then(|far| far.remote.as_mut()) else { return };
        if let Err(error) = remote.send(message, self.now) {
            self.far_broke(&error);
        }
    }

    fn far_broke(&mut self, error: &ChannelError) {
        tracing::warn!("the link to the other side is given up: {error}");
        self.hang_up_far();
        self.replica.link_down(self.now);
    }

    pub(super) fn hang_up_far(&mut self) {
        let Some(far) = &mut self.far else { return };
        far.dials = false;
        far.door.leaves();
        if let Some(mut remote) = far.remote.take() {
            self.poll.remove(&remote);
            remote.shut();
            far.is_gone = true;
        }
    }
}

/// What is to be said of a link that does not stand over all networks.
fn lacking(networks: &[String], stand: impl Iterator<Item = bool>) -> Option<String> {
    let missing = networks.iter().zip(stand).filter(|(_, stands)| !stands);
    let missing: Vec<&str> = missing.map(|(name, _)| name.as_str()).collect();
    (!missing.is_empty()).then(|| format!("the link to the other side lacks its network {}", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_the_names_that_people_have_given_them() {
        let networks = ["front", "back"].map(str::to_owned);
        let said = |stand: [bool; 2]| lacking(&networks, stand.into_iter());
        assert_eq!(said([true; 2]), None);
        assert_eq!(said([true, false]).as_deref(), Some("the link to the other side lacks its network back"));
        assert_eq!(said([false; 2]).as_deref(), Some("the link to the other side lacks its network front, back"));
    }
}
