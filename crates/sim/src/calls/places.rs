//! Where each host serves at an address of its own: which of them a message of a telephone goes to.

use std::collections::BTreeMap;

use sip::{Message, Method};

use super::settings::OWN;
use crate::pair::{Side, other};

/// What telephones know of the hosts.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The host with which each transaction is: by telephone, and by branch or, where the server asks, by method too.
    transactions: BTreeMap<(u8, String), Side>,
    /// The host that has answered each telephone last.
    registrars: BTreeMap<u8, Side>,
}

impl Places {
    /// Where a message of a telephone goes. What begins something goes to the host that has answered last, and, as long as it
    /// is not answered, to the one and the other in turn, as a telephone does that knows two registrars (RFC 3263 4.3). Within
    /// a dialog it goes where that says, with its transaction where that is, and an answer where the request has come from.
    pub(super) fn of(&mut self, phone: u8, bytes: &[u8]) -> Side {
        let registrar = self.registrars.get(&phone).copied().unwrap_or_default();
        let Ok(message) = Message::parse(bytes) else { return registrar };
        let key = (phone, key_of(&message));
        let begins = message.is_request()
            && message.to().tag().is_none()
            && !matches!(message.method(), Method::Cancel | Method::Ack);
        let place = match self.transactions.get(&key) {
            Some(known) if begins => other(*known),
            Some(known) => *known,
            None => inside(&message).unwrap_or(registrar),
        };
        self.transactions.insert(key, place);
        place
    }

    /// A telephone has lost its connection with a host: it tries the other one next.
    pub(super) fn leaves(&mut self, phone: u8, side: Side) {
        self.registrars.insert(phone, other(side));
    }

    /// A host sends a telephone something.
    pub(super) fn hears(&mut self, phone: u8, side: Side, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        if message.is_request() {
            self.transactions.entry((phone, asked(&message))).or_insert(side);
        } else {
            self.transactions.insert((phone, own(&message)), side);
            self.registrars.insert(phone, side);
        }
    }
}

/// The transaction that a message of a telephone belongs to.
fn key_of(message: &Message<'_>) -> String {
    if message.is_request() { own(message) } else { asked(message) }
}

/// One that the telephone has begun: CANCEL and the ACK of a refusal belong to that of their INVITE.
fn own(message: &Message<'_>) -> String {
    message.top_via().branch().unwrap_or_default().to_owned()
}

fn asked(message: &Message<'_>) -> String {
    format!("{} {}", message.method(), message.top_via().branch().unwrap_or_default())
}

/// The host that a request within a dialog names.
fn inside(request: &Message<'_>) -> Option<Side> {
    let address = request.request_uri()?.as_sip()?.host().address()?;
    OWN.iter().position(|own| own.ip() == address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(start: &str, branch: &str, method: &str, to: &str) -> Vec<u8> {
        format!(
            "{start}\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=f\r\n\
             To: <sip:b@x>{to}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn a_telephone_tries_both_hosts_and_stays_with_the_one_that_answers() {
        let mut places = Places::default();
        let invite = message("INVITE sip:b@x SIP/2.0", "1", "INVITE", "");
        assert_eq!([0, 1, 0].map(|_| places.of(3, &invite)), [0, 1, 0]);
        places.hears(3, 1, &message("SIP/2.0 100 Trying", "1", "INVITE", ""));
        assert_eq!(places.of(3, &message("CANCEL sip:b@x SIP/2.0", "1", "CANCEL", "")), 1, "as its INVITE");
        assert_eq!(places.of(3, &message("REGISTER sip:x SIP/2.0", "2", "REGISTER", "")), 1);
    }

    #[test]
    fn what_belongs_to_a_call_goes_to_the_host_that_it_names_and_an_answer_to_who_has_asked() {
        let mut places = Places::default();
        assert_eq!(places.of(3, &message("BYE sip:call@192.0.2.2:5060 SIP/2.0", "1", "BYE", ";tag=t")), 1);
        places.hears(3, 1, &message("UPDATE sip:a@10.0.0.1 SIP/2.0", "9", "UPDATE", ";tag=t"));
        places.hears(3, 0, &message("UPDATE sip:a@10.0.0.1 SIP/2.0", "9", "UPDATE", ";tag=t"));
        assert_eq!(places.of(3, &message("SIP/2.0 200 OK", "9", "UPDATE", ";tag=t")), 1);
    }
}
