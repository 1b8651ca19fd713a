//! Which server transaction a request belongs to (RFC 3261 17.2.3).

use crate::message::{HeaderName, Message, Method};

/// Appends the key of the server transaction that `request` belongs to: equal for a request, its repetitions and,
/// for an INVITE, the ACK of its refusal and its CANCEL.
///
/// The key begins with the method and a NUL. With a unique branch it goes on with branch and sent-by; without one (RFC 2543, or the bare cookie) with
/// Request-URI, From tag, Call-ID, CSeq number and top Via. The To tag is left out, since a repeated first request
/// lacks it and the ACK of its refusal has it.
pub fn write_key(request: &Message<'_>, out: &mut Vec<u8>) {
    let method = match request.method() {
        Method::Ack | Method::Cancel => Method::Invite,
        method => method,
    };
    out.extend_from_slice(method.as_str().as_bytes());
    let via = request.top_via();
    if let Some(branch) = via.unique_branch() {
        put(out, branch.as_bytes());
        put(out, via.host().to_string().to_ascii_lowercase().as_bytes());
        put(out, &via.sent_by_port().to_be_bytes());
    } else {
        put(out, request.request_uri().map_or("", |uri| uri.as_str()).as_bytes());
        put(out, request.from().tag().unwrap_or_default().as_bytes());
        put(out, request.call_id().as_bytes());
        put(out, &request.cseq().number.to_be_bytes());
        put(out, request.value(HeaderName::Via).unwrap_or_default());
    }
}

/// Each part behind a NUL, which none of them begins with, so that no two lists of parts look alike.
fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.push(0);
    out.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(method: &str, via: &str, rest: &str) -> Vec<u8> {
        let text = format!(
            "{method} sip:1001@a.example SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nCall-ID: c\r\nCSeq: 7 {method}\r\n\
             To: <sip:1001@a.example>\r\n{rest}\r\n\r\n"
        );
        let mut key = Vec::new();
        write_key(&Message::parse(text.as_bytes()).expect("a sound request"), &mut key);
        key
    }

    const FROM: &str = "From: <sip:1@a>;tag=f";

    #[test]
    fn the_ack_and_the_cancel_of_an_invite_have_its_key() {
        for via in ["h;branch=z9hG4bK1", "h"] {
            assert_eq!(key("INVITE", via, FROM), key("ACK", via, FROM), "{via}");
            assert_eq!(key("INVITE", via, FROM), key("CANCEL", via, FROM), "{via}");
            assert_ne!(key("INVITE", via, FROM), key("BYE", via, FROM), "{via}");
        }
    }

    #[test]
    fn with_a_unique_branch_branch_and_sent_by_decide() {
        let key_of = |via| key("BYE", via, FROM);
        let base = key_of("h.example;branch=z9hG4bK1");
        assert_eq!(base, key_of("H.EXAMPLE:5060;rport;branch=z9hG4bK1"), "RFC 3261 17.2.3 rules 1 and 2");
        assert_ne!(base, key_of("h.example:5061;branch=z9hG4bK1"));
        assert_ne!(base, key_of("h.example;branch=z9hG4bK2"));
        assert_eq!(base, key("BYE", "h.example;branch=z9hG4bK1", "From: <sip:1@a>;tag=other"));
    }

    #[test]
    fn without_one_the_from_tag_decides_too() {
        for via in ["h.example", "h.example;branch=1", "h.example;branch=z9hG4bK"] {
            assert_eq!(key("BYE", via, FROM), key("BYE", via, FROM));
            assert_ne!(key("BYE", via, FROM), key("BYE", via, "From: <sip:1@a>;tag=other"), "{via}");
        }
    }
}
