//! One call at a time: whom the queue has given a call is offered no other one before that is over.

use std::collections::BTreeMap;

use sip::{Message, Method};

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "taken twice";

/// What the queue has offered to each telephone, by its number and the Call-ID.
#[derive(Debug, Default)]
pub struct TakenTwice(BTreeMap<(u8, String), Leg>);

#[derive(Debug, Default)]
struct Leg {
    /// The telephone has said something: until then it may not know of the call.
    is_known: bool,
    is_over: bool,
}

impl TakenTwice {
    /// The servers know less than they did, or of another address.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// A telephone sends something.
    pub fn phone_sends(&mut self, phone: u8, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        let Some(leg) = self.0.get_mut(&(phone, message.call_id().to_owned())) else { return };
        match message.status() {
            None => leg.is_over |= message.method() == Method::Bye,
            Some(status) if message.cseq().method == Method::Invite => {
                leg.is_known = true;
                leg.is_over |= status >= 300;
            }
            Some(_) => {}
        }
    }

    /// The servers send something to a telephone; `of_queue` says whether an INVITE offers a call of the queue.
    ///
    /// # Errors
    /// If it offers a second call.
    pub fn server_sends(&mut self, phone: u8, bytes: &[u8], of_queue: impl FnOnce(&Message<'_>) -> bool) -> Verdict {
        let Ok(message) = Message::parse(bytes) else { return Ok(()) };
        if message.status().is_some() {
            return Ok(());
        }
        let key = (phone, message.call_id().to_owned());
        if let Some(leg) = self.0.get_mut(&key) {
            leg.is_over |= matches!(message.method(), Method::Bye | Method::Cancel);
            return Ok(());
        }
        let offers = message.method() == Method::Invite && message.to().tag().is_none();
        if !offers || !of_queue(&message) {
            return Ok(());
        }
        let mut own = self.0.iter().filter(|((whose, _), leg)| *whose == phone && leg.is_known && !leg.is_over);
        if let Some(((_, other), _)) = own.next() {
            return Err(format!("phone {phone} is offered {} while it has {other}", message.call_id()));
        }
        self.0.insert(key, Leg::default());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(start: &str, call: &str, cseq: &str) -> Vec<u8> {
        format!(
            "{start}\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\n\
             To: <sip:b@x>\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    /// Offers a call, lets something happen, and offers another one.
    fn second(between: &[(bool, Vec<u8>)]) -> Verdict {
        let mut checker = TakenTwice::default();
        let invite = |call| message("INVITE sip:b@x SIP/2.0", call, "1 INVITE");
        checker.server_sends(1, &invite("one"), |_| true).unwrap();
        for (by_server, bytes) in between {
            match by_server {
                true => checker.server_sends(1, bytes, |_| true).unwrap(),
                false => checker.phone_sends(1, bytes),
            }
        }
        checker.server_sends(2, &invite("other"), |_| true).unwrap();
        checker.server_sends(1, &invite("direct"), |_| false).unwrap();
        checker.server_sends(1, &invite("two"), |_| true)
    }

    #[test]
    fn it_notices_a_second_call_before_the_first_is_over() {
        let ringing = || (false, message("SIP/2.0 180 Ringing", "one", "1 INVITE"));
        let answers = || (false, message("SIP/2.0 200 OK", "one", "1 INVITE"));
        let bye = || message("BYE sip:b@x SIP/2.0", "one", "2 BYE");
        second(&[]).unwrap();
        second(&[ringing()]).unwrap_err();
        second(&[ringing(), answers()]).unwrap_err();
        second(&[ringing(), answers(), (true, bye())]).unwrap();
        second(&[ringing(), answers(), (false, bye())]).unwrap();
        second(&[ringing(), (true, message("CANCEL sip:b@x SIP/2.0", "one", "1 CANCEL"))]).unwrap();
        second(&[ringing(), (false, message("SIP/2.0 486 Busy Here", "one", "1 INVITE"))]).unwrap();
    }
}
