//! Legal SIP history at each telephone: what the servers send, in the order in which it leaves, could come from one
//! server that never died.

use std::collections::{BTreeMap, BTreeSet};

use model::{Span, Time, hash64};
use sip::{Message, Method};

use super::Verdict;

/// Name of the checker.
pub const NAME: &str = "legal history";

/// RFC 3261 13.3.1.4: how long an answer is repeated before the lack of an ACK allows a BYE: 32 s by a clock that may
/// run fast.
const ACK_PATIENCE: Span = Span::from_secs(28);

/// RFC 3261 17.1.2.2: the longest pause between two sendings of a request, T2, by a clock that may run slow.
const LONGEST_PAUSE: Span = Span::from_secs(5);

/// A transaction at a telephone: the phone, the branch and the method.
type Key = (u8, String, String);

/// What has gone between the servers and each telephone.
#[derive(Debug, Default)]
pub struct Legal {
    /// Messages that were sent: a repetition is always legal.
    sent: BTreeSet<(u8, u64)>,
    /// Requests of the telephones and the final answers to them.
    asked: BTreeMap<Key, Asked>,
    /// INVITEs of the servers, and whether the telephone has given a final answer.
    invited: BTreeMap<Key, Invited>,
    /// Dialogs by phone, Call-ID and the servers' tag.
    dialogs: BTreeMap<(u8, String, String), Talk>,
    /// Telephones that lost a connection, and with it perhaps an answer that they had given up waiting for.
    cut_off: BTreeSet<u8>,
    /// When a server was succeeded last.
    succeeded: Option<Time>,
    /// Another host with an address of its own has taken over: it cannot know what the telephones have answered to the former
    /// one, takes back what it does not hear of, and acknowledges what may have been said.
    moved: bool,
    /// CSeq numbers of INVITEs that the telephones have answered: phone, Call-ID, number.
    answered: BTreeSet<(u8, String, u32)>,
    /// Reliable provisional responses of the telephones: phone, Call-ID, RSeq, CSeq number of the INVITE.
    rung: BTreeSet<(u8, String, u32, u32)>,
    /// Call-IDs of everything so far, and of what is not looked at any more.
    calls: BTreeSet<String>,
    excused: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Asked {
    /// It began a dialog.
    is_first: bool,
    answer: Option<Final>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Final {
    status: u16,
    /// The telephone has acknowledged it.
    heard: bool,
    tag: String,
}

#[derive(Debug, Default)]
struct Invited {
    provisional: bool,
}

#[derive(Debug, Default)]
struct Talk {
    /// The last sequence number of the servers.
    seq: u32,
    /// The last one of another request than OPTIONS.
    told: u32,
    /// The servers have said BYE, or answered one.
    over: bool,
    /// The telephone has said that it does not know it.
    is_denied: bool,
    /// The telephone has accepted the servers' INVITE.
    accepted: bool,
    /// The telephone's INVITE was accepted, or its own acceptance was acknowledged.
    established: bool,
    /// When the servers answered the telephone's INVITE, until the ACK comes.
    unacknowledged: Option<Time>,
}

impl Legal {
    /// The servers began from cold and know of nothing.
    pub fn forget(&mut self) {
        self.sent.clear();
        self.asked.values_mut().for_each(|asked| asked.answer = None);
        self.dialogs.clear();
        self.invited.clear();
    }

    /// The servers began with less than they had: of the calls so far they know something, but not all.
    pub fn excuse(&mut self) {
        self.excused.append(&mut self.calls);
    }

    /// A telephone loses a connection, and with it what was on its way.
    pub fn loses_connection(&mut self, phone: u8) {
        self.cut_off.insert(phone);
    }

    /// A server is succeeded. Requests that it had written down and not sent are sent by their own timers, as if the
    /// network had lost them: they may come behind others.
    pub fn succession(&mut self, now: Time) {
        self.succeeded = Some(now);
    }

    /// Another host with an address of its own takes over: what went to the former one is not heard.
    pub const fn moves(&mut self) {
        self.moved = true;
    }

    /// A telephone sends something.
    pub fn phone_sends(&mut self, _now: Time, phone: u8, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else { return };
        self.calls.insert(message.call_id().to_owned());
        let (branch, method) = (message.top_via().branch().unwrap_or_default(), message.cseq().method);
        let key = (phone, branch.to_owned(), method.as_str().to_owned());
        if message.status() == Some(481) {
            let server_tag = message.from().tag().unwrap_or_default().to_owned();
            let talk = self.dialogs.get_mut(&(phone, message.call_id().to_owned(), server_tag));
            talk.into_iter().for_each(|talk| talk.is_denied = true);
        }
        match message.status() {
            None if message.method() == Method::Ack => {
                let server_tag = message.to().tag().unwrap_or_default().to_owned();
                if let Some(talk) = self.dialogs.get_mut(&(phone, message.call_id().to_owned(), server_tag)) {
                    talk.unacknowledged = None;
                }
                let invite = (phone, branch.to_owned(), Method::Invite.as_str().to_owned());
                if let Some(Asked { answer: Some(answer), .. }) = self.asked.get_mut(&invite) {
                    answer.heard = true;
                }
            }
            None => {
                self.asked.entry(key).or_default().is_first = message.to().tag().is_none();
            }
            Some(status) if method == Method::Invite => {
                if let Some(invited) = self.invited.get_mut(&key) {
                    invited.provisional = true;
                }
                if status >= 200 {
                    self.answered.insert((phone, message.call_id().to_owned(), message.cseq().number));
                }
                // A reliable provisional response makes a dialog too (RFC 3262 4).
                let rseq = message.seconds(sip::HeaderName::RSeq).ok().flatten();
                if let Some(rseq) = rseq {
                    self.rung.insert((phone, message.call_id().to_owned(), rseq, message.cseq().number));
                }
                if (200..300).contains(&status) || rseq.is_some() {
                    let tag = message.from().tag().unwrap_or_default().to_owned();
                    let talk = self.dialogs.entry((phone, message.call_id().to_owned(), tag)).or_default();
                    talk.accepted |= status >= 200;
                }
            }
            Some(_) => {}
        }
    }

    /// The servers send something to a telephone; `former` says that it is one whose successor has spoken already.
    ///
    /// One that was stopped in the middle, and superseded meanwhile, says the rest of what it may say when it wakes up: its
    /// successor knows of that, but has gone on.
    ///
    /// # Errors
    /// If no single server would.
    pub fn server_sends(&mut self, now: Time, former: bool, phone: u8, bytes: &[u8]) -> Verdict {
        if !self.sent.insert((phone, hash64(bytes))) {
            return Ok(());
        }
        let message = Message::parse(bytes)
            .map_err(|_| format!("the server sends what cannot be read: {:?}", String::from_utf8_lossy(bytes)))?;
        self.calls.insert(message.call_id().to_owned());
        if self.excused.contains(message.call_id()) {
            return Ok(());
        }
        match message.status() {
            Some(status) => self.response(now, former, phone, &message, status),
            None => self.request(now, former, phone, &message),
        }
    }

    fn response(&mut self, now: Time, former: bool, phone: u8, response: &Message<'_>, status: u16) -> Verdict {
        let cseq = response.cseq();
        let branch = response.top_via().branch().unwrap_or_default().to_owned();
        let key = (phone, branch, cseq.method.as_str().to_owned());
        let Some(Asked { is_first, answer }) = self.asked.get_mut(&key) else {
            return Err(format!("phone {phone} is answered {status} to a {} that it never sent", cseq.method));
        };
        let tag = response.to().tag().unwrap_or_default().to_owned();
        let invite = cseq.method == Method::Invite;
        // A refusal may be made anew from each repetition of its request as long as the phone has not heard it: a
        // stateless server (RFC 3261 8.2.7) decides by what it knows at the time.
        let stands = |before: &&mut Final| before.status < 300 || before.heard;
        if let Some(before) = answer.as_mut().filter(stands) {
            if former && status < 200 {
                return Ok(());
            }
            let same = before.status == status && (!invite || before.tag == tag);
            if !same {
                let (first, method) = (before.status, cseq.method);
                return Err(format!("phone {phone} gets {status} after {first} to one {method}, or with another tag"));
            }
            return Ok(());
        }
        let key = (phone, response.call_id().to_owned(), tag.clone());
        let lives = |talk: &Talk| talk.established && !talk.over && !talk.is_denied;
        // For who says BYE it is over in either case (RFC 3261 15.1.1); and a BYE that was not sent before its server died is due.
        let asks = !matches!(cseq.method, Method::Bye | Method::Cancel);
        let is_due = self.succeeded.is_some_and(|at| now < at + LONGEST_PAUSE);
        if status == 481 && asks && !is_due && self.dialogs.get(&key).is_some_and(lives) {
            return Err(format!(
                "phone {phone} is told by 481 to a {} that its call is lost (RFC 3261 12.2.2)",
                cseq.method
            ));
        }
        if status >= 200 {
            *answer = Some(Final { status, heard: false, tag: tag.clone() });
            let talk = self.dialogs.entry(key).or_default();
            if invite && status < 300 && *is_first {
                (talk.unacknowledged, talk.established) = (Some(now), true);
            }
            talk.over |= cseq.method == Method::Bye && status < 300;
        }
        Ok(())
    }

    fn request(&mut self, now: Time, former: bool, phone: u8, request: &Message<'_>) -> Verdict {
        let branch = request.top_via().branch().unwrap_or_default().to_owned();
        let (call_id, seq) = (request.call_id().to_owned(), request.cseq().number);
        match request.method() {
            Method::Cancel => match self.invited.get(&(phone, branch, "INVITE".to_owned())) {
                Some(invited) if invited.provisional => Ok(()),
                Some(_) if self.moved => Ok(()),
                Some(_) => Err(format!("phone {phone} gets a CANCEL before it has said anything to the INVITE")),
                // The INVITE was written down, and did not leave before its host died.
                None if self.moved => Ok(()),
                None => Err(format!("phone {phone} gets a CANCEL of an INVITE that was never sent")),
            },
            Method::Ack if self.moved || self.answered.contains(&(phone, call_id.clone(), seq)) => {
                let tag = request.from().tag().unwrap_or_default().to_owned();
                if let Some(talk) = self.dialogs.get_mut(&(phone, call_id, tag)) {
                    talk.established |= talk.accepted;
                }
                Ok(())
            }
            Method::Prack if !self.has_rung(phone, request) => {
                Err(format!("phone {phone} gets a PRACK for a response that it has not given"))
            }
            Method::Ack => Err(format!("phone {phone} gets an ACK for an answer that it has not given")),
            Method::Invite if request.to().tag().is_none() => {
                let known = self.invited.insert((phone, branch, "INVITE".to_owned()), Invited::default());
                if known.is_some() {
                    return Err(format!("phone {phone} gets two different INVITEs in one transaction"));
                }
                Ok(())
            }
            _ => self.inside(now, former, phone, request, branch),
        }
    }

    /// RFC 3262 7.2: what a PRACK acknowledges.
    fn has_rung(&self, phone: u8, prack: &Message<'_>) -> bool {
        let rack = prack.rack().ok().flatten();
        rack.is_some_and(|rack| self.rung.contains(&(phone, prack.call_id().to_owned(), rack.rseq, rack.cseq.number)))
    }

    /// A request of the servers in a dialog.
    fn inside(&mut self, now: Time, former: bool, phone: u8, request: &Message<'_>, branch: String) -> Verdict {
        let (method, seq) = (request.method(), request.cseq().number);
        let tag = request.from().tag().unwrap_or_default().to_owned();
        let has_lost = !self.excused.is_empty();
        let Some(talk) = self.dialogs.get_mut(&(phone, request.call_id().to_owned(), tag)) else {
            // A caller may be in a call of which servers that have lost its answer know only that it rings with somebody else.
            // One whose INVITE has died with its connection is asked about it, and hears of an answer that is not acknowledged.
            let is_asked = matches!(method, Method::Bye | Method::Options) && self.cut_off.contains(&phone);
            let is_freed = self.moved && matches!(method, Method::Bye | Method::Options);
            if has_lost || is_asked || is_freed {
                return Ok(());
            }
            return Err(format!("phone {phone} gets a {method} in a dialog that it does not know"));
        };
        let late = self.succeeded.is_some_and(|at| now < at + ACK_PATIENCE);
        // A question of the server's own neither comes behind what the parties say to each other nor goes before it.
        let asks_or_ends = matches!(method, Method::Bye | Method::Options);
        let lags = seq <= talk.seq && (self.moved || seq <= talk.told && !asks_or_ends);
        let delayed = late && if talk.over { self.moved } else { lags };
        if delayed || former && (talk.over || seq <= talk.seq) {
            return Ok(());
        }
        // A goodbye that may have been answered elsewhere is said anew.
        if talk.over && !(self.moved && method == Method::Bye) {
            return Err(format!("phone {phone} gets a {method} after the end of the call"));
        }
        if seq <= talk.seq {
            return Err(format!("phone {phone} gets {method} {seq} after number {} in one dialog", talk.seq));
        }
        talk.seq = seq;
        if method != Method::Options {
            talk.told = seq;
        }
        if method == Method::Bye {
            talk.over = true;
            if !self.moved && talk.unacknowledged.is_some_and(|since| now < since + ACK_PATIENCE) {
                return Err(format!("phone {phone} gets a BYE before it could acknowledge the answer (RFC 3261 15)"));
            }
        }
        if method == Method::Invite {
            self.invited.insert((phone, branch, "INVITE".to_owned()), Invited::default());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(start: &str, cseq: &str, from: &str, to: &str) -> Vec<u8> {
        format!(
            "{start}\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag={from}\r\n\
             To: <sip:b@x>{to}\r\nCall-ID: c\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    }

    /// What the server says to telephone 0.
    fn says(legal: &mut Legal, bytes: &[u8]) -> Verdict {
        legal.server_sends(Time::ZERO, false, 0, bytes)
    }

    /// A call that telephone 0 has begun, and the server has answered.
    fn answered() -> Legal {
        let mut legal = Legal::default();
        legal.phone_sends(Time::ZERO, 0, &message("INVITE sip:b@x SIP/2.0", "1 INVITE", "f", ""));
        says(&mut legal, &message("SIP/2.0 200 OK", "1 INVITE", "f", ";tag=t")).unwrap();
        legal
    }

    fn bye(seq: u32) -> Vec<u8> {
        message("BYE sip:a@x SIP/2.0", &format!("{seq} BYE"), "t", ";tag=f")
    }

    #[test]
    fn it_notices_two_different_answers_and_answers_to_nothing() {
        let mut legal = Legal::default();
        let answer = |status: &str| message(&format!("SIP/2.0 {status}"), "1 INVITE", "f", ";tag=t");
        says(&mut legal, &answer("200 OK")).unwrap_err();
        legal.phone_sends(Time::ZERO, 0, &message("INVITE sip:b@x SIP/2.0", "1 INVITE", "f", ""));
        says(&mut legal, &answer("486 Busy Here")).unwrap();
        // Not heard yet: a server without a record may decide anew.
        says(&mut legal, &answer("404 Not Found")).unwrap();
        legal.phone_sends(Time::ZERO, 0, &message("ACK sip:b@x SIP/2.0", "1 ACK", "f", ";tag=t"));
        says(&mut legal, &answer("603 Decline")).unwrap_err();
    }

    #[test]
    fn it_notices_requests_that_fit_no_dialog() {
        says(&mut Legal::default(), &bye(1)).unwrap_err();
        let mut legal = answered();
        says(&mut legal, &bye(2)).unwrap_err();
        says(&mut legal, &bye(3)).unwrap_err();
    }

    #[test]
    fn only_a_former_server_says_something_behind_a_goodbye() {
        let mut legal = answered();
        legal.phone_sends(Time::ZERO, 0, &message("ACK sip:b@x SIP/2.0", "1 ACK", "f", ";tag=t"));
        let hold = message("INVITE sip:a@x SIP/2.0", "2 INVITE", "t", ";tag=f");
        says(&mut legal, &bye(3)).unwrap();
        legal.server_sends(Time::ZERO, true, 0, &hold).unwrap();
        let word = message("INFO sip:a@x SIP/2.0", "2 INFO", "t", ";tag=f");
        says(&mut legal, &word).unwrap_err();
    }
}
