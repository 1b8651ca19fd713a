//! Calls the SIP Server at its address, from the outside: OPTIONS need no record, a call does.
//!
//! The number shows that the caller is of the solution (`call::probe_number`), so no phone and no password is needed, and nobody
//! rings. The call gets a record, passes the gate, and is refused: only an engine that takes calls answers so. Where OPTIONS are
//! answered and such calls are not, everything else is as if OPTIONS were not (`probe`).

use std::net::SocketAddr;
use std::time::Duration;

use sip::{HeaderName, Message, Method};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::Place;

/// How long the final answer may take.
const ANSWER: Duration = Duration::from_millis(900);
/// The INVITE is repeated after so long, which a network of one's own allows (RFC 3261 17.1.1.1).
const AGAIN: Duration = Duration::from_millis(250);

/// Calls once; who has taken the call, if anybody has.
pub(super) async fn call(socket: &UdpSocket, place: &Place, secret: &[u8; 32], number: u64) -> Option<SocketAddr> {
    let (here, address) = (socket.local_addr().ok()?, place.name()?);
    let id = format!("probe-call-{}-{number}", std::process::id());
    let called = format!("sip:{}@{address}", call::probe_number(secret, &id));
    let text = |method: &str, to: &str, rest: &str| {
        format!(
            "{method} {called} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{id};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:probe@{address}>;tag={number}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n{rest}\
             Content-Length: 0\r\n\r\n"
        )
    };
    let invite = text("INVITE", &format!("<{called}>"), &format!("Contact: <sip:probe@{here}>\r\n"));
    let end = Instant::now() + ANSWER;
    let mut is_heard = false;
    let mut room = [0; 2_048];
    while Instant::now() < end {
        // After a provisional answer it is not repeated (RFC 3261 17.1.1.2).
        if !is_heard {
            place.send(socket, invite.as_bytes()).await.ok()?;
        }
        let turn = end.min(Instant::now() + AGAIN);
        while let Ok(received) = timeout_at(turn, socket.recv_from(&mut room)).await {
            // A network that is gone says so here.
            let Some((length, from)) = received.ok().filter(|(_, from)| place.has(*from)) else {
                continue;
            };
            let Some((status, to)) = answer(&room[..length], &id) else { continue };
            if status < 200 {
                is_heard = true;
                continue;
            }
            // RFC 3261 17.1.1.3: the same branch, and the To of the answer.
            let _ = socket.send_to(text("ACK", &to, "").as_bytes(), from).await;
            return is_taken(status).then_some(from);
        }
    }
    None
}

/// Status and To of an answer to the INVITE of this call.
fn answer(bytes: &[u8], id: &str) -> Option<(u16, String)> {
    let message = Message::parse(bytes).ok()?;
    let is_ours = message.call_id() == id && message.method() == Method::Invite;
    let to = message.value(HeaderName::To).map(|to| String::from_utf8_lossy(to).into_owned())?;
    Some((message.status().filter(|_| is_ours)?, to))
}

/// Any answer of somebody who has understood will do: one that is full takes calls, only not now, and another version may not
/// know such calls. Who cannot go on says so by 5xx.
const fn is_taken(status: u16) -> bool {
    status < 500 || status == 503
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    /// A server that answers each request by this, until it has heard an ACK.
    async fn answering(with: &[&str]) -> (bool, String) {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let place: Place = [server.local_addr().unwrap()].into_iter().collect();
        let serve = async {
            let mut room = [0; 2_048];
            loop {
                let (length, from) = server.recv_from(&mut room).await.unwrap();
                let asked = String::from_utf8_lossy(&room[..length]).into_owned();
                if asked.starts_with("ACK") {
                    return asked;
                }
                for start in with {
                    let line = asked.lines().next().unwrap().to_owned();
                    let answer = asked.replace(&line, start).replace(">\r\nCall-ID", ">;tag=ours\r\nCall-ID");
                    server.send_to(answer.as_bytes(), from).await.unwrap();
                }
            }
        };
        let (taken, ack) = tokio::join!(call(&socket, &place, &SECRET, 7), serve);
        assert!(taken.is_none_or(|by| place.has(by)));
        (taken.is_some(), ack)
    }

    #[tokio::test]
    async fn a_call_that_is_refused_in_the_end_was_taken() {
        let (taken, ack) = answering(&["SIP/2.0 100 Trying", "SIP/2.0 480 Temporarily Unavailable"]).await;
        assert!(taken && ack.contains(";tag=ours\r\n") && ack.contains("CSeq: 1 ACK\r\n"), "{ack}");
        assert!(!answering(&["SIP/2.0 500 Server Internal Error"]).await.0);
    }

    #[test]
    fn only_the_answer_to_this_invite_counts() {
        let answer_of = |id: &str, method: &str| {
            format!(
                "SIP/2.0 480 No\r\nVia: SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@b>;tag=2\r\n\
                 Call-ID: {id}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
            )
        };
        let read = |id: &str, method: &str| answer(answer_of(id, method).as_bytes(), "ours");
        assert_eq!(read("ours", "INVITE"), Some((480, "<sip:c@b>;tag=2".into())));
        assert_eq!([read("another", "INVITE"), read("ours", "OPTIONS")], [None, None]);
        assert_eq!(answer(b"nonsense", "ours"), None);
    }

    #[test]
    fn who_is_full_takes_calls_and_who_breaks_down_does_not() {
        assert_eq!([480, 401, 404, 503, 603].map(is_taken), [true, true, true, true, false]);
        assert_eq!([500, 504].map(is_taken), [false, false]);
    }
}
