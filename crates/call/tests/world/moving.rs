//! Hosts that serve at addresses of their own: which of them what a phone says goes to.

use std::net::SocketAddr;

use call::Input;
use sip::Message;

use super::World;

/// Where the hosts are, one of which serves.
const HOSTS: [&str; 2] = ["192.0.2.1:5060", "192.0.2.2:5060"];

pub(crate) fn host(number: usize) -> SocketAddr {
    HOSTS[number].parse().expect("an address")
}

impl World {
    /// From now on each host serves at an address of its own.
    pub(crate) fn use_own_addresses(&mut self) {
        self.has_own_addresses = true;
        self.serve_at(host(0));
        self.take_over();
    }

    fn serve_at(&mut self, address: SocketAddr) {
        self.server = address;
        self.settings.listeners.iter_mut().for_each(|listener| listener.address = address);
        self.settings = self.settings.clone().at_home([0, 1].map(|number| host(number).ip()).into());
    }

    /// The other host takes over; connections die with the one that served.
    pub(crate) fn move_to_other_host(&mut self) {
        let other = if self.server == host(0) { host(1) } else { host(0) };
        self.note(&format!("-- served at {other}"));
        self.serve_at(other);
        self.take_over();
        self.phones.iter_mut().for_each(|phone| phone.connection = None);
        for connection in self.engine.connections() {
            self.feed(Input::Closed { connection });
        }
        self.routing_after_takeover();
    }

    /// Whether anybody hears this message of a phone. One that begins something finds the host that serves, within a dialog it
    /// goes where the dialog says, what belongs to a transaction goes where that began, and an answer where its request came
    /// from (RFC 3261 18.2.2).
    pub(crate) fn is_heard(&mut self, phone: usize, bytes: &[u8]) -> bool {
        let Ok(message) = Message::parse(bytes) else { return true };
        let Some(branch) = message.top_via().branch().filter(|_| self.has_own_addresses) else { return true };
        let key = if message.is_request() { branch.to_owned() } else { asked_key(&message, branch) };
        let target = message.request_uri().filter(|_| message.to().tag().is_some());
        let target = target.and_then(|uri| uri.as_sip()?.host().address()).map(|ip| SocketAddr::new(ip, 5060));
        *self.places.entry((phone, key)).or_insert(target.unwrap_or(self.server)) == self.server
    }

    /// A message reaches a phone.
    pub(crate) fn asked(&mut self, phone: usize, bytes: &[u8]) {
        if let Ok(request) = Message::parse(bytes)
            && let Some(branch) = request.top_via().branch().filter(|_| request.is_request())
        {
            self.places.entry((phone, asked_key(&request, branch))).or_insert(self.server);
        }
    }

    /// Where a phone is told that the server is, for a ladder.
    pub(crate) fn told_place(&self, message: &Message<'_>) -> Option<String> {
        let ip = message.contact().ok()??.uri().as_sip()?.host().address()?;
        (self.has_own_addresses && [0, 1].iter().any(|number| host(*number).ip() == ip)).then(|| format!(" | at {ip}"))
    }
}

/// The name of the transaction in which a phone is asked something.
fn asked_key(message: &Message<'_>, branch: &str) -> String {
    format!("{} {branch}", message.method())
}
